//! The steps of activation that talk to central. Each call is made with what the last durable step holds and its result is durable before
//! the method returns, so that a kill at any moment repeats at most one call, and central takes repeats.

use serde_json::{Value, json};
use wallet_base::crypto::sha256;
use wallet_base::fact::{Fact, FactName, Outcome, Verdict};
use wallet_base::jose::{b64u, b64u_decode};
use wallet_base::random::array;
use wallet_base::time::Timestamp;
use wallet_platform::ports::KeyClass;

use super::rows::{self, Activation};
use super::{ActivationView, Step};
use crate::documents;
use crate::dpop::AccountKey;
use crate::error::WalletError;
use crate::facts;
use crate::inner::Inner;
use crate::strays;
use crate::trust;

/// Longest session believed.
const MAX_SESSION: i64 = 24 * 3600;
/// Largest face picture sent.
const MAX_FACE: usize = 2 * 1024 * 1024;
/// Largest number of digits of a code.
const MAX_CODE: usize = 16;

/// See [`crate::Wallet::begin_activation`].
pub(crate) fn begin(inner: &Inner) -> Result<ActivationView, WalletError> {
    let _act = inner.act()?;
    let (activation, key, ended) = inner.read(|db| Ok((rows::load(db)?, rows::account_key(db)?, rows::is_ended(db)?)))?;
    let now = inner.now();
    if let Some(activation) = activation.filter(|a| !ended && a.step != Step::NotStarted && need(a, a.step, now).is_ok()) {
        return Ok(view_of(&activation));
    }
    // The card is judged by listed card authorities: they are needed before the card is in the hand.
    trust::ensure(inner)?;
    let key = if let Some(key) = key.filter(|_| !ended) {
        key
    } else {
        strays::bury(inner)?;
        create_account_key(inner)?
    };
    let answer = inner.service.post("/activation/open", &json!({"device_key": key.public.to_jwk(), "action": ACTION}))?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|t| !t.is_empty() && t.len() <= 128).map(str::to_owned);
    let bad = || WalletError::Answer("activation session");
    // One that another device got, recorded and given again: its challenge is not for this wallet's card.
    if text("device").is_none_or(|device| device != b64u(&key.public.thumbprint())) {
        return Err(bad());
    }
    let nonce = b64u_decode(&text("nonce").ok_or_else(bad)?).ok().and_then(|n| n.try_into().ok()).ok_or_else(bad)?;
    let life = answer.get("expires_in").and_then(Value::as_i64).filter(|s| *s > 0).ok_or_else(bad)?.min(MAX_SESSION);
    let activation = Activation {
        step: Step::Opened,
        session: text("session").ok_or_else(bad)?,
        account: text("account").ok_or_else(bad)?,
        nonce,
        expires_at: now.plus_secs(life),
        evidence: None,
        wallet_facts: Vec::new(),
        central_facts: Vec::new(),
        tries_left: None,
        offer: None,
    };
    commit(inner, &activation)
}

/// The action that the evidence and the code name.
pub(super) const ACTION: &str = "activate";

/// A key for this account on this device; written down before anybody hears of it.
fn create_account_key(inner: &Inner) -> Result<AccountKey, WalletError> {
    let created = inner.keys().create_keys(KeyClass::Account, 1, &array::<32>(&inner.random))?;
    let (id, public) = created.keys.into_iter().next().ok_or(WalletError::Internal("no account key"))?;
    let key = AccountKey { id, public };
    inner.write(|db| rows::set_account_key(db, &key))?;
    Ok(key)
}

