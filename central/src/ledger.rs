//! Central's ledger: what it did for each account, row by row and without names, to be compared with a wallet's own.

use rusqlite::{Connection, Row};
use serde_json::{Map, Value, json};
use wallet_base::crypto::sha256;
use wallet_base::jose::b64u;
use wallet_base::time::Timestamp;

use crate::admin::Admin;
use crate::db;
use crate::error::CentralError;

impl Admin {
    /// The ledger as JSON, all of one moment: accounts (opaque id, device epoch, thumbprint of the device key) with their documents, registered
    /// keys, issued copies with status entries, offers, living tokens, activations, changes and notices. Citizens are not named; an account whose
    /// activation is not complete has no id. Thumbprints and hashes are base64url, times RFC 3339.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ledger(&self) -> Result<Value, CentralError> {
        let mut connection = db::open(self.dir())?;
        let moment = connection.transaction()?;
        let now = self.clock().now();
        let citizens: Vec<String> = rows(&moment, "SELECT citizen FROM accounts ORDER BY citizen", (), |row| row.get(0))?;
        let accounts = citizens.iter().map(|citizen| account(&moment, citizen, now)).collect::<Result<Vec<_>, _>>()?;
        let sound: String = moment.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))?;
        let count = |table: &str| moment.query_row(&format!("SELECT COUNT(*) FROM {table}"), (), |row| row.get::<_, i64>(0));
        Ok(json!({
            "accounts": accounts,
            "sessions": count("sessions")?,
            "status_entries": count("status_entries")?,
            "staff_devices": count("staff_devices")?,
            "sound": sound == "ok",
        }))
    }
}

