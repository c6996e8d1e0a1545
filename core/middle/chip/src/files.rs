//! The files of a chip card: identifiers and tags (9303-10, 3 and 4).

/// AID of the LDS1 eMRTD application (9303-10, 3.1).
pub const AID: [u8; 7] = [0xA0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01];

/// A file that the reader knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileId {
    /// EF.CardAccess in the master file: which access protocols there are.
    CardAccess,
    /// EF.COM: version and list of data groups (unsigned).
    Com,
    /// EF.SOD: the signed hashes of the data groups.
    Sod,
    /// DG1: machine readable zone.
    Dg1,
    /// DG2: face.
    Dg2,
    /// DG3: fingers; needs terminal authentication.
    Dg3,
    /// DG13: national details.
    Dg13,
    /// DG14: security options.
    Dg14,
    /// DG15: key of Active Authentication.
    Dg15,
}

impl FileId {
    /// Every file of the application, in no order.
    pub const APPLICATION: [Self; 8] = [Self::Com, Self::Sod, Self::Dg1, Self::Dg2, Self::Dg3, Self::Dg13, Self::Dg14, Self::Dg15];

    /// Short file identifier.
    pub const fn sfi(self) -> u8 {
        match self {
            Self::CardAccess => 0x1C,
            Self::Com => 0x1E,
            Self::Sod => 0x1D,
            Self::Dg1 => 0x01,
            Self::Dg2 => 0x02,
            Self::Dg3 => 0x03,
            Self::Dg13 => 0x0D,
            Self::Dg14 => 0x0E,
            Self::Dg15 => 0x0F,
        }
    }

    /// Two-byte file identifier.
    pub const fn fid(self) -> [u8; 2] {
        [0x01, self.sfi()]
    }

    /// Tag of the file's outer element.
    pub const fn tag(self) -> u32 {
        match self {
            Self::CardAccess => 0x31,
            Self::Com => 0x60,
            Self::Sod => 0x77,
            Self::Dg1 => 0x61,
            Self::Dg2 => 0x75,
            Self::Dg3 => 0x63,
            Self::Dg13 => 0x6D,
            Self::Dg14 => 0x6E,
            Self::Dg15 => 0x6F,
        }
    }

    /// Number of the data group; `None` for the others.
    pub const fn group(self) -> Option<u8> {
        match self {
            Self::CardAccess | Self::Com | Self::Sod => None,
            _ => Some(self.sfi()),
        }
    }

    /// The file of a data group's number.
    pub fn of_group(number: u8) -> Option<Self> {
        Self::APPLICATION.into_iter().find(|file| file.group() == Some(number))
    }

    /// Name as the standard writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CardAccess => "EF.CardAccess",
            Self::Com => "EF.COM",
            Self::Sod => "EF.SOD",
            Self::Dg1 => "EF.DG1",
            Self::Dg2 => "EF.DG2",
            Self::Dg3 => "EF.DG3",
            Self::Dg13 => "EF.DG13",
            Self::Dg14 => "EF.DG14",
            Self::Dg15 => "EF.DG15",
        }
    }
}

impl std::fmt::Display for FileId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
