//! A real central repository and the updater of a phone: root rotations, the ceremonies' refusals, and what a phone makes of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use wallet_base::fact::{By, Outcome};
use wallet_base::random::OsRandom;
use wallet_base::time::{TimeSource, Timestamp};
use wallet_central::{Admin, CentralError, InitOptions, OnlineRole, Rotation, trust_init};
use wallet_platform::tuf::{DirectorySource, TrustConfig, TrustUpdate, TrustUpdater};

const START: i64 = 1_795_000_000;
const DAY: i64 = 86_400;
const YEAR: i64 = 366 * DAY;

/// The time, moved by hand.
struct Moved(AtomicI64);

impl TimeSource for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst))
    }
}

/// A central service on disk, its root keys elsewhere, and a phone.
struct World {
    folder: TempDir,
    clock: Arc<Moved>,
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap(), clock: Arc::new(Moved(AtomicI64::new(START))) };
        trust_init(&world.central(), &world.keys(), world.clock.now(), &OsRandom).unwrap();
        let options = InitOptions::new("https://localhost:8443", Vec::new(), Arc::clone(&world.clock) as Arc<dyn TimeSource>);
        wallet_central::init(&world.central(), &options).unwrap();
        world
    }

    fn central(&self) -> PathBuf {
        self.folder.path().join("central")
    }

    fn keys(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    fn admin(&self) -> Admin {
        Admin::open(&self.central(), Arc::clone(&self.clock) as Arc<dyn TimeSource>).unwrap()
    }

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// The ids of the root keys in force.
    fn root_keys(&self) -> Vec<String> {
        self.admin().trust_status(None).unwrap().roles[0].keys.clone()
    }

    fn rotate(&self, replace_root: &[String], replace_online: &[OnlineRole]) -> Result<u64, CentralError> {
        let rotation = Rotation {
            root_keys: self.keys(),
            new_root_keys: None,
            replace_root: replace_root.to_vec(),
            replace_online: replace_online.to_vec(),
        };
        self.admin().rotate_trust(&rotation).map(|rotated| rotated.root_version)
    }

    /// The phone as its build pins it: the first root.
    fn phone(&self) -> TrustUpdater {
        let root = fs::read(self.central().join("public/root.json")).unwrap();
        TrustUpdater::new(TrustConfig { root, floor: 1, directory: self.folder.path().join("phone"), by: By::Wallet }).unwrap()
    }

    fn update(&self, phone: &TrustUpdater, repository: &Path) -> TrustUpdate {
        phone.update_from(Arc::new(DirectorySource::new(repository)), self.clock.now(), &|_| true).unwrap()
    }

    fn repository(&self) -> PathBuf {
        self.central().join("trust")
    }
}

fn outcomes(update: &TrustUpdate) -> Vec<Outcome> {
    update.facts.iter().map(wallet_base::fact::Fact::outcome).collect()
}

/// Everything is replaced but one root key, twice: of the first root's keys none signs the third root.
fn rotate_twice(world: &World) {
    for _ in 0..2 {
        let ids = world.root_keys();
        world.rotate(&ids[..2], &[OnlineRole::Targets, OnlineRole::Snapshot, OnlineRole::Timestamp]).unwrap();
        world.pass(YEAR / 2);
        world.admin().republish().unwrap();
    }
}

#[test]
fn bad_input_a_root_rotated_twice_while_the_phone_was_off_for_a_year() {
    let world = World::new();
    assert_eq!(outcomes(&world.update(&world.phone(), &world.repository())), [Outcome::Passed; 3]);
    let first = world.root_keys();
    rotate_twice(&world);
    assert!(world.root_keys().iter().filter(|id| first.contains(id)).count() < 2, "the first root's keys alone could not sign the third");
    // The phone is switched on again: what it holds has expired, and it gets to the new root through both rotations.
    let phone = world.phone();
    let kept = phone.current().unwrap();
    assert_eq!((kept.root_version(), kept.freshness(world.clock.now(), By::Wallet).outcome()), (1, Outcome::Failed));
    let update = world.update(&phone, &world.repository());
    assert_eq!(outcomes(&update), [Outcome::Passed; 3], "{:?}", update.facts);
    assert_eq!(update.accepted.unwrap().root_version(), 3);
    assert_eq!(world.phone().current().unwrap().root_version(), 3, "also after a restart, from the root in the build");
}

