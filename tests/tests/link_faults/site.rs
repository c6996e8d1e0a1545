//! Where the story happens: one central service behind one bad link, and folders that can be put back to how they were at any point.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use wallet_base::random::OsRandom;
use wallet_base::time::Timestamp;
use wallet_bindings::Wait as _;
use wallet_bindings::ports::{ClockPort, PortFault};
use wallet_bindings::software::{SoftwareKeyStore, SoftwareSealer};
use wallet_bindings::{Verifier, VerifierConfig, Wallet, WalletConfig, WalletState};
use wallet_central::{Admin, AppAnchors, InitOptions, ServeOptions, Server, init};
use wallet_platform::keyslot::{KdfCost, KeySlots};
use wallet_platform::ports::{Clock, WallTime};
use wallet_platform::software::{self, ManualClock};
use wallet_tests::town::Town;

use crate::card::CardLink;
use crate::relay::{Relay, Reserved};

pub const PASSCODE: &str = "482913";
/// Whose story it is.
pub const CITIZEN: usize = 0;
const DAY: i64 = 86_400;

/// The devices' clock: it stands still but when a test moves it.
pub struct TestClock(ManualClock);

impl ClockPort for TestClock {
    fn wall_seconds(&self) -> Result<i64, PortFault> {
        Ok(self.0.wall().unix())
    }

    fn monotonic_millis(&self) -> Result<u64, PortFault> {
        Ok(self.0.monotonic_millis())
    }

    fn boot_id(&self) -> Result<String, PortFault> {
        Ok(self.0.boot_id())
    }
}

pub fn noon() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-21T05:00:00Z").unwrap()
}

/// A folder that lives in memory where the machine has such a place: thousands of runs write their stores anew.
fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// One service address with its relay. Only one stage of a site is played at a time.
pub struct Site {
    pub town: Town,
    pub relay: Relay,
    pub card: CardLink,
    pub selfie: Vec<u8>,
    anchors: AppAnchors,
    runtime: tokio::runtime::Runtime,
    snapshots: TempDir,
}

/// Folders of central, phone and officer as they were at some point of the story.
#[derive(Clone)]
pub struct Snapshot {
    path: PathBuf,
    /// Days since noon.
    days: i64,
}

impl Site {
    /// A new service, a phone with an empty wallet, an officer's empty device with a code for it.
    pub fn new() -> (Self, Snapshot) {
        let clock = ManualClock::new(noon());
        let town = Town::new(Arc::new(clock.clone()));
        let snapshots = scratch();
        let path = snapshots.path().join("start");
        let central = path.join("central");
        let reserved = Reserved::new();
        let options =
            InitOptions::new(&reserved.url(), vec![town.authority.csca().der().to_vec()], Arc::new(WallTime(Arc::new(clock.clone()))));
        std::fs::create_dir_all(&path).unwrap();
        let anchors = init(&central, &options).unwrap();
        fewer_lists(&central);
        let relay = Relay::start(reserved, &central, &anchors.tls_root, noon().unix());
        let (seal, wallet) = (path.join("phone/seal"), path.join("phone/wallet"));
        std::fs::create_dir_all(&wallet).unwrap();
        // As a `create` that was interrupted leaves it, with the least costly passcode that is accepted: `unlock` completes it.
        let sealer = software::SoftwareSealer::open(&seal).unwrap();
        drop(KeySlots::at(&wallet.join("wallet.keys")).create(PASSCODE.as_bytes(), KdfCost::MINIMUM, &sealer, &OsRandom).unwrap());
        let admin = Admin::open(&central, Arc::new(WallTime(Arc::new(clock)))).unwrap();
        let code = admin.staff_code("traffic-police", "CSGT", "Quốc lộ 5").unwrap();
        std::fs::write(path.join("code"), code).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (card, selfie) = (CardLink::holding(town.card(CITIZEN)), town.selfie(CITIZEN));
        (Self { town, relay, card, selfie, anchors, runtime, snapshots }, Snapshot { path, days: 0 })
    }
}

/// Lists for five weeks are enough for a story of three, and keep the number of messages down.
fn fewer_lists(central: &Path) {
    let path = central.join("config.json");
    let mut config: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    config["status"]["behind"] = 0.into();
    config["status"]["ahead"] = (35 * DAY).into();
    std::fs::write(path, config.to_string()).unwrap();
}

/// The story at a point: central runs, devices can be opened.
pub struct Stage<'s> {
    pub site: &'s Site,
    pub dir: TempDir,
    pub days: i64,
    clock: ManualClock,
    server: Option<Server>,
    wallet: Option<Arc<Wallet>>,
    officer: Option<Arc<Verifier>>,
    patience: Option<Duration>,
}

