//! The service's own clock. Whatever is signed or dated is noted as the latest time; with a clock behind it nothing is signed, since phones
//! and officers would refuse what looks older than what they have, and evidence would lie about when it was taken.

use std::path::Path;

use rusqlite::{Connection, Transaction, params};
use serde_json::Value;
use wallet_base::time::Timestamp;

use crate::error::CentralError;
use crate::{db, files, trust};

/// How far the clock may be behind, in seconds: corrections of a network's time are smaller.
pub(crate) const TOLERANCE: i64 = 300;
/// The latest time is noted in steps of this many seconds, to spare writes.
const STEP: i64 = 60;

/// Starts a transaction that may sign and date by `now`, and notes `now` as the latest time when it commits.
///
/// # Errors
/// [`CentralError::ClockBehind`].
pub(crate) fn begin(connection: &mut Connection, now: Timestamp) -> Result<Transaction<'_>, CentralError> {
    let transaction = db::write(connection)?;
    let latest: i64 = transaction.query_row("SELECT at FROM latest_time", [], |row| row.get(0))?;
    judge(latest, now)?;
    if now.unix() >= latest.saturating_add(STEP) {
        transaction.execute("UPDATE latest_time SET at = ?1", params![now.unix()])?;
    }
    Ok(transaction)
}

fn judge(latest: i64, now: Timestamp) -> Result<(), CentralError> {
    let behind = latest.saturating_sub(now.unix());
    if behind > TOLERANCE { Err(CentralError::ClockBehind { minutes: behind / 60 }) } else { Ok(()) }
}

/// Refuses to start with a clock behind what the database or the trust repository of the directory was signed at.
pub(crate) fn check(connection: &Connection, dir: &Path, now: Timestamp) -> Result<(), CentralError> {
    let latest: i64 = connection.query_row("SELECT at FROM latest_time", [], |row| row.get(0))?;
    judge(latest.max(published_at(dir)), now)
}

/// When the trust repository was published last; 0 when it does not say.
fn published_at(dir: &Path) -> i64 {
    let text = files::read(&trust::folder(dir).join("metadata").join("timestamp.json")).unwrap_or_default();
    let value: Value = serde_json::from_slice(&text).unwrap_or(Value::Null);
    let at = value.pointer("/signed/signed_at").and_then(Value::as_str).and_then(Timestamp::parse_rfc3339);
    at.map_or(0, Timestamp::unix)
}
