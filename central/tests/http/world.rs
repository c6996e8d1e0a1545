//! A service in a temporary directory, a clock that tests move, a card authority, and a client that trusts the service's TLS root only.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use serde_json::Value;
use tempfile::TempDir;
use wallet_base::random::OsRandom;
use wallet_base::time::{Date, TimeSource, Timestamp};
use wallet_card_sim::{CardHolder, CardProfile, TestCardAuthority};
use wallet_central::registry::{Citizen, SyntheticRegistry};
use wallet_central::{Admin, CentralError, InitOptions, ServeOptions, Server, faces, init};
use wallet_chip::mrz::Sex;
use wallet_credential::trust::TrustTargets;

/// What phones see; the client below goes to the bound address whatever this says.
pub const PUBLIC: &str = "https://localhost:8443";
pub const DAY: i64 = 86_400;

#[derive(Debug)]
pub struct TestClock(pub AtomicI64);

impl TimeSource for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Debug)]
struct TlsClock(Arc<TestClock>);

impl TimeProvider for TlsClock {
    fn current_time(&self) -> Option<UnixTime> {
        u64::try_from(self.0.now().unix()).ok().map(|seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// What is different in how a world is served.
type Change = Box<dyn Fn(&mut ServeOptions) + Send + Sync>;

pub struct World {
    pub dir: TempDir,
    pub clock: Arc<TestClock>,
    pub authority: TestCardAuthority,
    pub registry: SyntheticRegistry,
    pub tls_root: Vec<u8>,
    pub trust_root: Vec<u8>,
    client: Client,
    server: Option<Server>,
    pub software_keys: bool,
    pub read_limit: Option<Duration>,
    /// What is different in how this world is served.
    pub change: Option<Change>,
    /// A process of its own serves the directory.
    pub elsewhere: Option<std::net::SocketAddr>,
}

impl World {
    pub async fn new() -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(Timestamp::parse_rfc3339("2026-11-21T08:00:00Z").unwrap().unix())));
        let authority = TestCardAuthority::new(&OsRandom, clock.now()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let options = InitOptions::new(PUBLIC, vec![authority.csca().der().to_vec()], clock.clone());
        let anchors = init(dir.path(), &options).unwrap();
        let mut world = Self {
            client: client(&anchors.tls_root, &clock),
            tls_root: anchors.tls_root,
            trust_root: anchors.trust_root,
            dir,
            clock,
            authority,
            registry: SyntheticRegistry::new().unwrap(),
            server: None,
            software_keys: true,
            read_limit: None,
            change: None,
            elsewhere: None,
        };
        world.start().await;
        world
    }

    /// A world that is served differently.
    pub async fn with(change: impl Fn(&mut ServeOptions) + Send + Sync + 'static) -> Self {
        let mut world = Self::new().await;
        world.change = Some(Box::new(change));
        world.restart().await;
        world
    }

    /// A world with other limits in its configuration.
    pub async fn limited(limits: &Value) -> Self {
        let mut world = Self::new().await;
        world.stop().await;
        let path = world.dir.path().join("config.json");
        let mut config = json_file(&path);
        for (name, value) in limits.as_object().unwrap() {
            config["limits"][name] = value.clone();
        }
        std::fs::write(path, config.to_string()).unwrap();
        world.start().await;
        world
    }

    pub async fn start(&mut self) {
        self.try_start().await.unwrap();
    }

    pub async fn try_start(&mut self) -> Result<(), CentralError> {
        let mut options = ServeOptions::new("127.0.0.1:0".parse().unwrap(), self.clock.clone()).unwrap();
        options.allow_software_keys = self.software_keys;
        options.read_limit = self.read_limit.unwrap_or(options.read_limit);
        if let Some(change) = &self.change {
            change(&mut options);
        }
        self.server = Some(Server::start(self.dir.path(), options).await?);
        Ok(())
    }

    pub async fn stop(&mut self) {
        self.server.take().unwrap().stop().await.unwrap();
        // Idle connections to a stopped server are of no use.
        self.client = client(&self.tls_root, &self.clock);
    }

    pub async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn url(&self, path: &str) -> String {
        let address = self.elsewhere.unwrap_or_else(|| self.server.as_ref().unwrap().address());
        format!("https://{address}{path}")
    }

    pub fn get_request(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    pub fn post_request(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path))
    }

