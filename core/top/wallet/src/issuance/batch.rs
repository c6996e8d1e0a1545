//! One batch of one document, from keys to stored copy sets.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wallet_base::crypto::PublicKey;
use wallet_base::fact::{By, Fact, FactName, Outcome, Verdict};
use wallet_base::jose::{b64u, b64u_decode};
use wallet_credential::status::{MAX_TOKEN_BYTES, StatusLists, UnverifiedStatusList};
use wallet_documents::DocumentType;
use wallet_platform::ports::{KeyClass, KeyId};

use super::copies::{self, NewCopy};
use super::journal::{self, Batch};
use super::messages::{self, Metadata};
use super::verify::{self, Received, VerifiedCopy};
use crate::clock;
use crate::documents::{self, DocumentState};
use crate::error::WalletError;
use crate::inner::Inner;
use crate::session;
use crate::trust::{self, Trust};

/// A batch older than this is not continued: what was issued for it then may be stale.
const MAX_AGE_SECS: i64 = 86_400;

/// Obtains, verifies and stores one batch. Gives the number of copy sets stored.
pub(super) fn run(inner: &Inner, metadata: &Metadata, kind: &'static DocumentType, verdict: &mut Verdict) -> Result<u32, WalletError> {
    let trust = trust::current(inner)?.ok_or(WalletError::Unchecked(FactName::TrustSignature))?;
    let batch = registered_batch(inner, metadata, kind)?;
    let [mdocs, sd_cwts] = match receive(inner, metadata, kind, &batch) {
        Err(WalletError::Service { status, code }) if matches!(code.as_str(), "unknown_key" | "key_used_for_other_document") => {
            // These keys lead nowhere: the next try makes new ones.
            inner.write(|db| journal::abandon(db, batch.id))?;
            return Err(WalletError::Service { status, code });
        }
        other => other?,
    };
    let received: Vec<Received<'_>> =
        batch.keys.iter().zip(mdocs.iter().zip(&sd_cwts)).map(|((_, key), (mdoc, sd_cwt))| Received { mdoc, sd_cwt, key }).collect();
    let lists = fetch_lists(inner, &trust, &received, verdict)?;
    let verified = verify_all(inner, kind, &received, &trust, &lists, verdict)?;
    let copies: Vec<NewCopy> = batch
        .keys
        .iter()
        .zip(&received)
        .zip(&verified)
        .map(|(((key_id, key), received), verified)| NewCopy {
            key_id: key_id.clone(),
            public_key: key.clone(),
            mdoc: received.mdoc.to_vec(),
            sd_cwt: received.sd_cwt.to_vec(),
            valid_from: verified.valid_from,
            valid_until: verified.valid_until,
        })
        .collect();
    let newest = verified.first().ok_or(WalletError::Answer("credential response"))?;
    let now = inner.now();
    inner.write(|db| {
        if !journal::finish(db, batch.id)? {
            return Err(WalletError::Internal("the batch is gone"));
        }
        if documents::state(db, kind.id)? == Some(DocumentState::OutOfDate) {
            // Older copies say what is no longer so.
            copies::spend_all(db, kind.id)?;
        }
        documents::set_issued(db, &newest.attributes, now)?;
        copies.iter().try_for_each(|copy| copies::insert(db, kind.id, copy))
    })?;
    Ok(u32::try_from(copies.len()).unwrap_or(u32::MAX))
}

/// The batch under way, or a new one; its keys known to the wallet provider.
///
/// A batch is given up when it is a day old, or when the wallet provider neither takes its evidence (the challenge ran out while the phone
/// was off) nor knows its keys (an answer that was lost).
fn registered_batch(inner: &Inner, metadata: &Metadata, kind: &DocumentType) -> Result<Batch, WalletError> {
    if let Some(batch) = inner.read(|db| journal::load(db, kind.id))? {
        let young = inner.now() < batch.created_at.plus_secs(MAX_AGE_SECS);
        if young && (batch.registered || register(inner, metadata, &batch)?) {
            return Ok(batch);
        }
        inner.write(|db| journal::abandon(db, batch.id))?;
    }
    let batch = new_batch(inner, metadata, kind)?;
    if register(inner, metadata, &batch)? { Ok(batch) } else { Err(WalletError::Answer("key registration")) }
}

/// Makes the keys and writes them down before anybody hears of them.
fn new_batch(inner: &Inner, metadata: &Metadata, kind: &DocumentType) -> Result<Batch, WalletError> {
    let answer = session::post(inner, "/wallet-provider/challenge", &json!({}))?;
    let challenge = messages::opaque(&answer, "challenge", "wallet provider challenge")?;
    let n = inner.config.copies.min(metadata.batch);
    let bytes = b64u_decode(&challenge).map_err(|_| WalletError::Answer("wallet provider challenge"))?;
    let created = inner.keys().create_keys(KeyClass::Holder, n, &bytes)?;
    let distinct: BTreeSet<&KeyId> = created.keys.iter().map(|(id, _)| id).collect();
    if created.keys.len() != usize::try_from(n).unwrap_or(usize::MAX) || distinct.len() != created.keys.len() {
        return Err(WalletError::Internal("the key store gave another number of keys"));
    }
    let now = inner.now();
    inner.write(|db| journal::begin(db, kind.id, &challenge, &created, now))
}

