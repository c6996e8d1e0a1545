//! Every catalogue key that the core writes down is in the catalogues, in both languages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;

use wallet_base::fact::FactName;
use wallet_documents::words::Language;

/// First parts of keys that are the core's own.
const FAMILIES: [&str; 15] = [
    "label", "title", "group", "problem", "todo", "action", "state", "consent", "change", "step", "alarm", "outcome", "verdict", "value",
    "warning",
];

fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.to_string_lossy().contains("display") && path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn keys_in_display_models_are_in_both_catalogues() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core");
    let mut files = Vec::new();
    for folder in ["middle/documents/src", "top/wallet/src", "top/verifier/src"] {
        sources(&core.join(folder), &mut files);
    }
    let mut keys = BTreeSet::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        for literal in text.split('"').skip(1).step_by(2) {
            let sound = literal.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '.' | '-' | '_'));
            let family = literal.split_once('.').is_some_and(|(first, rest)| FAMILIES.contains(&first) && !rest.is_empty());
            if sound && family {
                keys.insert(literal.to_owned());
            }
        }
    }
    assert!(files.len() >= 6 && keys.len() >= 50, "{} files, {} keys", files.len(), keys.len());
    // Those that are put together.
    keys.extend(FactName::ALL.iter().flat_map(|name| [format!("alarm.{name}"), format!("fact.{name}")]));
    for (family, words) in [
        ("state", &["requested", "not-found", "issued", "out-of-date", "suspended", "ended"][..]),
        ("consent", &["shown", "declined", "failed", "open"]),
        ("change", &["issued", "suspended", "reinstated", "revoked", "changed", "device-replaced"]),
        ("step", &["activation.card", "activation.code", "activation.face", "activation.account"]),
        ("step", &["card.hold", "card.open", "card.data", "card.proof"]),
    ] {
        keys.extend(words.iter().map(|word| format!("{family}.{word}")));
    }
    let missing: Vec<String> = keys
        .iter()
        .flat_map(|key| Language::ALL.map(|language| (key, language)))
        .filter(|(key, language)| language.lookup(key).is_none())
        .map(|(key, language)| format!("{key} ({})", language.tag()))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}
