//! Everything around a wallet: a real central service in process behind a relay that can be cut, a card authority, a device with software
//! ports, an officer. Nothing here is fake but the relay's scissors.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use wallet_base::fact::Conclusion;
use wallet_card_sim::{Card, CardProfile, Field};
use wallet_central::{Admin, AppAnchors, InitOptions, ServeOptions, Server, init};
use wallet_core::{CardPassword, Ports, Step, Wallet, WalletConfig, WalletError};
use wallet_platform::ports::{CardChannel, ChannelError, ChannelLimits, Clock, KeyStore, WallTime};
use wallet_platform::software::SoftwareSealer;
use wallet_tests::town::{Town, last_code};
use wallet_verifier::{Verifier, VerifierConfig};

use crate::keys::CountingKeys;

pub const PASSCODE: &str = "482913";
/// Copy sets of each document in these tests.
pub const COPIES: u32 = 3;

/// Bytes go through it both ways until its budget is used up; then every connection is cut and none is taken.
pub struct Relay {
    pub port: u16,
    pub budget: Arc<AtomicI64>,
    pub passed: Arc<AtomicI64>,
    pub target: Arc<Mutex<Option<SocketAddr>>>,
}

impl Relay {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self {
            port: listener.local_addr().unwrap().port(),
            budget: Arc::new(AtomicI64::new(i64::MAX)),
            passed: Arc::new(AtomicI64::new(0)),
            target: Arc::default(),
        };
        let (budget, passed, target) = (relay.budget.clone(), relay.passed.clone(), relay.target.clone());
        std::thread::spawn(move || {
            for phone in listener.incoming().flatten() {
                let target = *target.lock().unwrap();
                let Some(target) = target.filter(|_| budget.load(Ordering::SeqCst) > 0) else { continue };
                let Ok(central) = TcpStream::connect(target) else { continue };
                for (from, to) in [(&phone, &central), (&central, &phone)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let (budget, passed) = (budget.clone(), passed.clone());
                    std::thread::spawn(move || pipe(from, to, &budget, &passed));
                }
            }
        });
        relay
    }

    /// Lets everything through again.
    pub fn mend(&self) {
        self.budget.store(i64::MAX, Ordering::SeqCst);
    }

    /// Cuts after so many more bytes.
    pub fn cut_after(&self, bytes: i64) {
        self.budget.store(bytes, Ordering::SeqCst);
    }
}

