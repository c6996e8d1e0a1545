//! The encrypted database: SQLite with SQLCipher 4.
//!
//! Every open asks the library for its cipher version first: an engine without a cipher would ignore the key and write plain text.
//! The key is a raw 32-byte key (no derivation); the file's 16-byte salt is derived from it, so that a wrong key and a damaged file
//! can be told apart. Write-ahead log, full synchronisation, secure delete, temporary tables in memory.
//!
//! A [`Database`] is open or closed (the app goes to the background) and can be reopened with its key. Readers get a `&Connection`, writers a
//! `&Transaction`; do nothing else inside: no port, no network.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use wallet_base::crypto::hmac_sha256;
use wallet_base::random::Random;
use zeroize::Zeroizing;

use crate::files;

/// The first bytes of every plain SQLite database.
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How long a writer waits for another connection's lock.
const BUSY: Duration = Duration::from_secs(5);

/// Why the store did not do what it was asked. No text of SQL, no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The file is a plain SQLite database, not an encrypted one.
    #[error("the database is not encrypted")]
    NotEncrypted,
    /// The key is not this database's.
    #[error("wrong database key")]
    WrongKey,
    /// The file is damaged.
    #[error("the database is damaged")]
    Corrupt,
    /// Written by a newer version of the software.
    #[error("the database was written by a newer version")]
    Newer,
    /// The linked database engine has no cipher.
    #[error("the database engine has no cipher")]
    NoCipher,
    /// No such database.
    #[error("there is no database")]
    Missing,
    /// There was one here, and it is gone.
    #[error("the database that was here is gone")]
    Gone,
    /// There is one already.
    #[error("there is a database already")]
    Exists,
    /// Closed, for the app went to the background.
    #[error("the database is closed")]
    Closed,
    /// A reader or writer asked for the database again from inside.
    #[error("the database is in use by the same caller")]
    Reentered,
    /// Another program has the folder or the database.
    #[error("another program uses the store")]
    Busy,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// A unique, foreign or check rule was broken.
    #[error("a rule of the database was broken")]
    Constraint,
    /// A row that should be there is not.
    #[error("no such row")]
    NoRow,
    /// A value is not of the type asked for.
    #[error("a value has another type")]
    Type,
    /// The file system failed.
    #[error("the file system failed")]
    Io,
    /// Anything else, by SQLite's extended result code (0 when it is not SQLite's).
    #[error("database error {0}")]
    Other(i32),
}

impl StoreError {
    /// The word by which a shell names what is wrong with the store and what can be done; `None` when it is no fault of the store but a state or
    /// a mistake of the program.
    pub const fn reason(self) -> Option<&'static str> {
        Some(match self {
            Self::NotEncrypted => "not-encrypted",
            Self::WrongKey => "wrong-key",
            Self::Corrupt => "corrupt",
            Self::Newer => "newer",
            Self::NoCipher => "no-cipher",
            Self::Missing => "missing",
            Self::Gone => "gone",
            Self::Exists => "exists",
            Self::Busy => "busy",
            Self::Full => "full",
            Self::Io => "disk",
            Self::Closed | Self::Reentered | Self::Constraint | Self::NoRow | Self::Type | Self::Other(_) => return None,
        })
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        if files::is_full(&error) { Self::Full } else { Self::Io }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(e, _) => match e.code {
                ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => Self::Corrupt,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::ConstraintViolation => Self::Constraint,
                ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly => Self::Io,
                _ => Self::Other(e.extended_code),
            },
            rusqlite::Error::QueryReturnedNoRows => Self::NoRow,
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..) => Self::Type,
            _ => Self::Other(0),
        }
    }
}

/// The raw key of one database: 32 random bytes, wiped on drop, never printed. Wrapped by [`crate::keyslot`].
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseKey(Zeroizing<[u8; 32]>);

impl DatabaseKey {
    /// A new key.
    pub fn generate(random: &dyn Random) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(key.as_mut_slice());
        Self(key)
    }

    /// From its bytes; `None` unless there are 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        <[u8; 32]>::try_from(bytes).ok().map(|key| Self(Zeroizing::new(key)))
    }

    /// The bytes. Do not log, store or copy them without need.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The salt of the file that belongs to this key. It gives nothing away about the key and names it.
    fn salt(&self) -> [u8; 16] {
        let mac = hmac_sha256(self.expose(), b"wallet-database-salt-v1");
        let mut salt = [0; 16];
        for (to, from) in salt.iter_mut().zip(mac) {
            *to = from;
        }
        salt
    }

    /// `x'` + key + salt in hex + `'`: SQLCipher's raw key with explicit salt.
    fn pragma(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(128));
        text.push_str("x'");
        for byte in self.expose().iter().chain(&self.salt()) {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        text.push('\'');
        text
    }
}

impl fmt::Debug for DatabaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseKey(..)")
    }
}

