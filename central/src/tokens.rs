//! The token endpoint: pre-authorized codes out of an activation, access and refresh tokens bound to the account key and the device epoch.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};
use wallet_base::crypto::{PublicKey, ct_eq, sha256};
use wallet_base::jose::b64u;
use wallet_base::time::Timestamp;

use crate::clock;
use crate::config::DAY;
use crate::dpop::Expected;
use crate::error::{ApiError, CentralError};
use crate::service::Service;

/// Grant type of OpenID4VCI 1.0, section 6.1.
pub(crate) const PRE_AUTHORIZED: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
/// Life of a pre-authorized code.
const CODE_LIFE: i64 = 15 * 60;
/// Life of an access token.
const ACCESS_LIFE: i64 = 600;
/// Life of a refresh token; a device that stays away longer activates again.
pub(crate) const REFRESH_LIFE: i64 = 400 * DAY;

/// Who a request is from.
pub(crate) struct Caller {
    pub(crate) citizen: String,
    pub(crate) epoch: i64,
}

/// Form of `POST /token`.
#[derive(serde::Deserialize)]
pub(crate) struct TokenForm {
    grant_type: String,
    #[serde(rename = "pre-authorized_code")]
    code: Option<String>,
    refresh_token: Option<String>,
}

const fn grant(description: &'static str) -> ApiError {
    ApiError::new(400, "invalid_grant", description)
}

impl Service {
    /// The pre-authorized code number `number` of a session. It is derived, so that the same offer can be given again without storing the code.
    pub(crate) fn code(&self, session: &str, number: i64) -> String {
        b64u(&self.keyed("pre-authorized code", format!("{session} {number}").as_bytes()))
    }

    /// Notes an offer; its code may be used once.
    pub(crate) fn note_offer(
        &self,
        connection: &Connection,
        citizen: &str,
        session: &str,
        number: i64,
        epoch: i64,
    ) -> Result<(), CentralError> {
        let hash = sha256(self.code(session, number).as_bytes());
        let until = self.now().plus_secs(CODE_LIFE).unix();
        connection.execute(
            "INSERT INTO offers (citizen, hash, session, epoch, until) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![citizen, hash.as_slice(), session, epoch, until],
        )?;
        Ok(())
    }

    /// Whether the code of an offer can still be used.
    pub(crate) fn offer_lives(&self, connection: &Connection, session: &str, number: i64) -> Result<bool, CentralError> {
        let hash = sha256(self.code(session, number).as_bytes());
        let lives: Option<bool> = connection
            .query_row("SELECT used_at IS NULL AND until > ?2 FROM offers WHERE hash = ?1", (hash.as_slice(), self.now().unix()), |row| {
                row.get(0)
            })
            .optional()?;
        Ok(lives.unwrap_or(false))
    }

    /// The offer as OpenID4VCI 1.0, section 4.1.1 writes it.
    pub(crate) fn offer(&self, session: &str, number: i64) -> Value {
        let ids: Vec<String> = crate::metadata::configurations().map(|(id, _, _)| id).collect();
        json!({
            "credential_issuer": self.config.public_url,
            "credential_configuration_ids": ids,
            "grants": { (PRE_AUTHORIZED): { "pre-authorized_code": self.code(session, number) } },
        })
    }

    /// `POST /token`.
    pub(crate) fn token(&self, proof: Option<&str>, form: &TokenForm) -> Result<Value, ApiError> {
        let proof = proof.ok_or(ApiError::new(400, "invalid_dpop_proof", "no DPoP proof"))?;
        let mut connection = self.db();
        let url = format!("{}/token", self.config.public_url);
        // The jti stays used whatever comes of the request, so it is noted outside the transaction below.
        let key = self.check_dpop(&connection, proof, &Expected { method: "POST", url: &url, access_token: None })?;
        match form.grant_type.as_str() {
            PRE_AUTHORIZED => {
                let code = form.code.as_deref().ok_or(ApiError::invalid("no pre-authorized_code"))?;
                self.token_by_code(&mut connection, code, &key)
            }
            "refresh_token" => {
                let token = form.refresh_token.as_deref().ok_or(ApiError::invalid("no refresh_token"))?;
                self.token_by_refresh(&mut connection, token, &key)
            }
            _ => Err(ApiError::new(400, "unsupported_grant_type", "another grant type")),
        }
    }

