//! The journal of a batch: from the moment its keys exist until its copy sets are stored. A next try continues with the same keys.

use rusqlite::{Connection, OptionalExtension, params};
use wallet_base::crypto::{Curve, PublicKey};
use wallet_base::time::Timestamp;
use wallet_platform::ports::{CreatedKeys, KeyId};

use crate::error::WalletError;

/// A batch under way.
pub(crate) struct Batch {
    pub(crate) id: i64,
    /// The wallet provider's challenge that `evidence` answers.
    pub(crate) challenge: String,
    pub(crate) evidence: Vec<u8>,
    /// The wallet provider took the evidence.
    pub(crate) registered: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) keys: Vec<(KeyId, PublicKey)>,
}

/// The batch of a document, if one is under way.
pub(crate) fn load(db: &Connection, document: &str) -> Result<Option<Batch>, WalletError> {
    let row: Option<(i64, String, Vec<u8>, bool, i64)> = db
        .query_row("SELECT id, challenge, evidence, registered, created_at FROM batch WHERE document = ?1", [document], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))
        })
        .optional()?;
    let Some((id, challenge, evidence, registered, created_at)) = row else {
        return Ok(None);
    };
    let mut statement = db.prepare_cached("SELECT key_id, public_key FROM batch_key WHERE batch = ?1 ORDER BY position")?;
    let rows = statement.query_map([id], |r| Ok((r.get::<_, String>(0)?, r.get::<_, Vec<u8>>(1)?)))?;
    let mut keys = Vec::new();
    for row in rows {
        let (key_id, point) = row?;
        let public = PublicKey::from_sec1(Curve::P256, &point).map_err(|_| WalletError::Internal("batch key"))?;
        keys.push((KeyId(key_id), public));
    }
    let created_at = Timestamp::from_unix(created_at);
    Ok(Some(Batch { id, challenge, evidence, registered, created_at, keys }))
}

/// Writes a batch down, in the caller's transaction.
pub(crate) fn begin(db: &Connection, document: &str, challenge: &str, created: &CreatedKeys, now: Timestamp) -> Result<Batch, WalletError> {
    db.execute(
        "INSERT INTO batch (document, challenge, evidence, created_at) VALUES (?1, ?2, ?3, ?4)",
        params![document, challenge, created.evidence, now.unix()],
    )?;
    let id = db.last_insert_rowid();
    for (position, (key_id, public)) in (0_i64..).zip(&created.keys) {
        db.execute(
            "INSERT INTO batch_key (batch, position, key_id, public_key) VALUES (?1, ?2, ?3, ?4)",
            params![id, position, key_id.0, public.to_sec1()],
        )?;
    }
    Ok(Batch {
        id,
        challenge: challenge.to_owned(),
        evidence: created.evidence.clone(),
        registered: false,
        created_at: now,
        keys: created.keys.clone(),
    })
}

/// The wallet provider took the evidence.
pub(crate) fn set_registered(db: &Connection, batch: i64) -> Result<(), WalletError> {
    db.execute("UPDATE batch SET registered = 1 WHERE id = ?1", [batch])?;
    Ok(())
}

/// The batch became copy sets, in the caller's transaction. `false` when it was gone: nothing may be stored then.
pub(crate) fn finish(db: &Connection, batch: i64) -> Result<bool, WalletError> {
    db.execute("DELETE FROM batch_key WHERE batch = ?1", [batch])?;
    Ok(db.execute("DELETE FROM batch WHERE id = ?1", [batch])? == 1)
}

/// Gives a batch up: its keys are condemned.
pub(crate) fn abandon(db: &Connection, batch: i64) -> Result<(), WalletError> {
    db.execute("INSERT OR IGNORE INTO dead_key (key_id) SELECT key_id FROM batch_key WHERE batch = ?1", [batch])?;
    finish(db, batch)?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use wallet_base::crypto::{Signer, SoftwareKey};
    use wallet_base::random::OsRandom;

    use super::super::copies;
    use super::*;

    fn created(n: u32) -> CreatedKeys {
        let keys = (0..n).map(|i| (KeyId(format!("k{i}")), SoftwareKey::generate(Curve::P256, &OsRandom).public_key())).collect();
        CreatedKeys { keys, evidence: vec![7; 9] }
    }

    #[test]
    fn the_next_try_continues_with_the_same_keys() {
        let db = copies::tests::database();
        let keys = created(3);
        begin(&db, "driving-licence", "c", &keys, Timestamp::from_unix(5)).unwrap();
        let again = load(&db, "driving-licence").unwrap().unwrap();
        assert_eq!(again.keys, keys.keys);
        assert_eq!((again.challenge.as_str(), again.evidence.as_slice(), again.registered), ("c", &[7; 9][..], false));
        set_registered(&db, again.id).unwrap();
        assert!(load(&db, "driving-licence").unwrap().unwrap().registered);
        // One batch for each document at a time.
        assert!(begin(&db, "driving-licence", "d", &created(1), Timestamp::from_unix(6)).is_err());
        assert!(load(&db, "citizen-identity").unwrap().is_none());
    }

    #[test]
    fn an_abandoned_batch_condemns_its_keys() {
        let db = copies::tests::database();
        let batch = begin(&db, "driving-licence", "c", &created(2), Timestamp::from_unix(5)).unwrap();
        abandon(&db, batch.id).unwrap();
        assert!(load(&db, "driving-licence").unwrap().is_none());
        assert_eq!(copies::dead_keys(&db).unwrap().len(), 2);
        assert!(!finish(&db, batch.id).unwrap());
    }
}
