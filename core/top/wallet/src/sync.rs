//! Sync: trust, the change feed, documents' states, refill of copy sets, clean-up. Network work only; holding and showing never wait for it.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use wallet_base::fact::Verdict;
use wallet_base::time::Timestamp;
use wallet_documents::types;

use crate::activation::rows;
use crate::documents::{self, DocumentState};
use crate::error::WalletError;
use crate::inner::Inner;
use crate::issuance::{self, IssuedDocument, copies};
use crate::session;
use crate::trust;
use crate::wallet::StoreState;

/// Pages of the change feed taken in one sync.
const MAX_PAGES: u32 = 20;
/// Changes taken of one page.
const MAX_CHANGES: usize = 1_000;
/// Notices shown.
const MAX_NOTICES: u32 = 200;
const KINDS: [&str; 6] = ["issued", "suspended", "reinstated", "revoked", "changed", "device-replaced"];

/// One entry of the change feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The feed's own number.
    pub seq: i64,
    /// Document type id; empty when it is about the account.
    pub document: String,
    /// `issued`, `suspended`, `reinstated`, `revoked`, `changed` or `device-replaced`.
    pub kind: String,
    /// When.
    pub at: Timestamp,
}

/// What a sync did.
#[derive(Clone, Debug)]
pub struct SyncReport {
    /// Facts about trust, the clock, and every credential that was received.
    pub verdict: Verdict,
    /// Trust snapshot in use afterwards; `None` when there is none.
    pub trust_version: Option<u64>,
    /// New entries of the change feed.
    pub changes: Vec<Change>,
    /// The account is on another device now: nothing here can be shown any more, and an activation comes next.
    pub account_ended: bool,
    /// Documents whose copies were refilled.
    pub refilled: Vec<IssuedDocument>,
}

/// See [`crate::Wallet::sync`].
pub(crate) fn run(inner: &Inner) -> Result<SyncReport, WalletError> {
    let _act = inner.act()?;
    let mut verdict = Verdict::from(trust::update(inner)?);
    let mut report = SyncReport {
        verdict: Verdict::default(),
        trust_version: trust::current(inner)?.map(|trust| trust.version()),
        changes: Vec::new(),
        account_ended: false,
        refilled: Vec::new(),
    };
    if inner.state() == StoreState::Unlocked {
        if inner.read(has_account)? {
            report.changes = changes(inner)?;
        }
        // After the feed, whose service knows a clock that was set far forward; before the refill, so that nothing it meets keeps old copies here.
        issuance::clean_up(inner)?;
        // Asked anew: the change feed may have told that the account is on another device.
        if inner.read(has_account)? && trust::current(inner)?.is_some() {
            match issuance::refill(inner) {
                Ok(done) => {
                    verdict.extend(done.verdict.facts().to_vec());
                    report.refilled = done.documents;
                }
                Err(WalletError::AccountEnded) => (),
                Err(other) => return Err(other),
            }
        }
        report.account_ended = inner.read(rows::is_ended)?;
    }
    verdict.push(crate::clock::fact(inner)?.optional());
    report.verdict = verdict;
    inner.tell("documents", "synced");
    Ok(report)
}

fn has_account(db: &Connection) -> Result<bool, WalletError> {
    let ended = rows::is_ended(db)?;
    let account: Option<Option<String>> = db.query_row("SELECT account FROM account", [], |r| r.get(0)).optional()?;
    Ok(!ended && account.flatten().is_some())
}

