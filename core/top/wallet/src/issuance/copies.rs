//! Copy sets in the store: one holder key, one mdoc, one SD-CWT; shown once.

use rusqlite::{Connection, OptionalExtension, params};
use wallet_base::crypto::{Curve, PublicKey};
use wallet_base::time::Timestamp;
use wallet_platform::ports::KeyId;

use crate::error::WalletError;

/// A verified copy set on its way into the store.
pub(crate) struct NewCopy {
    pub(crate) key_id: KeyId,
    pub(crate) public_key: PublicKey,
    pub(crate) mdoc: Vec<u8>,
    pub(crate) sd_cwt: Vec<u8>,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_until: Timestamp,
}

/// A copy set that may be shown.
pub(crate) struct Copy {
    pub(crate) id: i64,
    pub(crate) key_id: KeyId,
    pub(crate) public_key: PublicKey,
    pub(crate) sd_cwt: Vec<u8>,
}

/// Copy sets and the last moment one of them can be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stock {
    pub(crate) fresh: u32,
    pub(crate) valid_until: Option<i64>,
}

pub(crate) fn insert(db: &Connection, document: &str, copy: &NewCopy) -> Result<(), WalletError> {
    db.execute(
        "INSERT INTO copy_set (document, key_id, public_key, mdoc, sd_cwt, valid_from, valid_until, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'fresh')",
        params![
            document,
            copy.key_id.0,
            copy.public_key.to_sec1(),
            copy.mdoc,
            copy.sd_cwt,
            copy.valid_from.unix(),
            copy.valid_until.unix()
        ],
    )?;
    Ok(())
}

/// Fresh copies of a document that are valid now. Expired ones are never counted and never offered.
pub(crate) fn stock(db: &Connection, document: &str, now: Timestamp) -> Result<Stock, WalletError> {
    let mut statement = db.prepare_cached(
        "SELECT COUNT(*), MAX(valid_until) FROM copy_set
         WHERE document = ?1 AND state = 'fresh' AND valid_from <= ?2 AND valid_until > ?2",
    )?;
    Ok(statement.query_row(params![document, now.unix()], |r| Ok(Stock { fresh: r.get(0)?, valid_until: r.get(1)? }))?)
}

/// The copy to show next: valid now, the one that expires first.
pub(crate) fn choose(db: &Connection, document: &str, now: Timestamp) -> Result<Option<Copy>, WalletError> {
    let mut statement = db.prepare_cached(
        "SELECT id, key_id, public_key, sd_cwt FROM copy_set
         WHERE document = ?1 AND state = 'fresh' AND valid_from <= ?2 AND valid_until > ?2 ORDER BY valid_until, id LIMIT 1",
    )?;
    let row: Option<(i64, String, Vec<u8>, Vec<u8>)> =
        statement.query_row(params![document, now.unix()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))).optional()?;
    row.map(|(id, key_id, point, sd_cwt)| {
        let public_key = PublicKey::from_sec1(Curve::P256, &point).map_err(|_| WalletError::Internal("holder key"))?;
        Ok(Copy { id, key_id: KeyId(key_id), public_key, sd_cwt })
    })
    .transpose()
}

/// Fresh to reserved. `false` when it was not fresh any more.
pub(crate) fn reserve(db: &Connection, id: i64) -> Result<bool, WalletError> {
    Ok(db.execute("UPDATE copy_set SET state = 'reserved' WHERE id = ?1 AND state = 'fresh'", [id])? == 1)
}

/// Spent for ever: the credentials are erased, the key is condemned.
pub(crate) fn spend(db: &Connection, id: i64) -> Result<(), WalletError> {
    db.execute("INSERT OR IGNORE INTO dead_key (key_id) SELECT key_id FROM copy_set WHERE id = ?1", [id])?;
    db.execute("UPDATE copy_set SET state = 'spent', mdoc = NULL, sd_cwt = NULL WHERE id = ?1", [id])?;
    Ok(())
}

/// Spends what a crash left reserved.
pub(crate) fn spend_reserved(db: &Connection) -> Result<(), WalletError> {
    db.execute("INSERT OR IGNORE INTO dead_key (key_id) SELECT key_id FROM copy_set WHERE state = 'reserved'", [])?;
    db.execute("UPDATE copy_set SET state = 'spent', mdoc = NULL, sd_cwt = NULL WHERE state = 'reserved'", [])?;
    Ok(())
}

/// Spends every copy of a document: it was revoked, or the account moved.
pub(crate) fn spend_all(db: &Connection, document: &str) -> Result<(), WalletError> {
    db.execute("INSERT OR IGNORE INTO dead_key (key_id) SELECT key_id FROM copy_set WHERE document = ?1 AND state <> 'spent'", [document])?;
    db.execute("UPDATE copy_set SET state = 'spent', mdoc = NULL, sd_cwt = NULL WHERE document = ?1 AND state <> 'spent'", [document])?;
    Ok(())
}

