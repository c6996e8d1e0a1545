//! Dishonest holders: who own the phone and its keys, or a copy of a credential that was recorded on its way. They answer without the wallet.
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value as Json;
use wallet_base::cbor::{self, Limits, Value};
use wallet_base::crypto::{Curve, Signer, SoftwareKey, sha256};
use wallet_base::random::OsRandom;
use wallet_base::time::Timestamp;
use wallet_base::x509::Certificate;
use wallet_bindings::ports::KeyStorePort;
use wallet_credential::sd_cwt::code_points::HEADER_SD_CLAIMS;
use wallet_credential::sd_cwt::{SdCwt, kbt};
use wallet_documents::claim_keys;
use wallet_exchange::{ReaderTrust, UnverifiedRequest, VerifiedRequest, seal};

use super::{STRANGER, rejected, spoiled};
use crate::demo::Run;
use crate::demo::steps::{self, FACE_OPEN};
use crate::demo::story::{DESKS, Desk, FIRST, LICENCE, ROADSIDE};
use crate::demo::world::World;
use crate::report::Finding;
use crate::trouble::Trouble;

/// How a dishonest answer differs from an honest one.
#[derive(Default)]
struct Twist {
    /// Another value for a claim, by its key.
    value: Option<(i64, Value)>,
    /// Signed by a key of another phone.
    stranger: bool,
    /// The hash of another request.
    other_request: Option<[u8; 32]>,
}

/// A holder alters a disclosed value and signs again with the right key.
pub fn altered_element(run: &mut Run, fact: &str) -> bool {
    steps::until_documents(run)
        && run.step("roadside check", &rejected(fact), |world| {
            let value = Some((claim_keys::POINTS, Value::Unsigned(12)));
            dishonest_check(world, Twist { value, ..Twist::default() })
        })
}

/// A copied credential answered from another phone.
pub fn another_phone(run: &mut Run, fact: &str) -> bool {
    steps::until_documents(run)
        && run.step("roadside check", &rejected(fact), |world| dishonest_check(world, Twist { stranger: true, ..Twist::default() }))
}

/// The holder answers the request that is asked, but binds the answer to another one.
pub fn another_request(run: &mut Run, fact: &str) -> bool {
    steps::until_documents(run)
        && run.step("roadside check", &rejected(fact), |world| {
            let other = steps::ask(world, &ROADSIDE, None)?;
            world.sees(STRANGER, "request", &other.picture);
            let (_, request) = read(world, &other.picture.text)?;
            steps::cancel(world, &ROADSIDE, &other)?;
            world.screen.tell("The officer gives up on that request and asks again.");
            dishonest_check(world, Twist { other_request: Some(request.hash()), ..Twist::default() })
        })
}

/// An answer to an earlier request is shown to the next one.
pub fn earlier_answer(run: &mut Run, fact: &str) -> bool {
    let mut filmed = None;
    steps::until_documents(run)
        && run.step("roadside check", FACE_OPEN, |world| {
            let asked = steps::ask(world, &ROADSIDE, None)?;
            let (by_phone, picture) = steps::answer(world, &FIRST, &asked.picture, ROADSIDE.id)?;
            let by_officer = steps::judge(world, &ROADSIDE, &picture)?;
            world.screen.tell("Somebody filmed the answer.");
            world.sees(STRANGER, "answer", &picture);
            filmed = Some(picture);
            Ok(Finding::join([by_phone, by_officer]))
        })
        && run.step("second roadside check", &rejected(fact), |world| {
            steps::ask(world, &ROADSIDE, None)?;
            world.screen.tell("The film of the earlier answer is shown:");
            let filmed = filmed.ok_or_else(|| spoiled("no film", "there was no answer"))?;
            let shown = world.by_picture(STRANGER, "answer", "filmed-answer", &filmed.text)?;
            steps::judge(world, &ROADSIDE, &shown)
        })
}

/// 31 days later a holder answers with a copy of that time. The honest wallet would not.
pub fn expired_copy(run: &mut Run, fact: &str) -> bool {
    steps::until_documents(run)
        && run.step("31 days later the staff devices enrol again and sync", "verified", |world| later(world, 31, &DESKS))
        && run.step("roadside check", &rejected(fact), |world| dishonest_check(world, Twist::default()))
}

