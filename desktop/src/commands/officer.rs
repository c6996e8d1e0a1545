//! `officer ...`: a staff device on this machine.
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use wallet_base::time::Timestamp;
use wallet_bindings::{Verifier, WalletError};

use super::officer_socket::{Holder, hand_over};
use super::{central, secret};
use crate::cli::OfficerCommand;
use crate::device::{self, at_border};
use crate::pictures;
use crate::ports::DesktopClock;
use crate::report::Finding;
use crate::screen::{Screen, print_line};
use crate::trouble::{DONE, REJECTED, Trouble, UNDETERMINED, USAGE};
use crate::words;

/// Runs one of the commands.
pub fn run(command: OfficerCommand) -> Result<u8, Trouble> {
    match command {
        OfficerCommand::Enrol { dir, service, code } => {
            super::make_folder(&dir)?;
            central::public_files(&service.central)?.write(&dir)?;
            let code = secret(&code, "code")?;
            let verifier = open(&dir)?;
            let staff = verifier.enrol(code.to_string()).map_err(|e| at_border("enrolling", e))?;
            print_line(&format!("{}: {}, {}", staff.role, staff.organisation, staff.place));
            Ok(DONE)
        }
        OfficerCommand::Sync { dir } => {
            let report = open(&dir)?.sync().map_err(|e| at_border("syncing", e))?;
            Ok(show(&report.verdict.into(), &[], false))
        }
        OfficerCommand::Ask { dir, document, fields, purpose, place, out } => {
            let verifier = open(&dir)?;
            // The socket first: whoever sees the picture can have it checked.
            let holder = Holder::open(&dir)?;
            let asked = verifier
                .ask(document, fields, purpose.unwrap_or_default(), place.unwrap_or_default())
                .map_err(|e| at_border("drawing a request", e))?;
            pictures::draw(&asked.text(), &out, Screen::talking())?;
            let expires = Timestamp::parse_rfc3339(&asked.expires()).map_or(0, Timestamp::unix);
            let left = expires.saturating_sub(DesktopClock::default().now());
            print_line(&format!("The request is open for {left} seconds; have the answer checked with `officer check`."));
            let wait = Duration::from_secs(u64::try_from(left).unwrap_or(0));
            let answered = holder.hold(wait, |text| judge(&verifier, text))?;
            print_line(if answered { "Answered." } else { "Nobody answered in time; the request is closed." });
            Ok(if answered { DONE } else { UNDETERMINED })
        }
        OfficerCommand::Check { dir, answer, json } => {
            let text = pictures::read(&answer)?;
            let reply = hand_over(&dir, &text)?;
            if let Some(problem) = reply.get("unusable").and_then(Value::as_str) {
                return Err(Trouble::usage(problem));
            }
            let finding = Finding {
                verdict: reply.get("verdict").and_then(Value::as_str).unwrap_or_default().to_owned(),
                facts: reply.get("facts").cloned().and_then(|f| serde_json::from_value(f).ok()).unwrap_or_default(),
            };
            let fields: Vec<(String, String)> =
                reply.get("fields").cloned().and_then(|f| serde_json::from_value(f).ok()).unwrap_or_default();
            Ok(show(&finding, &fields, json))
        }
    }
}

fn open(dir: &Path) -> Result<Arc<Verifier>, Trouble> {
    let keys = device::keys(dir)?;
    device::verifier(dir, keys, &DesktopClock::default(), None)
}

/// Judges one text in the holding process: the reply, and whether the request is closed by it.
fn judge(verifier: &Verifier, text: &str) -> (Value, bool) {
    match verifier.check(text.to_owned()) {
        Ok(result) => {
            let finding = Finding::from(result.verdict());
            let fields: Vec<(String, String)> = result.display().iter().flat_map(words::lines).collect();
            // An answer that opens with no key of mine says nothing about my request: somebody else's, or an old one. It stays open.
            let mine = finding.verdict != "rejected:exchange.nonce";
            (json!({ "verdict": finding.verdict, "facts": finding.facts, "fields": fields }), mine)
        }
        Err(error) => (json!({ "unusable": unusable(&error) }), false),
    }
}

fn unusable(error: &WalletError) -> String {
    format!("this cannot be checked: {error}")
}

/// Prints a verdict and gives its exit code.
pub fn show(finding: &Finding, fields: &[(String, String)], as_json: bool) -> u8 {
    if as_json {
        let fields: serde_json::Map<String, Value> = fields.iter().map(|(label, value)| (label.clone(), json!(value))).collect();
        print_line(&json!({ "verdict": finding.verdict, "facts": finding.facts, "fields": fields }).to_string());
    } else {
        let screen = Screen::talking();
        for (label, value) in fields {
            screen.say(&format!("{label:<28} {value}"));
        }
        for fact in &finding.facts {
            screen.fact(fact);
        }
        screen.say(&finding.verdict);
    }
    exit_code(&finding.verdict)
}

/// The exit code of a verdict in words.
fn exit_code(verdict: &str) -> u8 {
    match verdict.split(':').next() {
        Some("verified") => DONE,
        Some("rejected") => REJECTED,
        Some("undetermined") => UNDETERMINED,
        _ => USAGE,
    }
}
