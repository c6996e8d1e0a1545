//! A disk that gets full, or refuses writes, at any write. Each part runs in a process of its own under `full_disk.c`: the k-th write below one
//! folder is cut in half and every one after it fails, for k = 1, 2, ... until the act meets no end of the disk any more. Everything is real but the
//! answer of those calls.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use wallet_bindings::WalletError;
use wallet_core::{ConsentOutcome, Step, StoreState, Wallet, WalletConfig};
use wallet_platform::software::{SoftwareSealer, SystemClock};
use wallet_verifier::{Ask, Verifier, VerifierConfig};

use crate::keys::CountingKeys;
use crate::world::{COPIES, Device, PASSCODE, World, activate, step};

/// Names the part that a child runs.
const PART: &str = "WALLET_FULL_DISK";
/// Linux's numbers: no space, input/output error, read-only file system.
const ENOSPC: i32 = 28;
const EIO: i32 = 5;
const EROFS: i32 = 30;

/// Room for `k - 1` more writes below `folder`.
fn arm(k: u32, number: i32, folder: &Path) {
    assert_eq!(File::open(format!("/.disk/arm/{k}/{number}{}", folder.display())).unwrap_err().kind(), ErrorKind::NotFound);
}

/// Room again; whether a write was refused meanwhile.
fn mend() -> bool {
    File::open("/.disk/mend").unwrap_err().kind() == ErrorKind::AlreadyExists
}

/// What was told so far.
#[derive(Default)]
struct Told {
    full: u32,
    disk: u32,
}

impl Told {
    /// An error of a refused write names the store, by the border's own words.
    fn take(&mut self, what: &str, k: u32, refused: bool, error: impl Into<WalletError>) {
        let error = error.into();
        assert!(refused, "{what}, write {k}: {error} though there was room");
        match &error {
            WalletError::Storage { reason } if reason == "full" => self.full += 1,
            WalletError::Storage { reason } if reason == "disk" => self.disk += 1,
            other => panic!("{what}, write {k}: told as {other}"),
        }
    }

    fn say(&self, what: &str, writes: u32) {
        println!("{what}: {writes} writes, {} told full, {} told disk", self.full, self.disk);
    }
}

/// Runs `act` with room for less, then more, until it ends well and nothing was refused.
fn sweep<E: Into<WalletError>>(what: &str, folder: &Path, mut act: impl FnMut(u32) -> Result<(), E>, mut after: impl FnMut(u32, bool)) {
    let mut told = Told::default();
    let mut next = 1;
    while next < 4000 {
        // Every one of the first writes; then at steps that grow, since a whole set of lists is hundreds of the same writes.
        let k = next;
        next += 1 + if k < 40 { 0 } else { k / 5 };
        arm(k, ENOSPC, folder);
        let outcome = act(k);
        let refused = mend();
        let good = outcome.is_ok();
        if let Err(error) = outcome {
            told.take(what, k, refused, error);
        }
        after(k, good);
        if good && !refused {
            assert!(k > 1, "{what} writes nothing");
            told.say(what, k - 1);
            return;
        }
    }
    panic!("{what} does not come to an end");
}

fn run(part: &str) {
    if cfg!(not(all(target_os = "linux", target_env = "gnu"))) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (source, library) = (dir.path().join("full_disk.c"), dir.path().join("full_disk.so"));
    std::fs::write(&source, include_str!("full_disk.c")).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    // The same compiler that SQLCipher was built with.
    let made = Command::new(compiler).args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl").status().unwrap();
    assert!(made.success());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "full::child_process", "--nocapture", "--test-threads=1"]).env(PART, part).env("LD_PRELOAD", &library);
    // Thousands of flushes: where there is a disk of memory they cost nothing, and what is refused is refused by the library alone.
    if Path::new("/dev/shm").is_dir() {
        child.env("TMPDIR", "/dev/shm");
    }
    let output = child.output().unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The process with the small disk. Does nothing when the suite runs it without a part.
#[test]
fn child_process() {
    match std::env::var(PART).as_deref() {
        Ok("beginning") => beginning(),
        Ok("life") => life(),
        Ok("showing") => showing(),
        Ok("staff") => staff(),
        Ok("refused") => refused(),
        _ => {}
    }
}

#[test]
fn bad_input_disk_full_at_any_write() {
    run("life");
}

#[test]
fn bad_input_disk_full_at_any_write_of_create_and_unlock() {
    run("beginning");
}

#[test]
fn bad_input_disk_full_at_any_write_of_a_showing() {
    run("showing");
}

