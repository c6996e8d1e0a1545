//! A phone that checks nothing: reads a card and talks to central straight, without the wallet.
use std::sync::Arc;

use serde_json::{Value, json};
use wallet_base::crypto::{Curve, Signer, SoftwareKey, sha256};
use wallet_base::jose::{b64u, b64u_decode, sign_compact};
use wallet_base::random::OsRandom;
use wallet_bindings::ports::CardChannelPort;
use wallet_chip::evidence::{self, Evidence};
use wallet_chip::pace::Password;
use wallet_chip::reader::{Input, ReadPlan, Reader, drive};
use wallet_chip::vietnam::PersonalNumber;
use wallet_platform::http::{Http, HttpConfig};

use super::{STRANGER, spoiled};
use crate::card::SocketCard;
use crate::demo::story::FIRST;
use crate::demo::world::World;
use crate::ports::RecordingCard;
use crate::report::{FactLine, Finding};
use crate::service_file::ServiceFile;
use crate::trouble::Trouble;

/// The action that the chip signs for.
const ACTION: &str = "activate";

/// A client of central with a device key of its own.
pub struct Straight {
    http: Http,
    key: SoftwareKey,
}

/// An activation that central opened for the attacker's device key.
pub struct Session {
    id: String,
    account: String,
    nonce: [u8; 32],
    thumbprint: [u8; 32],
}

impl Session {
    /// The session's name at central.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the chip has to sign for this session, account and device key.
    fn challenge(&self) -> [u8; 8] {
        evidence::challenge(self.id.as_bytes(), &self.nonce, ACTION, &self.account, &self.thumbprint)
    }
}

fn failed(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> Trouble {
    move |e| spoiled(what, e)
}

impl Straight {
    /// A client with a fresh key, through the same network as everybody.
    pub fn new(world: &World) -> Result<Self, Trouble> {
        let service = ServiceFile::read(&world.paths.phone(FIRST.phone))?;
        let http = Http::new(HttpConfig::new(service.url.clone(), service.tls_root_der()?)).map_err(|e| failed("reaching central")(&e))?;
        Ok(Self { http, key: SoftwareKey::generate(Curve::P256, &OsRandom) })
    }

    fn post(&self, path: &str, body: &Value) -> Result<(u16, Value), Trouble> {
        let response = self.http.post_json(path, &[], body).map_err(|e| failed("talking to central")(&e))?;
        Ok((response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null)))
    }

    /// Opens an activation.
    pub fn open(&self) -> Result<Session, Trouble> {
        let wrong = || spoiled("opening an activation", "central's answer is incomplete");
        let (_, body) = self.post("/activation/open", &json!({ "device_key": self.key.public_key().to_jwk(), "action": ACTION }))?;
        let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(wrong);
        let nonce = b64u_decode(&text("nonce")?).ok().and_then(|n| n.try_into().ok()).ok_or_else(wrong)?;
        Ok(Session { id: text("session")?, account: text("account")?, nonce, thumbprint: self.key.public_key().thumbprint() })
    }

    /// Sends evidence and gives what central found.
    pub fn send(&self, session: &Session, evidence: &[u8]) -> Result<Finding, Trouble> {
        let (status, body) = self.post("/activation/chip", &self.message(&session.id, evidence)?)?;
        let facts: Vec<FactLine> = body
            .get("facts")
            .cloned()
            .and_then(|facts| serde_json::from_value(facts).ok())
            .ok_or_else(|| spoiled("central gave no facts", format!("it answered {status}")))?;
        let verdict = facts.iter().find(|f| f.result == "failed").map_or_else(|| "verified".to_owned(), |f| format!("rejected:{}", f.name));
        Ok(Finding { verdict, facts }.on(STRANGER))
    }

    /// Sends evidence and gives only the status of the answer.
    pub fn status_of(&self, session: &str, evidence: &[u8]) -> Result<u16, Trouble> {
        Ok(self.post("/activation/chip", &self.message(session, evidence)?)?.0)
    }

    fn message(&self, session: &str, evidence: &[u8]) -> Result<Value, Trouble> {
        let payload = json!({ "session": session, "evidence_sha256": b64u(&sha256(evidence)) });
        let proof = sign_compact(&json!({ "alg": "ES256" }), &payload, &self.key).map_err(|e| failed("signing for central")(&e))?;
        Ok(json!({ "session": session, "evidence": b64u(evidence), "proof": proof }))
    }
}

/// Reads the card at `address` for a session of the attacker's own, checking nothing.
pub fn read(world: &World, session: &Session, address: &str) -> Result<Vec<u8>, Trouble> {
    let wrong = failed("reading the card");
    let can = PersonalNumber::parse(FIRST.number).ok_or_else(|| wrong(&"no personal number"))?.can().map_err(|e| wrong(&e))?;
    let (trace, before) = world.card_trace();
    let socket = RecordingCard::new(Arc::new(SocketCard::connect(address)?), &trace).map_err(|e| wrong(&e))?;
    let mut reader = Reader::new(ReadPlan::full(Some(session.challenge())), Password::Can(can), Arc::new(OsRandom));
    let data = drive(&mut reader, Input::Start, |command| socket.transceive(command.to_vec()).ok());
    world.note_card_trace(STRANGER, before);
    let data = data.map_err(|e| wrong(&e))?;
    Ok(Evidence::from_data(&data, true).map_err(|e| wrong(&e))?.encode())
}

/// Recorded evidence under the challenge that central expects of `session`; the chip's signature stays what it was.
pub fn repack(bytes: &[u8], session: &Session) -> Result<Vec<u8>, Trouble> {
    let evidence = Evidence::decode(bytes).map_err(|e| failed("packing evidence anew")(&e))?;
    Ok(Evidence { challenge: session.challenge(), ..evidence }.encode())
}

/// Session and evidence of a message that was recorded on its way.
pub fn recorded(sent: &[u8]) -> Result<(String, Vec<u8>), Trouble> {
    let wrong = || spoiled("reading the record", "not the message that was expected");
    let body: Value = serde_json::from_slice(sent).map_err(|_| wrong())?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).ok_or_else(wrong);
    Ok((text("session")?.to_owned(), b64u_decode(text("evidence")?).map_err(|_| wrong())?))
}
