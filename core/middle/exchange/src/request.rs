//! The checker's signed request (`CWQ1:`): who asks, what for, which fields, where, until when, and the key to answer to.
//!
//! COSE_Sign1, tagged. Protected: `alg`, `typ`, `x5chain` with one leaf certificate of at most 400 bytes. Unprotected: empty. Payload: a map
//! with the keys of [`crate::code_points`]. The hash of the exact COSE bytes names the request in the answer.

use std::collections::BTreeSet;

use wallet_base::cbor::{self, Limits, Value};
use wallet_base::cose::{Prepared, Sign1, Sign1Builder, TYP, X5CHAIN};
use wallet_base::crypto::{Curve, EphemeralKey, PublicKey, Signer, sha256};
use wallet_base::fact::{By, Fact, FactName, Ladder};
use wallet_base::random::{self, Random};
use wallet_base::text::safe_text;
use wallet_base::time::Timestamp;
use wallet_base::x509::Certificate;

use crate::answer::OpenRequest;
use crate::certificate::is_id;
use crate::code_points as cp;
use crate::codec;
use crate::ecdh_es::compressed_cose_key;
use crate::error::ExchangeError;
use crate::qr;
use crate::reader::{Reader, ReaderTrust};
use crate::scan::Scanned;

pub use crate::certificate::{audience_of, role_extension, role_of};

/// Structural limits of a request.
const LIMITS: Limits = Limits::STRICT.with_bytes(cp::MAX_INFLATED).with_items(512);

/// One document and the fields asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedDocument {
    /// Document type id.
    pub document: String,
    /// Field ids.
    pub fields: Vec<String>,
}

/// What a checker asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSpec {
    /// Role id; must be the one in the certificate.
    pub role: String,
    /// Purpose id.
    pub purpose: String,
    /// Legal basis, text.
    pub legal_basis: String,
    /// Documents and fields.
    pub documents: Vec<RequestedDocument>,
    /// How long the answer will be kept, in hours.
    pub retention_hours: u32,
    /// Place, shown large to the citizen.
    pub place: String,
    /// Issued at.
    pub iat: Timestamp,
    /// Expires at, at most 120 s later.
    pub exp: Timestamp,
}

/// A request that waits for its signature, for keys behind a port.
#[derive(Debug)]
pub struct PreparedRequest {
    prepared: Prepared,
    public_key: PublicKey,
    ephemeral: EphemeralKey,
    nonce: [u8; 16],
    audience: String,
    spec: RequestSpec,
}

fn check_documents(documents: &[RequestedDocument]) -> bool {
    let distinct = |items: Vec<&String>| items.iter().collect::<BTreeSet<_>>().len() == items.len();
    (1..=cp::MAX_DOCUMENTS).contains(&documents.len())
        && distinct(documents.iter().map(|d| &d.document).collect())
        && documents.iter().all(|d| {
            is_id(&d.document)
                && (1..=cp::MAX_FIELDS).contains(&d.fields.len())
                && d.fields.iter().all(|field| is_id(field))
                && distinct(d.fields.iter().collect())
        })
}