#[test]
fn bad_input_disk_full_at_any_write_of_a_staff_device() {
    run("staff");
}

#[test]
fn bad_input_writes_refused_are_told_and_change_nothing() {
    run("refused");
}

/// Files below `folder` are counted from when they are opened: so before that.
fn watch(folder: &Path) {
    arm(u32::MAX, ENOSPC, folder);
    assert!(!mend());
}

fn open(world: &World, device: &Device, copies: u32) -> Result<Wallet, wallet_core::WalletError> {
    if std::env::var_os(PART).is_some_and(|part| part != "beginning") {
        watch(&device.wallet_dir());
    }
    Wallet::open(WalletConfig { copies, ..world.wallet_config(&device.wallet_dir()) }, device.ports())
}

fn unlocked(world: &World, device: &Device, copies: u32) -> Wallet {
    let wallet = open(world, device, copies).unwrap();
    wallet.unlock(PASSCODE).unwrap();
    wallet
}

fn beginning() {
    let world = World::new(SystemClock);
    let mut device = Device::new(&world);
    let folder = |device: &Device| device.wallet_dir();
    let mut told = Told::default();
    // Each try costs two derivations of the passcode: every one of the first writes, then every third, another third each time it is run.
    let third = std::process::id() % 3;
    for k in (1..400).filter(|k| *k < 12 || k % 3 == third) {
        arm(k, ENOSPC, &folder(&device));
        let mut same = None;
        let made = open(&world, &device, COPIES).and_then(|wallet| {
            let made = wallet.create(PASSCODE);
            if made.is_err() && k % 2 == 0 {
                same = Some(wallet);
            } else {
                wallet.close();
            }
            made
        });
        let refused = mend();
        let good = made.is_ok();
        if let Err(error) = made {
            told.take("create", k, refused, error);
            // With room it is made, or what was begun is taken up again: by the app that goes on, or by one that was started anew.
            let wallet = same.unwrap_or_else(|| open(&world, &device, COPIES).unwrap());
            if wallet.state() == StoreState::New { wallet.create(PASSCODE) } else { wallet.unlock(PASSCODE) }.unwrap();
            assert_eq!(wallet.state(), StoreState::Unlocked);
            assert!(wallet.documents().unwrap().is_empty());
            wallet.close();
        }
        if good && !refused {
            told.say("create", k - 1);
            break;
        }
        device = Device::new(&world);
    }
    watch(&device.wallet_dir());
    let wallet = open(&world, &device, COPIES).unwrap();
    // A wrong passcode is not judged before it is counted.
    for k in 1..=5 {
        arm(k, ENOSPC, &folder(&device));
        let wrong = wallet.unlock("000000").unwrap_err();
        let refused = mend();
        told.take("a wrong passcode", k, refused, wrong);
    }
    wallet.unlock(PASSCODE).unwrap();
    wallet.close();
    let wallet = std::cell::RefCell::new(open(&world, &device, COPIES).unwrap());
    sweep(
        "unlock",
        &folder(&device),
        |_| wallet.borrow().unlock(PASSCODE),
        |_, good| {
            if !good {
                wallet.borrow().unlock(PASSCODE).unwrap();
            }
            wallet.borrow().close();
            *wallet.borrow_mut() = open(&world, &device, COPIES).unwrap();
        },
    );
}

/// An activation of which every third write of each step is the last, from `first` on. Central counts tries: one device cannot be refused at all.
fn activation(world: &World, citizen: usize, first: u32) -> (Device, Wallet) {
    let device = Device::new(world);
    let folder = device.wallet_dir();
    let mut wallet = open(world, &device, COPIES).unwrap();
    wallet.create(PASSCODE).unwrap();
    let hands = world.hands(citizen);
    let (mut told, mut k, mut tries, mut reached) = (Told::default(), first, 0, None::<Step>);
    loop {
        let before = wallet.activation().unwrap().step;
        if before == Step::Complete {
            break;
        }
        arm(k, ENOSPC, &folder);
        let outcome = step(&wallet, &hands);
        let refused = mend();
        tries += 1;
        assert!(tries < 300, "the activation stays at {before:?}, write {k}: {:?}", wallet.activation().unwrap().verdict);
        match outcome {
            Ok(()) if reached.is_none_or(|reached| before > reached) => {
                (k, reached) = (first, Some(before));
            }
            // On the way back to where a session ended.
            Ok(()) => {}
            // Codes that were sent are counted; when they are used up, the session is over and says so. The next one goes on with the sweep.
            Err(wallet_core::WalletError::Expired(_)) if before == Step::Chip && !refused => {}
            Err(error) => {
                told.take(&format!("{before:?}"), k, refused, error);
                k += 3;
                if tries % 8 == 0 {
                    wallet.close();
                    wallet = unlocked(world, &device, COPIES);
                }
            }
        }
    }
    assert_eq!(wallet.activation().unwrap().verdict.conclusion().to_string(), "verified");
    told.say("activation", tries);
    (device, wallet)
}

