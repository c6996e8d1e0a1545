//! COSE_Sign1 and COSE_Mac0 (RFC 9052, 4.2 and 6.2) over bytes that are kept as they arrived.

use crate::cbor::{self, CborError, Limits, Value};
use crate::crypto::{Curve, PublicKey, Signer, ct_eq, hmac_sha256};

/// Header label `alg`.
pub const ALG: i64 = 1;
/// Header label `crit`.
pub const CRIT: i64 = 2;
/// Header label `kid`.
pub const KID: i64 = 4;
/// Header label `typ` (RFC 9596).
pub const TYP: i64 = 16;
/// Header label `x5chain` (RFC 9360).
pub const X5CHAIN: i64 = 33;
/// CBOR tag of COSE_Sign1.
pub const TAG_SIGN1: u64 = 18;
/// CBOR tag of COSE_Mac0.
pub const TAG_MAC0: u64 = 17;

/// Why a COSE object was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoseError {
    /// Not CBOR within the limits.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// Not the array of four that it should be.
    #[error("not a COSE object of the kind expected")]
    Malformed,
    /// `alg` is missing from the protected header, does not fit the key, or is not supported; or `crit` names something unknown.
    #[error("the COSE object uses an algorithm or extension that is not supported")]
    Algorithm,
    /// The payload is missing where it should be attached, or attached where it should be detached.
    #[error("the COSE payload is not where it should be")]
    Payload,
    /// The signature or tag does not verify.
    #[error("the COSE signature is not valid")]
    Signature,
    /// The signer could not sign.
    #[error("the key could not sign")]
    Sign,
}

/// The four parts that Sign1 and Mac0 share.
#[derive(Clone, Debug)]
struct Parts {
    protected_raw: Vec<u8>,
    protected: Value,
    unprotected: Value,
    payload: Option<Vec<u8>>,
    last: Vec<u8>,
}

impl Parts {
    fn from_value(value: &Value, tag: u64) -> Result<Self, CoseError> {
        let value = match value {
            Value::Tag(found, inner) if *found == tag => inner,
            other => other,
        };
        let [protected, unprotected, payload, last] = value.as_array().ok_or(CoseError::Malformed)? else {
            return Err(CoseError::Malformed);
        };
        let protected_raw = protected.as_bytes().ok_or(CoseError::Malformed)?.to_vec();
        // An empty protected header is an empty byte string (RFC 9052, 3).
        let protected = if protected_raw.is_empty() { Value::Map(Vec::new()) } else { cbor::decode(&protected_raw, Limits::STRICT)? };
        let payload = match payload {
            Value::Bytes(bytes) => Some(bytes.clone()),
            Value::Null => None,
            _ => return Err(CoseError::Malformed),
        };
        if protected.as_map().is_none() || unprotected.as_map().is_none() {
            return Err(CoseError::Malformed);
        }
        let unprotected = unprotected.clone();
        Ok(Self { protected_raw, protected, unprotected, payload, last: last.as_bytes().ok_or(CoseError::Malformed)?.to_vec() })
    }

    fn to_be_signed(&self, context: &str, aad: &[u8], payload: &[u8]) -> Vec<u8> {
        structure(context, &self.protected_raw, aad, payload)
    }
}

/// `Sig_structure` or `MAC_structure`: context, protected header, external data, payload.
fn structure(context: &str, protected: &[u8], aad: &[u8], payload: &[u8]) -> Vec<u8> {
    cbor::encode(&Value::Array(vec![Value::text(context), Value::bytes(protected), Value::bytes(aad), Value::bytes(payload)]))
}

/// A COSE_Sign1 object that was read and not yet verified.
#[derive(Clone, Debug)]
pub struct Sign1(Parts);

impl Sign1 {
    /// Reads a COSE_Sign1, tagged 18 or untagged.
    pub fn decode(bytes: &[u8], limits: Limits) -> Result<Self, CoseError> {
        Self::from_value(&cbor::decode(bytes, limits)?)
    }

    /// Reads a COSE_Sign1 out of a larger item.
    pub fn from_value(value: &Value) -> Result<Self, CoseError> {
        Parts::from_value(value, TAG_SIGN1).map(Self)
    }

    /// The protected header map.
    pub fn protected(&self) -> &Value {
        &self.0.protected
    }

    /// The protected header as it arrived: the content of its byte string.
    pub fn protected_raw(&self) -> &[u8] {
        &self.0.protected_raw
    }

