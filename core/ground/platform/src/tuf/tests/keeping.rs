//! What is kept, for how long it binds, and what it takes to get past it.

use std::sync::Arc;

use wallet_base::fact::Outcome;

use super::repository::{DAY, Key, Repository, at};
use super::updates::{Client, PASSED, outcomes};
use crate::tuf::{DirectorySource, TrustMark};

const SIGNATURE: [Outcome; 3] = [Outcome::Failed, Outcome::NotChecked, Outcome::NotChecked];
const VERSION: [Outcome; 3] = [Outcome::Passed, Outcome::Failed, Outcome::NotChecked];
const FRESHNESS: [Outcome; 3] = [Outcome::Passed, Outcome::Passed, Outcome::Failed];

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// New root keys, signed by two of the old; all online keys change as well.
fn rotate(repository: &mut Repository) {
    let old = std::mem::replace(&mut repository.roots, vec![Key::new(), Key::new(), Key::new()]);
    (repository.timestamp, repository.snapshot, repository.targets) = (Key::new(), Key::new(), Key::new());
    repository.publish_root(&[&old[0], &old[1]]);
    repository.publish(&[("issuers.json", "new")]);
}

#[test]
fn bad_input_a_trust_folder_put_back_to_an_older_state_is_noticed() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    client.update(&repository, 0).unwrap();
    let (old_folder, old_timestamp) = (tempfile::tempdir().unwrap(), repository.saved_timestamp());
    copy(client.path(), old_folder.path());
    repository.publish(&[("issuers.json", "{\"version\":2}")]);
    let updater = client.updater();
    updater.update_from(Arc::new(DirectorySource::new(repository.path())), at(0), &|_| true).unwrap();
    let mark = TrustMark::from_text(&updater.mark().to_text()).unwrap();
    drop(updater);
    // Somebody puts the older folder back, and serves what belonged to it.
    std::fs::remove_dir_all(client.path()).unwrap();
    copy(old_folder.path(), client.path());
    repository.restore_timestamp(&old_timestamp);
    let updater = client.updater();
    assert_eq!(updater.current().unwrap().version(), 1);
    assert!(updater.hold(&mark));
    assert!(updater.current().is_none());
    let source = || Arc::new(DirectorySource::new(repository.path()));
    let update = updater.update_from(source(), at(0), &|_| true).unwrap();
    assert_eq!(outcomes(&update), VERSION);
    assert_eq!(update.facts[1].detail(), "timestamp version 1 where 2 is known");
    // The same with no folder at all.
    let empty = Client::new(&repository);
    let updater = empty.updater();
    assert!(!updater.hold(&mark));
    assert_eq!(outcomes(&updater.update_from(source(), at(0), &|_| true).unwrap()), VERSION);
}

#[test]
fn the_mark_lets_new_keys_start_over_and_no_older_root() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    repository.version = 1000;
    repository.publish(&[]);
    let updater = client.updater();
    let source = |repository: &Repository| Arc::new(DirectorySource::new(repository.path()));
    updater.update_from(source(&repository), at(0), &|_| true).unwrap();
    let fast = updater.mark();
    let old_timestamp = repository.saved_timestamp();
    repository.version = 1;
    rotate(&mut repository);
    let late_client = Client::new(&repository);
    let late = late_client.updater();
    late.hold(&fast);
    assert_eq!(outcomes(&late.update_from(source(&repository), at(0), &|_| true).unwrap()), PASSED);
    let after = late.mark();
    // A repository without the new root is one of before.
    std::fs::remove_file(repository.metadata("2.root.json")).unwrap();
    repository.restore_timestamp(&old_timestamp);
    let back_client = Client::new(&repository);
    let back = back_client.updater();
    back.hold(&after);
    let update = back.update_from(source(&repository), at(0), &|_| true).unwrap();
    assert_eq!(outcomes(&update), VERSION);
    assert_eq!(update.facts[1].detail(), "root version 1 where 2 is known");
}

#[test]
fn what_this_build_cannot_read_does_not_come_into_use() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    client.update(&repository, 0).unwrap();
    repository.publish(&[("issuers.json", "{\"of\":\"the future\"}")]);
    let readable = |snapshot: &Arc<crate::tuf::TrustSnapshot>| snapshot.target("issuers.json") == Some(b"{\"version\":1}");
    let source = Arc::new(DirectorySource::new(repository.path()));
    let update = client.updater().update_from(source, at(0), &readable).unwrap();
    assert_eq!(outcomes(&update), SIGNATURE);
    assert_eq!(update.facts[0].detail(), "signed, but not readable by this version of the app");
    assert_eq!(client.version(), Some(1), "also after a restart");
    // The next one that can be read comes into use.
    repository.publish(&[("issuers.json", "{\"version\":1}")]);
    let source = Arc::new(DirectorySource::new(repository.path()));
    assert_eq!(outcomes(&client.updater().update_from(source, at(0), &readable).unwrap()), PASSED);
    assert_eq!(client.version(), Some(3));
}