/// Takes the change feed from the cursor on; each page is one transaction with its cursor, so that no change is lost or taken twice.
fn changes(inner: &Inner) -> Result<Vec<Change>, WalletError> {
    let mut all = Vec::new();
    for _ in 0..MAX_PAGES {
        let cursor = inner.read(cursor)?;
        let answer = match session::get(inner, &format!("/sync/changes?cursor={cursor}")) {
            Err(WalletError::AccountEnded) => return Ok(all),
            other => other?,
        };
        // An answer to somebody else, recorded and given again, is not ours.
        let account: Option<String> =
            inner.read(|db| Ok(db.query_row("SELECT account FROM account", [], |r| r.get(0)).optional()?.flatten()))?;
        if account.is_none() || answer.get("account").and_then(Value::as_str) != account.as_deref() {
            return Err(WalletError::Answer("change feed"));
        }
        let (page, next) = read_page(&answer, cursor)?;
        let now = inner.now();
        inner.write(|db| {
            for change in &page {
                apply(db, change)?;
            }
            for (document, state, as_of) in states(&answer, now) {
                apply_state(db, &document, state, as_of)?;
            }
            set_cursor(db, next)
        })?;
        let more = next > cursor && !page.is_empty();
        all.extend(page);
        if !more {
            break;
        }
    }
    Ok(all)
}

fn read_page(answer: &Value, cursor: i64) -> Result<(Vec<Change>, i64), WalletError> {
    let bad = || WalletError::Answer("change feed");
    let list = answer.get("changes").and_then(Value::as_array).filter(|l| l.len() <= MAX_CHANGES).ok_or_else(bad)?;
    let next = answer.get("cursor").and_then(Value::as_i64).filter(|next| *next >= cursor).ok_or_else(bad)?;
    let mut page = Vec::new();
    for item in list {
        let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
        let seq = item.get("seq").and_then(Value::as_i64).filter(|seq| *seq > cursor && *seq <= next).ok_or_else(bad)?;
        let kind = text("kind");
        let document = text("document");
        // A kind or document of a newer service is no reason to stop: the cursor goes on without it.
        if !KINDS.contains(&kind) || !(document.is_empty() || types::by_id(document).is_some()) {
            continue;
        }
        let at = time_of(item.get("at")).ok_or_else(bad)?;
        page.push(Change { seq, document: document.to_owned(), kind: kind.to_owned(), at });
    }
    Ok((page, next))
}

/// A time as RFC 3339 text or Unix seconds.
fn time_of(value: Option<&Value>) -> Option<Timestamp> {
    match value? {
        Value::String(text) => Timestamp::parse_rfc3339(text),
        Value::Number(number) => number.as_i64().map(Timestamp::from_unix),
        _ => None,
    }
}

/// The documents' present states, as the answer tells them.
fn states(answer: &Value, now: Timestamp) -> Vec<(String, DocumentState, Timestamp)> {
    let list = answer.get("documents").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .take(MAX_CHANGES)
        .filter_map(|item| {
            let id = item.get("id").and_then(Value::as_str).filter(|id| types::by_id(id).is_some())?;
            let state = match item.get("state").and_then(Value::as_str)? {
                "valid" | "issued" => DocumentState::Issued,
                "suspended" => DocumentState::Suspended,
                "revoked" | "ended" => DocumentState::Ended,
                "not-found" => DocumentState::NotFound,
                _ => return None,
            };
            Some((id.to_owned(), state, time_of(item.get("as_of")).unwrap_or(now)))
        })
        .collect()
}

fn apply(db: &Connection, change: &Change) -> Result<(), WalletError> {
    db.execute(
        "INSERT OR IGNORE INTO notice (seq, document, kind, at) VALUES (?1, ?2, ?3, ?4)",
        params![change.seq, change.document, change.kind, change.at.unix()],
    )?;
    // A device reads the feed of the citizen's earlier devices too: what happened before its own copies were issued is no news to it, and
    // only the device that is active can read the feed at all, so `device-replaced` speaks of another one.
    let news = documents::issued_at(db, &change.document)?.is_some_and(|issued| change.at >= issued);
    match change.kind.as_str() {
        "suspended" if news => documents::set_state(db, &change.document, DocumentState::Suspended, change.at),
        "reinstated" if news => documents::set_state(db, &change.document, DocumentState::Issued, change.at),
        "revoked" if news => end_document(db, &change.document, change.at),
        "changed" if news && documents::state(db, &change.document)? == Some(DocumentState::Issued) => {
            documents::set_state(db, &change.document, DocumentState::OutOfDate, change.at)
        }
        _ => Ok(()),
    }
}

