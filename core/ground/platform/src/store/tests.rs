use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use wallet_base::random::{OsRandom, SeededRandom};

use super::*;

const MIGRATIONS: &[&str] =
    &["CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;", "ALTER TABLE person ADD COLUMN note TEXT;"];

fn key() -> DatabaseKey {
    DatabaseKey::generate(&OsRandom)
}

fn insert(database: &Database, name: &str) -> Result<(), StoreError> {
    database.with_tx(|tx| {
        tx.execute("INSERT INTO person (name) VALUES (?1)", [name])?;
        Ok(())
    })
}

fn count(database: &Database) -> Result<i64, StoreError> {
    database.read(|c| Ok(c.query_row("SELECT count(*) FROM person", [], |r| r.get(0))?))
}

#[test]
fn values_survive_close_and_reopen_and_the_states_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wallet.db");
    let key = key();
    assert_eq!(Database::open(&path, &key, MIGRATIONS).unwrap_err(), StoreError::Missing);
    let database = Database::create(&path, &key, MIGRATIONS).unwrap();
    assert_eq!(Database::create(&path, &key, MIGRATIONS).unwrap_err(), StoreError::Exists);
    insert(&database, "a").unwrap();
    assert_eq!(insert(&database, "a"), Err(StoreError::Constraint));
    database.close().unwrap();
    database.close().unwrap();
    assert!(!database.is_open());
    assert_eq!(count(&database), Err(StoreError::Closed));
    assert_eq!(insert(&database, "b"), Err(StoreError::Closed));
    database.reopen(&key).unwrap();
    database.reopen(&key).unwrap();
    assert_eq!(count(&database), Ok(1));
    drop(database);
    assert_eq!(count(&Database::open_or_create(&path, &key, MIGRATIONS).unwrap()), Ok(1));
}

