//! Bytes that must not be printed and are wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// A secret of any length: wiped on drop, redacted in `Debug`, compared in constant time.
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. Do not log, store or copy them without need.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        crate::crypto::ct_eq(self.expose(), other.expose())
    }
}

impl Eq for SecretBytes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", SecretBytes::new(b"000123".to_vec())), "SecretBytes(..)");
        assert_eq!(SecretBytes::new(vec![1]), SecretBytes::from(&[1u8][..]));
        assert_ne!(SecretBytes::new(vec![1]), SecretBytes::new(vec![1, 2]));
    }
}
