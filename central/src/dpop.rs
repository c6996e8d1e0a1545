//! DPoP (RFC 9449): sender-constrained tokens with server nonces and a replay cache.

use rusqlite::Connection;
use wallet_base::crypto::{PublicKey, ct_eq, sha256};
use wallet_base::jose::{Jws, b64u, b64u_decode};
use wallet_base::time::Timestamp;

use crate::error::ApiError;
use crate::service::Service;

/// How far `iat` may be from our clock, in seconds.
const SKEW: i64 = 60;
/// Life of a server nonce, in seconds.
const NONCE_LIFE: i64 = 300;
/// A used `jti` is remembered this long; past it `iat` refuses the proof.
const REPLAY: i64 = 2 * SKEW + 1;

/// What a proof must be for.
pub(crate) struct Expected<'a> {
    /// HTTP method.
    pub(crate) method: &'a str,
    /// URL without query and fragment.
    pub(crate) url: &'a str,
    /// The access token the proof goes with; none at the token endpoint.
    pub(crate) access_token: Option<&'a str>,
}

impl Service {
    /// A fresh nonce for `DPoP-Nonce` or `c_nonce`: time and keyed hash, so that nothing need be stored.
    pub(crate) fn nonce(&self, label: &str) -> String {
        let mut bytes = Vec::with_capacity(40);
        bytes.extend_from_slice(&self.now().unix().to_be_bytes());
        bytes.extend_from_slice(&self.random_bytes::<8>());
        let tag = self.keyed(label, &bytes);
        bytes.extend_from_slice(tag.get(..16).unwrap_or_default());
        b64u(&bytes)
    }

    /// Whether a nonce is one of ours, for this label, and not too old.
    pub(crate) fn nonce_is_good(&self, label: &str, nonce: &str) -> bool {
        let Ok(bytes) = b64u_decode(nonce) else { return false };
        let Some((body, tag)) = bytes.split_at_checked(16) else { return false };
        let Some(time) = body.first_chunk::<8>() else { return false };
        let expected = self.keyed(label, body);
        let age = self.now().unix().saturating_sub(i64::from_be_bytes(*time));
        ct_eq(tag, expected.get(..16).unwrap_or_default()) && (-SKEW..=NONCE_LIFE).contains(&age)
    }

    /// Verifies a DPoP proof (RFC 9449, 4.3) and gives the key it was made with. A proof is good once.
    pub(crate) fn check_dpop(&self, connection: &Connection, proof: &str, expected: &Expected<'_>) -> Result<PublicKey, ApiError> {
        let bad = |description| ApiError::new(400, "invalid_dpop_proof", description);
        if proof.len() > 4096 {
            return Err(bad("too long"));
        }
        let jws = Jws::parse(proof).map_err(|_| bad("not a JWT"))?;
        if jws.header_text("typ") != Some("dpop+jwt") {
            return Err(bad("typ is not dpop+jwt"));
        }
        let jwk = jws.header().get("jwk").ok_or(bad("no jwk"))?;
        if jwk.get("d").is_some() {
            return Err(bad("the jwk holds a private key"));
        }
        let key = PublicKey::from_jwk(jwk).map_err(|_| bad("the jwk cannot be used"))?;
        jws.verify(&key).map_err(|_| bad("the signature does not verify"))?;
        if jws.text("htm") != Some(expected.method) {
            return Err(bad("htm is another method"));
        }
        if jws.text("htu") != Some(expected.url) {
            return Err(bad("htu is another URL"));
        }
        let now = self.now();
        let issued = jws.integer("iat").ok_or(bad("no iat"))?;
        if now.unix().saturating_sub(issued).abs() > SKEW {
            return Err(bad("iat is too far from now"));
        }
        if let Some(token) = expected.access_token
            && !jws.text("ath").is_some_and(|ath| ct_eq(ath.as_bytes(), b64u(&sha256(token.as_bytes())).as_bytes()))
        {
            return Err(bad("ath is of another token"));
        }
        let status = if expected.access_token.is_some() { 401 } else { 400 };
        if !jws.text("nonce").is_some_and(|nonce| self.nonce_is_good("dpop", nonce)) {
            return Err(ApiError::new(status, "use_dpop_nonce", "the proof needs a nonce of this server"));
        }
        let jti = jws.text("jti").filter(|jti| !jti.is_empty() && jti.len() <= 128).ok_or(bad("no jti"))?;
        if !remember(connection, &key, jti, now)? {
            return Err(bad("the proof was used before"));
        }
        Ok(key)
    }
}

/// Notes a `jti` of a key; false when it was there already.
fn remember(connection: &Connection, key: &PublicKey, jti: &str, now: Timestamp) -> Result<bool, ApiError> {
    let mut seen = key.thumbprint().to_vec();
    seen.extend_from_slice(jti.as_bytes());
    let inserted = connection.execute(
        "INSERT INTO dpop_seen (hash, until) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        (sha256(&seen).as_slice(), now.plus_secs(REPLAY).unix()),
    )?;
    Ok(inserted == 1)
}
