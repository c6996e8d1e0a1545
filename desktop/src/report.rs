//! What a run of the demo found: steps with expected and real verdict, and the facts behind each. Serialises to the JSON that `demo --json` prints.
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wallet_base::fact::{By, Conclusion, Fact, Verdict};

/// One fact as it is printed: a name of the closed registry, a result, and where it comes from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FactLine {
    /// Name, for example `chip.hashes`.
    pub name: String,
    /// `passed`, `failed` or `not-checked`.
    pub result: String,
    /// Old but allowed, or spelled differently.
    pub caution: bool,
    /// `wallet`, `verifier` or `central`.
    pub by: String,
    /// What it is about, most often a document type.
    pub about: String,
    /// Text without personal data.
    pub detail: String,
    /// In the demo, where there are several: the device that found it, or `central`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub device: String,
}

impl From<&Fact> for FactLine {
    fn from(fact: &Fact) -> Self {
        Self {
            name: fact.name().as_str().to_owned(),
            result: fact.outcome().as_str().to_owned(),
            caution: fact.caution(),
            by: fact.by().as_str().to_owned(),
            about: fact.subject().to_owned(),
            detail: fact.detail().to_owned(),
            device: String::new(),
        }
    }
}

/// What a step found: its verdict in words and the facts.
#[derive(Debug, Clone)]
pub struct Finding {
    /// `verified`, `undetermined:<fact>` or `rejected:<fact>`.
    pub verdict: String,
    /// The facts behind it.
    pub facts: Vec<FactLine>,
}

impl Finding {
    /// A step that has nothing to judge and did its work.
    pub fn done() -> Self {
        Self { verdict: Conclusion::Verified.to_string(), facts: Vec::new() }
    }

    /// What `device` found or was told. Facts about no document are then about the device itself.
    #[must_use]
    pub fn on(mut self, device: &str) -> Self {
        for fact in &mut self.facts {
            let found_by = if fact.by == By::Central.as_str() { By::Central.as_str() } else { device };
            found_by.clone_into(&mut fact.device);
            if fact.about.is_empty() {
                device.clone_into(&mut fact.about);
            }
        }
        self
    }

    /// Puts several findings into one: the first rejection counts, then the first undetermined one.
    pub fn join(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut joined = Self::done();
        for part in parts {
            if rank(&part.verdict) > rank(&joined.verdict) {
                joined.verdict = part.verdict;
            }
            joined.facts.extend(part.facts);
        }
        joined
    }
}

fn rank(verdict: &str) -> u8 {
    match verdict.split(':').next() {
        Some("rejected") => 2,
        Some("undetermined") => 1,
        _ => 0,
    }
}

impl From<&Verdict> for Finding {
    fn from(verdict: &Verdict) -> Self {
        Self { verdict: verdict.conclusion().to_string(), facts: verdict.facts().iter().map(FactLine::from).collect() }
    }
}

/// One step of the demo.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    /// What was done.
    pub name: String,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// The verdict that the step has to end with.
    pub expected: String,
    /// The verdict that it ended with; `error: ...` when it could not be carried out.
    pub verdict: String,
    /// The facts behind the verdict.
    pub facts: Vec<FactLine>,
}

impl StepReport {
    /// Whether the step ended as expected. A rejection must rest on exactly the one expected fact.
    pub fn as_expected(&self) -> bool {
        if self.verdict != self.expected {
            return false;
        }
        let failed: BTreeSet<&str> = self.facts.iter().filter(|f| f.result == "failed").map(|f| f.name.as_str()).collect();
        match self.expected.strip_prefix("rejected:") {
            Some(fact) => failed.len() == 1 && failed.contains(fact),
            None => failed.is_empty(),
        }
    }
}

/// The whole run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Steps in the order in which they were done.
    pub steps: Vec<StepReport>,
    /// Every step ended as expected, and none is missing.
    pub ok: bool,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use wallet_base::fact::FactName;

    use super::*;

    fn step(expected: &str, facts: Vec<Fact>) -> StepReport {
        let finding = Finding::from(&Verdict::from(facts));
        StepReport { name: "s".into(), millis: 1, expected: expected.into(), verdict: finding.verdict, facts: finding.facts }
    }

    #[test]
    fn a_rejection_rests_on_exactly_the_expected_fact() {
        let chain = || Fact::failed(FactName::ChipChain, By::Wallet, "");
        assert!(step("rejected:chip.chain", vec![chain()]).as_expected());
        assert!(!step("rejected:chip.chain", vec![chain(), Fact::failed(FactName::ChipGenuine, By::Wallet, "")]).as_expected());
        assert!(!step("rejected:chip.genuine", vec![chain()]).as_expected());
        assert!(!step("verified", vec![chain()]).as_expected());
        assert!(step("verified", vec![Fact::passed(FactName::ChipChain, By::Wallet)]).as_expected());
    }

    #[test]
    fn joined_findings_keep_the_worst_verdict() {
        let bad = Finding::from(&Verdict::from(vec![Fact::failed(FactName::ChipChain, By::Wallet, "")]));
        let open = Finding::from(&Verdict::from(vec![Fact::not_checked(FactName::PortraitMatch, By::Verifier, "")]));
        let joined = Finding::join([Finding::done(), open, bad]);
        assert_eq!((joined.verdict.as_str(), joined.facts.len()), ("rejected:chip.chain", 2));
    }
}
