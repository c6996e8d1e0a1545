//! What the account key signs: DPoP proofs (RFC 9449) and the activation's own statements.

use serde_json::{Value, json};
use wallet_base::crypto::{PublicKey, sha256};
use wallet_base::jose::{b64u, finish_compact, prepare_compact};
use wallet_base::random::{Random, array};
use wallet_base::time::Timestamp;
use wallet_platform::ports::{KeyId, KeyStore};

use crate::error::WalletError;

/// The account key: named here, held by the phone's key store.
#[derive(Clone)]
pub(crate) struct AccountKey {
    /// Name in the key store.
    pub(crate) id: KeyId,
    /// Public half.
    pub(crate) public: PublicKey,
}

impl AccountKey {
    /// A compact JWS with the public key in its header (`jwk`), signed without a prompt: the account class needs an unlocked device only.
    pub(crate) fn sign_jws(&self, keys: &dyn KeyStore, typ: &str, payload: &Value) -> Result<String, WalletError> {
        let header = json!({"typ": typ, "alg": "ES256", "jwk": self.public.to_jwk()});
        let input = prepare_compact(&header, payload);
        let signature = keys.sign(None, &self.id, input.as_bytes())?;
        Ok(finish_compact(&input, &signature))
    }
}

/// What one DPoP proof is bound to.
pub(crate) struct ProofFor<'a> {
    /// `htm`: the HTTP method.
    pub(crate) method: &'a str,
    /// `htu`: the URL without query and fragment (RFC 9449, 4.2).
    pub(crate) url: &'a str,
    /// The access token, whose hash becomes `ath`; `None` at the token endpoint.
    pub(crate) access_token: Option<&'a str>,
    /// The server's latest nonce.
    pub(crate) nonce: Option<&'a str>,
}

/// A DPoP proof JWT.
pub(crate) fn proof(
    keys: &dyn KeyStore,
    key: &AccountKey,
    bound: &ProofFor<'_>,
    now: Timestamp,
    random: &dyn Random,
) -> Result<String, WalletError> {
    let url = bound.url.split(['?', '#']).next().unwrap_or_default();
    let mut payload = json!({"jti": b64u(&array::<16>(random)), "htm": bound.method, "htu": url, "iat": now.unix()});
    if let Some(map) = payload.as_object_mut() {
        if let Some(token) = bound.access_token {
            map.insert("ath".to_owned(), Value::String(b64u(&sha256(token.as_bytes()))));
        }
        if let Some(nonce) = bound.nonce {
            map.insert("nonce".to_owned(), Value::String(nonce.to_owned()));
        }
    }
    key.sign_jws(keys, "dpop+jwt", &payload)
}
