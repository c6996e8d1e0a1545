//! Stores that were changed, cut or deleted under a wallet: told by name, never taken for new, and no spent copy comes back.

use std::fmt::Write;
use std::path::Path;

use wallet_base::fact::{FactName, Outcome};
use wallet_core::{ConsentOutcome, Problem, StoreState, Wallet};
use wallet_platform::software::SystemClock;

use crate::keys::CountingKeys;
use crate::world::{COPIES, Device, PASSCODE, World};

/// SQLCipher's page.
const PAGE: usize = 4096;

fn storage(reason: &str) -> Problem {
    Problem::Storage { reason: reason.to_owned() }
}

fn copies(wallet: &Wallet, id: &str) -> u32 {
    wallet.documents().unwrap().iter().find(|document| document.id == id).unwrap().copies_left
}

/// Everything a citizen can look at.
fn look(wallet: &Wallet) -> Result<String, wallet_core::WalletError> {
    let documents = wallet.documents()?;
    let mut seen = format!("{documents:?}");
    for document in &documents {
        write!(seen, "{:?}", wallet.document(&document.id)?).unwrap();
    }
    Ok(seen + &format!("{:?}{:?}{:?}", wallet.consent_log()?, wallet.notices()?, wallet.activation()?))
}

/// Copies a folder's files as they stand, as a kill would leave them.
fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.metadata().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn show(world: &World, wallet: &Wallet) -> String {
    let officer = world.officer("traffic-police");
    let text = officer.ask("driving-licence", &[]);
    let pending = wallet.open_request(&text).unwrap();
    let (document, fields) = pending.default_selection().unwrap();
    let answer = pending.answer(&document, &fields).unwrap();
    assert!(officer.verifier.check(&answer.text).unwrap().verdict().failed().is_empty());
    text
}

#[test]
fn bad_input_a_database_page_changed() {
    let world = World::new(SystemClock);
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    show(&world, &wallet);
    let seen = look(&wallet).unwrap();
    wallet.close();
    let path = device.wallet_dir().join("wallet.db");
    let good = std::fs::read(&path).unwrap();
    let pages = good.len() / PAGE;
    // A dozen pages of all, the first and the last among them, each in its middle; the store's own test changes every page.
    let (mut told, mut untouched) = (0, 0);
    for page in (0..pages).step_by((pages / 10).max(1)).chain([pages - 1]) {
        let mut changed = good.clone();
        changed[page * PAGE + PAGE / 2] ^= 0x10;
        std::fs::write(&path, &changed).unwrap();
        let wallet = device.open(&world);
        match wallet.unlock(PASSCODE).and_then(|()| look(&wallet)) {
            Err(error) => {
                assert_eq!(error.problem(), storage("corrupt"), "page {page}");
                told += 1;
            }
            // A page that nothing reads: what is read is what it was.
            Ok(now) => {
                assert_eq!(now, seen, "page {page}");
                untouched += 1;
            }
        }
        assert_ne!(wallet.state(), StoreState::New);
        wallet.close();
    }
    assert!(told >= untouched, "{told} told, {untouched} not read");
    println!("{pages} pages: {told} told, {untouched} not read");
    std::fs::write(&path, &good).unwrap();
    let wallet = device.open(&world);
    wallet.unlock(PASSCODE).unwrap();
    assert_eq!(look(&wallet).unwrap(), seen);
    wallet.close();

    // The cache holds nothing that cannot be had again: a damaged one is set aside and made anew, with the floor of the clock out of the kept trust.
    let path = device.wallet_dir().join("cache.db");
    let good = std::fs::read(&path).unwrap();
    for page in 0..good.len() / PAGE {
        let mut changed = good.clone();
        changed[page * PAGE + PAGE / 2] ^= 0x10;
        std::fs::write(&path, &changed).unwrap();
        let wallet = device.open(&world);
        assert_eq!(wallet.state(), StoreState::Locked, "page {page}");
        assert_eq!(std::fs::read(path.with_extension("db.damaged")).unwrap(), changed, "page {page}: kept aside");
        wallet.close();
        std::fs::remove_file(path.with_extension("db.damaged")).unwrap();
    }
    let wallet = device.open(&world);
    wallet.unlock(PASSCODE).unwrap();
    assert_eq!(look(&wallet).unwrap(), seen);
    wallet.sync().unwrap();
}

