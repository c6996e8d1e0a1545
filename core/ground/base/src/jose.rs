//! Compact JWS with ES256 (RFC 7515, RFC 7518 3.4): proofs, attestations, DPoP.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::crypto::{Curve, PublicKey, Signer};

/// The longest compact JWS that is read.
pub const MAX_JWS: usize = 64 * 1024;

/// Why a JWS was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// Not base64url without padding.
    #[error("not base64url")]
    Base64,
    /// Not three parts with JSON objects in the first two.
    #[error("not a compact JWS")]
    Malformed,
    /// Longer than [`MAX_JWS`].
    #[error("the JWS is too long")]
    TooLong,
    /// `alg` is not ES256, or `crit` asks for something unknown.
    #[error("the JWS uses an algorithm or extension that is not supported")]
    Unsupported,
    /// The signature does not verify.
    #[error("the JWS signature is not valid")]
    Signature,
    /// The signer could not sign.
    #[error("the key could not sign")]
    Sign,
}

/// base64url without padding.
pub fn b64u(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url without padding.
pub fn b64u_decode(text: &str) -> Result<Vec<u8>, JoseError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JoseError::Base64)
}

/// A compact JWS that was read and not yet verified.
#[derive(Clone, Debug)]
pub struct Jws {
    header: Value,
    payload: Value,
    signing_input: String,
    signature: Vec<u8>,
}

impl Jws {
    /// Reads a compact JWS whose payload is a JSON object.
    pub fn parse(text: &str) -> Result<Self, JoseError> {
        if text.len() > MAX_JWS {
            return Err(JoseError::TooLong);
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(JoseError::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JoseError::Malformed)?;
        let object = |part: &str| -> Result<Value, JoseError> {
            let value: Value = serde_json::from_slice(&b64u_decode(part)?).map_err(|_| JoseError::Malformed)?;
            value.is_object().then_some(value).ok_or(JoseError::Malformed)
        };
        Ok(Self {
            header: object(header)?,
            payload: object(payload)?,
            signing_input: signing_input.to_owned(),
            signature: b64u_decode(signature)?,
        })
    }

    /// The protected header.
    pub fn header(&self) -> &Value {
        &self.header
    }

    /// The payload: believe it only after [`Jws::verify`].
    pub fn payload(&self) -> &Value {
        &self.payload
    }

    /// A text member of the header.
    pub fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// A text member of the payload.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.payload.get(name).and_then(Value::as_str)
    }

    /// An integer member of the payload.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.payload.get(name).and_then(Value::as_i64)
    }

    /// Verifies ES256 with a key that was chosen by other means than the header alone.
    pub fn verify(&self, key: &PublicKey) -> Result<(), JoseError> {
        if self.header_text("alg") != Some("ES256") || self.header.get("crit").is_some() || key.curve() != Curve::P256 {
            return Err(JoseError::Unsupported);
        }
        key.verify(self.signing_input.as_bytes(), &self.signature).map_err(|_| JoseError::Signature)
    }
}

/// The bytes to sign for a compact JWS; `header` gets no members added.
pub fn prepare_compact(header: &Value, payload: &Value) -> String {
    format!("{}.{}", b64u(header.to_string().as_bytes()), b64u(payload.to_string().as_bytes()))
}

/// Completes a compact JWS with a raw signature over the prepared input.
pub fn finish_compact(signing_input: &str, signature: &[u8]) -> String {
    format!("{signing_input}.{}", b64u(signature))
}

/// Signs a compact JWS; `header` must already name `alg` ES256.
pub fn sign_compact(header: &Value, payload: &Value, signer: &dyn Signer) -> Result<String, JoseError> {
    let input = prepare_compact(header, payload);
    let signature = signer.sign(input.as_bytes()).map_err(|_| JoseError::Sign)?;
    Ok(finish_compact(&input, &signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SoftwareKey;
    use crate::random::SeededRandom;

    #[test]
    fn rfc7515_appendix_a3() {
        // RFC 7515, A.3.1: key, header and payload of the ES256 example.
        let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let key = PublicKey::from_jwk(&serde_json::json!({ "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }))
        .unwrap();
        let jws = Jws::parse(token).unwrap();
        jws.verify(&key).unwrap();
        assert_eq!(jws.integer("exp"), Some(1_300_819_380));
        let altered = token.replace("Jpc3MiOiJqb2Ui", "Jpc3MiOiJqb2Uj");
        assert!(Jws::parse(&altered).map_or(true, |jws| jws.verify(&key).is_err()));
    }

    #[test]
    fn refusals() {
        let key = SoftwareKey::generate(Curve::P256, &SeededRandom::new(1));
        let none = sign_compact(&serde_json::json!({ "alg": "none" }), &serde_json::json!({}), &key).unwrap();
        assert_eq!(Jws::parse(&none).unwrap().verify(&key.public_key()), Err(JoseError::Unsupported));
        let crit = sign_compact(&serde_json::json!({ "alg": "ES256", "crit": ["x"] }), &serde_json::json!({}), &key).unwrap();
        assert_eq!(Jws::parse(&crit).unwrap().verify(&key.public_key()), Err(JoseError::Unsupported));
        assert_eq!(Jws::parse("a.b").unwrap_err(), JoseError::Malformed);
        assert_eq!(Jws::parse("e30.e30.a=").unwrap_err(), JoseError::Base64);
        assert_eq!(Jws::parse(&"a".repeat(MAX_JWS + 1)).unwrap_err(), JoseError::TooLong);
    }
}
