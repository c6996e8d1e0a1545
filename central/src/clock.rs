//! The service's own clock. Whatever is signed or dated is noted as the latest time; with a clock behind it nothing is signed, since phones
//! and officers would refuse what looks older than what they have, and evidence would lie about when it was taken.

use rusqlite::{Connection, Transaction, params};
use wallet_base::time::Timestamp;

use crate::admin::Admin;
use crate::db;
use crate::error::CentralError;

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

/// Refuses to start with a clock behind what this service signed.
pub(crate) fn check(connection: &Connection, now: Timestamp) -> Result<(), CentralError> {
    let latest: i64 = connection.query_row("SELECT at FROM latest_time", [], |row| row.get(0))?;
    judge(latest, now)
}

impl Admin {
    /// Says that the clock is right now and was ahead before: what is signed from here on is dated by it.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub fn believe_clock(&self) -> Result<(), CentralError> {
        let connection = db::open(self.dir())?;
        connection.execute("UPDATE latest_time SET at = ?1", [self.clock().now().unix()])?;
        Ok(())
    }
}
