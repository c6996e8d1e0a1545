//! Checking an answer: the whole ladder, from "does it open" to "is it the person".

use std::sync::{Arc, Mutex};

use wallet_base::fact::{By, Fact, FactName, Outcome, Verdict};
use wallet_base::time::Timestamp;
use wallet_credential::sd_cwt::VerifiedSdCwt;
use wallet_credential::sd_cwt::kbt::{Expectation, Mode, UnverifiedKbt};
use wallet_credential::status::{FreshnessPolicy, StatusCheck, StatusLookup, UnverifiedStatusList, VerifiedStatusList};
use wallet_credential::{Check, ExpectedType};
use wallet_documents::display::display;
use wallet_documents::name_match::match_boarding_name;
use wallet_documents::{Attributes, Role};
use wallet_exchange::ExchangeError;
use wallet_exchange::answer::read_envelope;
use wallet_exchange::code_points::CLOCK_SKEW;
use wallet_platform::ports::Clock;
use zeroize::Zeroizing;

use crate::ask::OpenAsk;
use crate::error::VerifierError;
use crate::result::{CheckResult, Parts, portrait_fact};
use crate::rows;
use crate::sync::ListDates;
use crate::trust::Trust;
use crate::verifier::{Verifier, lock};

/// The ladder of an answer in order, for saying of each rung that it was not reached.
const RUNGS: [FactName; 11] = [
    FactName::ExchangeNonce,
    FactName::ExchangeRequest,
    FactName::ExchangeAudience,
    FactName::CredentialChain,
    FactName::CredentialSignature,
    FactName::CredentialDigest,
    FactName::CredentialHolder,
    FactName::CredentialValidity,
    FactName::StatusFreshness,
    FactName::CredentialStatus,
    FactName::CredentialType,
];

/// What an answer's text came to.
enum Opened {
    /// It opened with the key of this request, which is closed now.
    Token(OpenAsk, Zeroizing<Vec<u8>>),
    /// It opened, but what is in it is no token.
    Nonsense(OpenAsk),
    /// No open request of this device takes it.
    Refused(&'static str),
}

/// What the ladder is judged with.
struct Judging<'a> {
    trust: &'a Trust,
    role: &'a Role,
    now: Timestamp,
}

impl Verifier {
    /// Checks the text of an answer. An error says that the text is no whole answer at all; everything else is a verdict.
    pub fn check(&self, text: &str) -> Result<CheckResult, VerifierError> {
        self.judge(text, None)
    }

    /// The same, and compares the signed name with the one on a boarding pass.
    pub fn check_with_boarding_name(&self, text: &str, boarding_name: &str) -> Result<CheckResult, VerifierError> {
        self.judge(text, Some(boarding_name))
    }

    fn judge(&self, text: &str, boarding_name: Option<&str>) -> Result<CheckResult, VerifierError> {
        let trust = self.trust()?;
        // What the text is comes first: wrong, half and foreign codes are told as what they are and cost no open request.
        read_envelope(text)?;
        let clock = self.clock_guard()?;
        let now = self.moment(clock.anchor());
        // A device that restarted without a network has nothing to confirm its clock: that is amber, never green.
        let common = [trust.freshness(now), clock.fact(&self.clock, By::Verifier)];
        let (ask, token) = match self.take(text, now)? {
            Opened::Token(ask, token) => (ask, Some(token)),
            Opened::Nonsense(ask) => (ask, None),
            Opened::Refused(why) => {
                let mut facts = broken_at(FactName::ExchangeNonce, why, "");
                facts.extend(common);
                return Ok(Parts::red("", facts, &trust, now).into());
            }
        };
        let role = trust.roles.role(&ask.role).ok_or(VerifierError::UnknownRole)?;
        let Some(kbt) = token.and_then(|token| self.decode(&token)) else {
            let mut facts = broken_at(FactName::ExchangeRequest, "the answer holds no key binding token", ask.document.id);
            facts.push(portrait_fact(false, role.face_required(), ask.document.id));
            facts.extend(common);
            return Ok(Parts::red(ask.document.id, facts, &trust, now).into());
        };
        let judging = Judging { trust: &trust, role, now };
        let mut parts = self.climb(kbt, ask, &judging, boarding_name);
        parts.verdict.extend(common);
        Ok(parts.into())
    }

