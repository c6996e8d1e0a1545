//! The three factors: chip, code, face.

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use wallet_base::crypto::{ct_eq, sha256};
use wallet_base::fact::{By, Fact, FactName, Outcome};
use wallet_base::jose::{b64u, b64u_decode};
use wallet_base::time::{Date, Timestamp};

use super::tries::day_is_spent;
use super::{
    ACTION, CHIP_LIFE, CHIP_TRIES, CODE_LIFE, CODE_SENDS, CODE_TRIES, Chip, Code, EXPIRED, FACE_TRIES, Face, MAX_EVIDENCE, Session,
    SessionOnly, TRIES, WRONG_STATE, device_name,
};
use crate::adapters::{FaceAnswer, Message};
use crate::cards::{Card, Judgement};
use crate::clock;
use crate::desk::Silent;
use crate::error::{ApiError, CentralError};
use crate::registry::Citizen;
use crate::service::{Service, fact_json};

impl Service {
    /// `POST /activation/chip`.
    pub(crate) fn activation_chip(&self, body: &Chip) -> Result<Value, ApiError> {
        let now = self.now();
        let evidence = b64u_decode(&body.evidence).map_err(|_| ApiError::invalid("the evidence is not base64url"))?;
        if evidence.len() > MAX_EVIDENCE {
            return Err(ApiError::invalid("the evidence is too large"));
        }
        let hash = sha256(&evidence);
        let session = {
            let mut connection = self.db();
            let transaction = clock::begin(&mut connection, now)?;
            let mut session = Session::load(&transaction, &body.session)?;
            session.alive(now)?;
            if session.statement(&body.proof)?.text("evidence_sha256") != Some(b64u(&hash).as_str()) {
                return Err(ApiError::proof("the proof is for other evidence"));
            }
            if session.chip_at.is_some() {
                return chip_again(&transaction, &session, &hash);
            }
            if now > session.opened.plus_secs(CHIP_LIFE) {
                return Err(EXPIRED);
            }
            if session.chip_tries >= CHIP_TRIES {
                return Err(TRIES);
            }
            unused(&transaction, &hash)?;
            // The try counts whatever comes of it, so it is committed before anything is judged.
            session.chip_tries += 1;
            transaction.execute("UPDATE sessions SET chip_tries = ?2 WHERE id = ?1", (&session.id, session.chip_tries))?;
            transaction.commit().map_err(CentralError::from)?;
            session
        };

        // What this service cannot do itself costs the phone no try.
        let trust = crate::cards::Trust::load(&self.dir).map_err(|error| self.give_back(&session, "chip", error.into()))?;
        let challenge = crate::cards::challenge(&session.id, &session.nonce, ACTION, &session.account, &session.key.thumbprint());
        let Judgement { mut facts, card } = trust.judge(&evidence, challenge, now)?;
        let genuine = card.filter(|_| facts.iter().all(|fact| fact.outcome() != Outcome::Failed));
        // The registry is asked only about a genuine card, else anybody could learn whose card is current.
        let holder = match &genuine {
            Some(card) => self.current_holder(card, now).map_err(|silent| self.give_back(&session, "chip", silent.into()))?,
            None => None,
        };

        let mut connection = self.db();
        let transaction = clock::begin(&mut connection, now)?;
        let mut session = Session::load(&transaction, &session.id)?;
        if session.chip_at.is_some() {
            // The same phone sent it twice, and the other was faster.
            return chip_again(&transaction, &session, &hash);
        }
        match (genuine, holder) {
            (Some(card), Some(citizen)) => {
                unused(&transaction, &hash)?;
                facts.push(Fact::passed(FactName::AccountFactors, By::Central).about("card"));
                accept_chip(&transaction, &mut session, &citizen.personal_number, &card.face, &evidence, now)?;
            }
            (Some(_), None) => facts
                .push(Fact::failed(FactName::AccountFactors, By::Central, "the registry does not know this card as current").about("card")),
            (None, _) => facts.push(Fact::not_checked(FactName::AccountFactors, By::Central, "the card is not proven").about("card")),
        }
        session.keep_facts(&transaction, &facts)?;
        transaction.commit().map_err(CentralError::from)?;
        Ok(json!({"facts": facts.iter().map(fact_json).collect::<Vec<_>>(), "session": session.id, "state": session.state()}))
    }

