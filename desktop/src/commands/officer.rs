//! `officer ...`: a staff device on this machine.
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wallet_base::time::Timestamp;
use wallet_bindings::Wait as _;
use wallet_bindings::{Recorder, Verifier, VerifierSyncReport, WalletError};

use super::officer_socket::{Holder, hand_over};
use super::{central, secret};
use crate::advice::sentence;
use crate::cli::OfficerCommand;
use crate::device::{self, AnswerRecord, Kind, at_border};
use crate::newfolder::NewFolder;
use crate::pictures;
use crate::ports::DesktopClock;
use crate::report::Finding;
use crate::screen::{Screen, print_line};
use crate::service_file::ServiceFile;
use crate::trouble::{DONE, REJECTED, Trouble, UNDETERMINED, USAGE};
use crate::words::{self, FieldLine};

/// Longest carried file; the same cap stands behind the border.
const MAX_CARRIED: u64 = 64 << 20;

/// Runs one of the commands.
pub fn run(command: OfficerCommand) -> Result<u8, Trouble> {
    match command {
        OfficerCommand::Enrol { dir, service, code } => {
            Kind::Staff.refuse_other(&dir)?;
            let service = central::public_files(&service.central)?;
            let code = secret(&code, "code")?;
            // A refused code changes nothing: what is there keeps its service, what is new goes again.
            let folder = NewFolder::begin(&dir)?;
            let verifier = match device::verifier_at(&dir, service.clone(), device::keys(&dir)?, &DesktopClock::default(), None) {
                Err(trouble) if device::was_busy(&trouble) => {
                    folder.keep();
                    return Err(trouble);
                }
                opened => opened?,
            };
            let staff = verifier.enrol(code.to_string(), None).wait().map_err(|e| at_border("enrolling", e))?;
            service.write(&dir)?;
            folder.keep();
            print_line(&format!("{}: {}, {}", staff.role, staff.organisation, staff.place));
            Ok(DONE)
        }
        OfficerCommand::Sync { dir } => {
            let report = open(&dir)?.sync(None).wait().map_err(|e| at_border("syncing", e))?;
            Ok(show(&report.verdict.into(), &Shown::default(), false))
        }
        OfficerCommand::Carry { dir, out } => {
            let file = open(&dir)?.carry().wait().map_err(|e| at_border("carrying", e))?;
            std::fs::write(&out, &file).map_err(|e| Trouble::outside(&format!("writing {}", out.display()), e))?;
            print_line(&format!("{}: {} bytes, signed public data only; take it with `officer take`", out.display(), file.len()));
            Ok(DONE)
        }
        OfficerCommand::Take { dir, file, json } => {
            let carried = read_carried(&file)?;
            let report = open(&dir)?.take(carried).wait().map_err(|e| at_border("taking the file", e))?;
            Ok(show_sync(report, json))
        }
        OfficerCommand::Ask { dir, document, fields, purpose, place, out, record } => {
            let service = own_service(&dir)?;
            Holder::refuse_second(&dir)?;
            let recorder = record.map(|folder| -> Arc<dyn Recorder> { Arc::new(AnswerRecord::new(&folder, |_| {})) });
            let verifier = device::verifier_at(&dir, service, device::keys(&dir)?, &DesktopClock::default(), recorder)?;
            // The socket first: whoever sees the picture can have it checked.
            let holder = Holder::open(&dir)?;
            holder.remove_when_interrupted();
            let picture = pictures::Place::open(&out)?;
            let asked = verifier
                .ask(
                    document.clone(),
                    Some(fields).filter(|named| !named.is_empty()),
                    purpose.unwrap_or_default(),
                    place.unwrap_or_default(),
                )
                .wait()
                .map_err(|e| cannot_ask(&verifier, &document, e))?;
            picture.draw(&asked.text(), Screen::talking())?;
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
            Ok(show(&finding, &Shown { fields: list(&reply, "fields"), withheld: list(&reply, "withheld") }, json))
        }
    }
}

/// A carried file, up to one byte above its cap: the border refuses what is longer.
fn read_carried(file: &Path) -> Result<Vec<u8>, Trouble> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(file).and_then(|open| open.take(MAX_CARRIED + 1).read_to_end(&mut bytes));
    read.map_err(|e| Trouble::usage(format!("{}: {e}", file.display())))?;
    Ok(bytes)
}

