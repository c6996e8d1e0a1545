//! One language of facts: every check, verdict, log and test speaks it.
//!
//! A fact has a name from one closed registry, an outcome, and a detail without personal data. A verdict is a list of facts, never one
//! boolean; "not checked" is its own answer and never counts as passed.

use std::fmt;
use std::str::FromStr;

macro_rules! registry {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        /// The closed registry of fact names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FactName { $($(#[$doc])* $variant),+ }

        impl FactName {
            /// Every name, in registry order.
            pub const ALL: &'static [FactName] = &[$(FactName::$variant),+];

            /// The name as it is written in verdicts, logs and tests, for example `chip.hashes`.
            pub const fn as_str(self) -> &'static str {
                match self { $(FactName::$variant => $text),+ }
            }
        }
    };
}

registry! {
    /// Data groups hash to the values in the SOD (ICAO 9303-11, 5.1).
    ChipHashes = "chip.hashes",
    /// The SOD's CMS signature is valid under its embedded signer certificate.
    ChipSignature = "chip.signature",
    /// The document signer chains to a trusted CSCA.
    ChipChain = "chip.chain",
    /// The document signer is not revoked.
    ChipRevocation = "chip.revocation",
    /// The chip holds the private key its DG15 names (Active Authentication).
    ChipGenuine = "chip.genuine",
    /// The strongest access protocol the chip advertises was the one used.
    ChipAccess = "chip.access",
    /// The request's signature is valid under its certificate.
    RequestSignature = "request.signature",
    /// The request's certificate comes from a listed reader authority.
    RequestChain = "request.chain",
    /// The request is fresh.
    RequestTime = "request.time",
    /// The request asks for nothing its role may not have.
    RequestRole = "request.role",
    /// The answer opens with the key of an open request, once.
    ExchangeNonce = "exchange.nonce",
    /// The answer names exactly the request that was shown.
    ExchangeRequest = "exchange.request",
    /// The answer is meant for this verifier.
    ExchangeAudience = "exchange.audience",
    /// The credential's signer is listed and chains to its issuer.
    CredentialChain = "credential.chain",
    /// The issuer's signature is valid.
    CredentialSignature = "credential.signature",
    /// Every disclosed value matches a signed digest.
    CredentialDigest = "credential.digest",
    /// The presenting device holds the credential's key.
    CredentialHolder = "credential.holder",
    /// The credential is inside its validity period.
    CredentialValidity = "credential.validity",
    /// The status entry says valid.
    CredentialStatus = "credential.status",
    /// The credential is of the type asked for.
    CredentialType = "credential.type",
    /// The status list is signed by a listed status signer.
    StatusSignature = "status.signature",
    /// The status list is young enough for the policy.
    StatusFreshness = "status.freshness",
    /// The trust metadata is signed by enough of its keys.
    TrustSignature = "trust.signature",
    /// The trust data is not older than what was seen before.
    TrustVersion = "trust.version",
    /// The trust data has not expired.
    TrustFreshness = "trust.freshness",
    /// Enough factors were proven for the account's level.
    AccountFactors = "account.factors",
    /// A person or a camera compared the face with a signed portrait.
    PortraitMatch = "portrait.match",
    /// The name agrees with the one on another paper, such as a boarding pass.
    NameMatch = "name.match",
    /// The device's clock agrees with the latest signed time.
    Clock = "clock",
}

impl fmt::Display for FactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such fact")]
pub struct UnknownFact;

impl FromStr for FactName {
    type Err = UnknownFact;

    fn from_str(text: &str) -> Result<Self, UnknownFact> {
        Self::ALL.iter().copied().find(|name| name.as_str() == text).ok_or(UnknownFact)
    }
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Checked and true.
    Passed,
    /// Checked and false.
    Failed,
    /// Could not be checked, or depends on something that failed.
    NotChecked,
}

impl Outcome {
    /// `passed`, `failed` or `not-checked`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotChecked => "not-checked",
        }
    }
}

/// Who found a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// The citizen's side.
    Wallet,
    /// The checker's side.
    Verifier,
    /// The central service.
    Central,
}

impl By {
    /// `wallet`, `verifier` or `central`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::Verifier => "verifier",
            Self::Central => "central",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    name: FactName,
    outcome: Outcome,
    caution: bool,
    by: By,
    about: String,
    detail: String,
    needed: bool,
}