    /// The unprotected header map: nobody vouches for it.
    pub fn unprotected(&self) -> &Value {
        &self.0.unprotected
    }

    /// The attached payload, if it is attached.
    pub fn payload(&self) -> Option<&[u8]> {
        self.0.payload.as_deref()
    }

    /// The raw signature.
    pub fn signature(&self) -> &[u8] {
        &self.0.last
    }

    /// `alg` of the protected header.
    pub fn alg(&self) -> Option<i64> {
        self.0.protected.get_int(ALG).and_then(Value::as_int)
    }

    /// `kid`, protected before unprotected.
    pub fn kid(&self) -> Option<&[u8]> {
        self.0.protected.get_int(KID).or_else(|| self.0.unprotected.get_int(KID)).and_then(Value::as_bytes)
    }

    /// `x5chain`, protected before unprotected: one certificate or several, each DER.
    pub fn x5chain(&self) -> Vec<&[u8]> {
        match self.0.protected.get_int(X5CHAIN).or_else(|| self.0.unprotected.get_int(X5CHAIN)) {
            Some(Value::Bytes(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_bytes).collect(),
            _ => Vec::new(),
        }
    }

    /// Verifies an attached payload.
    pub fn verify(&self, key: &PublicKey, external_aad: &[u8]) -> Result<(), CoseError> {
        let payload = self.payload().ok_or(CoseError::Payload)?;
        self.verify_over(key, external_aad, payload)
    }

    /// Verifies a detached payload; refuses an object that also carries one.
    pub fn verify_detached(&self, key: &PublicKey, external_aad: &[u8], payload: &[u8]) -> Result<(), CoseError> {
        if self.0.payload.is_some() {
            return Err(CoseError::Payload);
        }
        self.verify_over(key, external_aad, payload)
    }

    fn verify_over(&self, key: &PublicKey, aad: &[u8], payload: &[u8]) -> Result<(), CoseError> {
        let fits = match self.alg() {
            // ES256 and its fully specified twin ESP256 (RFC 9864); likewise for 384.
            Some(-7) => matches!(key.curve(), Curve::P256 | Curve::BrainpoolP256r1),
            Some(-9) => key.curve() == Curve::P256,
            Some(-35 | -51) => key.curve() == Curve::P384,
            _ => false,
        };
        if !fits || self.0.protected.get_int(CRIT).is_some() || self.0.unprotected.get_int(CRIT).is_some() {
            return Err(CoseError::Algorithm);
        }
        key.verify(&self.0.to_be_signed("Signature1", aad, payload), self.signature()).map_err(|_| CoseError::Signature)
    }
}

/// Builds a COSE_Sign1.
#[derive(Clone, Debug, Default)]
pub struct Sign1Builder {
    protected: Vec<(Value, Value)>,
    unprotected: Vec<(Value, Value)>,
}

/// A COSE_Sign1 that waits for its signature, for keys behind a port.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What the key must sign.
    pub to_be_signed: Vec<u8>,
    protected: Vec<u8>,
    unprotected: Vec<(Value, Value)>,
    payload: Option<Vec<u8>>,
}

impl Sign1Builder {
    /// An empty object.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a protected header; `alg` is added by the builder.
    pub fn protected(mut self, label: Value, value: Value) -> Self {
        self.protected.push((label, value));
        self
    }

    /// Adds an unprotected header.
    pub fn unprotected(mut self, label: Value, value: Value) -> Self {
        self.unprotected.push((label, value));
        self
    }

    fn ready(self, payload: Vec<u8>, aad: &[u8], curve: Curve, attached: bool) -> Prepared {
        let alg = if curve == Curve::P384 { -35 } else { -7 };
        let mut header = vec![(Value::int(ALG), Value::int(alg))];
        header.extend(self.protected);
        let protected = cbor::encode_sorted(&Value::Map(header));
        let to_be_signed = structure("Signature1", &protected, aad, &payload);
        Prepared { to_be_signed, protected, unprotected: self.unprotected, payload: attached.then_some(payload) }
    }

    /// Prepares an object with its payload attached.
    pub fn prepare(self, payload: Vec<u8>, aad: &[u8], curve: Curve) -> Prepared {
        self.ready(payload, aad, curve, true)
    }

