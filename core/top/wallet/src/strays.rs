//! Stray keys: made behind the key store, but the process died before their row was written. Nobody ever heard of them, so they are deleted.
//!
//! Only the act that holds [`Inner::act`] makes keys; a look for strays is safe inside such an act and nowhere else.

use std::collections::BTreeSet;

use rusqlite::Connection;
use wallet_platform::ports::{KeyId, PortError};

use crate::error::WalletError;
use crate::inner::Inner;

/// Most keys deleted in one call of the port.
const AT_ONCE: usize = 64;

/// The names of all keys in the key store; `None` where the platform cannot list them.
pub(crate) fn held(inner: &Inner) -> Result<Option<Vec<KeyId>>, WalletError> {
    match inner.keys().list() {
        Ok(keys) => Ok(Some(keys)),
        Err(PortError::Unsupported) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Those of `held` that no row names.
pub(crate) fn unknown(db: &Connection, held: Vec<KeyId>) -> Result<Vec<KeyId>, WalletError> {
    let mut statement = db.prepare_cached(
        "SELECT key_id FROM account UNION SELECT key_id FROM batch_key UNION SELECT key_id FROM dead_key
         UNION SELECT key_id FROM copy_set WHERE state <> 'spent'",
    )?;
    let known = statement.query_map([], |row| row.get(0).map(KeyId))?.collect::<Result<BTreeSet<_>, _>>()?;
    Ok(held.into_iter().filter(|key| !known.contains(key)).collect())
}

/// Deletes stray keys. The caller holds [`Inner::act`]. Best effort: a key store that fails is asked again at the next act.
pub(crate) fn bury(inner: &Inner) -> Result<(), WalletError> {
    let held = match held(inner) {
        Ok(Some(held)) => held,
        Ok(None) => return Ok(()),
        Err(error) => {
            tracing::warn!(%error, "the key store could not list its keys");
            return Ok(());
        }
    };
    let strays = inner.read(|db| unknown(db, held))?;
    for some in strays.chunks(AT_ONCE) {
        if let Err(error) = inner.keys().delete(some) {
            tracing::warn!(%error, "stray keys are kept until the next act");
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::issuance::copies;

    #[test]
    fn a_key_is_stray_when_no_row_names_it() {
        let db = copies::tests::database();
        copies::tests::add(&db, "copy", 0, 100);
        db.execute("INSERT INTO dead_key (key_id) VALUES ('dead')", []).unwrap();
        db.execute("INSERT INTO account (only, key_id, public_key) VALUES (1, 'account', x'00')", []).unwrap();
        db.execute("INSERT INTO batch (id, document, challenge, evidence, created_at) VALUES (1, 'd', 'c', x'00', 0)", []).unwrap();
        db.execute("INSERT INTO batch_key (batch, position, key_id, public_key) VALUES (1, 0, 'waiting', x'00')", []).unwrap();
        let held = ["copy", "dead", "account", "waiting", "stray"].map(|name| KeyId(name.to_owned())).to_vec();
        assert_eq!(unknown(&db, held).unwrap(), [KeyId("stray".to_owned())]);
    }
}
