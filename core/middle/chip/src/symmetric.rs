//! AES, CMAC and the key derivation of ICAO 9303-11 (9.7, 9.8), for AES-128 and AES-256.

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit};
use aes::{Aes128, Aes256};
use cmac::{Cmac, Mac};
use wallet_base::crypto::{sha1, sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::ReadError;

/// Counter of the key derivation (9303-11, 9.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// Encryption of secure messaging.
    Encrypt = 1,
    /// Authentication of secure messaging and PACE tokens.
    Authenticate = 2,
    /// The key K-pi that decrypts the PACE nonce.
    Password = 3,
}

/// An AES key of 16 or 32 bytes, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct AesKey(Vec<u8>);

impl std::fmt::Debug for AesKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AesKey(redacted)")
    }
}

const BLOCK: usize = 16;
const NOT_WHOLE: ReadError = ReadError::SecureMessaging { reason: "ciphertext is not made of blocks" };

impl AesKey {
    /// Takes 16 or 32 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, ReadError> {
        match bytes.len() {
            16 | 32 => Ok(Self(bytes.to_vec())),
            _ => Err(ReadError::Unsupported { what: "AES key length" }),
        }
    }

    /// KDF for AES-128 (9303-11, 9.7.1.2): the first 16 bytes of SHA-1(secret || counter).
    pub fn derive(secret: &[u8], counter: KeyUse) -> Self {
        let mut input = Zeroizing::new(secret.to_vec());
        input.extend_from_slice(&(counter as u32).to_be_bytes());
        let digest = Zeroizing::new(sha1(&input));
        Self(digest.iter().take(16).copied().collect())
    }

    /// KDF for AES-256 (9303-11, 9.7.1.2): SHA-256(secret || counter).
    pub fn derive_256(secret: &[u8], counter: KeyUse) -> Self {
        let mut input = Zeroizing::new(secret.to_vec());
        input.extend_from_slice(&(counter as u32).to_be_bytes());
        Self(sha256(&input).to_vec())
    }

    /// The key's bytes, for comparison with a standard's example.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// One block, for the IV of secure messaging (9303-11, 9.8.4.1).
    pub fn encrypt_block(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut out = block.into();
        if let Ok(aes) = Aes256::new_from_slice(&self.0) {
            aes.encrypt_block(&mut out);
        } else if let Ok(aes) = Aes128::new_from_slice(&self.0) {
            aes.encrypt_block(&mut out);
        }
        out.into()
    }

    /// CBC without padding; `data` must be whole blocks.
    pub fn cbc_encrypt(&self, iv: &[u8; BLOCK], data: &[u8]) -> Result<Vec<u8>, ReadError> {
        let mut out = data.to_vec();
        let length = out.len();
        if let Ok(cipher) = cbc::Encryptor::<Aes256>::new_from_slices(&self.0, iv) {
            cipher.encrypt_padded::<NoPadding>(&mut out, length).map_err(|_| NOT_WHOLE)?;
        } else {
            let cipher = cbc::Encryptor::<Aes128>::new_from_slices(&self.0, iv).map_err(|_| NOT_WHOLE)?;
            cipher.encrypt_padded::<NoPadding>(&mut out, length).map_err(|_| NOT_WHOLE)?;
        }
        Ok(out)
    }

    /// The reverse of [`AesKey::cbc_encrypt`].
    pub fn cbc_decrypt(&self, iv: &[u8; BLOCK], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, ReadError> {
        let mut out = Zeroizing::new(data.to_vec());
        if let Ok(cipher) = cbc::Decryptor::<Aes256>::new_from_slices(&self.0, iv) {
            cipher.decrypt_padded::<NoPadding>(&mut out).map_err(|_| NOT_WHOLE)?;
        } else {
            let cipher = cbc::Decryptor::<Aes128>::new_from_slices(&self.0, iv).map_err(|_| NOT_WHOLE)?;
            cipher.decrypt_padded::<NoPadding>(&mut out).map_err(|_| NOT_WHOLE)?;
        }
        Ok(out)
    }

    /// The first eight bytes of AES-CMAC (9303-11, 9.8.4.2).
    pub fn cmac8(&self, data: &[u8]) -> [u8; 8] {
        let full: Vec<u8> = if let Ok(mut mac) = Cmac::<Aes256>::new_from_slice(&self.0) {
            mac.update(data);
            mac.finalize().into_bytes().to_vec()
        } else if let Ok(mut mac) = Cmac::<Aes128>::new_from_slice(&self.0) {
            mac.update(data);
            mac.finalize().into_bytes().to_vec()
        } else {
            Vec::new() // No such key exists: `new` and `derive` allow 16 and 32 bytes only.
        };
        full.get(..8).and_then(|mac| mac.try_into().ok()).unwrap_or_default()
    }
}

/// Padding method 2 (ISO/IEC 9797-1): 80 and zeros to whole blocks.
pub fn pad(data: &[u8]) -> Vec<u8> {
    let mut out = data.to_vec();
    out.push(0x80);
    while !out.len().is_multiple_of(BLOCK) {
        out.push(0);
    }
    out
}

/// Takes padding method 2 off; `None` when it is not there.
pub fn unpad(data: &[u8]) -> Option<&[u8]> {
    let end = data.iter().rposition(|byte| *byte != 0)?;
    (data.get(end) == Some(&0x80) && data.len() - end <= BLOCK).then(|| data.get(..end))?
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn cmac_of_rfc_4493() {
        // RFC 4493, section 4, examples 1 and 2.
        let key = AesKey::new(&hex::decode("2b7e151628aed2a6abf7158809cf4f3c").unwrap()).unwrap();
        assert_eq!(hex::encode(key.cmac8(&[])), "bb1d6929e9593728");
        assert_eq!(hex::encode(key.cmac8(&hex::decode("6bc1bee22e409f96e93d7e117393172a").unwrap())), "070a16b46b4d4144");
        // FIPS 197, appendix C.1.
        let key = AesKey::new(&hex::decode("000102030405060708090a0b0c0d0e0f").unwrap()).unwrap();
        let block = <[u8; 16]>::try_from(hex::decode("00112233445566778899aabbccddeeff").unwrap()).unwrap();
        assert_eq!(hex::encode(key.encrypt_block(block)), "69c4e0d86a7b0430d8cdb78070b4c55a");
    }

    #[test]
    fn padding_goes_on_and_comes_off() {
        for length in 0..40 {
            let data = vec![0x80; length];
            assert_eq!(unpad(&pad(&data)).unwrap(), data);
        }
        assert_eq!((unpad(&[0; 16]), unpad(&[]), unpad(&[1; 16])), (None, None, None));
        let mut long = vec![0x80];
        long.extend([0; 16]);
        assert_eq!(unpad(&long), None, "more than a block of padding");
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", AesKey::derive(b"secret", KeyUse::Encrypt)), "AesKey(redacted)");
    }
}
