//! Issuance by OpenID4VCI 1.0 with the pre-authorized code of the activation.
//!
//! Each document comes as a batch of copy sets: holder keys made together behind the key store, one attestation for all of them, both
//! formats for each key. Everything is verified before anything is stored; a batch is stored in one transaction or not at all, and the
//! journal lets the next try go on with the same keys.

mod batch;
pub(crate) mod copies;
pub(crate) mod journal;
mod messages;
mod verify;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod verify_tests;

use std::sync::Arc;

use wallet_base::fact::Verdict;
use wallet_documents::{DocumentType, types};
use wallet_platform::ports::Progress;

pub(crate) use messages::{Metadata, Offer};

use crate::activation::{Step, rows};
use crate::documents::{self, DocumentState};
use crate::error::WalletError;
use crate::inner::Inner;
use crate::{session, strays, trust};

/// What an issuance did.
#[derive(Clone, Debug)]
pub struct IssuanceReport {
    /// Facts about the credentials that came, by document.
    pub verdict: Verdict,
    /// One entry for each document that was tried.
    pub documents: Vec<IssuedDocument>,
}

/// What became of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedDocument {
    /// Document type id.
    pub id: String,
    /// Copy sets stored now; 0 when nothing was.
    pub copies: u32,
    /// Why nothing was stored, as a static word or fact name; empty when all went well.
    pub problem: String,
}

/// See [`crate::Wallet::obtain_documents`].
pub(crate) fn obtain(inner: &Inner) -> Result<IssuanceReport, WalletError> {
    let _act = inner.act()?;
    let (activation, ended) = inner.read(|db| Ok((rows::load(db)?, rows::is_ended(db)?)))?;
    if ended {
        return Err(WalletError::AccountEnded);
    }
    if activation.is_none_or(|a| a.step != Step::Complete) {
        return Err(WalletError::WrongStep);
    }
    trust::ensure(inner)?;
    let offer = session::offered(inner)?;
    let metadata = metadata(inner)?;
    let wanted: Vec<&'static DocumentType> = types::ALL.into_iter().filter(|kind| is_offered(&offer, &metadata, kind)).collect();
    let now = inner.now();
    inner.write(|db| {
        for kind in &wanted {
            if documents::state(db, kind.id)?.is_none() {
                documents::set_state(db, kind.id, DocumentState::Requested, now)?;
            }
        }
        Ok(())
    })?;
    // Documents that have copies already (an earlier try) are left to the refill.
    let missing = inner.read(|db| {
        let mut missing = Vec::new();
        for kind in &wanted {
            let wants = documents::state(db, kind.id)?.is_some_and(DocumentState::wants_copies);
            if wants && copies::stock(db, kind.id, now)?.fresh == 0 {
                missing.push(*kind);
            }
        }
        Ok(missing)
    })?;
    fill(inner, &metadata, &missing)
}

/// Copies that end sooner than this do not count as stock: a citizen who syncs once a week is never without.
const LOOK_AHEAD_SECS: i64 = 8 * 86_400;

/// Fills up every document whose stock fell to half, is about to end, or is out of date.
pub(crate) fn refill(inner: &Inner) -> Result<IssuanceReport, WalletError> {
    let then = inner.now().plus_secs(LOOK_AHEAD_SECS);
    let target = inner.config.copies;
    let low = inner.read(|db| {
        let mut low = Vec::new();
        for kind in types::ALL {
            let Some(state) = documents::state(db, kind.id)? else {
                continue;
            };
            let few = copies::stock(db, kind.id, then)?.fresh <= target / 2;
            if state.wants_copies() && (few || state == DocumentState::OutOfDate) {
                low.push(kind);
            }
        }
        Ok(low)
    })?;
    if low.is_empty() {
        return Ok(IssuanceReport { verdict: Verdict::default(), documents: Vec::new() });
    }
    let metadata = metadata(inner)?;
    fill(inner, &metadata, &low)
}

/// One batch for each document. What concerns one document only does not stop the others; the network, the store, the account's token and the
/// clock do.
fn fill(inner: &Inner, metadata: &Metadata, kinds: &[&'static DocumentType]) -> Result<IssuanceReport, WalletError> {
    let mut report = IssuanceReport { verdict: Verdict::default(), documents: Vec::new() };
    let mut stopped = Ok(());
    let total = u64::try_from(kinds.len()).unwrap_or(u64::MAX);
    for (done, kind) in (0_u64..).zip(kinds) {
        inner.progress(Progress { step: kind.id.to_owned(), done, total, ..Progress::default() });
        let (copies, problem) = match batch::run(inner, metadata, kind, &mut report.verdict) {
            Ok(copies) => (copies, String::new()),
            Err(WalletError::Untrusted(fact) | WalletError::Unchecked(fact)) => (0, fact.as_str().to_owned()),
            Err(WalletError::Answer(what)) => (0, what.to_owned()),
            // A refusal without a word is nobody's judgement of this document: it could not even be told as a problem.
            Err(WalletError::Service { status: 400 | 404 | 409, code }) if !code.is_empty() => (0, code),
            Err(other) => {
                stopped = Err(other);
                break;
            }
        };
        report.documents.push(IssuedDocument { id: kind.id.to_owned(), copies, problem });
    }
    // What came before it stopped is here to stay, and what it took the place of goes.
    let cleaned = clean_up(inner);
    if stopped.is_ok() || report.documents.iter().any(|document| document.copies > 0) {
        inner.tell("documents", "issued");
    }
    stopped.and(cleaned)?;
    inner.progress(Progress { step: "documents".to_owned(), done: total, total, ..Progress::default() });
    Ok(report)
}

/// How long an expired copy is kept: a clock set forward for a day must not empty the wallet.
const EXPIRED_KEPT_SECS: i64 = 7 * 86_400;

/// Drops what is spent or long expired, and every key that serves no copy any more.
pub(crate) fn clean_up(inner: &Inner) -> Result<(), WalletError> {
    let before = inner.now().plus_secs(-EXPIRED_KEPT_SECS);
    inner.write(|db| {
        copies::drop_expired(db, before)?;
        copies::forget_spent(db)
    })?;
    inner.bury_keys()?;
    strays::bury(inner)
}

fn is_offered(offer: &Offer, metadata: &Metadata, kind: &DocumentType) -> bool {
    formats(kind).iter().all(|(id, format)| offer.configurations.contains(id) && metadata.supports(id, format))
}

/// Configuration ids and formats of a document: both must be there for a copy set.
fn formats(kind: &DocumentType) -> [(String, &'static str); 2] {
    [(format!("{}.mdoc", kind.id), messages::FORMAT_MDOC), (format!("{}.sd-cwt", kind.id), messages::FORMAT_SD_CWT)]
}

/// The issuer's and its authorization server's metadata, fetched once in the life of the wallet object.
pub(crate) fn metadata(inner: &Inner) -> Result<Arc<Metadata>, WalletError> {
    if let Some(known) = inner.metadata() {
        return Ok(known);
    }
    let issuer = inner.service.get_json("/.well-known/openid-credential-issuer")?;
    let server = inner.service.get_json("/.well-known/oauth-authorization-server")?;
    let metadata = Arc::new(Metadata::read(&issuer, &server, &inner.service)?);
    inner.set_metadata(Arc::clone(&metadata));
    Ok(metadata)
}

/// Reads the offer of the activation.
pub(crate) fn read_offer(inner: &Inner, offer: &str) -> Result<Offer, WalletError> {
    let value = serde_json::from_str(offer).map_err(|_| WalletError::Answer("credential offer"))?;
    Offer::read(&value, inner.service.base())
}
