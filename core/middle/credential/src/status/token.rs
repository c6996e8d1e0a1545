//! A signed status list: CWT of type `application/statuslist+cwt` (Token Status List, section 5.2).

use wallet_base::cbor::{self, Limits, Value};
use wallet_base::cose::{Sign1, Sign1Builder};
use wallet_base::crypto::Signer;
use wallet_base::fact::{By, Fact, FactName, Ladder};
use wallet_base::time::Timestamp;

use super::list::{Bits, MAX_LIST_BYTES, StatusList};
use crate::CredentialError;
use crate::trust::{StatusTrust, Untrusted};

/// `typ` of a status list token, and its media type.
pub const CONTENT_TYPE: &str = "application/statuslist+cwt";
/// Largest token accepted: an incompressible list of the largest size.
pub const MAX_TOKEN_BYTES: usize = MAX_LIST_BYTES + 64 * 1024;

/// Clock difference tolerated when a list is fetched.
pub const SKEW_SECS: i64 = 60;

const HEADER_KID: i64 = 4;
const HEADER_TYP: i64 = 16;
const CLAIM_SUB: i64 = 2;
const CLAIM_EXP: i64 = 4;
const CLAIM_IAT: i64 = 6;
const CLAIM_STATUS_LIST: i64 = 65533;
const CLAIM_TTL: i64 = 65534;

/// What a list says about itself.
#[derive(Clone, Debug)]
pub struct StatusListSpec<'a> {
    /// Where the list is published; credentials name it by exactly this text.
    pub uri: &'a str,
    /// When it is signed.
    pub issued_at: Timestamp,
    /// After this it must not be used.
    pub expires: Timestamp,
    /// Seconds until a fresh copy should be fetched.
    pub ttl_secs: u64,
    /// The entries.
    pub list: &'a StatusList,
}

/// Signs a list; `kid` is the first 8 bytes of the SHA-256 of the status signer's certificate. Gives a tagged COSE_Sign1.
pub fn issue(spec: &StatusListSpec<'_>, signer: &dyn Signer, kid: &[u8]) -> Result<Vec<u8>, CredentialError> {
    let list = Value::Map(vec![
        (Value::text("bits"), Value::Unsigned(spec.list.bits().count().into())),
        (Value::text("lst"), Value::Bytes(spec.list.compress())),
    ]);
    let claims = Value::Map(vec![
        (Value::int(CLAIM_SUB), Value::text(spec.uri)),
        (Value::int(CLAIM_IAT), Value::int(spec.issued_at.unix())),
        (Value::int(CLAIM_EXP), Value::int(spec.expires.unix())),
        (Value::int(CLAIM_TTL), Value::Unsigned(spec.ttl_secs)),
        (Value::int(CLAIM_STATUS_LIST), list),
    ]);
    Sign1Builder::new()
        .protected(Value::int(HEADER_KID), Value::bytes(kid))
        .protected(Value::int(HEADER_TYP), Value::text(CONTENT_TYPE))
        .sign(cbor::encode(&claims), b"", signer)
        .map_err(|_| CredentialError::Signing)
}

/// A status list token as it came.
pub struct UnverifiedStatusList {
    sign1: Sign1,
    kid: Option<Vec<u8>>,
    uri: String,
    issued_at: Timestamp,
    expires: Option<Timestamp>,
    ttl_secs: Option<u64>,
    list: StatusList,
}

