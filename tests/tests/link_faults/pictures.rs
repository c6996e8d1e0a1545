//! The two pictures between a wallet and an officer's device: half read, doubled, with one character changed, of another session.

use std::sync::Arc;

use wallet_bindings::Wait as _;
use wallet_bindings::{CheckResult, FactView, PendingRequest, Verifier, Wallet, WalletError};

use crate::phases::{Phase, word};
use crate::site::{Site, Stage};
use crate::table::{self, Line, Run};

/// The alphabet of base45 (RFC 9285, section 4).
const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const DOCUMENT: &str = "driving-licence";

/// Every way a text can arrive damaged: cut at every length, every character changed, doubled, and some others.
fn damaged(text: &str) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = (0..text.len()).map(|n| (format!("first {n} characters"), text[..n].to_owned())).collect();
    out.extend((1..text.len()).step_by(7).map(|n| (format!("without the first {n} characters"), text[n..].to_owned())));
    out.extend((0..text.len()).step_by(5).map(|n| (format!("without character {n}"), [&text[..n], &text[n + 1..]].concat())));
    out.push(("twice".to_owned(), [text, text].concat()));
    out.push(("one more character".to_owned(), format!("{text}0")));
    out.push(("lower case".to_owned(), text.to_ascii_lowercase()));
    let others = if table::everything() { 3 } else { 1 };
    for at in 0..text.len() {
        let old = text.as_bytes()[at];
        let place = ALPHABET.iter().position(|c| *c == old).unwrap_or(0);
        for n in 0..others {
            // The next one, one far away, and the one before.
            let new = ALPHABET[(place + [1, 23, 44][n]) % 45];
            if new != old {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] = new;
                out.push((format!("character {at} changed"), String::from_utf8(bytes).unwrap()));
            }
        }
    }
    out
}

