//! The ledger: what this wallet holds and what it did, row by row, to be compared with central's own.
//!
//! No values, no names, no request texts: ids, states, times, thumbprints and hashes. A support screen can show it, and whoever wants to know
//! whether a crash cost or doubled anything compares it with what central issued.

use rusqlite::{Connection, OptionalExtension};
use wallet_base::crypto::{Curve, PublicKey, sha256};
use wallet_base::time::Timestamp;
use wallet_credential::{mdoc, sd_cwt};

use crate::activation::{Step, rows};
use crate::consent::ConsentOutcome;
use crate::documents::{self, DocumentSummary};
use crate::error::WalletError;
use crate::inner::Inner;
use crate::strays;
use crate::sync;

/// The account of this wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerAccount {
    /// Opaque id given by central; `None` before the activation is complete.
    pub account: Option<String>,
    /// Level of the account, once complete.
    pub level: Option<u32>,
    /// Another device took over.
    pub ended: bool,
    /// The key store's name of the account key.
    pub key_name: String,
    /// Its thumbprint (RFC 7638, SHA-256).
    pub thumbprint: [u8; 32],
}

/// One format of a copy set as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerCredential {
    /// SHA-256 of the bytes as they came.
    pub sha256: [u8; 32],
    /// Address of its status list and its entry there.
    pub status: Option<(String, u64)>,
    /// It can be read and is for the key of its copy set.
    pub sound: bool,
}

/// One copy set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerCopy {
    /// Number in this wallet; never given twice.
    pub id: i64,
    /// Document type id.
    pub document: String,
    /// The key store's name of the holder key.
    pub key_name: String,
    /// Thumbprint of the holder key.
    pub thumbprint: [u8; 32],
    /// `fresh`, `reserved` or `spent`.
    pub state: String,
    /// From when it can be shown.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_until: Timestamp,
    /// The mdoc; `None` once spent.
    pub mdoc: Option<LedgerCredential>,
    /// The SD-CWT; `None` once spent.
    pub sd_cwt: Option<LedgerCredential>,
}

/// One entry of the consent log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerConsent {
    /// Number in this wallet.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Role that asked; empty when the request was not verified.
    pub role: String,
    /// Document type id; empty when nothing was chosen.
    pub document: String,
    /// The copy set that was taken for it.
    pub copy_set: Option<i64>,
    /// How it ended.
    pub outcome: ConsentOutcome,
    /// Failed fact or a static word.
    pub reason: String,
    /// SHA-256 of the request's bytes as they arrived: what an answer to it names.
    pub request_hash: [u8; 32],
}

/// A batch under way: keys that wait for their credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerBatch {
    /// Document type id.
    pub document: String,
    /// The wallet provider took its evidence.
    pub registered: bool,
    /// The key store's names and the thumbprints of its keys.
    pub keys: Vec<(String, [u8; 32])>,
}

/// Everything.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The account; `None` before its key was made.
    pub account: Option<LedgerAccount>,
    /// The last durable step of the activation.
    pub step: Step,
    /// The documents, in the order of display.
    pub documents: Vec<DocumentSummary>,
    /// Copy sets; spent ones stay until the next sync.
    pub copies: Vec<LedgerCopy>,
    /// The consent log, oldest first.
    pub consents: Vec<LedgerConsent>,
    /// Requests that had their one answer and are remembered: SHA-256 of what their verifier signed.
    pub answered: Vec<[u8; 32]>,
    /// Batches under way.
    pub batches: Vec<LedgerBatch>,
    /// Names of keys that wait for their deletion.
    pub dead_keys: Vec<String>,
    /// Names of keys in the key store that nothing here knows; `None` when the key store cannot list its keys.
    pub stray_keys: Option<Vec<String>>,
    /// Place in the change feed.
    pub cursor: i64,
    /// Numbers of the notices taken from the change feed.
    pub notices: Vec<i64>,
    /// The engine finds every page and every index of the database sound.
    pub sound: bool,
}

/// See [`crate::Wallet::ledger`].
pub(crate) fn read(inner: &Inner) -> Result<Ledger, WalletError> {
    // Before the rows: a key that is made meanwhile is then no stray, since its row comes after it.
    let held = strays::held(inner)?;
    let documents = documents::list(inner)?;
    let mut ledger = inner.read(|db| {
        // One moment for all rows.
        let moment = db.unchecked_transaction()?;
        let step = rows::load(&moment)?.map_or(Step::NotStarted, |activation| activation.step);
        Ok(Ledger {
            account: account(&moment)?,
            step,
            documents: Vec::new(),
            copies: copies(&moment)?,
            consents: consents(&moment)?,
            answered: answered(&moment)?,
            batches: batches(&moment)?,
            dead_keys: texts(&moment, "SELECT key_id FROM dead_key ORDER BY key_id")?,
            stray_keys: held.map(|held| strays::unknown(&moment, held)).transpose()?.map(|keys| keys.into_iter().map(|k| k.0).collect()),
            cursor: sync::cursor(&moment)?,
            notices: notices(&moment)?,
            sound: is_sound(&moment)?,
        })
    })?;
    ledger.documents = documents;
    Ok(ledger)
}

fn thumbprint(point: &[u8], what: &'static str) -> Result<[u8; 32], WalletError> {
    Ok(PublicKey::from_sec1(Curve::P256, point).map_err(|_| WalletError::Internal(what))?.thumbprint())
}

fn hash(bytes: &[u8]) -> Result<[u8; 32], WalletError> {
    bytes.try_into().map_err(|_| WalletError::Internal("request hash"))
}

