//! The key binding token: a presented SD-CWT, signed over by the holder's key for one checker and one request.

use wallet_base::cbor::{self, Value};
use wallet_base::cose::{Prepared, Sign1, Sign1Builder};
use wallet_base::crypto::{Curve, ct_eq, sha256};
use wallet_base::fact::{Fact, FactName, Ladder};
use wallet_base::time::Timestamp;

use super::LIMITS;
use super::code_points::{
    CLAIM_AUD, CLAIM_CNONCE, CLAIM_CTI, CLAIM_EXP, CLAIM_IAT, CLAIM_ISS, CLAIM_MODE, CLAIM_NBF, CLAIM_REQUEST_HASH, CLAIM_SUB,
    HEADER_CWT_CLAIMS, HEADER_KCWT, HEADER_TYP, MODE_B, MODE_C, TYP_KBT, TYP_KBT_TEXT,
};
use super::disclosures::Rule;
use super::token::{SdCwt, has_type};
use super::verify::{VerifiedSdCwt, issuer_rungs};
use crate::CredentialError;
use crate::check::{self, Check, RUNGS};
use crate::status::numeric_date;

/// Largest key binding token accepted.
pub const MAX_KBT_BYTES: usize = 64 * 1024;
/// A one-way code is good for so long after its `iat`, in seconds.
pub const ONE_WAY_LIFETIME_SECS: i64 = 60;
/// Length of a raw ECDSA signature on P-256.
const RAW_SIGNATURE_BYTES: usize = 64;

/// How the answer travels (DESIGN, section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// An answer to a request: nonce and request hash are required.
    B,
    /// A one-way code: both are forbidden, and freshness is all there is.
    C,
}

impl Mode {
    const fn number(self) -> u64 {
        match self {
            Self::B => MODE_B,
            Self::C => MODE_C,
        }
    }
}

/// What the holder binds a presentation to.
#[derive(Clone, Debug)]
pub struct KbtClaims {
    /// The checker: `x509_hash:` and the base64url SHA-256 of its certificate; for a one-way code a class of checkers.
    pub aud: String,
    /// Now.
    pub iat: Timestamp,
    /// The request's nonce; for [`Mode::B`] only.
    pub cnonce: Option<Vec<u8>>,
    /// SHA-256 of the exact request bytes; for [`Mode::B`] only.
    pub request_hash: Option<[u8; 32]>,
    /// How the answer travels.
    pub mode: Mode,
}

/// A key binding token that waits for the holder's signature.
pub struct PreparedKbt(Prepared);

/// Prepares a key binding token around what [`SdCwt::select`] gave.
///
/// # Errors
/// `presented` is no SD-CWT, its holder key is not on P-256, or nonce and request hash do not fit the mode.
pub fn prepare(presented: &[u8], claims: &KbtClaims) -> Result<PreparedKbt, CredentialError> {
    let token = SdCwt::decode(presented)?;
    if token.cnf.curve() != Curve::P256 {
        return Err(CredentialError::Unsupported("holder key"));
    }
    let bound = claims.cnonce.is_some() && claims.request_hash.is_some();
    let unbound = claims.cnonce.is_none() && claims.request_hash.is_none();
    if !(match claims.mode {
        Mode::B => bound,
        Mode::C => unbound,
    }) {
        return Err(CredentialError::Specification("nonce and request hash do not fit the mode"));
    }
    let kcwt = cbor::decode(presented, LIMITS).map_err(|_| CredentialError::Malformed("SD-CWT"))?;
    let prepared = Sign1Builder::new()
        .protected(Value::int(HEADER_KCWT), kcwt)
        .protected(Value::int(HEADER_TYP), Value::Unsigned(TYP_KBT))
        .prepare(cbor::encode(&claims.payload()), b"", Curve::P256);
    Ok(PreparedKbt(prepared))
}

