//! A repository made by TUF's reference implementation (`tests/data/tuf-reference`, see its README): accepted as it is, refused with one
//! byte changed in any file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wallet_base::fact::{By, Outcome};
use wallet_base::time::Timestamp;

use super::updates::{PASSED, outcomes};
use crate::tuf::{DirectorySource, TrustConfig, TrustError, TrustUpdate, TrustUpdater};

const MADE: &str = "2026-11-21T22:45:53Z";

fn reference() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tuf-reference")
}

fn update(repository: &Path, days: i64) -> Result<TrustUpdate, TrustError> {
    let state = tempfile::tempdir().unwrap();
    let root = std::fs::read(reference().join("metadata/1.root.json")).unwrap();
    let updater = TrustUpdater::new(TrustConfig { root, floor: 0, directory: state.path().to_owned(), by: By::Verifier })?;
    let now = Timestamp::parse_rfc3339(MADE).unwrap().plus_secs(days * 86_400);
    updater.update_from(Arc::new(DirectorySource::new(repository)), now, &|_| true)
}

#[test]
fn a_repository_of_the_reference_implementation_is_accepted() {
    let found = update(&reference(), 1).unwrap();
    assert_eq!(outcomes(&found), PASSED);
    let snapshot = found.accepted.unwrap();
    assert_eq!((snapshot.root_version(), snapshot.version()), (2, 2));
    assert_eq!(snapshot.target("issuers.json"), Some(b"{\"version\":2}".as_slice()));
    assert_eq!(snapshot.target("readers.json"), Some(b"{}".as_slice()));
    assert_eq!(snapshot.signed_at(), Timestamp::parse_rfc3339(MADE));
    assert_eq!(outcomes(&update(&reference(), 30).unwrap()), [Outcome::Passed, Outcome::Passed, Outcome::Failed]);
}

#[test]
fn one_changed_byte_in_any_of_its_files_is_refused() {
    let used =
        ["metadata/2.root.json", "metadata/timestamp.json", "metadata/2.snapshot.json", "metadata/2.targets.json"].map(str::to_owned);
    let targets = std::fs::read_dir(reference().join("targets")).unwrap().flatten();
    let targets = targets.map(|e| format!("targets/{}", e.file_name().into_string().unwrap())).filter(|n| !n.contains("/2430f1a2"));
    for file in used.into_iter().chain(targets) {
        let copy = tempfile::tempdir().unwrap();
        for folder in ["metadata", "targets"] {
            std::fs::create_dir(copy.path().join(folder)).unwrap();
            for entry in std::fs::read_dir(reference().join(folder)).unwrap().flatten() {
                std::fs::copy(entry.path(), copy.path().join(folder).join(entry.file_name())).unwrap();
            }
        }
        let path = copy.path().join(&file);
        let mut bytes = std::fs::read(&path).unwrap();
        // The last digit of the file: in a version, a date or a hash of the signed part, or in a target.
        let at = bytes.iter().rposition(u8::is_ascii_digit).unwrap_or(0);
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let found = update(copy.path(), 1).unwrap();
        assert_eq!(outcomes(&found), [Outcome::Failed, Outcome::NotChecked, Outcome::NotChecked], "{file}");
        assert!(found.accepted.is_none());
    }
}
