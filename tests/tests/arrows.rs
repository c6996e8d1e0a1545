//! The arrows of ARCHITECTURE.md are law. What a crate may import is written here once and compared with what Cargo resolves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Which of our crates each crate may name in its dependencies. `tests` and the fuzzed parsers may name all.
const ARROWS: &[(&str, &[&str])] = &[
    ("wallet-base", &[]),
    ("wallet-platform", &["wallet-base"]),
    // SQLCipher's cryptography; only `libsqlite3-sys` names it (ADR 15).
    ("openssl-sys", &[]),
    ("wallet-chip", &["wallet-base"]),
    ("wallet-credential", &["wallet-base"]),
    ("wallet-exchange", &["wallet-base", "wallet-credential"]),
    ("wallet-documents", &["wallet-base", "wallet-credential"]),
    ("wallet-core", &["wallet-base", "wallet-platform", "wallet-chip", "wallet-credential", "wallet-exchange", "wallet-documents"]),
    ("wallet-verifier", &["wallet-base", "wallet-platform", "wallet-chip", "wallet-credential", "wallet-exchange", "wallet-documents"]),
    (
        "wallet-bindings",
        &[
            "wallet-core",
            "wallet-verifier",
            "wallet-base",
            "wallet-platform",
            "wallet-chip",
            "wallet-credential",
            "wallet-exchange",
            "wallet-documents",
        ],
    ),
    ("wallet-central", &["wallet-base", "wallet-chip", "wallet-credential", "wallet-exchange", "wallet-documents", "wallet-verifier"]),
    ("wallet-card-sim", &["wallet-base", "wallet-chip"]),
    (
        "citizen-wallet",
        &[
            "wallet-bindings",
            "wallet-central",
            "wallet-card-sim",
            "wallet-base",
            "wallet-chip",
            "wallet-credential",
            "wallet-exchange",
            "wallet-documents",
            "wallet-platform",
        ],
    ),
];

fn metadata() -> Metadata {
    MetadataCommand::new().manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")).exec().expect("cargo metadata")
}

/// Names of the dependencies that end up in a build of the crate. Development dependencies never reach a product.
fn product_dependencies(package: &Package) -> BTreeSet<String> {
    package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development).map(|d| d.name.clone()).collect()
}

/// Every forbidden arrow in a set of (crate, dependencies).
fn violations(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let ours: BTreeSet<&str> = graph.keys().map(String::as_str).collect();
    let mut found = Vec::new();
    for (package, dependencies) in graph {
        if package == "wallet-tests" || package == "wallet-parsers" {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| name == package) else {
            found.push(format!("{package} has no line in ARROWS"));
            continue;
        };
        for dependency in dependencies.iter().filter(|d| ours.contains(d.as_str())) {
            if !allowed.contains(&dependency.as_str()) {
                found.push(format!("{package} -> {dependency}"));
            }
        }
        if dependencies.contains("uniffi") && package != "wallet-bindings" {
            found.push(format!("{package} -> uniffi"));
        }
    }
    found
}

fn graph() -> BTreeMap<String, BTreeSet<String>> {
    metadata().workspace_packages().iter().map(|p| (p.name.to_string(), product_dependencies(p))).collect()
}

#[test]
fn nothing_else_may_be_imported() {
    assert_eq!(violations(&graph()), Vec::<String>::new());
}

#[test]
fn a_forbidden_arrow_is_found() {
    let mut graph = graph();
    graph.get_mut("wallet-chip").unwrap().insert("wallet-platform".into());
    graph.get_mut("wallet-core").unwrap().insert("wallet-verifier".into());
    graph.get_mut("wallet-exchange").unwrap().insert("uniffi".into());
    assert_eq!(
        violations(&graph),
        ["wallet-chip -> wallet-platform", "wallet-core -> wallet-verifier", "wallet-exchange -> uniffi"],
        "the test must be able to fail"
    );
}