/// See [`crate::Wallet::submit_chip`].
pub(crate) fn submit_chip(inner: &Inner) -> Result<ActivationView, WalletError> {
    let _act = inner.act()?;
    let (mut activation, key) = load(inner)?;
    if activation.step >= Step::Chip {
        return Ok(view_of(&activation));
    }
    need(&activation, Step::CardRead, inner.now())?;
    let evidence = activation.evidence.clone().ok_or(WalletError::WrongStep)?;
    let statement = json!({
        "session": activation.session, "evidence_sha256": b64u(&sha256(&evidence)), "iat": inner.now().unix(),
    });
    let proof = key.sign_jws(inner.keys(), "activation-chip+jwt", &statement)?;
    let body = json!({"session": activation.session, "evidence": b64u(&evidence), "proof": proof});
    let answer = send(inner, &mut activation, "/activation/chip", &body)?;
    take_facts(&mut activation, &answer)?;
    if has_failed(&activation.central_facts) || !passed(&activation.central_facts, FactName::ChipGenuine) {
        // Central does not believe this card. Its facts stay to be seen; within the session another reading may be tried.
        let open = answer.get("state").and_then(Value::as_str) == Some("awaiting-chip");
        activation.step = if open { Step::Opened } else { Step::NotStarted };
        activation.evidence = None;
    } else {
        activation.step = Step::Chip;
    }
    commit(inner, &activation)
}

/// See [`crate::Wallet::request_code`].
pub(crate) fn request_code(inner: &Inner) -> Result<ActivationView, WalletError> {
    let _act = inner.act()?;
    let (mut activation, _) = load(inner)?;
    need(&activation, Step::Chip, inner.now())?;
    if activation.step >= Step::Code {
        return Ok(view_of(&activation));
    }
    let body = json!({"session": activation.session});
    let answer = send(inner, &mut activation, "/activation/code", &body)?;
    activation.tries_left = tries(&answer).or(activation.tries_left);
    activation.step = Step::CodeSent;
    commit(inner, &activation)
}

/// See [`crate::Wallet::submit_code`].
pub(crate) fn submit_code(inner: &Inner, code: &str) -> Result<ActivationView, WalletError> {
    let _act = inner.act()?;
    let code = code.trim();
    if code.is_empty() || code.len() > MAX_CODE || !code.bytes().all(|b| b.is_ascii_digit()) {
        return Err(WalletError::Parameter("code"));
    }
    let (mut activation, _) = load(inner)?;
    if activation.step >= Step::Code {
        return Ok(view_of(&activation));
    }
    need(&activation, Step::CodeSent, inner.now())?;
    let body = json!({"session": activation.session, "code": code});
    let answer = send(inner, &mut activation, "/activation/code/verify", &body)?;
    let facts = read_facts(&answer)?;
    let right = judged(&facts, FactName::AccountFactors, "code")?;
    activation.tries_left = tries(&answer).or(activation.tries_left);
    if right {
        activation.step = Step::Code;
    } else if activation.tries_left == Some(0) {
        activation.step = Step::NotStarted;
    }
    activation.central_facts = merge(&activation.central_facts, facts);
    commit(inner, &activation)
}

/// See [`crate::Wallet::submit_face`].
pub(crate) fn submit_face(inner: &Inner, image: &[u8]) -> Result<ActivationView, WalletError> {
    let _act = inner.act()?;
    if image.is_empty() || image.len() > MAX_FACE {
        return Err(WalletError::Parameter("face picture"));
    }
    let (mut activation, _) = load(inner)?;
    if activation.step >= Step::Face {
        return Ok(view_of(&activation));
    }
    need(&activation, Step::Code, inner.now())?;
    let body = json!({"session": activation.session, "image": b64u(image)});
    let answer = send(inner, &mut activation, "/activation/face", &body)?;
    let facts = read_facts(&answer)?;
    let right = judged(&facts, FactName::PortraitMatch, "face")?;
    activation.tries_left = tries(&answer).or(activation.tries_left);
    if right {
        activation.step = Step::Face;
    } else if activation.tries_left == Some(0) {
        activation.step = Step::NotStarted;
    }
    activation.central_facts = merge(&activation.central_facts, facts);
    commit(inner, &activation)
}