#[test]
fn an_update_that_never_brings_news_fails_trust_freshness_in_the_end() {
    let repository = Repository::new();
    let client = Client::new(&repository);
    assert_eq!(outcomes(&client.update(&repository, 0).unwrap()), PASSED);
    assert_eq!(outcomes(&client.update(&repository, DAY - 1).unwrap()), PASSED);
    let update = client.update(&repository, DAY).unwrap();
    assert_eq!(outcomes(&update), FRESHNESS);
    assert!(update.facts[2].detail().starts_with("the timestamp metadata expired"), "{:?}", update.facts);
}

#[test]
fn targets_of_one_version_under_a_snapshot_of_another_fail_trust_signature() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    client.update(&repository, 0).unwrap();
    repository.publish(&[("issuers.json", "{\"version\":2}")]);
    std::fs::copy(repository.metadata("1.targets.json"), repository.metadata("2.targets.json")).unwrap();
    assert_eq!(outcomes(&client.update(&repository, 0).unwrap()), SIGNATURE);
    assert_eq!(client.version(), Some(1));
}

#[test]
fn a_root_rotated_twice_in_a_year_is_reached_through_both_although_the_first_has_expired() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    client.update(&repository, 0).unwrap();
    rotate(&mut repository);
    repository.later = 360 * DAY;
    rotate(&mut repository);
    // Root 1 and root 2 are past their ends, root 3 is not.
    let update = client.update(&repository, 366 * DAY);
    assert_eq!(outcomes(&update.unwrap()), FRESHNESS, "the timestamp of then is old");
    repository.later = 366 * DAY;
    repository.publish(&[("issuers.json", "new")]);
    let update = client.update(&repository, 366 * DAY).unwrap();
    assert_eq!(outcomes(&update), PASSED);
    assert_eq!(update.accepted.unwrap().root_version(), 3);
    // The last root itself must be fresh.
    assert_eq!(outcomes(&client.update(&repository, 800 * DAY).unwrap()), FRESHNESS);
}

#[test]
fn one_key_under_several_ids_counts_once() {
    let mut repository = Repository::new();
    let client = Client::new(&repository);
    client.update(&repository, 0).unwrap();
    // The next root names one key twice, under two ids, and only that key signs for the new side.
    let old = std::mem::replace(&mut repository.roots, vec![Key::new(), Key::new(), Key::new()]);
    let alias = repository.roots[0].under_another_id();
    repository.roots[1] = alias;
    repository.publish_root(&[&old[0], &old[1]]);
    assert_eq!(outcomes(&client.update(&repository, 0).unwrap()), SIGNATURE);
}

#[test]
fn bad_input_a_root_planted_among_the_kept_ones_is_neither_kept_nor_passed_on() {
    let repository = Repository::new();
    let client = Client::new(&repository);
    client.update(&repository, 0).unwrap();
    std::fs::write(client.path().join("roots").join("2.root.json"), b"{}").unwrap();
    assert_eq!(outcomes(&client.update(&repository, 0).unwrap()), PASSED);
    let updater = client.updater();
    assert_eq!(updater.current().unwrap().version(), 1, "also after a restart");
    assert!(!updater.current_files().unwrap().0.contains_key("2.root.json"));
}

#[test]
fn bad_input_a_version_written_into_the_folder_binds_nobody() {
    let repository = Repository::new();
    let client = Client::new(&repository);
    client.update(&repository, 0).unwrap();
    let note = client.path().join("current");
    let text = std::fs::read_to_string(&note).unwrap();
    std::fs::write(&note, text.replace("\"root\":1", "\"root\":99")).unwrap();
    let updater = client.updater();
    assert_eq!(updater.proven_mark().unwrap().root, 1);
    drop(updater);
    assert_eq!(outcomes(&client.update(&repository, 0).unwrap()), PASSED);
    // Where nothing verifies the note still counts, but is not to be written down elsewhere.
    std::fs::write(&note, text.replace("\"root\":1", "\"root\":99")).unwrap();
    std::fs::remove_dir_all(client.path().join("roots")).unwrap();
    for generation in std::fs::read_dir(client.path()).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
        std::fs::remove_dir_all(generation.path()).unwrap();
    }
    let updater = client.updater();
    assert_eq!((updater.mark().root, updater.proven_mark()), (99, None));
}