impl UnverifiedStatusList {
    /// Reads a token (tagged or untagged COSE_Sign1). Refuses what is above [`MAX_TOKEN_BYTES`] or decompresses above [`MAX_LIST_BYTES`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CredentialError> {
        if bytes.len() > MAX_TOKEN_BYTES {
            return Err(CredentialError::TooLarge("status list token"));
        }
        let limits = Limits::STRICT.with_bytes(MAX_TOKEN_BYTES);
        let sign1 = Sign1::decode(bytes, limits).map_err(|_| CredentialError::Malformed("status list token is no COSE_Sign1"))?;
        let typ = sign1.protected().get_int(HEADER_TYP).and_then(Value::as_text);
        if typ != Some(CONTENT_TYPE) {
            return Err(CredentialError::Malformed("not typed as a status list"));
        }
        let payload = sign1.payload().ok_or(CredentialError::Malformed("status list token without content"))?;
        let claims = cbor::decode(payload, limits).map_err(|_| CredentialError::Malformed("claims of the status list token"))?;
        let time = |claim| time_claim(&claims, claim);
        let status_list = claims.get_int(CLAIM_STATUS_LIST).ok_or(CredentialError::Malformed("no status list in the token"))?;
        let bits = status_list.get_text("bits").and_then(Value::as_u64).and_then(Bits::from_count);
        let bits = bits.ok_or(CredentialError::Malformed("bits of the status list"))?;
        let lst = status_list.get_text("lst").and_then(Value::as_bytes).ok_or(CredentialError::Malformed("entries of the status list"))?;
        let uri = claims.get_int(CLAIM_SUB).and_then(Value::as_text).ok_or(CredentialError::Malformed("status list without address"))?;
        Ok(Self {
            kid: header_kid(&sign1).map(<[u8]>::to_vec),
            uri: uri.to_owned(),
            issued_at: time(CLAIM_IAT)?.ok_or(CredentialError::Malformed("status list without issue time"))?,
            expires: time(CLAIM_EXP)?,
            ttl_secs: claims.get_int(CLAIM_TTL).and_then(Value::as_u64),
            list: StatusList::from_compressed(bits, lst)?,
            sign1,
        })
    }

    /// The address the token claims.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Checks signature, address and time of a list fetched from (or kept for) `uri`.
    ///
    /// Facts: `status.signature` (listed signer, signature, address), then `status.freshness` (inside its own times). An expired list still
    /// gives the verified type, because every check judges its age again ([`StatusCheck`](super::StatusCheck)) and must be able to say
    /// "the list expired" rather than "there is no list".
    pub fn verify(self, trust: &dyn StatusTrust, uri: &str, now: Timestamp, by: By) -> (Vec<Fact>, Option<VerifiedStatusList>) {
        let mut ladder = Ladder::new(by, "");
        let signed = ladder.check_with(FactName::StatusSignature, || self.check_signature(trust, uri, now));
        ladder.check_with(FactName::StatusFreshness, || self.check_times(now));
        let verified = signed.then_some(VerifiedStatusList {
            uri: self.uri,
            issued_at: self.issued_at,
            expires: self.expires,
            ttl_secs: self.ttl_secs,
            list: self.list,
        });
        (ladder.into_facts(), verified)
    }

    fn check_signature(&self, trust: &dyn StatusTrust, uri: &str, now: Timestamp) -> Result<(), String> {
        let kid = self.kid.as_deref().ok_or_else(|| Untrusted::Unnamed.to_string())?;
        let key = trust.status_key(kid, now).map_err(|why| why.to_string())?;
        self.sign1.verify(&key, b"").map_err(|_| "signature does not verify".to_owned())?;
        if self.uri == uri { Ok(()) } else { Err("list for another address".to_owned()) }
    }

    fn check_times(&self, now: Timestamp) -> Result<(), String> {
        if now.plus_secs(SKEW_SECS) < self.issued_at {
            return Err(format!("list signed in the future, {}", self.issued_at));
        }
        if let Some(expires) = self.expires
            && now >= expires
        {
            return Err(format!("list of {} expired {expires}", self.issued_at));
        }
        Ok(())
    }
}

/// A list whose signer is trusted and whose signature holds.
#[derive(Clone, Debug)]
pub struct VerifiedStatusList {
    uri: String,
    issued_at: Timestamp,
    expires: Option<Timestamp>,
    ttl_secs: Option<u64>,
    list: StatusList,
}

impl VerifiedStatusList {
    /// The address credentials name it by.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// When it was signed.
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// After this it must not be used; some peers leave it out.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Seconds until a fresh copy should be fetched.
    pub fn ttl_secs(&self) -> Option<u64> {
        self.ttl_secs
    }

    /// Number of entries.
    pub fn len(&self) -> u64 {
        self.list.len()
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The status at `index`; `None` beyond the end.
    pub fn get(&self, index: u64) -> Option<u8> {
        self.list.get(index)
    }
}

fn header_kid(sign1: &Sign1) -> Option<&[u8]> {
    let kid = |map: &'_ Value| map.get_int(HEADER_KID).is_some();
    let map = if kid(sign1.protected()) { sign1.protected() } else { sign1.unprotected() };
    map.get_int(HEADER_KID).and_then(Value::as_bytes)
}

/// A NumericDate claim: whole seconds, or a finite float rounded down.
fn time_claim(claims: &Value, claim: i64) -> Result<Option<Timestamp>, CredentialError> {
    claims.get_int(claim).map(|value| numeric_date(value).ok_or(CredentialError::Malformed("a time of the token"))).transpose()
}

/// RFC 8392, 2: NumericDate without tag. A float must be finite and within 2^53.
pub(crate) fn numeric_date(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_int() {
        return Some(Timestamp::from_unix(seconds));
    }
    match value {
        #[allow(clippy::cast_possible_truncation)] // bounded by the guard
        Value::Float(seconds) if seconds.is_finite() && seconds.abs() <= 9_007_199_254_740_992.0 => {
            Some(Timestamp::from_unix(seconds.floor() as i64))
        }
        _ => None,
    }
}