fn rows<T>(
    db: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, CentralError> {
    let mut statement = db.prepare(sql)?;
    let rows = statement.query_map(parameters, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn time(unix: Option<i64>) -> Option<String> {
    unix.map(|unix| Timestamp::from_unix(unix).to_rfc3339())
}

fn account(db: &Connection, citizen: &str, now: Timestamp) -> Result<Value, CentralError> {
    let mut account: Map<String, Value> =
        db.query_row("SELECT account, level, device_epoch, thumbprint, activated_at FROM accounts WHERE citizen = ?1", [citizen], |row| {
            let thumbprint: Option<Vec<u8>> = row.get(3)?;
            let members = [
                ("account", json!(row.get::<_, Option<String>>(0)?)),
                ("level", json!(row.get::<_, i64>(1)?)),
                ("device_epoch", json!(row.get::<_, i64>(2)?)),
                ("device_key", json!(thumbprint.map(|t| b64u(&t)))),
                ("activated_at", json!(time(row.get(4)?))),
            ];
            Ok(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        })?;
    let tokens: Vec<(String, i64)> = rows(
        db,
        "SELECT kind, COUNT(*) FROM tokens WHERE citizen = ?1 AND ended_at IS NULL AND until > ?2 GROUP BY kind ORDER BY kind",
        (citizen, now.unix()),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let evidence: i64 = db.query_row("SELECT COUNT(*) FROM evidence WHERE citizen = ?1", [citizen], |row| row.get(0))?;
    for (name, list) in [
        ("documents", documents(db, citizen)?),
        ("keys", keys(db, citizen)?),
        ("copies", copies(db, citizen)?),
        ("offers", offers(db, citizen)?),
        ("activations", activations(db, citizen)?),
        ("changes", changes(db, citizen)?),
        ("notices", notices(db, citizen)?),
    ] {
        account.insert(name.to_owned(), Value::Array(list));
    }
    account.insert("tokens".to_owned(), tokens.into_iter().map(|(kind, n)| (kind, Value::from(n))).collect::<Map<_, _>>().into());
    account.insert("evidence".to_owned(), evidence.into());
    Ok(account.into())
}

fn documents(db: &Connection, citizen: &str) -> Result<Vec<Value>, CentralError> {
    rows(db, "SELECT document, state, as_of FROM documents WHERE citizen = ?1 ORDER BY document", [citizen], |row| {
        Ok(json!({"document": row.get::<_, String>(0)?, "state": row.get::<_, String>(1)?, "as_of": time(row.get(2)?)}))
    })
}

fn keys(db: &Connection, citizen: &str) -> Result<Vec<Value>, CentralError> {
    let sql = "SELECT thumbprint, epoch, document FROM holder_keys WHERE citizen = ?1 ORDER BY thumbprint";
    rows(db, sql, [citizen], |row| {
        let thumbprint: Vec<u8> = row.get(0)?;
        Ok(json!({"thumbprint": b64u(&thumbprint), "epoch": row.get::<_, i64>(1)?, "document": row.get::<_, Option<String>>(2)?}))
    })
}

fn copies(db: &Connection, citizen: &str) -> Result<Vec<Value>, CentralError> {
    let sql = "SELECT c.document, c.thumbprint, c.format, c.epoch, c.week, c.idx, c.issued_at, c.expires, c.ended, c.credential, s.status
               FROM copies c LEFT JOIN status_entries s ON s.document = c.document AND s.week = c.week AND s.idx = c.idx
               WHERE c.citizen = ?1 ORDER BY c.document, c.thumbprint, c.format";
    rows(db, sql, [citizen], |row| {
        let (thumbprint, credential): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(9)?);
        Ok(json!({
            "document": row.get::<_, String>(0)?, "thumbprint": b64u(&thumbprint), "format": row.get::<_, String>(2)?,
            "epoch": row.get::<_, i64>(3)?, "week": row.get::<_, String>(4)?, "index": row.get::<_, i64>(5)?,
            "issued_at": time(row.get(6)?), "expires": time(row.get(7)?), "ended": row.get::<_, bool>(8)?,
            "sha256": b64u(&sha256(&credential)), "status": row.get::<_, Option<i64>>(10)?,
        }))
    })
}

fn offers(db: &Connection, citizen: &str) -> Result<Vec<Value>, CentralError> {
    rows(db, "SELECT epoch, until, used_at FROM offers WHERE citizen = ?1 ORDER BY until, used_at", [citizen], |row| {
        Ok(json!({"epoch": row.get::<_, i64>(0)?, "until": time(row.get(1)?), "used_at": time(row.get(2)?)}))
    })
}

/// Activation sessions in which the citizen's chip was proven.
fn activations(db: &Connection, citizen: &str) -> Result<Vec<Value>, CentralError> {
    let sql = "SELECT account, epoch, chip_tries, code_sends, code_tries, face_tries, completed_at FROM sessions WHERE citizen = ?1
               ORDER BY opened_at, account";
    rows(db, sql, [citizen], |row| {
        Ok(json!({
            "account": row.get::<_, String>(0)?, "epoch": row.get::<_, Option<i64>>(1)?, "chip_tries": row.get::<_, i64>(2)?,
            "code_sends": row.get::<_, i64>(3)?, "code_tries": row.get::<_, i64>(4)?, "face_tries": row.get::<_, i64>(5)?,
            "completed_at": time(row.get(6)?),
        }))
    })
}

fn changes(db: &Connection, citizen: &str) -> Result<Vec<Value>, CentralError> {
    rows(db, "SELECT seq, document, kind, at FROM changes WHERE citizen = ?1 ORDER BY seq", [citizen], |row| {
        Ok(
            json!({"seq": row.get::<_, i64>(0)?, "document": row.get::<_, String>(1)?, "kind": row.get::<_, String>(2)?, "at": time(row.get(3)?)}),
        )
    })
}

fn notices(db: &Connection, citizen: &str) -> Result<Vec<Value>, CentralError> {
    rows(db, "SELECT seq, kind, thumbprint, at FROM notices WHERE citizen = ?1 ORDER BY seq", [citizen], |row| {
        let device: Option<Vec<u8>> = row.get(2)?;
        Ok(
            json!({"seq": row.get::<_, i64>(0)?, "kind": row.get::<_, String>(1)?, "device_key": device.map(|t| b64u(&t)), "at": time(row.get(3)?)}),
        )
    })
}