#[test]
fn the_settings_hold() {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::create(&dir.path().join("w.db"), &key(), MIGRATIONS).unwrap();
    database
        .read(|c| {
            let text = |pragma: &str| c.query_row(&format!("PRAGMA {pragma}"), [], |r| r.get::<_, String>(0));
            let number = |pragma: &str| c.query_row(&format!("PRAGMA {pragma}"), [], |r| r.get::<_, i64>(0));
            assert!(text("cipher_version")?.starts_with("4."));
            // One library of cryptography, not two (ADR 15).
            assert!(text("cipher_provider_version")?.contains("AWS-LC"));
            let mut options = c.prepare("PRAGMA compile_options")?;
            let options: Vec<String> = options.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            for gone in ["ENABLE_FTS3", "ENABLE_FTS5", "ENABLE_RTREE", "ENABLE_LOAD_EXTENSION"] {
                assert!(!options.iter().any(|option| option == gone), "{gone}: .cargo/config.toml was not read");
            }
            assert!(options.iter().any(|option| option == "OMIT_LOAD_EXTENSION"));
            assert_eq!(text("journal_mode")?, "wal");
            assert_eq!((number("synchronous")?, number("secure_delete")?, number("temp_store")?, number("foreign_keys")?), (2, 1, 2, 1));
            assert_eq!(number("user_version")?, 2);
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn bad_input_wrong_database_key_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wallet.db");
    let right = key();
    insert(&Database::create(&path, &right, MIGRATIONS).unwrap(), "a").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert_eq!(Database::open(&path, &key(), MIGRATIONS).unwrap_err(), StoreError::WrongKey);
    // A key that differs in one bit, too.
    let mut near = *right.expose();
    near[31] ^= 1;
    let near = DatabaseKey::from_slice(&near).unwrap();
    assert_eq!(Database::open(&path, &near, MIGRATIONS).unwrap_err(), StoreError::WrongKey);
    assert_eq!(Database::open_or_create(&path, &near, MIGRATIONS).unwrap_err(), StoreError::WrongKey);
    // The engine itself refuses it as well: the check of the salt is not what protects the data.
    assert_eq!(connect(&path, &near, false).err(), Some(StoreError::Corrupt));
    assert_eq!(std::fs::read(&path).unwrap(), before, "a refused open changes nothing");
    assert_eq!(count(&Database::open(&path, &right, MIGRATIONS).unwrap()), Ok(1));
}

#[test]
fn bad_input_plaintext_database_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wallet.db");
    let plain = Connection::open(&path).unwrap();
    plain.execute_batch("CREATE TABLE person (id INTEGER); INSERT INTO person VALUES (1);").unwrap();
    drop(plain);
    assert!(std::fs::read(&path).unwrap().starts_with(SQLITE_MAGIC));
    assert_eq!(Database::open(&path, &key(), MIGRATIONS).unwrap_err(), StoreError::NotEncrypted);
    assert_eq!(Database::open_or_create(&path, &key(), MIGRATIONS).unwrap_err(), StoreError::NotEncrypted);
    assert_eq!(Database::create(&path, &key(), MIGRATIONS).unwrap_err(), StoreError::Exists);
}

#[test]
fn damage_is_told_from_a_wrong_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wallet.db");
    let key = key();
    let database = Database::create(&path, &key, MIGRATIONS).unwrap();
    insert(&database, "a").unwrap();
    database.close().unwrap();
    let good = std::fs::read(&path).unwrap();
    // One bit of the first page, behind the salt.
    let mut bad = good.clone();
    bad[100] ^= 1;
    std::fs::write(&path, &bad).unwrap();
    assert_eq!(database.reopen(&key), Err(StoreError::Corrupt));
    for length in [0, 1, 15, 16, 100] {
        std::fs::write(&path, &good[..length]).unwrap();
        assert_eq!(database.reopen(&key), Err(StoreError::Corrupt), "{length} bytes");
    }
    // One bit of a later page is found when it is read.
    let mut bad = good.clone();
    let at = bad.len() - 2000;
    bad[at] ^= 1;
    std::fs::write(&path, &bad).unwrap();
    let found = database.reopen(&key).and_then(|()| {
        database.read(|c| Ok::<_, StoreError>(c.query_row("SELECT name FROM person WHERE name = 'a'", [], |r| r.get::<_, String>(0))?))
    });
    assert_eq!(found, Err(StoreError::Corrupt));
    let _ = database.close();
    std::fs::write(&path, &good).unwrap();
    database.reopen(&key).unwrap();
    assert_eq!(count(&database), Ok(1));
}

#[test]
fn migrations_run_once_and_whole_and_a_newer_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wallet.db");
    let key = key();
    insert(&Database::create(&path, &key, &MIGRATIONS[..1]).unwrap(), "a").unwrap();
    // The second of three fails: nothing of it stays, the version neither.
    let broken = [MIGRATIONS[0], "CREATE TABLE half (id INTEGER); INSERT INTO nowhere VALUES (1);"];
    assert!(Database::open(&path, &key, &broken).is_err());
    let database = Database::open(&path, &key, MIGRATIONS).unwrap();
    let half: i64 = database
        .read(|c| Ok::<_, StoreError>(c.query_row("SELECT count(*) FROM sqlite_master WHERE name='half'", [], |r| r.get(0))?))
        .unwrap();
    assert_eq!((half, count(&database)), (0, Ok(1)));
    drop(database);
    assert_eq!(Database::open(&path, &key, &MIGRATIONS[..1]).unwrap_err(), StoreError::Newer);
}

