//! Honest repositories: updates, persistence, rotation, transport.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path as UrlPath;
use axum::http::StatusCode;
use axum::routing::get;
use wallet_base::fact::{By, FactName, Outcome};

use super::repository::{Key, Repository, at};
use crate::http::{Http, HttpError};
use crate::testing::{Authority, serve};
use crate::tuf::{DirectorySource, TrustConfig, TrustError, TrustUpdate, TrustUpdater};

pub(super) struct Client {
    state: tempfile::TempDir,
    pinned: Vec<u8>,
    pub(super) floor: u64,
}

impl Client {
    pub(super) fn new(repository: &Repository) -> Self {
        Self { state: tempfile::tempdir().unwrap(), pinned: repository.pinned.clone(), floor: 0 }
    }

    pub(super) fn path(&self) -> &std::path::Path {
        self.state.path()
    }

    /// A fresh updater: whatever it knows it knows from the files.
    pub(super) fn updater(&self) -> TrustUpdater {
        let config =
            TrustConfig { root: self.pinned.clone(), floor: self.floor, directory: self.state.path().to_owned(), by: By::Verifier };
        TrustUpdater::new(config).unwrap()
    }

    pub(super) fn update(&self, repository: &Repository, seconds: i64) -> Result<TrustUpdate, TrustError> {
        self.updater().update_from(Arc::new(DirectorySource::new(repository.path())), at(seconds), &|_| true)
    }

    pub(super) fn version(&self) -> Option<u64> {
        self.updater().current().map(|s| s.version())
    }
}

/// The outcomes of trust.signature, trust.version, trust.freshness; the order and the finder are checked on the way.
pub(super) fn outcomes(update: &TrustUpdate) -> [Outcome; 3] {
    let names: Vec<FactName> = update.facts.iter().map(wallet_base::fact::Fact::name).collect();
    assert_eq!(names, [FactName::TrustSignature, FactName::TrustVersion, FactName::TrustFreshness]);
    assert!(update.facts.iter().all(|f| f.by() == By::Verifier));
    [update.facts[0].outcome(), update.facts[1].outcome(), update.facts[2].outcome()]
}

pub(super) const PASSED: [Outcome; 3] = [Outcome::Passed; 3];

#[test]
fn an_update_is_verified_kept_and_verified_again_at_the_next_start() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    assert_eq!(client.version(), None);
    let update = client.update(&repository, 0).unwrap();
    assert_eq!(outcomes(&update), PASSED);
    let snapshot = update.accepted.unwrap();
    assert_eq!((snapshot.version(), snapshot.timestamp_version(), snapshot.root_version()), (1, 1, 1));
    assert_eq!((snapshot.signed_at(), snapshot.expires()), (Some(at(-60)), at(86_400)));
    assert_eq!(snapshot.target("issuers.json"), Some(b"{\"version\":1}".as_slice()));
    assert_eq!(snapshot.targets().len(), 2);
    // From the files alone.
    assert_eq!(client.updater().current().unwrap(), snapshot);
    repository.publish(&[("issuers.json", "{\"version\":2}")]);
    assert_eq!(outcomes(&client.update(&repository, 10).unwrap()), PASSED);
    let current = client.updater().current().unwrap();
    assert_eq!((current.version(), current.targets().len()), (2, 1));
    // Nothing new is an accepted update too.
    assert_eq!(client.update(&repository, 20).unwrap().accepted.unwrap(), current);
    // One generation stays.
    let kept = std::fs::read_dir(client.path()).unwrap().flatten().filter(|e| e.file_name().to_string_lossy().starts_with("g-")).count();
    assert_eq!(kept, 1);
}

#[test]
fn the_kept_files_can_be_carried_to_a_peer() {
    let repository = Repository::new();
    let client = Client::new(&repository);
    client.update(&repository, 0).unwrap();
    let peer = Client::new(&repository);
    let carried = client.updater().current_directory().unwrap();
    let update = peer.updater().update_from(Arc::new(DirectorySource::new(&carried)), at(0), &|_| true).unwrap();
    assert_eq!(outcomes(&update), PASSED);
}

#[test]
fn roots_rotate_and_the_chain_is_kept() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    client.update(&repository, 0).unwrap();
    // All keys change; the old root keys sign the step.
    for _ in 0..2 {
        let old: Vec<Key> = std::mem::replace(&mut repository.roots, vec![Key::new(), Key::new(), Key::new()]);
        (repository.timestamp, repository.snapshot, repository.targets) = (Key::new(), Key::new(), Key::new());
        repository.publish_root(&old.iter().take(2).collect::<Vec<_>>());
        repository.publish(&[("issuers.json", "new")]);
        assert_eq!(outcomes(&client.update(&repository, 0).unwrap()), PASSED);
    }
    // Known again from the root in the build, and a client that begins now gets there too.
    assert_eq!(client.updater().current().unwrap().root_version(), 3);
    let late = Client::new(&repository);
    assert_eq!(late.update(&repository, 0).unwrap().accepted.unwrap().root_version(), 3);
}