    fn token_by_code(&self, connection: &mut Connection, code: &str, key: &PublicKey) -> Result<Value, ApiError> {
        let now = self.now();
        let transaction = clock::begin(connection, now)?;
        let hash = sha256(code.as_bytes());
        let offer: Option<(String, i64, i64, Option<i64>)> = transaction
            .query_row("SELECT citizen, epoch, until, used_at FROM offers WHERE hash = ?1", [hash.as_slice()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let (citizen, epoch, until, used) = offer.ok_or(grant("unknown code"))?;
        if used.is_some() {
            return Err(grant("the code was used"));
        }
        if until <= now.unix() {
            return Err(grant("the code expired"));
        }
        let account = account(&transaction, &citizen)?;
        if account.epoch != epoch {
            return Err(grant("device-replaced"));
        }
        if !ct_eq(&account.thumbprint, &key.thumbprint()) {
            return Err(grant("the code belongs to another key"));
        }
        transaction.execute("UPDATE offers SET used_at = ?2 WHERE hash = ?1", (hash.as_slice(), now.unix()))?;
        // Nothing of an earlier code lives on.
        end_tokens(&transaction, &citizen, epoch, now)?;
        let refresh = b64u(&self.random_bytes::<32>());
        store_token(&transaction, &citizen, &refresh, "refresh", epoch, key, now.plus_secs(REFRESH_LIFE))?;
        let access = b64u(&self.random_bytes::<32>());
        store_token(&transaction, &citizen, &access, "access", epoch, key, now.plus_secs(ACCESS_LIFE))?;
        transaction.commit().map_err(CentralError::from)?;
        Ok(token_answer(&access, &refresh))
    }

    fn token_by_refresh(&self, connection: &mut Connection, refresh: &str, key: &PublicKey) -> Result<Value, ApiError> {
        let now = self.now();
        let transaction = clock::begin(connection, now)?;
        let caller = find_token(&transaction, refresh, "refresh", key, now)?.ok_or(grant("unknown or ended refresh token"))?;
        if account(&transaction, &caller.citizen)?.epoch != caller.epoch {
            return Err(grant("device-replaced"));
        }
        let access = b64u(&self.random_bytes::<32>());
        store_token(&transaction, &caller.citizen, &access, "access", caller.epoch, key, now.plus_secs(ACCESS_LIFE))?;
        transaction.commit().map_err(CentralError::from)?;
        Ok(token_answer(&access, refresh))
    }

    /// Checks the access token and its DPoP proof of an authenticated request (RFC 9449, 7.1).
    pub(crate) fn authenticate(
        &self,
        connection: &Connection,
        authorization: Option<&str>,
        proof: Option<&str>,
        method: &str,
        path: &str,
    ) -> Result<Caller, ApiError> {
        let denied = |description| ApiError::new(401, "invalid_token", description);
        let token = authorization
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, token)| scheme.eq_ignore_ascii_case("DPoP") && !token.is_empty() && token.len() <= 128)
            .map(|(_, token)| token)
            .ok_or(denied("no DPoP access token"))?;
        let proof = proof.ok_or(ApiError::new(401, "invalid_dpop_proof", "no DPoP proof"))?;
        let url = format!("{}{path}", self.config.public_url);
        let key = self
            .check_dpop(connection, proof, &Expected { method, url: &url, access_token: Some(token) })
            .map_err(|error| ApiError { status: if error.status == 400 { 401 } else { error.status }, ..error })?;
        let caller = find_token(connection, token, "access", &key, self.now())?.ok_or(denied("unknown or expired token"))?;
        still_current(connection, &caller)?;
        Ok(caller)
    }
}

/// Whether the caller's device is the citizen's device now. Asked again in a transaction that began after the caller was known.
pub(crate) fn still_current(connection: &Connection, caller: &Caller) -> Result<(), ApiError> {
    if account(connection, &caller.citizen)?.epoch == caller.epoch {
        Ok(())
    } else {
        Err(ApiError::new(401, "invalid_token", "device-replaced"))
    }
}

fn token_answer(access: &str, refresh: &str) -> Value {
    json!({"access_token": access, "token_type": "DPoP", "expires_in": ACCESS_LIFE, "refresh_token": refresh})
}

/// The account row that tokens are checked against.
struct Account {
    epoch: i64,
    thumbprint: Vec<u8>,
}

fn account(connection: &Connection, citizen: &str) -> Result<Account, ApiError> {
    connection
        .query_row("SELECT device_epoch, thumbprint FROM accounts WHERE citizen = ?1", [citizen], |row| {
            Ok(Account { epoch: row.get(0)?, thumbprint: row.get::<_, Option<Vec<u8>>>(1)?.unwrap_or_default() })
        })
        .optional()?
        .ok_or(ApiError::new(401, "invalid_token", "no such account"))
}

fn store_token(
    connection: &Connection,
    citizen: &str,
    token: &str,
    kind: &str,
    epoch: i64,
    key: &PublicKey,
    until: Timestamp,
) -> Result<(), CentralError> {
    connection.execute(
        "INSERT INTO tokens (citizen, hash, kind, epoch, thumbprint, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![citizen, sha256(token.as_bytes()).as_slice(), kind, epoch, key.thumbprint().as_slice(), until.unix()],
    )?;
    Ok(())
}

/// The owner of a living token that was made for this key.
fn find_token(connection: &Connection, token: &str, kind: &str, key: &PublicKey, now: Timestamp) -> Result<Option<Caller>, ApiError> {
    let row: Option<(String, i64, Vec<u8>)> = connection
        .query_row(
            "SELECT citizen, epoch, thumbprint FROM tokens WHERE hash = ?1 AND kind = ?2 AND until > ?3 AND ended_at IS NULL",
            (sha256(token.as_bytes()).as_slice(), kind, now.unix()),
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    Ok(row.filter(|(_, _, thumbprint)| ct_eq(thumbprint, &key.thumbprint())).map(|(citizen, epoch, _)| Caller { citizen, epoch }))
}

/// Ends every token of a citizen's device. Those of an earlier device are refused by their epoch.
fn end_tokens(connection: &Connection, citizen: &str, epoch: i64, now: Timestamp) -> Result<(), CentralError> {
    connection
        .execute("UPDATE tokens SET ended_at = ?3 WHERE citizen = ?1 AND epoch = ?2 AND ended_at IS NULL", (citizen, epoch, now.unix()))?;
    Ok(())
}