/// Prints what a sync or a carried file came to.
fn show_sync(report: VerifierSyncReport, json: bool) -> u8 {
    let (trust, lists, stored) = (report.trust.clone(), report.lists, report.stored);
    let finding = Finding::from(report.verdict);
    if json {
        let trust = trust.map(|t| json!({ "version": t.version, "signed_at": t.signed_at, "expires": t.expires }));
        let reply = json!({ "verdict": finding.verdict, "facts": finding.facts, "trust": trust, "lists": lists, "stored": stored });
        print_line(&reply.to_string());
        return exit_code(&finding.verdict);
    }
    if let Some(trust) = trust {
        Screen::talking().say(&format!("trust version {}, expires {}; {stored} of {lists} lists stored", trust.version, trust.expires));
    }
    show(&finding, &Shown::default(), false)
}

fn open(dir: &Path) -> Result<Arc<Verifier>, Trouble> {
    let service = own_service(dir)?;
    device::verifier_at(dir, service, device::keys(dir)?, &DesktopClock::default(), None)
}

/// The service of the staff device in `dir`. A folder without one, or a wallet's, is refused before anything is made or opened there.
fn own_service(dir: &Path) -> Result<ServiceFile, Trouble> {
    Kind::Staff.refuse_other(dir)?;
    ServiceFile::read(dir)
}

/// Judges one text in the holding process: the reply, and whether the request is closed by it.
fn judge(verifier: &Verifier, text: &str) -> (Value, bool) {
    match verifier.check(text.to_owned()).wait() {
        Ok(result) => {
            let finding = Finding::from(result.verdict());
            let fields: Vec<FieldLine> = result.display().iter().flat_map(words::lines).collect();
            // With a red verdict nothing is shown, whatever the holder gave.
            let withheld = if fields.is_empty() { Vec::new() } else { result.withheld() };
            // An answer that opens with no key of mine says nothing about my request: somebody else's, or an old one. It stays open.
            let mine = finding.verdict != "rejected:exchange.nonce";
            (json!({ "verdict": finding.verdict, "facts": finding.facts, "fields": fields, "withheld": withheld }), mine)
        }
        Err(error) => (json!({ "unusable": unusable(&error) }), false),
    }
}

fn unusable(error: &WalletError) -> String {
    format!("this cannot be checked: {}", sentence(error))
}

/// What was wrong with the words of `ask`, with those that the device's role may use.
fn cannot_ask(verifier: &Verifier, document: &str, error: WalletError) -> Trouble {
    let trouble = at_border("drawing a request", error.clone());
    let own = verifier.policies().wait().ok().and_then(|policies| policies.into_iter().find(|policy| policy.own));
    let (WalletError::Invalid { reason }, Some(own)) = (error, own) else { return trouble };
    let may = match reason.as_str() {
        "unknown-document" => own.documents.iter().map(|d| d.document.as_str()).collect::<Vec<_>>().join(", "),
        "unknown-field" => own.documents.iter().find(|d| d.document == document).map(|d| d.allowed.join(", ")).unwrap_or_default(),
        "unknown-purpose" => own.purposes.join(", "),
        _ => return trouble,
    };
    Trouble::usage(format!("{trouble}. The role `{}` may use: {may}", own.role))
}

/// A list of a reply; empty when it is missing or of another form.
fn list<T: DeserializeOwned>(reply: &Value, name: &str) -> Vec<T> {
    reply.get(name).cloned().and_then(|l| serde_json::from_value(l).ok()).unwrap_or_default()
}

/// What goes with a verdict: the values, and the ids of the fields that were asked for and not shown.
#[derive(Debug, Default)]
pub struct Shown {
    /// Values in order; a field may come several times.
    pub fields: Vec<FieldLine>,
    /// Field ids.
    pub withheld: Vec<String>,
}

/// Prints a verdict and gives its exit code.
pub fn show(finding: &Finding, shown: &Shown, as_json: bool) -> u8 {
    if as_json {
        let reply = json!({ "verdict": finding.verdict, "facts": finding.facts, "fields": shown.fields, "withheld": shown.withheld });
        print_line(&reply.to_string());
    } else {
        let screen = Screen::talking();
        for line in &shown.fields {
            screen.say(&format!("{:<28} {}", line.label, line.value));
        }
        if let Some(text) = words::not_shown(&shown.withheld) {
            screen.say(&text);
        }
        for fact in &finding.facts {
            screen.fact(fact);
        }
        screen.say(&finding.verdict);
        if finding.verdict == "undetermined:portrait.match" {
            screen.say("Compare the face with the picture on the card.");
        }
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
