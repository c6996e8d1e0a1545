//! A phone as far as central can tell: an account key, DPoP proofs with every member changeable, software holder keys.

use std::cell::RefCell;

use serde_json::{Value, json};
use wallet_base::crypto::{Curve, PublicKey, Signer, SoftwareKey, sha256};
use wallet_base::jose::{b64u, b64u_decode, sign_compact};
use wallet_base::random::{OsRandom, array};
use wallet_card_sim::CardProfile;
use wallet_central::faces;
use wallet_chip::evidence::{Evidence, challenge};
use wallet_chip::files::FileId;

use crate::world::{PUBLIC, World, answer};

pub const PRE_AUTHORIZED: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";

pub fn key() -> SoftwareKey {
    SoftwareKey::generate(Curve::P256, &OsRandom)
}

/// A JWS by a key, with members that tests want.
pub fn jws(key: &SoftwareKey, typ: &str, payload: &Value) -> String {
    sign_compact(&json!({"alg": "ES256", "typ": typ}), payload, key).unwrap()
}

pub struct Session {
    pub id: String,
    pub account: String,
    pub nonce: [u8; 32],
}

pub struct Phone {
    pub key: SoftwareKey,
    pub access: RefCell<String>,
    pub refresh: RefCell<String>,
    nonce: RefCell<Option<String>>,
}

impl Default for Phone {
    fn default() -> Self {
        Self { key: key(), access: RefCell::default(), refresh: RefCell::default(), nonce: RefCell::default() }
    }
}

/// A chip's evidence for a challenge, as the reader would collect it.
pub fn evidence(card: &CardProfile, challenge: [u8; 8]) -> Evidence {
    let file = |id: FileId| card.files.get(&id).cloned();
    let chip = SoftwareKey::from_scalar(Curve::BrainpoolP256r1, &card.active_key).unwrap();
    Evidence {
        sod: file(FileId::Sod).unwrap(),
        dg1: file(FileId::Dg1).unwrap(),
        dg2: file(FileId::Dg2),
        dg14: file(FileId::Dg14),
        dg15: file(FileId::Dg15).unwrap(),
        challenge,
        signature: chip.sign(&challenge).unwrap(),
    }
}

pub fn results(answer: &Value) -> Vec<(String, String)> {
    let word = |fact: &Value, name: &str| fact[name].as_str().unwrap().to_owned();
    answer["facts"].as_array().unwrap().iter().map(|fact| (word(fact, "name"), word(fact, "result"))).collect()
}

pub fn failed(answer: &Value) -> Vec<String> {
    results(answer).into_iter().filter(|(_, result)| result == "failed").map(|(name, _)| name).collect()
}