impl KbtClaims {
    fn payload(&self) -> Value {
        let mut payload = vec![(Value::int(CLAIM_AUD), Value::text(&self.aud)), (Value::int(CLAIM_IAT), Value::int(self.iat.unix()))];
        if self.mode == Mode::C {
            let exp = self.iat.plus_secs(ONE_WAY_LIFETIME_SECS);
            payload.push((Value::int(CLAIM_EXP), Value::int(exp.unix())));
        }
        payload.extend(self.cnonce.as_ref().map(|nonce| (Value::int(CLAIM_CNONCE), Value::bytes(nonce))));
        payload.extend(self.request_hash.as_ref().map(|hash| (Value::int(CLAIM_REQUEST_HASH), Value::bytes(hash))));
        payload.push((Value::int(CLAIM_MODE), Value::Unsigned(self.mode.number())));
        Value::Map(payload)
    }
}

impl PreparedKbt {
    /// What the holder's key must sign (ES256, raw r and s).
    pub fn to_be_signed(&self) -> &[u8] {
        &self.0.to_be_signed
    }

    /// Completes the token (tagged COSE_Sign1).
    ///
    /// # Errors
    /// The signature is not 64 bytes of raw r and s.
    pub fn finish(self, raw_signature: &[u8]) -> Result<Vec<u8>, CredentialError> {
        if raw_signature.len() != RAW_SIGNATURE_BYTES {
            return Err(CredentialError::Signing);
        }
        Ok(self.0.finish(raw_signature.to_vec(), true))
    }
}

/// What an answer must say to be an answer to me.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// My audience, or for a one-way code my class.
    pub aud: String,
    /// The nonce of my request; for [`Mode::B`].
    pub cnonce: Option<Vec<u8>>,
    /// SHA-256 of the exact bytes of my request; for [`Mode::B`].
    pub request_hash: Option<[u8; 32]>,
    /// How the answer must travel.
    pub mode: Mode,
    /// Now.
    pub now: Timestamp,
    /// Clock difference tolerated, in seconds.
    pub skew: i64,
}

/// A key binding token as it came.
pub struct UnverifiedKbt {
    bytes_hash: [u8; 32],
    sign1: Sign1,
    token: SdCwt,
    aud: String,
    iat: Option<Timestamp>,
    nbf: Option<Timestamp>,
    exp: Option<Timestamp>,
    cnonce: Option<Vec<u8>>,
    request_hash: Option<Vec<u8>>,
    mode: Option<u64>,
}

impl std::fmt::Debug for UnverifiedKbt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedKbt").field("token", &self.token).finish_non_exhaustive()
    }
}

impl UnverifiedKbt {
    /// Reads a tagged or untagged COSE_Sign1 of type key binding token, and the SD-CWT in it.
    ///
    /// # Errors
    /// Above [`MAX_KBT_BYTES`], not well-formed, another type, claims that are forbidden in it (`iss`, `sub`, header "CWT Claims"), or neither
    /// `iat` nor `cti`.
    pub fn decode(bytes: &[u8]) -> Result<Self, CredentialError> {
        const WHAT: &str = "key binding token";
        let malformed = CredentialError::Malformed(WHAT);
        if bytes.len() > MAX_KBT_BYTES {
            return Err(CredentialError::TooLarge(WHAT));
        }
        let sign1 = Sign1::decode(bytes, LIMITS).map_err(|_| malformed)?;
        if !has_type(&sign1, TYP_KBT, TYP_KBT_TEXT) {
            return Err(CredentialError::Malformed("not typed as a key binding token"));
        }
        let forbidden = [sign1.protected(), sign1.unprotected()].iter().any(|header| header.get_int(HEADER_CWT_CLAIMS).is_some());
        let claims = cbor::decode(sign1.payload().ok_or(malformed)?, LIMITS).map_err(|_| malformed)?;
        if forbidden || claims.get_int(CLAIM_ISS).is_some() || claims.get_int(CLAIM_SUB).is_some() {
            return Err(CredentialError::Malformed("claims that a key binding token may not have"));
        }
        let time = |claim: i64| claims.get_int(claim).map(|value| numeric_date(value).ok_or(malformed)).transpose();
        let bytes_claim = |claim: i64| claims.get_int(claim).map(|value| value.as_bytes().map(<[u8]>::to_vec).ok_or(malformed)).transpose();
        let (iat, nbf, exp) = (time(CLAIM_IAT)?, time(CLAIM_NBF)?, time(CLAIM_EXP)?);
        let unnumbered = iat.is_none() && (claims.get_int(CLAIM_CTI).is_none() || exp.is_some() || nbf.is_some());
        if unnumbered {
            return Err(malformed);
        }
        Ok(Self {
            bytes_hash: sha256(bytes),
            token: SdCwt::decode(kcwt(sign1.protected_raw())?)?,
            aud: claims.get_int(CLAIM_AUD).and_then(Value::as_text).ok_or(malformed)?.to_owned(),
            iat,
            nbf,
            exp,
            cnonce: bytes_claim(CLAIM_CNONCE)?,
            request_hash: bytes_claim(CLAIM_REQUEST_HASH)?,
            mode: claims.get_int(CLAIM_MODE).map(|mode| mode.as_u64().ok_or(malformed)).transpose()?,
            sign1,
        })
    }