    /// The person of a card that the registry knows as current and whose date has not passed.
    fn current_holder(&self, card: &Card, now: Timestamp) -> Result<Option<Citizen>, Silent> {
        let (registry, personal, document) = (self.registry.clone(), card.personal_number.clone(), card.document_number.clone());
        self.desks.registry.ask(move || {
            let citizen = registry.citizen(&personal)?;
            let expires = Date::parse_iso(&citizen.card.expires)?;
            (now.date() <= expires && registry.card_is_current(&personal, &document)).then_some(citizen)
        })
    }

    /// Gives a try back for which nobody learned anything, since another service (or this one) failed. Only while the step is open: a try that a later
    /// call used is not this one's to give.
    fn give_back(&self, session: &Session, step: &str, because: ApiError) -> ApiError {
        let sql = match step {
            "chip" => "UPDATE sessions SET chip_tries = chip_tries - 1 WHERE id = ?1 AND chip_at IS NULL AND chip_tries > 0",
            "face" => "UPDATE sessions SET face_tries = face_tries - 1 WHERE id = ?1 AND face_at IS NULL AND face_tries > 0",
            _ => "UPDATE sessions SET code_sends = code_sends - 1 WHERE id = ?1 AND code_at IS NULL AND code_sends > 0",
        };
        // When this fails as well, the try stays counted.
        if self.db().execute(sql, [&session.id]).is_err() {
            tracing::error!("a try was not given back");
        }
        because
    }

    /// `POST /activation/code`.
    pub(crate) fn activation_code(&self, body: &SessionOnly) -> Result<Value, ApiError> {
        let now = self.now();
        // The telephone's number comes from the registry, before the code exists.
        let citizen = {
            let session = Session::load(&self.reader(), &body.session)?;
            session.alive(now)?;
            let Some(citizen) = session.citizen.clone().filter(|_| session.completed_at.is_none()) else { return Err(WRONG_STATE) };
            if session.code_at.is_some() {
                return Ok(json!({"session": session.id, "state": session.state(), "tries_left": session.tries_left()}));
            }
            citizen
        };
        let phone = self.person(&citizen)?.phone;
        let code = self.six_digits();
        let session = {
            let mut connection = self.db();
            let transaction = clock::begin(&mut connection, now)?;
            let mut session = Session::load(&transaction, &body.session)?;
            if session.code_at.is_some() {
                return Ok(json!({"session": session.id, "state": session.state(), "tries_left": session.tries_left()}));
            }
            if session.code_sends >= CODE_SENDS || session.code_tries >= CODE_TRIES || day_is_spent(&transaction, &session, &citizen)? {
                return Err(TRIES);
            }
            session.code_sends += 1;
            transaction.execute(
                "UPDATE sessions SET code_hash = ?2, code_until = ?3, code_sends = ?4 WHERE id = ?1",
                params![session.id, self.code_hash(&session.id, &code).as_slice(), now.plus_secs(CODE_LIFE).unix(), session.code_sends],
            )?;
            transaction.commit().map_err(CentralError::from)?;
            session
        };
        // A message that may still arrive (no answer in time) counts; one that was refused does not.
        let (messenger, device) = (self.messenger.clone(), device_name(&session.key));
        self.desks
            .messenger
            .ask(move || messenger.send(&Message { to: &phone, action: ACTION, device: &device, code: &code, at: now }))?
            .map_err(|error| {
            tracing::error!(%error, "a code was not sent");
            self.give_back(&session, "code", Silent.into())
        })?;
        Ok(json!({"session": session.id, "state": session.state(), "tries_left": session.tries_left()}))
    }

