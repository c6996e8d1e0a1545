//! Killed at any moment. A wallet runs in a process of its own, which dies without any clean-up at its n-th call of a port: before and after
//! every answer of the network, every write of the store, every use of a key. The next process opens the same folder and goes on.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wallet_base::crypto::PublicKey;
use wallet_base::time::Timestamp;
use wallet_card_sim::CardProfile;
use wallet_core::{CardPassword, ConsentOutcome, Ports, Step, StoreState, Wallet, WalletConfig};
use wallet_platform::ports::{AuthorisationId, Clock, CreatedKeys, KeyClass, KeyId, KeyStore, PortError};
use wallet_platform::software::{SoftwareSealer, SystemClock};

use crate::keys::CountingKeys;
use crate::world::{COPIES, Device, Hands, PASSCODE, World, walk};

/// Names the file that tells a child what to do.
const ORDERS: &str = "WALLET_CHILD_ORDERS";

/// Dies at its n-th tick.
struct Fuse(AtomicI64);

impl Fuse {
    fn tick(&self) {
        if self.0.fetch_sub(1, Ordering::SeqCst) <= 1 {
            // No destructor runs, no buffer is flushed: what is not on the disk is lost.
            std::process::abort();
        }
    }
}

struct FusedClock(Arc<Fuse>);

impl Clock for FusedClock {
    fn wall(&self) -> Timestamp {
        self.0.tick();
        SystemClock.wall()
    }

    fn monotonic_millis(&self) -> u64 {
        SystemClock.monotonic_millis()
    }

    fn boot_id(&self) -> String {
        SystemClock.boot_id()
    }
}

struct FusedKeys(CountingKeys, Arc<Fuse>);

impl FusedKeys {
    fn around<T>(&self, call: impl FnOnce(&CountingKeys) -> T) -> T {
        self.1.tick();
        let result = call(&self.0);
        self.1.tick();
        result
    }
}

impl KeyStore for FusedKeys {
    fn create_keys(&self, class: KeyClass, n: u32, challenge: &[u8]) -> Result<CreatedKeys, PortError> {
        self.around(|keys| keys.create_keys(class, n, challenge))
    }

    fn authorise(&self, reason: &str, ids: &[KeyId], max_uses: u32, ttl: Duration) -> Result<AuthorisationId, PortError> {
        self.around(|keys| keys.authorise(reason, ids, max_uses, ttl))
    }

    fn sign(&self, authorisation: Option<&AuthorisationId>, key: &KeyId, message: &[u8]) -> Result<[u8; 64], PortError> {
        self.around(|keys| keys.sign(authorisation, key, message))
    }

    fn agree(&self, a: Option<&AuthorisationId>, key: &KeyId, peer: &PublicKey) -> Result<zeroize::Zeroizing<[u8; 32]>, PortError> {
        self.around(|keys| keys.agree(a, key, peer))
    }

    fn end(&self, authorisation: &AuthorisationId) -> Result<(), PortError> {
        self.around(|keys| keys.end(authorisation))
    }

    fn delete(&self, ids: &[KeyId]) -> Result<(), PortError> {
        self.around(|keys| keys.delete(ids))
    }

    fn list(&self) -> Result<Vec<KeyId>, PortError> {
        self.around(KeyStore::list)
    }
}

fn path(orders: &Value, name: &str) -> PathBuf {
    PathBuf::from(orders[name].as_str().unwrap())
}

