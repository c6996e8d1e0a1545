//! The desktop goes through the exported border like a phone; only its tools and its attackers may know the crates below.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

const BELOW: [&str; 7] =
    ["wallet_chip", "wallet_credential", "wallet_exchange", "wallet_documents", "wallet_platform", "wallet_core", "wallet_verifier"];

/// For nobody here, tools and attackers included.
const TOP: [&str; 2] = ["wallet_core", "wallet_verifier"];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Crates below the border that a source names although its place in the program does not allow it.
fn forbidden(relative: &Path, text: &str) -> Vec<&'static str> {
    let allowed = relative.starts_with("tools") || relative.starts_with("attacks");
    BELOW.into_iter().filter(|name| text.contains(name) && (!allowed || TOP.contains(name))).collect()
}

#[test]
fn only_tools_and_attacks_reach_below_the_border() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20, "found {}", files.len());
    for file in files {
        let relative = file.strip_prefix(&root).unwrap();
        let named = forbidden(relative, &std::fs::read_to_string(&file).unwrap());
        assert!(named.is_empty(), "{} names {named:?}", relative.display());
    }
}

#[test]
fn the_rule_can_be_broken_and_is_then_found() {
    assert_eq!(forbidden(Path::new("demo/steps.rs"), "use wallet_chip::Reader;"), ["wallet_chip"]);
    assert_eq!(forbidden(Path::new("attacks/mod.rs"), "use wallet_chip::Reader; use wallet_core::Wallet;"), ["wallet_core"]);
}
