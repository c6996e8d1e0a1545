//! Reading and judging a scanned request.

use std::sync::Arc;

use wallet_base::crypto::sha256;
use wallet_base::fact::{By, Fact, FactName, Outcome, Verdict};
use wallet_base::time::Timestamp;
use wallet_documents::{DocumentType, RoleTable, types};
use wallet_exchange::{ExchangeError, ReaderTrust, RequestedDocument, UnverifiedRequest, VerifiedRequest};

use super::{PendingRequest, RequestItem, RequestView};
use crate::consent::{self, ConsentOutcome, NewEntry, Who};
use crate::error::WalletError;
use crate::inner::Inner;
use crate::issuance::copies;
use crate::trust::{self, Trust};
use crate::{clock, documents};

/// See [`crate::Wallet::open_request`].
pub(crate) fn open(inner: &Arc<Inner>, text: &str) -> Result<PendingRequest, WalletError> {
    let unverified = UnverifiedRequest::decode_text(text).map_err(not_a_request)?;
    let trust = trust::current(inner)?.ok_or(WalletError::Unchecked(FactName::RequestChain))?;
    let now = inner.now();
    let readers = ReaderTrust::from(trust.targets());
    let clock = clock::fact(inner)?;
    let (facts, verified) = unverified.verify(&readers, now);
    let (facts, verified) = under_clock(facts, verified, &clock);
    let bytes = verified.as_ref().map_or_else(|| text.as_bytes().to_vec(), |request| request.bytes().to_vec());
    let mut verdict = Verdict::from(facts);
    let hash = verified.as_ref().map_or_else(|| sha256(&bytes), VerifiedRequest::once_key);
    let answered_before = inner.read(|db| consent::was_answered(db, &hash))?;
    let mut items = Vec::new();
    match &verified {
        Some(request) => {
            let (fact, excess) = judge_role(request, trust.roles());
            let over_ask = fact.outcome() == Outcome::Failed;
            verdict.push(fact);
            items = list_items(inner, request, &excess, over_ask || answered_before, now)?;
        }
        None => verdict.push(Fact::not_checked(FactName::RequestRole, By::Wallet, "depends on the request")),
    }
    verdict.push(trust.freshness(now));
    verdict.push(clock);
    let view = verified.as_ref().map(|request| view_of(request, &trust));
    let pending = PendingRequest { inner: Arc::clone(inner), verdict, verified, view, items, bytes, hash, answered_before };
    if let Some(fact) = pending.refusal() {
        // Nobody is going to answer this one: the log keeps who tried what.
        let entry = NewEntry {
            at: now,
            request_hash: &pending.hash,
            request: &pending.bytes,
            who: Who::default(),
            document: "",
            fields: &[],
            copy_set: None,
            outcome: ConsentOutcome::Failed,
            reason: fact.as_str(),
        };
        inner.write(|db| consent::insert(db, &entry))?;
    }
    Ok(pending)
}

/// With a clock that is known to be wrong nothing can be said about the times of a request or its certificate: it is told once, by the fact
/// `clock`.
fn under_clock(facts: Vec<Fact>, verified: Option<VerifiedRequest>, clock: &Fact) -> (Vec<Fact>, Option<VerifiedRequest>) {
    if clock.outcome() != Outcome::Failed {
        return (facts, verified);
    }
    let unknown = |fact: Fact| {
        let depends = matches!(fact.name(), FactName::RequestChain | FactName::RequestTime);
        if depends { Fact::not_checked(fact.name(), By::Wallet, "depends on clock") } else { fact }
    };
    (facts.into_iter().map(unknown).collect(), None)
}

fn not_a_request(error: ExchangeError) -> WalletError {
    WalletError::NotARequest(error.problem())
}

