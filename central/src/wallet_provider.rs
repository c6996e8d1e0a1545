//! The wallet provider's part: judges what a platform says about keys and turns it into one key attestation (OpenID4VCI 1.0, appendix D).

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Value, json};
use wallet_base::crypto::{Curve, PublicKey, Signer, sha256};
use wallet_base::jose::{Jws, b64u, b64u_decode, sign_compact};

use crate::clock;
use crate::error::{ApiError, CentralError};
use crate::metadata::BATCH;
use crate::service::Service;
use crate::tokens::Caller;

/// Label of `c_nonce` values.
pub(crate) const C_NONCE: &str = "c_nonce";
/// Life of a challenge.
const CHALLENGE_LIFE: i64 = 600;
/// Life of a key attestation.
const ATTESTATION_LIFE: i64 = 300;
/// Most keys in one piece of evidence.
const MAX_KEYS: usize = 200;
/// Most keys a device may have registered and not used for a credential.
const MAX_UNUSED: i64 = 2000;
/// What software keys sign to prove themselves, before challenge, x and y.
const SOFTWARE_LABEL: &[u8] = b"wallet-software-evidence-v1";

const BAD_EVIDENCE: ApiError = ApiError::new(400, "invalid_evidence", "the evidence does not hold");

/// Body of `POST /wallet-provider/keys`.
#[derive(Deserialize)]
pub(crate) struct Keys {
    challenge: String,
    evidence: String,
}

/// Body of `POST /wallet-provider/attestation`.
#[derive(Deserialize)]
pub(crate) struct Attestation {
    keys: Vec<Value>,
    nonce: String,
}

/// Evidence of keys that live in software: each signs a challenge of ours.
#[derive(Deserialize)]
struct SoftwareEvidence {
    fmt: String,
    challenge: String,
    proofs: Vec<String>,
    keys: Vec<Value>,
}

impl Service {
    /// `POST /wallet-provider/challenge`.
    pub(crate) fn provider_challenge(&self, connection: &mut Connection, caller: &Caller) -> Result<Value, ApiError> {
        let challenge = self.random_bytes::<32>();
        connection.execute(
            "INSERT INTO challenges (citizen, hash, until) VALUES (?1, ?2, ?3)",
            params![caller.citizen, sha256(&challenge).as_slice(), self.now().plus_secs(CHALLENGE_LIFE).unix()],
        )?;
        Ok(json!({"challenge": b64u(&challenge)}))
    }

    /// `POST /wallet-provider/keys`.
    pub(crate) fn provider_keys(&self, connection: &mut Connection, caller: &Caller, body: &Keys) -> Result<Value, ApiError> {
        let challenge = b64u_decode(&body.challenge).map_err(|_| ApiError::invalid("the challenge is not base64url"))?;
        let evidence = b64u_decode(&body.evidence).map_err(|_| ApiError::invalid("the evidence is not base64url"))?;
        let now = self.now();
        let transaction = clock::begin(connection, now)?;
        // A challenge is good once, whatever comes of it.
        let taken = transaction.execute(
            "DELETE FROM challenges WHERE citizen = ?1 AND hash = ?2 AND until >= ?3",
            params![caller.citizen, sha256(&challenge).as_slice(), now.unix()],
        )?;
        if taken != 1 {
            return Err(ApiError::new(400, "invalid_nonce", "unknown, used or expired challenge"));
        }
        let judged = self.judge_evidence(&evidence, &challenge);
        if let Ok((kind, keys)) = &judged {
            for key in keys {
                transaction.execute(
                    "INSERT INTO holder_keys (citizen, thumbprint, epoch, evidence_kind, registered_at) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO NOTHING",
                    params![caller.citizen, key.thumbprint().as_slice(), caller.epoch, kind, now.unix()],
                )?;
                // A key of another citizen or device was there already: nothing is registered.
                owned(&transaction, caller, key)?;
            }
            let unused: i64 = transaction.query_row(
                "SELECT COUNT(*) FROM holder_keys WHERE citizen = ?1 AND epoch = ?2 AND document IS NULL",
                (&caller.citizen, caller.epoch),
                |row| row.get(0),
            )?;
            if unused > MAX_UNUSED {
                return Err(ApiError::new(400, "too_many_keys", "too many keys wait for a credential"));
            }
        }
        transaction.commit().map_err(CentralError::from)?;
        let (_, keys) = judged?;
        Ok(json!({"registered": keys.iter().map(|key| b64u(&key.thumbprint())).collect::<Vec<_>>()}))
    }

    /// Whether any key store can be accepted. Software evidence is the only kind that is judged yet, so without leave for it no key of a phone could
    /// ever be attested; an activation is refused too, since it would end the citizen's old device for nothing.
    pub(crate) fn accept_key_store(&self) -> Result<(), ApiError> {
        if self.allow_software_keys { Ok(()) } else { Err(ApiError::new(403, "software_keys_not_allowed", "keys must live in hardware")) }
    }

