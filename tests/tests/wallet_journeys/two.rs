//! Two programs on one folder: the second is told so before it touches anything, in one process and across processes, and a killed one leaves nothing
//! that keeps the next one out.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};
use wallet_core::{Problem, Wallet, WalletConfig};
use wallet_platform::software::{SoftwareSealer, SystemClock};

use crate::keys::CountingKeys;
use crate::world::{Device, PASSCODE, World};

/// Tells a child which folder to open.
const ORDERS: &str = "WALLET_SECOND_ON_ONE_FOLDER";

fn busy() -> Problem {
    Problem::Storage { reason: "busy".to_owned() }
}

/// Every file below a folder with length and time of its last change.
fn files(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, about) = (entry.path(), entry.metadata().unwrap());
        if about.is_dir() {
            all.extend(files(&path));
        } else {
            all.insert(path, (about.len(), about.modified().unwrap()));
        }
    }
    all
}

/// The other process: says what became of opening, and keeps the wallet until it is killed.
#[test]
fn child_process() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders: Value = serde_json::from_str(&orders).unwrap();
    let text = |name: &str| orders[name].as_str().unwrap().to_owned();
    let device = PathBuf::from(text("device"));
    let config = WalletConfig {
        directory: device.join("wallet"),
        service_url: text("url"),
        tls_root: hex::decode(text("tls_root")).unwrap(),
        trust_root: hex::decode(text("trust_root")).unwrap(),
        trust_floor: 1,
        copies: 1,
    };
    let ports = wallet_core::Ports {
        keys: Arc::new(CountingKeys::open(&device.join("keys"))),
        sealer: Arc::new(SoftwareSealer::open(&device.join("seal")).unwrap()),
        clock: Arc::new(SystemClock),
        listener: None,
    };
    match Wallet::open(config, ports) {
        Err(error) => println!("told: {error} {:?}", error.problem()),
        Ok(wallet) => {
            wallet.unlock(PASSCODE).unwrap();
            println!("told: open");
            // Until it is killed; a test that failed does not leave it behind for long.
            std::thread::sleep(std::time::Duration::from_mins(1));
        }
    }
}

/// Starts the other process and reads what it says.
fn other_process(world: &World, device: &Device) -> (std::process::Child, String) {
    let orders = json!({
        "device": device.dir.path(), "url": world.anchors.public_url,
        "tls_root": hex::encode(&world.anchors.tls_root), "trust_root": hex::encode(&world.anchors.trust_root),
    });
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "two::child_process", "--nocapture", "--test-threads=1"])
        .env(ORDERS, orders.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The harness writes the test's name first, on the same line.
    let told = lines.map(Result::unwrap).find_map(|line| line.split_once("told: ").map(|(_, told)| told.to_owned()));
    (child, told.unwrap_or_default())
}

#[test]
fn bad_input_two_wallets_opened_on_one_directory() {
    let world = World::new(SystemClock);
    let device = Device::new(&world);
    let wallet = device.furnished(&world, 0);
    let before = files(&device.wallet_dir());
    // The same program once more, on the same or on other ports; and another program.
    let again = Wallet::open(world.wallet_config(&device.wallet_dir()), device.ports());
    assert_eq!(again.unwrap_err().problem(), busy());
    let (mut child, told) = other_process(&world, &device);
    assert!(told.contains("busy") && told.contains("another program"), "{told}");
    child.wait().unwrap();
    assert_eq!(files(&device.wallet_dir()), before, "nothing was touched");
    // The first one does not notice.
    let officer = world.officer("flight");
    let pending = wallet.open_request(&officer.ask("citizen-identity", &[])).unwrap();
    let (document, fields) = pending.default_selection().unwrap();
    pending.answer(&document, &fields).unwrap();
    // Locked is not closed: background work goes on in it.
    wallet.lock();
    assert_eq!(Wallet::open(world.wallet_config(&device.wallet_dir()), device.ports()).unwrap_err().problem(), busy());

    // Closed, the other program has it; this one is told; and a kill frees it without any clean-up.
    wallet.close();
    let (mut child, told) = other_process(&world, &device);
    assert_eq!(told, "open");
    assert_eq!(Wallet::open(world.wallet_config(&device.wallet_dir()), device.ports()).unwrap_err().problem(), busy());
    child.kill().unwrap();
    child.wait().unwrap();
    let wallet = device.open(&world);
    wallet.unlock(PASSCODE).unwrap();
    assert_eq!(wallet.consent_log().unwrap().len(), 1);
    // A closed object that is still there does not keep anybody out, and does nothing any more.
    wallet.close();
    let next = device.open(&world);
    assert_eq!(wallet.sync().unwrap_err().problem(), Problem::Closed);
    drop(next);
    device.open(&world);
}

#[test]
fn bad_input_two_staff_devices_opened_on_one_directory() {
    let world = World::new(SystemClock);
    let officer = world.officer("flight");
    let again = world.open_officer(&officer.directory());
    assert_eq!(wallet_bindings::WalletError::from(again.unwrap_err()), wallet_bindings::WalletError::Storage { reason: "busy".to_owned() });
    officer.verifier.close().unwrap();
    assert!(world.open_officer(&officer.directory()).unwrap().staff().unwrap().is_some());
}
