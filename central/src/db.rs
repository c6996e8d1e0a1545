//! The service's database: one SQLite file (WAL), own numbered migrations.
//!
//! The file is encrypted, and each of its pages carries a MAC (SQLCipher, under a key derived from `keys/service.secret`): a page that was changed
//! by anybody or anything else is noticed when it is read, and a copy of the file alone tells nothing about citizens.
//!
//! Tables that concern a citizen have the citizen as the first column of their key, so that they can be split by citizen later.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use wallet_base::crypto::hmac_sha256;
use zeroize::Zeroizing;

use crate::error::CentralError;
use crate::keys;

/// Migrations in order; `user_version` counts those applied.
const MIGRATIONS: &[&str] = &[include_str!("schema_1.sql"), include_str!("schema_2.sql"), include_str!("schema_3.sql")];

/// Name of the database file inside the service's directory.
pub(crate) const FILE: &str = "central.sqlite";
/// What a database without encryption begins with.
const PLAIN: &[u8] = b"SQLite format 3\0";
/// Connections that only read.
const READERS: usize = 4;

/// Opens (creating when absent) the database of the service in `dir` and brings its schema up to date.
pub(crate) fn open(dir: &Path) -> Result<Connection, CentralError> {
    private(&dir.join(FILE))?;
    let mut connection = connect(dir)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// One connection with its key and settings.
fn connect(dir: &Path) -> Result<Connection, CentralError> {
    let path = dir.join(FILE);
    let mut head = Vec::new();
    if let Ok(file) = std::fs::File::open(&path) {
        // What cannot be read is for the engine to complain about.
        let _ = file.take(16).read_to_end(&mut head);
    }
    if head == PLAIN {
        // Nothing was ever released with such a file. Whoever put it there must not be believed.
        return Err(CentralError::Database("not encrypted: not a database of this service"));
    }
    let connection = Connection::open(path)?;
    // Another engine under the same name would take the key for a word it does not know, and write in plain text.
    let cipher: Option<String> = connection.query_row("PRAGMA cipher_version", [], |row| row.get(0)).optional()?;
    if cipher.is_none_or(|version| version.is_empty()) {
        return Err(CentralError::Database("no cipher: this build has no database encryption"));
    }
    // The engine would write its own lines about damage, with page numbers, to standard error.
    connection.pragma_update(None, "cipher_log_level", "NONE")?;
    connection.pragma_update(None, "key", key(dir)?.as_str())?;
    // An administrator's command may write while the server runs: wait for each other instead of failing.
    connection.busy_timeout(Duration::from_secs(10))?;
    // FULL: what was answered was stored, even when the power fails at the next moment.
    connection.execute_batch(
        "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON; PRAGMA temp_store=2; PRAGMA trusted_schema=OFF;
         PRAGMA cell_size_check=ON;",
    )?;
    Ok(connection)
}

/// `x'` + 64 hexadecimal digits + `'`: SQLCipher's raw key.
fn key(dir: &Path) -> Result<Zeroizing<String>, CentralError> {
    let secret = keys::load_secret(dir, "service")?;
    let key = Zeroizing::new(hmac_sha256(&secret, b"central database"));
    let mut text = Zeroizing::new(String::with_capacity(80));
    text.push_str("x'");
    for byte in key.iter() {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\'');
    Ok(text)
}

/// Reads every page; refuses a database that is damaged.
pub(crate) fn check(connection: &Connection) -> Result<(), CentralError> {
    let answer: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if answer == "ok" { Ok(()) } else { Err(CentralError::Database(DAMAGED)) }
}

/// What a damaged database is called.
pub(crate) const DAMAGED: &str = "damaged, or under another key: stop the service and restore a copy of the whole directory";

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

fn version(connection: &Connection) -> Result<usize, CentralError> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    usize::try_from(version).map_err(|_| CentralError::Damaged("schema version"))
}

fn migrate(connection: &mut Connection) -> Result<(), CentralError> {
    // Most times there is nothing to do, and nothing to write: an administrator's command then works on a full disk as well.
    if version(connection)? == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let pending = MIGRATIONS.get(version(&transaction)?..).ok_or(CentralError::NewerDatabase)?;
    for sql in pending {
        transaction.execute_batch(sql)?;
    }
    let now = i64::try_from(MIGRATIONS.len()).map_err(|_| CentralError::NewerDatabase)?;
    transaction.pragma_update(None, "user_version", now)?;
    transaction.commit()?;
    Ok(())
}

/// Starts a transaction that holds the write lock from its beginning, so that read-then-write is atomic.
///
/// What signs or dates anything begins with [`crate::clock::begin`] instead.
pub(crate) fn write(connection: &mut Connection) -> Result<Transaction<'_>, CentralError> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// The connections of a running service: one that writes, a few that read while it does.
pub(crate) struct Pool {
    writer: Mutex<Connection>,
    readers: Vec<Mutex<Connection>>,
}