fn texts(db: &Connection, sql: &str) -> Result<Vec<String>, WalletError> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn account(db: &Connection) -> Result<Option<LedgerAccount>, WalletError> {
    type Row = (String, Vec<u8>, Option<String>, Option<u32>, bool);
    let row: Option<Row> = db
        .query_row("SELECT key_id, public_key, account, level, ended FROM account", [], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))
        })
        .optional()?;
    row.map(|(key_name, point, account, level, ended)| {
        Ok(LedgerAccount { account, level, ended, key_name, thumbprint: thumbprint(&point, "account key")? })
    })
    .transpose()
}

fn copies(db: &Connection) -> Result<Vec<LedgerCopy>, WalletError> {
    type Row = (i64, String, String, Vec<u8>, String, i64, i64, Option<Vec<u8>>, Option<Vec<u8>>);
    let mut statement = db.prepare_cached(
        "SELECT id, document, key_id, public_key, state, valid_from, valid_until, mdoc, sd_cwt FROM copy_set ORDER BY id",
    )?;
    let rows = statement.query_map([], |r| {
        let row: Row = (r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?, r.get(7)?, r.get(8)?);
        Ok(row)
    })?;
    let mut copies = Vec::new();
    for row in rows {
        let (id, document, key_name, point, state, valid_from, valid_until, mdoc, sd_cwt) = row?;
        let key = PublicKey::from_sec1(Curve::P256, &point).map_err(|_| WalletError::Internal("holder key"))?;
        copies.push(LedgerCopy {
            id,
            document,
            key_name,
            thumbprint: key.thumbprint(),
            state,
            valid_from: Timestamp::from_unix(valid_from),
            valid_until: Timestamp::from_unix(valid_until),
            mdoc: mdoc.map(|bytes| of_mdoc(&bytes, &key)),
            sd_cwt: sd_cwt.map(|bytes| of_sd_cwt(&bytes, &key)),
        });
    }
    Ok(copies)
}

fn of_mdoc(bytes: &[u8], key: &PublicKey) -> LedgerCredential {
    let read = mdoc::IssuerSigned::decode(bytes).ok();
    let status = read.as_ref().and_then(|m| m.mso().status()).map(|s| (s.uri.clone(), s.index));
    LedgerCredential { sha256: sha256(bytes), status, sound: read.is_some_and(|m| m.device_key() == key) }
}

fn of_sd_cwt(bytes: &[u8], key: &PublicKey) -> LedgerCredential {
    let read = sd_cwt::SdCwt::decode(bytes).ok();
    let status = read.as_ref().and_then(|t| t.status()).map(|s| (s.uri.clone(), s.index));
    LedgerCredential { sha256: sha256(bytes), status, sound: read.is_some_and(|t| t.holder_key() == key) }
}

fn consents(db: &Connection) -> Result<Vec<LedgerConsent>, WalletError> {
    let mut statement = db.prepare_cached("SELECT id, at, role, document, copy_set, outcome, reason, request FROM consent ORDER BY id")?;
    let rows = statement.query_map([], |r| {
        let outcome: Option<String> = r.get(5)?;
        let entry = LedgerConsent {
            id: r.get(0)?,
            at: Timestamp::from_unix(r.get(1)?),
            role: r.get(2)?,
            document: r.get(3)?,
            copy_set: r.get(4)?,
            outcome: ConsentOutcome::read(outcome.as_deref()),
            reason: r.get(6)?,
            request_hash: [0; 32],
        };
        Ok((entry, r.get::<_, Vec<u8>>(7)?))
    })?;
    let mut consents = Vec::new();
    for row in rows {
        let (entry, bytes) = row?;
        consents.push(LedgerConsent { request_hash: sha256(&bytes), ..entry });
    }
    Ok(consents)
}

fn answered(db: &Connection) -> Result<Vec<[u8; 32]>, WalletError> {
    let mut statement = db.prepare_cached("SELECT request_hash FROM answered ORDER BY expires_at")?;
    let rows = statement.query_map([], |r| r.get::<_, Vec<u8>>(0))?;
    rows.map(|row| hash(&row?)).collect()
}

fn batches(db: &Connection) -> Result<Vec<LedgerBatch>, WalletError> {
    let mut statement = db.prepare_cached("SELECT id, document, registered FROM batch ORDER BY id")?;
    let rows = statement.query_map([], |r| Ok((r.get::<_, i64>(0)?, r.get(1)?, r.get(2)?)))?;
    let mut batches = Vec::new();
    for row in rows {
        let (id, document, registered) = row?;
        let mut keys = Vec::new();
        let mut of = db.prepare_cached("SELECT key_id, public_key FROM batch_key WHERE batch = ?1 ORDER BY position")?;
        for key in of.query_map([id], |r| Ok((r.get::<_, String>(0)?, r.get::<_, Vec<u8>>(1)?)))? {
            let (name, point) = key?;
            keys.push((name, thumbprint(&point, "batch key")?));
        }
        batches.push(LedgerBatch { document, registered, keys });
    }
    Ok(batches)
}

fn notices(db: &Connection) -> Result<Vec<i64>, WalletError> {
    let mut statement = db.prepare_cached("SELECT seq FROM notice ORDER BY seq")?;
    let rows = statement.query_map([], |r| r.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Structure and indexes by SQLite, every page's authentication code by SQLCipher (which gives a row for each bad page).
fn is_sound(db: &Connection) -> Result<bool, WalletError> {
    let structure: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    let bad_page = db.query_row("PRAGMA cipher_integrity_check", [], |row| row.get::<_, String>(0)).optional()?;
    Ok(structure == "ok" && bad_page.is_none())
}
