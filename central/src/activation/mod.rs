//! Activation: a session collects the factors chip, code and face, each a fact; then one transaction makes the device the citizen's only one.
//!
//! Order matters twice: the session opens (nonce and account id are fixed, the device key is committed) before the chip signs, and the chip
//! comes before code and face, since it says whose telephone and whose face. Every step may be repeated with the same input and gives the same
//! answer, so that a phone that died goes on.
//!
//! Other services (registry, messages, faces) are asked with no transaction and no connection held: the try is counted and committed, the service
//! is asked, and a second transaction looks at the session as it is by then before it writes what came of it.

mod complete;
mod factors;
mod notices;
mod session;
mod tries;

use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};
use wallet_base::crypto::PublicKey;
use wallet_base::jose::b64u;

use self::session::Session;
pub(crate) use self::session::statement;
use crate::clock;
use crate::error::{ApiError, CentralError};
use crate::service::Service;

/// From `open` until the chip's evidence must have come.
pub(crate) const CHIP_LIFE: i64 = 300;
/// From `open` until completion.
pub(crate) const SESSION_LIFE: i64 = 30 * 60;
/// A session is kept this long; the one of a citizen's present device stays for as long as it is that.
pub(crate) const KEEP: i64 = 24 * 3600;
/// A code can be entered this long.
const CODE_LIFE: i64 = 10 * 60;
const CODE_TRIES: i64 = 5;
const CODE_SENDS: i64 = 5;
const FACE_TRIES: i64 = 5;
const CHIP_TRIES: i64 = 5;
/// The one action that activation serves; the chip signs its name.
const ACTION: &str = "activate";
/// Largest evidence in bytes: SOD, DG1, DG2, DG14, DG15.
const MAX_EVIDENCE: usize = 160 * 1024;

const EXPIRED: ApiError = ApiError::new(410, "expired_session", "the session's time is over");
const TRIES: ApiError = ApiError::new(403, "tries_exhausted", "no tries left in this session");
const WRONG_STATE: ApiError = ApiError::new(409, "wrong_state", "this step does not come now");

/// Body of `POST /activation/open`.
#[derive(Deserialize)]
pub(crate) struct Open {
    device_key: Value,
    action: String,
}

/// Body of `POST /activation/chip`.
#[derive(Deserialize)]
pub(crate) struct Chip {
    session: String,
    evidence: String,
    proof: String,
}

/// Body of `POST /activation/code`.
#[derive(Deserialize)]
pub(crate) struct SessionOnly {
    session: String,
}

/// Body of `POST /activation/code/verify`.
#[derive(Deserialize)]
pub(crate) struct Code {
    session: String,
    code: String,
}

/// Body of `POST /activation/face`.
#[derive(Deserialize)]
pub(crate) struct Face {
    session: String,
    image: String,
}

/// Body of `POST /activation/complete`.
#[derive(Deserialize)]
pub(crate) struct Complete {
    session: String,
    proof: String,
}

impl Service {
    /// `POST /activation/open`.
    pub(crate) fn activation_open(&self, body: &Open) -> Result<Value, ApiError> {
        self.accept_key_store()?;
        if body.action != ACTION {
            return Err(ApiError::invalid("unknown action"));
        }
        if body.device_key.get("d").is_some() {
            return Err(ApiError::invalid("the device key holds a private key"));
        }
        let key = PublicKey::from_jwk(&body.device_key).map_err(|_| ApiError::invalid("the device key cannot be used"))?;
        if key.curve() != wallet_base::crypto::Curve::P256 {
            return Err(ApiError::invalid("the device key is not on P-256"));
        }
        let (session, account) = (b64u(&self.random_bytes::<16>()), b64u(&self.random_bytes::<16>()));
        let nonce = self.random_bytes::<32>();
        let now = self.now();
        let mut connection = self.db();
        let transaction = clock::begin(&mut connection, now)?;
        transaction.execute(
            "INSERT INTO sessions (id, account, nonce, action, device_key, thumbprint, opened_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![session, account, nonce.as_slice(), ACTION, key.to_jwk().to_string(), key.thumbprint().as_slice(), now.unix()],
        )?;
        transaction.commit().map_err(CentralError::from)?;
        // For which key: an answer that another device got says so.
        let device = b64u(&key.thumbprint());
        Ok(json!({"session": session, "account": account, "nonce": b64u(&nonce), "expires_in": CHIP_LIFE, "device": device}))
    }

    /// `GET /activation/state`.
    pub(crate) fn activation_state(&self, session: &str) -> Result<Value, ApiError> {
        let session = Session::load(&self.reader(), session)?;
        session.alive(self.now())?;
        Ok(json!({"session": session.id, "state": session.state(), "factors": session.facts, "tries_left": session.tries_left()}))
    }
}

/// What a message calls a device: the first characters of its key's thumbprint, which the phone shows too.
fn device_name(key: &PublicKey) -> String {
    b64u(&key.thumbprint()).chars().take(8).collect()
}