    /// SHA-256 of the token's bytes: what a replay cache keeps.
    pub fn hash(&self) -> [u8; 32] {
        self.bytes_hash
    }

    /// The presented SD-CWT, unverified.
    pub fn token(&self) -> &SdCwt {
        &self.token
    }

    /// Judges an answer. Facts: `exchange.nonce`, `exchange.request`, `exchange.audience`, then the ladder of the credential, all on one ladder: an
    /// answer to another request is not looked into further.
    ///
    /// For [`Mode::C`] `exchange.nonce` is not-checked (there is no challenge) and `exchange.request` passes when none is named. `check.at` should be
    /// `expectation.now`.
    pub fn verify(self, check: &Check<'_>, expectation: &Expectation) -> (Vec<Fact>, Option<VerifiedSdCwt>) {
        let mut ladder = Ladder::new(check.by, &check.expected.id);
        self.exchange_rungs(&mut ladder, check, expectation);
        self.credential_rungs(ladder, check, Some(expectation))
    }

    fn exchange_rungs(&self, ladder: &mut Ladder, check: &Check<'_>, expectation: &Expectation) {
        let nonce = self.check_nonce(expectation);
        if nonce.is_ok() && expectation.mode == Mode::C {
            ladder.note(Fact::not_checked(FactName::ExchangeNonce, check.by, "one-way code: nothing was asked"));
        } else {
            ladder.check(FactName::ExchangeNonce, nonce);
        }
        ladder.check(FactName::ExchangeRequest, self.check_request(expectation));
        let audience = if self.aud == expectation.aud { Ok(()) } else { Err("meant for somebody else") };
        ladder.check(FactName::ExchangeAudience, audience);
    }

