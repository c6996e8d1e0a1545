//! A verdict as a display model: the word of its colour, then the facts, what speaks against it first.

use wallet_base::fact::{Fact, Outcome, Verdict};

use super::{DisplayGroup, DisplayItem, DisplayModel, ItemRole, Key};
use crate::words::fact_key;

/// The groups of a verdict, in the order of display.
pub(crate) const GROUPS: [&str; 4] = ["group.facts.failed", "group.facts.open", "group.facts.caution", "group.facts.passed"];

/// The model of a verdict. Its id is the colour: `green`, `amber` or `red`. A fact that was found several times with one outcome (for many copies
/// of a document) is shown once.
pub fn verdict(verdict: &Verdict) -> DisplayModel {
    let colour = verdict.conclusion().colour();
    let group = |title| {
        let mut items: Vec<DisplayItem> = Vec::new();
        for fact in verdict.facts().iter().filter(|fact| group_of(fact) == title) {
            let item = item(fact);
            if !items.contains(&item) {
                items.push(item);
            }
        }
        DisplayGroup::new(title, items)
    };
    DisplayModel::new(colour, format!("verdict.{colour}"), GROUPS.into_iter().map(group).collect())
}

fn group_of(fact: &Fact) -> &'static str {
    let [failed, open, caution, passed] = GROUPS;
    match fact.outcome() {
        Outcome::Failed => failed,
        Outcome::NotChecked => open,
        Outcome::Passed if fact.caution() => caution,
        Outcome::Passed => passed,
    }
}

fn item(fact: &Fact) -> DisplayItem {
    let outcome = if fact.caution() { "caution" } else { fact.outcome().as_str() };
    let item = DisplayItem::key(fact_key(fact.name()), Key::Owned(format!("outcome.{outcome}"))).named(fact.name().as_str());
    item.with(if fact.outcome() == Outcome::Failed { ItemRole::Warning } else { ItemRole::Plain })
}

#[cfg(test)]
mod tests {
    use wallet_base::fact::{By, FactName};

    use super::*;

    #[test]
    fn what_speaks_against_comes_first_and_the_same_is_said_once() {
        let passed = || Fact::passed(FactName::CredentialSignature, By::Verifier);
        let facts = vec![
            passed(),
            passed(),
            Fact::not_checked(FactName::PortraitMatch, By::Verifier, "no signed portrait"),
            Fact::failed(FactName::CredentialStatus, By::Verifier, "suspended"),
        ];
        let model = verdict(&Verdict::from(facts));
        assert_eq!((model.id.as_ref(), model.title.as_ref()), ("red", "verdict.red"));
        assert_eq!(model.groups.iter().map(|g| g.title.as_ref()).collect::<Vec<_>>(), [GROUPS[0], GROUPS[1], GROUPS[3]]);
        assert_eq!(model.groups[0].items[0].role, ItemRole::Warning);
        assert_eq!(model.groups[2].items.len(), 1);
    }
}