/// Days go by; all staff devices get new certificates, and those of `desks` fetch what is published then.
pub fn later(world: &mut World, days: i64, desks: &[Desk]) -> Result<Finding, Trouble> {
    world.let_time_pass(days)?;
    world.start_central()?;
    let mut findings = Vec::new();
    for desk in &DESKS {
        world.enrol(desk)?;
    }
    for desk in desks {
        findings.push(steps::officer_syncs(world, desk)?);
    }
    Ok(Finding::join(findings))
}

fn dishonest_check(world: &mut World, twist: Twist) -> Result<Finding, Trouble> {
    let copies = recorded_copies(world, LICENCE)?;
    // The last copy of the batch: the honest wallet begins with the first.
    let copy = copies.last().ok_or_else(|| spoiled("no copy", "no credential was recorded"))?;
    let asked = steps::ask(world, &ROADSIDE, None)?;
    world.screen.tell("The holder answers without the wallet:");
    world.sees(STRANGER, "request", &asked.picture);
    let text = dishonest_answer(world, copy, &asked.picture.text, twist)?;
    let seen = world.by_picture(STRANGER, "answer", "dishonest-answer", &text)?;
    steps::judge(world, &ROADSIDE, &seen)
}

fn dishonest_answer(world: &World, copy: &[u8], asked: &str, twist: Twist) -> Result<String, Trouble> {
    let failed = |e: &dyn std::fmt::Display| spoiled("making an answer", e);
    let (fields, request) = read(world, asked)?;
    let document = wallet_documents::by_id(LICENCE).ok_or_else(|| failed(&"unknown document"))?;
    let token = SdCwt::decode(copy).map_err(|e| failed(&e))?;
    let mut presented = token.select(&document.claims_of(fields.iter().map(String::as_str))).map_err(|e| failed(&e))?;
    if let Some((key, value)) = twist.value {
        presented = altered(&presented, key, &value)?;
    }
    let claims = kbt::KbtClaims {
        aud: request.audience().to_owned(),
        iat: Timestamp::from_unix(world.clock.now()),
        cnonce: Some(request.nonce().to_vec()),
        request_hash: Some(twist.other_request.unwrap_or(request.hash())),
        mode: kbt::Mode::B,
    };
    let prepared = kbt::prepare(&presented, &claims).map_err(|e| failed(&e))?;
    let signature = if twist.stranger {
        SoftwareKey::generate(Curve::P256, &OsRandom).sign(prepared.to_be_signed()).map_err(|e| failed(&e))?
    } else {
        signed_by_phone(world, &token, prepared.to_be_signed())?
    };
    let kbt = prepared.finish(&signature).map_err(|e| failed(&e))?;
    seal(&kbt, &request, &OsRandom).map_err(|e| failed(&e))
}

/// The owner of the phone lets its key sign.
fn signed_by_phone(world: &World, token: &SdCwt, bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
    let failed = |e: &dyn std::fmt::Display| spoiled("signing with the phone's key", e);
    let keys = &world.phone(&FIRST)?.keys;
    let name = keys.name_of(&token.holder_key().to_sec1()).ok_or_else(|| failed(&"the phone does not have this key"))?;
    let leave = keys.authorise("roadside check".to_owned(), vec![name.clone()], 1, 10_000).map_err(|e| failed(&e))?;
    keys.sign(Some(leave), name, bytes.to_vec()).map_err(|e| failed(&e))
}

/// Reads a request as anybody can who has the public list of reader authorities: the fields asked for and the request.
fn read(world: &World, text: &str) -> Result<(Vec<String>, VerifiedRequest), Trouble> {
    let failed = |e: &dyn std::fmt::Display| spoiled("reading a request", e);
    let request = UnverifiedRequest::decode_text(text).map_err(|e| failed(&e))?;
    let trust = ReaderTrust { authorities: reader_authorities(world)?, ..ReaderTrust::default() };
    let (_, verified) = request.verify(&trust, Timestamp::from_unix(world.clock.now()));
    let verified = verified.ok_or_else(|| failed(&"it does not verify"))?;
    let fields = verified.documents().iter().flat_map(|d| d.fields.clone()).collect();
    Ok((fields, verified))
}