/// The feed's summary corrects what single changes did not tell; it never brings copies back and never hides that values changed.
fn apply_state(db: &Connection, id: &str, state: DocumentState, as_of: Timestamp) -> Result<(), WalletError> {
    let Some(known) = documents::state(db, id)? else {
        return Ok(());
    };
    // A summary older than what is known, given again, makes nothing better than it is.
    let better = matches!((known, state), (DocumentState::Suspended | DocumentState::Ended, DocumentState::Issued));
    if better && documents::as_of(db, id)?.is_some_and(|known| as_of < known) {
        return Ok(());
    }
    match (known, state) {
        (_, DocumentState::Ended) if known != DocumentState::Ended => end_document(db, id, as_of),
        (DocumentState::OutOfDate | DocumentState::Requested, DocumentState::Issued) => Ok(()),
        (DocumentState::Ended, DocumentState::Issued) => documents::set_state(db, id, DocumentState::Requested, as_of),
        (known, state) if known != state => documents::set_state(db, id, state, as_of),
        _ => Ok(()),
    }
}

fn end_document(db: &Connection, id: &str, at: Timestamp) -> Result<(), WalletError> {
    copies::spend_all(db, id)?;
    documents::set_state(db, id, DocumentState::Ended, at)
}

/// Notes that the account moved to another device, once, and tells it.
pub(crate) fn end_account(inner: &Inner) -> Result<(), WalletError> {
    if inner.read(rows::is_ended)? {
        return Ok(());
    }
    let now = inner.now();
    inner.write(|db| end_everything(db, now))?;
    inner.tell("account", "ended");
    Ok(())
}

/// The account moved to another device: nothing here can be shown any more.
fn end_everything(db: &Connection, at: Timestamp) -> Result<(), WalletError> {
    rows::end_account(db)?;
    for kind in types::ALL {
        if documents::state(db, kind.id)?.is_some() {
            end_document(db, kind.id, at)?;
        }
    }
    Ok(())
}

pub(crate) fn cursor(db: &Connection) -> Result<i64, WalletError> {
    let text: Option<String> = db.query_row("SELECT value FROM setting WHERE name = 'cursor'", [], |r| r.get(0)).optional()?;
    Ok(text.and_then(|t| t.parse().ok()).unwrap_or(0))
}

fn set_cursor(db: &Connection, cursor: i64) -> Result<(), WalletError> {
    db.execute(
        "INSERT INTO setting (name, value) VALUES ('cursor', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1",
        [cursor.to_string()],
    )?;
    Ok(())
}

