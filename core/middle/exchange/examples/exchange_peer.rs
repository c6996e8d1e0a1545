//! One side of path B for a peer in another language: reads a JSON command a line on standard input, writes a JSON answer a line.
//!
//! - `{"do":"ask","now":unix}` makes a reader authority, an officer and a request for the citizen identity, which stays open:
//!   `{"request":text,"authority":hex DER,"hash":hex,"nonce":hex,"audience":text}`
//! - `{"do":"open","answer":text,"now":unix}` opens an answer to it: `{"kbt":hex}` or `{"error":text}`
//! - `{"do":"answer","request":text,"authority":hex DER,"now":unix,"kbt":hex}` verifies a request and answers it: `{"facts":[[name, outcome]],"role",
//!   "organisation","place","nonce":hex,"hash":hex,"audience","answer":text}` or `{"error":text}`; without `answer` when a fact failed
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::io::{BufRead, Write};

use serde_json::{Value, json};
use wallet_base::crypto::{Curve, Signer, SoftwareKey};
use wallet_base::random::OsRandom;
use wallet_base::time::Timestamp;
use wallet_base::x509::{Certificate, CertificateSpec, issue};
use wallet_exchange::certificate::reader_certificate;
use wallet_exchange::{OpenRequest, ReaderTrust, RequestSpec, RequestedDocument, UnverifiedRequest, seal};

fn text<'a>(command: &'a Value, name: &str) -> Result<&'a str, Box<dyn Error>> {
    command[name].as_str().ok_or_else(|| format!("{name} is missing").into())
}

fn now(command: &Value) -> Result<Timestamp, Box<dyn Error>> {
    Ok(Timestamp::from_unix(command["now"].as_i64().ok_or("now is missing")?))
}

fn ask(command: &Value) -> Result<(Value, OpenRequest), Box<dyn Error>> {
    let now = now(command)?;
    let (authority_key, key) = (SoftwareKey::generate(Curve::P256, &OsRandom), SoftwareKey::generate(Curve::P256, &OsRandom));
    let authority = CertificateSpec {
        common_name: "Reader CA".to_owned(),
        organization: None,
        country: None,
        not_before: now.plus_secs(-86_400),
        not_after: now.plus_secs(365 * 86_400),
        public_key: authority_key.public_key(),
        is_ca: true,
        extended_key_usage: Vec::new(),
        extensions: Vec::new(),
        lean: false,
    };
    let authority = issue(&authority, None, &authority_key, &OsRandom)?;
    let leaf = reader_certificate("flight", "Sân bay Nội Bài", "NB-0042", key.public_key(), now.plus_secs(-60))?;
    let leaf = issue(&leaf, Some(&authority), &authority_key, &OsRandom)?;
    let spec = RequestSpec {
        role: "flight".to_owned(),
        purpose: "domestic-check-in".to_owned(),
        legal_basis: String::new(),
        documents: vec![RequestedDocument { document: "citizen-identity".to_owned(), fields: vec!["full_name".to_owned()] }],
        retention_hours: 24,
        place: "Cửa 12, Nội Bài".to_owned(),
        iat: now,
        exp: now.plus_secs(120),
    };
    let (request, open) = spec.sign(&leaf, &key, &OsRandom)?;
    let told = json!({"request": request, "authority": hex::encode(authority.der()), "hash": hex::encode(open.hash()),
        "nonce": hex::encode(open.nonce()), "audience": open.audience()});
    Ok((told, open))
}

fn answer(command: &Value) -> Result<Value, Box<dyn Error>> {
    let authority = Certificate::from_der(&hex::decode(text(command, "authority")?)?)?;
    let trust = ReaderTrust { authorities: vec![authority], ..ReaderTrust::default() };
    let request = UnverifiedRequest::decode_text(text(command, "request")?)?;
    let (facts, verified) = request.verify(&trust, now(command)?);
    let facts: Vec<_> = facts.iter().map(|fact| json!([fact.name().as_str(), fact.outcome().as_str()])).collect();
    let Some(verified) = verified else { return Ok(json!({ "facts": facts })) };
    Ok(json!({
        "facts": facts, "role": verified.role(), "organisation": verified.organisation(), "place": verified.place(),
        "nonce": hex::encode(verified.nonce()), "hash": hex::encode(verified.hash()), "audience": verified.audience(),
        "answer": seal(&hex::decode(text(command, "kbt")?)?, &verified, &OsRandom)?,
    }))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut open = None;
    for line in std::io::stdin().lock().lines() {
        let command: Value = serde_json::from_str(&line?)?;
        let told = match text(&command, "do")? {
            "ask" => ask(&command).map(|(told, request)| {
                open = Some(request);
                told
            }),
            "open" => {
                let request = open.as_mut().ok_or("nothing was asked")?;
                let opened = request.open(text(&command, "answer")?, now(&command)?);
                opened.map(|kbt| json!({ "kbt": hex::encode(kbt.as_slice()) })).map_err(Into::into)
            }
            "answer" => answer(&command),
            _ => Err("unknown command".into()),
        };
        println!("{}", told.unwrap_or_else(|error| json!({ "error": error.to_string() })));
        std::io::stdout().flush()?;
    }
    Ok(())
}