fn pipe(mut from: TcpStream, mut to: TcpStream, budget: &AtomicI64, passed: &AtomicI64) {
    let mut buffer = [0; 512];
    while let Ok(n) = from.read(&mut buffer) {
        let size = i64::try_from(n).unwrap();
        if n == 0 || budget.fetch_sub(size, Ordering::SeqCst) < size || to.write_all(&buffer[..n]).is_err() {
            break;
        }
        passed.fetch_add(size, Ordering::SeqCst);
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

pub struct World {
    pub dir: TempDir,
    pub clock: Arc<dyn Clock>,
    pub town: Town,
    pub anchors: AppAnchors,
    pub relay: Relay,
    runtime: tokio::runtime::Runtime,
    server: Option<Server>,
}

impl World {
    pub fn new(clock: impl Clock + 'static) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let relay = Relay::new();
        let town = Town::new(clock.clone());
        let dir = tempfile::tempdir().unwrap();
        let url = format!("https://localhost:{}", relay.port);
        let options = InitOptions::new(&url, vec![town.authority.csca().der().to_vec()], Arc::new(WallTime(clock.clone())));
        let anchors = init(dir.path(), &options).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut world = Self { dir, clock, town, anchors, relay, runtime, server: None };
        world.start();
        world
    }

    pub fn start(&mut self) {
        let mut options = ServeOptions::new("127.0.0.1:0".parse().unwrap(), Arc::new(WallTime(self.clock.clone()))).unwrap();
        options.allow_software_keys = true;
        let server = self.runtime.block_on(Server::start(self.dir.path(), options)).unwrap();
        *self.relay.target.lock().unwrap() = Some(server.address());
        self.server = Some(server);
    }

    pub fn stop(&mut self) {
        *self.relay.target.lock().unwrap() = None;
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop()).unwrap();
        }
    }

    pub fn admin(&self) -> Admin {
        Admin::open(self.dir.path(), Arc::new(WallTime(self.clock.clone()))).unwrap()
    }

    pub fn can(&self, index: usize) -> CardPassword {
        CardPassword::Can(self.can_digits(index))
    }

    pub fn spool(&self) -> PathBuf {
        self.dir.path().join("spool")
    }

    pub fn last_code(&self) -> String {
        last_code(&self.spool())
    }

    pub fn hands(&self, citizen: usize) -> Hands {
        Hands { card: self.card(citizen), can: self.can(citizen), selfie: self.selfie(citizen), spool: self.spool() }
    }

    pub fn wallet_config(&self, directory: &Path) -> WalletConfig {
        WalletConfig {
            directory: directory.to_owned(),
            service_url: self.anchors.public_url.clone(),
            tls_root: self.anchors.tls_root.clone(),
            trust_root: self.anchors.trust_root.clone(),
            trust_floor: 1,
            copies: COPIES,
        }
    }

    /// An enrolled officer who has synced.
    pub fn officer(&self, role: &str) -> Officer {
        self.officer_by(role, self.clock.clone())
    }

    /// The same with a clock of his own.
    pub fn officer_by(&self, role: &str, clock: Arc<dyn Clock>) -> Officer {
        let dir = tempfile::tempdir().unwrap();
        let verifier = self.open_officer_by(&dir.path().join("officer"), clock).unwrap();
        let code = self.admin().staff_code(role, "Cảng hàng không Nội Bài", "Cửa 12, Nội Bài").unwrap();
        verifier.enrol(&code).unwrap();
        verifier.sync().unwrap();
        Officer { verifier, dir }
    }

    /// Opens an officer's folder; keys and seal lie beside it.
    pub fn open_officer(&self, directory: &Path) -> Result<Verifier, wallet_verifier::VerifierError> {
        self.open_officer_by(directory, self.clock.clone())
    }

    fn open_officer_by(&self, directory: &Path, clock: Arc<dyn Clock>) -> Result<Verifier, wallet_verifier::VerifierError> {
        let beside = directory.parent().unwrap();
        let config = VerifierConfig {
            directory: directory.to_owned(),
            service_url: self.anchors.public_url.clone(),
            tls_root: self.anchors.tls_root.clone(),
            trust_root: self.anchors.trust_root.clone(),
            trust_floor: 1,
        };
        let ports = wallet_verifier::Ports {
            keys: Arc::new(CountingKeys::open(&beside.join("keys"))),
            sealer: Arc::new(SoftwareSealer::open(&beside.join("seal")).unwrap()),
            clock,
            listener: None,
        };
        Verifier::open(&config, ports)
    }
}

impl Deref for World {
    type Target = Town;

    fn deref(&self) -> &Town {
        &self.town
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop();
    }
}

pub struct Officer {
    pub verifier: Verifier,
    dir: TempDir,
}

impl Officer {
    /// The folder that the verifier has open.
    pub fn directory(&self) -> PathBuf {
        self.dir.path().join("officer")
    }

    /// The text of a request; no fields: the role's own.
    pub fn ask(&self, document: &str, fields: &[&str]) -> String {
        let ask = wallet_verifier::Ask {
            document: document.to_owned(),
            fields: (!fields.is_empty()).then(|| fields.iter().map(|f| (*f).to_owned()).collect()),
            purpose: String::new(),
            place: String::new(),
        };
        self.verifier.ask(&ask).unwrap().text
    }
}

/// A phone: a folder, keys, a sealer.
pub struct Device {
    pub dir: TempDir,
    pub keys: Arc<CountingKeys>,
    pub clock: Arc<dyn Clock>,
}