#[test]
fn bad_input_a_wal_cut_short() {
    let world = World::new(SystemClock);
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let text = show(&world, &wallet);
    assert_eq!(copies(&wallet, "driving-licence"), COPIES - 1);
    // The files as they are now, with the wallet open: a phone whose battery fell out.
    let taken = tempfile::tempdir().unwrap();
    copy_folder(device.dir.path(), taken.path());
    let log = taken.path().join("wallet").join("wallet.db-wal");
    let whole = std::fs::read(&log).unwrap();
    let frame = 24 + PAGE;
    // Cut behind every frame, in the middle of every frame, in its header, and gone altogether.
    let frames = whole.len().saturating_sub(32) / frame;
    let mut cuts: Vec<usize> = vec![0, 16, 32];
    cuts.extend((0..frames).flat_map(|n| [32 + n * frame + 12, 32 + n * frame + frame / 2, 32 + (n + 1) * frame]));
    let mut outcomes = Vec::new();
    for cut in cuts.into_iter().filter(|cut| *cut <= whole.len()) {
        let place = tempfile::tempdir().unwrap();
        copy_folder(taken.path(), place.path());
        let log = place.path().join("wallet").join("wallet.db-wal");
        std::fs::write(&log, &whole[..cut]).unwrap();
        let _ = std::fs::remove_file(place.path().join("wallet").join("wallet.db-shm"));
        let keys = std::sync::Arc::new(CountingKeys::open(&place.path().join("keys")));
        let copy = Device { dir: place, keys, clock: device.clock.clone() };
        let wallet = copy.open(&world);
        wallet.unlock(PASSCODE).unwrap();
        assert_eq!(copies(&wallet, "driving-licence"), COPIES - 1, "cut at {cut}: the copy that was shown stays spent");
        assert!(wallet.open_request(&text).unwrap().answered_before(), "cut at {cut}: one request, one answer");
        let entries = wallet.consent_log().unwrap();
        assert_eq!(entries.len(), 1, "cut at {cut}: the act is in the log");
        assert!(matches!(entries[0].outcome, ConsentOutcome::Shown | ConsentOutcome::Failed), "cut at {cut}");
        outcomes.push(entries[0].outcome);
        wallet.close();
    }
    println!("{} cuts of {frames} frames", outcomes.len());
    assert_eq!(outcomes.last(), Some(&ConsentOutcome::Shown), "nothing was cut off the last one");
}

#[test]
fn bad_input_stores_deleted() {
    let world = World::new(SystemClock);
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let seen = look(&wallet).unwrap();
    wallet.close();
    let kept = tempfile::tempdir().unwrap();
    copy_folder(&device.wallet_dir(), kept.path());
    let delete = |names: &[&str]| {
        std::fs::remove_dir_all(device.wallet_dir()).unwrap();
        copy_folder(kept.path(), &device.wallet_dir());
        for name in names {
            let _ = std::fs::remove_file(device.wallet_dir().join(name));
        }
    };
    // The cache alone: made anew.
    delete(&["cache.db"]);
    let wallet = device.open(&world);
    wallet.unlock(PASSCODE).unwrap();
    assert_eq!(look(&wallet).unwrap(), seen);
    assert_ne!(wallet.sync().unwrap().verdict.get(FactName::Clock).unwrap().outcome(), Outcome::Failed);
    wallet.close();
    // The wallet's own, with or without the cache: gone, and nothing is made in its place. No passcode is tried at it.
    for names in [&["wallet.db"][..], &["wallet.db", "cache.db"]] {
        delete(names);
        let wallet = device.open(&world);
        assert_eq!(wallet.state(), StoreState::Locked);
        for passcode in [PASSCODE, "000000"] {
            assert_eq!(wallet.unlock(passcode).unwrap_err().problem(), storage("gone"), "{names:?}");
        }
        assert!(wallet.create(PASSCODE).is_err());
        assert!(!device.wallet_dir().join("wallet.db").exists());
        wallet.close();
    }
    // The wrapped keys: not a new wallet either, while a database is there.
    for names in [&["wallet.keys"][..], &["wallet.keys", "cache.db"], &["wallet.keys", "wallet.db"]] {
        delete(names);
        let error = Wallet::open(world.wallet_config(&device.wallet_dir()), device.ports()).unwrap_err();
        assert_eq!(error.problem(), storage("key-slots"), "{names:?}");
    }
    // Put back, it opens as before.
    delete(&[]);
    let wallet = device.open(&world);
    wallet.unlock(PASSCODE).unwrap();
    assert_eq!(look(&wallet).unwrap(), seen);
}

#[test]
fn bad_input_a_staff_devices_cache_damaged_or_deleted() {
    let world = World::new(SystemClock);
    let officer = world.officer("traffic-police");
    officer.verifier.close().unwrap();
    let path = officer.directory().join("cache.db");
    let good = std::fs::read(&path).unwrap();
    for page in [0, good.len() / PAGE / 2, good.len() / PAGE - 1] {
        let mut changed = good.clone();
        changed[page * PAGE + PAGE / 2] ^= 0x10;
        std::fs::write(&path, &changed).unwrap();
        let verifier = world.open_officer(&officer.directory()).unwrap();
        assert!(verifier.staff().unwrap().is_none(), "page {page}");
        assert_eq!(std::fs::read(path.with_extension("db.damaged")).unwrap(), changed);
        verifier.close().unwrap();
    }
    std::fs::remove_file(&path).unwrap();
    let verifier = world.open_officer(&officer.directory()).unwrap();
    let told = wallet_bindings::WalletError::from(verifier.ask(&wallet_verifier::Ask::default()).unwrap_err());
    assert_eq!(told, wallet_bindings::WalletError::Invalid { reason: "not-enrolled".to_owned() });
    // Trust, with its version and the floor of the clock, is kept elsewhere.
    assert!(verifier.dates().unwrap().0.is_some());
    verifier.enrol(&world.admin().staff_code("traffic-police", "Phòng CSGT", "Km 20").unwrap()).unwrap();
    verifier.sync().unwrap();
    verifier.close().unwrap();
    std::fs::write(&path, &good).unwrap();
    // The old cache is another enrolment under the same key: it opens.
    assert!(world.open_officer(&officer.directory()).unwrap().staff().unwrap().is_some());
}
