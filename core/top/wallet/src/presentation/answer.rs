//! Consent and answer: one act of the citizen, then reserve and intent in one transaction, sign, durably spent, and only then the answer.

use std::time::Duration;

use wallet_base::fact::FactName;
use wallet_base::random::array;
use wallet_base::time::Timestamp;
use wallet_credential::sd_cwt::SdCwt;
use wallet_credential::sd_cwt::kbt::{self, KbtClaims, Mode};
use wallet_documents::types;
use wallet_exchange::code_points::CLOCK_SKEW;
use wallet_exchange::{ExchangeError, VerifiedRequest, seal};
use wallet_platform::ports::{AuthorisationId, PortError};

use super::{Answer, PendingRequest};
use crate::consent::{self, ConsentOutcome, NewEntry};
use crate::error::WalletError;
use crate::inner::Inner;
use crate::issuance::copies::{self, Copy};

/// How long the citizen's one act may be used: DESIGN section 4 allows 30 seconds.
const AUTHORISATION_TTL: Duration = Duration::from_secs(30);
/// Signatures of one consent: the key binding token's.
const USES: u32 = 1;
/// An answered request is remembered for a day beyond its end, whatever the clock does meanwhile.
const REMEMBER_SECS: i64 = 86_400;

/// One showing, from the citizen's choice to the answer.
struct Showing<'a> {
    pending: &'a PendingRequest,
    request: &'a VerifiedRequest,
    document: &'a str,
    fields: Vec<String>,
    copy: Copy,
    presented: Vec<u8>,
    claims: KbtClaims,
}

/// See [`PendingRequest::answer`].
pub(super) fn answer(pending: &PendingRequest, document: &str, fields: &[String]) -> Result<Answer, WalletError> {
    let inner = &*pending.inner;
    let _showing = inner.showing()?;
    settle(inner)?;
    let now = inner.now();
    if pending.answered_before || inner.read(|db| consent::was_answered(db, &pending.hash))? {
        return Err(WalletError::AnsweredBefore);
    }
    let request = answerable(pending, now)?;
    let fields = checked_selection(pending, document, fields)?;
    let kind = types::by_id(document).ok_or(WalletError::NoSuchDocument)?;
    let keys = kind.claims_of(fields.iter().map(String::as_str));
    let copy = inner.read(|db| copies::choose(db, document, now))?.ok_or(WalletError::NoCopyLeft)?;
    let showing = Showing {
        pending,
        request,
        document,
        presented: presented(&copy, &keys)?,
        copy,
        fields,
        claims: KbtClaims {
            aud: request.audience().to_owned(),
            iat: now,
            cnonce: Some(request.nonce().to_vec()),
            request_hash: Some(request.hash()),
            mode: Mode::B,
        },
    };
    // What cannot be drawn must not cost a copy: the same answer with random bytes in the signature's place is sealed first.
    showing.sealed(|_| Ok(array::<64>(&inner.random)))?;

    // The one act of the citizen. Until it is given nothing is reserved.
    let reason = wallet_documents::words::present_key(document);
    let authorisation = match inner.keys().authorise(&reason, std::slice::from_ref(&showing.copy.key_id), USES, AUTHORISATION_TTL) {
        Ok(authorisation) => authorisation,
        Err(error) => {
            showing.not_authorised(error)?;
            return Err(declined_or(error));
        }
    };
    let outcome = showing.run(&authorisation);
    // Used up or not, it ends with this consent.
    if let Err(error) = inner.keys().end(&authorisation) {
        tracing::warn!(%error, "an authorisation could not be ended");
    }
    let text = outcome?;
    if let Err(error) = inner.bury_keys() {
        tracing::warn!(%error, "spent keys are kept until the next sync");
    }
    inner.tell("documents", "shown");
    Ok(Answer { text, document: document.to_owned(), fields: showing.fields, expires_at: request.exp() })
}

/// An act that a full disk broke off after it had begun is settled before the next one, as [`crate::Wallet::unlock`] does after a kill: its copy is
/// spent, its entry says that it failed. There is no other act: the caller has the showing to himself.
fn settle(inner: &Inner) -> Result<(), WalletError> {
    if inner.read(consent::is_interrupted)? {
        inner.write(|db| {
            copies::spend_reserved(db)?;
            consent::fail_interrupted(db)
        })?;
    }
    Ok(())
}

/// See [`PendingRequest::decline`].
pub(super) fn decline(pending: &PendingRequest) -> Result<(), WalletError> {
    let inner = &*pending.inner;
    let _showing = inner.showing()?;
    let reason = pending.verdict.failed().first().map_or("", |fact| fact.as_str());
    let entry = entry(pending, inner.now(), "", &[], None, ConsentOutcome::Declined, reason);
    inner.write(|db| consent::insert(db, &entry))?;
    Ok(())
}

/// The request, when it may be answered at all: verified, and still within its time at this moment.
fn answerable(pending: &PendingRequest, now: Timestamp) -> Result<&VerifiedRequest, WalletError> {
    if let Some(fact) = pending.refusal() {
        return Err(WalletError::Untrusted(fact));
    }
    let request = pending.verified.as_ref().ok_or(WalletError::Unchecked(FactName::RequestSignature))?;
    if now > request.exp().plus_secs(CLOCK_SKEW) {
        return Err(WalletError::Expired("request"));
    }
    Ok(request)
}