impl RequestSpec {
    /// Everything that can be said before signing.
    fn check(&self, certificate: &Certificate) -> Result<(), ExchangeError> {
        let life = self.exp.unix().saturating_sub(self.iat.unix());
        let rules = [
            (is_id(&self.role) && is_id(&self.purpose), "role or purpose is no id"),
            (check_documents(&self.documents), "documents or fields"),
            (safe_text(&self.place, cp::MAX_PLACE).as_ref() == Some(&self.place), "place"),
            (safe_text(&self.legal_basis, cp::MAX_LEGAL_BASIS).as_ref() == Some(&self.legal_basis), "legal basis"),
            (self.retention_hours <= cp::MAX_RETENTION, "retention"),
            ((1..=cp::MAX_LIFETIME).contains(&life), "lifetime"),
            (certificate.der().len() <= cp::MAX_CERTIFICATE, "the certificate is too large"),
            (role_of(certificate).as_ref() == Some(&self.role), "the certificate is for another role"),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, what)| Err(ExchangeError::Spec(what)))
    }

    fn payload(&self, nonce: &[u8; 16], key: &PublicKey) -> Result<Vec<u8>, ExchangeError> {
        let ids = |ids: &[String]| Value::Array(ids.iter().map(|id| Value::text(id)).collect());
        let documents = self.documents.iter().map(|d| Value::Array(vec![Value::text(&d.document), ids(&d.fields)]));
        let entries = [
            (cp::REQ_VERSION, Value::int(1)),
            (cp::REQ_ROLE, Value::text(&self.role)),
            (cp::REQ_PURPOSE, Value::text(&self.purpose)),
            (cp::REQ_LEGAL_BASIS, Value::text(&self.legal_basis)),
            (cp::REQ_DOCUMENTS, Value::Array(documents.collect())),
            (cp::REQ_RETENTION, Value::int(i64::from(self.retention_hours))),
            (cp::REQ_PLACE, Value::text(&self.place)),
            (cp::REQ_NONCE, Value::bytes(nonce)),
            (cp::REQ_IAT, Value::int(self.iat.unix())),
            (cp::REQ_EXP, Value::int(self.exp.unix())),
            (cp::REQ_KEY, compressed_cose_key(key)?),
        ];
        Ok(cbor::encode(&Value::Map(entries.into_iter().map(|(key, value)| (Value::int(key), value)).collect())))
    }

    /// Makes nonce and ephemeral key and gives what the certificate's key must sign.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Spec`] when the request may not be made so.
    pub fn prepare(&self, certificate: &Certificate, random: &dyn Random) -> Result<PreparedRequest, ExchangeError> {
        self.check(certificate)?;
        let public_key = certificate.public_key().map_err(|_| ExchangeError::Spec("the certificate's key"))?;
        (public_key.curve() == Curve::P256).then_some(()).ok_or(ExchangeError::Spec("the certificate's key"))?;
        let nonce = random::array(random);
        let ephemeral = EphemeralKey::generate(random);
        let payload = self.payload(&nonce, &ephemeral.public())?;
        let prepared = Sign1Builder::new()
            .protected(Value::int(TYP), Value::text(cp::TYP_REQUEST))
            .protected(Value::int(X5CHAIN), Value::bytes(certificate.der()))
            .prepare(payload, &[], Curve::P256);
        Ok(PreparedRequest { prepared, public_key, ephemeral, nonce, audience: audience_of(certificate), spec: self.clone() })
    }

    /// Signs with a key at hand; gives the text to show and the open request to keep in memory.
    ///
    /// # Errors
    ///
    /// As [`Self::prepare`] and [`PreparedRequest::finish`].
    pub fn sign(
        &self,
        certificate: &Certificate,
        signer: &dyn Signer,
        random: &dyn Random,
    ) -> Result<(String, OpenRequest), ExchangeError> {
        let prepared = self.prepare(certificate, random)?;
        let signature = signer.sign(prepared.to_be_signed()).map_err(|_| ExchangeError::Sign)?;
        prepared.finish(signature)
    }
}

impl PreparedRequest {
    /// What the certificate's key must sign (ES256).
    pub fn to_be_signed(&self) -> &[u8] {
        &self.prepared.to_be_signed
    }

    /// Completes the request with the raw r and s; gives the text to show and the open request to keep in memory.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Sign`] when the signature does not verify under the certificate; [`ExchangeError::TooLarge`] when the text does not fit into
    /// one symbol.
    pub fn finish(self, signature: Vec<u8>) -> Result<(String, OpenRequest), ExchangeError> {
        self.public_key.verify(&self.prepared.to_be_signed, &signature).map_err(|_| ExchangeError::Sign)?;
        let cose = self.prepared.finish(signature, true);
        let text = codec::pack(cp::PREFIX_REQUEST, &cose);
        if text.len() > qr::CEILING {
            return Err(ExchangeError::TooLarge);
        }
        let open = OpenRequest::new(self.ephemeral, self.nonce, sha256(&cose), self.audience, self.spec);
        Ok((text, open))
    }
}

#[derive(Clone)]
struct Claims {
    role: String,
    purpose: String,
    legal_basis: String,
    documents: Vec<RequestedDocument>,
    retention_hours: u32,
    place: String,
    nonce: [u8; 16],
    iat: Timestamp,
    exp: Timestamp,
    key: PublicKey,
}