#[test]
fn a_failed_writer_leaves_nothing_and_reentry_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::create(&dir.path().join("w.db"), &key(), MIGRATIONS).unwrap();
    let failed: Result<(), StoreError> = database.with_tx(|tx| {
        tx.execute("INSERT INTO person (name) VALUES ('x')", [])?;
        Err(StoreError::NoRow)
    });
    assert_eq!((failed, count(&database)), (Err(StoreError::NoRow), Ok(0)));
    let thrown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        database.with_tx(|tx| -> Result<(), StoreError> {
            tx.execute("INSERT INTO person (name) VALUES ('x')", [])?;
            panic!("in the middle");
        })
    }));
    assert!(thrown.is_err());
    assert_eq!(count(&database), Ok(0));
    let inside = database.read(|_| insert(&database, "y"));
    assert_eq!(inside, Err(StoreError::Reentered));
    insert(&database, "z").unwrap();
    // Many threads take turns.
    std::thread::scope(|scope| {
        for i in 0..8 {
            let database = &database;
            scope.spawn(move || insert(database, &format!("t{i}")).unwrap());
        }
    });
    assert_eq!(count(&database), Ok(9));
}

#[test]
fn an_engine_without_cipher_is_noticed() {
    assert!(is_cipher(Ok("4.9.0 community".to_owned())));
    assert!(!is_cipher(Ok(String::new())));
    // What a plain SQLite answers: it does not know the pragma and gives no row.
    let connection = Connection::open_in_memory().unwrap();
    assert!(!is_cipher(connection.query_row("PRAGMA no_such_pragma", [], |r| r.get(0))));
}

/// Every file of a directory, read.
fn files_of(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.path().is_dir() {
            all.extend(files_of(&entry.path()));
        } else {
            all.push((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap()));
        }
    }
    all
}

#[test]
fn no_plaintext_in_database_log_or_temporary_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wallet.db");
    let database = Database::create(&path, &key(), MIGRATIONS).unwrap();
    let name = "Nguyễn Văn An 001090000123";
    let open_files = || -> Vec<String> {
        fs::read_dir("/proc/self/fd")
            .map(|d| d.flatten().filter_map(|e| fs::read_link(e.path()).ok()).map(|p| p.to_string_lossy().into_owned()).collect())
            .unwrap_or_default()
    };
    database
        .with_tx(|tx| {
            for i in 0..4000 {
                tx.execute("INSERT INTO person (name, note) VALUES (?1, ?2)", [format!("{name} {i}"), name.repeat(40)])?;
            }
            // Work that wants room for sorting and for temporary tables, and a savepoint that is rolled back.
            tx.execute_batch(
                "CREATE TEMP TABLE t AS SELECT * FROM person ORDER BY note, name DESC;
                 SAVEPOINT s; UPDATE person SET note = note || name; ROLLBACK TO s;
                 DELETE FROM person WHERE id % 2 = 0; DROP TABLE t;",
            )?;
            assert!(!open_files().iter().any(|f| f.contains("etilqs")), "a temporary file is open");
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let found = files_of(dir.path());
    assert!(found.iter().any(|(name, bytes)| name.ends_with("-wal") && bytes.len() > 100_000), "the log is part of the test");
    database.close().unwrap();
    for (file, bytes) in found.into_iter().chain(files_of(dir.path())) {
        assert!(!bytes.starts_with(SQLITE_MAGIC), "{file} is plain");
        for piece in name.as_bytes().windows(8) {
            assert!(!bytes.windows(8).any(|w| w == piece), "{file} holds a piece of the name");
        }
    }
}

#[test]
fn keys_and_errors_say_nothing() {
    let key = DatabaseKey::generate(&SeededRandom::new(1));
    assert_eq!(format!("{key:?}"), "DatabaseKey(..)");
    assert_eq!(key.pragma().len(), 99);
    assert!(DatabaseKey::from_slice(&[0; 31]).is_none());
    let dir = tempfile::tempdir().unwrap();
    let database = Database::create(&dir.path().join("w.db"), &key, MIGRATIONS).unwrap();
    let error = database
        .with_tx(|tx| -> Result<(), StoreError> {
            tx.execute("INSERT INTO person (name) VALUES ('Nguyễn', 1)", [])?;
            Ok(())
        })
        .unwrap_err();
    assert_eq!(error.to_string(), "database error 1");
}

// Kill -9: the child is this test program again, told by the environment what to do.

const CHILD: &str = "WALLET_PLATFORM_STORE_CHILD";

/// Does nothing in an ordinary run; in a child it writes until it is killed.
#[test]
#[allow(clippy::print_stderr)]
fn child_of_the_kill_tests() {
    let Ok(task) = std::env::var(CHILD) else { return };
    let dir = std::path::PathBuf::from(std::env::var("WALLET_PLATFORM_STORE_DIR").unwrap());
    let key = DatabaseKey::generate(&SeededRandom::new(42));
    match task.as_str() {
        "write" => {
            let database = Database::open_or_create(&dir.join("w.db"), &key, MIGRATIONS).unwrap();
            let start = count(&database).unwrap();
            for n in start.. {
                // Two rows or none: what a copy set and its log entry are.
                database
                    .with_tx(|tx| -> Result<(), StoreError> {
                        tx.execute("INSERT INTO person (name, note) VALUES (?1, ?2)", [format!("a{n}"), "x".repeat(3000)])?;
                        tx.execute("INSERT INTO person (name) VALUES (?1)", [format!("b{n}")])?;
                        Ok(())
                    })
                    .unwrap();
                eprintln!("done {}", count(&database).unwrap());
            }
        }
        "create" => {
            for n in 0.. {
                Database::create(&dir.join(format!("{n}.db")), &key, MIGRATIONS).unwrap();
                eprintln!("done {n}");
            }
        }
        other => panic!("no task {other}"),
    }
}

/// Starts the child, kills it after `lines` reports and a little more, gives the last number it reported.
fn run_and_kill(task: &str, dir: &Path, lines: usize, extra: Duration) -> i64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::child_of_the_kill_tests", "--nocapture", "--test-threads=1"])
        .env(CHILD, task)
        .env("WALLET_PLATFORM_STORE_DIR", dir)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reports = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok).filter_map(|line| {
        let number = line.strip_prefix("done ")?;
        number.parse::<i64>().ok()
    });
    let mut last = reports.by_ref().take(lines).last().expect("the child reports");
    std::thread::sleep(extra);
    child.kill().unwrap();
    child.wait().unwrap();
    if let Some(n) = reports.last() {
        last = n;
    }
    last
}

