//! The service's database: one SQLite file (WAL), own numbered migrations.
//!
//! Tables that concern a citizen have the citizen as the first column of their key, so that they can be split by citizen later.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::CentralError;

/// Migrations in order; `user_version` counts those applied.
const MIGRATIONS: &[&str] = &[include_str!("schema_1.sql"), include_str!("schema_2.sql")];

/// Name of the database file inside the service's directory.
pub(crate) const FILE: &str = "central.sqlite";

/// Opens (creating when absent) the database of the service in `dir` and brings its schema up to date.
pub(crate) fn open(dir: &Path) -> Result<Connection, CentralError> {
    let path = dir.join(FILE);
    private(&path)?;
    let mut connection = Connection::open(path)?;
    // An administrator's command may write while the server runs: wait for each other instead of failing.
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// Makes the file, when absent, for its owner only. The log beside it gets the same mode from SQLite.
fn private(path: &Path) -> Result<(), CentralError> {
    let failed = |error: std::io::Error| CentralError::Io { action: "write", file: FILE.to_owned(), kind: error.kind() };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A file of an earlier version may be open to others.
        if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        }
    }
    drop(file);
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), CentralError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let applied = usize::try_from(version).map_err(|_| CentralError::Damaged("schema version"))?;
    let pending = MIGRATIONS.get(applied..).ok_or(CentralError::NewerDatabase)?;
    for sql in pending {
        transaction.execute_batch(sql)?;
    }
    let now = i64::try_from(MIGRATIONS.len()).map_err(|_| CentralError::NewerDatabase)?;
    transaction.pragma_update(None, "user_version", now)?;
    transaction.commit()?;
    Ok(())
}

/// Starts a transaction that holds the write lock from its beginning, so that read-then-write is atomic.
pub(crate) fn write(connection: &mut Connection) -> Result<Transaction<'_>, CentralError> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn opens_twice_and_refuses_a_newer_schema() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path()).unwrap());
        let connection = open(dir.path()).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);
        assert!(matches!(open(dir.path()), Err(CentralError::NewerDatabase)));
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        drop(open(dir.path()).unwrap());
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        drop(open(dir.path()).unwrap());
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn bad_input_a_foreign_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), b"this is not a database at all, only text").unwrap();
        assert!(matches!(open(dir.path()), Err(CentralError::Database(_))));
    }

    #[test]
    fn evidence_is_append_only() {
        let dir = tempfile::tempdir().unwrap();
        let connection = open(dir.path()).unwrap();
        connection
            .execute(
                "INSERT INTO evidence (citizen, id, session, account, thumbprint, evidence, sha256, at)
                 VALUES ('c', 1, 's', 'a', x'00', x'01', x'02', 0)",
                [],
            )
            .unwrap();
        assert!(connection.execute("UPDATE evidence SET at = 1", []).is_err());
        assert!(connection.execute("DELETE FROM evidence", []).is_err());
    }
}
