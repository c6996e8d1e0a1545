//! What a reading is asked for and what it gives.

use zeroize::Zeroize;

use crate::files::FileId;

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct ReadPlan {
    /// Read the face (DG2), the largest file.
    pub face: bool,
    /// Read the national details (DG13).
    pub details: bool,
    /// The challenge for Active Authentication (RND.IFD). For activation it is [`crate::evidence::challenge`]; `None` skips
    /// it, and `chip.genuine` stays not-checked.
    pub challenge: Option<[u8; 8]>,
    /// The channel allows extended-length APDUs. They are tried, and given up for the rest of the reading when the card refuses them.
    pub extended: bool,
    /// Largest command the channel takes, in bytes (Android's default is 261). No command of a reading is longer than 100 bytes;
    /// a channel below 261 gets no extended-length reads.
    pub max_command: usize,
    /// EF.CardAccess to be used when the card does not give the file ([`crate::access::VN_CCCD_CARD_ACCESS`]). Recorded in
    /// [`AccessRecord::from_hint`].
    pub card_access_hint: Option<Vec<u8>>,
}

impl ReadPlan {
    /// Everything: for activation.
    pub const fn full(challenge: Option<[u8; 8]>) -> Self {
        Self { face: true, details: true, challenge, extended: false, max_command: 261, card_access_hint: None }
    }

    /// Everything but the face: at most 32 exchanges.
    pub const fn identity(challenge: Option<[u8; 8]>) -> Self {
        Self { face: false, details: true, challenge, extended: false, max_command: 261, card_access_hint: None }
    }

    /// With what the channel says about itself.
    pub const fn over(mut self, max_command: usize, extended: bool) -> Self {
        self.max_command = max_command;
        self.extended = extended;
        self
    }
}

/// Which password opened the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordKind {
    /// Card access number.
    Can,
    /// Machine readable zone.
    Mrz,
}

/// How the card was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRecord {
    /// EF.CardAccess as it arrived (unsigned; compared with DG14 by `chip.access`).
    pub card_access: Vec<u8>,
    /// It is the caller's hint: the card did not give the file.
    pub from_hint: bool,
    /// Content bytes of the PACE protocol's OID.
    pub protocol: Vec<u8>,
    /// Standardised domain parameters.
    pub parameter: u8,
    /// Which password.
    pub password: PasswordKind,
}

/// A finished reading: files as they arrived, nothing verified. `Debug` is redacted; contents are wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct ChipData {
    /// EF.COM; empty when the card has none.
    pub com: Vec<u8>,
    /// EF.SOD.
    pub sod: Vec<u8>,
    /// DG1.
    pub dg1: Vec<u8>,
    /// DG2, when asked for and listed.
    pub dg2: Option<Vec<u8>>,
    /// DG13, when asked for, listed and given.
    pub dg13: Option<Vec<u8>>,
    /// DG14, when listed and given.
    pub dg14: Option<Vec<u8>>,
    /// DG15, when listed and given.
    pub dg15: Option<Vec<u8>>,
    /// The chip's signature over the challenge, r || s.
    pub aa_signature: Option<Vec<u8>>,
    /// The challenge that was sent.
    pub challenge: Option<[u8; 8]>,
    /// How the card was opened.
    pub access: AccessRecord,
    /// Files that the SOD lists and that were asked for, but that the card did not give.
    pub withheld: Vec<FileId>,
    /// Command-response pairs used, over all sessions.
    pub exchanges: u32,
}

impl Drop for ChipData {
    fn drop(&mut self) {
        self.dg1.zeroize();
        self.dg2.zeroize();
        self.dg13.zeroize();
    }
}

impl std::fmt::Debug for ChipData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ChipData(redacted, {} exchanges)", self.exchanges)
    }
}

/// How far a reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The file being read (EF.CardAccess while the card is being opened).
    pub file: FileId,
    /// Bytes of it that are there.
    pub bytes_done: usize,
    /// Its size, 0 while unknown.
    pub bytes_total: usize,
    /// Files finished.
    pub files_done: usize,
    /// Files in all; before the SOD is read, a guess by the plan.
    pub files_total: usize,
}
