//! The list itself: entries of 1, 2, 4 or 8 bits, least significant bits first, compressed with zlib.

use miniz_oxide::{deflate, inflate};

use crate::CredentialError;

/// The document is valid (Token Status List, section 7.1).
pub const VALID: u8 = 0;
/// The document is revoked, for good.
pub const INVALID: u8 = 1;
/// The document is suspended and may come back.
pub const SUSPENDED: u8 = 2;

/// Cap on a decompressed list: 2^22 entries of 8 bits. A bomb is refused here.
pub const MAX_LIST_BYTES: usize = 4 * 1024 * 1024;

/// Bits of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    /// Valid or invalid.
    One,
    /// Valid, invalid, suspended and one more.
    Two,
    /// 16 values.
    Four,
    /// 256 values.
    Eight,
}

impl Bits {
    /// 1, 2, 4 or 8.
    pub const fn count(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// From 1, 2, 4 or 8.
    pub const fn from_count(count: u64) -> Option<Self> {
        match count {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            4 => Some(Self::Four),
            8 => Some(Self::Eight),
            _ => None,
        }
    }

    const fn per_byte(self) -> u64 {
        (8 / self.count()) as u64
    }

    const fn mask(self) -> u8 {
        match self {
            Self::One => 0b1,
            Self::Two => 0b11,
            Self::Four => 0b1111,
            Self::Eight => 0xff,
        }
    }

    /// Byte and shift of an entry.
    fn place(self, index: u64) -> Option<(usize, u8)> {
        let byte = usize::try_from(index / self.per_byte()).ok()?;
        let shift = u8::try_from(index % self.per_byte()).ok()? * self.count();
        Some((byte, shift))
    }
}

/// A status list in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusList {
    bits: Bits,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for StatusList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatusList").field("bits", &self.bits.count()).field("entries", &self.len()).finish_non_exhaustive()
    }
}

impl StatusList {
    /// A list of `entries` valid entries, rounded up to whole bytes.
    ///
    /// # Errors
    /// Above [`MAX_LIST_BYTES`].
    pub fn new(bits: Bits, entries: u64) -> Result<Self, CredentialError> {
        let bytes = usize::try_from(entries.div_ceil(bits.per_byte())).unwrap_or(usize::MAX);
        if bytes > MAX_LIST_BYTES {
            return Err(CredentialError::TooLarge("status list"));
        }
        Ok(Self { bits, bytes: vec![0; bytes] })
    }

    /// From uncompressed bytes.
    pub fn from_bytes(bits: Bits, bytes: Vec<u8>) -> Result<Self, CredentialError> {
        if bytes.len() > MAX_LIST_BYTES {
            return Err(CredentialError::TooLarge("status list"));
        }
        Ok(Self { bits, bytes })
    }

    /// From the zlib stream of a token's `lst`; stops at [`MAX_LIST_BYTES`].
    pub fn from_compressed(bits: Bits, zlib: &[u8]) -> Result<Self, CredentialError> {
        let bytes = inflate::decompress_to_vec_zlib_with_limit(zlib, MAX_LIST_BYTES).map_err(|error| match error.status {
            inflate::TINFLStatus::HasMoreOutput => CredentialError::TooLarge("status list"),
            _ => CredentialError::Malformed("status list is not zlib"),
        })?;
        Ok(Self { bits, bytes })
    }

    /// The zlib stream.
    pub fn compress(&self) -> Vec<u8> {
        deflate::compress_to_vec_zlib(&self.bytes, 9)
    }

    /// Bits of one entry.
    pub fn bits(&self) -> Bits {
        self.bits
    }

    /// The uncompressed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of entries.
    pub fn len(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(0).saturating_mul(self.bits.per_byte())
    }

    /// Whether the list has no entry at all.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The status at `index`; `None` beyond the end.
    pub fn get(&self, index: u64) -> Option<u8> {
        let (byte, shift) = self.bits.place(index)?;
        Some((self.bytes.get(byte)? >> shift) & self.bits.mask())
    }

    /// Sets the status at `index`.
    ///
    /// # Errors
    /// Beyond the end, or a status that does not fit the entry's bits.
    pub fn set(&mut self, index: u64, status: u8) -> Result<(), CredentialError> {
        let mask = self.bits.mask();
        if status & mask != status {
            return Err(CredentialError::Specification("status does not fit the entry"));
        }
        let (byte, shift) = self.bits.place(index).ok_or(CredentialError::Specification("index outside the list"))?;
        let byte = self.bytes.get_mut(byte).ok_or(CredentialError::Specification("index outside the list"))?;
        *byte = (*byte & !(mask << shift)) | (status << shift);
        Ok(())
    }
}