impl Fact {
    fn new(name: FactName, outcome: Outcome, by: By, detail: String) -> Self {
        Self { name, outcome, caution: false, by, about: String::new(), detail, needed: true }
    }

    /// A check that held.
    pub fn passed(name: FactName, by: By) -> Self {
        Self::new(name, Outcome::Passed, by, String::new())
    }

    /// A check that did not hold. `detail` is safe text: static words, field ids, times, counts, certificate hashes.
    pub fn failed(name: FactName, by: By, detail: impl Into<String>) -> Self {
        Self::new(name, Outcome::Failed, by, detail.into())
    }

    /// A check that could not be made, and why.
    pub fn not_checked(name: FactName, by: By, detail: impl Into<String>) -> Self {
        Self::new(name, Outcome::NotChecked, by, detail.into())
    }

    /// What the fact is about: a document type id.
    pub fn about(mut self, what: &str) -> Self {
        what.clone_into(&mut self.about);
        self
    }

    /// Passed, but old or spelt differently: a person should look.
    pub fn with_caution(mut self, detail: impl Into<String>) -> Self {
        self.caution = true;
        self.detail = detail.into();
        self
    }

    /// Adds safe text for the person who reads the verdict.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Nobody needs this fact here: not-checked does not make the verdict amber.
    pub fn optional(mut self) -> Self {
        self.needed = false;
        self
    }

    /// The registry name.
    pub fn name(&self) -> FactName {
        self.name
    }

    /// What was found.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Passed with a reason to look closer.
    pub fn caution(&self) -> bool {
        self.caution
    }

    /// Who found it.
    pub fn by(&self) -> By {
        self.by
    }

    /// The document type id, or empty.
    pub fn subject(&self) -> &str {
        &self.about
    }

    /// Safe text.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Whether the policy needs this fact.
    pub fn is_needed(&self) -> bool {
        self.needed
    }
}

/// What a verdict comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Green: every needed fact passed, none with caution.
    Verified,
    /// Amber: the first needed fact that was not checked, or that carries a caution.
    Undetermined(FactName),
    /// Red: the first fact that failed.
    Rejected(FactName),
}

impl Conclusion {
    /// Exit code of every command: 0 verified, 1 rejected, 2 undetermined.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Verified => 0,
            Self::Rejected(_) => 1,
            Self::Undetermined(_) => 2,
        }
    }

    /// `green`, `amber` or `red`.
    pub const fn colour(self) -> &'static str {
        match self {
            Self::Verified => "green",
            Self::Rejected(_) => "red",
            Self::Undetermined(_) => "amber",
        }
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified => f.write_str("verified"),
            Self::Undetermined(name) => write!(f, "undetermined:{name}"),
            Self::Rejected(name) => write!(f, "rejected:{name}"),
        }
    }
}

/// A list of facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict(Vec<Fact>);

impl Verdict {
    /// Adds one fact.
    pub fn push(&mut self, fact: Fact) {
        self.0.push(fact);
    }

    /// Adds many facts.
    pub fn extend(&mut self, facts: impl IntoIterator<Item = Fact>) {
        self.0.extend(facts);
    }

    /// All facts, in the order they were found.
    pub fn facts(&self) -> &[Fact] {
        &self.0
    }

    /// The first fact of that name.
    pub fn get(&self, name: FactName) -> Option<&Fact> {
        self.0.iter().find(|fact| fact.name == name)
    }

    /// Names of the failed facts, in order.
    pub fn failed(&self) -> Vec<FactName> {
        self.0.iter().filter(|fact| fact.outcome == Outcome::Failed).map(Fact::name).collect()
    }

    /// Red with any failed fact; amber with a caution or a needed fact not checked; green otherwise. An empty verdict checked nothing,
    /// so it is amber, never green.
    pub fn conclusion(&self) -> Conclusion {
        if let Some(fact) = self.0.iter().find(|fact| fact.outcome == Outcome::Failed) {
            return Conclusion::Rejected(fact.name);
        }
        let open = |fact: &&Fact| fact.caution || (fact.needed && fact.outcome == Outcome::NotChecked);
        if let Some(fact) = self.0.iter().find(open) {
            return Conclusion::Undetermined(fact.name);
        }
        if self.0.iter().any(|fact| fact.outcome == Outcome::Passed) {
            Conclusion::Verified
        } else {
            Conclusion::Undetermined(FactName::CredentialSignature)
        }
    }
}

