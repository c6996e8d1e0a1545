//! The day's tries of a citizen: codes sent, codes tried and faces tried in all sessions of a day, so that whoever has a card and opens session
//! after session gets no further.
//!
//! A session counts only once the chip itself signed for it: who knows a card's data, or saw its number, spends nothing. The device that the
//! citizen has now keeps tries of its own, which nobody without its key can spend. A desk that saw the person gives the others back.

use rusqlite::{Connection, OptionalExtension, params};

use super::Session;
use crate::error::ApiError;

/// Of one kind, in a day.
const DAY_TRIES: i64 = 20;

/// Whether the day's tries of any kind are used up for devices like the session's: the citizen's present one, or all others together.
pub(super) fn day_is_spent(connection: &Connection, session: &Session, citizen: &str) -> Result<bool, ApiError> {
    let given: i64 =
        connection.query_row("SELECT COALESCE(MAX(at), 0) FROM tries_given WHERE citizen = ?1", [citizen], |row| row.get(0))?;
    if session.opened.unix() < given {
        // What a session from before the desk tries is counted nowhere any more: it gets nothing of what was given, and opens anew.
        return Ok(true);
    }
    let present: Option<Vec<u8>> =
        connection.query_row("SELECT thumbprint FROM accounts WHERE citizen = ?1", [citizen], |row| row.get(0)).optional()?.flatten();
    let present = present.unwrap_or_default();
    let is_present = present.as_slice() == session.key.thumbprint().as_slice();
    Ok(connection.query_row(
        "SELECT COALESCE(MAX(SUM(code_sends), SUM(code_tries), SUM(face_tries)), 0) >= ?4 FROM sessions
         WHERE citizen = ?1 AND (thumbprint = ?2) = ?3
           AND opened_at >= ?5",
        params![citizen, present, is_present, DAY_TRIES, given],
        |row| row.get(0),
    )?)
}