/// Spends fresh copies that expired before `before`. The caller leaves a margin: a clock set forward must not empty the wallet.
pub(crate) fn drop_expired(db: &Connection, before: Timestamp) -> Result<(), WalletError> {
    db.execute(
        "INSERT OR IGNORE INTO dead_key (key_id) SELECT key_id FROM copy_set WHERE state = 'fresh' AND valid_until <= ?1",
        [before.unix()],
    )?;
    db.execute(
        "UPDATE copy_set SET state = 'spent', mdoc = NULL, sd_cwt = NULL WHERE state = 'fresh' AND valid_until <= ?1",
        [before.unix()],
    )?;
    Ok(())
}

/// Drops the rows of spent copies; what was shown stands in the consent log.
pub(crate) fn forget_spent(db: &Connection) -> Result<(), WalletError> {
    db.execute("DELETE FROM copy_set WHERE state = 'spent'", [])?;
    Ok(())
}

/// Keys the platform should delete.
pub(crate) fn dead_keys(db: &Connection) -> Result<Vec<KeyId>, WalletError> {
    let mut statement = db.prepare_cached("SELECT key_id FROM dead_key LIMIT 200")?;
    let rows = statement.query_map([], |r| r.get(0).map(KeyId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// They are deleted.
pub(crate) fn forget_keys(db: &Connection, keys: &[KeyId]) -> Result<(), WalletError> {
    for key in keys {
        db.execute("DELETE FROM dead_key WHERE key_id = ?1", [&key.0])?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
pub(crate) mod tests {
    use wallet_base::crypto::{Signer, SoftwareKey};
    use wallet_base::random::OsRandom;

    use super::*;

    pub(crate) fn database() -> Connection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        db.execute_batch(include_str!("../../migrations/wallet-001.sql")).unwrap();
        db.execute("INSERT INTO document (id, state, as_of, issued_at) VALUES ('driving-licence', 'issued', 5, 5)", []).unwrap();
        db
    }

    pub(crate) fn add(db: &Connection, key: &str, from: i64, until: i64) {
        let public_key = SoftwareKey::generate(Curve::P256, &OsRandom).public_key();
        let copy = NewCopy {
            key_id: KeyId(key.to_owned()),
            public_key,
            mdoc: vec![1],
            sd_cwt: vec![2],
            valid_from: Timestamp::from_unix(from),
            valid_until: Timestamp::from_unix(until),
        };
        insert(db, "driving-licence", &copy).unwrap();
    }

    #[test]
    fn expired_and_future_copies_are_never_offered() {
        let db = database();
        add(&db, "past", 0, 100);
        add(&db, "future", 200, 300);
        assert!(choose(&db, "driving-licence", Timestamp::from_unix(100)).unwrap().is_none());
        assert_eq!(stock(&db, "driving-licence", Timestamp::from_unix(100)).unwrap(), Stock::default());
        assert_eq!(choose(&db, "driving-licence", Timestamp::from_unix(99)).unwrap().unwrap().key_id.0, "past");
        assert_eq!(choose(&db, "driving-licence", Timestamp::from_unix(200)).unwrap().unwrap().key_id.0, "future");
        assert!(choose(&db, "citizen-identity", Timestamp::from_unix(99)).unwrap().is_none());
    }

    #[test]
    fn a_copy_is_reserved_once_and_spent_without_rest() {
        let db = database();
        add(&db, "k", 0, 100);
        let copy = choose(&db, "driving-licence", Timestamp::from_unix(1)).unwrap().unwrap();
        assert!(reserve(&db, copy.id).unwrap());
        assert!(!reserve(&db, copy.id).unwrap());
        assert!(choose(&db, "driving-licence", Timestamp::from_unix(1)).unwrap().is_none());
        spend(&db, copy.id).unwrap();
        let left: i64 =
            db.query_row("SELECT COUNT(*) FROM copy_set WHERE mdoc IS NOT NULL OR sd_cwt IS NOT NULL", [], |r| r.get(0)).unwrap();
        assert_eq!(left, 0);
        assert_eq!(dead_keys(&db).unwrap(), [KeyId("k".to_owned())]);
        forget_keys(&db, &dead_keys(&db).unwrap()).unwrap();
        assert!(dead_keys(&db).unwrap().is_empty());
    }

    #[test]
    fn a_crash_after_reserve_spends() {
        let db = database();
        add(&db, "k", 0, 100);
        add(&db, "other", 0, 100);
        reserve(&db, choose(&db, "driving-licence", Timestamp::from_unix(1)).unwrap().unwrap().id).unwrap();
        spend_reserved(&db).unwrap();
        assert_eq!(stock(&db, "driving-licence", Timestamp::from_unix(1)).unwrap().fresh, 1);
        assert_eq!(choose(&db, "driving-licence", Timestamp::from_unix(1)).unwrap().unwrap().key_id.0, "other");
    }

    #[test]
    fn a_key_serves_one_copy_only() {
        let db = database();
        add(&db, "k", 0, 100);
        let again = db.execute(
            "INSERT INTO copy_set (document, key_id, public_key, mdoc, sd_cwt, valid_from, valid_until, state)
             VALUES ('driving-licence', 'k', x'00', x'00', x'00', 0, 1, 'fresh')",
            [],
        );
        assert!(again.is_err());
    }
}