/// One encrypted database.
pub struct Database {
    path: PathBuf,
    migrations: Vec<&'static str>,
    connection: Mutex<Option<Connection>>,
    holder: Mutex<Option<ThreadId>>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("open", &self.is_open()).finish_non_exhaustive()
    }
}

/// What the first bytes of a file say.
enum Look {
    Missing,
    Empty,
    Plain,
    Salt([u8; 16]),
    Short,
}

fn look(path: &Path) -> Result<Look, StoreError> {
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Look::Missing),
        Err(error) => return Err(error.into()),
    };
    let mut head = Vec::new();
    file.by_ref().take(16).read_to_end(&mut head)?;
    Ok(match <[u8; 16]>::try_from(head.as_slice()) {
        Ok(head) if &head == SQLITE_MAGIC => Look::Plain,
        Ok(head) => Look::Salt(head),
        Err(_) if head.is_empty() => Look::Empty,
        Err(_) => Look::Short,
    })
}

fn side_file(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    path.with_file_name(name)
}

/// Opens one connection and proves cipher and key.
fn connect(path: &Path, key: &DatabaseKey, create: bool) -> Result<Connection, StoreError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection = Connection::open_with_flags(path, flags)?;
    if !is_cipher(connection.query_row("PRAGMA cipher_version", [], |row| row.get(0))) {
        return Err(StoreError::NoCipher);
    }
    // Before anything of the database is read: the engine overwrites what it frees.
    connection.pragma_update(None, "cipher_memory_security", "ON")?;
    // The engine would write its complaints to the standard error output.
    connection.pragma_update(None, "cipher_log_level", "NONE")?;
    connection.pragma_update(None, "key", key.pragma().as_str())?;
    connection.busy_timeout(BUSY)?;
    // Reading the schema decrypts the first page: the proof that the key fits.
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0))?;
    connection.execute_batch(
        "PRAGMA journal_mode=WAL;
         PRAGMA synchronous=FULL;
         PRAGMA secure_delete=ON;
         PRAGMA temp_store=2;
         PRAGMA foreign_keys=ON;
         PRAGMA trusted_schema=OFF;
         PRAGMA cell_size_check=ON;",
    )?;
    Ok(connection)
}

/// Judges the answer to `PRAGMA cipher_version`: a plain engine does not know the pragma and gives no row at all.
fn is_cipher(answer: rusqlite::Result<String>) -> bool {
    answer.is_ok_and(|version| !version.trim().is_empty())
}

