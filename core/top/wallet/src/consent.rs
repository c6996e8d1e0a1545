//! The consent log: who was shown which fields, for what, when, and how it ended. No disclosed values.
//!
//! The intent is written before anything is shown (`outcome` empty); an intent found open when the wallet opens was interrupted and counts
//! as failed. The verifier's signed request is kept as it arrived, so that the citizen can prove what was asked.

use rusqlite::{Connection, OptionalExtension, params};
use wallet_base::time::Timestamp;

use crate::error::WalletError;

/// Entries [`crate::Wallet::consent_log`] gives at most, newest first.
const MAX_SHOWN: u32 = 1_000;
/// Failed and declined entries kept; shown ones are never dropped by count. Bounds what a hostile poster of QRs can fill.
const MAX_NOT_SHOWN: u32 = 2_000;

/// How an act of consent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentOutcome {
    /// The answer left.
    Shown,
    /// The citizen said no.
    Declined,
    /// The request was refused by the wallet, or the act was interrupted.
    Failed,
    /// Under way.
    Open,
}

impl ConsentOutcome {
    /// `shown`, `declined`, `failed` or `open`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Declined => "declined",
            Self::Failed => "failed",
            Self::Open => "open",
        }
    }

    pub(crate) fn read(text: Option<&str>) -> Self {
        match text {
            Some("shown") => Self::Shown,
            Some("declined") => Self::Declined,
            Some("failed") => Self::Failed,
            _ => Self::Open,
        }
    }
}

/// One entry of the consent log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentEntry {
    /// Number in this wallet.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Organisation out of the verified certificate; empty when the request was not verified.
    pub organisation: String,
    /// Role id out of the verified certificate; empty when the request was not verified.
    pub role: String,
    /// Pseudonym of the checking device.
    pub device: String,
    /// Place the request named.
    pub place: String,
    /// Purpose id.
    pub purpose: String,
    /// Legal basis.
    pub legal_basis: String,
    /// Hours the verifier says it keeps the answer.
    pub retention_hours: u32,
    /// Document type id; empty when nothing was chosen.
    pub document: String,
    /// Field ids that were shown, or that would have been.
    pub fields: Vec<String>,
    /// How it ended.
    pub outcome: ConsentOutcome,
    /// Failed fact or a static word; empty when shown.
    pub reason: String,
    /// The signed request, as it arrived.
    pub request: Vec<u8>,
}

/// What is written when an act begins or is refused at once.
pub(crate) struct NewEntry<'a> {
    pub(crate) at: Timestamp,
    pub(crate) request_hash: &'a [u8; 32],
    pub(crate) request: &'a [u8],
    pub(crate) who: Who,
    pub(crate) document: &'a str,
    pub(crate) fields: &'a [String],
    pub(crate) copy_set: Option<i64>,
    pub(crate) outcome: ConsentOutcome,
    pub(crate) reason: &'a str,
}

/// The verified words of a request; empty for one that was not verified.
#[derive(Clone, Default)]
pub(crate) struct Who {
    pub(crate) organisation: String,
    pub(crate) role: String,
    pub(crate) device: String,
    pub(crate) place: String,
    pub(crate) purpose: String,
    pub(crate) legal_basis: String,
    pub(crate) retention_hours: u32,
}

/// Writes an entry; gives its number.
pub(crate) fn insert(db: &Connection, entry: &NewEntry<'_>) -> Result<i64, WalletError> {
    let outcome = (entry.outcome != ConsentOutcome::Open).then(|| entry.outcome.as_str());
    let fields = serde_json::to_string(entry.fields).map_err(|_| WalletError::Internal("consent fields"))?;
    let who = &entry.who;
    db.execute(
        "INSERT INTO consent (at, request_hash, request, organisation, role, device, place, purpose, legal_basis, retention_hours, document,
           fields, copy_set, outcome, reason) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)",
        params![
            entry.at.unix(),
            &entry.request_hash[..],
            entry.request,
            who.organisation,
            who.role,
            who.device,
            who.place,
            who.purpose,
            who.legal_basis,
            who.retention_hours,
            entry.document,
            fields,
            entry.copy_set,
            outcome,
            entry.reason
        ],
    )?;
    let id = db.last_insert_rowid();
    db.execute(
        "DELETE FROM consent WHERE outcome IN ('declined', 'failed') AND copy_set IS NULL AND id NOT IN
           (SELECT id FROM consent WHERE outcome IN ('declined', 'failed') AND copy_set IS NULL ORDER BY id DESC LIMIT ?1)",
        [MAX_NOT_SHOWN],
    )?;
    Ok(id)
}

