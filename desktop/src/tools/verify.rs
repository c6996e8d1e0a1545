//! `verify`: one mdoc credential file against a root given by hand.
use std::path::Path;

use base64::Engine;
use wallet_base::fact::{By, Fact, FactName, Verdict};
use wallet_base::time::{TimeSource, Timestamp};
use wallet_base::x509::Certificate;
use wallet_credential::check::{Check, ExpectedType};
use wallet_credential::mdoc::{self, IssuerSigned};
use wallet_credential::status::{FreshnessPolicy, NoStatusLists, StatusCheck};
use wallet_credential::trust::Anchors;

use crate::cli::VerifyArgs;
use crate::commands::officer::{Shown, show};
use crate::report::Finding;
use crate::trouble::Trouble;
use crate::words::FieldLine;

/// Files larger than this are not read.
const MAX_FILE: u64 = 1 << 20;
/// Clock difference tolerated for "not yet valid", in seconds.
const SKEW: i64 = 60;

/// Prints the facts and gives the exit code of the verdict.
pub fn verify(arguments: &VerifyArgs) -> Result<u8, Trouble> {
    let root = certificate(&read(&arguments.root)?)?;
    let bytes = unwrapped(read(&arguments.file)?);
    let at = match &arguments.at {
        Some(text) => Timestamp::parse_rfc3339(text).ok_or_else(|| Trouble::usage("--at: not a time of RFC 3339"))?,
        None => SystemTime.now(),
    };
    let credential = IssuerSigned::decode(&bytes).map_err(|e| Trouble::usage(format!("{}: {e}", arguments.file.display())))?;
    let doctype = arguments.doctype.clone().unwrap_or_else(|| credential.doctype().to_owned());
    let expected = ExpectedType::new(&doctype, &doctype);
    let anchors = Anchors::new(vec![root]);
    let status = StatusCheck { lists: &NoStatusLists, policy: FreshnessPolicy { green_hours: 24, caution_hours: 72 } };
    let check = Check { trust: &anchors, expected: &expected, at, skew_secs: SKEW, status, by: By::Verifier };
    let own_key = credential.device_key().clone();
    let (facts, _) =
        mdoc::verify_issued(&bytes, &check, &own_key).map_err(|e| Trouble::usage(format!("{}: {e}", arguments.file.display())))?;
    let facts: Vec<Fact> = facts.into_iter().map(without_holder).collect();
    let elements: Vec<(String, String)> = credential
        .name_spaces()
        .flat_map(|(space, items)| items.iter().map(move |item| (format!("{space}/{}", item.element()), format!("{:?}", item.value()))))
        .collect();
    let finding = Finding::from(&Verdict::from(facts));
    // Values of a credential that is not what it says are not worth showing.
    let shown: &[(String, String)] = if finding.verdict.starts_with("rejected") { &[] } else { &elements };
    let fields = shown.iter().map(|(name, value)| FieldLine { field: name.clone(), label: name.clone(), value: value.clone() }).collect();
    Ok(show(&finding, &Shown { fields, withheld: Vec::new() }, false))
}

/// A file is no presentation: whoever holds it proved nothing about the key it was issued to.
fn without_holder(fact: Fact) -> Fact {
    if fact.name() == FactName::CredentialHolder && fact.outcome() == wallet_base::fact::Outcome::Passed {
        return Fact::not_checked(FactName::CredentialHolder, By::Verifier, "a file proves nothing about its holder")
            .about(fact.subject())
            .optional();
    }
    fact
}

struct SystemTime;

impl TimeSource for SystemTime {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(crate::ports::DesktopClock::default().now())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    let failed = |e| Trouble::usage(format!("{}: {e}", path.display()));
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_FILE {
        return Err(Trouble::usage(format!("{}: too large", path.display())));
    }
    std::fs::read(path).map_err(failed)
}

/// Base64 or base64url text becomes the bytes it stands for; everything else is bytes already.
fn unwrapped(bytes: Vec<u8>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&bytes) else { return bytes };
    let text: String = text.split_whitespace().collect();
    let text = text.trim_end_matches('=');
    let engines = [base64::engine::general_purpose::URL_SAFE_NO_PAD, base64::engine::general_purpose::STANDARD_NO_PAD];
    engines.iter().find_map(|e| e.decode(text).ok()).unwrap_or(bytes)
}

fn certificate(bytes: &[u8]) -> Result<Certificate, Trouble> {
    let unreadable = || Trouble::usage("--root: not a certificate (DER or PEM)");
    let pem = std::str::from_utf8(bytes).ok().and_then(|text| {
        let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
        let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
        let body: String = body.split_whitespace().collect();
        base64::engine::general_purpose::STANDARD.decode(body).ok()
    });
    Certificate::from_der(pem.as_deref().unwrap_or(bytes)).map_err(|_| unreadable())
}
