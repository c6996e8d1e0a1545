//! The story in pieces. A piece can be tried, tried again, and its outcome compared with that of an undisturbed run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use wallet_bindings::Wait as _;
use wallet_bindings::{CardPassword, FactView, IssuedDocument, VerdictView, WalletError};
use wallet_central::Admin;
use wallet_tests::town::last_code;

use crate::site::{CITIZEN, Site, Snapshot, Stage};

/// Days until copies are about to end and the wallet fetches new ones. A Tuesday: copies end within a day or two of each other, and around a Sunday
/// they would now and then need the status lists of two weeks.
const LATER: i64 = 24;
/// The document that is shown at the roadside.
const DOCUMENT: &str = "driving-licence";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// From an empty wallet to an account.
    Activation,
    /// Four documents.
    Issuance,
    /// A staff device gets its certificate, then syncs.
    Enrolment,
    /// The licence was suspended: the officer syncs and checks again.
    OfficerSync,
    /// The licence was suspended: the wallet syncs.
    WalletSync,
    /// Three weeks later: the wallet syncs and fetches new copies.
    Refill,
}

impl Phase {
    pub const ALL: [Self; 6] = [Self::Activation, Self::Issuance, Self::Enrolment, Self::OfficerSync, Self::WalletSync, Self::Refill];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Issuance => "issuance",
            Self::Enrolment => "officer enrol",
            Self::OfficerSync => "officer sync",
            Self::WalletSync => "wallet sync",
            Self::Refill => "wallet sync, refill",
        }
    }
}

/// What one try came to.
pub struct Try {
    /// `Err`: how it is told that the piece is not done, in the border's words.
    pub outcome: Result<(), String>,
    /// Every fact that was told on the way.
    pub facts: Vec<FactView>,
}

/// A fact without its detail, which holds dates and counts.
pub type Bare = (String, String, bool, String, String);

pub fn bare(fact: &FactView) -> Bare {
    (fact.name.clone(), fact.result.clone(), fact.caution, fact.by.clone(), fact.about.clone())
}

/// How the story goes without faults: where each piece begins and what comes of it.
pub struct Clean {
    pub phase: Phase,
    pub before: Snapshot,
    /// Messages between devices and central, by method and path.
    pub messages: Vec<String>,
    /// The facts told on the way that passed.
    pub passed: BTreeSet<Bare>,
    /// The state of all sides afterwards.
    pub state: Value,
}

/// Plays the story once through a clean link.
pub fn play(site: &Site, start: Snapshot) -> Vec<Clean> {
    let mut clean = Vec::new();
    let mut here = start;
    for phase in Phase::ALL {
        let mut stage = Stage::at(site, &here);
        stage.prepare(phase);
        let before = stage.keep(&format!("before-{phase:?}"));
        let mut stage = Stage::at(site, &before);
        let done = stage.attempt(phase);
        assert_eq!(done.outcome, Ok(()), "{phase:?} without a fault: {:?}", done.facts);
        let messages = site.relay.disarm();
        let state = stage.state(phase);
        let passed = done.facts.iter().filter(|fact| fact.result == "passed").map(bare).collect();
        clean.push(Clean { phase, before, messages, passed, state });
        here = stage.keep(&format!("after-{phase:?}"));
    }
    clean
}

/// The border's words for an error. What an app can do nothing about is no such word.
pub fn word(error: &WalletError) -> String {
    assert!(
        !matches!(
            error,
            WalletError::Internal
                | WalletError::Closed
                | WalletError::Storage { .. }
                | WalletError::WrongPasscode { .. }
                | WalletError::LockedUntil { .. }
                | WalletError::Declined
                | WalletError::Unsupported
        ),
        "a fault of a link must not be told as {error:?}"
    );
    error.to_string()
}