fn life() {
    let world = World::new(SystemClock);
    for (citizen, first) in [(1, 2), (2, 3)] {
        activation(&world, citizen, first).1.close();
    }
    let (device, wallet) = activation(&world, 0, 1);
    let folder = device.wallet_dir();

    sweep(
        "issuance",
        &folder,
        |_| {
            let report = wallet.obtain_documents()?;
            assert!(report.documents.iter().all(|document| document.problem.is_empty()), "{report:?}");
            Ok::<_, wallet_core::WalletError>(())
        },
        |_, _| {},
    );
    let documents = wallet.documents().unwrap();
    assert!(documents.len() == 4 && documents.iter().all(|document| document.copies_left == COPIES), "{documents:?}");

    world.admin().suspend(&world.citizen(0).personal_number, "driving-licence").unwrap();
    world.admin().reinstate(&world.citizen(0).personal_number, "driving-licence").unwrap();
    sweep("sync", &folder, |_| wallet.sync().map(drop), |_, _| {});
    let told: Vec<_> = wallet.notices().unwrap().into_iter().filter(|change| change.kind != "issued").collect();
    assert_eq!(told.iter().map(|change| change.kind.as_str()).collect::<Vec<_>>(), ["reinstated", "suspended"], "each once");
    wallet.close();
    // Keys that no row knows would be keys lost: central's and the wallet's counts agree, and nothing else is in the key store.
    let wallet = unlocked(&world, &device, COPIES);
    wallet.sync().unwrap();
    let held = wallet_platform::ports::KeyStore::list(&*device.keys).unwrap().len();
    assert_eq!(held, 1 + 4 * usize::try_from(COPIES).unwrap(), "the account's key and one for each copy");
}

fn copies(wallet: &Wallet) -> u32 {
    wallet.documents().unwrap().iter().find(|document| document.id == "driving-licence").unwrap().copies_left
}

fn showing() {
    const MANY: u32 = 20;
    let world = World::new(SystemClock);
    let device = Device::new(&world);
    let folder = device.wallet_dir();
    let mut wallet = open(&world, &device, MANY).unwrap();
    wallet.create(PASSCODE).unwrap();
    activate(&world, &wallet, 0);
    wallet.obtain_documents().unwrap();
    let officer = world.officer("traffic-police");
    let mut told = Told::default();
    for k in 1..400 {
        if copies(&wallet) < 4 {
            wallet.sync().unwrap();
        }
        let (left, log) = (copies(&wallet), wallet.consent_log().unwrap().len());
        let text = officer.ask("driving-licence", &[]);
        let pending = wallet.open_request(&text).unwrap();
        let (document, fields) = pending.default_selection().unwrap();
        arm(k, ENOSPC, &folder);
        let answer = pending.answer(&document, &fields);
        let refused = mend();
        let good = answer.is_ok();
        match answer {
            Ok(answer) => {
                assert!(officer.verifier.check(&answer.text).unwrap().verdict().failed().is_empty());
                assert_eq!(wallet.consent_log().unwrap()[0].outcome, ConsentOutcome::Shown);
            }
            Err(error) => {
                told.take("a showing", k, refused, error);
                if k % 6 == 0 {
                    wallet.close();
                    wallet = unlocked(&world, &device, MANY);
                }
                // With room: this request, when nothing of its act was begun, or the next one.
                let mut again = wallet.open_request(&text).unwrap();
                if again.answered_before() {
                    again = wallet.open_request(&officer.ask("driving-licence", &[])).unwrap();
                }
                let answer = again.answer(&document, &fields).unwrap();
                assert!(officer.verifier.check(&answer.text).unwrap().verdict().failed().is_empty());
            }
        }
        let entries = wallet.consent_log().unwrap();
        assert!(entries.iter().all(|entry| entry.outcome != ConsentOutcome::Open), "write {k}: nothing stays open");
        // Each act costs one copy and has one entry, whether it was shown or broken off.
        assert_eq!(left - copies(&wallet), u32::try_from(entries.len() - log).unwrap(), "write {k}");
        if good && !refused {
            assert!(k > 5, "a showing writes nothing");
            told.say("a showing", k - 1);
            return;
        }
    }
    panic!("no answer leaves");
}

