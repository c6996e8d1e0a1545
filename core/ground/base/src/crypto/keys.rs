//! Elliptic-curve keys: three curves, one shape.

use ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use elliptic_curve::pkcs8::{DecodePublicKey, EncodePublicKey};
use elliptic_curve::sec1::ToSec1Point;
use zeroize::Zeroizing;

use super::{CryptoError, sha1, sha256, sha384, sha512};
use crate::cbor::Value;
use crate::random::Random;

type P256 = p256::NistP256;
type P384 = p384::NistP384;
type Bp256 = bp256::BrainpoolP256r1;

/// The curves that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// NIST P-256: everything of our own.
    P256,
    /// NIST P-384: met in others' credentials.
    P384,
    /// brainpoolP256r1 (RFC 5639): chips.
    BrainpoolP256r1,
}

impl Curve {
    /// Length of one coordinate, and of one half of a signature.
    pub const fn field_len(self) -> usize {
        match self {
            Self::P256 | Self::BrainpoolP256r1 => 32,
            Self::P384 => 48,
        }
    }
}

/// The hashes that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashAlg {
    /// Old chips only.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlg {
    /// The digest of some bytes.
    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => sha1(data).to_vec(),
            Self::Sha256 => sha256(data).to_vec(),
            Self::Sha384 => sha384(data).to_vec(),
            Self::Sha512 => sha512(data).to_vec(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Inner {
    P256(ecdsa::VerifyingKey<P256>),
    P384(ecdsa::VerifyingKey<P384>),
    Bp256(ecdsa::VerifyingKey<Bp256>),
}

/// A point of a known curve, checked when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(Inner);

/// Runs the same expression for whichever curve the key is on.
macro_rules! each_curve {
    ($inner:expr, $key:ident => $body:expr) => {
        match $inner {
            Inner::P256($key) => $body,
            Inner::P384($key) => $body,
            Inner::Bp256($key) => $body,
        }
    };
}

impl PublicKey {
    /// From a SEC 1 point, compressed or not.
    pub fn from_sec1(curve: Curve, bytes: &[u8]) -> Result<Self, CryptoError> {
        Ok(Self(match curve {
            Curve::P256 => Inner::P256(ecdsa::VerifyingKey::from_sec1_bytes(bytes).map_err(|_| CryptoError::Key)?),
            Curve::P384 => Inner::P384(ecdsa::VerifyingKey::from_sec1_bytes(bytes).map_err(|_| CryptoError::Key)?),
            Curve::BrainpoolP256r1 => Inner::Bp256(ecdsa::VerifyingKey::from_sec1_bytes(bytes).map_err(|_| CryptoError::Key)?),
        }))
    }

    /// From affine coordinates, each exactly as long as the field.
    pub fn from_coordinates(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, CryptoError> {
        if x.len() != curve.field_len() || y.len() != curve.field_len() {
            return Err(CryptoError::Key);
        }
        Self::from_sec1(curve, &[&[4], x, y].concat())
    }

    /// The uncompressed SEC 1 point: 04, x, y.
    pub fn to_sec1(&self) -> Vec<u8> {
        each_curve!(&self.0, key => key.to_sec1_point(false).as_bytes().to_vec())
    }

    /// The affine coordinates.
    pub fn coordinates(&self) -> (Vec<u8>, Vec<u8>) {
        let point = self.to_sec1();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(self.curve().field_len());
        (x.to_vec(), y.to_vec())
    }

    /// The curve.
    pub fn curve(&self) -> Curve {
        match self.0 {
            Inner::P256(_) => Curve::P256,
            Inner::P384(_) => Curve::P384,
            Inner::Bp256(_) => Curve::BrainpoolP256r1,
        }
    }

    /// From a DER SubjectPublicKeyInfo with a named curve.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, CryptoError> {
        if let Ok(key) = elliptic_curve::PublicKey::<P256>::from_public_key_der(der) {
            return Self::from_sec1(Curve::P256, key.to_sec1_point(false).as_bytes());
        }
        if let Ok(key) = elliptic_curve::PublicKey::<P384>::from_public_key_der(der) {
            return Self::from_sec1(Curve::P384, key.to_sec1_point(false).as_bytes());
        }
        let key = elliptic_curve::PublicKey::<Bp256>::from_public_key_der(der).map_err(|_| CryptoError::Key)?;
        Self::from_sec1(Curve::BrainpoolP256r1, key.to_sec1_point(false).as_bytes())
    }

    /// A DER SubjectPublicKeyInfo.
    pub fn to_spki_der(&self) -> Result<Vec<u8>, CryptoError> {
        each_curve!(&self.0, key => {
            let key = elliptic_curve::PublicKey::from(*key);
            key.to_public_key_der().map(der::Document::into_vec).map_err(|_| CryptoError::Key)
        })
    }

    /// From a COSE_Key map (RFC 9053, 7.1.1): kty 2, crv 1 or 2 (or 256, brainpoolP256r1), x and y as byte strings, or y as a sign bit.
    pub fn from_cose_key(value: &Value) -> Result<Self, CryptoError> {
        if value.get_int(1).and_then(Value::as_int) != Some(2) {
            return Err(CryptoError::Unsupported);
        }
        let curve = match value.get_int(-1).and_then(Value::as_int) {
            Some(1) => Curve::P256,
            Some(2) => Curve::P384,
            Some(256) => Curve::BrainpoolP256r1,
            _ => return Err(CryptoError::Unsupported),
        };
        let x = value.get_int(-2).and_then(Value::as_bytes).ok_or(CryptoError::Key)?;
        match value.get_int(-3) {
            Some(Value::Bytes(y)) => Self::from_coordinates(curve, x, y),
            Some(Value::Bool(odd)) if x.len() == curve.field_len() => Self::from_sec1(curve, &[&[2 + u8::from(*odd)], x].concat()),
            _ => Err(CryptoError::Key),
        }
    }

    /// A COSE_Key map in deterministic order.
    pub fn to_cose_key(&self) -> Value {
        let (x, y) = self.coordinates();
        let crv = match self.curve() {
            Curve::P256 => 1,
            Curve::P384 => 2,
            Curve::BrainpoolP256r1 => 256,
        };
        Value::Map(vec![
            (Value::int(1), Value::int(2)),
            (Value::int(-1), Value::int(crv)),
            (Value::int(-2), Value::Bytes(x)),
            (Value::int(-3), Value::Bytes(y)),
        ])
    }

    /// A COSE_Key map with y as a sign bit (RFC 9053, 7.1.1): a field length shorter, for what must fit a QR symbol.
    pub fn to_compressed_cose_key(&self) -> Value {
        let odd = self.coordinates().1.last().is_some_and(|last| last & 1 == 1);
        match self.to_cose_key() {
            Value::Map(mut members) => {
                members.pop();
                members.push((Value::int(-3), Value::Bool(odd)));
                Value::Map(members)
            }
            other => other,
        }
    }

    /// From a JWK (RFC 7518, 6.2): P-256 or P-384.
    pub fn from_jwk(jwk: &serde_json::Value) -> Result<Self, CryptoError> {
        let text = |name: &str| jwk.get(name).and_then(serde_json::Value::as_str);
        let curve = match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) => Curve::P256,
            (Some("EC"), Some("P-384")) => Curve::P384,
            _ => return Err(CryptoError::Unsupported),
        };
        if jwk.get("d").is_some() {
            return Err(CryptoError::Key);
        }
        let coordinate = |name| text(name).and_then(|v| crate::jose::b64u_decode(v).ok()).ok_or(CryptoError::Key);
        Self::from_coordinates(curve, &coordinate("x")?, &coordinate("y")?)
    }

    /// A JWK with exactly the members that the thumbprint covers.
    pub fn to_jwk(&self) -> serde_json::Value {
        let (x, y) = self.coordinates();
        let crv = match self.curve() {
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::BrainpoolP256r1 => "BP-256",
        };
        serde_json::json!({ "crv": crv, "kty": "EC", "x": crate::jose::b64u(&x), "y": crate::jose::b64u(&y) })
    }

    /// The JWK thumbprint with SHA-256 (RFC 7638).
    pub fn thumbprint(&self) -> [u8; 32] {
        // serde_json keeps object members sorted, which is the order RFC 7638 asks for.
        sha256(self.to_jwk().to_string().as_bytes())
    }

    /// Verifies a raw signature (r then s, each as long as the field) with the curve's usual hash: SHA-256, or SHA-384 for P-384.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let hash = if self.curve() == Curve::P384 { HashAlg::Sha384 } else { HashAlg::Sha256 };
        self.verify_hash(hash, message, signature)
    }

    /// Verifies a raw signature with a given hash.
    pub fn verify_hash(&self, hash: HashAlg, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        #[cfg(feature = "aws-lc")]
        if let (Inner::P256(_), HashAlg::Sha256) = (&self.0, hash) {
            let key = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED, self.to_sec1());
            return key.verify(message, signature).map_err(|_| CryptoError::Signature);
        }
        let digest = hash.digest(message);
        each_curve!(&self.0, key => {
            let signature = ecdsa::Signature::from_slice(signature).map_err(|_| CryptoError::Signature)?;
            key.verify_prehash(&digest, &signature).map_err(|_| CryptoError::Signature)
        })
    }

    /// Verifies a DER signature (X.509, CMS) with a given hash.
    pub fn verify_der(&self, hash: HashAlg, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let raw = match &self.0 {
            Inner::P256(_) => ecdsa::Signature::<P256>::from_der(signature).map(|s| s.to_vec()),
            Inner::P384(_) => ecdsa::Signature::<P384>::from_der(signature).map(|s| s.to_vec()),
            Inner::Bp256(_) => ecdsa::Signature::<Bp256>::from_der(signature).map(|s| s.to_vec()),
        };
        self.verify_hash(hash, message, &raw.map_err(|_| CryptoError::Signature)?)
    }
}