/// See [`crate::Wallet::complete_activation`].
pub(crate) fn complete(inner: &Inner) -> Result<ActivationView, WalletError> {
    let _act = inner.act()?;
    let (mut activation, key) = load(inner)?;
    if activation.step == Step::Complete {
        return Ok(view_of(&activation));
    }
    need(&activation, Step::Face, inner.now())?;
    let asked = ask_completion(inner, &mut activation, &key);
    if asked.as_ref().is_err_and(WalletError::is_replaced) {
        // Another device of this person was activated meanwhile: this session leads nowhere any more.
        return Err(give_up(inner, &mut activation)?);
    }
    let (account, level, offer) = asked?;
    activation.step = Step::Complete;
    activation.offer = Some(offer);
    // The chip's data was needed as evidence only.
    activation.evidence = None;
    let now = inner.now();
    inner.write(|db| {
        // What an earlier account of this wallet left behind, perhaps another person's, does not outlive it.
        documents::forget_all(db)?;
        rows::set_account(db, &account, level)?;
        rows::save(db, &activation, now)
    })?;
    inner.tell("activation", activation.step.as_str());
    Ok(view_of(&activation))
}

/// A new offer for a completed activation, when the code of the first one was used or lost.
pub(crate) fn fresh_offer(inner: &Inner) -> Result<String, WalletError> {
    let (mut activation, key) = load(inner)?;
    if activation.step != Step::Complete {
        return Err(WalletError::WrongStep);
    }
    let (_, _, offer) = ask_completion(inner, &mut activation, &key)?;
    activation.offer = Some(offer.clone());
    let now = inner.now();
    inner.write(|db| rows::save(db, &activation, now))?;
    Ok(offer)
}

fn ask_completion(inner: &Inner, activation: &mut Activation, key: &AccountKey) -> Result<(String, u32, String), WalletError> {
    let statement = json!({"session": activation.session, "action": "complete", "iat": inner.now().unix()});
    let proof = key.sign_jws(inner.keys(), "activation-complete+jwt", &statement)?;
    let body = json!({"session": activation.session, "proof": proof});
    let answer = send(inner, activation, "/activation/complete", &body)?;
    let bad = || WalletError::Answer("activation result");
    let account = answer.get("account").and_then(Value::as_str).filter(|a| !a.is_empty() && a.len() <= 128).ok_or_else(bad)?;
    let level = answer.get("level").and_then(Value::as_u64).and_then(|l| u32::try_from(l).ok()).ok_or_else(bad)?;
    if account != activation.account {
        return Err(bad());
    }
    if answer.get("facts").is_some() {
        take_facts(activation, &answer)?;
    }
    let offer = match answer.get("credential_offer") {
        Some(Value::String(text)) => text.clone(),
        Some(offer @ Value::Object(_)) => offer.to_string(),
        _ => return Err(bad()),
    };
    Ok((account.to_owned(), level, offer))
}

/// See [`crate::Wallet::activation`]. A session that is too old to be read into shows as not started: that is what to do next.
pub(crate) fn view(inner: &Inner) -> Result<ActivationView, WalletError> {
    let now = inner.now();
    let mut view = match inner.read(rows::load)? {
        Some(activation) => view_of(&activation),
        None => ActivationView { step: Step::NotStarted, verdict: Verdict::default(), tries_left: None, expires_at: None },
    };
    if view.expires_at.is_some_and(|end| end <= now) {
        view.step = Step::NotStarted;
        view.expires_at = None;
    }
    Ok(view)
}

/// The row and the account key of an activation that was begun.
pub(super) fn load(inner: &Inner) -> Result<(Activation, AccountKey), WalletError> {
    let (activation, key) = inner.read(|db| Ok((rows::load(db)?, rows::account_key(db)?)))?;
    Ok((activation.ok_or(WalletError::WrongStep)?, key.ok_or(WalletError::WrongStep)?))
}