/// `request.role`: nothing is asked that the role may not have, for a purpose it may name, kept no longer than it may. Gives the
/// fields that are too much; when purpose or retention is wrong, every field is.
fn judge_role(request: &VerifiedRequest, roles: &RoleTable) -> (Fact, Vec<(String, String)>) {
    let every = || request.documents().iter().flat_map(fields_of).collect();
    let failed = |detail: String| Fact::failed(FactName::RequestRole, By::Wallet, detail);
    let Some(role) = roles.role(request.role()) else {
        return (failed("the role is not in the table".to_owned()), every());
    };
    if !role.purpose_allowed(request.purpose()) {
        return (failed("the role may not name this purpose".to_owned()), every());
    }
    if request.retention_hours() > role.max_retention_hours() {
        return (failed(format!("kept longer than {} hours", role.max_retention_hours())), every());
    }
    let excess: Vec<(String, String)> = request
        .documents()
        .iter()
        .flat_map(|asked| {
            let over = roles.over_ask(request.role(), &asked.document, asked.fields.iter().map(String::as_str));
            over.into_iter().map(|field| (asked.document.clone(), field)).collect::<Vec<_>>()
        })
        .collect();
    if excess.is_empty() {
        return (Fact::passed(FactName::RequestRole, By::Wallet), excess);
    }
    let names: Vec<String> = excess.iter().map(|(document, field)| format!("{document}.{field}")).collect();
    (failed(format!("may not ask for {}", names.join(", "))), excess)
}

fn fields_of(asked: &RequestedDocument) -> Vec<(String, String)> {
    asked.fields.iter().map(|field| (asked.document.clone(), field.clone())).collect()
}

/// What is asked for, with what the wallet has. One document fits into one answer: the first that is there is the default.
fn list_items(
    inner: &Inner,
    request: &VerifiedRequest,
    excess: &[(String, String)],
    nothing_by_default: bool,
    now: Timestamp,
) -> Result<Vec<RequestItem>, WalletError> {
    let mut items = Vec::new();
    let mut chosen: Option<&str> = None;
    for asked in request.documents() {
        let kind = types::by_id(&asked.document);
        let held = match kind {
            Some(kind) => inner.read(|db| held_fields(db, kind, now))?,
            None => Vec::new(),
        };
        for id in &asked.fields {
            let field = kind.and_then(|kind| kind.field(id));
            let over_ask = excess.contains(&(asked.document.clone(), id.clone()));
            let available = field.is_some_and(|field| held.contains(&field.id));
            let sensitive = field.is_some_and(|field| field.sensitive);
            let mut selected = available && !over_ask && !sensitive && !nothing_by_default;
            if selected {
                selected = *chosen.get_or_insert(&asked.document) == asked.document;
            }
            items.push(RequestItem {
                document: asked.document.clone(),
                field: id.clone(),
                label: field.map(|field| field.label.to_owned()).unwrap_or_default(),
                available,
                over_ask,
                sensitive,
                selected,
            });
        }
    }
    Ok(items)
}

/// Fields that two QRs can carry now: a copy can be shown, the document has a value, and it fits into one symbol.
fn held_fields(db: &rusqlite::Connection, kind: &'static DocumentType, now: Timestamp) -> Result<Vec<&'static str>, WalletError> {
    if copies::stock(db, kind.id, now)?.fresh == 0 {
        return Ok(Vec::new());
    }
    let Some(attributes) = documents::attributes(db, kind)? else {
        return Ok(Vec::new());
    };
    Ok(attributes.iter().filter(|(field, _)| field.claim.is_some() && field.single_symbol).map(|(field, _)| field.id).collect())
}

fn view_of(request: &VerifiedRequest, trust: &Trust) -> RequestView {
    let role = trust.roles().role(request.role());
    let label = |language: &str| role.map(|role| role.label(language).to_owned()).unwrap_or_default();
    RequestView {
        organisation: request.organisation().to_owned(),
        role: request.role().to_owned(),
        role_vi: label("vi"),
        role_en: label("en"),
        device: request.device().to_owned(),
        place: request.place().to_owned(),
        purpose: request.purpose().to_owned(),
        legal_basis: request.legal_basis().to_owned(),
        retention_hours: request.retention_hours(),
        issued_at: request.iat(),
        expires_at: request.exp(),
    }
}
