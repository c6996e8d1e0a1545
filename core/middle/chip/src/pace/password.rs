//! What opens a card: the card access number or the key out of the MRZ (9303-11, 9.7.3).

use wallet_base::crypto::sha1;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::ReadError;
use crate::mrz::check_digit;
use crate::symmetric::{AesKey, KeyUse};

/// A card access number: six digits. Redacted in `Debug`, wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Can(String);

impl Can {
    /// Takes exactly six ASCII digits.
    pub fn new(text: &str) -> Result<Self, ReadError> {
        if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ReadError::BadPassword { what: "card access number" })
        }
    }
}

impl std::fmt::Debug for Can {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Can(redacted)")
    }
}

/// MRZ_information: document number, date of birth and date of expiry, each with its check digit. Redacted in `Debug`, wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct MrzKey(String);

impl MrzKey {
    /// `document_number`: as in the MRZ, 1 to 9 characters of A-Z 0-9 `<` (shorter ones are filled up); a Vietnamese
    /// 12-digit personal number is taken too and gives its last nine digits. `birth`, `expiry`: YYMMDD.
    pub fn new(document_number: &str, birth: &str, expiry: &str) -> Result<Self, ReadError> {
        const BAD: ReadError = ReadError::BadPassword { what: "machine readable zone" };
        let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if digits(document_number, 12) { document_number.get(3..).ok_or(BAD)? } else { document_number };
        let fits = (1..=9).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'<');
        if !fits || !digits(birth, 6) || !digits(expiry, 6) {
            return Err(BAD);
        }
        let mut text = Zeroizing::new(String::with_capacity(24));
        text.push_str(number);
        while text.len() < 9 {
            text.push('<');
        }
        let number_digit = check_digit(&text).ok_or(BAD)?;
        text.push(number_digit);
        for date in [birth, expiry] {
            text.push_str(date);
            text.push(check_digit(date).ok_or(BAD)?);
        }
        Ok(Self(text.to_string()))
    }

    /// MRZ_information with its check digits, as printed in the examples of 9303-11 (24 characters; longer when the document number overflows).
    pub fn from_mrz_information(text: &str) -> Result<Self, ReadError> {
        let shape = (22..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'<');
        if shape { Ok(Self(text.to_owned())) } else { Err(ReadError::BadPassword { what: "machine readable zone" }) }
    }
}

impl std::fmt::Debug for MrzKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MrzKey(redacted)")
    }
}

/// The password of a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// Card access number: the last six digits of a Vietnamese personal number.
    Can(Can),
    /// Key out of the MRZ.
    Mrz(MrzKey),
}

impl Password {
    /// Reference in MSE:Set AT, data object 83 (9303-11, 4.4.4.1): 1 MRZ, 2 CAN.
    pub const fn reference(&self) -> u8 {
        match self {
            Self::Mrz(_) => 1,
            Self::Can(_) => 2,
        }
    }

    /// K: SHA-1 of MRZ_information (all 20 bytes), or the CAN's ASCII digits.
    pub fn secret(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match self {
            Self::Can(can) => can.0.as_bytes().to_vec(),
            Self::Mrz(mrz) => sha1(mrz.0.as_bytes()).to_vec(),
        })
    }

    /// K-pi for AES-128: KDF(K, 3).
    pub fn key(&self) -> AesKey {
        AesKey::derive(&self.secret(), KeyUse::Password)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_twelve_digit_number_gives_its_last_nine() {
        let a = MrzKey::new("001090000123", "900101", "300101").unwrap();
        assert_eq!(a, MrzKey::new("090000123", "900101", "300101").unwrap());
        assert_eq!(a, MrzKey::from_mrz_information("090000123390010113001019").unwrap());
    }

    #[test]
    fn malformed_passwords_are_refused() {
        for can in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert_eq!(Can::new(can), Err(ReadError::BadPassword { what: "card access number" }));
        }
        for (number, birth, expiry) in [
            ("", "900101", "300101"),
            ("1234567890", "900101", "300101"),
            ("a", "900101", "300101"),
            ("1", "9001", "300101"),
            ("1", "900101", "30010x"),
        ] {
            assert!(MrzKey::new(number, birth, expiry).is_err());
        }
    }

    #[test]
    fn debug_shows_no_password() {
        let text =
            format!("{:?} {:?}", Password::Can(Can::new("000123").unwrap()), Password::Mrz(MrzKey::new("1", "900101", "300101").unwrap()));
        assert!(!text.contains("123") && !text.contains("900101"), "{text}");
    }
}