    /// A citizen of ours as the registry knows him; no connection is held meanwhile.
    pub(crate) fn person(&self, citizen: &str) -> Result<Citizen, ApiError> {
        let (registry, number) = (self.registry.clone(), citizen.to_owned());
        self.desks.registry.ask(move || registry.citizen(&number))?.ok_or(ApiError::server())
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
        let transaction = clock::begin(&mut connection, now)?;
        let mut session = Session::load(&transaction, &body.session)?;
        session.alive(now)?;
        if session.code_at.is_some() {
            let facts = session.facts_named(|_, about| about == "code");
            return Ok(json!({"facts": facts, "tries_left": session.tries_left(), "session": session.id, "state": session.state()}));
        }
        if session.code_tries >= CODE_TRIES {
            return Err(TRIES);
        }
        let (Some(hash), Some(until), Some(citizen)) = (session.code_hash.clone(), session.code_until, &session.citizen) else {
            return Err(WRONG_STATE);
        };
        if day_is_spent(&transaction, &session, citizen)? {
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
        Ok(json!({"facts": [fact_json(&fact)], "tries_left": left, "session": session.id, "state": session.state()}))
    }

    /// `POST /activation/face`.
    pub(crate) fn activation_face(&self, body: &Face) -> Result<Value, ApiError> {
        let now = self.now();
        let probe = b64u_decode(&body.image).map_err(|_| ApiError::invalid("the picture is not base64url"));
        let (session, chip_picture, probe) = {
            let mut connection = self.db();
            let transaction = clock::begin(&mut connection, now)?;
            let mut session = Session::load(&transaction, &body.session)?;
            session.alive(now)?;
            if session.face_at.is_some() {
                return Ok(face_again(&session));
            }
            if session.face_tries >= FACE_TRIES {
                return Err(TRIES);
            }
            let (Some(chip_picture), Some(citizen)) = (session.face.take(), &session.citizen) else { return Err(WRONG_STATE) };
            if day_is_spent(&transaction, &session, citizen)? {
                return Err(TRIES);
            }
            let probe = probe?;
            // The try counts before anything is compared: a kill, or many calls at once, bring none back.
            session.face_tries += 1;
            transaction.execute("UPDATE sessions SET face_tries = ?2 WHERE id = ?1", (&session.id, session.face_tries))?;
            transaction.commit().map_err(CentralError::from)?;
            (session, chip_picture, probe)
        };
        let faces = self.faces.clone();
        let fact = match self.desks.faces.ask(move || faces.compare(&chip_picture, &probe)) {
            Ok(FaceAnswer::Same) => Fact::passed(FactName::PortraitMatch, By::Central),
            Ok(FaceAnswer::Different) => {
                Fact::failed(FactName::PortraitMatch, By::Central, "the picture shows another person than the chip's")
            }
            Ok(FaceAnswer::Unreadable) => Fact::not_checked(FactName::PortraitMatch, By::Central, "the pictures cannot be compared"),
            // A late answer is dropped, so nobody learned anything.
            Ok(FaceAnswer::Unavailable) | Err(Silent) => return Err(self.give_back(&session, "face", Silent.into())),
        }
        .about("face");

        let mut connection = self.db();
        let transaction = clock::begin(&mut connection, now)?;
        let mut session = Session::load(&transaction, &session.id)?;
        session.alive(now)?;
        if session.face_at.is_some() {
            // Another call's picture was the right one: that stands.
            return Ok(face_again(&session));
        }
        if fact.outcome() == Outcome::Passed {
            session.face_at = Some(now.unix());
            // The chip's picture is dropped as soon as it has done its work; the evidence keeps it.
            transaction.execute("UPDATE sessions SET face_at = ?2, face = NULL WHERE id = ?1", params![session.id, now.unix()])?;
        }
        session.keep_facts(&transaction, std::slice::from_ref(&fact))?;
        transaction.commit().map_err(CentralError::from)?;
        Ok(
            json!({"facts": [fact_json(&fact)], "tries_left": (FACE_TRIES - session.face_tries).max(0), "session": session.id, "state": session.state()}),
        )
    }
}

/// The answer to a chip's evidence that is there already.
fn chip_again(connection: &Connection, session: &Session, hash: &[u8; 32]) -> Result<Value, ApiError> {
    let same: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM evidence WHERE sha256 = ?1 AND session = ?2)",
        (hash.as_slice(), &session.id),
        |row| row.get(0),
    )?;
    if !same {
        return Err(WRONG_STATE);
    }
    let facts = session.facts_named(|name, about| name.starts_with("chip.") || about == "card");
    Ok(json!({"facts": facts, "session": session.id, "state": session.state()}))
}

/// The answer to a face after one that passed.
fn face_again(session: &Session) -> Value {
    let facts = session.facts_named(|_, about| about == "face");
    json!({"facts": facts, "tries_left": session.tries_left(), "session": session.id, "state": session.state()})
}

/// Refuses evidence that any session brought before.
fn unused(connection: &Connection, hash: &[u8; 32]) -> Result<(), ApiError> {
    let used: bool =
        connection.query_row("SELECT EXISTS (SELECT 1 FROM evidence WHERE sha256 = ?1)", [hash.as_slice()], |row| row.get(0))?;
    if used { Err(ApiError::new(409, "evidence_reused", "this evidence was used before")) } else { Ok(()) }
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
