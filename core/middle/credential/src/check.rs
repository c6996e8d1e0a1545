//! What every check needs to know, and how its facts are put in order.

use wallet_base::fact::{By, Fact, FactName, Ladder, Outcome};
use wallet_base::time::Timestamp;

use crate::status::{StatusCheck, StatusRef};
use crate::trust::IssuerTrust;

/// The type of document that is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedType {
    /// Our type id, for example `driving-licence`: what facts are about and what signers are listed for.
    pub id: String,
    /// What the format calls it: the mdoc doctype or the SD-CWT `vct`.
    pub name: String,
}

impl ExpectedType {
    /// An expected type.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into() }
    }
}

/// What a credential is judged against.
#[derive(Clone, Copy)]
pub struct Check<'a> {
    /// Whose signatures count.
    pub trust: &'a dyn IssuerTrust,
    /// Which type is expected.
    pub expected: &'a ExpectedType,
    /// The moment of the check.
    pub at: Timestamp,
    /// Clock difference tolerated for "not yet valid", in seconds. Ends are never extended.
    pub skew_secs: i64,
    /// Status lists at hand and how old they may be.
    pub status: StatusCheck<'a>,
    /// Who checks.
    pub by: By,
}

/// Signed times of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) signed: Option<Timestamp>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

impl Period {
    /// Whether `at` lies in the period; a credential without an end is refused.
    pub(crate) fn judge(&self, at: Timestamp, skew_secs: i64) -> Result<(), String> {
        let Some(until) = self.until else { return Err("no end of validity".to_owned()) };
        let latest_start = at.plus_secs(skew_secs);
        if let Some(from) = self.from {
            if until < from {
                return Err("ends before it begins".to_owned());
            }
            if latest_start < from {
                return Err(format!("not valid before {from}"));
            }
        }
        if let Some(signed) = self.signed
            && latest_start < signed
        {
            return Err(format!("signed in the future, {signed}"));
        }
        if at >= until {
            return Err(format!("expired {until}"));
        }
        Ok(())
    }
}

/// The facts that stand side by side after the ladder: validity, status freshness, status, type. None of them hides another.
pub(crate) fn side_by_side(
    ladder: &mut Ladder,
    check: &Check<'_>,
    validity: Result<Option<String>, String>,
    status: Option<&StatusRef>,
    actual_type: Option<&str>,
) {
    let by = check.by;
    ladder.note(match validity {
        Ok(None) => Fact::passed(FactName::CredentialValidity, by),
        Ok(Some(caution)) => Fact::passed(FactName::CredentialValidity, by).with_caution(caution),
        Err(why) => Fact::failed(FactName::CredentialValidity, by, why),
    });
    for fact in check.status.judge(status, check.at, check.skew_secs, by) {
        ladder.note(fact);
    }
    ladder.note(if actual_type == Some(check.expected.name.as_str()) {
        Fact::passed(FactName::CredentialType, by)
    } else {
        Fact::failed(FactName::CredentialType, by, "another type of document")
    });
}

/// The document type to look a signer up for. A credential of another type than expected is looked up for any type, so that the one thing
/// wrong with it, its type, is the one fact that fails.
pub(crate) fn listed_for<'a>(check: &Check<'a>, actual_type: Option<&str>) -> Option<&'a str> {
    (actual_type == Some(check.expected.name.as_str())).then_some(check.expected.id.as_str())
}

/// Whether facts allow the verified type: nothing failed, and the rungs named passed.
pub(crate) fn holds(facts: &[Fact], rungs: &[FactName]) -> bool {
    facts.iter().all(|fact| fact.outcome() != Outcome::Failed)
        && rungs.iter().all(|rung| facts.iter().any(|fact| fact.name() == *rung && fact.outcome() == Outcome::Passed))
}

/// The rungs every credential must stand on.
pub(crate) const RUNGS: [FactName; 4] =
    [FactName::CredentialChain, FactName::CredentialSignature, FactName::CredentialDigest, FactName::CredentialHolder];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_have_ends() {
        let at = Timestamp::from_unix(1_000);
        let period = |signed, from, until| Period {
            signed: Some(Timestamp::from_unix(signed)),
            from: Some(Timestamp::from_unix(from)),
            until: Some(Timestamp::from_unix(until)),
        };
        assert_eq!(period(900, 900, 1_001).judge(at, 0), Ok(()));
        assert!(period(900, 900, 1_000).judge(at, 60).is_err());
        assert_eq!(period(1_060, 1_060, 2_000).judge(at, 60), Ok(()));
        assert!(period(900, 1_061, 2_000).judge(at, 60).is_err());
        assert!(period(1_061, 900, 2_000).judge(at, 60).is_err());
        assert!(period(0, 3_000, 2_000).judge(at, 60).is_err());
        assert!(Period { signed: None, from: None, until: None }.judge(at, 60).is_err());
    }
}
