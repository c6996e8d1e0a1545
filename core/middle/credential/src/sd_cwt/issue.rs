//! Issuing an SD-CWT: every claim redacted, decoys up to a constant number.

use wallet_base::cbor::{self, Value};
use wallet_base::cose::Sign1Builder;
use wallet_base::crypto::{PublicKey, Signer};
use wallet_base::random::{self, Random};
use wallet_base::time::Timestamp;

use super::code_points::{
    CLAIM_CNF, CLAIM_EXP, CLAIM_IAT, CLAIM_ISS, CLAIM_STATUS, CLAIM_SUB, CLAIM_VCT, CNF_COSE_KEY, HEADER_KID, HEADER_SD_CLAIMS, HEADER_TYP,
    SIMPLE_REDACTED_KEYS, TYP_SD_CWT,
};
use super::digest::{Content, Disclosure, may_be_redacted};
use crate::CredentialError;
use crate::status::StatusRef;

/// What an SD-CWT should say.
#[derive(Clone)]
pub struct SdCwtSpec {
    /// Credential type, for example `urn:vn:driving-licence:1`; never redacted.
    pub vct: String,
    /// Issuer name. Usually left out: the key identifier names the signer's certificate, and every byte counts in a QR symbol.
    pub iss: Option<String>,
    /// Subject: random per copy.
    pub sub: String,
    /// Issue time, rounded to the day with jitter by the issuer.
    pub iat: Timestamp,
    /// End of validity.
    pub exp: Timestamp,
    /// The holder's key.
    pub holder_key: PublicKey,
    /// Claims, all redacted: (claim key, value).
    pub claims: Vec<(i64, Value)>,
    /// Number of redacted claims with decoys, constant per type.
    pub total_redacted: usize,
    /// Where its status will stand.
    pub status: Option<StatusRef>,
}

/// Issues an SD-CWT with all its disclosures, decoys included, as a tagged COSE_Sign1. `kid` is the first 8 bytes of the SHA-256 of the signer's
/// certificate. Salts are random; digests stand in their own order, so that their place says nothing.
///
/// # Errors
/// More claims than `total_redacted`, the same claim twice, a claim that may not be redacted, times out of order, or a signer that fails.
pub fn issue(spec: &SdCwtSpec, signer: &dyn Signer, kid: &[u8; 8], rng: &dyn Random) -> Result<Vec<u8>, CredentialError> {
    spec.check()?;
    let mut disclosures: Vec<Disclosure> = spec
        .claims
        .iter()
        .map(|(key, value)| Disclosure::new(&random::array(rng), Content::Entry { key: Value::int(*key), value: value.clone() }))
        .collect();
    disclosures.resize_with(spec.total_redacted, || Disclosure::new(&random::array(rng), Content::Decoy));
    disclosures.sort_unstable_by_key(|disclosure| disclosure.digest);
    let mut builder = Sign1Builder::new()
        .protected(Value::int(HEADER_KID), Value::bytes(kid))
        // `sd_alg` is left out: SHA-256 is its default, and every byte counts in a QR symbol. For the same reason the key is compressed.
        .protected(Value::int(HEADER_TYP), Value::Unsigned(TYP_SD_CWT));
    if !disclosures.is_empty() {
        let members = disclosures.iter().map(|disclosure| cbor::decode(&disclosure.raw, super::LIMITS));
        let members = members.collect::<Result<_, _>>().map_err(|_| CredentialError::TooLarge("claim"))?;
        builder = builder.unprotected(Value::int(HEADER_SD_CLAIMS), Value::Array(members));
    }
    builder.sign(cbor::encode(&spec.payload(&disclosures)), b"", signer).map_err(|_| CredentialError::Signing)
}

impl SdCwtSpec {
    fn check(&self) -> Result<(), CredentialError> {
        if self.claims.len() > self.total_redacted {
            return Err(CredentialError::Specification("more claims than the constant number of redacted claims"));
        }
        if self.exp <= self.iat {
            return Err(CredentialError::Specification("times out of order"));
        }
        let mut keys: Vec<i64> = self.claims.iter().map(|(key, _)| *key).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(CredentialError::Specification("a claim stands twice"));
        }
        let allowed = |key: &i64| may_be_redacted(&Value::int(*key)) && *key != CLAIM_SUB;
        if keys.iter().all(allowed) { Ok(()) } else { Err(CredentialError::Specification("a claim that may not be redacted")) }
    }

    fn payload(&self, disclosures: &[Disclosure]) -> Value {
        let mut claims = Vec::new();
        claims.extend(self.iss.as_ref().map(|iss| (Value::int(CLAIM_ISS), Value::text(iss))));
        claims.extend([
            (Value::int(CLAIM_SUB), Value::text(&self.sub)),
            (Value::int(CLAIM_EXP), Value::int(self.exp.unix())),
            (Value::int(CLAIM_IAT), Value::int(self.iat.unix())),
            (Value::int(CLAIM_CNF), Value::Map(vec![(Value::int(CNF_COSE_KEY), self.holder_key.to_compressed_cose_key())])),
            (Value::int(CLAIM_VCT), Value::text(&self.vct)),
        ]);
        claims.extend(self.status.as_ref().map(|status| (Value::int(CLAIM_STATUS), status.to_value())));
        if !disclosures.is_empty() {
            let digests = disclosures.iter().map(|disclosure| Value::bytes(&disclosure.digest)).collect();
            claims.push((Value::Simple(SIMPLE_REDACTED_KEYS), Value::Array(digests)));
        }
        Value::Map(claims)
    }
}