    /// Finds the open request that the text answers and closes it, in memory and for ever.
    fn take(&self, text: &str, now: Timestamp) -> Result<Opened, VerifierError> {
        let monotonic = self.clock.monotonic_millis();
        // The mark comes first: where it cannot be written (a full disk) the request stays open, and the answer can be given again.
        let in_time = |ask: &&OpenAsk| ask.closes_at_millis > monotonic && !ask.request.is_stale(now);
        let asked = lock(&self.open).iter().find(|ask| ask.request.takes(text)).filter(in_time).map(|ask| ask.request.hash());
        if let Some(hash) = asked
            && !self.write(|tx| rows::consume(tx, &hash, now))?
        {
            return Ok(Opened::Refused("the request had its answer"));
        }
        let found = {
            let mut open = lock(&self.open);
            let mut found = None;
            for (place, ask) in open.iter_mut().enumerate() {
                match ask.request.open(text, now) {
                    Err(ExchangeError::NotForUs | ExchangeError::Closed) => {}
                    opened => {
                        found = Some((place, opened));
                        break;
                    }
                }
            }
            let found = found.map(|(place, opened)| (open.remove(place), opened));
            // Only now: a late answer is told as late, once, and then its key is gone like all that are past their time.
            open.retain(|ask| ask.closes_at_millis > monotonic && !ask.request.is_stale(now));
            found
        };
        let (ask, token) = match found {
            None => return Ok(Opened::Refused("opens with no key of an open request")),
            Some((_, Err(ExchangeError::Stale))) => return Ok(Opened::Refused("stale: the request is past its time")),
            Some((ask, _)) if ask.closes_at_millis <= monotonic => {
                return Ok(Opened::Refused("stale: the request is past its time"));
            }
            // It opened with this key; what came out may still be anything.
            Some((ask, opened)) => (ask, opened.ok()),
        };
        Ok(match token {
            Some(token) => Opened::Token(ask, token),
            None => Opened::Nonsense(ask),
        })
    }

    #[cfg(feature = "record")]
    fn decode(&self, token: &[u8]) -> Option<UnverifiedKbt> {
        if let Some(recorder) = &self.recorder {
            recorder.decrypted_answer(token);
        }
        UnverifiedKbt::decode(token).ok()
    }

    #[cfg(not(feature = "record"))]
    #[allow(clippy::unused_self)] // the recording build needs it
    fn decode(&self, token: &[u8]) -> Option<UnverifiedKbt> {
        UnverifiedKbt::decode(token).ok()
    }

    /// The ladder over a decoded token, and what may be shown of it.
    fn climb(&self, kbt: UnverifiedKbt, ask: OpenAsk, judging: &Judging<'_>, boarding_name: Option<&str>) -> Parts {
        let Judging { trust, role, now } = judging;
        let document = ask.document;
        let lists = HeldLists { verifier: self, trust, now: *now, used: Mutex::new(None) };
        let policy = FreshnessPolicy { green_hours: role.status_green_hours(), caution_hours: role.status_caution_hours() };
        let expected = ExpectedType::new(document.id, document.vct);
        let check = Check {
            trust: &trust.targets,
            expected: &expected,
            at: *now,
            skew_secs: CLOCK_SKEW,
            status: StatusCheck { lists: &lists, policy },
            by: By::Verifier,
        };
        let expectation = Expectation {
            aud: ask.request.audience().to_owned(),
            cnonce: Some(ask.request.nonce().to_vec()),
            request_hash: Some(ask.request.hash()),
            mode: Mode::B,
            now: *now,
            skew: CLOCK_SKEW,
        };
        let (facts, verified) = kbt.verify(&check, &expectation);
        let used = lock(&lists.used).take();
        let mut facts = with_list(facts, used.as_ref().map(|used| used.signature.clone()), document.id);
        let mut attributes = None;
        if let Some(verified) = verified {
            match asked_values(&verified, &ask) {
                Some(values) => attributes = Some(values),
                // Signed, but not of the kinds the type prescribes: not a document of this type.
                None => fail_type(&mut facts, document.id),
            }
        }
        let red = facts.iter().any(|fact| fact.outcome() == Outcome::Failed);
        let attributes = attributes.filter(|_| !red);
        facts.push(portrait_fact(attributes.as_ref().is_some_and(|a| a.portrait().is_some()), role.face_required(), document.id));
        if let Some(boarding) = boarding_name {
            facts.push(name_fact(attributes.as_ref(), boarding, document.id));
        }
        Parts {
            document: document.id.to_owned(),
            verdict: Verdict::from(facts),
            display: attributes.as_ref().map(|a| display(a, now.date())),
            asked: ask.fields,
            trust: trust.dates(),
            list: used.and_then(|used| used.dates),
            checked_at: *now,
        }
    }
}

