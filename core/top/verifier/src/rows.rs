//! The rows of `cache.db`: readers take a connection, writers a transaction.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use wallet_base::time::Timestamp;
use wallet_platform::clock_guard::Anchor;
use wallet_platform::ports::KeyId;
use wallet_platform::tuf::TrustMark;

use crate::staff::StaffPapers;

/// Migrations of `cache.db`, in order.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("migrations/001_cache.sql"), include_str!("migrations/002_enrolment.sql")];

/// How long a consumed request is remembered: far longer than any request lives (120 s), far shorter than for ever.
const REMEMBER_SECONDS: i64 = 30 * 86_400;

const ANCHOR: &str = "clock.anchor";
const TRUST_MARK: &str = "trust.mark";

/// A stored status list: its bytes and dates.
#[derive(Clone, Debug)]
pub(crate) struct ListRow {
    pub(crate) uri: String,
    pub(crate) token: Vec<u8>,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) fetched_at: Timestamp,
}

pub(crate) fn staff(db: &Connection) -> rusqlite::Result<Option<StaffPapers>> {
    let row = |row: &rusqlite::Row<'_>| Ok(StaffPapers { key: KeyId(row.get(0)?), certificate: row.get(1)?, place: row.get(2)? });
    db.query_row("SELECT key_id, certificate, place FROM staff", [], row).optional()
}

pub(crate) fn put_staff(tx: &Transaction<'_>, papers: &StaffPapers) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT OR REPLACE INTO staff (only_row, key_id, certificate, place) VALUES (1, ?1, ?2, ?3)",
        params![papers.key.0, papers.certificate, papers.place],
    )?;
    Ok(())
}

/// The key made for a code whose certificate has not come yet.
#[derive(Clone)]
pub(crate) struct Enrolment {
    pub(crate) code_hash: [u8; 32],
    pub(crate) key: KeyId,
    /// SEC 1 point.
    pub(crate) public_key: Vec<u8>,
}

pub(crate) fn enrolment(db: &Connection) -> rusqlite::Result<Option<Enrolment>> {
    let row = |row: &rusqlite::Row<'_>| Ok(Enrolment { code_hash: row.get(0)?, key: KeyId(row.get(1)?), public_key: row.get(2)? });
    db.query_row("SELECT code_hash, key_id, public_key FROM enrolment", [], row).optional()
}

pub(crate) fn put_enrolment(tx: &Transaction<'_>, enrolment: &Enrolment) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT OR REPLACE INTO enrolment (only_row, code_hash, key_id, public_key) VALUES (1, ?1, ?2, ?3)",
        params![enrolment.code_hash.as_slice(), enrolment.key.0, enrolment.public_key],
    )?;
    Ok(())
}

pub(crate) fn end_enrolment(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute("DELETE FROM enrolment", [])?;
    Ok(())
}

pub(crate) fn list(db: &Connection, uri: &str) -> rusqlite::Result<Option<ListRow>> {
    db.query_row("SELECT uri, token, issued_at, expires_at, fetched_at FROM status_list WHERE uri = ?1", [uri], list_row).optional()
}

/// Every list's address and dates, without the bytes.
pub(crate) fn list_dates(db: &Connection) -> rusqlite::Result<Vec<ListRow>> {
    let mut statement = db.prepare("SELECT uri, x'', issued_at, expires_at, fetched_at FROM status_list ORDER BY uri")?;
    statement.query_map([], list_row)?.collect()
}

/// Every list with its bytes, one after the other.
pub(crate) fn lists(db: &Connection) -> rusqlite::Result<Vec<ListRow>> {
    let mut statement = db.prepare("SELECT uri, token, issued_at, expires_at, fetched_at FROM status_list ORDER BY uri")?;
    statement.query_map([], list_row)?.collect()
}

fn list_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<ListRow> {
    Ok(ListRow {
        uri: row.get(0)?,
        token: row.get(1)?,
        issued_at: Timestamp::from_unix(row.get(2)?),
        expires_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_unix),
        fetched_at: Timestamp::from_unix(row.get(4)?),
    })
}

/// Stores a verified list unless a newer one is held that is not dated after `latest`: a list out of the future was misdated, and the one that
/// corrects it is older. Gives whether it was stored.
pub(crate) fn put_list(tx: &Transaction<'_>, list: &ListRow, latest: Timestamp) -> rusqlite::Result<bool> {
    let changed = tx.execute(
        "INSERT INTO status_list (uri, token, issued_at, expires_at, fetched_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (uri) DO UPDATE SET token = excluded.token, issued_at = excluded.issued_at,
             expires_at = excluded.expires_at, fetched_at = excluded.fetched_at
         WHERE excluded.issued_at >= status_list.issued_at OR status_list.issued_at > ?6",
        params![list.uri, list.token, list.issued_at.unix(), list.expires_at.map(Timestamp::unix), list.fetched_at.unix(), latest.unix()],
    )?;
    Ok(changed == 1)
}

/// Drops lists that are past their end and that the published set no longer names.
pub(crate) fn drop_ended(tx: &Transaction<'_>, named: &[String], now: Timestamp) -> rusqlite::Result<()> {
    let held = list_dates(tx)?;
    for old in held.iter().filter(|l| l.expires_at.is_some_and(|end| end <= now) && !named.contains(&l.uri)) {
        tx.execute("DELETE FROM status_list WHERE uri = ?1", [&old.uri])?;
    }
    Ok(())
}

/// Marks a request as answered. Gives false when it was already: the answer is a replay.
pub(crate) fn consume(tx: &Transaction<'_>, request_hash: &[u8; 32], now: Timestamp) -> rusqlite::Result<bool> {
    tx.execute("DELETE FROM consumed_request WHERE consumed_at < ?1", [now.plus_secs(-REMEMBER_SECONDS).unix()])?;
    let new = tx.execute(
        "INSERT OR IGNORE INTO consumed_request (request_hash, consumed_at) VALUES (?1, ?2)",
        params![request_hash.as_slice(), now.unix()],
    )?;
    Ok(new == 1)
}

pub(crate) fn anchor(db: &Connection) -> rusqlite::Result<Option<Anchor>> {
    let bytes: Option<Vec<u8>> = db.query_row("SELECT value FROM setting WHERE name = ?1", [ANCHOR], |row| row.get(0)).optional()?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

pub(crate) fn put_anchor(tx: &Transaction<'_>, anchor: &Anchor) -> rusqlite::Result<()> {
    let bytes = serde_json::to_vec(anchor).unwrap_or_default();
    tx.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)", params![ANCHOR, bytes])?;
    Ok(())
}

/// The highest trust versions that were in use, kept apart from the trust folder.
pub(crate) fn trust_mark(db: &Connection) -> rusqlite::Result<Option<TrustMark>> {
    let bytes: Option<Vec<u8>> = db.query_row("SELECT value FROM setting WHERE name = ?1", [TRUST_MARK], |row| row.get(0)).optional()?;
    Ok(bytes.and_then(|bytes| TrustMark::from_text(&String::from_utf8(bytes).ok()?)))
}

pub(crate) fn put_trust_mark(tx: &Transaction<'_>, mark: &TrustMark) -> rusqlite::Result<()> {
    tx.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)", params![TRUST_MARK, mark.to_text().into_bytes()])?;
    Ok(())
}