/// Runs the numbered migrations that are missing, all in one immediate transaction.
fn migrate(connection: &mut Connection, migrations: &[&'static str]) -> Result<(), StoreError> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let version = usize::try_from(version).map_err(|_| StoreError::Corrupt)?;
    if version == migrations.len() {
        return Ok(());
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again under the lock: another connection may have been first.
    let version: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let version = usize::try_from(version).map_err(|_| StoreError::Corrupt)?;
    let missing = migrations.get(version..).ok_or(StoreError::Newer)?;
    for migration in missing {
        tx.execute_batch(migration)?;
    }
    let now = i64::try_from(migrations.len()).map_err(|_| StoreError::Other(0))?;
    tx.pragma_update(None, "user_version", now)?;
    tx.commit()?;
    Ok(())
}

impl Database {
    /// Makes a new database. `migrations` are SQL scripts, numbered by their place (1, 2, ...); never change or reorder old ones.
    ///
    /// The file appears whole: it is made beside its place and renamed, so that a kill leaves none or all of it.
    pub fn create(path: &Path, key: &DatabaseKey, migrations: &[&'static str]) -> Result<Self, StoreError> {
        match look(path)? {
            // An empty file is what a kill between two programs' steps leaves behind; there is nothing in it to lose.
            Look::Missing | Look::Empty => {}
            _ => return Err(StoreError::Exists),
        }
        let new = side_file(path, ".new");
        for stale in [
            new.clone(),
            side_file(&new, "-wal"),
            side_file(&new, "-shm"),
            side_file(&new, "-journal"),
            side_file(path, "-wal"),
            side_file(path, "-shm"),
        ] {
            remove(&stale)?;
        }
        if let Some(parent) = path.parent() {
            files::private_dir(parent)?;
        }
        files::write_private(&new, b"")?;
        let mut connection = connect(&new, key, true)?;
        migrate(&mut connection, migrations)?;
        shut(connection)?;
        fs::File::open(&new)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&new, path))
            .and_then(|()| path.parent().map_or(Ok(()), files::sync_dir))?;
        Self::open(path, key, migrations)
    }

    /// Opens a database and brings it up to date.
    ///
    /// [`StoreError::NotEncrypted`] for a plain database, [`StoreError::WrongKey`] for another key's, [`StoreError::Corrupt`] for a damaged one,
    /// [`StoreError::Newer`] for one with more migrations than are known here.
    pub fn open(path: &Path, key: &DatabaseKey, migrations: &[&'static str]) -> Result<Self, StoreError> {
        let database =
            Self { path: path.to_owned(), migrations: migrations.to_vec(), connection: Mutex::new(None), holder: Mutex::new(None) };
        database.reopen(key)?;
        Ok(database)
    }

    /// Opens the database, or makes it when there is none.
    pub fn open_or_create(path: &Path, key: &DatabaseKey, migrations: &[&'static str]) -> Result<Self, StoreError> {
        match look(path)? {
            Look::Missing | Look::Empty => Self::create(path, key, migrations),
            _ => Self::open(path, key, migrations),
        }
    }

    /// Opens a database of what can be fetched again, or makes it. Every page is read first; one that is damaged, or another key's, is set aside as
    /// `NAME.damaged` and a new one made in its place. Gives whether it is new. A plain one, a newer one and a failing disk are errors as ever.
    pub fn open_or_rebuild(path: &Path, key: &DatabaseKey, migrations: &[&'static str]) -> Result<(Self, bool), StoreError> {
        if matches!(look(path)?, Look::Missing | Look::Empty) {
            return Ok((Self::create(path, key, migrations)?, true));
        }
        let opened = Self::open(path, key, migrations).and_then(|database| {
            let sound = database.check_pages();
            if sound.is_err() {
                // Closing writes the log back; what it says of a damaged file does not matter.
                let _ = database.close();
            }
            sound.map(|()| database)
        });
        match opened {
            Err(StoreError::Corrupt | StoreError::WrongKey) => {
                for side in ["-wal", "-shm"] {
                    remove(&side_file(path, side))?;
                }
                fs::rename(path, side_file(path, ".damaged"))?;
                Ok((Self::create(path, key, migrations)?, true))
            }
            other => other.map(|database| (database, false)),
        }
    }

    /// Reads every page, its authentication code and the structure.
    ///
    /// [`StoreError::Corrupt`] when one was changed.
    pub fn check_pages(&self) -> Result<(), StoreError> {
        self.read(|db| {
            let mut codes = db.prepare("PRAGMA cipher_integrity_check")?;
            if codes.query([])?.next()?.is_some() {
                return Err(StoreError::Corrupt);
            }
            let told: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            if told == "ok" { Ok(()) } else { Err(StoreError::Corrupt) }
        })
    }

    /// Writes the log back into the database, flushed, and empties it: what was committed before does not hang on the log any more.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.read(|db| {
            let busy: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if busy == 0 { Ok(()) } else { Err(StoreError::Busy) }
        })
    }

    /// Opens a closed database again; nothing happens when it is open.
    pub fn reopen(&self, key: &DatabaseKey) -> Result<(), StoreError> {
        let mut guard = self.enter()?;
        if guard.connection.is_some() {
            return Ok(());
        }
        match look(&self.path)? {
            Look::Missing => return Err(StoreError::Missing),
            Look::Plain => return Err(StoreError::NotEncrypted),
            Look::Empty | Look::Short => return Err(StoreError::Corrupt),
            Look::Salt(salt) if salt != key.salt() => return Err(StoreError::WrongKey),
            Look::Salt(_) => {}
        }
        let mut connection = connect(&self.path, key, false)?;
        migrate(&mut connection, &self.migrations)?;
        *guard.connection = Some(connection);
        Ok(())
    }

    /// Closes the database: the log is written back and the key is wiped from the engine's memory. Closing twice is no error.
    pub fn close(&self) -> Result<(), StoreError> {
        let mut guard = self.enter()?;
        guard.connection.take().map_or(Ok(()), shut)
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads. The closure's errors are the caller's own; `?` on the driver's results works where `E` is [`StoreError`].
    pub fn read<T, E: From<StoreError>>(&self, read: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        let guard = self.enter()?;
        let connection = guard.connection.as_ref().ok_or(StoreError::Closed)?;
        read(connection)
    }

    /// Writes in one immediate transaction: committed when the closure gives `Ok`, and durable then; rolled back otherwise.
    pub fn with_tx<T, E: From<StoreError>>(&self, write: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut guard = self.enter()?;
        let connection = guard.connection.as_mut().ok_or(StoreError::Closed)?;
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
        let value = write(&tx)?;
        tx.commit().map_err(StoreError::from)?;
        Ok(value)
    }

    /// Takes the connection for this thread; a thread that has it already is told so instead of waiting for itself.
    fn enter(&self) -> Result<Entered<'_>, StoreError> {
        let me = std::thread::current().id();
        let holder = *self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        if holder == Some(me) {
            return Err(StoreError::Reentered);
        }
        // A panic inside a closure rolled its transaction back when it was dropped; the connection is sound.
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = Some(me);
        Ok(Entered { connection, holder: &self.holder })
    }
}

/// The connection, held by one thread.
struct Entered<'a> {
    connection: MutexGuard<'a, Option<Connection>>,
    holder: &'a Mutex<Option<ThreadId>>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn shut(connection: Connection) -> Result<(), StoreError> {
    // Best effort: a reader elsewhere may keep the log alive, and the next open replays it.
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.close().map_err(|(_, e)| StoreError::from(e))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod tests;