    pub async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let response = self.get_request(path).send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
    }

    pub async fn get_json(&self, path: &str) -> (u16, Value) {
        let (status, body) = self.get(path).await;
        (status, serde_json::from_slice(&body).unwrap())
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.post_request(path).header("content-type", "application/json").body(body.to_string()).send().await.unwrap()).await
    }

    /// Answer, code of the error and `Retry-After`.
    pub async fn refused(&self, path: &str, body: &Value) -> (u16, String, Option<u32>) {
        let response = self.post_request(path).header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
        let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
        let (status, answer) = answer(response).await;
        (status, answer["error"].as_str().unwrap_or_default().to_owned(), wait)
    }

    pub fn admin(&self) -> Admin {
        Admin::open(self.dir.path(), self.clock.clone()).unwrap()
    }

    pub fn citizen(&self, index: usize) -> Citizen {
        self.registry.all()[index].clone()
    }

    /// The genuine card of a citizen, with the portrait of the registry.
    pub fn card(&self, index: usize) -> CardProfile {
        let citizen = self.citizen(index);
        let sex = if citizen.sex == "M" { Sex::Male } else { Sex::Female };
        let [birth, expiry] = [&citizen.birth, &citizen.card.expires].map(|text| Date::parse_iso(text).unwrap());
        let face = faces::portrait(&citizen.personal_number, 240, 320).unwrap();
        let holder = CardHolder::new(&citizen.personal_number, &citizen.full_name, birth, sex, expiry).unwrap().with_face(face);
        self.authority.issue_card(&holder, &OsRandom, self.now()).unwrap()
    }

    /// Messages to telephones, oldest first.
    pub fn messages(&self) -> Vec<Value> {
        let Ok(entries) = std::fs::read_dir(self.dir.path().join("spool")) else { return Vec::new() };
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
    }

    pub fn last_code(&self) -> String {
        let messages = self.messages();
        messages.iter().rev().find(|m| m["code"] != "").unwrap()["code"].as_str().unwrap().to_owned()
    }

    /// The four targets out of the repository's folder.
    pub fn trust(&self) -> TrustTargets {
        let timestamp = json_file(&self.dir.path().join("trust/metadata/timestamp.json"));
        let snapshot = timestamp["signed"]["meta"]["snapshot.json"]["version"].as_u64().unwrap();
        let snapshot = json_file(&self.dir.path().join(format!("trust/metadata/{snapshot}.snapshot.json")));
        let targets = snapshot["signed"]["meta"]["targets.json"]["version"].as_u64().unwrap();
        let targets = json_file(&self.dir.path().join(format!("trust/metadata/{targets}.targets.json")));
        let [issuers, readers, status, cards] = ["issuers.json", "readers.json", "status.json", "cards.json"].map(|name| {
            let hash = targets["signed"]["targets"][name]["hashes"]["sha256"].as_str().unwrap();
            std::fs::read(self.dir.path().join(format!("trust/targets/{hash}.{name}"))).unwrap()
        });
        TrustTargets::parse(&issuers, &readers, &status, &cards).unwrap()
    }
}

pub fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

pub fn client(root: &[u8], clock: &Arc<TestClock>) -> Client {
    let tls = tls(root, clock);
    Client::builder().tls_backend_preconfigured(tls).no_proxy().timeout(Duration::from_mins(1)).build().unwrap()
}

pub fn tls(root: &[u8], clock: &Arc<TestClock>) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(root.to_vec())).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ClientConfig::builder_with_details(provider, Arc::new(TlsClock(clock.clone())))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}