impl Pool {
    /// Opens the database of a directory, reads it whole, and refuses a damaged one.
    pub(crate) fn open(dir: &Path) -> Result<Self, CentralError> {
        let writer = open(dir)?;
        check(&writer)?;
        let mut readers = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            let reader = connect(dir)?;
            reader.pragma_update(None, "query_only", true)?;
            readers.push(Mutex::new(reader));
        }
        Ok(Self { writer: Mutex::new(writer), readers })
    }

    /// The connection that writes; one request at a time has it, for as long as its transaction, and never while another service is asked.
    pub(crate) fn writer(&self) -> MutexGuard<'_, Connection> {
        // A panic in between rolled its transaction back: the connection is as good as before.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that reads what is committed; it does not wait for the writer.
    pub(crate) fn reader(&self) -> MutexGuard<'_, Connection> {
        use std::sync::TryLockError;
        for reader in &self.readers {
            match reader.try_lock() {
                Ok(guard) => return guard,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        // All are at work, for a millisecond or so each.
        self.readers.first().unwrap_or(&self.writer).lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn directory() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        keys::create_secret(dir.path(), "service", &wallet_base::random::OsRandom).unwrap();
        dir
    }

    #[test]
    fn opens_twice_and_refuses_a_newer_schema() {
        let dir = directory();
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
        let dir = directory();
        let path = dir.path().join(FILE);
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        drop(open(dir.path()).unwrap());
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        drop(open(dir.path()).unwrap());
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn bad_input_a_foreign_file_or_key_is_refused() {
        let dir = directory();
        std::fs::write(dir.path().join(FILE), b"this is not a database at all, only text").unwrap();
        assert!(matches!(open(dir.path()), Err(CentralError::Database(_))));
        std::fs::remove_file(dir.path().join(FILE)).unwrap();
        // A plain database, whoever put it there.
        drop(Connection::open(dir.path().join(FILE)).unwrap().execute_batch("CREATE TABLE t (x)"));
        assert!(matches!(open(dir.path()), Err(CentralError::Database(text)) if text.starts_with("not encrypted")));
        std::fs::remove_file(dir.path().join(FILE)).unwrap();
        drop(open(dir.path()).unwrap());
        keys::create_secret(dir.path(), "service", &wallet_base::random::OsRandom).unwrap();
        assert!(matches!(open(dir.path()), Err(CentralError::Database(DAMAGED))));
    }

    #[test]
    fn nothing_is_readable_in_the_file() {
        let dir = directory();
        let connection = open(dir.path()).unwrap();
        connection.execute("INSERT INTO accounts (citizen) VALUES ('001090000123')", []).unwrap();
        drop(connection);
        let bytes = std::fs::read(dir.path().join(FILE)).unwrap();
        for secret in [&b"001090000123"[..], b"CREATE TABLE", b"SQLite format"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }

    #[test]
    fn readers_read_while_the_writer_writes_and_cannot_write() {
        let dir = directory();
        let pool = Pool::open(dir.path()).unwrap();
        let mut writer = pool.writer();
        let transaction = write(&mut writer).unwrap();
        transaction.execute("INSERT INTO accounts (citizen) VALUES ('c')", []).unwrap();
        let guards: Vec<_> = (0..READERS).map(|_| pool.reader()).collect();
        for reader in &guards {
            assert_eq!(reader.query_row("SELECT COUNT(*) FROM accounts", [], |row| row.get::<_, i64>(0)).unwrap(), 0);
            assert!(reader.execute("DELETE FROM accounts", []).is_err());
        }
        transaction.commit().unwrap();
        for reader in &guards {
            assert_eq!(reader.query_row("SELECT COUNT(*) FROM accounts", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
        }
    }

    #[test]
    fn a_database_of_the_first_schema_is_brought_up_to_date() {
        let dir = directory();
        private(&dir.path().join(FILE)).unwrap();
        let connection = connect(dir.path()).unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection.execute_batch("INSERT INTO notices VALUES ('c', 1, 'device-replaced', x'00', 7); PRAGMA user_version=1").unwrap();
        connection.execute_batch("INSERT INTO status_lists VALUES ('d', 'w', 1234, x'00')").unwrap();
        drop(connection);
        let connection = open(dir.path()).unwrap();
        assert_eq!(connection.query_row("SELECT at FROM latest_time", [], |row| row.get::<_, i64>(0)).unwrap(), 1234);
        // Who was told before is not told again.
        assert_eq!(connection.query_row("SELECT told_at FROM notices", [], |row| row.get::<_, i64>(0)).unwrap(), 7);
    }

    #[test]
    fn evidence_is_append_only() {
        let dir = directory();
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