/// A signing key could not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key could not sign")]
pub struct SignError;

/// Something that signs with one elliptic-curve key.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> PublicKey;

    /// Signs with the curve's usual hash; raw r then s.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

enum Secret {
    P256(ecdsa::SigningKey<P256>),
    P384(ecdsa::SigningKey<P384>),
    Bp256(ecdsa::SigningKey<Bp256>),
}

/// A key in memory: for services, simulators and tests. A wallet's keys stay behind the key-store port.
pub struct SoftwareKey(Secret);

impl std::fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SoftwareKey(..)")
    }
}

impl SoftwareKey {
    /// A fresh key.
    pub fn generate(curve: Curve, random: &dyn Random) -> Self {
        let mut scalar = Zeroizing::new(vec![0; curve.field_len()]);
        loop {
            random.fill(&mut scalar);
            // Fails only for zero and values above the order: draw again.
            if let Ok(key) = Self::from_scalar(curve, &scalar) {
                return key;
            }
        }
    }

    /// From the private scalar, big-endian, as long as the field.
    pub fn from_scalar(curve: Curve, scalar: &[u8]) -> Result<Self, CryptoError> {
        if scalar.len() != curve.field_len() {
            return Err(CryptoError::Key);
        }
        Ok(Self(match curve {
            Curve::P256 => Secret::P256(ecdsa::SigningKey::from_slice(scalar).map_err(|_| CryptoError::Key)?),
            Curve::P384 => Secret::P384(ecdsa::SigningKey::from_slice(scalar).map_err(|_| CryptoError::Key)?),
            Curve::BrainpoolP256r1 => Secret::Bp256(ecdsa::SigningKey::from_slice(scalar).map_err(|_| CryptoError::Key)?),
        }))
    }