    /// Prepares an object whose payload travels elsewhere.
    pub fn prepare_detached(self, payload: Vec<u8>, aad: &[u8], curve: Curve) -> Prepared {
        self.ready(payload, aad, curve, false)
    }

    /// Signs; gives the object tagged 18.
    pub fn sign(self, payload: Vec<u8>, aad: &[u8], signer: &dyn Signer) -> Result<Vec<u8>, CoseError> {
        Ok(cbor::encode(&Value::tag(TAG_SIGN1, self.sign_value(payload, aad, signer)?)))
    }

    /// Signs; gives the untagged array.
    pub fn sign_value(self, payload: Vec<u8>, aad: &[u8], signer: &dyn Signer) -> Result<Value, CoseError> {
        finish_with(self.prepare(payload, aad, signer.public_key().curve()), signer)
    }

    /// Signs a detached payload; gives the untagged array with a nil payload.
    pub fn sign_detached(self, payload: Vec<u8>, aad: &[u8], signer: &dyn Signer) -> Result<Value, CoseError> {
        finish_with(self.prepare_detached(payload, aad, signer.public_key().curve()), signer)
    }
}

fn finish_with(prepared: Prepared, signer: &dyn Signer) -> Result<Value, CoseError> {
    let signature = signer.sign(&prepared.to_be_signed).map_err(|_| CoseError::Sign)?;
    Ok(prepared.finish_value(signature))
}

impl Prepared {
    /// Completes the untagged array with a raw signature.
    pub fn finish_value(self, signature: Vec<u8>) -> Value {
        let payload = self.payload.map_or(Value::Null, Value::Bytes);
        Value::Array(vec![Value::Bytes(self.protected), Value::Map(self.unprotected), payload, Value::Bytes(signature)])
    }

    /// Completes the encoded object with a raw signature.
    pub fn finish(self, signature: Vec<u8>, tagged: bool) -> Vec<u8> {
        let value = self.finish_value(signature);
        cbor::encode(&if tagged { Value::tag(TAG_SIGN1, value) } else { value })
    }
}

/// A COSE_Mac0 object that was read and not yet verified.
#[derive(Clone, Debug)]
pub struct Mac0(Parts);

impl Mac0 {
    /// Reads a COSE_Mac0, tagged 17 or untagged.
    pub fn decode(bytes: &[u8], limits: Limits) -> Result<Self, CoseError> {
        Self::from_value(&cbor::decode(bytes, limits)?)
    }

    /// Reads a COSE_Mac0 out of a larger item.
    pub fn from_value(value: &Value) -> Result<Self, CoseError> {
        Parts::from_value(value, TAG_MAC0).map(Self)
    }

    /// Makes the untagged array for a detached payload: HMAC 256/256.
    pub fn make_detached(key: &[u8], aad: &[u8], payload: &[u8]) -> Value {
        let protected = cbor::encode(&Value::Map(vec![(Value::int(ALG), Value::int(5))]));
        let tag = hmac_sha256(key, &structure("MAC0", &protected, aad, payload));
        Value::Array(vec![Value::Bytes(protected), Value::Map(Vec::new()), Value::Null, Value::bytes(&tag)])
    }

    /// The tag.
    pub fn tag(&self) -> &[u8] {
        &self.0.last
    }

