//! BER-TLV as cards write it (ISO/IEC 7816-4, 5.2.2; X.690 8.1), with caps. DER files are read by the same parser.
//!
//! Definite lengths only, tags of at most three bytes, lengths of at most four bytes; depth and element count are capped
//! by the limits below. Nothing is copied: a [`Tlv`] borrows the bytes that arrived.

use crate::ReadError;

/// Longest file that is taken, in bytes.
pub const MAX_FILE: usize = 1024 * 1024;
/// Deepest nesting that is followed.
pub const MAX_DEPTH: usize = 16;
/// Most elements that one walk visits.
pub const MAX_ELEMENTS: usize = 4096;

/// What is wrong with a TLV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlvError {
    /// The bytes end inside a tag, a length or a value.
    #[error("bytes end early")]
    Truncated,
    /// A tag of more than three bytes, or not in its shortest form.
    #[error("bad tag")]
    Tag,
    /// An indefinite, oversized or reserved length.
    #[error("bad length")]
    Length,
    /// Too deep or too many.
    #[error("too large")]
    TooLarge,
    /// An element that must be there is not, or has another tag.
    #[error("unexpected element")]
    Unexpected,
    /// Bytes after the last element.
    #[error("bytes left over")]
    Trailing,
}

impl TlvError {
    /// The same as a static reason for [`ReadError::Malformed`].
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Truncated => "bytes end early",
            Self::Tag => "bad tag",
            Self::Length => "bad length",
            Self::TooLarge => "too large",
            Self::Unexpected => "unexpected element",
            Self::Trailing => "bytes left over",
        }
    }

    /// This fault in a named file.
    pub const fn within(self, file: &'static str) -> ReadError {
        ReadError::malformed(file, self.reason())
    }
}

/// One element: tag, value, and the bytes of the whole.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// Tag as a number of its bytes, big-endian (`0x7F61`).
    pub tag: u32,
    /// The value's bytes.
    pub value: &'a [u8],
    /// Tag, length and value as they arrived.
    pub raw: &'a [u8],
}

impl std::fmt::Debug for Tlv<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tlv({:X}, {} bytes)", self.tag, self.value.len())
    }
}

impl<'a> Tlv<'a> {
    /// The elements inside the value.
    pub fn children(&self) -> Elements<'a> {
        Elements::new(self.value)
    }

    /// Bit 6 of the first tag byte: the value is made of elements.
    pub const fn is_constructed(&self) -> bool {
        let first = if self.tag > 0xFFFF {
            self.tag >> 16
        } else if self.tag > 0xFF {
            self.tag >> 8
        } else {
            self.tag
        };
        first & 0x20 != 0
    }
}

/// Tag and length at the front of `bytes`: (tag, header length, value length). The value need not be there yet, so that a
/// reader knows a file's size from its first chunk.
pub fn header(bytes: &[u8]) -> Result<(u32, usize, usize), TlvError> {
    let mut at = 0usize;
    let mut next = || {
        let byte = bytes.get(at).copied().ok_or(TlvError::Truncated)?;
        at += 1;
        Ok::<u8, TlvError>(byte)
    };
    let first = next()?;
    let mut tag = u32::from(first);
    if first & 0x1F == 0x1F {
        let second = next()?;
        if matches!(second, 0x00 | 0x80) {
            return Err(TlvError::Tag);
        }
        tag = tag << 8 | u32::from(second);
        if second & 0x80 != 0 {
            let third = next()?;
            if third & 0x80 != 0 {
                return Err(TlvError::Tag);
            }
            tag = tag << 8 | u32::from(third);
        }
    }
    let short = next()?;
    let length = match short {
        0..=0x7F => usize::from(short),
        0x81..=0x84 => {
            let mut length = 0usize;
            for _ in 0..(short & 0x7F) {
                length = length << 8 | usize::from(next()?);
            }
            length
        }
        _ => return Err(TlvError::Length),
    };
    if length > MAX_FILE {
        return Err(TlvError::Length);
    }
    Ok((tag, at, length))
}