/// The process that is killed. Does nothing when the suite runs it without orders.
#[test]
fn child_process() {
    let Ok(file) = std::env::var(ORDERS) else { return };
    let orders: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let fuse = Arc::new(Fuse(AtomicI64::new(orders["fuse"].as_i64().unwrap())));
    let device = path(&orders, "device");
    let config = WalletConfig {
        directory: device.join("wallet"),
        service_url: orders["url"].as_str().unwrap().to_owned(),
        tls_root: hex::decode(orders["tls_root"].as_str().unwrap()).unwrap(),
        trust_root: hex::decode(orders["trust_root"].as_str().unwrap()).unwrap(),
        trust_floor: 1,
        copies: COPIES,
    };
    let ports = Ports {
        keys: Arc::new(FusedKeys(CountingKeys::open(&device.join("keys")), fuse.clone())),
        sealer: Arc::new(SoftwareSealer::open(&device.join("seal")).unwrap()),
        clock: Arc::new(FusedClock(fuse)),
        listener: None,
    };
    let wallet = Wallet::open(config, ports).unwrap();
    match wallet.state() {
        StoreState::New => wallet.create(PASSCODE).unwrap(),
        _ => wallet.unlock(PASSCODE).unwrap(),
    }
    let done = path(&orders, "done");
    if let Some(request) = orders["request"].as_str() {
        let pending = wallet.open_request(request).unwrap();
        let (document, fields) = pending.default_selection().unwrap();
        let answer = pending.answer(&document, &fields).unwrap();
        std::fs::write(done, answer.text).unwrap();
        return;
    }
    let card = CardProfile::from_json(orders["card"].as_str().unwrap()).unwrap();
    let selfie = hex::decode(orders["selfie"].as_str().unwrap()).unwrap();
    let can = CardPassword::Can(orders["can"].as_str().unwrap().to_owned());
    walk(&wallet, &Hands { card, can, selfie, spool: path(&orders, "spool") }, Step::Complete);
    let report = wallet.obtain_documents().unwrap();
    assert!(report.documents.iter().all(|document| document.problem.is_empty()), "{report:?}");
    std::fs::write(done, "done").unwrap();
}

/// A child that follows the orders, with so many ticks to live; and the file it writes last.
fn child(orders: &mut Value, fuse: i64, scratch: &Path) -> (Command, PathBuf) {
    let (file, done) = (scratch.join("orders.json"), scratch.join("done"));
    let _ = std::fs::remove_file(&done);
    orders["fuse"] = json!(fuse);
    orders["done"] = json!(done);
    std::fs::write(&file, orders.to_string()).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "killed::child_process", "--nocapture", "--test-threads=1"]).env(ORDERS, &file);
    (command, done)
}

/// Runs a child with a fuse; whether it came to its end.
fn run(orders: &mut Value, fuse: i64, scratch: &Path) -> bool {
    let (mut command, done) = child(orders, fuse, scratch);
    let child = command.output().unwrap();
    let finished = done.exists();
    // It died by its fuse or it did its work; an error or a panic is neither.
    let text = String::from_utf8_lossy(&child.stderr);
    assert!(finished == child.status.success() && child.status.code() != Some(101), "fuse {fuse}: {text}");
    finished
}

fn orders(world: &World, device: &Device) -> Value {
    json!({
        "device": device.dir.path(), "url": world.anchors.public_url, "spool": world.dir.path().join("spool"),
        "tls_root": hex::encode(&world.anchors.tls_root), "trust_root": hex::encode(&world.anchors.trust_root),
        "card": world.card(0).to_json().unwrap(), "can": "000123", "selfie": hex::encode(world.selfie(0)),
    })
}

#[test]
fn bad_input_killed_at_any_moment_opens_afterwards_and_completes() {
    let world = World::new(SystemClock);
    let device = Device::new(&world);
    let scratch = tempfile::tempdir().unwrap();
    let mut orders = orders(&world, &device);
    let (mut fuse, mut deaths) = (1, 0);
    // Every life is a little longer than the one before, so that each moment comes near the end of one of them.
    while !run(&mut orders, fuse, scratch.path()) {
        deaths += 1;
        fuse += 1;
        assert!(deaths < 250, "it does not come to an end");
    }
    assert!(deaths > 20, "it was killed {deaths} times");
    is_complete(&world, &device);
}