/// Whether the wallet provider knows the batch's keys now.
fn register(inner: &Inner, metadata: &Metadata, batch: &Batch) -> Result<bool, WalletError> {
    let body = json!({"challenge": batch.challenge, "evidence": b64u(&batch.evidence)});
    let refused = |error: &WalletError| matches!(error, WalletError::Service { status: 400 | 404 | 409, .. });
    match session::post(inner, "/wallet-provider/keys", &body) {
        Ok(answer) => {
            // The answer names the keys: one about others says nothing about these.
            let named = answer.get("registered").and_then(Value::as_array).ok_or(WalletError::Answer("key registration"))?;
            let ours: BTreeSet<String> = batch.keys.iter().map(|(_, key)| b64u(&key.thumbprint())).collect();
            if named.len() != ours.len() || !named.iter().all(|key| key.as_str().is_some_and(|key| ours.contains(key))) {
                return Err(WalletError::Answer("key registration"));
            }
        }
        // A challenge is good once. If only the answer was lost, the keys are known and can be attested.
        Err(error) if refused(&error) => match attestation(inner, metadata, batch) {
            Ok(_) => {}
            Err(error) if refused(&error) => return Ok(false),
            Err(error) => return Err(error),
        },
        Err(error) => return Err(error),
    }
    inner.write(|db| journal::set_registered(db, batch.id))?;
    Ok(true)
}

/// One token for all keys of the batch, over a fresh nonce of the issuer (OpenID4VCI 1.0, appendix D).
fn attestation(inner: &Inner, metadata: &Metadata, batch: &Batch) -> Result<String, WalletError> {
    let keys: Vec<Value> = batch.keys.iter().map(|(_, key)| key.to_jwk()).collect();
    let nonce = inner.service.post(&metadata.nonce, &json!({}))?;
    let nonce = messages::opaque(&nonce, "c_nonce", "nonce response")?;
    let answer = session::post(inner, "/wallet-provider/attestation", &json!({"keys": keys, "nonce": nonce}))?;
    let token = answer.get("key_attestation").and_then(Value::as_str).ok_or(WalletError::Answer("key attestation"))?;
    Ok(token.to_owned())
}

/// Both formats for every key of the batch, as they came: mdocs, then SD-CWTs.
fn receive(inner: &Inner, metadata: &Metadata, kind: &DocumentType, batch: &Batch) -> Result<[Vec<Vec<u8>>; 2], WalletError> {
    let mut out = [Vec::new(), Vec::new()];
    for ((configuration, _), credentials) in super::formats(kind).iter().zip(&mut out) {
        let attestation = attestation(inner, metadata, batch)?;
        let request = messages::credential_request(configuration, &attestation);
        let response = session::post(inner, &metadata.credential, &request)?;
        *credentials = messages::credentials(&response, batch.keys.len())?;
    }
    Ok(out)
}

/// Fetches every shard the batch names, once. An address outside the service is not followed: the status stays not-checked.
fn fetch_lists(inner: &Inner, trust: &Trust, received: &[Received<'_>], verdict: &mut Verdict) -> Result<StatusLists, WalletError> {
    let mut uris = BTreeSet::new();
    for copy in received {
        uris.extend(verify::status_of(copy)?.into_iter().flatten().map(|status| status.uri));
    }
    let mut lists = StatusLists::new();
    for uri in uris {
        let Some(path) = inner.service.path_of(&uri) else {
            continue;
        };
        let bytes = inner.service.get_bytes(path, MAX_TOKEN_BYTES)?;
        let list = UnverifiedStatusList::decode(&bytes).map_err(|_| WalletError::Answer("status list"))?;
        let (facts, list) = list.verify(trust.targets(), &uri, inner.now(), By::Wallet);
        let failed = facts.iter().find(|fact| fact.outcome() == Outcome::Failed).map(Fact::name);
        // Which list: `driving-licence/2026-W51`.
        verdict.extend(facts.into_iter().map(|fact| fact.about(path.trim_start_matches("/status/"))));
        if let Some(fact) = failed {
            return Err(WalletError::Untrusted(fact));
        }
        if let Some(list) = list {
            clock::observe_dated(inner, list.issued_at())?;
            lists.insert(list);
        }
    }
    Ok(lists)
}

/// Every copy must pass every clause, all must show the same document, and no two may share a key or a status entry.
fn verify_all(
    inner: &Inner,
    kind: &'static DocumentType,
    received: &[Received<'_>],
    trust: &Trust,
    lists: &StatusLists,
    verdict: &mut Verdict,
) -> Result<Vec<VerifiedCopy>, WalletError> {
    let now = inner.now();
    let mut verified: Vec<VerifiedCopy> = Vec::new();
    let mut entries = BTreeSet::new();
    let mut keys: Vec<&PublicKey> = Vec::new();
    for copy in received {
        let (facts, result) = verify::verify_copy(kind, copy, trust.targets(), lists, now);
        // One copy's facts stand for the batch; a copy that fails speaks for itself.
        if verified.is_empty() || result.is_err() {
            verdict.extend(facts);
        }
        let result = result?;
        let fresh = result.status.iter().all(|status| entries.insert((status.uri.clone(), status.index)));
        if !fresh || keys.contains(&copy.key) {
            return Err(WalletError::Answer("batch: copies can be linked"));
        }
        if verified.first().is_some_and(|first| first.attributes != result.attributes) {
            return Err(WalletError::Answer("batch: copies differ"));
        }
        keys.push(copy.key);
        verified.push(result);
    }
    Ok(verified)
}