/// The first element of `bytes` and what follows it.
pub fn first(bytes: &[u8]) -> Result<(Tlv<'_>, &[u8]), TlvError> {
    let (tag, head, length) = header(bytes)?;
    let end = head.checked_add(length).ok_or(TlvError::Length)?;
    let (raw, rest) = bytes.split_at_checked(end).ok_or(TlvError::Truncated)?;
    let value = raw.get(head..).ok_or(TlvError::Truncated)?;
    Ok((Tlv { tag, value, raw }, rest))
}

/// `bytes` as exactly one element.
pub fn only(bytes: &[u8]) -> Result<Tlv<'_>, TlvError> {
    let (tlv, rest) = first(bytes)?;
    if rest.is_empty() { Ok(tlv) } else { Err(TlvError::Trailing) }
}

/// `bytes` as exactly one element with this tag.
pub fn only_tag(bytes: &[u8], tag: u32) -> Result<Tlv<'_>, TlvError> {
    let tlv = only(bytes)?;
    if tlv.tag == tag { Ok(tlv) } else { Err(TlvError::Unexpected) }
}

/// A file: its outer element must have this tag. Bytes after it are padding of the card and are ignored.
pub fn file(bytes: &[u8], tag: u32) -> Result<Tlv<'_>, TlvError> {
    let (tlv, _) = first(bytes)?;
    if tlv.tag == tag { Ok(tlv) } else { Err(TlvError::Unexpected) }
}

/// A cursor over the elements of a value.
#[derive(Clone)]
pub struct Elements<'a> {
    rest: &'a [u8],
    seen: usize,
}

impl<'a> Elements<'a> {
    /// Starts at the front of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, seen: 0 }
    }

    /// The tag of the next element, if there is one.
    pub fn peek(&self) -> Option<u32> {
        header(self.rest).ok().map(|(tag, _, _)| tag)
    }

    /// The next element; there must be one.
    pub fn next_any(&mut self) -> Result<Tlv<'a>, TlvError> {
        self.seen += 1;
        if self.seen > MAX_ELEMENTS {
            return Err(TlvError::TooLarge);
        }
        let (tlv, rest) = first(self.rest)?;
        self.rest = rest;
        Ok(tlv)
    }

    /// The next element; it must have this tag.
    pub fn next_tag(&mut self, tag: u32) -> Result<Tlv<'a>, TlvError> {
        if self.rest.is_empty() {
            return Err(TlvError::Truncated);
        }
        let tlv = self.next_any()?;
        if tlv.tag == tag { Ok(tlv) } else { Err(TlvError::Unexpected) }
    }

    /// The next element if it has this tag.
    pub fn next_if(&mut self, tag: u32) -> Result<Option<Tlv<'a>>, TlvError> {
        if self.peek() == Some(tag) { self.next_tag(tag).map(Some) } else { Ok(None) }
    }

    /// Nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may be left.
    pub const fn end(&self) -> Result<(), TlvError> {
        if self.is_empty() { Ok(()) } else { Err(TlvError::Trailing) }
    }

    /// All that are left.
    pub fn all(mut self) -> Result<Vec<Tlv<'a>>, TlvError> {
        let mut out = Vec::new();
        while !self.is_empty() {
            out.push(self.next_any()?);
        }
        Ok(out)
    }

    /// The one element with this tag among those left, in any order.
    pub fn find(self, tag: u32) -> Result<Tlv<'a>, TlvError> {
        self.all()?.into_iter().find(|tlv| tlv.tag == tag).ok_or(TlvError::Unexpected)
    }
}

/// Walks a whole tree and checks that every constructed element is made of elements, within the caps. Returns their number.
pub fn check_tree(bytes: &[u8]) -> Result<usize, TlvError> {
    fn walk(bytes: &[u8], depth: usize, seen: &mut usize) -> Result<(), TlvError> {
        if depth > MAX_DEPTH {
            return Err(TlvError::TooLarge);
        }
        let mut elements = Elements::new(bytes);
        while !elements.is_empty() {
            let tlv = elements.next_any()?;
            *seen += 1;
            if *seen > MAX_ELEMENTS {
                return Err(TlvError::TooLarge);
            }
            if tlv.is_constructed() {
                walk(tlv.value, depth + 1, seen)?;
            }
        }
        Ok(())
    }
    let mut seen = 0;
    walk(bytes, 1, &mut seen)?;
    Ok(seen)
}