impl Device {
    pub fn new(world: &World) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let keys = Arc::new(CountingKeys::open(&dir.path().join("keys")));
        Self { dir, keys, clock: world.clock.clone() }
    }

    pub fn wallet_dir(&self) -> PathBuf {
        self.dir.path().join("wallet")
    }

    pub fn ports(&self) -> Ports {
        Ports {
            keys: self.keys.clone() as Arc<dyn KeyStore>,
            sealer: Arc::new(SoftwareSealer::open(&self.dir.path().join("seal")).unwrap()),
            clock: self.clock.clone(),
            listener: None,
        }
    }

    pub fn open(&self, world: &World) -> Wallet {
        Wallet::open(world.wallet_config(&self.wallet_dir()), self.ports()).unwrap()
    }

    /// A wallet with an active account and all documents.
    pub fn furnished(&self, world: &World, citizen: usize) -> Wallet {
        let wallet = self.active(world, citizen);
        let report = wallet.obtain_documents().unwrap();
        assert_eq!(report.verdict.conclusion().to_string(), "verified", "{:?}", report.verdict);
        assert!(report.documents.len() == 4 && report.documents.iter().all(|d| d.copies == COPIES), "{:?}", report.documents);
        wallet
    }

    /// A wallet with an active account.
    pub fn active(&self, world: &World, citizen: usize) -> Wallet {
        let wallet = self.open(world);
        wallet.create(PASSCODE).unwrap();
        activate(world, &wallet, citizen);
        wallet
    }
}

/// All steps of an activation, each by what the wallet says comes next.
pub fn activate(world: &World, wallet: &Wallet, citizen: usize) {
    walk(wallet, &world.hands(citizen), Step::Complete);
}

/// What a citizen has at hand for an activation.
pub struct Hands {
    pub card: CardProfile,
    pub can: CardPassword,
    pub selfie: Vec<u8>,
    /// Where central leaves the messages with the codes.
    pub spool: PathBuf,
}

/// The step of an activation that is next.
pub fn step(wallet: &Wallet, hands: &Hands) -> Result<(), WalletError> {
    match wallet.activation()?.step {
        Step::NotStarted => wallet.begin_activation().map(drop),
        Step::Opened => wallet.read_card(Channel::holding(hands.card.clone()), hands.can.clone()).map(drop),
        Step::CardRead => wallet.submit_chip().map(drop),
        Step::Chip => wallet.request_code().map(drop),
        Step::CodeSent => wallet.submit_code(&last_code(&hands.spool)).map(drop),
        Step::Code => wallet.submit_face(&hands.selfie).map(drop),
        Step::Face => wallet.complete_activation().map(drop),
        Step::Complete => Ok(()),
    }
}

/// Goes on with an activation from wherever it is, as far as a step; nothing may go wrong.
pub fn walk(wallet: &Wallet, hands: &Hands, until: Step) {
    for _ in 0..20 {
        let view = wallet.activation().unwrap();
        if view.step == until {
            assert!(until != Step::Complete || view.verdict.conclusion() == Conclusion::Verified, "{:?}", view.verdict);
            return;
        }
        step(wallet, hands).unwrap();
    }
    panic!("the activation does not come to {until:?}: {:?}", wallet.activation());
}

/// A simulated card in a field, as the phone's channel.
pub struct Channel {
    field: Mutex<Field>,
    pub commands: AtomicU32,
    pub returns: AtomicU32,
    /// Whether the card is ever held again after a loss.
    pub comes_back: AtomicBool,
    /// Another card is held at the next return.
    pub other: Mutex<Option<Card>>,
}

impl Channel {
    pub fn holding(profile: CardProfile) -> Arc<Self> {
        Self::over(Card::new(profile).into())
    }

    pub fn over(field: Field) -> Arc<Self> {
        Arc::new(Self {
            field: Mutex::new(field),
            commands: AtomicU32::new(0),
            returns: AtomicU32::new(0),
            comes_back: AtomicBool::new(true),
            other: Mutex::new(None),
        })
    }
}

impl CardChannel for Channel {
    fn transceive(&self, apdu: &[u8]) -> Result<Vec<u8>, ChannelError> {
        self.commands.fetch_add(1, Ordering::SeqCst);
        self.field.lock().unwrap().transceive(apdu).ok_or(ChannelError::CardLost)
    }

    fn limits(&self) -> ChannelLimits {
        ChannelLimits { max_command: 261, extended: false }
    }

    fn cancel(&self) {}

    fn reconnect(&self) -> Result<(), ChannelError> {
        self.returns.fetch_add(1, Ordering::SeqCst);
        if !self.comes_back.load(Ordering::SeqCst) {
            return Err(ChannelError::CardLost);
        }
        let mut field = self.field.lock().unwrap();
        match self.other.lock().unwrap().take() {
            Some(card) => field.exchange(card),
            None => field.reset(),
        }
        Ok(())
    }
}
