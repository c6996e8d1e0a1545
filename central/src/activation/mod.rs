//! Activation: a session collects the factors chip, code and face, each a fact; then one transaction makes the device the citizen's only one.
//!
//! Order matters twice: the session opens (nonce and account id are fixed, the device key is committed) before the chip signs, and the chip
//! comes before code and face, since it says whose telephone and whose face. Every step may be repeated with the same input and gives the same
//! answer, so that a phone that died goes on.

mod session;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Value, json};
use wallet_base::crypto::{PublicKey, ct_eq, sha256};
use wallet_base::fact::{By, Fact, FactName, Outcome};
use wallet_base::jose::{b64u, b64u_decode};
use wallet_base::time::{Date, Timestamp};

use self::session::Session;
pub(crate) use self::session::statement;
use crate::adapters::{FaceAnswer, Message};
use crate::cards::{Card, Judgement};
use crate::db;
use crate::error::{ApiError, CentralError};
use crate::registry::Citizen;
use crate::service::{Service, fact_json, note_change};

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
/// Codes sent, codes tried and faces tried in all sessions of one citizen in a day: whoever has a card and opens session after session
/// gets no further.
const DAY_TRIES: i64 = 20;
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
        self.db().execute(
            "INSERT INTO sessions (id, account, nonce, action, device_key, thumbprint, opened_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![session, account, nonce.as_slice(), ACTION, key.to_jwk().to_string(), key.thumbprint().as_slice(), self.now().unix()],
        )?;
        Ok(json!({"session": session, "account": account, "nonce": b64u(&nonce), "expires_in": CHIP_LIFE}))
    }

    /// `POST /activation/chip`.
    pub(crate) fn activation_chip(&self, body: &Chip) -> Result<Value, ApiError> {
        let now = self.now();
        let mut connection = self.db();
        let transaction = db::write(&mut connection)?;
        let mut session = Session::load(&transaction, &body.session)?;
        session.alive(now)?;
        let evidence = b64u_decode(&body.evidence).map_err(|_| ApiError::invalid("the evidence is not base64url"))?;
        if evidence.len() > MAX_EVIDENCE {
            return Err(ApiError::invalid("the evidence is too large"));
        }
        let hash = sha256(&evidence);
        let statement = session.statement(&body.proof)?;
        if statement.text("evidence_sha256") != Some(b64u(&hash).as_str()) {
            return Err(ApiError::proof("the proof is for other evidence"));
        }
        if session.chip_at.is_some() {
            let same: bool = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM evidence WHERE sha256 = ?1 AND session = ?2)",
                (hash.as_slice(), &session.id),
                |row| row.get(0),
            )?;
            if !same {
                return Err(WRONG_STATE);
            }
            let facts = session.facts_named(|name, about| name.starts_with("chip.") || about == "card");
            return Ok(json!({"facts": facts, "state": session.state()}));
        }
        if now > session.opened.plus_secs(CHIP_LIFE) {
            return Err(EXPIRED);
        }
        if session.chip_tries >= CHIP_TRIES {
            return Err(TRIES);
        }
        let used: bool =
            transaction.query_row("SELECT EXISTS (SELECT 1 FROM evidence WHERE sha256 = ?1)", [hash.as_slice()], |row| row.get(0))?;
        if used {
            return Err(ApiError::new(409, "evidence_reused", "this evidence was used before"));
        }
        let trust = crate::cards::Trust::load(&self.dir)?;
        // The try counts whatever comes of it, so it is committed before anything is judged.
        session.chip_tries += 1;
        transaction.execute("UPDATE sessions SET chip_tries = ?2 WHERE id = ?1", (&session.id, session.chip_tries))?;
        transaction.commit().map_err(CentralError::from)?;

        let challenge = crate::cards::challenge(&session.id, &session.nonce, ACTION, &session.account, &session.key.thumbprint());
        let Judgement { mut facts, card } = trust.judge(&evidence, challenge, now)?;
        let transaction = db::write(&mut connection)?;
        let genuine = card.filter(|_| facts.iter().all(|fact| fact.outcome() != Outcome::Failed));
        // The registry is asked only about a genuine card, else anybody could learn whose card is current.
        if let Some(card) = genuine {
            if let Some(citizen) = self.current_holder(&card, now) {
                facts.push(Fact::passed(FactName::AccountFactors, By::Central).about("card"));
                accept_chip(&transaction, &mut session, &citizen.personal_number, &card.face, &evidence, now)?;
            } else {
                facts.push(
                    Fact::failed(FactName::AccountFactors, By::Central, "the registry does not know this card as current").about("card"),
                );
            }
        } else {
            facts.push(Fact::not_checked(FactName::AccountFactors, By::Central, "the card is not proven").about("card"));
        }
        session.keep_facts(&transaction, &facts)?;
        transaction.commit().map_err(CentralError::from)?;
        Ok(json!({"facts": facts.iter().map(fact_json).collect::<Vec<_>>(), "state": session.state()}))
    }

    /// The person of a card that the registry knows as current and whose date has not passed.
    fn current_holder(&self, card: &Card, now: Timestamp) -> Option<Citizen> {
        let citizen = self.registry.citizen(&card.personal_number)?;
        let expires = Date::parse_iso(&citizen.card.expires)?;
        (now.date() <= expires && self.registry.card_is_current(&card.personal_number, &card.document_number)).then_some(citizen)
    }

    /// `POST /activation/code`.
    pub(crate) fn activation_code(&self, body: &SessionOnly) -> Result<Value, ApiError> {
        let now = self.now();
        let mut connection = self.db();
        let transaction = db::write(&mut connection)?;
        let mut session = Session::load(&transaction, &body.session)?;
        session.alive(now)?;
        let Some(citizen) = session.citizen.clone().filter(|_| session.completed_at.is_none()) else { return Err(WRONG_STATE) };
        if session.code_at.is_some() {
            return Ok(json!({"state": session.state(), "tries_left": session.tries_left()}));
        }
        if session.code_sends >= CODE_SENDS || session.code_tries >= CODE_TRIES || day_is_spent(&transaction, &citizen)? {
            return Err(TRIES);
        }
        let citizen = self.registry.citizen(&citizen).ok_or(ApiError::server())?;
        let code = self.six_digits();
        session.code_sends += 1;
        transaction.execute(
            "UPDATE sessions SET code_hash = ?2, code_until = ?3, code_sends = ?4 WHERE id = ?1",
            params![session.id, self.code_hash(&session.id, &code).as_slice(), now.plus_secs(CODE_LIFE).unix(), session.code_sends],
        )?;
        transaction.commit().map_err(CentralError::from)?;
        self.messenger.send(&Message { to: &citizen.phone, action: ACTION, device: &device_name(&session.key), code: &code, at: now })?;
        Ok(json!({"state": session.state(), "tries_left": session.tries_left()}))
    }

    fn six_digits(&self) -> String {
        loop {
            let draw = u32::from_be_bytes(self.random_bytes::<4>());
            // Values above the last whole million would make low codes more likely.
            if draw < 4_294_000_000 {
                return format!("{:06}", draw % 1_000_000);
            }
        }
    }

    fn code_hash(&self, session: &str, code: &str) -> [u8; 32] {
        self.keyed("activation code", format!("{session} {code}").as_bytes())
    }

    /// `POST /activation/code/verify`.
    pub(crate) fn activation_code_verify(&self, body: &Code) -> Result<Value, ApiError> {
        let now = self.now();
        let mut connection = self.db();
        let transaction = db::write(&mut connection)?;
        let mut session = Session::load(&transaction, &body.session)?;
        session.alive(now)?;
        if session.code_at.is_some() {
            let facts = session.facts_named(|_, about| about == "code");
            return Ok(json!({"facts": facts, "tries_left": session.tries_left(), "state": session.state()}));
        }
        if session.code_tries >= CODE_TRIES {
            return Err(TRIES);
        }
        let (Some(hash), Some(until), Some(citizen)) = (session.code_hash.clone(), session.code_until, &session.citizen) else {
            return Err(WRONG_STATE);
        };
        if day_is_spent(&transaction, citizen)? {
            return Err(TRIES);
        }
        session.code_tries += 1;
        let right = ct_eq(&hash, &self.code_hash(&session.id, &body.code));
        let fact = if right && now.unix() <= until {
            session.code_at = Some(now.unix());
            Fact::passed(FactName::AccountFactors, By::Central)
        } else if right {
            Fact::failed(FactName::AccountFactors, By::Central, "the code is too old")
        } else {
            Fact::failed(FactName::AccountFactors, By::Central, "another code was sent")
        }
        .about("code");
        // A code is good once: the right one ends, a wrong one counts.
        transaction.execute(
            "UPDATE sessions SET code_tries = ?2, code_at = ?3, code_hash = CASE WHEN ?3 IS NULL THEN code_hash END WHERE id = ?1",
            params![session.id, session.code_tries, session.code_at],
        )?;
        session.keep_facts(&transaction, std::slice::from_ref(&fact))?;
        transaction.commit().map_err(CentralError::from)?;
        let left = if session.code_at.is_some() { session.tries_left() } else { CODE_TRIES - session.code_tries };
        Ok(json!({"facts": [fact_json(&fact)], "tries_left": left, "state": session.state()}))
    }

    /// `POST /activation/face`.
    pub(crate) fn activation_face(&self, body: &Face) -> Result<Value, ApiError> {
        let now = self.now();
        let mut connection = self.db();
        let transaction = db::write(&mut connection)?;
        let mut session = Session::load(&transaction, &body.session)?;
        session.alive(now)?;
        if session.face_at.is_some() {
            let facts = session.facts_named(|_, about| about == "face");
            return Ok(json!({"facts": facts, "tries_left": session.tries_left(), "state": session.state()}));
        }
        if session.face_tries >= FACE_TRIES {
            return Err(TRIES);
        }
        let (Some(chip_picture), Some(citizen)) = (session.face.clone(), &session.citizen) else { return Err(WRONG_STATE) };
        if day_is_spent(&transaction, citizen)? {
            return Err(TRIES);
        }
        let probe = b64u_decode(&body.image).map_err(|_| ApiError::invalid("the picture is not base64url"))?;
        session.face_tries += 1;
        let fact = match self.faces.compare(&chip_picture, &probe) {
            FaceAnswer::Same => {
                session.face_at = Some(now.unix());
                Fact::passed(FactName::PortraitMatch, By::Central)
            }
            FaceAnswer::Different => Fact::failed(FactName::PortraitMatch, By::Central, "the picture shows another person than the chip's"),
            FaceAnswer::Unreadable => Fact::not_checked(FactName::PortraitMatch, By::Central, "the pictures cannot be compared"),
        }
        .about("face");
        // The chip's picture is dropped as soon as it has done its work; the evidence keeps it.
        transaction.execute(
            "UPDATE sessions SET face_tries = ?2, face_at = ?3, face = CASE WHEN ?3 IS NULL THEN face END WHERE id = ?1",
            params![session.id, session.face_tries, session.face_at],
        )?;
        session.keep_facts(&transaction, std::slice::from_ref(&fact))?;
        transaction.commit().map_err(CentralError::from)?;
        Ok(json!({"facts": [fact_json(&fact)], "tries_left": (FACE_TRIES - session.face_tries).max(0), "state": session.state()}))
    }

    /// `POST /activation/complete`: compare-and-swap of the device epoch, all in one transaction.
    pub(crate) fn activation_complete(&self, body: &Complete) -> Result<Value, ApiError> {
        self.accept_key_store()?;
        let now = self.now();
        let mut connection = self.db();
        let transaction = db::write(&mut connection)?;
        let mut session = Session::load(&transaction, &body.session)?;
        session.alive(now)?;
        if session.statement(&body.proof)?.text("action") != Some("complete") {
            return Err(ApiError::proof("the proof is for another action"));
        }
        let (Some(citizen), Some(epoch)) = (session.citizen.clone(), session.epoch) else { return Err(WRONG_STATE) };
        let mut replaced = false;
        if session.completed_at.is_some() {
            self.repeat_offer(&transaction, &mut session, &citizen, epoch + 1)?;
        } else {
            if session.state() != "ready" {
                return Err(WRONG_STATE);
            }
            replaced = self.swap_device(&transaction, &session, &citizen, epoch, now)?;
            session.offer_number = 1;
            self.note_offer(&transaction, &citizen, &session.id, 1, epoch + 1)?;
            transaction.execute("UPDATE sessions SET completed_at = ?2, offer_number = 1 WHERE id = ?1", (&session.id, now.unix()))?;
        }
        transaction.commit().map_err(CentralError::from)?;
        drop(connection);
        if replaced {
            self.tell_replaced(&citizen, &session.key, now);
        }
        Ok(json!({"account": session.account, "level": 2, "credential_offer": self.offer(&session.id, session.offer_number)}))
    }

    fn repeat_offer(&self, connection: &Connection, session: &mut Session, citizen: &str, epoch: i64) -> Result<(), ApiError> {
        let current: i64 = connection.query_row("SELECT device_epoch FROM accounts WHERE citizen = ?1", [citizen], |row| row.get(0))?;
        if current != epoch {
            return Err(ApiError::new(409, "device_conflict", "device-replaced"));
        }
        if self.offer_lives(connection, &session.id, session.offer_number)? {
            return Ok(());
        }
        // The phone used the code and lost what it got: a new code. The old tokens end when it is used, which takes the account key;
        // this request alone proves nothing, since anybody who recorded it can send it again.
        session.offer_number += 1;
        self.note_offer(connection, citizen, &session.id, session.offer_number, epoch)?;
        connection.execute("UPDATE sessions SET offer_number = ?2 WHERE id = ?1", (&session.id, session.offer_number))?;
        Ok(())
    }

    /// Makes the session's device the citizen's device, if no other activation came first; ends the copies of the old one. Gives
    /// whether there was an old one.
    fn swap_device(&self, connection: &Connection, session: &Session, citizen: &str, epoch: i64, now: Timestamp) -> Result<bool, ApiError> {
        let old: Option<Vec<u8>> =
            connection.query_row("SELECT thumbprint FROM accounts WHERE citizen = ?1", [citizen], |row| row.get(0)).optional()?.flatten();
        let swapped = connection.execute(
            "UPDATE accounts SET account = ?2, level = 2, device_epoch = device_epoch + 1, device_key = ?3, thumbprint = ?4, activated_at = ?5
             WHERE citizen = ?1 AND device_epoch = ?6",
            params![
                citizen,
                session.account,
                session.key.to_jwk().to_string(),
                session.key.thumbprint().as_slice(),
                now.unix(),
                epoch
            ],
        )?;
        if swapped != 1 {
            return Err(ApiError::new(409, "device_conflict", "another device was activated meanwhile"));
        }
        for document in wallet_documents::ALL_TYPES {
            connection.execute(
                "INSERT INTO documents (citizen, document, state, as_of) VALUES (?1, ?2, 'valid', ?3) ON CONFLICT DO NOTHING",
                params![citizen, document.id, now.unix()],
            )?;
        }
        if let Some(thumbprint) = old {
            self.publisher(now).end_copies_before(connection, citizen, epoch + 1)?;
            for document in wallet_documents::ALL_TYPES {
                note_change(connection, citizen, document.id, "device-replaced", now)?;
            }
            connection.execute(
                "INSERT INTO notices (citizen, seq, kind, thumbprint, at)
                 SELECT ?1, COALESCE(MAX(seq), 0) + 1, 'device-replaced', ?2, ?3 FROM notices WHERE citizen = ?1",
                params![citizen, thumbprint, now.unix()],
            )?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Tells the citizen by another way than the app. The device is replaced whether or not the message goes out; the notice stays in the database.
    fn tell_replaced(&self, citizen: &str, key: &PublicKey, now: Timestamp) {
        let Some(person) = self.registry.citizen(citizen) else { return };
        let message = Message { to: &person.phone, action: "device-replaced", device: &device_name(key), code: "", at: now };
        if let Err(error) = self.messenger.send(&message) {
            tracing::error!(%error, "a notice was not delivered");
        }
    }

    /// `GET /activation/state`.
    pub(crate) fn activation_state(&self, session: &str) -> Result<Value, ApiError> {
        let session = Session::load(&self.db(), session)?;
        session.alive(self.now())?;
        Ok(json!({"state": session.state(), "factors": session.facts, "tries_left": session.tries_left()}))
    }
}

/// What a message calls a device: the first characters of its key's thumbprint, which the phone shows too.
fn device_name(key: &PublicKey) -> String {
    b64u(&key.thumbprint()).chars().take(8).collect()
}

/// Stores evidence that holds and remembers which device epoch the citizen had.
fn accept_chip(
    connection: &Connection,
    session: &mut Session,
    citizen: &str,
    face: &[u8],
    evidence: &[u8],
    now: Timestamp,
) -> Result<(), ApiError> {
    connection.execute("INSERT INTO accounts (citizen) VALUES (?1) ON CONFLICT DO NOTHING", [citizen])?;
    let epoch: i64 = connection.query_row("SELECT device_epoch FROM accounts WHERE citizen = ?1", [citizen], |row| row.get(0))?;
    connection.execute(
        "INSERT INTO evidence (citizen, id, session, account, thumbprint, evidence, sha256, at)
         SELECT ?1, COALESCE(MAX(id), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7 FROM evidence WHERE citizen = ?1",
        params![
            citizen,
            session.id,
            session.account,
            session.key.thumbprint().as_slice(),
            evidence,
            sha256(evidence).as_slice(),
            now.unix()
        ],
    )?;
    connection.execute(
        "UPDATE sessions SET citizen = ?2, epoch = ?3, face = ?4, chip_at = ?5 WHERE id = ?1",
        params![session.id, citizen, epoch, face, now.unix()],
    )?;
    session.citizen = Some(citizen.to_owned());
    session.epoch = Some(epoch);
    session.chip_at = Some(now.unix());
    Ok(())
}

/// Whether a citizen's tries of one kind are used up over all sessions that are kept.
fn day_is_spent(connection: &Connection, citizen: &str) -> Result<bool, ApiError> {
    Ok(connection.query_row(
        "SELECT COALESCE(MAX(SUM(code_sends), SUM(code_tries), SUM(face_tries)), 0) >= ?2 FROM sessions WHERE citizen = ?1",
        (citizen, DAY_TRIES),
        |row| row.get(0),
    )?)
}
