//! Dishonest repositories: each shows as exactly one failed fact, and the snapshot that was current stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use wallet_base::fact::Outcome;

use super::repository::{Key, Repository, at, sign};
use super::updates::{Client, PASSED, outcomes};
use crate::http::HttpError;
use crate::tuf::{DirectorySource, MAX_METADATA, TrustError, TrustSource, TrustUpdate};

const SIGNATURE: [Outcome; 3] = [Outcome::Failed, Outcome::NotChecked, Outcome::NotChecked];
const VERSION: [Outcome; 3] = [Outcome::Passed, Outcome::Failed, Outcome::NotChecked];
const FRESHNESS: [Outcome; 3] = [Outcome::Passed, Outcome::Passed, Outcome::Failed];

/// A client that knows version 1 of a repository whose version 2 the caller spoils.
fn at_version_one() -> (Repository, Client) {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    client.update(&repository, 0).unwrap();
    repository.publish(&[("issuers.json", "{\"version\":2}")]);
    (repository, client)
}

#[track_caller]
fn refused(client: &Client, update: Result<TrustUpdate, TrustError>, expected: [Outcome; 3]) {
    let update = update.unwrap();
    assert_eq!(outcomes(&update), expected, "{:?}", update.facts);
    assert!(update.accepted.is_none());
    assert_eq!(client.version(), Some(1), "the old snapshot stays current");
}

#[test]
fn an_older_genuine_snapshot_fails_trust_version_only() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    let old = repository.saved_timestamp();
    repository.publish(&[("issuers.json", "{\"version\":2}")]);
    client.update(&repository, 0).unwrap();
    repository.restore_timestamp(&old);
    let update = client.update(&repository, 0).unwrap();
    assert_eq!(outcomes(&update), VERSION);
    assert_eq!(update.facts[1].detail(), "timestamp version 1 where 2 is known");
    assert!(update.accepted.is_none());
    assert_eq!(client.version(), Some(2));
    // Also when it has expired meanwhile: one fault, one failed fact.
    assert_eq!(outcomes(&client.update(&repository, 90_000).unwrap()), VERSION);
}

#[test]
fn a_new_timestamp_over_an_older_snapshot_fails_trust_version() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    let old = std::fs::read(repository.metadata("1.snapshot.json")).unwrap();
    repository.publish(&[("issuers.json", "{\"version\":2}")]);
    client.update(&repository, 0).unwrap();
    let mut signed = repository.timestamp_signed(&old);
    (signed["version"], signed["meta"]["snapshot.json"]["version"]) = (json!(3), json!(1));
    repository.restore_timestamp(&sign(&signed, &[&repository.timestamp]));
    assert_eq!(outcomes(&client.update(&repository, 0).unwrap()), VERSION);
    assert_eq!(client.version(), Some(2));
}

#[test]
fn a_snapshot_below_the_floor_of_the_build_fails_trust_version() {
    let repository = Repository::new();
    let mut client = Client::new(&repository);
    client.floor = 2;
    let update = client.update(&repository, 0).unwrap();
    assert_eq!(outcomes(&update), VERSION);
    assert_eq!(update.facts[1].detail(), "version 1 is below the floor 2");
    client.floor = 1;
    assert_eq!(outcomes(&client.update(&repository, 0).unwrap()), PASSED);
}

#[test]
fn expired_metadata_fails_trust_freshness_by_the_given_clock() {
    let (repository, client) = at_version_one();
    refused(&client, client.update(&repository, 86_400), FRESHNESS);
    refused(&client, client.update(&repository, 31 * 86_400), FRESHNESS);
    // One second earlier it holds.
    assert_eq!(outcomes(&client.update(&repository, 86_399).unwrap()), PASSED);
    let snapshot = client.updater().current().unwrap();
    let by = wallet_base::fact::By::Wallet;
    assert_eq!(snapshot.freshness(at(86_399), by).outcome(), Outcome::Passed);
    assert_eq!(snapshot.freshness(at(86_400), by).outcome(), Outcome::Failed);
}

