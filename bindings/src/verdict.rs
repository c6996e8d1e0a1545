//! Verdicts at the border.

use wallet_base::fact::{Fact, Verdict};

use crate::display::DisplayView;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FactView {
    /// Registry name, for example `credential.digest`.
    pub name: String,
    /// `passed`, `failed` or `not-checked`.
    pub result: String,
    /// Passed with a reason to look closer.
    pub caution: bool,
    /// Who found it: `wallet`, `verifier` or `central`.
    pub by: String,
    /// The document type id, or empty.
    pub about: String,
    /// Safe text without personal data.
    pub detail: String,
}

impl From<&Fact> for FactView {
    fn from(fact: &Fact) -> Self {
        Self {
            name: fact.name().as_str().to_owned(),
            result: fact.outcome().as_str().to_owned(),
            caution: fact.caution(),
            by: fact.by().as_str().to_owned(),
            about: fact.subject().to_owned(),
            detail: fact.detail().to_owned(),
        }
    }
}

/// All findings of one act and what they come to.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct VerdictView {
    /// `verified`, `undetermined:<fact>` or `rejected:<fact>`.
    pub conclusion: String,
    /// `green`, `amber` or `red`.
    pub colour: String,
    /// In the order they were found.
    pub facts: Vec<FactView>,
    /// As it is shown: the word of the colour, what speaks against it first.
    pub display: DisplayView,
}

impl From<&Verdict> for VerdictView {
    fn from(verdict: &Verdict) -> Self {
        let conclusion = verdict.conclusion();
        Self {
            conclusion: conclusion.to_string(),
            colour: conclusion.colour().to_owned(),
            facts: verdict.facts().iter().map(FactView::from).collect(),
            display: DisplayView::from(&wallet_documents::display::verdict(verdict)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wallet_base::fact::{By, FactName};

    #[test]
    fn a_verdict_keeps_its_colour_and_order() {
        let verdict = Verdict::from(vec![
            Fact::passed(FactName::CredentialSignature, By::Verifier).about("driving-licence"),
            Fact::not_checked(FactName::PortraitMatch, By::Verifier, "no signed portrait"),
        ]);
        let view = VerdictView::from(&verdict);
        assert_eq!((view.conclusion.as_str(), view.colour.as_str()), ("undetermined:portrait.match", "amber"));
        assert_eq!(view.facts.len(), 2);
        assert_eq!(view.facts.first().map(|f| (f.name.as_str(), f.result.as_str())), Some(("credential.signature", "passed")));
    }
}