#[test]
fn new_keys_may_start_over_after_a_fast_forward_attack() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    // Somebody with the online keys published far ahead.
    repository.version = 1_000_000;
    repository.publish(&[]);
    assert_eq!(client.update(&repository, 0).unwrap().accepted.unwrap().version(), 1_000_001);
    // The owners take the keys away (TUF 5.3.11) and go on from where they were.
    let old = [repository.roots.remove(0), repository.roots.remove(0)];
    repository.roots.extend([Key::new(), Key::new()]);
    (repository.timestamp, repository.snapshot, repository.targets) = (Key::new(), Key::new(), Key::new());
    repository.publish_root(&[&old[0], &old[1]]);
    repository.version = 1;
    repository.publish(&[]);
    let update = client.update(&repository, 0).unwrap();
    assert_eq!(outcomes(&update), PASSED);
    assert_eq!(client.version(), Some(2));
}

#[test]
fn a_damaged_state_is_not_used_and_its_version_stays_the_floor() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    let old = repository.saved_timestamp();
    repository.publish(&[("issuers.json", "2")]);
    client.update(&repository, 0).unwrap();
    let kept = client.updater().current_directory().unwrap().join("metadata/2.targets.json");
    std::fs::write(&kept, std::fs::read_to_string(&kept).unwrap().replace("targets", "tergets")).unwrap();
    assert_eq!(client.version(), None);
    repository.restore_timestamp(&old);
    assert_eq!(outcomes(&client.update(&repository, 0).unwrap()), [Outcome::Passed, Outcome::Failed, Outcome::NotChecked]);
    repository.publish(&[("issuers.json", "3")]);
    assert_eq!(outcomes(&client.update(&repository, 0).unwrap()), PASSED);
}

#[test]
fn left_over_work_of_a_kill_is_cleared() {
    let repository = Repository::new();
    let client = Client::new(&repository);
    client.update(&repository, 0).unwrap();
    for name in ["work-dead", "g-9-dead"] {
        std::fs::create_dir(client.path().join(name)).unwrap();
    }
    std::fs::write(client.path().join("current.new"), b"{\"dir").unwrap();
    assert_eq!(client.version(), Some(1));
    client.update(&repository, 0).unwrap();
    let mut left: Vec<_> = std::fs::read_dir(client.path()).unwrap().flatten().map(|e| e.file_name().into_string().unwrap()).collect();
    left.retain(|n| !n.starts_with("g-1-"));
    left.sort_unstable();
    assert_eq!(left, ["current", "root.json", "roots", "snapshot.json", "targets.json", "timestamp.json"]);
}

#[test]
fn a_root_that_is_none_is_refused() {
    let repository = Repository::new();
    let timestamp = repository.saved_timestamp();
    let tampered = String::from_utf8(repository.pinned.clone()).unwrap().replace("\"threshold\": 2", "\"threshold\": 1").into_bytes();
    for root in [b"".to_vec(), b"{}".to_vec(), timestamp, tampered] {
        let state = tempfile::tempdir().unwrap();
        let config = TrustConfig { root, floor: 0, directory: state.path().to_owned(), by: By::Wallet };
        assert_eq!(TrustUpdater::new(config).err(), Some(TrustError::Root));
    }
}

#[test]
fn over_https_with_our_client() {
    let repository = Repository::new();
    let root = repository.path().to_owned();
    let app = Router::new().route(
        "/trust/{folder}/{file}",
        get(move |UrlPath((folder, file)): UrlPath<(String, String)>| async move {
            match std::fs::read(root.join(folder).join(file)) {
                Ok(bytes) => (StatusCode::OK, bytes),
                Err(_) => (StatusCode::NOT_FOUND, Vec::new()),
            }
        }),
    );
    let authority = Authority::new();
    let server = serve(app, authority.server((-3600, 86_400)));
    let http = Http::new(authority.client(server.address)).unwrap();
    let client = Client::new(&repository);
    let update = client.updater().update(&http, "/trust/metadata/", "/trust/targets/", at(0), &|_| true).unwrap();
    assert_eq!(outcomes(&update), PASSED);
    // A root of another's, a service without a repository, a service that is gone: no verdict, and the snapshot stays.
    let stranger = Http::new(Authority::new().client(server.address)).unwrap();
    let update = |http: &Http, path: &str| client.updater().update(http, path, "/trust/targets/", at(0), &|_| true).map(|_| ());
    assert_eq!(update(&stranger, "/trust/metadata/"), Err(TrustError::Fetch(HttpError::Tls)));
    assert_eq!(update(&http, "/nothing/"), Err(TrustError::Missing));
    drop(server);
    let gone = update(&http, "/trust/metadata/");
    assert!(matches!(gone, Err(TrustError::Fetch(HttpError::Unreachable | HttpError::Dropped))), "{gone:?}");
    assert_eq!(client.version(), Some(1));
}
