//! EF.COM (9303-10, 4.6.1): versions and the list of data groups. Unsigned: the list that counts is the SOD's.

use crate::ReadError;
use crate::files::FileId;
use crate::tlv;

/// Parsed EF.COM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Com {
    /// LDS version, four digits (`0107`).
    pub lds_version: String,
    /// Unicode version, six digits.
    pub unicode_version: String,
    /// Tags of the data groups present, as listed (`61`, `75`, ...).
    pub tags: Vec<u8>,
}

impl Com {
    /// Parses 60 { 5F01 version, 5F36 version, 5C tags }.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReadError> {
        const FILE: &str = "EF.COM";
        let outer = tlv::file(bytes, 0x60).map_err(|fault| fault.within(FILE))?;
        let mut fields = outer.children();
        let mut text = |tag: u32, length: usize| {
            let value = fields.next_tag(tag).map_err(|fault| fault.within(FILE))?.value;
            if value.len() == length && value.iter().all(u8::is_ascii_digit) {
                Ok(value.iter().map(|byte| char::from(*byte)).collect())
            } else {
                Err(ReadError::malformed(FILE, "versions are not digits"))
            }
        };
        let lds_version = text(0x5F01, 4)?;
        let unicode_version = text(0x5F36, 6)?;
        let tags = fields.next_tag(0x5C).map_err(|fault| fault.within(FILE))?.value.to_vec();
        Ok(Self { lds_version, unicode_version, tags })
    }

    /// Writes the file.
    pub fn encode(&self) -> Vec<u8> {
        tlv::encode_all(
            0x60,
            &[
                tlv::encode(0x5F01, self.lds_version.as_bytes()),
                tlv::encode(0x5F36, self.unicode_version.as_bytes()),
                tlv::encode(0x5C, &self.tags),
            ],
        )
    }

    /// Numbers of the listed data groups that this crate knows.
    pub fn groups(&self) -> Vec<u8> {
        self.tags.iter().filter_map(|tag| FileId::APPLICATION.into_iter().find(|file| file.tag() == u32::from(*tag))?.group()).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn hostile_com_is_refused() {
        // The valid file is the example of 9303-10, A.1 (vector test in tests/).
        for text in ["", "60", "6000", "60145f010430313037", "60075f0104303130", "600d5f010430314137", "610b5f010430313037"] {
            assert!(Com::parse(&hex::decode(text).unwrap_or_default()).is_err(), "{text}");
        }
    }
}