/// The activation must have come at least so far, and while the chip is not proven its challenge must be young enough. How long the
/// session lives after that is central's to say.
pub(super) fn need(activation: &Activation, step: Step, now: Timestamp) -> Result<(), WalletError> {
    if activation.step < step {
        return Err(WalletError::WrongStep);
    }
    if activation.step < Step::Chip && activation.expires_at <= now {
        return Err(WalletError::Expired("activation session"));
    }
    Ok(())
}

/// Writes the step and gives its view.
pub(super) fn commit(inner: &Inner, activation: &Activation) -> Result<ActivationView, WalletError> {
    let now = inner.now();
    inner.write(|db| rows::save(db, activation, now))?;
    inner.tell("activation", activation.step.as_str());
    Ok(view_of(activation))
}

/// Posts; a session that central does not know any more ends the activation, so that the next `begin` opens a new one.
fn send(inner: &Inner, activation: &mut Activation, path: &str, body: &Value) -> Result<Value, WalletError> {
    let result = inner.service.post(path, body);
    if let Err(WalletError::Service { code, .. }) = &result
        && matches!(code.as_str(), "expired_session" | "unknown_session" | "tries_exhausted")
    {
        return Err(give_up(inner, activation)?);
    }
    let answer = result?;
    // Every answer names its session: one of another, recorded and given again, must not stand for central's word about this one.
    if answer.get("session").and_then(Value::as_str) != Some(activation.session.as_str()) {
        return Err(WalletError::Answer("activation session"));
    }
    Ok(answer)
}

/// The session is of no use any more; the next step is a new one.
fn give_up(inner: &Inner, activation: &mut Activation) -> Result<WalletError, WalletError> {
    activation.step = Step::NotStarted;
    activation.evidence = None;
    activation.offer = None;
    commit(inner, activation)?;
    Ok(WalletError::Expired("activation session"))
}

fn read_facts(answer: &Value) -> Result<Vec<Fact>, WalletError> {
    answer.get("facts").and_then(facts::from_service).ok_or(WalletError::Answer("facts"))
}

fn take_facts(activation: &mut Activation, answer: &Value) -> Result<(), WalletError> {
    activation.central_facts = merge(&activation.central_facts, read_facts(answer)?);
    Ok(())
}

/// Newer facts replace older ones of the same name and detail-bearing subject.
fn merge(old: &[Fact], new: Vec<Fact>) -> Vec<Fact> {
    let replaced = |fact: &Fact| new.iter().any(|n| n.name() == fact.name() && n.subject() == fact.subject());
    old.iter().filter(|fact| !replaced(fact)).cloned().chain(new.iter().cloned()).collect()
}

fn has_failed(facts: &[Fact]) -> bool {
    facts.iter().any(|fact| fact.outcome() == Outcome::Failed)
}

/// Whether the factor that was given passed. An answer that says nothing of it answers something else.
fn judged(facts: &[Fact], name: FactName, factor: &str) -> Result<bool, WalletError> {
    let fact = facts.iter().find(|fact| fact.name() == name && fact.subject() == factor).ok_or(WalletError::Answer("facts"))?;
    Ok(fact.outcome() == Outcome::Passed)
}

fn passed(facts: &[Fact], name: FactName) -> bool {
    facts.iter().any(|fact| fact.name() == name && fact.outcome() == Outcome::Passed)
}

fn tries(answer: &Value) -> Option<u32> {
    answer.get("tries_left").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok())
}

fn view_of(activation: &Activation) -> ActivationView {
    let mut verdict = Verdict::from(activation.wallet_facts.clone());
    verdict.extend(activation.central_facts.clone());
    let open = matches!(activation.step, Step::Opened | Step::CardRead);
    ActivationView { step: activation.step, verdict, tries_left: activation.tries_left, expires_at: open.then_some(activation.expires_at) }
}