/// A wallet that went through deaths is as good as any other.
fn is_complete(world: &World, device: &Device) {
    let wallet = device.open(world);
    wallet.unlock(PASSCODE).unwrap();
    let documents = wallet.documents().unwrap();
    assert!(documents.len() == 4 && documents.iter().all(|d| d.copies_left == COPIES), "{documents:?}");
    assert_eq!(wallet.activation().unwrap().verdict.conclusion().to_string(), "verified");
    wallet.sync().unwrap();
    let officer = world.officer("flight");
    let pending = wallet.open_request(&officer.ask("citizen-identity", &[])).unwrap();
    let (document, fields) = pending.default_selection().unwrap();
    let answer = pending.answer(&document, &fields).unwrap();
    assert!(officer.verifier.check(&answer.text).unwrap().verdict().failed().is_empty());
}

#[test]
fn bad_input_killed_by_signal_at_any_time_opens_afterwards_and_completes() {
    let world = World::new(SystemClock);
    let device = Device::new(&world);
    let scratch = tempfile::tempdir().unwrap();
    let mut orders = orders(&world, &device);
    let (mut deaths, mut life) = (0, Duration::from_millis(60));
    loop {
        let (mut command, done) = child(&mut orders, i64::MAX, scratch.path());
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let end = Instant::now() + life;
        while Instant::now() < end && process.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(3));
        }
        // SIGKILL; an error of the child itself would be its exit code.
        let _ = process.kill();
        let status = process.wait().unwrap();
        assert_ne!(status.code(), Some(101), "life of {life:?}");
        if done.exists() {
            break;
        }
        deaths += 1;
        life += Duration::from_millis(37);
        assert!(deaths < 200, "it does not come to an end");
    }
    assert!(deaths > 3, "it was killed {deaths} times");
    is_complete(&world, &device);
}

#[test]
fn bad_input_killed_while_showing_never_shows_a_copy_twice() {
    let world = World::new(SystemClock);
    let device = Device::new(&world);
    device.furnished(&world, 0).close();
    let officer = world.officer("traffic-police");
    let scratch = tempfile::tempdir().unwrap();
    let mut orders = orders(&world, &device);
    let (mut fuse, mut shown, mut left, mut log) = (1, 0, COPIES, 0);
    let mut spent_without_answer = 0;
    while shown == 0 {
        assert!(fuse < 120, "no answer ever leaves");
        let text = officer.ask("driving-licence", &[]);
        orders["request"] = json!(text);
        let finished = run(&mut orders, fuse, scratch.path());
        fuse += 1;
        let wallet = device.open(&world);
        wallet.unlock(PASSCODE).unwrap();
        let entries = wallet.consent_log().unwrap();
        let now = wallet.documents().unwrap().iter().find(|d| d.id == "driving-licence").unwrap().copies_left;
        assert!(entries.iter().all(|entry| entry.outcome != ConsentOutcome::Open), "nothing stays open");
        // A copy is gone exactly when an act was begun, and then the log says how it ended.
        assert_eq!(left - now, u32::try_from(entries.len() - log).unwrap(), "fuse {fuse}: {entries:?}");
        if finished {
            let answer = std::fs::read_to_string(scratch.path().join("done")).unwrap();
            assert!(officer.verifier.check(&answer).unwrap().verdict().failed().is_empty());
            assert_eq!(entries[0].outcome, ConsentOutcome::Shown);
            shown += 1;
        } else if entries.len() > log {
            spent_without_answer += 1;
            let begun = &entries[0];
            let interrupted = begun.outcome == ConsentOutcome::Failed && begun.reason == "interrupted";
            // Shown: it was killed between the spent copy and the screen.
            assert!(interrupted || begun.outcome == ConsentOutcome::Shown, "{begun:?}");
            // Nobody knows whether that answer left: this request gets no second one.
            let again = wallet.open_request(&text).unwrap();
            assert!(again.answered_before());
            wallet.sync().unwrap();
        }
        left = wallet.documents().unwrap().iter().find(|d| d.id == "driving-licence").unwrap().copies_left;
        log = wallet.consent_log().unwrap().len();
        wallet.close();
    }
    assert!(spent_without_answer >= 2, "killed {spent_without_answer} times between reserve and answer");
}