#[test]
fn a_changed_timestamp_fails_trust_signature() {
    let (repository, client) = at_version_one();
    repository.tamper("timestamp.json", |t| t.replace("\"version\": 2\n", "\"version\": 3\n"));
    refused(&client, client.update(&repository, 0), SIGNATURE);
}

#[test]
fn a_timestamp_by_another_key_fails_trust_signature() {
    let (repository, client) = at_version_one();
    let snapshot = std::fs::read(repository.metadata("2.snapshot.json")).unwrap();
    repository.restore_timestamp(&sign(&repository.timestamp_signed(&snapshot), &[&Key::new()]));
    refused(&client, client.update(&repository, 0), SIGNATURE);
    // By a key of the repository, but of another role.
    repository.restore_timestamp(&sign(&repository.timestamp_signed(&snapshot), &[&repository.targets]));
    refused(&client, client.update(&repository, 0), SIGNATURE);
    repository.restore_timestamp(&sign(&repository.timestamp_signed(&snapshot), &[]));
    refused(&client, client.update(&repository, 0), SIGNATURE);
}

#[test]
fn changed_snapshot_targets_metadata_and_target_fail_trust_signature() {
    for (file, from, to) in
        [("2.snapshot.json", "\"version\": 2", "\"version\": 9"), ("2.targets.json", "\"length\": 13", "\"length\": 14")]
    {
        let (repository, client) = at_version_one();
        repository.tamper(file, |t| t.replace(from, to));
        refused(&client, client.update(&repository, 0), SIGNATURE);
    }
    let (repository, client) = at_version_one();
    for entry in std::fs::read_dir(repository.path().join("targets")).unwrap().flatten() {
        std::fs::write(entry.path(), b"{\"version\":6}").unwrap();
    }
    refused(&client, client.update(&repository, 0), SIGNATURE);
}

#[test]
fn mixed_and_malformed_files_fail_trust_signature() {
    // The snapshot of another version under the name of this one.
    let (repository, client) = at_version_one();
    std::fs::copy(repository.metadata("1.snapshot.json"), repository.metadata("2.snapshot.json")).unwrap();
    refused(&client, client.update(&repository, 0), SIGNATURE);
    for odd in [&b""[..], b"{", b"[]", b"{\"signed\":{},\"signatures\":[]}", &b"[".repeat(100_000)] {
        repository.restore_timestamp(odd);
        refused(&client, client.update(&repository, 0), SIGNATURE);
    }
}

#[test]
fn a_root_without_the_old_keys_consent_fails_trust_signature() {
    let (mut repository, client) = at_version_one();
    // Two new keys sign it, none of the old ones does.
    repository.roots = vec![Key::new(), Key::new(), Key::new()];
    repository.publish_root(&[]);
    refused(&client, client.update(&repository, 0), SIGNATURE);
    // One old key is below the threshold of two.
    let (mut repository, client) = at_version_one();
    let old = std::mem::replace(&mut repository.roots, vec![Key::new(), Key::new(), Key::new()]);
    repository.publish_root(&[&old[0]]);
    refused(&client, client.update(&repository, 0), SIGNATURE);
}

#[test]
fn a_root_that_jumps_fails_trust_version() {
    let (mut repository, client) = at_version_one();
    repository.root_version = 6;
    repository.publish_root(&[]);
    std::fs::rename(repository.metadata("7.root.json"), repository.metadata("2.root.json")).unwrap();
    refused(&client, client.update(&repository, 0), VERSION);
}

#[test]
fn a_missing_file_is_no_verdict() {
    for file in ["timestamp.json", "2.snapshot.json", "2.targets.json"] {
        let (repository, client) = at_version_one();
        std::fs::remove_file(repository.metadata(file)).unwrap();
        assert_eq!(client.update(&repository, 0).err(), Some(TrustError::Missing), "{file}");
        assert_eq!(client.version(), Some(1));
    }
    let (repository, client) = at_version_one();
    std::fs::remove_dir_all(repository.path().join("targets")).unwrap();
    assert_eq!(client.update(&repository, 0).err(), Some(TrustError::Missing));
}