impl Phone {
    pub async fn open(&self, world: &World) -> Session {
        let body = json!({"device_key": self.key.public_key().to_jwk(), "action": "activate"});
        let (status, answer) = world.post("/activation/open", &body).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["expires_in"], 300);
        Session {
            id: answer["session"].as_str().unwrap().to_owned(),
            account: answer["account"].as_str().unwrap().to_owned(),
            nonce: b64u_decode(answer["nonce"].as_str().unwrap()).unwrap().try_into().unwrap(),
        }
    }

    pub fn challenge(&self, session: &Session) -> [u8; 8] {
        challenge(session.id.as_bytes(), &session.nonce, "activate", &session.account, &self.key.public_key().thumbprint())
    }

    pub fn chip_body(&self, session: &Session, evidence: &[u8]) -> Value {
        let proof = jws(&self.key, "activation-chip+jwt", &json!({"session": session.id, "evidence_sha256": b64u(&sha256(evidence))}));
        json!({"session": session.id, "evidence": b64u(evidence), "proof": proof})
    }

    pub async fn chip(&self, world: &World, session: &Session, card: &CardProfile) -> (u16, Value) {
        let evidence = evidence(card, self.challenge(session)).encode();
        world.post("/activation/chip", &self.chip_body(session, &evidence)).await
    }

    pub async fn code(&self, world: &World, session: &Session) -> (u16, Value) {
        let (status, answer) = world.post("/activation/code", &json!({"session": session.id})).await;
        assert_eq!(status, 200, "{answer}");
        let code = world.last_code();
        world.post("/activation/code/verify", &json!({"session": session.id, "code": code})).await
    }

    pub async fn face(&self, world: &World, session: &Session, person: &str) -> (u16, Value) {
        let image = faces::selfie(person, 300, 400).unwrap();
        world.post("/activation/face", &json!({"session": session.id, "image": b64u(&image)})).await
    }

    pub async fn complete(&self, world: &World, session: &Session) -> (u16, Value) {
        let proof = jws(&self.key, "activation-complete+jwt", &json!({"session": session.id, "action": "complete"}));
        world.post("/activation/complete", &json!({"session": session.id, "proof": proof})).await
    }

    /// All factors up to `ready`.
    pub async fn factors(&self, world: &World, index: usize) -> Session {
        let session = self.open(world).await;
        let (_, answer) = self.chip(world, &session, &world.card(index)).await;
        assert_eq!(answer["state"], "awaiting-code", "{answer}");
        assert_eq!(self.code(world, &session).await.1["state"], "awaiting-face");
        let (_, answer) = self.face(world, &session, &world.citizen(index).personal_number).await;
        assert_eq!(answer["state"], "ready", "{answer}");
        session
    }

    /// The whole activation up to tokens.
    pub async fn activate(&self, world: &World, index: usize) -> Session {
        let session = self.factors(world, index).await;
        let (status, answer) = self.complete(world, &session).await;
        assert_eq!(status, 200, "{answer}");
        let (status, answer) = self.token(world, &grant(&answer)).await;
        assert_eq!(status, 200, "{answer}");
        session
    }

    /// A DPoP proof; members of `change` replace the right ones, null removes one.
    pub fn proof(&self, world: &World, method: &str, path: &str, token: Option<&str>, change: &Value) -> String {
        let mut payload = json!({
            "jti": b64u(&array::<16>(&OsRandom)), "htm": method, "htu": format!("{PUBLIC}{path}"), "iat": world.now().unix(),
        });
        let members = payload.as_object_mut().unwrap();
        if let Some(token) = token {
            members.insert("ath".into(), json!(b64u(&sha256(token.as_bytes()))));
        }
        if let Some(nonce) = self.nonce.borrow().as_ref() {
            members.insert("nonce".into(), json!(nonce));
        }
        let mut header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": self.key.public_key().to_jwk()});
        for (name, value) in change.as_object().unwrap() {
            if name == "typ" || name == "jwk" {
                header[name] = value.clone();
            } else if value.is_null() {
                members.remove(name);
            } else {
                members.insert(name.clone(), value.clone());
            }
        }
        sign_compact(&header, &payload, &self.key).unwrap()
    }

    fn keep_nonce(&self, response: &reqwest::Response) {
        if let Some(nonce) = response.headers().get("dpop-nonce") {
            *self.nonce.borrow_mut() = Some(nonce.to_str().unwrap().to_owned());
        }
    }

    /// Makes sure that the phone has a nonce of the server.
    pub async fn warm(&self, world: &World) {
        let response = self.send_token(world, "grant_type=x", &self.proof(world, "POST", "/token", None, &json!({}))).await;
        self.keep_nonce(&response);
    }

    pub async fn send_token(&self, world: &World, form: &str, proof: &str) -> reqwest::Response {
        let request = world.post_request("/token").header("content-type", "application/x-www-form-urlencoded");
        request.header("DPoP", proof).body(form.to_owned()).send().await.unwrap()
    }

    /// A token request as an honest phone makes it; keeps what it gets.
    pub async fn token(&self, world: &World, form: &str) -> (u16, Value) {
        self.warm(world).await;
        let response = self.send_token(world, form, &self.proof(world, "POST", "/token", None, &json!({}))).await;
        self.keep_nonce(&response);
        let (status, answer) = answer(response).await;
        if status == 200 {
            self.access.replace(answer["access_token"].as_str().unwrap().to_owned());
            self.refresh.replace(answer["refresh_token"].as_str().unwrap().to_owned());
        }
        (status, answer)
    }

    pub async fn refreshed(&self, world: &World) -> (u16, Value) {
        let form = format!("grant_type=refresh_token&refresh_token={}", self.refresh.borrow());
        self.token(world, &form).await
    }

    pub async fn send(&self, world: &World, method: &str, path: &str, body: Option<&Value>, proof: &str) -> (u16, Value) {
        let request = if method == "GET" { world.get_request(path) } else { world.post_request(path) };
        let mut request = request.header("Authorization", format!("DPoP {}", self.access.borrow())).header("DPoP", proof);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        self.keep_nonce(&response);
        answer(response).await
    }

    /// An authenticated call as an honest phone makes it, with one retry for a nonce.
    pub async fn call(&self, world: &World, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let bare = path.split('?').next().unwrap();
        let proof = || {
            let access = self.access.borrow().clone();
            self.proof(world, method, bare, Some(&access), &json!({}))
        };
        let first = self.send(world, method, path, body, &proof()).await;
        if first.1["error"] != "use_dpop_nonce" {
            return first;
        }
        self.send(world, method, path, body, &proof()).await
    }

    pub async fn provider_challenge(&self, world: &World) -> Vec<u8> {
        let (status, answer) = self.call(world, "POST", "/wallet-provider/challenge", None).await;
        assert_eq!(status, 200, "{answer}");
        b64u_decode(answer["challenge"].as_str().unwrap()).unwrap()
    }

    pub async fn register(&self, world: &World, keys: &[SoftwareKey]) -> (u16, Value) {
        let challenge = self.provider_challenge(world).await;
        let body = json!({"challenge": b64u(&challenge), "evidence": b64u(software_evidence(keys, &challenge).to_string().as_bytes())});
        self.call(world, "POST", "/wallet-provider/keys", Some(&body)).await
    }

    pub async fn c_nonce(&self, world: &World) -> String {
        let (status, answer) = world.post("/nonce", &json!({})).await;
        assert_eq!(status, 200);
        answer["c_nonce"].as_str().unwrap().to_owned()
    }

    pub async fn attest(&self, world: &World, keys: &[PublicKey], nonce: &str) -> (u16, Value) {
        let jwks: Vec<Value> = keys.iter().map(PublicKey::to_jwk).collect();
        self.call(world, "POST", "/wallet-provider/attestation", Some(&json!({"keys": jwks, "nonce": nonce}))).await
    }

    pub async fn attestation(&self, world: &World, keys: &[SoftwareKey]) -> String {
        let publics: Vec<PublicKey> = keys.iter().map(Signer::public_key).collect();
        let nonce = self.c_nonce(world).await;
        let (status, answer) = self.attest(world, &publics, &nonce).await;
        assert_eq!(status, 200, "{answer}");
        answer["key_attestation"].as_str().unwrap().to_owned()
    }

    pub async fn credential(&self, world: &World, configuration: &str, attestation: &str) -> (u16, Value) {
        let body = json!({"credential_configuration_id": configuration, "proofs": {"attestation": [attestation]}});
        self.call(world, "POST", "/credential", Some(&body)).await
    }

    /// New keys and one credential for each.
    pub async fn obtain(&self, world: &World, configuration: &str, count: usize) -> (Vec<SoftwareKey>, Vec<Vec<u8>>) {
        let keys: Vec<SoftwareKey> = (0..count).map(|_| key()).collect();
        assert_eq!(self.register(world, &keys).await.0, 200);
        let attestation = self.attestation(world, &keys).await;
        let (status, answer) = self.credential(world, configuration, &attestation).await;
        assert_eq!(status, 200, "{answer}");
        (keys, credentials(&answer))
    }
}

pub fn credentials(answer: &Value) -> Vec<Vec<u8>> {
    answer["credentials"].as_array().unwrap().iter().map(|item| b64u_decode(item["credential"].as_str().unwrap()).unwrap()).collect()
}

/// The form of a pre-authorized code grant out of an answer of `complete`.
pub fn grant(completed: &Value) -> String {
    let code = completed["credential_offer"]["grants"][PRE_AUTHORIZED]["pre-authorized_code"].as_str().unwrap();
    format!("grant_type={PRE_AUTHORIZED}&pre-authorized_code={code}")
}

pub fn software_evidence(keys: &[SoftwareKey], challenge: &[u8]) -> Value {
    let proofs: Vec<String> = keys
        .iter()
        .map(|key| {
            let (x, y) = key.public_key().coordinates();
            b64u(&key.sign(&[b"wallet-software-evidence-v1", challenge, &x, &y].concat()).unwrap())
        })
        .collect();
    let jwks: Vec<Value> = keys.iter().map(|key| key.public_key().to_jwk()).collect();
    json!({"fmt": "software", "challenge": b64u(challenge), "proofs": proofs, "keys": jwks})
}