/// The words of a fault without its numbers.
fn kind(what: &str) -> String {
    let words = what.split(' ').map(|word| if word.bytes().all(|b| b.is_ascii_digit()) { "n" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

struct Counter {
    wallet: Arc<Wallet>,
    officer: Arc<Verifier>,
}

impl Counter {
    fn request(&self) -> String {
        self.officer.ask(DOCUMENT.to_owned(), None, String::new(), String::new()).wait().unwrap().text()
    }

    fn answer(pending: &PendingRequest) -> String {
        let selection = pending.default_selection().unwrap();
        pending.answer(selection.document, selection.fields, None).wait().unwrap().text
    }

    fn copies(&self) -> u32 {
        self.wallet.documents().wait().unwrap().iter().find(|d| d.id == DOCUMENT).unwrap().copies
    }

    fn shown(&self) -> usize {
        self.wallet.consent_log().wait().unwrap().iter().filter(|entry| entry.outcome == "shown").count()
    }

    /// How a damaged request is told; `None` when it was taken for a good one.
    fn refuse_request(&self, what: &str, text: &str) -> Option<String> {
        match self.wallet.open_request(text.to_owned()).wait() {
            Err(error) => Some(word(&error)),
            Ok(pending) => {
                let verdict = pending.verdict();
                let passed = |name: &str| verdict.facts.iter().any(|fact| fact.name == name && fact.result == "passed");
                if verdict.colour == "red" {
                    assert!(!passed("request.signature") && pending.default_selection().is_none(), "{what}: {verdict:?}");
                    let refused = pending.answer(DOCUMENT.to_owned(), vec!["full_name".to_owned()], None).wait();
                    assert!(matches!(refused, Err(WalletError::Untrusted { .. })), "{what}: {refused:?}");
                    return Some(verdict.conclusion);
                }
                None
            }
        }
    }

    /// How a damaged answer is told; `None` when it was taken for a good one.
    fn refuse_answer(&self, what: &str, text: &str) -> Option<String> {
        match self.officer.check(text.to_owned()).wait() {
            Err(error) => Some(word(&error)),
            Ok(result) => {
                let verdict = result.verdict();
                if verdict.colour != "red" {
                    return None;
                }
                nothing_about_the_holder(what, &verdict.facts);
                assert!(result.display().is_none());
                Some(verdict.conclusion)
            }
        }
    }

    fn check(&self, text: &str) -> Arc<CheckResult> {
        self.officer.check(text.to_owned()).wait().unwrap()
    }
}

/// An answer that is refused proves nothing of anybody.
fn nothing_about_the_holder(what: &str, facts: &[FactView]) {
    let about = |fact: &&FactView| fact.name.starts_with("credential.") || fact.name.starts_with("exchange.");
    let passed: Vec<_> = facts.iter().filter(about).filter(|fact| fact.result == "passed").collect();
    assert!(passed.is_empty(), "{what}: {passed:?}");
}

fn is_good(result: &CheckResult) -> bool {
    let facts = result.verdict().facts;
    facts.iter().all(|fact| fact.result != "failed") && facts.iter().any(|fact| fact.name == "credential.holder" && fact.result == "passed")
}

#[test]
fn bad_input_a_fault_at_every_character_between_wallet_and_officer() {
    let (site, start) = Site::new();
    let mut stage = Stage::at(&site, &start);
    for phase in [Phase::Activation, Phase::Issuance, Phase::Enrolment] {
        assert_eq!(stage.attempt(phase).outcome, Ok(()), "{phase:?}");
    }
    let at = Counter { wallet: stage.wallet(), officer: stage.officer() };
    let copies = at.copies();
    let mut lines = Vec::new();

    // The request: whatever is refused burns neither it nor a copy, and the good picture is taken afterwards.
    let request = at.request();
    let mut line = Line { name: "request".to_owned(), places: request.len(), runs: Vec::new() };
    for (what, text) in damaged(&request) {
        let stopped = at.refuse_request(&what, &text);
        assert!(stopped.is_some(), "a damaged request was taken for a good one: {what}");
        line.runs.push(Run { fault: kind(&what), stopped });
    }
    lines.push(line);
    assert_eq!((at.copies(), at.shown()), (copies, 0));
    let pending = at.wallet.open_request(request.clone()).wait().unwrap();
    assert!(pending.verdict().conclusion == "verified" && !pending.answered_before(), "{:?}", pending.verdict());
    let answer = Counter::answer(&pending);
    assert_eq!((at.copies(), at.shown()), (copies - 1, 1));

    // The answer: whatever is refused closes no request.
    let mut line = Line { name: "answer".to_owned(), places: answer.len(), runs: Vec::new() };
    for (what, text) in damaged(&answer) {
        let stopped = at.refuse_answer(&what, &text);
        assert!(stopped.is_some(), "a damaged answer was taken for a good one: {what}");
        line.runs.push(Run { fault: kind(&what), stopped });
    }
    // The request instead of the answer, and the answer instead of the request.
    assert!(at.refuse_answer("the request", &request).is_some() && at.refuse_request("the answer", &answer).is_some());
    // An answer to a request of this officer that is no longer open.
    let other = at.officer.ask(DOCUMENT.to_owned(), None, String::new(), String::new()).wait().unwrap();
    let late = Counter::answer(&at.wallet.open_request(other.text()).wait().unwrap());
    other.cancel().unwrap();
    line.runs.push(Run { fault: "of a closed request".to_owned(), stopped: at.refuse_answer("closed", &late) });
    assert!(is_good(&at.check(&answer)), "the good answer is taken after all of them");
    // Shown again it proves nothing.
    line.runs.push(Run { fault: "again".to_owned(), stopped: at.refuse_answer("again", &answer) });
    assert!(line.runs.iter().all(|run| run.stopped.is_some()));
    lines.push(line);
    assert_eq!((at.copies(), at.shown()), (copies - 2, 2));

    // An answer of another session of the officer: the restart closed every request.
    let request = at.request();
    let answer = Counter::answer(&at.wallet.open_request(request.clone()).wait().unwrap());
    drop(at);
    stage.be_patient(None);
    let at = Counter { wallet: stage.wallet(), officer: stage.officer() };
    assert_eq!(at.refuse_answer("another session", &answer).as_deref(), Some("rejected:exchange.nonce"));
    let again = at.wallet.open_request(request).wait().unwrap();
    assert!(again.answered_before() && again.default_selection().is_none(), "one request, one answer, across restarts");
    let request = at.request();
    assert!(is_good(&at.check(&Counter::answer(&at.wallet.open_request(request).wait().unwrap()))));
    assert_eq!((at.copies(), at.shown()), (copies - 4, 4));
    table::print("The two pictures", "pictures.md", "characters", &lines);
}