impl Stage<'_> {
    /// What happens between the pieces.
    fn prepare(&mut self, phase: Phase) {
        match phase {
            Phase::OfficerSync => {
                let facts = self.check();
                assert!(facts.iter().all(|fact| fact.result != "failed"), "{facts:?}");
                self.admin().suspend(&self.site.town.citizen(CITIZEN).personal_number, DOCUMENT).unwrap();
            }
            Phase::Refill => {
                self.admin().reinstate(&self.site.town.citizen(CITIZEN).personal_number, DOCUMENT).unwrap();
                self.wait_days(LATER);
                // The officer's certificate lived for seven days.
                let code = self.admin().staff_code("traffic-police", "CSGT", "Quốc lộ 5").unwrap();
                self.officer().enrol(code, None).wait().unwrap();
                self.officer().sync(None).wait().unwrap();
            }
            _ => {}
        }
    }

    /// Tries a piece, going on from wherever it is.
    pub fn attempt(&mut self, phase: Phase) -> Try {
        let mut facts = Vec::new();
        let outcome = match phase {
            Phase::Activation => self.activate(&mut facts),
            Phase::Issuance => self.obtain(&mut facts),
            Phase::Enrolment => self.enrol().and_then(|()| self.sync_officer(&mut facts)),
            Phase::OfficerSync => self.sync_officer(&mut facts),
            Phase::WalletSync | Phase::Refill => self.sync_wallet(&mut facts),
        };
        Try { outcome, facts }
    }

    fn activate(&mut self, facts: &mut Vec<FactView>) -> Result<(), String> {
        let wallet = self.wallet();
        let spool = self.central().join("spool");
        let mut last = String::new();
        loop {
            let view = wallet.activation().wait().map_err(|e| word(&e))?;
            facts.extend(view.verdict.facts.clone());
            if view.step == last {
                return Err(format!("stays at {last}: {}", view.verdict.conclusion));
            }
            let done = match view.step.as_str() {
                "not-started" => wallet.begin_activation(None).wait().map(|view| view.verdict),
                "opened" => {
                    let password = CardPassword::Can { can: self.site.town.can_digits(CITIZEN) };
                    wallet.read_card(self.site.card.channel(), password, None).wait().map(|report| report.verdict)
                }
                "card-read" => wallet.submit_chip(None).wait().map(|view| view.verdict),
                "chip" => wallet.request_code(None).wait().map(|view| view.verdict),
                "code-sent" => wallet.submit_code(last_code(&spool), None).wait().map(|view| view.verdict),
                "code" => wallet.submit_face(self.site.selfie.clone(), None).wait().map(|view| view.verdict),
                "face" => wallet.complete_activation(None).wait().map(|view| view.verdict),
                "complete" => return whole(&view.verdict),
                other => panic!("a step without a name: {other}"),
            };
            facts.extend(done.map_err(|e| word(&e))?.facts);
            last = view.step;
        }
    }

    fn obtain(&mut self, facts: &mut Vec<FactView>) -> Result<(), String> {
        let report = self.wallet().obtain_documents(None).wait().map_err(|e| word(&e))?;
        facts.extend(report.verdict.facts.clone());
        stored(&report.documents)?;
        whole(&report.verdict)
    }

    fn enrol(&mut self) -> Result<(), String> {
        let officer = self.officer();
        if officer.staff().wait().map_err(|e| word(&e))?.is_none() {
            officer.enrol(self.code(), None).wait().map_err(|e| word(&e))?;
        }
        Ok(())
    }

    fn sync_officer(&mut self, facts: &mut Vec<FactView>) -> Result<(), String> {
        let report = self.officer().sync(None).wait().map_err(|e| word(&e))?;
        facts.extend(report.verdict.facts.clone());
        whole(&report.verdict)
    }

    fn sync_wallet(&mut self, facts: &mut Vec<FactView>) -> Result<(), String> {
        let report = self.wallet().sync(None).wait().map_err(|e| word(&e))?;
        facts.extend(report.verdict.facts.clone());
        stored(&report.refilled)?;
        whole(&report.verdict)
    }

    /// A check at the roadside with a copy of the licence: the officer's facts.
    fn check(&mut self) -> Vec<FactView> {
        let (wallet, officer) = (self.wallet(), self.officer());
        let asked = officer.ask(DOCUMENT.to_owned(), None, String::new(), String::new()).wait().unwrap();
        let pending = wallet.open_request(asked.text()).wait().unwrap();
        let selection = pending.default_selection().unwrap();
        let answer = pending.answer(selection.document, selection.fields, None).wait().unwrap();
        officer.check(answer.text).wait().unwrap().verdict().facts
    }

    /// How all sides stand after a piece; the same after every run of it.
    pub fn state(&mut self, phase: Phase) -> Value {
        let wallet = self.wallet();
        let activation = wallet.activation().wait().unwrap();
        let documents: Vec<Value> = wallet.documents().wait().unwrap().iter().map(|d| json!([d.id, d.state, d.copies])).collect();
        let log: Vec<Value> = wallet.consent_log().wait().unwrap().iter().map(|e| json!([e.document, e.outcome, e.reason])).collect();
        let notices: Vec<Value> = wallet.notices().wait().unwrap().iter().map(|n| json!([n.seq, n.document, n.kind])).collect();
        let officer = self.officer();
        let staff = officer.staff().wait().unwrap().map(|s| json!([s.role, s.organisation, s.place]));
        let cache = officer.cache().wait().unwrap();
        let trust = cache.trust.map(|t| t.version);
        let lists: Vec<Value> = cache.lists.iter().map(|l| json!([path_of(&l.uri), l.issued_at])).collect();
        let mut state = json!({
            "activation": [activation.step, sorted(&activation.verdict.facts)],
            "documents": documents, "log": log, "notices": notices,
            "staff": staff, "trust": trust, "lists": lists,
            "central": ledger(&self.admin()),
        });
        if phase >= Phase::OfficerSync {
            // Last, since it spends a copy.
            state["check"] = json!(sorted(&self.check()));
        }
        state
    }
}