#[test]
fn oversized_metadata_is_no_verdict() {
    let (repository, client) = at_version_one();
    repository.restore_timestamp(&vec![b' '; MAX_METADATA + 1]);
    assert_eq!(client.update(&repository, 0).err(), Some(TrustError::Fetch(HttpError::TooLarge)));
    assert_eq!(client.version(), Some(1));
}

#[test]
fn more_or_larger_targets_than_allowed_fail_trust_signature() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    client.update(&repository, 0).unwrap();
    let names: Vec<String> = (0..65).map(|n| format!("t{n}.json")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|n| (n.as_str(), "x")).collect();
    repository.publish(&many);
    refused(&client, client.update(&repository, 0), SIGNATURE);
    repository.publish(&[("large.json", &"x".repeat((4 << 20) + 1))]);
    refused(&client, client.update(&repository, 0), SIGNATURE);
}

/// A source that fails at its n-th file.
struct Failing(DirectorySource, AtomicUsize);

impl Failing {
    fn next(&self) -> Result<(), HttpError> {
        if self.1.fetch_sub(1, Ordering::SeqCst) == 0 { Err(HttpError::Dropped) } else { Ok(()) }
    }
}

impl TrustSource for Failing {
    fn metadata(&self, name: &str) -> Result<Option<Vec<u8>>, HttpError> {
        self.next()?;
        self.0.metadata(name)
    }
    fn target(&self, name: &str) -> Result<Option<Vec<u8>>, HttpError> {
        self.next()?;
        self.0.target(name)
    }
}

#[test]
fn a_network_that_dies_at_any_file_is_no_verdict_and_the_next_try_completes() {
    // 2.root.json (not there), timestamp, snapshot, targets, one target.
    for n in 0..5 {
        let (repository, client) = at_version_one();
        let source = Failing(DirectorySource::new(repository.path()), AtomicUsize::new(n));
        let update = client.updater().update_from(Arc::new(source), at(0), &|_| true);
        assert_eq!(update.err(), Some(TrustError::Fetch(HttpError::Dropped)), "file {n}");
        assert_eq!(client.version(), Some(1));
        // What was trusted before the line broke is kept, and the next try goes on from there.
        let source = Failing(DirectorySource::new(repository.path()), AtomicUsize::new(5));
        assert_eq!(outcomes(&client.updater().update_from(Arc::new(source), at(0), &|_| true).unwrap()), PASSED);
        assert_eq!(client.version(), Some(2));
    }
}

#[test]
fn known_targets_are_not_fetched_again() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    client.update(&repository, 0).unwrap();
    repository.publish(&[("issuers.json", "{\"version\":1}"), ("readers.json", "{}")]);
    std::fs::remove_dir_all(repository.path().join("targets")).unwrap();
    assert_eq!(outcomes(&client.update(&repository, 0).unwrap()), PASSED);
    assert_eq!(client.version(), Some(2));
}

#[test]
fn bad_input_what_was_half_written_makes_room_before_an_update_and_what_is_in_use_stays() {
    let (repository, client) = at_version_one();
    let cut_off = || {
        let source = Failing(DirectorySource::new(repository.path()), AtomicUsize::new(1));
        assert!(client.updater().update_from(Arc::new(source), at(0), &|_| true).is_err());
    };
    let generations = || {
        let names = std::fs::read_dir(client.path()).unwrap().flatten().map(|e| e.file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("g-")).collect::<Vec<_>>()
    };
    let in_use = generations();
    let dead = || std::fs::create_dir(client.path().join("g-9-dead")).unwrap();
    dead();
    // Nothing comes of this update.
    cut_off();
    assert_eq!(generations(), in_use);
    // What `current` says cannot be read: nothing is removed before there is something else to use.
    dead();
    std::fs::write(client.path().join("current"), b"{\"dir").unwrap();
    cut_off();
    assert_eq!(generations().len(), 2);
}
