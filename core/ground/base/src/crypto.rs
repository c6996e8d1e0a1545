//! Cryptography behind one module: the rest of the house names curves and hashes, never a crate.
//!
//! One generation of RustCrypto throughout. With the feature `aws-lc`, P-256 signatures over SHA-256 are verified by aws-lc-rs (about five
//! times as fast); the answers are the same and a test holds both against the same vectors.

mod keys;
mod symmetric;

pub use keys::{Curve, EphemeralKey, HashAlg, PublicKey, SignError, Signer, SoftwareKey};
pub use symmetric::{aes_gcm_open, aes_gcm_seal, hkdf_sha256, hmac_sha256};

use sha2::Digest;

/// Why a cryptographic step failed. Says nothing about the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// Not a point, scalar or key of the named curve.
    #[error("not a valid key")]
    Key,
    /// The signature does not verify, or is not in the form asked for.
    #[error("the signature is not valid")]
    Signature,
    /// A curve, hash or length that is not supported here.
    #[error("not a supported algorithm")]
    Unsupported,
    /// Decryption failed: wrong key, wrong nonce or altered data.
    #[error("the data cannot be decrypted")]
    Decrypt,
}

/// SHA-1: for old chips only, never for signatures of our own.
pub fn sha1(data: &[u8]) -> [u8; 20] {
    sha1::Sha1::digest(data).into()
}

/// SHA-256.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(data).into()
}

/// SHA-384.
pub fn sha384(data: &[u8]) -> [u8; 48] {
    sha2::Sha384::digest(data).into()
}

/// SHA-512.
pub fn sha512(data: &[u8]) -> [u8; 64] {
    sha2::Sha512::digest(data).into()
}

/// Equality without an early exit. Lengths are not secret.
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(a, b).into()
}