impl<'s> Stage<'s> {
    /// Plays on from a snapshot.
    pub fn at(site: &'s Site, snapshot: &Snapshot) -> Self {
        let dir = scratch();
        copy(&snapshot.path, dir.path());
        let clock = ManualClock::new(noon());
        clock.advance_secs(u64::try_from(snapshot.days * DAY).unwrap());
        let mut stage = Self { site, dir, days: snapshot.days, clock, server: None, wallet: None, officer: None, patience: None };
        stage.serve();
        stage
    }

    fn serve(&mut self) {
        let clock = Arc::new(WallTime(Arc::new(self.clock.clone()) as Arc<dyn Clock>));
        let mut options = ServeOptions::new("127.0.0.1:0".parse().unwrap(), clock).unwrap();
        options.allow_software_keys = true;
        let server = self.site.runtime.block_on(Server::start(&self.central(), options)).unwrap();
        self.site.relay.begin(server.address());
        self.server = Some(server);
    }

    /// Time passes for everybody.
    pub fn wait_days(&mut self, days: i64) {
        self.clock.advance_secs(u64::try_from(days * DAY).unwrap());
        self.days += days;
    }

    pub fn central(&self) -> PathBuf {
        self.dir.path().join("central")
    }

    pub fn code(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("code")).unwrap()
    }

    pub fn admin(&self) -> Admin {
        Admin::open(&self.central(), Arc::new(WallTime(Arc::new(self.clock.clone()) as Arc<dyn Clock>))).unwrap()
    }

    /// Devices opened from now on wait only so long for central; `None`: as apps do.
    pub fn be_patient(&mut self, patience: Option<Duration>) {
        self.close();
        self.patience = patience;
    }

    /// The citizen's wallet, unlocked.
    pub fn wallet(&mut self) -> Arc<Wallet> {
        if let Some(wallet) = &self.wallet {
            return wallet.clone();
        }
        let phone = self.dir.path().join("phone");
        let config = WalletConfig {
            directory: phone.join("wallet").to_str().unwrap().to_owned(),
            service_url: self.site.anchors.public_url.clone(),
            tls_root: self.site.anchors.tls_root.clone(),
            trust_root: self.site.anchors.trust_root.clone(),
            trust_floor: 1,
        };
        let keys = SoftwareKeyStore::new(&phone.join("keys")).unwrap();
        let sealer = SoftwareSealer::new(&phone.join("seal")).unwrap();
        let clock = Arc::new(TestClock(self.clock.clone()));
        let wallet = match self.patience {
            None => Wallet::open(config, keys, sealer, clock, None),
            Some(patience) => Wallet::open_within(config, keys, sealer, clock, patience),
        };
        let wallet = wallet.unwrap();
        wallet.unlock(PASSCODE.as_bytes().to_vec(), None).wait().unwrap();
        assert_eq!(wallet.state(), WalletState::Unlocked);
        self.wallet = Some(wallet.clone());
        wallet
    }

    /// The officer's device.
    pub fn officer(&mut self) -> Arc<Verifier> {
        if let Some(officer) = &self.officer {
            return officer.clone();
        }
        let device = self.dir.path().join("officer");
        std::fs::create_dir_all(&device).unwrap();
        let config = VerifierConfig {
            directory: device.join("store").to_str().unwrap().to_owned(),
            service_url: self.site.anchors.public_url.clone(),
            tls_root: self.site.anchors.tls_root.clone(),
            trust_root: self.site.anchors.trust_root.clone(),
            trust_floor: 1,
        };
        let keys = SoftwareKeyStore::new(&device.join("keys")).unwrap();
        let sealer = SoftwareSealer::new(&device.join("seal")).unwrap();
        let clock = Arc::new(TestClock(self.clock.clone()));
        let officer = match self.patience {
            None => Verifier::open(config, keys, sealer, clock, None),
            Some(patience) => Verifier::open_within(config, keys, sealer, clock, patience),
        };
        let officer = officer.unwrap();
        self.officer = Some(officer.clone());
        officer
    }

    /// Both devices are switched off.
    pub fn close(&mut self) {
        if let Some(wallet) = self.wallet.take() {
            wallet.close().unwrap();
        }
        if let Some(officer) = self.officer.take() {
            officer.close().unwrap();
        }
    }

    /// Everything as it is now, to be played on from; the stage is over.
    pub fn keep(mut self, name: &str) -> Snapshot {
        self.stop();
        // The service's last connection to its database closes when the last of its threads ends.
        for _ in 0..500 {
            if !self.central().join("central.sqlite-wal").exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let path = self.site.snapshots.path().join(name);
        copy(self.dir.path(), &path);
        Snapshot { path, days: self.days }
    }

    fn stop(&mut self) {
        self.close();
        self.site.relay.end();
        if let Some(server) = self.server.take() {
            self.site.runtime.block_on(server.stop()).unwrap();
        }
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop();
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
