//! The words people read: one catalogue per language, flat, key to text.
//!
//! Both shells and the desktop render these; a key that is missing in a language is a failed test, not an empty screen.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The words of the core, and those of the apps' own screens (`app.<screen>.<what>`), which both shells use.
const VI: [&str; 2] = [include_str!("../catalogues/vi.json"), include_str!("../catalogues/app.vi.json")];
const EN: [&str; 2] = [include_str!("../catalogues/en.json"), include_str!("../catalogues/app.en.json")];

/// A language of the catalogues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Vietnamese.
    Vi,
    /// English.
    En,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Vi, Self::En];

    /// From a language tag such as `vi-VN`; anything that is not English is Vietnamese.
    pub fn from_tag(tag: &str) -> Self {
        if tag.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("en")) { Self::En } else { Self::Vi }
    }

    /// `vi` or `en`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }

    const fn sources(self) -> [&'static str; 2] {
        match self {
            Self::Vi => VI,
            Self::En => EN,
        }
    }

    /// The whole catalogue as one flat JSON object.
    pub fn json(self) -> String {
        serde_json::to_string(self.catalogue()).unwrap_or_default()
    }

    fn catalogue(self) -> &'static BTreeMap<String, String> {
        static CATALOGUES: [OnceLock<BTreeMap<String, String>>; 2] = [OnceLock::new(), OnceLock::new()];
        let [vi, en] = &CATALOGUES;
        let slot = if self == Self::Vi { vi } else { en };
        // A test reads both files; a broken file would show keys instead of words.
        slot.get_or_init(|| {
            let parsed = self.sources().map(|source| serde_json::from_str::<BTreeMap<String, String>>(source).unwrap_or_default());
            parsed.into_iter().flatten().collect()
        })
    }

    /// The text of a key.
    pub fn lookup(self, key: &str) -> Option<&'static str> {
        self.catalogue().get(key).map(String::as_str)
    }

    /// The text of a key, or the key itself.
    pub fn text(self, key: &str) -> String {
        self.lookup(key).unwrap_or(key).to_owned()
    }

    /// All keys, sorted.
    pub fn keys(self) -> impl Iterator<Item = &'static str> {
        self.catalogue().keys().map(String::as_str)
    }
}

/// Catalogue key of a fact's name.
pub fn fact_key(name: wallet_base::fact::FactName) -> String {
    format!("fact.{name}")
}

/// Catalogue key of what a prompt says when a document is about to be shown.
pub fn present_key(document: &str) -> String {
    format!("present.{document}")
}

/// Catalogue key of a purpose.
pub fn purpose_key(purpose: &str) -> String {
    format!("purpose.{purpose}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wallet_base::fact::FactName;

    use super::*;
    use crate::display::{Action, GROUPS, PROBLEM_IDS, VALUE_KEYS};
    use crate::roles::RoleTable;
    use crate::types::ALL;

    fn used() -> BTreeSet<String> {
        let mut keys: BTreeSet<String> = BTreeSet::new();
        for document in ALL {
            keys.insert(document.label.to_owned());
            keys.insert(present_key(document.id));
            keys.insert(format!("authority.{}", document.authority));
            keys.extend(document.fields.iter().map(|f| f.label.to_owned()));
        }
        keys.extend(GROUPS.iter().chain(VALUE_KEYS).map(|key| (*key).to_owned()));
        keys.extend(FactName::ALL.iter().map(|name| fact_key(*name)));
        keys.extend(PROBLEM_IDS.iter().map(|(id, _)| format!("problem.{id}")));
        for action in Action::ALL {
            keys.insert(format!("todo.{}", action.as_str()));
            keys.insert(format!("action.{}", action.as_str()));
        }
        for role in RoleTable::reference().unwrap().iter() {
            keys.extend(role.purposes().iter().map(|purpose| purpose_key(purpose)));
        }
        for word in
            ["outcome.passed", "outcome.failed", "outcome.not-checked", "outcome.caution", "verdict.green", "verdict.amber", "verdict.red"]
        {
            keys.insert(word.to_owned());
        }
        keys
    }

    #[test]
    fn both_catalogues_cover_every_key() {
        let (vi, en): (BTreeSet<_>, BTreeSet<_>) = (Language::Vi.keys().collect(), Language::En.keys().collect());
        assert!(!vi.is_empty());
        assert_eq!(vi.symmetric_difference(&en).collect::<Vec<_>>(), Vec::<&&str>::new());
        for key in used() {
            for language in Language::ALL {
                assert!(language.lookup(&key).is_some_and(|text| !text.trim().is_empty()), "{key} in {}", language.tag());
            }
        }
    }

    #[test]
    fn catalogues_are_flat_strict_and_safe() {
        for language in Language::ALL {
            let mut whole = 0;
            for source in language.sources() {
                let raw: serde_json::Map<String, serde_json::Value> = serde_json::from_str(source).unwrap();
                // A repeated key would be swallowed silently.
                assert_eq!(raw.len(), source.lines().filter(|line| line.contains("\": \"")).count());
                whole += raw.len();
                for (key, text) in raw {
                    assert!(wallet_base::text::safe_text(text.as_str().unwrap(), 400).is_some(), "{key}");
                }
            }
            assert_eq!(language.keys().count(), whole, "a key in both files");
        }
    }

    #[test]
    fn language_tags() {
        assert_eq!(Language::from_tag("en-GB"), Language::En);
        assert_eq!(Language::from_tag("vi-VN"), Language::Vi);
        assert_eq!(Language::from_tag("é"), Language::Vi);
        assert_eq!(Language::En.text("no.such.key"), "no.such.key");
    }
}
