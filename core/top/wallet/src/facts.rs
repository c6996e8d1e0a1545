//! Facts as JSON: how they are kept with an activation and how the central service sends them.

use serde_json::{Value, json};
use wallet_base::fact::{By, Fact, FactName, Outcome};
use wallet_base::text::safe_text;

/// Facts one message or row may hold.
const MAX_FACTS: usize = 64;

/// `[{"name","result","caution","by","about","detail","needed"}]`.
pub(crate) fn to_json(facts: &[Fact]) -> String {
    let list: Vec<Value> = facts
        .iter()
        .map(|fact| {
            json!({
                "name": fact.name().as_str(), "result": fact.outcome().as_str(), "caution": fact.caution(), "by": fact.by().as_str(),
                "about": fact.subject(), "detail": fact.detail(), "needed": fact.is_needed(),
            })
        })
        .collect();
    Value::Array(list).to_string()
}

/// Facts the service found. Whoever it says found them, they count as central's; a detail that is not safe text is dropped; a list with an
/// unknown name or result is refused whole, since a fact that cannot be read must not vanish.
pub(crate) fn from_service(list: &Value) -> Option<Vec<Fact>> {
    read(list, Some(By::Central))
}

/// Facts out of the wallet's own store.
pub(crate) fn from_json(text: &str) -> Option<Vec<Fact>> {
    read(&serde_json::from_str(text).ok()?, None)
}

fn read(list: &Value, by: Option<By>) -> Option<Vec<Fact>> {
    let list = list.as_array().filter(|list| list.len() <= MAX_FACTS)?;
    list.iter().map(|item| one(item, by)).collect()
}

fn one(item: &Value, by: Option<By>) -> Option<Fact> {
    let word = |name: &str| item.get(name).and_then(Value::as_str);
    let name: FactName = word("name")?.parse().ok()?;
    let by = match by {
        Some(by) => by,
        None => [By::Wallet, By::Verifier, By::Central].into_iter().find(|by| Some(by.as_str()) == word("by"))?,
    };
    let detail = word("detail").and_then(|text| safe_text(text, 300)).unwrap_or_default();
    let caution = item.get("caution").and_then(Value::as_bool).unwrap_or(false);
    let outcome = [Outcome::Passed, Outcome::Failed, Outcome::NotChecked].into_iter().find(|o| Some(o.as_str()) == word("result"))?;
    let mut fact = match outcome {
        Outcome::Passed if caution => Fact::passed(name, by).with_caution(detail),
        Outcome::Passed => Fact::passed(name, by).with_detail(detail),
        Outcome::Failed => Fact::failed(name, by, detail),
        Outcome::NotChecked => Fact::not_checked(name, by, detail),
    };
    if let Some(about) = word("about").and_then(|text| safe_text(text, 64)) {
        fact = fact.about(&about);
    }
    if item.get("needed").and_then(Value::as_bool) == Some(false) {
        fact = fact.optional();
    }
    Some(fact)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn facts_survive_the_store() {
        let facts = vec![
            Fact::passed(FactName::ChipHashes, By::Wallet).about("citizen-identity"),
            Fact::failed(FactName::ChipChain, By::Central, "unknown"),
            Fact::not_checked(FactName::Clock, By::Wallet, "no anchor").optional(),
            Fact::passed(FactName::TrustFreshness, By::Wallet).with_caution("old"),
        ];
        assert_eq!(from_json(&to_json(&facts)).unwrap(), facts);
    }

    #[test]
    fn the_service_speaks_for_itself_only_and_in_known_words() {
        let said = json!([{"name": "chip.hashes", "result": "passed", "by": "wallet"}]);
        assert_eq!(from_service(&said).unwrap()[0].by(), By::Central);
        assert!(from_service(&json!([{"name": "chip.hashes", "result": "ok"}])).is_none());
        assert!(from_service(&json!([{"name": "chip.everything", "result": "passed"}])).is_none());
        assert!(from_service(&json!({"name": "chip.hashes"})).is_none());
    }
}