/// The chosen fields, without repeats. Each must have been asked for, must be there, and must not be over-asked.
fn checked_selection(pending: &PendingRequest, document: &str, fields: &[String]) -> Result<Vec<String>, WalletError> {
    let mut chosen: Vec<String> = Vec::new();
    for field in fields {
        let item = pending.items.iter().find(|item| item.document == document && item.field == *field);
        let item = item.ok_or(WalletError::Parameter("selection"))?;
        if item.over_ask {
            return Err(WalletError::Untrusted(FactName::RequestRole));
        }
        if !item.available {
            return Err(WalletError::Parameter("selection"));
        }
        if !chosen.contains(field) {
            chosen.push(field.clone());
        }
    }
    if chosen.is_empty() { Err(WalletError::Parameter("nothing-chosen")) } else { Ok(chosen) }
}

/// The copy with the chosen disclosures only.
fn presented(copy: &Copy, keys: &[i64]) -> Result<Vec<u8>, WalletError> {
    let token = SdCwt::decode(&copy.sd_cwt).map_err(|_| WalletError::Internal("stored SD-CWT"))?;
    if *token.holder_key() != copy.public_key {
        return Err(WalletError::Internal("stored holder key"));
    }
    token.select(keys).map_err(|_| WalletError::Parameter("selection"))
}

fn entry<'a>(
    pending: &'a PendingRequest,
    at: Timestamp,
    document: &'a str,
    fields: &'a [String],
    copy_set: Option<i64>,
    outcome: ConsentOutcome,
    reason: &'a str,
) -> NewEntry<'a> {
    NewEntry { at, request_hash: &pending.hash, request: &pending.bytes, who: pending.who(), document, fields, copy_set, outcome, reason }
}

impl Showing<'_> {
    fn inner(&self) -> &Inner {
        &self.pending.inner
    }

    /// Reserve and intent, sign, spend and log, then the text.
    fn run(&self, authorisation: &AuthorisationId) -> Result<String, WalletError> {
        let intent = self.reserve()?;
        // From here on the copy is known as begun by the database itself, not by its log alone: a log that loses its end cannot bring it back.
        self.inner().checkpoint()?;
        let signed = self.sealed(|message| Ok(self.inner().keys().sign(Some(authorisation), &self.copy.key_id, message)?));
        self.inner().write(|db| {
            // Whatever came of it, this copy is never shown again.
            copies::spend(db, self.copy.id)?;
            if signed.is_ok() {
                return consent::finish(db, intent, ConsentOutcome::Shown, "");
            }
            // Nothing left the wallet: the request may be answered with another copy.
            consent::release_answer(db, &self.pending.hash)?;
            consent::finish(db, intent, ConsentOutcome::Failed, "not signed")
        })?;
        signed
    }

    /// One transaction: the request's one answer is taken, the copy is reserved, the intent is written.
    fn reserve(&self) -> Result<i64, WalletError> {
        let now = self.inner().now();
        let keep_until = self.request.exp().max(now).plus_secs(REMEMBER_SECS);
        self.inner().write(|db| {
            if !consent::take_answer(db, &self.pending.hash, keep_until, now)? {
                return Err(WalletError::AnsweredBefore);
            }
            if !copies::reserve(db, self.copy.id)? {
                return Err(WalletError::NoCopyLeft);
            }
            consent::insert(db, &entry(self.pending, now, self.document, &self.fields, Some(self.copy.id), ConsentOutcome::Open, ""))
        })
    }

    /// Key binding token around the presented copy, encrypted to the request's key.
    fn sealed(&self, sign: impl FnOnce(&[u8]) -> Result<[u8; 64], WalletError>) -> Result<String, WalletError> {
        let prepared = kbt::prepare(&self.presented, &self.claims).map_err(|_| WalletError::Internal("key binding token"))?;
        let signature = sign(prepared.to_be_signed())?;
        let token = prepared.finish(&signature).map_err(|_| WalletError::Internal("key binding token"))?;
        seal(&token, self.request, &self.inner().random).map_err(|error| match error {
            ExchangeError::TooLarge => WalletError::Parameter("selection: too large for one symbol"),
            _ => WalletError::Internal("answer"),
        })
    }

    /// The act was not given: logged; a key that is gone for ever takes its copy with it.
    fn not_authorised(&self, error: PortError) -> Result<(), WalletError> {
        let (outcome, reason) = match error {
            PortError::Cancelled => (ConsentOutcome::Declined, ""),
            PortError::KeyInvalidated => (ConsentOutcome::Failed, "key-invalidated"),
            _ => (ConsentOutcome::Failed, "not-authorised"),
        };
        let now = self.inner().now();
        self.inner().write(|db| {
            if error == PortError::KeyInvalidated {
                copies::spend(db, self.copy.id)?;
            }
            consent::insert(db, &entry(self.pending, now, self.document, &self.fields, None, outcome, reason))?;
            Ok(())
        })
    }
}

fn declined_or(error: PortError) -> WalletError {
    if error == PortError::Cancelled { WalletError::Declined } else { WalletError::Port(error) }
}
