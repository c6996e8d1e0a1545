//! `verify`: an mdoc credential, or a presentation of one for a session, against a root given by hand.
use wallet_base::cbor::Value;
use wallet_base::fact::{By, Fact, FactName, Verdict};
use wallet_base::time::{TimeSource, Timestamp};
use wallet_credential::CredentialError;
use wallet_credential::check::{Check, ExpectedType};
use wallet_credential::mdoc::{self, IssuerSigned, SessionTranscript, UnverifiedDeviceResponse};
use wallet_credential::status::{FreshnessPolicy, NoStatusLists, StatusCheck};
use wallet_credential::trust::Anchors;

use super::files;
use crate::cli::VerifyArgs;
use crate::commands::officer::{Shown, show};
use crate::report::Finding;
use crate::trouble::Trouble;
use crate::words::FieldLine;

/// Clock difference tolerated for "not yet valid", in seconds.
const SKEW: i64 = 60;

/// Prints the facts and gives the exit code of the verdict.
pub fn verify(arguments: &VerifyArgs) -> Result<u8, Trouble> {
    let root = files::certificate(&files::read(&arguments.root)?)?;
    let bytes = files::unwrapped(files::read(&arguments.file)?);
    let at = match &arguments.at {
        Some(text) => Timestamp::parse_rfc3339(text).ok_or_else(|| Trouble::usage("--at: not a time of RFC 3339"))?,
        None => SystemTime.now(),
    };
    let anchors = Anchors::new(vec![root]);
    let judged = match arguments.session.transcript()? {
        Some(transcript) => presentation(arguments, &bytes, &anchors, &transcript, at),
        None => credential(arguments, &bytes, &anchors, at),
    };
    let (facts, elements) = judged.map_err(|e| Trouble::usage(format!("{}: {e}", arguments.file.display())))?;
    let finding = Finding::from(&Verdict::from(facts));
    // Values of a credential that is not what it says are not worth showing.
    let shown: &[(String, String)] = if finding.verdict.starts_with("rejected") { &[] } else { &elements };
    let fields = shown.iter().map(|(name, value)| FieldLine { field: name.clone(), label: name.clone(), value: value.clone() }).collect();
    Ok(show(&finding, &Shown { fields, withheld: Vec::new() }, false))
}

/// Facts, and names with values.
type Judged = (Vec<Fact>, Vec<(String, String)>);

fn credential(arguments: &VerifyArgs, bytes: &[u8], anchors: &Anchors, at: Timestamp) -> Result<Judged, CredentialError> {
    let credential = IssuerSigned::decode(bytes)?;
    let expected = expected(arguments, credential.doctype());
    let own_key = credential.device_key().clone();
    let (facts, _) = mdoc::verify_issued(bytes, &check(anchors, &expected, at), &own_key)?;
    Ok((facts.into_iter().map(without_holder).collect(), elements(&credential)))
}

/// Every document of a response has to be in order, and there has to be one.
fn presentation(
    arguments: &VerifyArgs,
    bytes: &[u8],
    anchors: &Anchors,
    transcript: &SessionTranscript,
    at: Timestamp,
) -> Result<Judged, CredentialError> {
    let response = UnverifiedDeviceResponse::decode(bytes)?;
    if response.status() != 0 || response.documents().is_empty() {
        return Err(CredentialError::Malformed("device response: nothing was returned"));
    }
    let (mut facts, mut shown) = (Vec::new(), Vec::new());
    for document in response.documents() {
        let expected = expected(arguments, document.doctype());
        facts.extend(document.verify(&check(anchors, &expected, at), transcript, None).0);
        shown.extend(elements(document.issuer_signed()));
    }
    Ok((facts, shown))
}

fn expected(arguments: &VerifyArgs, claimed: &str) -> ExpectedType {
    let doctype = arguments.doctype.as_deref().unwrap_or(claimed);
    ExpectedType::new(doctype, doctype)
}

fn check<'a>(anchors: &'a Anchors, expected: &'a ExpectedType, at: Timestamp) -> Check<'a> {
    let status = StatusCheck { lists: &NoStatusLists, policy: FreshnessPolicy { green_hours: 24, caution_hours: 72 } };
    Check { trust: anchors, expected, at, skew_secs: SKEW, status, by: By::Verifier }
}

fn elements(credential: &IssuerSigned) -> Vec<(String, String)> {
    credential
        .name_spaces()
        .flat_map(|(space, items)| items.iter().map(move |item| (format!("{space}/{}", item.element()), shown(item.value()))))
        .collect()
}

/// A value as it is encoded, but of bytes (a portrait) only how many there are.
fn shown(value: &Value) -> String {
    match value {
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Value::Tag(tag, inner) => format!("Tag({tag}, {})", shown(inner)),
        Value::Array(items) => format!("Array([{}])", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Map(pairs) => {
            let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("({}, {})", shown(key), shown(value))).collect();
            format!("Map([{}])", pairs.join(", "))
        }
        other => format!("{other:?}"),
    }
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
