//! OpenID4VCI 1.0 messages: the offer, the issuer's and the authorization server's metadata, the credential response.
//!
//! Everything here comes from outside: unknown members are skipped, wanted ones are checked, sizes are bounded.

use serde_json::{Value, json};
use wallet_base::jose::b64u_decode;

use crate::error::WalletError;
use crate::service::Service;

/// The mdoc format identifier (OpenID4VCI 1.0, A.2).
pub(crate) const FORMAT_MDOC: &str = "mso_mdoc";
/// Ours for SD-CWT: none is registered.
pub(crate) const FORMAT_SD_CWT: &str = "vn.sd-cwt";
const PRE_AUTHORIZED: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
/// Longest code taken.
const MAX_CODE: usize = 1024;
/// Offered configurations looked at.
const MAX_OFFERED: usize = 64;
/// Batch size believed, whatever the issuer says.
const MAX_BATCH: u32 = 20;

/// A credential offer with a pre-authorized code (OpenID4VCI 1.0, 4.1).
pub(crate) struct Offer {
    pub(crate) code: String,
    pub(crate) configurations: Vec<String>,
}

impl Offer {
    /// Reads an offer of exactly this issuer; an offer that names another one is refused, since the code would go there.
    pub(crate) fn read(offer: &Value, issuer: &str) -> Result<Self, WalletError> {
        let bad = || WalletError::Answer("credential offer");
        let named = offer.get("credential_issuer").and_then(Value::as_str).ok_or_else(bad)?;
        if named.trim_end_matches('/') != issuer {
            return Err(bad());
        }
        let code = offer.get("grants").and_then(|g| g.get(PRE_AUTHORIZED)).and_then(|g| g.get("pre-authorized_code"));
        let code = code.and_then(Value::as_str).filter(|c| !c.is_empty() && c.len() <= MAX_CODE).ok_or_else(bad)?;
        let ids = offer.get("credential_configuration_ids").and_then(Value::as_array).ok_or_else(bad)?;
        let configurations: Vec<String> = ids.iter().take(MAX_OFFERED).filter_map(Value::as_str).map(str::to_owned).collect();
        if configurations.is_empty() {
            return Err(bad());
        }
        Ok(Self { code: code.to_owned(), configurations })
    }
}

/// What the wallet needs of both metadata documents: paths at the one pinned host.
pub(crate) struct Metadata {
    pub(crate) token: String,
    pub(crate) nonce: String,
    pub(crate) credential: String,
    pub(crate) batch: u32,
    configurations: Value,
}

impl Metadata {
    /// Reads OpenID4VCI 1.0, 12.2.4 and RFC 8414 metadata. Endpoints at another origin are refused.
    pub(crate) fn read(issuer: &Value, server: &Value, service: &Service) -> Result<Self, WalletError> {
        let bad = || WalletError::Answer("issuer metadata");
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let here = |value: &Value, name: &str| text(value, name).and_then(|url| service.path_of(&url).map(str::to_owned)).ok_or_else(bad);
        for (value, name) in [(issuer, "credential_issuer"), (server, "issuer")] {
            // OpenID4VCI 1.0, 12.2.2 and RFC 8414, 3.3: the identifier must be the one it was fetched for.
            if text(value, name).ok_or_else(bad)?.trim_end_matches('/') != service.base() {
                return Err(bad());
            }
        }
        let batch = issuer.get("batch_credential_issuance").and_then(|b| b.get("batch_size")).and_then(Value::as_u64).unwrap_or(1);
        Ok(Self {
            token: here(server, "token_endpoint")?,
            nonce: here(issuer, "nonce_endpoint")?,
            credential: here(issuer, "credential_endpoint")?,
            batch: u32::try_from(batch).unwrap_or(MAX_BATCH).clamp(1, MAX_BATCH),
            configurations: issuer.get("credential_configurations_supported").cloned().unwrap_or(Value::Null),
        })
    }

    /// Whether the issuer has this configuration in this format, with keys proven by the `attestation` proof type.
    pub(crate) fn supports(&self, configuration: &str, format: &str) -> bool {
        self.configurations.get(configuration).is_some_and(|c| {
            c.get("format").and_then(Value::as_str) == Some(format)
                && c.get("proof_types_supported").is_some_and(|proofs| proofs.get("attestation").is_some())
        })
    }
}

/// A credential request (OpenID4VCI 1.0, 8.2) with one attestation proof for the whole batch (appendix F.3).
pub(crate) fn credential_request(configuration: &str, attestation: &str) -> Value {
    json!({"credential_configuration_id": configuration, "proofs": {"attestation": [attestation]}})
}

/// The credentials of a response (OpenID4VCI 1.0, 8.3): exactly as many as keys were attested.
pub(crate) fn credentials(response: &Value, expected: usize) -> Result<Vec<Vec<u8>>, WalletError> {
    let bad = || WalletError::Answer("credential response");
    let list = response.get("credentials").and_then(Value::as_array).filter(|list| list.len() == expected).ok_or_else(bad)?;
    list.iter()
        .map(|item| {
            let text = item.get("credential").and_then(Value::as_str).ok_or_else(bad)?;
            b64u_decode(text).map_err(|_| bad())
        })
        .collect()
}

/// A short opaque string of an answer, such as a nonce or a challenge.
pub(crate) fn opaque(answer: &Value, name: &str, what: &'static str) -> Result<String, WalletError> {
    let text = answer.get(name).and_then(Value::as_str).filter(|t| !t.is_empty() && t.len() <= MAX_CODE);
    text.map(str::to_owned).ok_or(WalletError::Answer(what))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn offer(issuer: &str) -> Value {
        // Shape of OpenID4VCI 1.0, 4.1.1.
        json!({"credential_issuer": issuer, "credential_configuration_ids": ["citizen-identity.mdoc"],
               "grants": {"urn:ietf:params:oauth:grant-type:pre-authorized_code": {"pre-authorized_code": "oaKazRN8I0IbtZ0C7JuMn5"}}})
    }

    #[test]
    fn an_offer_of_another_issuer_is_refused() {
        assert_eq!(Offer::read(&offer("https://a.example"), "https://a.example").unwrap().code, "oaKazRN8I0IbtZ0C7JuMn5");
        assert!(Offer::read(&offer("https://b.example"), "https://a.example").is_err());
        assert!(Offer::read(&offer("https://a.example.evil"), "https://a.example").is_err());
    }

    #[test]
    fn an_offer_without_code_or_configuration_is_refused() {
        let mut without = offer("https://a.example");
        without["grants"] = json!({"authorization_code": {}});
        assert!(Offer::read(&without, "https://a.example").is_err());
        let mut without = offer("https://a.example");
        without["credential_configuration_ids"] = json!([]);
        assert!(Offer::read(&without, "https://a.example").is_err());
    }

    #[test]
    fn one_credential_for_each_key_no_more_no_less() {
        let two = json!({"credentials": [{"credential": "AQI"}, {"credential": "Aw"}]});
        assert_eq!(credentials(&two, 2).unwrap(), [vec![1, 2], vec![3]]);
        assert!(credentials(&two, 1).is_err());
        assert!(credentials(&two, 3).is_err());
        assert!(credentials(&json!({"credentials": [{"credential": 1}]}), 1).is_err());
        assert!(credentials(&json!({"transaction_id": "x"}), 1).is_err());
    }
}