    /// The private scalar.
    pub fn scalar(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match &self.0 {
            Secret::P256(key) => key.to_bytes().to_vec(),
            Secret::P384(key) => key.to_bytes().to_vec(),
            Secret::Bp256(key) => key.to_bytes().to_vec(),
        })
    }

    /// Signs with a given hash; raw r then s.
    pub fn sign_hash(&self, hash: HashAlg, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let digest = hash.digest(message);
        match &self.0 {
            Secret::P256(key) => key.sign_prehash(&digest).map(|s: ecdsa::Signature<P256>| s.to_vec()),
            Secret::P384(key) => key.sign_prehash(&digest).map(|s: ecdsa::Signature<P384>| s.to_vec()),
            Secret::Bp256(key) => key.sign_prehash(&digest).map(|s: ecdsa::Signature<Bp256>| s.to_vec()),
        }
        .map_err(|_| SignError)
    }
}

impl Signer for SoftwareKey {
    fn public_key(&self) -> PublicKey {
        PublicKey(match &self.0 {
            Secret::P256(key) => Inner::P256(*key.verifying_key()),
            Secret::P384(key) => Inner::P384(*key.verifying_key()),
            Secret::Bp256(key) => Inner::Bp256(*key.verifying_key()),
        })
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let hash = if matches!(self.0, Secret::P384(_)) { HashAlg::Sha384 } else { HashAlg::Sha256 };
        self.sign_hash(hash, message)
    }
}

/// A P-256 key for one key agreement.
pub struct EphemeralKey(p256::SecretKey);

impl std::fmt::Debug for EphemeralKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EphemeralKey(..)")
    }
}