/// Ends an open act.
pub(crate) fn finish(db: &Connection, id: i64, outcome: ConsentOutcome, reason: &str) -> Result<(), WalletError> {
    let sql = "UPDATE consent SET outcome = ?2, reason = ?3 WHERE id = ?1 AND outcome IS NULL";
    // Another program that opened this wallet meanwhile took the intent for one that was left open by a crash: then nothing may leave.
    if db.execute(sql, params![id, outcome.as_str(), reason])? == 1 { Ok(()) } else { Err(WalletError::Busy) }
}

/// Acts that were open when the process died.
pub(crate) fn is_interrupted(db: &Connection) -> Result<bool, WalletError> {
    Ok(db.query_row("SELECT EXISTS (SELECT 1 FROM consent WHERE outcome IS NULL)", [], |r| r.get(0))?)
}

/// Every act without an end has failed.
pub(crate) fn fail_interrupted(db: &Connection) -> Result<(), WalletError> {
    db.execute("UPDATE consent SET outcome = 'failed', reason = 'interrupted' WHERE outcome IS NULL", [])?;
    Ok(())
}

/// The newest entries first.
pub(crate) fn list(db: &Connection) -> Result<Vec<ConsentEntry>, WalletError> {
    let mut statement = db.prepare_cached(
        "SELECT id, at, organisation, role, device, place, purpose, legal_basis, retention_hours, document, fields, outcome, reason, request
         FROM consent ORDER BY id DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([MAX_SHOWN], |row| {
        let fields: String = row.get(10)?;
        let outcome: Option<String> = row.get(11)?;
        Ok(ConsentEntry {
            id: row.get(0)?,
            at: Timestamp::from_unix(row.get(1)?),
            organisation: row.get(2)?,
            role: row.get(3)?,
            device: row.get(4)?,
            place: row.get(5)?,
            purpose: row.get(6)?,
            legal_basis: row.get(7)?,
            retention_hours: row.get(8)?,
            document: row.get(9)?,
            fields: serde_json::from_str(&fields).unwrap_or_default(),
            outcome: ConsentOutcome::read(outcome.as_deref()),
            reason: row.get(12)?,
            request: row.get(13)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether the request had its answer.
pub(crate) fn was_answered(db: &Connection, request_hash: &[u8; 32]) -> Result<bool, WalletError> {
    let found: Option<i64> =
        db.query_row("SELECT 1 FROM answered WHERE request_hash = ?1", [&request_hash[..]], |row| row.get(0)).optional()?;
    Ok(found.is_some())
}

/// Takes the request's one answer. `false` when it was taken before.
pub(crate) fn take_answer(db: &Connection, request_hash: &[u8; 32], keep_until: Timestamp, now: Timestamp) -> Result<bool, WalletError> {
    db.execute("DELETE FROM answered WHERE expires_at < ?1", [now.unix()])?;
    let rows = db.execute(
        "INSERT OR IGNORE INTO answered (request_hash, expires_at) VALUES (?1, ?2)",
        params![&request_hash[..], keep_until.unix()],
    )?;
    Ok(rows == 1)
}

/// Gives the request's one answer back: nothing left the wallet.
pub(crate) fn release_answer(db: &Connection, request_hash: &[u8; 32]) -> Result<(), WalletError> {
    db.execute("DELETE FROM answered WHERE request_hash = ?1", [&request_hash[..]])?;
    Ok(())
}