#[test]
fn the_phones_library_holds_no_simulator_no_service_and_no_recorder() {
    let metadata = metadata();
    let nodes: BTreeMap<_, _> = metadata.resolve.as_ref().unwrap().nodes.iter().map(|n| (&n.id, n)).collect();
    let bindings = metadata.packages.iter().find(|p| p.name.as_str() == "wallet-bindings").unwrap();
    let (mut todo, mut seen) = (vec![&bindings.id], BTreeSet::new());
    while let Some(id) = todo.pop() {
        if !seen.insert(id) {
            continue;
        }
        let normal = |d: &&cargo_metadata::NodeDep| d.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development);
        todo.extend(nodes[id].deps.iter().filter(normal).map(|d| &d.pkg));
    }
    let names: BTreeSet<&str> = metadata.packages.iter().filter(|p| seen.contains(&p.id)).map(|p| p.name.as_str()).collect();
    for forbidden in ["wallet-card-sim", "wallet-central", "citizen-wallet", "axum"] {
        assert!(!names.contains(forbidden), "{forbidden} reaches the phone's library");
    }
    assert!(!bindings.features.get("default").is_some_and(|f| f.iter().any(|f| f == "record")), "`record` must be asked for");
}

/// Every Rust file below a folder with its text.
fn sources(folder: &Path, out: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push((path.to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The names of the demo's attacks that stand in a product source: what follows `#[cfg(test)]` and files of tests do not reach a product.
/// What of a source reaches a product.
fn product_part(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// The attacks by name, as the command line tells them apart. Names of one word (`nonce`, `expired`) are words of the standards as well.
fn attacks() -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../desktop/src/cli.rs")).unwrap();
    let variants = text.split("pub enum Tamper {").nth(1).and_then(|rest| rest.split('}').next()).unwrap();
    let names = variants.lines().map(str::trim).filter(|line| !line.starts_with("//")).filter_map(|line| line.strip_suffix(','));
    let kebab = |name: &str| -> String {
        let dashed = name.chars().enumerate().flat_map(|(at, c)| {
            let dash = (at > 0 && c.is_uppercase()).then_some('-');
            dash.into_iter().chain(c.to_lowercase())
        });
        dashed.collect()
    };
    names.map(kebab).filter(|name| name.contains('-')).collect()
}

/// Features that a source may ask for: which library verifies, whether pixels are decoded, and what only the desktop has.
const FEATURES: [&str; 4] = ["aws-lc", "decode", "record", "software"];

/// Every way in which a source of a product could learn that it is attacked: an attack's name, the environment or the command line of the process
/// it runs in, a kind of build that is not one of the four features. What is left is what reaches anybody: arguments and messages.
fn could_know(path: &str, text: &str, attacks: &[String]) -> Vec<String> {
    if path.contains("/tests") || path.ends_with("tests.rs") {
        return Vec::new();
    }
    let product = product_part(text);
    let words = ["--tamper", "citizen_wallet", "std::env", "env::var", "env::args", "option_env!", "/proc/self", "debug_assertions"];
    let named = words.iter().map(|word| (*word).to_owned()).chain(attacks.iter().cloned()).filter(|word| product.contains(word));
    let builds = product.split("feature = \"").skip(1).filter_map(|rest| rest.split('"').next());
    named.chain(builds.filter(|name| !FEATURES.contains(name)).map(|name| format!("feature {name}"))).collect()
}

#[test]
fn engines_and_services_know_nothing_of_the_attacks() {
    let mut files = Vec::new();
    for folder in ["core", "bindings", "central"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder), &mut files);
    }
    assert!(files.len() > 100, "found {}", files.len());
    let attacks = attacks();
    assert!(attacks.len() >= 11 && attacks.contains(&"trust-rollback".to_owned()), "{attacks:?}");
    for (path, text) in &files {
        assert_eq!(could_know(path, text, &attacks), Vec::<String>::new(), "{path}");
    }
    for planted in [
        "// for --tamper nonce",
        "if how == \"sod-signer\" {}",
        "std::env::var(\"X\")",
        "#[cfg(feature = \"attack\")]",
        "cfg!(debug_assertions)",
    ] {
        assert_eq!(
            could_know("core/x.rs", planted, &attacks).len(),
            1 + usize::from(planted.contains("env::var")),
            "the test must be able to fail: {planted}"
        );
    }
}

#[test]
fn attackers_tools_are_in_no_product() {
    // The card forger is a part of the simulator; nothing but the desktop and tests may depend on that (see the arrows), and only attacks use it.
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../desktop/src"), &mut files);
    let attackers = ["wallet_card_sim::{CardProfile, forge}", "forge::", "SoftwareKey::generate", "set_intruder"];
    for (path, text) in files {
        let own = path.contains("/attacks/") || path.contains("/relay/");
        let used: Vec<_> = attackers.iter().filter(|word| product_part(&text).contains(**word)).collect();
        assert!(own || used.is_empty(), "{path} uses {used:?}");
    }
}