impl Claims {
    fn read(payload: &[u8]) -> Option<Self> {
        let map = cbor::decode(payload, LIMITS).ok()?;
        let get = |key: i64| map.get_int(key);
        let id = |value: &Value| value.as_text().filter(|text| is_id(text)).map(ToOwned::to_owned);
        let time = |key: i64| get(key)?.as_int().filter(|n| (0..=253_402_300_799).contains(n)).map(Timestamp::from_unix);
        if get(cp::REQ_VERSION)?.as_int() != Some(1) {
            return None;
        }
        let document = |value: &Value| {
            let [document, fields] = value.as_array()? else { return None };
            let fields = fields.as_array()?.iter().map(id).collect::<Option<Vec<_>>>()?;
            Some(RequestedDocument { document: id(document)?, fields })
        };
        let documents = get(cp::REQ_DOCUMENTS)?.as_array()?.iter().map(document).collect::<Option<Vec<_>>>()?;
        let key = PublicKey::from_cose_key(get(cp::REQ_KEY)?).ok()?;
        if !check_documents(&documents) || key.curve() != Curve::P256 {
            return None;
        }
        Some(Self {
            role: id(get(cp::REQ_ROLE)?)?,
            purpose: id(get(cp::REQ_PURPOSE)?)?,
            legal_basis: safe_text(get(cp::REQ_LEGAL_BASIS)?.as_text()?, cp::MAX_LEGAL_BASIS)?,
            documents,
            retention_hours: u32::try_from(get(cp::REQ_RETENTION)?.as_u64()?).ok().filter(|hours| *hours <= cp::MAX_RETENTION)?,
            place: safe_text(get(cp::REQ_PLACE)?.as_text()?, cp::MAX_PLACE)?,
            nonce: get(cp::REQ_NONCE)?.as_bytes()?.try_into().ok()?,
            iat: time(cp::REQ_IAT)?,
            exp: time(cp::REQ_EXP)?,
            key,
        })
    }
}

/// A request as it was scanned. Nobody vouches for what it says.
#[derive(Clone)]
pub struct UnverifiedRequest {
    cose: Vec<u8>,
    sign1: Sign1,
    certificate: Certificate,
    claims: Claims,
}

impl std::fmt::Debug for UnverifiedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UnverifiedRequest(..)")
    }
}

impl UnverifiedRequest {
    /// Reads a scanned text.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Foreign`], [`ExchangeError::Wrong`], [`ExchangeError::Half`], [`ExchangeError::Damaged`], [`ExchangeError::TooLarge`].
    pub fn decode_text(text: &str) -> Result<Self, ExchangeError> {
        let cose = codec::unpack(text, Scanned::Request)?;
        Self::decode(&cose).ok_or(ExchangeError::Damaged("not a request of this version"))
    }

    fn decode(cose: &[u8]) -> Option<Self> {
        let sign1 = Sign1::decode(cose, LIMITS).ok()?;
        // What nobody signs has no place here: the request is named by the hash of all its bytes.
        if sign1.unprotected().as_map().is_none_or(|map| !map.is_empty()) {
            return None;
        }
        if sign1.protected().get_int(TYP).and_then(Value::as_text) != Some(cp::TYP_REQUEST) {
            return None;
        }
        let certificate = sign1.protected().get_int(X5CHAIN)?.as_bytes()?;
        let certificate = Certificate::from_der(certificate).ok()?;
        let claims = Claims::read(sign1.payload()?)?;
        Some(Self { cose: cose.to_vec(), sign1, certificate, claims })
    }