    /// Which keys the evidence proves, for exactly this challenge.
    fn judge_evidence(&self, evidence: &[u8], challenge: &[u8]) -> Result<(&'static str, Vec<PublicKey>), ApiError> {
        let evidence: SoftwareEvidence =
            serde_json::from_slice(evidence).map_err(|_| ApiError::new(400, "invalid_evidence", "a kind of evidence that is not known"))?;
        if evidence.fmt != "software" {
            return Err(ApiError::new(400, "invalid_evidence", "a kind of evidence that is not known"));
        }
        self.accept_key_store()?;
        let count = evidence.keys.len();
        if count == 0 || count > MAX_KEYS || evidence.proofs.len() != count || evidence.challenge != b64u(challenge) {
            return Err(BAD_EVIDENCE);
        }
        let mut keys: Vec<PublicKey> = Vec::with_capacity(count);
        for (jwk, proof) in evidence.keys.iter().zip(&evidence.proofs) {
            let key = holder_key(jwk)?;
            let (x, y) = key.coordinates();
            let message = [SOFTWARE_LABEL, challenge, &x, &y].concat();
            let signature = b64u_decode(proof).map_err(|_| BAD_EVIDENCE)?;
            key.verify(&message, &signature).map_err(|_| BAD_EVIDENCE)?;
            if keys.contains(&key) {
                return Err(BAD_EVIDENCE);
            }
            keys.push(key);
        }
        Ok(("software", keys))
    }

    /// `POST /wallet-provider/attestation`.
    pub(crate) fn provider_attestation(&self, connection: &Connection, caller: &Caller, body: &Attestation) -> Result<Value, ApiError> {
        if body.keys.is_empty() {
            return Err(ApiError::invalid("no key"));
        }
        if body.keys.len() > BATCH {
            return Err(ApiError::new(400, "batch_too_large", "more keys than one batch may have"));
        }
        if !self.nonce_is_good(C_NONCE, &body.nonce) {
            return Err(ApiError::new(400, "invalid_nonce", "not a fresh nonce of this issuer"));
        }
        let mut jwks = Vec::with_capacity(body.keys.len());
        let mut kinds: Vec<String> = Vec::new();
        for jwk in &body.keys {
            let key = holder_key(jwk)?;
            kinds.push(owned(connection, caller, &key)?);
            jwks.push(key.to_jwk());
        }
        kinds.sort_unstable();
        kinds.dedup();
        let now = self.now();
        let public = self.keys.wallet_provider.public_key();
        let header = json!({"alg": "ES256", "typ": "key-attestation+jwt", "kid": b64u(&public.thumbprint())});
        let payload = json!({
            "iss": self.config.public_url, "iat": now.unix(), "exp": now.plus_secs(ATTESTATION_LIFE).unix(),
            "attested_keys": jwks, "nonce": body.nonce, "key_storage": kinds,
        });
        let token = sign_compact(&header, &payload, &self.keys.wallet_provider).map_err(|_| ApiError::server())?;
        Ok(json!({"key_attestation": token}))
    }

    /// Verifies a key attestation as a credential endpoint must, and gives its keys in order.
    pub(crate) fn attested_keys(&self, attestation: &str) -> Result<Vec<PublicKey>, ApiError> {
        let jws = Jws::parse(attestation).map_err(|_| ApiError::proof("the attestation is not a JWT"))?;
        if jws.header_text("typ") != Some("key-attestation+jwt") {
            return Err(ApiError::proof("the proof is not a key attestation"));
        }
        jws.verify(&self.keys.wallet_provider.public_key())
            .map_err(|_| ApiError::proof("the attestation is not by a known wallet provider"))?;
        let now = self.now().unix();
        if jws.integer("exp").is_none_or(|exp| now >= exp) || jws.integer("iat").is_none_or(|iat| iat > now + 60) {
            return Err(ApiError::proof("the attestation expired"));
        }
        if !jws.text("nonce").is_some_and(|nonce| self.nonce_is_good(C_NONCE, nonce)) {
            return Err(ApiError::new(400, "invalid_nonce", "not a fresh nonce of this issuer"));
        }
        let list = jws.payload().get("attested_keys").and_then(Value::as_array).ok_or(ApiError::proof("no attested keys"))?;
        if list.is_empty() || list.len() > BATCH {
            return Err(ApiError::new(400, "batch_too_large", "no key, or more than one batch may have"));
        }
        let keys = list.iter().map(holder_key).collect::<Result<Vec<_>, _>>()?;
        for (index, key) in keys.iter().enumerate() {
            if keys.iter().skip(index + 1).any(|other| other == key) {
                return Err(ApiError::proof("a key comes twice"));
            }
        }
        Ok(keys)
    }
}

fn holder_key(jwk: &Value) -> Result<PublicKey, ApiError> {
    PublicKey::from_jwk(jwk)
        .ok()
        .filter(|key| key.curve() == Curve::P256 && jwk.get("d").is_none())
        .ok_or(ApiError::invalid("a key cannot be used"))
}

/// The kind of evidence of a key registered by this device; refuses any other key.
pub(crate) fn owned(connection: &Connection, caller: &Caller, key: &PublicKey) -> Result<String, ApiError> {
    connection
        .query_row(
            "SELECT evidence_kind FROM holder_keys WHERE citizen = ?1 AND thumbprint = ?2 AND epoch = ?3",
            params![caller.citizen, key.thumbprint().as_slice(), caller.epoch],
            |row| row.get(0),
        )
        .optional()?
        .ok_or(ApiError::new(400, "unknown_key", "a key is not registered by this device"))
}