/// Reader authorities, as they passed the relay when a staff device enrolled.
pub(super) fn reader_authorities(world: &World) -> Result<Vec<Certificate>, Trouble> {
    let failed = |e: &dyn std::fmt::Display| spoiled("finding the reader authority", e);
    let exchanges = world.relay.recorder().exchanges();
    let enrolled = exchanges.iter().rev().find(|e| e.path == "/staff/enrol" && e.status == 200).ok_or_else(|| failed(&"none passed"))?;
    let body: Json = serde_json::from_slice(&enrolled.received).map_err(|e| failed(&e))?;
    let text = body.get("authority").and_then(Json::as_str).ok_or_else(|| failed(&"none in the answer"))?;
    let der = STANDARD.decode(text).map_err(|e| failed(&e))?;
    Ok(vec![Certificate::from_der(&der).map_err(|e| failed(&e))?])
}

/// SD-CWTs of a document with all their disclosures, as they passed the relay, in the order in which they passed.
fn recorded_copies(world: &World, document: &str) -> Result<Vec<Vec<u8>>, Trouble> {
    let failed = |e: &dyn std::fmt::Display| spoiled("reading the recorded issuance", e);
    let configuration = format!("{document}.sd-cwt");
    let mut copies = Vec::new();
    for exchange in world.relay.recorder().exchanges().iter().filter(|e| e.path == "/credential" && e.status == 200) {
        let asked: Json = serde_json::from_slice(&exchange.sent).map_err(|e| failed(&e))?;
        if asked.get("credential_configuration_id").and_then(Json::as_str) != Some(configuration.as_str()) {
            continue;
        }
        let given: Json = serde_json::from_slice(&exchange.received).map_err(|e| failed(&e))?;
        for entry in given.get("credentials").and_then(Json::as_array).into_iter().flatten() {
            let text = entry.get("credential").and_then(Json::as_str).ok_or_else(|| failed(&"no credential"))?;
            copies.push(URL_SAFE_NO_PAD.decode(text).map_err(|e| failed(&e))?);
        }
    }
    Ok(copies)
}

/// The token with another value in the disclosure of one claim; salt, key and everything signed stay.
fn altered(token: &[u8], claim: i64, value: &Value) -> Result<Vec<u8>, Trouble> {
    let failed = |e: &dyn std::fmt::Display| spoiled("altering a value", e);
    let mut decoded = cbor::decode(token, Limits::STRICT).map_err(|e| failed(&e))?;
    let before = sha256(&cbor::encode(&decoded));
    if let Some(disclosures) = disclosures(&mut decoded) {
        for disclosure in disclosures {
            let Value::Bytes(bytes) = disclosure else { continue };
            let mut parts = cbor::decode(bytes, Limits::STRICT).map_err(|e| failed(&e))?;
            if let Value::Array(entries) = &mut parts
                && let [_, shown, key] = entries.as_mut_slice()
                && key.as_int() == Some(claim)
            {
                *shown = value.clone();
                *bytes = cbor::encode(&parts);
            }
        }
    }
    let after = cbor::encode(&decoded);
    if sha256(&after) == before { Err(failed(&"the value is not disclosed or already so")) } else { Ok(after) }
}

/// The list of disclosures in the unprotected header of a token (COSE_Sign1).
fn disclosures(token: &mut Value) -> Option<&mut Vec<Value>> {
    let parts = match token {
        Value::Tag(_, inner) => inner.as_mut(),
        other => other,
    };
    let Value::Array(parts) = parts else { return None };
    let Some(Value::Map(header)) = parts.get_mut(1) else { return None };
    header.iter_mut().find(|(key, _)| key.as_int() == Some(HEADER_SD_CLAIMS)).and_then(|(_, value)| match value {
        Value::Array(list) => Some(list),
        _ => None,
    })
}
