//! Session transcripts of OpenID4VP 1.0, as pure functions (appendix B.2.6).

use wallet_base::cbor::{self, Value};
use wallet_base::crypto::sha256;

use super::device_auth::SessionTranscript;

/// Transcript of a presentation over redirects or `direct_post` (B.2.6.1): `[null, null, ["OpenID4VPHandover", SHA-256(info)]]` with
/// info = `[client_id, nonce, jwk_thumbprint, response_uri]`. `jwk_thumbprint` (RFC 7638, SHA-256) is of the verifier's key that the response
/// is encrypted to, or `None` when it is not encrypted. `response_uri` is the `redirect_uri` where there is no `response_uri`.
pub fn openid4vp_transcript(client_id: &str, nonce: &str, jwk_thumbprint: Option<&[u8; 32]>, response_uri: &str) -> SessionTranscript {
    handover("OpenID4VPHandover", vec![Value::text(client_id), Value::text(nonce), thumbprint(jwk_thumbprint), Value::text(response_uri)])
}

/// Transcript of a presentation over the Digital Credentials API (B.2.6.2), with info = `[origin, nonce, jwk_thumbprint]`.
pub fn openid4vp_dc_api_transcript(origin: &str, nonce: &str, jwk_thumbprint: Option<&[u8; 32]>) -> SessionTranscript {
    handover("OpenID4VPDCAPIHandover", vec![Value::text(origin), Value::text(nonce), thumbprint(jwk_thumbprint)])
}

fn thumbprint(jwk_thumbprint: Option<&[u8; 32]>) -> Value {
    jwk_thumbprint.map_or(Value::Null, |thumbprint| Value::bytes(thumbprint))
}

fn handover(name: &str, info: Vec<Value>) -> SessionTranscript {
    let info = sha256(&cbor::encode(&Value::Array(info)));
    let handover = Value::Array(vec![Value::text(name), Value::bytes(&info)]);
    SessionTranscript::from_array(cbor::encode(&Value::Array(vec![Value::Null, Value::Null, handover])))
}

#[cfg(test)]
mod tests {
    use wallet_base::crypto::PublicKey;

    use super::*;

    /// OpenID4VP 1.0, B.2.6.1: client id, nonce, key and response URI of the example, and its `SessionTranscript`.
    #[test]
    fn example_of_openid4vp_b_2_6_1() {
        let jwk = serde_json::json!({
            "kty": "EC", "crv": "P-256", "x": "DxiH5Q4Yx3UrukE2lWCErq8N8bqC9CHLLrAwLz5BmE0",
            "y": "XtLM4-3h5o3HUH0MHVJV0kyq0iBlrBwlh8qEDMZ4-Pc", "use": "enc", "alg": "ECDH-ES", "kid": "1"
        });
        let thumbprint = PublicKey::from_jwk(&jwk).unwrap().thumbprint();
        assert_eq!(hex::encode(thumbprint), "4283ec927ae0f208daaa2d026a814f2b22dca52cf85ffa8f3f8626c6bd669047");
        let nonce = "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA";
        let transcript = openid4vp_transcript("x509_san_dns:example.com", nonce, Some(&thumbprint), "https://example.com/response");
        assert_eq!(
            hex::encode(transcript.array()),
            "83f6f682714f70656e494434565048616e646f7665725820048bc053c00442af9b8eed494cefdd9d95240d254b046b11b68013722aad38ac"
        );
        let plain = openid4vp_transcript("x509_san_dns:example.com", nonce, None, "https://example.com/response");
        assert_ne!(plain, transcript);
    }
}