    fn check_nonce(&self, expectation: &Expectation) -> Result<(), &'static str> {
        if self.mode != Some(expectation.mode.number()) {
            return Err("answered in another mode");
        }
        match (expectation.mode, &expectation.cnonce, &self.cnonce) {
            (Mode::B, Some(asked), Some(answered)) if ct_eq(asked, answered) => Ok(()),
            (Mode::B, Some(_), Some(_)) => Err("another nonce"),
            (Mode::B, ..) => Err("no nonce"),
            (Mode::C, _, None) => Ok(()),
            (Mode::C, ..) => Err("a one-way code may not carry a nonce"),
        }
    }

    fn check_request(&self, expectation: &Expectation) -> Result<(), &'static str> {
        match (expectation.mode, &expectation.request_hash, &self.request_hash) {
            (Mode::B, Some(asked), Some(answered)) if ct_eq(asked, answered) => Ok(()),
            (Mode::B, Some(_), Some(_)) => Err("answers another request"),
            (Mode::B, ..) => Err("names no request"),
            (Mode::C, _, None) => Ok(()),
            (Mode::C, ..) => Err("a one-way code may not name a request"),
        }
    }

    /// The credential's part of the ladder. Without an expectation the holder's own clock is not judged.
    fn credential_rungs(
        self,
        mut ladder: Ladder,
        check: &Check<'_>,
        expectation: Option<&Expectation>,
    ) -> (Vec<Fact>, Option<VerifiedSdCwt>) {
        let judged = issuer_rungs(&mut ladder, &self.token, check, Rule::Verifier);
        ladder.check_with(FactName::CredentialHolder, || {
            self.sign1.verify(&self.token.cnf, b"").map_err(|_| "holder signature does not verify")
        });
        let period = self.token.period().judge(check.at, check.skew_secs);
        let validity = period.and_then(|()| self.check_times(expectation));
        check::side_by_side(&mut ladder, check, validity, self.token.status.as_ref(), self.token.vct.as_deref());
        let facts = ladder.into_facts();
        let verified =
            judged.filter(|_| check::holds(&facts, &RUNGS)).map(|(signer, claims)| VerifiedSdCwt { token: self.token, claims, signer });
        (facts, verified)
    }

    /// Times of the two tokens against each other (draft, verifier rules), then the holder's clock against ours. `Ok(Some(..))` is a caution.
    fn check_times(&self, expectation: Option<&Expectation>) -> Result<Option<String>, String> {
        let bad = |why: &str| Err(why.to_owned());
        let (outer, inner) = (self, &self.token);
        let starts = [inner.issued_at, inner.not_before].into_iter().flatten().max();
        if outer.nbf.zip(outer.iat).is_some_and(|(nbf, iat)| nbf > iat) || outer.iat.zip(outer.exp).is_some_and(|(iat, exp)| iat >= exp) {
            return bad("times of the key binding token out of order");
        }
        if outer.exp.zip(inner.expires).is_some_and(|(exp, end)| exp > end)
            || outer.nbf.zip(inner.not_before).is_some_and(|(nbf, start)| nbf < start)
        {
            return bad("key binding token outlives the credential");
        }
        if outer.iat.zip(starts).is_some_and(|(iat, start)| iat < start)
            || outer.iat.zip(inner.expires).is_some_and(|(iat, end)| iat >= end)
        {
            return bad("presented outside the validity of the credential");
        }
        let Some(expectation) = expectation else { return Ok(None) };
        let Some(iat) = outer.iat else { return bad("no time of presentation") };
        let difference = expectation.now.unix().saturating_sub(iat.unix());
        match expectation.mode {
            // A one-way code has nothing but its time.
            Mode::C => {
                let end = outer.exp.unwrap_or(iat).min(iat.plus_secs(ONE_WAY_LIFETIME_SECS));
                if difference < -expectation.skew || expectation.now >= end.plus_secs(expectation.skew) {
                    return bad("one-way code outside its time");
                }
                Ok(None)
            }
            // The nonce proves freshness; a holder's clock that disagrees is told, not believed.
            Mode::B => {
                let told = difference.saturating_abs() > expectation.skew.saturating_add(REQUEST_LIFETIME_SECS);
                Ok(told.then(|| format!("the holder's clock differs by {difference} s")))
            }
        }
    }
}

/// Longest life of a request (DESIGN, section 7): so much may lie between question and answer without any clock being wrong.
const REQUEST_LIFETIME_SECS: i64 = 120;

/// The presented SD-CWT as a span of the protected header.
fn kcwt(protected: &[u8]) -> Result<&[u8], CredentialError> {
    let malformed = CredentialError::Malformed("key binding token without credential");
    let key = cbor::encode(&Value::int(HEADER_KCWT));
    let entries = cbor::map_entries(protected, LIMITS).map_err(|_| malformed)?;
    entries.into_iter().find(|(label, _)| *label == key).map(|(_, token)| token).ok_or(malformed)
}

#[cfg(test)]
impl UnverifiedKbt {
    pub(super) fn kcwt_for_tests(&self) -> &[u8] {
        kcwt(self.sign1.protected_raw()).unwrap()
    }

    pub(super) fn verify_holder_for_tests(&self, key: &wallet_base::crypto::PublicKey) -> Result<(), wallet_base::cose::CoseError> {
        self.sign1.verify(key, b"")
    }
}