/// See [`crate::Wallet::notices`].
pub(crate) fn notices(db: &Connection) -> Result<Vec<Change>, WalletError> {
    let mut statement = db.prepare_cached("SELECT seq, document, kind, at FROM notice ORDER BY seq DESC LIMIT ?1")?;
    let rows = statement.query_map([MAX_NOTICES], |r| {
        Ok(Change { seq: r.get(0)?, document: r.get(1)?, kind: r.get(2)?, at: Timestamp::from_unix(r.get(3)?) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn feed() -> Value {
        json!({"changes": [{"seq": 4, "document": "driving-licence", "kind": "suspended", "at": "2026-11-21T08:00:00Z"},
                           {"seq": 5, "document": "moon-permit", "kind": "issued", "at": "2026-11-21T08:00:00Z"}],
               "cursor": 5, "documents": [{"id": "driving-licence", "state": "suspended", "as_of": "2026-11-21T08:00:00Z"}]})
    }

    #[test]
    fn a_page_is_taken_once_and_newer_kinds_are_skipped() {
        let (page, next) = read_page(&feed(), 3).unwrap();
        assert_eq!((page.len(), next, page[0].seq), (1, 5, 4));
        // Behind the cursor, or a cursor that goes back: refused.
        assert!(read_page(&feed(), 4).is_err());
        assert!(read_page(&feed(), 6).is_err());
    }

    #[test]
    fn a_suspended_document_keeps_its_copies_a_revoked_one_loses_them() {
        let db = copies::tests::database();
        copies::tests::add(&db, "k", 0, 100);
        let change = |kind: &str, seq| Change { seq, document: "driving-licence".into(), kind: kind.into(), at: Timestamp::from_unix(9) };
        apply(&db, &change("suspended", 1)).unwrap();
        assert_eq!(documents::state(&db, "driving-licence").unwrap(), Some(DocumentState::Suspended));
        assert_eq!(copies::stock(&db, "driving-licence", Timestamp::from_unix(1)).unwrap().fresh, 1);
        apply(&db, &change("reinstated", 2)).unwrap();
        assert_eq!(documents::state(&db, "driving-licence").unwrap(), Some(DocumentState::Issued));
        apply(&db, &change("revoked", 3)).unwrap();
        assert_eq!(documents::state(&db, "driving-licence").unwrap(), Some(DocumentState::Ended));
        assert_eq!(copies::stock(&db, "driving-licence", Timestamp::from_unix(1)).unwrap().fresh, 0);
        assert_eq!(notices(&db).unwrap().len(), 3);
    }

    #[test]
    fn what_changed_stays_out_of_date_until_new_copies_are_there() {
        let db = copies::tests::database();
        let at = Timestamp::from_unix(9);
        apply(&db, &Change { seq: 1, document: "driving-licence".into(), kind: "changed".into(), at }).unwrap();
        apply_state(&db, "driving-licence", DocumentState::Issued, at).unwrap();
        assert_eq!(documents::state(&db, "driving-licence").unwrap(), Some(DocumentState::OutOfDate));
    }

    #[test]
    fn the_past_of_an_earlier_device_is_no_news() {
        let db = copies::tests::database();
        copies::tests::add(&db, "k", 0, 100);
        let change =
            |kind: &str, document: &str, at| Change { seq: at, document: document.into(), kind: kind.into(), at: Timestamp::from_unix(at) };
        for (at, kind) in [(1, "suspended"), (2, "revoked"), (3, "device-replaced")] {
            apply(&db, &change(kind, "driving-licence", at)).unwrap();
        }
        assert_eq!(documents::state(&db, "driving-licence").unwrap(), Some(DocumentState::Issued));
        assert!(copies::choose(&db, "driving-licence", Timestamp::from_unix(1)).unwrap().is_some());
        assert_eq!(notices(&db).unwrap().len(), 3);
    }

    #[test]
    fn bad_input_an_old_summary_given_again_reinstates_nothing() {
        let db = copies::tests::database();
        let at = Timestamp::from_unix(9);
        documents::set_state(&db, "driving-licence", DocumentState::Suspended, at).unwrap();
        apply_state(&db, "driving-licence", DocumentState::Issued, at.plus_secs(-1)).unwrap();
        assert_eq!(documents::state(&db, "driving-licence").unwrap(), Some(DocumentState::Suspended));
        apply_state(&db, "driving-licence", DocumentState::Issued, at.plus_secs(1)).unwrap();
        assert_eq!(documents::state(&db, "driving-licence").unwrap(), Some(DocumentState::Issued));
        // What is worse is taken whatever its date: this device's own clock may have dated what it knows.
        apply_state(&db, "driving-licence", DocumentState::Suspended, at).unwrap();
        assert_eq!(documents::state(&db, "driving-licence").unwrap(), Some(DocumentState::Suspended));
    }

    #[test]
    fn an_account_that_moved_leaves_nothing_to_show() {
        let db = copies::tests::database();
        copies::tests::add(&db, "k", 0, 100);
        end_everything(&db, Timestamp::from_unix(9)).unwrap();
        assert_eq!(documents::state(&db, "driving-licence").unwrap(), Some(DocumentState::Ended));
        assert!(copies::choose(&db, "driving-licence", Timestamp::from_unix(1)).unwrap().is_none());
    }
}