/// Path of a list's address.
fn path_of(uri: &str) -> &str {
    uri.find("/status/").map_or(uri, |at| &uri[at..])
}

fn sorted(facts: &[FactView]) -> BTreeSet<Bare> {
    facts.iter().map(bare).collect()
}

/// A verdict without a failed fact, and with no needed fact missing.
fn whole(verdict: &VerdictView) -> Result<(), String> {
    if verdict.conclusion == "verified" { Ok(()) } else { Err(verdict.conclusion.clone()) }
}

fn stored(documents: &[IssuedDocument]) -> Result<(), String> {
    assert!(documents.iter().all(|d| d.problem.is_empty() == (d.copies > 0)), "no copies and no reason: {documents:?}");
    documents.iter().find(|d| !d.problem.is_empty()).map_or(Ok(()), |d| Err(format!("{}: {}", d.id, d.problem)))
}

/// Which parts of two states differ; empty when none does.
pub fn difference(found: &Value, expected: &Value) -> String {
    let keys = expected.as_object().unwrap().keys().filter(|key| found[*key] != expected[*key]);
    keys.fold(String::new(), |text, key| text + &format!("\n  {key}: {}\n  instead of {}", found[key], expected[key]))
}

/// What central has written down, counted. In which order documents were issued says nothing: one that failed comes after the others.
fn ledger(admin: &Admin) -> Value {
    let ledger = admin.ledger().unwrap();
    assert_eq!(ledger["sound"], true);
    let list = |account: &Value, name: &str| account[name].as_array().unwrap().clone();
    let accounts = ledger["accounts"].as_array().unwrap().iter().map(|account| {
        let mut copies: BTreeMap<String, usize> = BTreeMap::new();
        for copy in list(account, "copies").iter().filter(|copy| copy["ended"] == false) {
            *copies.entry(format!("{} {}", copy["document"], copy["format"])).or_default() += 1;
        }
        let mut changes: Vec<String> = list(account, "changes").iter().map(|c| format!("{} {}", c["document"], c["kind"])).collect();
        changes.sort();
        json!({
            "level": account["level"], "epoch": account["device_epoch"], "evidence": account["evidence"],
            "keys": list(account, "keys").len(), "copies": copies, "changes": changes,
        })
    });
    json!({"accounts": accounts.collect::<Vec<_>>(), "staff devices": ledger["staff_devices"]})
}
