//! Writing CBOR around bytes that must stay as they came (DESIGN, section 3, rule 2), and reading names out of raw spans.

use wallet_base::cbor::{self, Limits};

use crate::CredentialError;

/// Major types of RFC 8949, section 3.1.
const UNSIGNED: u8 = 0;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

/// Tag 24: encoded CBOR data item (RFC 8949, 3.4.5.1).
pub(crate) const TAG_ENCODED: u64 = 24;

fn head(out: &mut Vec<u8>, major: u8, value: u64) {
    let major = major << 5;
    if let Ok(small) = u8::try_from(value) {
        if small < 24 {
            out.push(major | small);
        } else {
            out.extend_from_slice(&[major | 0x18, small]);
        }
    } else if let Ok(value) = u16::try_from(value) {
        out.push(major | 0x19);
        out.extend_from_slice(&value.to_be_bytes());
    } else if let Ok(value) = u32::try_from(value) {
        out.push(major | 0x1a);
        out.extend_from_slice(&value.to_be_bytes());
    } else {
        out.push(major | 0x1b);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

fn length(out: &mut Vec<u8>, major: u8, length: usize) {
    head(out, major, u64::try_from(length).unwrap_or(u64::MAX));
}

/// Appends CBOR items; raw spans go in as they are.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn map(&mut self, entries: usize) -> &mut Self {
        length(&mut self.0, MAP, entries);
        self
    }

    pub(crate) fn array(&mut self, items: usize) -> &mut Self {
        length(&mut self.0, ARRAY, items);
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        length(&mut self.0, TEXT, text.len());
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        length(&mut self.0, BYTES, bytes.len());
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn unsigned(&mut self, value: u64) -> &mut Self {
        head(&mut self.0, UNSIGNED, value);
        self
    }

    pub(crate) fn tag(&mut self, tag: u64) -> &mut Self {
        head(&mut self.0, TAG, tag);
        self
    }

    pub(crate) fn raw(&mut self, item: &[u8]) -> &mut Self {
        self.0.extend_from_slice(item);
        self
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// `#6.24(bstr .cbor item)`.
pub(crate) fn tag_24(item: &[u8]) -> Vec<u8> {
    Writer::new().tag(TAG_ENCODED).bytes(item).take()
}

/// The content of `#6.24(bstr)`.
pub(crate) fn untag_24<'a>(item: &'a [u8], what: &'static str) -> Result<&'a [u8], CredentialError> {
    let inner = cbor::tag_content(item, TAG_ENCODED).map_err(|_| CredentialError::Malformed(what))?;
    cbor::byte_string(inner).map_err(|_| CredentialError::Malformed(what))
}

/// A map with text keys as (key, raw value). Duplicate keys are refused below, in `map_entries`, whatever their encoding.
pub(crate) fn text_map<'a>(item: &'a [u8], limits: Limits, what: &'static str) -> Result<Vec<(String, &'a [u8])>, CredentialError> {
    let entries = cbor::map_entries(item, limits).map_err(|_| CredentialError::Malformed(what))?;
    let mut out: Vec<(String, &[u8])> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let key = cbor::decode(key, limits).map_err(|_| CredentialError::Malformed(what))?;
        let key = key.as_text().ok_or(CredentialError::Malformed(what))?;
        out.push((key.to_owned(), value));
    }
    Ok(out)
}

/// The raw value under a text key.
pub(crate) fn entry<'a>(map: &[(String, &'a [u8])], key: &str) -> Option<&'a [u8]> {
    map.iter().find(|(name, _)| name == key).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_minimal() {
        // RFC 8949, appendix A.
        for (value, hex) in [
            (0, "00"),
            (23, "17"),
            (24, "1818"),
            (100, "1864"),
            (1000, "1903e8"),
            (1_000_000, "1a000f4240"),
            (1_000_000_000_000, "1b000000e8d4a51000"),
        ] {
            assert_eq!(hex::encode(Writer::new().unsigned(value).take()), hex);
        }
        assert_eq!(hex::encode(tag_24(b"dIETF")), "d818456449455446");
    }
}