    fn check_signature(&self) -> Result<(), &'static str> {
        let key = self.certificate.public_key().ok().filter(|key| key.curve() == Curve::P256).ok_or("key of another kind")?;
        self.sign1.verify(&key, &[]).map_err(|_| "signature does not verify")
    }

    fn check_chain(&self, trust: &ReaderTrust, now: Timestamp) -> Result<Reader, &'static str> {
        let reader = trust.check(&self.certificate, now)?;
        if reader.role == self.claims.role { Ok(reader) } else { Err("certificate is for another role") }
    }

    fn check_time(&self, now: Timestamp) -> Result<(), String> {
        let (iat, exp) = (self.claims.iat, self.claims.exp);
        let life = exp.unix().saturating_sub(iat.unix());
        if !(1..=cp::MAX_LIFETIME).contains(&life) {
            return Err("lifetime out of bounds".to_owned());
        }
        if iat > now.plus_secs(cp::CLOCK_SKEW) {
            return Err(format!("from the future: issued {iat}"));
        }
        if now > exp.plus_secs(cp::CLOCK_SKEW) {
            return Err(format!("stale: expired {exp}"));
        }
        Ok(())
    }

    /// Every check of a request: signature, then chain and role, then time. The verified request is there only when all passed.
    pub fn verify(&self, trust: &ReaderTrust, now: Timestamp) -> (Vec<Fact>, Option<VerifiedRequest>) {
        let mut ladder = Ladder::new(By::Wallet, "");
        ladder.check(FactName::RequestSignature, self.check_signature());
        let mut reader = None;
        ladder.check_with(FactName::RequestChain, || self.check_chain(trust, now).map(|found| reader = Some(found)));
        let whole = ladder.check_with(FactName::RequestTime, || self.check_time(now));
        let verified = reader.filter(|_| whole).map(|Reader { organisation, device, .. }| VerifiedRequest {
            hash: sha256(&self.cose),
            once: sha256(self.sign1.payload().unwrap_or_default()),
            audience: audience_of(&self.certificate),
            cose: self.cose.clone(),
            claims: self.claims.clone(),
            organisation,
            device,
        });
        (ladder.into_facts(), verified)
    }

    /// Whether the request is out of date by its own word: for telling a person before anything else is checked.
    pub fn looks_stale(&self, now: Timestamp) -> bool {
        self.check_time(now).is_err()
    }
}

/// A request whose signature, chain, role and time were checked.
#[derive(Clone)]
pub struct VerifiedRequest {
    cose: Vec<u8>,
    hash: [u8; 32],
    once: [u8; 32],
    audience: String,
    claims: Claims,
    organisation: String,
    device: String,
}

impl std::fmt::Debug for VerifiedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedRequest").field("role", &self.claims.role).field("organisation", &self.organisation).finish_non_exhaustive()
    }
}

impl VerifiedRequest {
    /// Role id, from the certificate.
    pub fn role(&self) -> &str {
        &self.claims.role
    }

    /// Organisation, from the certificate.
    pub fn organisation(&self) -> &str {
        &self.organisation
    }

    /// Device pseudonym, from the certificate.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Place as the checker says.
    pub fn place(&self) -> &str {
        &self.claims.place
    }

    /// Purpose id.
    pub fn purpose(&self) -> &str {
        &self.claims.purpose
    }

    /// Legal basis.
    pub fn legal_basis(&self) -> &str {
        &self.claims.legal_basis
    }

    /// How long the checker says it keeps the answer, in hours.
    pub fn retention_hours(&self) -> u32 {
        self.claims.retention_hours
    }

    /// Documents and fields asked for.
    pub fn documents(&self) -> &[RequestedDocument] {
        &self.claims.documents
    }

    /// Nonce: the answer's `cnonce`.
    pub fn nonce(&self) -> [u8; 16] {
        self.claims.nonce
    }

    /// Issued at.
    pub fn iat(&self) -> Timestamp {
        self.claims.iat
    }

    /// Expires at.
    pub fn exp(&self) -> Timestamp {
        self.claims.exp
    }

    /// SHA-256 of the exact COSE bytes: what the answer names.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// SHA-256 of the signed payload. A wallet that never answers one request twice remembers this one: the COSE bytes can be varied without the
    /// signer (an ECDSA signature has two forms), the payload cannot.
    pub fn once_key(&self) -> [u8; 32] {
        self.once
    }

    /// `x509_hash:` and the certificate's hash: the answer's `aud`.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// The exact COSE bytes, for the consent log.
    pub fn bytes(&self) -> &[u8] {
        &self.cose
    }

    pub(crate) fn key(&self) -> &PublicKey {
        &self.claims.key
    }
}