/// Writes one element in the shortest form.
pub fn encode(tag: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 8);
    push_significant(&mut out, u64::from(tag));
    let length = value.len() as u64;
    if length < 0x80 {
        out.push(u8::try_from(length).unwrap_or(0));
    } else {
        let mut bytes = Vec::new();
        push_significant(&mut bytes, length);
        out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(0));
        out.extend_from_slice(&bytes);
    }
    out.extend_from_slice(value);
    out
}

/// Writes one element whose value is the given elements.
pub fn encode_all(tag: u32, parts: &[Vec<u8>]) -> Vec<u8> {
    encode(tag, &parts.concat())
}

fn push_significant(out: &mut Vec<u8>, number: u64) {
    let bytes = number.to_be_bytes();
    let skip = bytes.iter().take(7).take_while(|byte| **byte == 0).count();
    out.extend(bytes.iter().skip(skip));
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_tags_in_every_form() {
        for length in [0usize, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x1_0000] {
            for tag in [0x30u32, 0x7F61, 0x5F1F, 0x1F_8101] {
                let bytes = encode(tag, &vec![7; length]);
                let tlv = only_tag(&bytes, tag).unwrap();
                assert_eq!((tlv.value.len(), tlv.raw.len()), (length, bytes.len()));
            }
        }
        // X.690 8.1.3.5, typed in: length 201 as 81 C9.
        assert_eq!(encode(0x04, &[0; 201])[..3], [0x04, 0x81, 0xC9]);
        // BER allows longer forms of a length; cards use them.
        assert_eq!(only(&[0x04, 0x82, 0x00, 0x01, 0xAA]).unwrap().value, [0xAA]);
    }

    #[test]
    fn hostile_truncation_at_every_byte() {
        let whole = encode(0x77, &encode(0x30, &encode(0x5F1F, &[1; 200])));
        assert_eq!(check_tree(&whole), Ok(3));
        for end in 1..whole.len() {
            assert_eq!(only(&whole[..end]), Err(TlvError::Truncated), "cut at {end}");
        }
        assert_eq!(only(&[]), Err(TlvError::Truncated));
    }

    #[test]
    fn hostile_lengths_are_refused_without_allocating() {
        for bytes in [
            vec![0x30, 0x80, 0x00, 0x00],
            vec![0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
            vec![0x30, 0x85, 0, 0, 0, 0, 1, 0],
            vec![0x30, 0xFF, 0],
            vec![0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF, 0],
        ] {
            assert_eq!(first(&bytes).unwrap_err(), TlvError::Length);
        }
        assert_eq!(first(&[0x30, 0x83, 0x0F, 0xFF, 0xFF, 0]).unwrap_err(), TlvError::Truncated);
        assert_eq!(first(&[0x1F, 0x81, 0x81, 0x01, 0]).unwrap_err(), TlvError::Tag);
        assert_eq!(first(&[0x1F, 0x80, 0x01, 0]).unwrap_err(), TlvError::Tag);
    }

    #[test]
    fn hostile_depth_and_count_are_refused() {
        let mut deep = vec![0x05, 0x00];
        for _ in 0..MAX_DEPTH {
            deep = encode(0x30, &deep);
        }
        assert_eq!(check_tree(&deep), Err(TlvError::TooLarge));
        let many = vec![0u8; 2 * (MAX_ELEMENTS + 1)];
        assert_eq!(Elements::new(&many).all(), Err(TlvError::TooLarge));
        assert_eq!(check_tree(&many), Err(TlvError::TooLarge));
    }

    #[test]
    fn debug_shows_no_value() {
        let bytes = encode(0x04, b"NGUYEN");
        assert_eq!(format!("{:?}", only(&bytes).unwrap()), "Tlv(4, 6 bytes)");
    }
}
