//! Pages that were changed, logs that were cut, disks that are full.

use wallet_base::random::SeededRandom;

use super::*;

const MIGRATIONS: &[&str] = &["CREATE TABLE entry (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"];
/// SQLCipher's page, and what its log puts before each.
const PAGE: usize = 4096;
const FRAME: usize = 24 + PAGE;
const LOG_HEADER: usize = 32;

fn key() -> DatabaseKey {
    DatabaseKey::generate(&SeededRandom::new(3))
}

/// Some text that fills about half a page.
fn text(number: i64) -> String {
    format!("{number:04}").repeat(500)
}

fn add(database: &Database, number: i64) -> Result<(), StoreError> {
    database.with_tx(|tx| {
        tx.execute("INSERT INTO entry (id, text) VALUES (?1, ?2)", rusqlite::params![number, text(number)])?;
        Ok(())
    })
}

/// Every row, checked against what was written.
fn read(database: &Database) -> Result<i64, StoreError> {
    database.read(|db| {
        let mut statement = db.prepare("SELECT id, text FROM entry ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut next = 1;
        while let Some(row) = rows.next()? {
            assert_eq!((row.get::<_, i64>(0)?, row.get::<_, String>(1)?), (next, text(next)), "never another value");
            next += 1;
        }
        Ok(next - 1)
    })
}

#[test]
fn bad_input_a_database_page_changed_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wallet.db");
    let database = Database::create(&path, &key(), MIGRATIONS).unwrap();
    (1..=30).for_each(|number| add(&database, number).unwrap());
    database.close().unwrap();
    let good = fs::read(&path).unwrap();
    let pages = good.len() / PAGE;
    assert!(pages > 15);
    for page in 0..pages {
        // In the content, in the vector and in the authentication code at the page's end; on the first page, in the salt too.
        for at in [0, 100, PAGE / 2, PAGE - 100, PAGE - 70, PAGE - 1] {
            let mut changed = good.clone();
            changed[page * PAGE + at] ^= 1;
            fs::write(&path, &changed).unwrap();
            let opened = Database::open(&path, &key(), MIGRATIONS);
            let found = opened.and_then(|database| {
                let (sound, rows) = (database.check_pages(), read(&database));
                // Whatever is read is right; and the look at every page finds the one.
                assert!(rows == Ok(30) || rows == Err(StoreError::Corrupt), "page {page} byte {at}: {rows:?}");
                let _ = database.close();
                sound
            });
            let expected = if page == 0 && at == 0 { StoreError::WrongKey } else { StoreError::Corrupt };
            assert_eq!(found, Err(expected), "page {page} byte {at}");
            for side in ["-wal", "-shm"] {
                remove(&side_file(&path, side)).unwrap();
            }
        }
    }
    // What can be fetched again is made anew, the damaged file kept; what cannot be is left as it is.
    let (database, new) = Database::open_or_rebuild(&path, &key(), MIGRATIONS).unwrap();
    assert!(new && read(&database) == Ok(0));
    database.close().unwrap();
    assert_eq!(fs::read(side_file(&path, ".damaged")).unwrap().len(), good.len());
    fs::write(&path, &good).unwrap();
    let (database, new) = Database::open_or_rebuild(&path, &key(), MIGRATIONS).unwrap();
    assert!(!new && read(&database) == Ok(30));
}

#[test]
fn bad_input_a_wal_cut_short_at_any_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wallet.db");
    let database = Database::create(&path, &key(), MIGRATIONS).unwrap();
    (1..=3).for_each(|number| add(&database, number).unwrap());
    database.checkpoint().unwrap();
    assert_eq!(fs::metadata(side_file(&path, "-wal")).unwrap().len(), 0);
    let copy = dir.path().join("copy.db");
    (4..=8).for_each(|number| add(&database, number).unwrap());
    let (main, log) = (fs::read(&path).unwrap(), fs::read(side_file(&path, "-wal")).unwrap());
    let frames = (log.len() - LOG_HEADER) / FRAME;
    assert!(frames >= 5, "{frames}");
    let mut last = 0;
    let mut reached = std::collections::BTreeSet::new();
    for cut in (0..=frames).flat_map(|frame| [-9_isize, 0, 12, 2000].map(|more| (LOG_HEADER + frame * FRAME).saturating_add_signed(more))) {
        let cut = cut.min(log.len());
        fs::write(&copy, &main).unwrap();
        fs::write(side_file(&copy, "-wal"), &log[..cut]).unwrap();
        remove(&side_file(&copy, "-shm")).unwrap();
        let opened = Database::open(&copy, &key(), MIGRATIONS).unwrap();
        let rows = read(&opened).unwrap();
        opened.check_pages().unwrap();
        // One of the commits, never a part of one; never before the checkpoint; more of the log is never less of them.
        assert!((3..=8).contains(&rows), "cut at {cut}: {rows}");
        assert!(rows >= last || cut < LOG_HEADER, "cut at {cut}: {rows} after {last}");
        last = rows;
        reached.insert(rows);
        opened.close().unwrap();
    }
    assert_eq!(last, 8);
    assert_eq!(reached.len(), 6, "every commit is the end of some cut: {reached:?}");
}

#[test]
fn bad_input_disk_full_is_named_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wallet.db");
    let database = Database::create(&path, &key(), MIGRATIONS).unwrap();
    (1..=3).for_each(|number| add(&database, number).unwrap());
    // The engine's own bound: so many pages and no more.
    let limit = |pages: i64| database.read(|db| Ok::<_, StoreError>(db.pragma_update(None, "max_page_count", pages)?)).unwrap();
    let pages: i64 = database.read(|db| Ok::<_, StoreError>(db.query_row("PRAGMA page_count", [], |row| row.get(0))?)).unwrap();
    for more in 0..3 {
        limit(pages + more);
        let error = database.with_tx(|tx| {
            for number in 4..20 {
                tx.execute("INSERT INTO entry (id, text) VALUES (?1, ?2)", rusqlite::params![number, text(number)])?;
            }
            Ok::<_, StoreError>(())
        });
        assert_eq!(error, Err(StoreError::Full));
        assert_eq!(read(&database), Ok(3));
    }
    limit(1_000_000);
    add(&database, 4).unwrap();
    assert_eq!(read(&database), Ok(4));
}