/// Only what was asked for; `None` when a signed value is not of its field's kind.
fn asked_values(verified: &VerifiedSdCwt, ask: &OpenAsk) -> Option<Attributes> {
    let claims = verified.claims().as_map().unwrap_or_default();
    let numbered = claims.iter().filter_map(|(key, value)| Some((key.as_int()?, value)));
    let attributes = Attributes::from_claims(ask.document, numbered).ok()?;
    Some(attributes.only(ask.fields.iter().map(String::as_str)))
}

fn name_fact(attributes: Option<&Attributes>, boarding: &str, about: &str) -> Fact {
    match attributes.and_then(|a| a.text("full_name")) {
        Some(signed) => match_boarding_name(signed, boarding).fact(By::Verifier, about),
        None => Fact::not_checked(FactName::NameMatch, By::Verifier, "no signed name was shown").about(about),
    }
}

/// A ladder whose first rungs hold and that breaks at `name`.
fn broken_at(name: FactName, why: &str, about: &str) -> Vec<Fact> {
    let mut ladder = wallet_base::fact::Ladder::new(By::Verifier, about);
    for rung in RUNGS {
        ladder.check(rung, if rung == name { Err(why) } else { Ok(()) });
    }
    ladder.into_facts()
}

fn fail_type(facts: &mut [Fact], about: &str) {
    let failed = Fact::failed(FactName::CredentialType, By::Verifier, "a signed value is not of its field's kind").about(about);
    if let Some(fact) = facts.iter_mut().find(|fact| fact.name() == FactName::CredentialType) {
        *fact = failed;
    }
}

/// Puts the list's signature before the facts that depend on it.
///
/// A document past its own end no longer has a list that anybody keeps up: that its list ended too is no second fault.
fn with_list(facts: Vec<Fact>, signature: Option<Fact>, about: &str) -> Vec<Fact> {
    let outcome = |name: FactName| facts.iter().find(|fact| fact.name() == name).map(Fact::outcome);
    let expired = outcome(FactName::CredentialValidity) == Some(Outcome::Failed);
    let reached = outcome(FactName::CredentialHolder) == Some(Outcome::Passed);
    let missing = if reached { "no status list at hand" } else { "depends on what failed before" };
    let signature = signature.unwrap_or_else(|| Fact::not_checked(FactName::StatusSignature, By::Verifier, missing)).about(about);
    let mut out = Vec::with_capacity(facts.len() + 1);
    for fact in facts {
        match fact.name() {
            FactName::StatusFreshness => {
                out.push(signature.clone());
                if expired && fact.outcome() == Outcome::Failed {
                    let detail = "no list is kept for a document past its end";
                    out.push(Fact::not_checked(FactName::StatusFreshness, By::Verifier, detail).about(about));
                } else {
                    out.push(demanded(fact, about));
                }
            }
            _ => out.push(demanded(fact, about)),
        }
    }
    out
}

/// A document of ours always names its status list: where it names none, that is amber, never green.
fn demanded(fact: Fact, about: &str) -> Fact {
    let status = matches!(fact.name(), FactName::StatusFreshness | FactName::CredentialStatus);
    if status && fact.outcome() == Outcome::NotChecked {
        Fact::not_checked(fact.name(), By::Verifier, fact.detail()).about(about)
    } else {
        fact
    }
}

/// The lists of the cache, verified again under today's trust: a signer may have been revoked since the list was stored.
struct HeldLists<'a> {
    verifier: &'a Verifier,
    trust: &'a Trust,
    now: Timestamp,
    used: Mutex<Option<UsedList>>,
}

struct UsedList {
    signature: Fact,
    dates: Option<ListDates>,
}

impl StatusLookup for HeldLists<'_> {
    fn status_list(&self, uri: &str) -> Option<Arc<VerifiedStatusList>> {
        let Ok(row) = self.verifier.read(|db| rows::list(db, uri)) else {
            let detail = "the list on this device cannot be read: sync again";
            let signature = Fact::not_checked(FactName::StatusSignature, By::Verifier, detail);
            *lock(&self.used) = Some(UsedList { signature, dates: None });
            return None;
        };
        let row = row?;
        let (facts, list) = UnverifiedStatusList::decode(&row.token).ok()?.verify(&self.trust.targets, uri, self.now, By::Verifier);
        let signature = facts.into_iter().find(|fact| fact.name() == FactName::StatusSignature)?;
        *lock(&self.used) = Some(UsedList { signature, dates: list.is_some().then(|| ListDates::from(&row)) });
        list.map(Arc::new)
    }
}
