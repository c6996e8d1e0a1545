//! Keyed hashes, key derivation and authenticated encryption.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use hmac::Mac;
use zeroize::Zeroizing;

use super::CryptoError;

/// HMAC with SHA-256 (RFC 2104).
#[allow(clippy::expect_used, clippy::missing_panics_doc)] // HMAC takes keys of any length.
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes any key length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// HKDF with SHA-256 (RFC 5869): fills `out`, which must be at most 8,160 bytes.
pub fn hkdf_sha256(ikm: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), CryptoError> {
    hkdf::Hkdf::<sha2::Sha256>::new(Some(salt), ikm).expand(info, out).map_err(|_| CryptoError::Unsupported)
}

/// AES-GCM with a 12-byte nonce and a 16-byte tag appended; the key's length (16 or 32) chooses AES-128 or AES-256.
pub fn aes_gcm_seal(key: &[u8], nonce: &[u8; 12], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let payload = Payload { msg: plaintext, aad };
    match key.len() {
        16 => Aes128Gcm::new_from_slice(key).map_err(|_| CryptoError::Key)?.encrypt(nonce.into(), payload),
        32 => Aes256Gcm::new_from_slice(key).map_err(|_| CryptoError::Key)?.encrypt(nonce.into(), payload),
        _ => return Err(CryptoError::Unsupported),
    }
    .map_err(|_| CryptoError::Unsupported)
}

/// Opens what [`aes_gcm_seal`] made.
pub fn aes_gcm_open(key: &[u8], nonce: &[u8; 12], aad: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let payload = Payload { msg: ciphertext, aad };
    match key.len() {
        16 => Aes128Gcm::new_from_slice(key).map_err(|_| CryptoError::Key)?.decrypt(nonce.into(), payload),
        32 => Aes256Gcm::new_from_slice(key).map_err(|_| CryptoError::Key)?.decrypt(nonce.into(), payload),
        _ => return Err(CryptoError::Unsupported),
    }
    .map(Zeroizing::new)
    .map_err(|_| CryptoError::Decrypt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hkdf_rfc5869_case_1() {
        let mut okm = [0; 42];
        hkdf_sha256(
            &[0x0b; 22],
            &hex::decode("000102030405060708090a0b0c").unwrap(),
            &hex::decode("f0f1f2f3f4f5f6f7f8f9").unwrap(),
            &mut okm,
        )
        .unwrap();
        assert_eq!(hex::encode(okm), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
        assert_eq!(hkdf_sha256(b"", b"", b"", &mut [0; 8161]), Err(CryptoError::Unsupported));
    }

    #[test]
    fn hmac_rfc4231_case_2() {
        let mac = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex::encode(mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn gcm_opens_only_what_was_sealed() {
        for key in [&[1u8; 16][..], &[1u8; 32][..]] {
            let sealed = aes_gcm_seal(key, &[2; 12], b"aad", b"text").unwrap();
            assert_eq!(aes_gcm_open(key, &[2; 12], b"aad", &sealed).unwrap().as_slice(), b"text");
            assert_eq!(aes_gcm_open(key, &[3; 12], b"aad", &sealed), Err(CryptoError::Decrypt));
            assert_eq!(aes_gcm_open(key, &[2; 12], b"aax", &sealed), Err(CryptoError::Decrypt));
            let mut altered = sealed.clone();
            *altered.last_mut().unwrap() ^= 1;
            assert_eq!(aes_gcm_open(key, &[2; 12], b"aad", &altered), Err(CryptoError::Decrypt));
            assert_eq!(aes_gcm_open(key, &[2; 12], b"aad", &sealed[..3]), Err(CryptoError::Decrypt));
        }
        assert_eq!(aes_gcm_seal(&[0; 24], &[0; 12], b"", b""), Err(CryptoError::Unsupported));
    }
}