impl EphemeralKey {
    /// A fresh key.
    pub fn generate(random: &dyn Random) -> Self {
        let mut scalar = Zeroizing::new([0; 32]);
        loop {
            random.fill(scalar.as_mut());
            if let Ok(key) = Self::from_scalar(scalar.as_ref()) {
                return key;
            }
        }
    }

    /// From a known scalar (32 bytes, big-endian).
    pub fn from_scalar(scalar: &[u8]) -> Result<Self, CryptoError> {
        (scalar.len() == 32).then_some(()).ok_or(CryptoError::Key)?;
        p256::SecretKey::from_slice(scalar).map(Self).map_err(|_| CryptoError::Key)
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(Inner::P256(self.0.public_key().into()))
    }

    /// ECDH: the shared point's x coordinate.
    pub fn agree(&self, peer: &PublicKey) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        let Inner::P256(key) = &peer.0 else { return Err(CryptoError::Unsupported) };
        let shared = self.0.diffie_hellman(&p256::PublicKey::from(*key));
        let mut out = Zeroizing::new([0; 32]);
        out.copy_from_slice(shared.raw_secret_bytes());
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn every_curve_signs_verifies_and_reads_back() {
        for curve in [Curve::P256, Curve::P384, Curve::BrainpoolP256r1] {
            let key = SoftwareKey::generate(curve, &SeededRandom::new(1));
            let public = key.public_key();
            let signature = key.sign(b"message").unwrap();
            assert_eq!(signature.len(), 2 * curve.field_len());
            public.verify(b"message", &signature).unwrap();
            assert_eq!(public.verify(b"massage", &signature), Err(CryptoError::Signature));
            assert_eq!(public.verify(b"message", &signature[1..]), Err(CryptoError::Signature));
            assert_eq!(PublicKey::from_sec1(curve, &public.to_sec1()).unwrap(), public);
            assert_eq!(PublicKey::from_spki_der(&public.to_spki_der().unwrap()).unwrap(), public);
            assert_eq!(PublicKey::from_cose_key(&public.to_cose_key()).unwrap(), public);
            assert_eq!(PublicKey::from_cose_key(&public.to_compressed_cose_key()).unwrap(), public);
            assert_eq!(SoftwareKey::from_scalar(curve, &key.scalar()).unwrap().public_key(), public);
        }
    }

    #[test]
    fn der_is_not_raw_and_raw_is_not_der() {
        let key = SoftwareKey::generate(Curve::P256, &SeededRandom::new(2));
        let raw = key.sign(b"m").unwrap();
        let der = ecdsa::Signature::<P256>::from_slice(&raw).unwrap().to_der().as_bytes().to_vec();
        key.public_key().verify_der(HashAlg::Sha256, b"m", &der).unwrap();
        assert_eq!(key.public_key().verify(b"m", &der), Err(CryptoError::Signature));
        assert_eq!(key.public_key().verify_der(HashAlg::Sha256, b"m", &raw), Err(CryptoError::Signature));
    }

    #[test]
    fn jwk_thumbprint_of_rfc9449() {
        // RFC 9449, figure 2 (key) and section 6.1 (jkt).
        let jwk = serde_json::json!({ "kty": "EC", "crv": "P-256",
            "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA" });
        let key = PublicKey::from_jwk(&jwk).unwrap();
        assert_eq!(crate::jose::b64u(&key.thumbprint()), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        let mut with_private = jwk;
        with_private["d"] = "AA".into();
        assert_eq!(PublicKey::from_jwk(&with_private), Err(CryptoError::Key));
    }

    #[test]
    fn points_off_the_curve_are_refused() {
        assert_eq!(PublicKey::from_coordinates(Curve::P256, &[1; 32], &[1; 32]), Err(CryptoError::Key));
        assert_eq!(PublicKey::from_sec1(Curve::P256, &[0]), Err(CryptoError::Key));
        assert!(SoftwareKey::from_scalar(Curve::P256, &[0; 32]).is_err());
        assert!(EphemeralKey::from_scalar(&[1; 31]).is_err());
    }

    #[test]
    fn agreement_is_the_same_from_both_sides() {
        let (a, b) = (EphemeralKey::generate(&SeededRandom::new(3)), EphemeralKey::generate(&SeededRandom::new(4)));
        assert_eq!(a.agree(&b.public()).unwrap(), b.agree(&a.public()).unwrap());
        let other = SoftwareKey::generate(Curve::P384, &SeededRandom::new(5)).public_key();
        assert_eq!(a.agree(&other), Err(CryptoError::Unsupported));
    }
}