fn staff() {
    const MANY: u32 = 20;
    let world = World::new(SystemClock);
    let device = Device::new(&world);
    let wallet = open(&world, &device, MANY).unwrap();
    wallet.create(PASSCODE).unwrap();
    activate(&world, &wallet, 0);
    wallet.obtain_documents().unwrap();

    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("officer");
    let config = VerifierConfig {
        directory: folder.clone(),
        service_url: world.anchors.public_url.clone(),
        tls_root: world.anchors.tls_root.clone(),
        trust_root: world.anchors.trust_root.clone(),
        trust_floor: 1,
    };
    let keys = Arc::new(CountingKeys::open(&dir.path().join("keys")));
    let sealer = Arc::new(SoftwareSealer::open(&dir.path().join("seal")).unwrap());
    let ports = || wallet_verifier::Ports { keys: keys.clone(), sealer: sealer.clone(), clock: world.clock.clone(), listener: None };
    // Opening and enrolling with one code: the key is written down before central hears of it, and central gives it the same certificate again.
    let code = world.admin().staff_code("traffic-police", "Phòng CSGT", "Quốc lộ 1, Km 20").unwrap();
    sweep(
        "enrolment",
        &folder,
        |_| {
            let verifier = Verifier::open(&config, ports())?;
            let enrolled = verifier.enrol(&code).map(drop);
            let closed = verifier.close();
            enrolled.and(closed)
        },
        |_, _| {},
    );
    assert_eq!(wallet_platform::ports::KeyStore::list(&*keys).unwrap().len(), 1, "one certificate, one key");
    let verifier = Verifier::open(&config, ports()).unwrap();
    sweep("a staff device's sync", &folder, |_| verifier.sync().map(drop), |_, _| {});
    assert!(verifier.sync().unwrap().verdict.failed().is_empty());

    let mut told = Told::default();
    for k in 1..400 {
        if copies(&wallet) < 3 {
            wallet.sync().unwrap();
        }
        let asked = verifier.ask(&Ask { document: "driving-licence".to_owned(), ..Ask::default() }).unwrap();
        let pending = wallet.open_request(&asked.text).unwrap();
        let (document, fields) = pending.default_selection().unwrap();
        let answer = pending.answer(&document, &fields).unwrap().text;
        arm(k, ENOSPC, &folder);
        let checked = verifier.check(&answer);
        let refused = mend();
        let good = checked.is_ok();
        let result = match checked {
            Ok(result) => result,
            Err(error) => {
                told.take("a check", k, refused, error);
                // The request is still open, or it is closed and the answer spent: never judged without its mark, never judged twice.
                verifier.check(&answer).unwrap()
            }
        };
        let failed: Vec<_> = result.verdict().failed().iter().map(|name| name.as_str()).collect();
        assert!(failed.is_empty(), "write {k}: {failed:?}");
        let again = verifier.check(&answer).unwrap();
        assert_eq!(again.verdict().conclusion().to_string(), "rejected:exchange.nonce", "write {k}: once");
        if good && !refused {
            assert!(k > 2, "a check writes nothing");
            told.say("a check", k - 1);
            return;
        }
    }
    panic!("no check comes to its end");
}

fn refused() {
    let world = World::new(SystemClock);
    let device = Device::new(&world);
    let folder = device.wallet_dir();
    watch(&folder);
    let wallet = device.furnished(&world, 0);
    let officer = world.officer("traffic-police");
    for (number, word) in [(EROFS, "disk"), (EIO, "disk"), (ENOSPC, "full")] {
        let (left, log) = (copies(&wallet), wallet.consent_log().unwrap().len());
        let pending = wallet.open_request(&officer.ask("driving-licence", &[])).unwrap();
        let (document, fields) = pending.default_selection().unwrap();
        arm(1, number, &folder);
        let errors = [pending.answer(&document, &fields).map(drop), wallet.change_passcode(PASSCODE, "135790")];
        // What only reads goes on.
        assert_eq!(wallet.documents().unwrap().len(), 4);
        assert!(mend());
        for error in errors {
            match WalletError::from(error.unwrap_err()) {
                // A flush or a new file that fails is told as the disk's failure.
                WalletError::Storage { reason } => assert!(reason == word || reason == "disk", "{number}: {reason}"),
                other => panic!("{number}: {other}"),
            }
        }
        assert_eq!((copies(&wallet), wallet.consent_log().unwrap().len()), (left, log), "nothing changed");
        pending.answer(&document, &fields).unwrap();
    }
}
