//! What a check gives: a verdict and what may be shown. Values leave only as display models; a shell cannot change a verdict.

use std::sync::Mutex;

use wallet_base::fact::{By, Fact, FactName, Verdict};
use wallet_base::time::Timestamp;
use wallet_documents::display::{DisplayItem, DisplayModel, ItemRole};

use crate::error::VerifierError;
use crate::sync::{ListDates, TrustDates};
use crate::trust::Trust;
use crate::verifier::lock;

/// The outcome of one check. Lives in memory only; nothing of it is stored.
pub struct CheckResult {
    document: String,
    verdict: Mutex<Verdict>,
    display: Option<DisplayModel>,
    asked: Vec<String>,
    trust: TrustDates,
    list: Option<ListDates>,
    checked_at: Timestamp,
}

impl std::fmt::Debug for CheckResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckResult").field("conclusion", &self.verdict().conclusion()).finish_non_exhaustive()
    }
}

/// The parts of a result, before it is one.
pub(crate) struct Parts {
    pub(crate) document: String,
    pub(crate) verdict: Verdict,
    pub(crate) display: Option<DisplayModel>,
    pub(crate) asked: Vec<String>,
    pub(crate) trust: TrustDates,
    pub(crate) list: Option<ListDates>,
    pub(crate) checked_at: Timestamp,
}

impl Parts {
    /// A verdict before anything was verified: nothing to show.
    pub(crate) fn red(document: &str, facts: Vec<Fact>, trust: &Trust, now: Timestamp) -> Self {
        Self {
            document: document.to_owned(),
            verdict: Verdict::from(facts),
            display: None,
            asked: Vec::new(),
            trust: trust.dates(),
            list: None,
            checked_at: now,
        }
    }
}

impl From<Parts> for CheckResult {
    fn from(parts: Parts) -> Self {
        let Parts { document, verdict, display, asked, trust, list, checked_at } = parts;
        Self { document, verdict: Mutex::new(verdict), display, asked, trust, list, checked_at }
    }
}

impl CheckResult {
    /// Document type id that was asked for; empty when the answer opened with no request of this device.
    pub fn document(&self) -> &str {
        &self.document
    }

    /// All facts, as of now: [`Self::confirm_face`] changes one.
    pub fn verdict(&self) -> Verdict {
        lock(&self.verdict).clone()
    }

    /// Verified values among those asked for, ready to show; `None` with a red verdict.
    pub fn display(&self) -> Option<&DisplayModel> {
        self.display.as_ref()
    }

    /// Field ids that were asked for and that the citizen did not show.
    pub fn withheld(&self) -> Vec<&str> {
        let shown: Vec<&str> = self.items().map(|item| item.field.as_ref()).collect();
        self.asked.iter().map(String::as_str).filter(|asked| !shown.contains(asked)).collect()
    }

    /// When the status list that was used was signed.
    pub fn status_issued_at(&self) -> Option<Timestamp> {
        self.list.as_ref().map(|list| list.issued_at)
    }

    /// The status list that was used, with its dates.
    pub fn status_list(&self) -> Option<&ListDates> {
        self.list.as_ref()
    }

    /// Dates of the trust data that was used.
    pub fn trust(&self) -> TrustDates {
        self.trust
    }

    /// When the check was made.
    pub fn checked_at(&self) -> Timestamp {
        self.checked_at
    }

    /// Whether a signed portrait was disclosed, so that the face can be compared.
    pub fn has_portrait(&self) -> bool {
        self.items().any(|item| item.role == ItemRole::Portrait)
    }

    /// A person compared the face with the signed portrait and says whether it is the same. The last word counts.
    ///
    /// [`VerifierError::NoPortrait`] when there is none: without a signed portrait nobody can confirm anything.
    pub fn confirm_face(&self, same: bool) -> Result<Verdict, VerifierError> {
        if !self.has_portrait() {
            return Err(VerifierError::NoPortrait);
        }
        let fact = if same {
            Fact::passed(FactName::PortraitMatch, By::Verifier).with_detail("a person compared the face")
        } else {
            Fact::failed(FactName::PortraitMatch, By::Verifier, "a person says that the face is another")
        };
        let mut verdict = lock(&self.verdict);
        let others = verdict.facts().iter().filter(|f| f.name() != FactName::PortraitMatch).cloned();
        let mut facts: Vec<Fact> = others.collect();
        facts.push(fact.about(&self.document));
        *verdict = Verdict::from(facts);
        Ok(verdict.clone())
    }

    fn items(&self) -> impl Iterator<Item = &DisplayItem> {
        self.display.iter().flat_map(|model| &model.groups).flat_map(|group| &group.items)
    }
}

/// The fact `portrait.match` before anybody looked. A device is not a person (DESIGN section 7).
pub(crate) fn portrait_fact(signed_portrait: bool, needed: bool, about: &str) -> Fact {
    let detail = match (signed_portrait, needed) {
        (true, _) => "compare the face",
        (false, true) => "no signed portrait",
        (false, false) => "not demanded for this role",
    };
    let fact = Fact::not_checked(FactName::PortraitMatch, By::Verifier, detail).about(about);
    if needed { fact } else { fact.optional() }
}