#[test]
fn bad_input_a_rotation_that_lacks_signatures_of_the_old_keys_is_refused() {
    for version in [2, 3] {
        let world = World::new();
        let phone = world.phone();
        world.update(&phone, &world.repository());
        let old: Vec<Vec<String>> = vec![world.root_keys()];
        rotate_twice(&world);
        // The signatures of the keys that were replaced in this rotation are taken off.
        let file = world.repository().join(format!("metadata/{version}.root.json"));
        let mut root: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let own: Vec<String> =
            root["signed"]["roles"]["root"]["keyids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        let signatures = root["signatures"].as_array().unwrap().clone();
        let left: Vec<_> = signatures.iter().filter(|s| own.iter().any(|id| s["keyid"] == id.as_str())).cloned().collect();
        assert!(left.len() < signatures.len() && left.len() >= 2, "signed by old and new ({old:?})");
        root["signatures"] = serde_json::Value::Array(left);
        fs::write(&file, root.to_string()).unwrap();
        let update = world.update(&phone, &world.repository());
        assert_eq!(outcomes(&update), [Outcome::Failed, Outcome::NotChecked, Outcome::NotChecked], "root {version}");
        assert_eq!(phone.current().unwrap().root_version(), 1, "what was in use stays");
    }
}

#[test]
fn a_stolen_timestamp_key_is_worth_nothing_after_a_rotation_even_after_a_fast_forward() {
    let world = World::new();
    let phone = world.phone();
    world.update(&phone, &world.repository());
    let before = world.update(&phone, &world.repository()).accepted.unwrap().timestamp_version();
    assert_eq!(world.rotate(&[], &[OnlineRole::Timestamp]).unwrap(), 2);
    let update = world.update(&phone, &world.repository());
    assert_eq!(outcomes(&update), [Outcome::Passed; 3]);
    assert!(update.accepted.unwrap().timestamp_version() > before);
    // The service's own status agrees that nothing is left to do.
    assert_eq!(world.admin().trust_status(Some(&world.keys())).unwrap().to_do, Vec::<String>::new());
}

#[test]
fn one_lost_root_key_is_replaced_by_the_two_others_and_two_lost_ones_are_told() {
    let world = World::new();
    fs::remove_file(world.keys().join("trust-root-2.key")).unwrap();
    let status = world.admin().trust_status(Some(&world.keys())).unwrap();
    assert_eq!(status.root_keys.len(), 2);
    let lost = status.roles[0].keys.iter().find(|id| status.root_keys.iter().all(|(_, at_hand)| at_hand != *id)).unwrap().clone();
    assert!(status.to_do.iter().any(|line| line.contains(&format!("--replace-root {}", &lost[..12]))), "{:?}", status.to_do);
    assert_eq!(world.rotate(&[lost[..12].to_owned()], &[]).unwrap(), 2);
    assert!(!world.root_keys().contains(&lost));
    assert_eq!(outcomes(&world.update(&world.phone(), &world.repository())), [Outcome::Passed; 3]);
    for number in [1, 3] {
        fs::remove_file(world.keys().join(format!("trust-root-{number}.key"))).unwrap();
    }
    let error = world.rotate(&[], &[]).unwrap_err().to_string();
    assert!(error.contains("needs 2 of the present root keys") && error.contains("holds 1"), "{error}");
}

#[test]
fn ceremonies_refuse_what_cannot_be_and_change_nothing() {
    let world = World::new();
    let before = world.admin().trust_status(None).unwrap();
    assert!(matches!(world.rotate(&["zz".to_owned()], &[]), Err(CentralError::Ceremony(_))));
    assert!(matches!(world.rotate(&["ffffffffffffffff".to_owned()], &[]), Err(CentralError::Ceremony(_))));
    assert_eq!(world.admin().trust_status(None).unwrap(), before);
    let again = trust_init(&world.central(), &world.folder.path().join("other"), world.clock.now(), &OsRandom);
    assert!(matches!(again, Err(CentralError::Directory(_))));
    let used = trust_init(&world.folder.path().join("second"), &world.keys(), world.clock.now(), &OsRandom);
    assert!(matches!(used, Err(CentralError::Ceremony(_))));
    // The service itself holds none of the root keys.
    assert!(!world.central().join("offline/trust-root-1.key").exists());
}

#[test]
fn a_root_that_nears_its_end_is_told_and_renewed() {
    let world = World::new();
    world.pass(10 * 365 * DAY - 30 * DAY);
    let told = world.admin().trust_status(None).unwrap().to_do;
    assert!(told.iter().any(|line| line.contains("the root ends in 30 days")), "{told:?}");
    world.rotate(&[], &[]).unwrap();
    assert!(world.admin().trust_status(None).unwrap().to_do.is_empty());
}
