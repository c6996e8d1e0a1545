//! Attacks on the citizen: who asks, when, and for what.
use wallet_base::crypto::{Curve, Signer, SoftwareKey};
use wallet_base::random::OsRandom;
use wallet_base::time::Timestamp;
use wallet_base::x509::{Certificate, CertificateSpec, issue};
use wallet_exchange::certificate::reader_certificate;
use wallet_exchange::{RequestSpec, RequestedDocument};

use super::holder::reader_authorities;
use super::{STRANGER, rejected, spoiled};
use crate::demo::Run;
use crate::demo::steps;
use crate::demo::story::{FIRST, GATE, ROADSIDE};
use crate::demo::world::{Picture, World};
use crate::report::Finding;
use crate::trouble::Trouble;

const DAY: i64 = 86_400;
/// A field of the identity that the airline's role may not have.
const FORBIDDEN: &str = "resident_address";

/// Somebody with a certificate of their own making asks for the licence.
pub fn unknown_verifier(run: &mut Run, fact: &str) -> bool {
    steps::until_documents(run)
        && run.step("roadside check", &rejected(fact), |world| {
            world.stop_central()?;
            let text = strangers_request(world)?;
            let shown = world.by_picture(STRANGER, "request", "stranger-request", &text)?;
            refused_by_phone(world, &shown)
        })
}

fn strangers_request(world: &World) -> Result<String, Trouble> {
    let failed = |e: &dyn std::fmt::Display| spoiled("making a request", e);
    let now = Timestamp::from_unix(world.clock.now());
    let (authority_key, reader_key) = (SoftwareKey::generate(Curve::P256, &OsRandom), SoftwareKey::generate(Curve::P256, &OsRandom));
    let genuine =
        reader_authorities(world)?.first().and_then(Certificate::common_name).ok_or_else(|| failed(&"the authority has no name"))?;
    let authority = CertificateSpec {
        // The genuine authority's own name, so that its key is what tells them apart.
        common_name: genuine,
        organization: None,
        country: None,
        not_before: now.plus_secs(-DAY),
        not_after: now.plus_secs(30 * DAY),
        public_key: authority_key.public_key(),
        is_ca: true,
        extended_key_usage: Vec::new(),
        extensions: Vec::new(),
        lean: false,
    };
    let authority = issue(&authority, None, &authority_key, &OsRandom).map_err(|e| failed(&e))?;
    let leaf = reader_certificate(ROADSIDE.role, ROADSIDE.organisation, "device-1", reader_key.public_key(), now.plus_secs(-DAY));
    let leaf = issue(&leaf.map_err(|e| failed(&e))?, Some(&authority), &authority_key, &OsRandom).map_err(|e| failed(&e))?;
    let spec = RequestSpec {
        role: ROADSIDE.role.to_owned(),
        purpose: "roadside-check".to_owned(),
        legal_basis: "TT 28/2024/TT-BCA".to_owned(),
        documents: vec![RequestedDocument {
            document: ROADSIDE.document.to_owned(),
            fields: ["full_name", "licence_number"].map(str::to_owned).to_vec(),
        }],
        retention_hours: 24,
        place: ROADSIDE.place.to_owned(),
        iat: now,
        exp: now.plus_secs(120),
    };
    Ok(spec.sign(&leaf, &reader_key, &OsRandom).map_err(|e| failed(&e))?.0)
}

/// A genuine request that is shown an hour after it was made.
pub fn stale_request(run: &mut Run, fact: &str) -> bool {
    steps::until_documents(run)
        && run.step("roadside check", &rejected(fact), |world| {
            let asked = steps::ask(world, &ROADSIDE, None)?;
            world.set_clocks_on(3600);
            world.screen.tell("An hour goes by.");
            refused_by_phone(world, &asked.picture)
        })
}

/// A genuine officer asks for a field that the role may not have.
pub fn over_ask(run: &mut Run, fact: &str) -> bool {
    steps::until_documents(run)
        && run.step("flight check", &rejected(fact), |world| {
            let fields = ["full_name", "birth_date", FORBIDDEN].map(str::to_owned).to_vec();
            let asked = steps::ask(world, &GATE, Some(fields))?;
            refused_by_phone(world, &asked.picture)
        })
}

/// What the phone says to a request; it must not propose to show anything.
fn refused_by_phone(world: &World, picture: &Picture) -> Result<Finding, Trouble> {
    let pending = steps::read_request(world, &FIRST, picture)?;
    if pending.default_selection().is_some() {
        return Err(spoiled("the phone proposes an answer", "it should show nothing"));
    }
    world.screen.tell("The phone proposes nothing; nothing is sent.");
    Ok(Finding::from(pending.verdict()).on(FIRST.phone))
}