#[test]
fn bad_input_killed_while_writing_opens_afterwards_and_keeps_what_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let key = DatabaseKey::generate(&SeededRandom::new(42));
    for round in 0..6u64 {
        let reported = run_and_kill("write", dir.path(), 3, Duration::from_millis(round * 7));
        let database = Database::open(&dir.path().join("w.db"), &key, MIGRATIONS).unwrap();
        let rows = count(&database).unwrap();
        assert!(rows >= reported, "{rows} rows, {reported} were reported committed");
        assert_eq!(rows % 2, 0, "half of a transaction");
        let sound: String = database.read(|c| Ok::<_, StoreError>(c.query_row("PRAGMA integrity_check", [], |r| r.get(0))?)).unwrap();
        assert_eq!(sound, "ok");
    }
}

#[test]
fn bad_input_killed_while_creating_leaves_a_whole_database_or_none() {
    let key = DatabaseKey::generate(&SeededRandom::new(42));
    for round in 0..6u64 {
        let dir = tempfile::tempdir().unwrap();
        let reported = run_and_kill("create", dir.path(), 2, Duration::from_millis(round * 5));
        for n in 0..=reported + 1 {
            let path = dir.path().join(format!("{n}.db"));
            if n <= reported {
                Database::open(&path, &key, MIGRATIONS).unwrap();
            }
            // The one that was being made: none or all of it, and the next try completes.
            assert_eq!(count(&Database::open_or_create(&path, &key, MIGRATIONS).unwrap()), Ok(0));
        }
    }
}
