//! The trust folder is held to what the cache remembers.

use std::fs;
use std::path::Path;

use wallet_base::fact::FactName;
use wallet_platform::carried::Carried;

use super::world::World;
use crate::VerifierError;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn bad_input_an_older_trust_folder_put_back_is_not_used_and_not_brought_back_by_a_file() {
    let mut world = World::new("traffic-police");
    let (folder, aside) = (world.directory.path().join("officer/trust"), world.directory.path().join("aside"));
    let old = world.verifier.carry().unwrap();
    copy(&folder, &aside);
    world.sync_trust();
    fs::remove_dir_all(&folder).unwrap();
    copy(&aside, &folder);
    world.restart();
    assert!(matches!(world.verifier.carry(), Err(VerifierError::NoTrust)));
    // Genuine and in time, but older than what this device used once.
    let report = world.verifier.take_carried(&old).unwrap();
    assert_eq!(report.verdict.failed(), [FactName::TrustVersion]);
    assert_eq!(report.trust, None);
    world.sync_trust();
    assert!(Carried::decode(&world.verifier.carry().unwrap()).is_ok());
}
