//! The account's session with the service: an access token bound to the account key, renewed when it must be.
//!
//! A token that was lost on the way (killed between the answer and the store) costs nothing: the account key asks for a new offer.

use serde_json::Value;
use wallet_base::fact::Outcome;

use crate::activation::{self, rows};
use crate::clock;
use crate::dpop::AccountKey;
use crate::error::WalletError;
use crate::inner::Inner;
use crate::issuance::{self, Offer};
use crate::service::Grant;
use crate::sync;

/// An access token that ends sooner than this is renewed first.
const MARGIN_SECS: i64 = 15;
/// New offers asked for in one renewal.
const FRESH_OFFERS: usize = 2;

/// GET of a protected resource.
pub(crate) fn get(inner: &Inner, path: &str) -> Result<Value, WalletError> {
    call(inner, path, None)
}

/// POST to a protected resource.
pub(crate) fn post(inner: &Inner, path: &str, body: &Value) -> Result<Value, WalletError> {
    call(inner, path, Some(body))
}

/// A call of the account, and what it learns by the way: the service's time, and whether the account moved to another device.
fn call(inner: &Inner, path: &str, body: Option<&Value>) -> Result<Value, WalletError> {
    let result = call_once_more(inner, path, body);
    clock::observe_service(inner)?;
    if matches!(result, Err(WalletError::AccountEnded)) {
        // Written down by whatever meets it first: the next step is an activation, and nothing here can be shown any more.
        sync::end_account(inner)?;
    }
    result.map_err(|error| clock_first(inner, error))
}

fn call_once_more(inner: &Inner, path: &str, body: Option<&Value>) -> Result<Value, WalletError> {
    let Access { key, token, kept } = access(inner)?;
    match inner.service.protected(&inner.signer(&key), &token, path, body) {
        // RFC 6750, 3.1: the token was ended before its time. One new one, then the answer counts.
        Err(WalletError::Service { status: 401, .. }) if kept => {
            inner.write(|db| rows::drop_access_token(db))?;
            let token = renew(inner, &key)?;
            inner.service.protected(&inner.signer(&key), &token, path, body)
        }
        other => other,
    }
}

/// The account's key and a token bound to it.
struct Access {
    key: AccountKey,
    token: String,
    /// The token was at hand: the service may have ended it since.
    kept: bool,
}

fn access(inner: &Inner) -> Result<Access, WalletError> {
    let key = account(inner)?;
    let tokens = inner.read(rows::tokens)?;
    let usable = tokens.access.filter(|_| tokens.expires_at > inner.now().plus_secs(MARGIN_SECS));
    let kept = usable.is_some();
    let token = match usable {
        Some(token) => token,
        None => renew(inner, &key)?,
    };
    Ok(Access { key, token, kept })
}

fn account(inner: &Inner) -> Result<AccountKey, WalletError> {
    let (key, ended) = inner.read(|db| Ok((rows::account_key(db)?, rows::is_ended(db)?)))?;
    if ended {
        return Err(WalletError::AccountEnded);
    }
    key.ok_or(WalletError::WrongStep)
}

/// A new access token. What the service says instead of giving one is told as that: it is no answer to the call that needed the token.
fn renew(inner: &Inner, key: &AccountKey) -> Result<String, WalletError> {
    new_token(inner, key).map_err(|error| match error {
        WalletError::Answer(_) | WalletError::Service { .. } => WalletError::NoToken(Box::new(error)),
        other => other,
    })
}

/// By the refresh token, else by the offer at hand, else by a new offer.
fn new_token(inner: &Inner, key: &AccountKey) -> Result<String, WalletError> {
    let metadata = issuance::metadata(inner)?;
    let refresh = inner.read(rows::tokens)?.refresh;
    if let Some(refresh) = refresh
        && let Some(access) = granted(inner, key, &metadata.token, &Grant::Refresh(&refresh))?
    {
        return Ok(access);
    }
    let offer = inner.read(rows::load)?.and_then(|activation| activation.offer);
    if let Some(offer) = offer
        && let Some(access) = redeem(inner, key, &metadata.token, &offer)?
    {
        return Ok(access);
    }
    // A code that was made a moment ago and is refused was used by another try of the same message: it says nothing of the account, and the
    // next code is good.
    for _ in 0..FRESH_OFFERS {
        let offer = activation::fresh_offer(inner).map_err(ended_elsewhere)?;
        if let Some(access) = redeem(inner, key, &metadata.token, &offer)? {
            return Ok(access);
        }
    }
    Err(WalletError::Answer("token"))
}

fn redeem(inner: &Inner, key: &AccountKey, path: &str, offer: &str) -> Result<Option<String>, WalletError> {
    let offer = issuance::read_offer(inner, offer)?;
    granted(inner, key, path, &Grant::PreAuthorized(&offer.code))
}

/// The token of a grant, stored; `None` when the service does not take the grant (RFC 6749, 5.2).
fn granted(inner: &Inner, key: &AccountKey, path: &str, grant: &Grant<'_>) -> Result<Option<String>, WalletError> {
    let tokens = match inner.service.token(&inner.signer(key), path, grant) {
        Err(WalletError::Service { code, .. }) if code == "invalid_grant" => return Ok(None),
        other => other?,
    };
    let now = inner.now();
    inner.write(|db| rows::set_tokens(db, &tokens, now))?;
    Ok(Some(tokens.access))
}

/// Nothing else ends an account: what is here would be lost with it.
fn ended_elsewhere(error: WalletError) -> WalletError {
    if error.is_replaced() { WalletError::AccountEnded } else { error }
}

/// A refused DPoP proof means most of all that the clocks differ. The service's own time has been noted: the fact `clock` tells.
fn clock_first(inner: &Inner, error: WalletError) -> WalletError {
    if let WalletError::NoToken(why) = error {
        return WalletError::NoToken(Box::new(clock_first(inner, *why)));
    }
    let refused = matches!(&error, WalletError::Service { code, .. } if code == "invalid_dpop_proof");
    match clock::fact(inner).map(|fact| fact.outcome()) {
        Ok(Outcome::Failed | Outcome::NotChecked) if refused => WalletError::Clock,
        _ => error,
    }
}

/// What the offer at hand offers; a new one is asked for when there is none.
pub(crate) fn offered(inner: &Inner) -> Result<Offer, WalletError> {
    let offer = inner.read(rows::load)?.and_then(|activation| activation.offer).ok_or(WalletError::WrongStep)?;
    issuance::read_offer(inner, &offer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: &str) -> WalletError {
        WalletError::Service { status, code: code.to_owned() }
    }

    #[test]
    fn bad_input_only_the_word_of_a_replaced_device_ends_the_account() {
        assert!(matches!(ended_elsewhere(refused(409, "device_conflict")), WalletError::AccountEnded));
        for (status, code) in
            [(409, "wrong_state"), (409, ""), (401, "invalid_token"), (401, "invalid_dpop_proof"), (401, ""), (400, "device_conflict")]
        {
            assert!(matches!(ended_elsewhere(refused(status, code)), WalletError::Service { .. }), "{status} {code}");
        }
    }
}
