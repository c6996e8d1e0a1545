//! The activation's row and the account's row: what survives a kill.

use rusqlite::{Connection, OptionalExtension, params};
use wallet_base::crypto::{Curve, PublicKey};
use wallet_base::fact::Fact;
use wallet_base::time::Timestamp;
use wallet_platform::ports::KeyId;

use super::Step;
use crate::dpop::AccountKey;
use crate::error::WalletError;
use crate::facts;
use crate::service::Tokens;

/// One activation.
#[derive(Clone)]
pub(crate) struct Activation {
    pub(crate) step: Step,
    pub(crate) session: String,
    pub(crate) account: String,
    pub(crate) nonce: [u8; 32],
    pub(crate) expires_at: Timestamp,
    pub(crate) evidence: Option<Vec<u8>>,
    pub(crate) wallet_facts: Vec<Fact>,
    pub(crate) central_facts: Vec<Fact>,
    pub(crate) tries_left: Option<u32>,
    pub(crate) offer: Option<String>,
}

pub(crate) fn load(db: &Connection) -> Result<Option<Activation>, WalletError> {
    type Row = (String, String, String, Vec<u8>, i64, Option<Vec<u8>>, String, String, Option<u32>, Option<String>);
    let row: Option<Row> = db
        .query_row(
            "SELECT step, session, account, nonce, expires_at, evidence, wallet_facts, central_facts, tries_left, offer FROM activation",
            [],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?, r.get(7)?, r.get(8)?, r.get(9)?)),
        )
        .optional()?;
    let Some((step, session, account, nonce, expires_at, evidence, wallet_facts, central_facts, tries_left, offer)) = row else {
        return Ok(None);
    };
    let broken = || WalletError::Internal("activation row");
    Ok(Some(Activation {
        step: Step::read(&step).ok_or_else(broken)?,
        session,
        account,
        nonce: nonce.try_into().map_err(|_| broken())?,
        expires_at: Timestamp::from_unix(expires_at),
        evidence,
        wallet_facts: facts::from_json(&wallet_facts).ok_or_else(broken)?,
        central_facts: facts::from_json(&central_facts).ok_or_else(broken)?,
        tries_left,
        offer,
    }))
}

/// Writes the whole row: the one way a step is taken.
pub(crate) fn save(db: &Connection, activation: &Activation, now: Timestamp) -> Result<(), WalletError> {
    db.execute(
        "INSERT INTO activation (only, step, session, account, nonce, opened_at, expires_at, evidence, wallet_facts, central_facts, tries_left, offer)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (only) DO UPDATE SET step = ?1, session = ?2, account = ?3, nonce = ?4, expires_at = ?6, evidence = ?7,
           wallet_facts = ?8, central_facts = ?9, tries_left = ?10, offer = ?11",
        params![
            activation.step.as_str(),
            activation.session,
            activation.account,
            &activation.nonce[..],
            now.unix(),
            activation.expires_at.unix(),
            activation.evidence,
            facts::to_json(&activation.wallet_facts),
            facts::to_json(&activation.central_facts),
            activation.tries_left,
            activation.offer
        ],
    )?;
    Ok(())
}

/// The account key, once created.
pub(crate) fn account_key(db: &Connection) -> Result<Option<AccountKey>, WalletError> {
    let row: Option<(String, Vec<u8>)> =
        db.query_row("SELECT key_id, public_key FROM account", [], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    row.map(|(id, point)| {
        let public = PublicKey::from_sec1(Curve::P256, &point).map_err(|_| WalletError::Internal("account key"))?;
        Ok(AccountKey { id: KeyId(id), public })
    })
    .transpose()
}

/// Remembers a new account key; an account under an older key is forgotten with its tokens.
pub(crate) fn set_account_key(db: &Connection, key: &AccountKey) -> Result<(), WalletError> {
    db.execute("INSERT OR IGNORE INTO dead_key (key_id) SELECT key_id FROM account", [])?;
    db.execute("DELETE FROM account", [])?;
    db.execute("INSERT INTO account (only, key_id, public_key) VALUES (1, ?1, ?2)", params![key.id.0, key.public.to_sec1()])?;
    Ok(())
}

/// The account is active.
pub(crate) fn set_account(db: &Connection, account: &str, level: u32) -> Result<(), WalletError> {
    db.execute("UPDATE account SET account = ?1, level = ?2, ended = 0", params![account, level])?;
    Ok(())
}

/// The account moved to another device: its tokens are of no use any more, and only a new activation helps.
pub(crate) fn end_account(db: &Connection) -> Result<(), WalletError> {
    db.execute("UPDATE account SET ended = 1, access_token = NULL, refresh_token = NULL, expires_at = NULL", [])?;
    db.execute("UPDATE activation SET step = ?1, offer = NULL", [Step::NotStarted.as_str()])?;
    Ok(())
}

/// Whether the account moved to another device.
pub(crate) fn is_ended(db: &Connection) -> Result<bool, WalletError> {
    Ok(db.query_row("SELECT ended FROM account", [], |r| r.get::<_, bool>(0)).optional()?.unwrap_or(false))
}

/// Tokens as they are kept.
pub(crate) struct KeptTokens {
    pub(crate) access: Option<String>,
    pub(crate) refresh: Option<String>,
    pub(crate) expires_at: Timestamp,
}

pub(crate) fn tokens(db: &Connection) -> Result<KeptTokens, WalletError> {
    let row = db
        .query_row("SELECT access_token, refresh_token, COALESCE(expires_at, 0) FROM account", [], |r| {
            Ok(KeptTokens { access: r.get(0)?, refresh: r.get(1)?, expires_at: Timestamp::from_unix(r.get(2)?) })
        })
        .optional()?;
    Ok(row.unwrap_or(KeptTokens { access: None, refresh: None, expires_at: Timestamp::from_unix(0) }))
}

/// Keeps new tokens; an answer without a refresh token leaves the old one (RFC 6749, 6).
pub(crate) fn set_tokens(db: &Connection, tokens: &Tokens, now: Timestamp) -> Result<(), WalletError> {
    db.execute(
        "UPDATE account SET access_token = ?1, refresh_token = COALESCE(?2, refresh_token), expires_at = ?3",
        params![tokens.access, tokens.refresh, now.plus_secs(tokens.expires_in).unix()],
    )?;
    Ok(())
}

/// Forgets an access token that the service no longer takes.
pub(crate) fn drop_access_token(db: &Connection) -> Result<(), WalletError> {
    db.execute("UPDATE account SET access_token = NULL, expires_at = NULL", [])?;
    Ok(())
}