impl From<Vec<Fact>> for Verdict {
    fn from(facts: Vec<Fact>) -> Self {
        Self(facts)
    }
}

impl FromIterator<Fact> for Verdict {
    fn from_iter<I: IntoIterator<Item = Fact>>(facts: I) -> Self {
        Self(facts.into_iter().collect())
    }
}

/// Runs checks down a fixed ladder: when a rung fails, what comes after is not-checked, so that one fault shows as one failed fact.
#[derive(Debug)]
pub struct Ladder {
    by: By,
    about: String,
    broken: Option<FactName>,
    facts: Vec<Fact>,
}

impl Ladder {
    /// Starts a ladder about one document (or about nothing: an empty string).
    pub fn new(by: By, about: &str) -> Self {
        Self { by, about: about.to_owned(), broken: None, facts: Vec::new() }
    }

    /// Records one rung. `result` is only looked at while the ladder is whole. Returns whether the ladder is still whole.
    pub fn check<D: Into<String>>(&mut self, name: FactName, result: Result<(), D>) -> bool {
        let fact = match (self.broken, result) {
            (Some(cause), _) => Fact::not_checked(name, self.by, format!("depends on {cause}")),
            (None, Ok(())) => Fact::passed(name, self.by),
            (None, Err(detail)) => {
                self.broken = Some(name);
                Fact::failed(name, self.by, detail)
            }
        };
        self.facts.push(fact.about(&self.about));
        self.is_whole()
    }

    /// Records a rung that is worked out only while the ladder is whole.
    pub fn check_with<D: Into<String>>(&mut self, name: FactName, result: impl FnOnce() -> Result<(), D>) -> bool {
        if self.is_whole() { self.check(name, result()) } else { self.check::<String>(name, Ok(())) }
    }

    /// Records a ready-made fact that does not break the ladder (a caution, an optional fact).
    pub fn note(&mut self, fact: Fact) {
        let fact = match self.broken {
            Some(cause) => Fact { outcome: Outcome::NotChecked, caution: false, detail: format!("depends on {cause}"), ..fact },
            None => fact,
        };
        self.facts.push(fact.about(&self.about));
    }

    /// No rung has failed yet.
    pub fn is_whole(&self) -> bool {
        self.broken.is_none()
    }

    /// The facts, in order.
    pub fn into_facts(self) -> Vec<Fact> {
        self.facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for name in FactName::ALL {
            assert_eq!(name.as_str().parse(), Ok(*name));
        }
        assert_eq!("chip.hash".parse::<FactName>(), Err(UnknownFact));
    }

    #[test]
    fn one_fault_is_one_failed_fact() {
        let mut ladder = Ladder::new(By::Verifier, "driving-licence");
        assert!(ladder.check::<&str>(FactName::CredentialChain, Ok(())));
        assert!(!ladder.check(FactName::CredentialSignature, Err("bad")));
        assert!(!ladder.check(FactName::CredentialDigest, Err("would be a second fault")));
        ladder.note(Fact::passed(FactName::CredentialType, By::Verifier).with_caution("x"));
        let verdict = Verdict::from(ladder.into_facts());
        assert_eq!(verdict.failed(), [FactName::CredentialSignature]);
        assert_eq!(verdict.get(FactName::CredentialDigest).unwrap().outcome(), Outcome::NotChecked);
        assert_eq!(verdict.get(FactName::CredentialType).unwrap().outcome(), Outcome::NotChecked);
        assert_eq!(verdict.conclusion().to_string(), "rejected:credential.signature");
    }

    #[test]
    fn not_checked_never_passes() {
        assert_eq!(Verdict::default().conclusion().colour(), "amber");
        let pass = Fact::passed(FactName::CredentialStatus, By::Verifier);
        let open = Fact::not_checked(FactName::PortraitMatch, By::Verifier, "no signed portrait");
        let verdict: Verdict = [pass.clone(), open.clone()].into_iter().collect();
        assert_eq!(verdict.conclusion().to_string(), "undetermined:portrait.match");
        let verdict: Verdict = [pass.clone(), open.optional()].into_iter().collect();
        assert_eq!(verdict.conclusion(), Conclusion::Verified);
        let verdict: Verdict = [pass.with_caution("30 hours old")].into_iter().collect();
        assert_eq!(verdict.conclusion().exit_code(), 2);
    }
}