    /// Verifies a detached payload with HMAC 256/256.
    pub fn verify_detached(&self, key: &[u8], external_aad: &[u8], payload: &[u8]) -> Result<(), CoseError> {
        if self.0.protected.get_int(ALG).and_then(Value::as_int) != Some(5) || self.0.protected.get_int(CRIT).is_some() {
            return Err(CoseError::Algorithm);
        }
        if self.0.payload.is_some() {
            return Err(CoseError::Payload);
        }
        let expected = hmac_sha256(key, &self.0.to_be_signed("MAC0", external_aad, payload));
        if ct_eq(&expected, self.tag()) { Ok(()) } else { Err(CoseError::Signature) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SoftwareKey;
    use crate::random::SeededRandom;

    /// RFC 8392, A.3: a signed CWT, with the key of A.2.3.
    const CWT: &str = "d28443a10126a104524173796d6d657472696345434453413235365850a70175636f61703a2f2f61732e6578616d706c652e636f6d02656572696b77037818636f61703a2f2f6c696768742e6578616d706c652e636f6d041a5612aeb0051a5610d9f0061a5610d9f007420b7158405427c1ff28d23fbad1f29c4c7c6a555e601d6fa29f9179bc3d7438bacaca5acd08c8d4d4f96131680c429a01f85951ecee743a52b9b63632c57209120e1c9e30";

    fn rfc_key() -> PublicKey {
        let x = hex::decode("143329cce7868e416927599cf65a34f3ce2ffda55a7eca69ed8919a394d42f0f").unwrap();
        let y = hex::decode("60f7f1a780d8a783bfb7a2dd6b2796e8128dbbcef9d3d168db9529971a36e7b9").unwrap();
        PublicKey::from_coordinates(Curve::P256, &x, &y).unwrap()
    }

    #[test]
    fn rfc8392_signed_cwt_verifies_and_altered_does_not() {
        let bytes = hex::decode(CWT).unwrap();
        let cwt = Sign1::decode(&bytes, Limits::STRICT).unwrap();
        cwt.verify(&rfc_key(), b"").unwrap();
        assert_eq!(cwt.kid(), Some(&b"AsymmetricECDSA256"[..]));
        assert_eq!(cwt.verify(&rfc_key(), b"x"), Err(CoseError::Signature));
        assert_eq!(cwt.verify_detached(&rfc_key(), b"", b""), Err(CoseError::Payload));
        let mut altered = bytes;
        altered[60] ^= 1;
        assert_eq!(Sign1::decode(&altered, Limits::STRICT).unwrap().verify(&rfc_key(), b""), Err(CoseError::Signature));
    }

    #[test]
    fn algorithm_rules() {
        let key = SoftwareKey::generate(Curve::P256, &SeededRandom::new(1));
        let p384 = SoftwareKey::generate(Curve::P384, &SeededRandom::new(1));
        let signed = Sign1Builder::new().sign(b"payload".to_vec(), b"", &key).unwrap();
        let object = Sign1::decode(&signed, Limits::STRICT).unwrap();
        object.verify(&key.public_key(), b"").unwrap();
        assert_eq!(object.verify(&p384.public_key(), b""), Err(CoseError::Algorithm));
        let crit = Sign1Builder::new().protected(Value::int(CRIT), Value::Array(vec![Value::int(9)])).sign(vec![], b"", &key).unwrap();
        assert_eq!(Sign1::decode(&crit, Limits::STRICT).unwrap().verify(&key.public_key(), b""), Err(CoseError::Algorithm));
        // alg only in the unprotected header does not count.
        let value = Value::Array(vec![
            Value::bytes(b""),
            Value::Map(vec![(Value::int(1), Value::int(-7))]),
            Value::bytes(b""),
            Value::bytes(&[0; 64]),
        ]);
        assert_eq!(Sign1::from_value(&value).unwrap().verify(&key.public_key(), b""), Err(CoseError::Algorithm));
        for broken in ["80", "8440a040", "d18440a04040", "8401a04040", "8440404040", "8440a00140"] {
            assert!(Sign1::decode(&hex::decode(broken).unwrap(), Limits::STRICT).is_err(), "{broken}");
        }
    }

    #[test]
    fn detached_and_two_step() {
        let key = SoftwareKey::generate(Curve::P256, &SeededRandom::new(2));
        let prepared = Sign1Builder::new().prepare_detached(b"p".to_vec(), b"aad", Curve::P256);
        let signature = key.sign(&prepared.to_be_signed).unwrap();
        let object = Sign1::decode(&prepared.finish(signature, false), Limits::STRICT).unwrap();
        object.verify_detached(&key.public_key(), b"aad", b"p").unwrap();
        assert_eq!(object.verify_detached(&key.public_key(), b"aad", b"q"), Err(CoseError::Signature));
        assert_eq!(object.verify(&key.public_key(), b"aad"), Err(CoseError::Payload));
    }

    #[test]
    fn mac_is_compared_with_key_aad_and_payload() {
        let mac = Mac0::from_value(&Mac0::make_detached(b"key", b"", b"payload")).unwrap();
        mac.verify_detached(b"key", b"", b"payload").unwrap();
        assert_eq!(mac.verify_detached(b"kez", b"", b"payload"), Err(CoseError::Signature));
        assert_eq!(mac.verify_detached(b"key", b"", b"qayload"), Err(CoseError::Signature));
        assert_eq!(mac.verify_detached(b"key", b"x", b"payload"), Err(CoseError::Signature));
    }
}
