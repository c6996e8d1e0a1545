//! `wallet ...`: a citizen's wallet on this machine.
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use wallet_bindings::Wait as _;
use wallet_bindings::request::PendingRequest;
use wallet_bindings::wallet::{CardPassword, WalletState};
use wallet_bindings::wallet_views::{ActivationView, ConsentEntryView};
use wallet_bindings::{Wallet, WalletError};

use super::officer::{Shown, show};
use super::{central, secret};
use crate::advice::sentence;
use crate::card::SocketCard;
use crate::cli::{WalletArgs, WalletCommand};
use crate::device::{self, Kind, at_border};
use crate::newfolder::NewFolder;
use crate::pictures::{self, Place};
use crate::ports::DesktopClock;
use crate::report::Finding;
use crate::screen::{Screen, print_line};
use crate::service_file::ServiceFile;
use crate::trouble::{DONE, REJECTED, Trouble};

/// Longest picture of a face that is read, in bytes.
const MAX_FACE: u64 = 2 << 20;

/// Runs one of the commands.
pub fn run(command: WalletCommand) -> Result<u8, Trouble> {
    match command {
        WalletCommand::Create { dir, service, passcode } => {
            Kind::Wallet.refuse_other(&dir)?;
            let service = central::public_files(&service.central)?;
            let passcode = secret(&passcode, "passcode")?;
            create(&dir, &service, &passcode)
        }
        WalletCommand::Activate { dir, passcode, card, can, code, face } => {
            let passcode = secret(&passcode, "passcode")?;
            let can = secret(&can, "card access number")?;
            check_can(&can)?;
            let face = read_face(&face)?;
            let wallet = unlock_with(&dir, &passcode)?;
            activate(&wallet, &card, &can, &code, &face)
        }
        WalletCommand::Issue(arguments) => {
            let wallet = unlock(&arguments.dir, &arguments.passcode)?;
            let report = wallet.obtain_documents(None).wait().map_err(|e| at_border("fetching the documents", e))?;
            let code = if report.documents.is_empty() && report.verdict.facts.is_empty() {
                print_line("Nothing to fetch: every document that is offered is here.");
                DONE
            } else {
                show(&report.verdict.into(), &Shown::default(), false)
            };
            for document in report.documents.iter().filter(|d| !d.problem.is_empty()) {
                print_line(&format!("{} did not come: {}; run `wallet issue` again", document.id, document.problem));
            }
            list(&wallet)?;
            Ok(code)
        }
        WalletCommand::Documents(arguments) => {
            list(&*unlock(&arguments.dir, &arguments.passcode)?)?;
            Ok(DONE)
        }
        WalletCommand::Answer { dir, request, out, passcode, fields, look, yes } => {
            // A picture that cannot be read or written must not cost a try of the passcode, nor a copy.
            let text = pictures::read(&request)?;
            let out = if look { None } else { out.as_deref().map(Place::open).transpose()? };
            let wallet = unlock(&dir, &passcode)?;
            answer(&wallet, text, fields, out, yes)
        }
        WalletCommand::Sync(arguments) => sync(&arguments),
        WalletCommand::Ledger { wallet, json } => {
            let wallet = unlock(&wallet.dir, &wallet.passcode)?;
            super::ledger::wallet(&wallet.ledger().wait().map_err(|e| at_border("reading the ledger", e))?, json);
            Ok(DONE)
        }
        WalletCommand::Log(arguments) => {
            let wallet = unlock(&arguments.dir, &arguments.passcode)?;
            for entry in wallet.consent_log().wait().map_err(|e| at_border("reading the log", e))? {
                print_line(&log_line(&entry));
            }
            Ok(DONE)
        }
    }
}

/// One line of the log. A request that could not be believed says nothing of who asked for what: what is empty is left out.
fn log_line(entry: &ConsentEntryView) -> String {
    let joined = |parts: &[&str], between: &str| parts.iter().copied().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(between);
    let framed = |open: char, text: &str, close: char| if text.is_empty() { String::new() } else { format!("{open}{text}{close}") };
    let asker = joined(&[&entry.organisation, &framed('(', &entry.role, ')')], " ");
    let asker = joined(&[&asker, &entry.place], ", ");
    let fields = framed('[', &entry.fields.join(", "), ']');
    let what = joined(&[&entry.purpose, &entry.document, &fields, &entry.reason], " ");
    format!("{}  {:<8} {}", entry.at, entry.outcome, joined(&[&asker, &what], ": "))
}

fn open(dir: &Path) -> Result<Arc<Wallet>, Trouble> {
    let keys = device::keys(dir)?;
    device::wallet(dir, keys, &DesktopClock::default(), None)
}

/// A new wallet, or nothing: a folder with a wallet stays as it is, and what a refused command made goes again.
fn create(dir: &Path, service: &ServiceFile, passcode: &str) -> Result<u8, Trouble> {
    let folder = NewFolder::begin(dir)?;
    // A wallet is opened for its own service; only then is it known to be one.
    let own = ServiceFile::read(dir).ok();
    let now = own.clone().unwrap_or_else(|| service.clone());
    let wallet = match device::wallet_at(dir, now, device::keys(dir)?, &DesktopClock::default(), None) {
        Err(trouble) if device::was_busy(&trouble) => {
            folder.keep();
            return Err(trouble);
        }
        opened => opened?,
    };
    if wallet.state() != WalletState::New {
        return Err(Trouble::usage(format!("{}: {}", dir.display(), sentence(&WalletError::Invalid { reason: "exists".to_owned() }))));
    }
    service.write(dir)?;
    if let Err(error) = wallet.create(passcode.as_bytes().to_vec(), None).wait() {
        if let Some(own) = own {
            own.write(dir)?;
        }
        return Err(at_border("creating the wallet", error));
    }
    folder.keep();
    print_line("Created.");
    Ok(DONE)
}

fn unlock(dir: &Path, passcode: &str) -> Result<Arc<Wallet>, Trouble> {
    // A folder without a wallet is told before a secret is asked for.
    Kind::Wallet.refuse_other(dir)?;
    ServiceFile::read(dir)?;
    unlock_with(dir, &secret(passcode, "passcode")?)
}

fn unlock_with(dir: &Path, passcode: &str) -> Result<Arc<Wallet>, Trouble> {
    Kind::Wallet.refuse_other(dir)?;
    ServiceFile::read(dir)?;
    let wallet = open(dir)?;
    wallet.unlock(passcode.as_bytes().to_vec(), None).wait().map_err(|e| at_border("opening the wallet", e))?;
    Ok(wallet)
}

fn list(wallet: &Wallet) -> Result<(), Trouble> {
    for document in wallet.documents().wait().map_err(|e| at_border("listing the documents", e))? {
        print_line(&format!("{:<24} {:<12} {} copies", document.id, document.state, document.copies));
    }
    Ok(())
}

/// The card access number is six digits; anything else must not cost a try at the card.
fn check_can(can: &str) -> Result<(), Trouble> {
    if can.len() == 6 && can.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(Trouble::usage("--can: the card access number is the six digits printed on the card; the card was not touched"))
}

fn read_face(file: &Path) -> Result<Vec<u8>, Trouble> {
    let failed = |e: std::io::Error| Trouble::usage(format!("{}: {e}", file.display()));
    if std::fs::metadata(file).map_err(failed)?.len() > MAX_FACE {
        return Err(Trouble::usage(format!("{}: too large for a picture of a face (at most 2 MiB)", file.display())));
    }
    std::fs::read(file).map_err(failed)
}

/// The steps of an activation in their order.
const STEPS: [&str; 8] = ["not-started", "opened", "card-read", "chip", "code-sent", "code", "face", "complete"];

/// Whether `after` lies further on than `before`.
fn is_onward(before: &str, after: &str) -> bool {
    let rank = |step: &str| STEPS.iter().position(|s| *s == step);
    rank(after) > rank(before)
}

/// Goes on where an earlier run stopped. Every step is tried once: when central says no, the person decides.
fn activate(wallet: &Wallet, card: &str, can: &str, code: &str, face: &[u8]) -> Result<u8, Trouble> {
    let mut view = wallet.begin_activation(None).wait().map_err(|e| at_border("opening an activation", e))?;
    if view.step == "complete" {
        print_line("This wallet is activated already; no card was read.");
        return Ok(DONE);
    }
    while view.step != "complete" {
        let before = view.step.clone();
        view = match before.as_str() {
            "opened" => {
                let channel = Arc::new(SocketCard::connect(card)?);
                let report = wallet
                    .read_card(channel, CardPassword::Can { can: can.to_owned() }, None)
                    .wait()
                    .map_err(|e| at_border("reading the card", e))?;
                if report.verdict.conclusion.starts_with("rejected") {
                    return Ok(show(&report.verdict.into(), &Shown::default(), false));
                }
                wallet.activation().wait().map_err(|e| at_border("reading the card", e))?
            }
            "card-read" => wallet.submit_chip(None).wait().map_err(|e| at_border("sending the chip's evidence", e))?,
            "chip" => {
                let sent = wallet.request_code(None).wait().map_err(|e| at_border("asking for a code", e))?;
                if sent.step == "code-sent" {
                    print_line("A code was sent.");
                }
                sent
            }
            "code-sent" => {
                let code = secret(code, "code")?;
                wallet.submit_code(code.to_string(), None).wait().map_err(|e| at_border("sending the code", e))?
            }
            "code" => wallet.submit_face(face.to_vec(), None).wait().map_err(|e| at_border("sending the face", e))?,
            "face" => wallet.complete_activation(None).wait().map_err(|e| at_border("completing the activation", e))?,
            _ => return Err(Trouble::usage("the activation ended; run `wallet activate` again")),
        };
        print_line(&format!("Step: {}", view.step));
        if !is_onward(&before, &view.step) {
            return Ok(refused(&before, view));
        }
    }
    Ok(show(&view.verdict.into(), &Shown::default(), false))
}

/// Central said no to a step; trying the same again by itself would only cost tries.
fn refused(step: &str, view: ActivationView) -> u8 {
    let left = match view.tries_left {
        Some(0) => "no try left; a new activation begins with the card".to_owned(),
        Some(1) => "1 try left".to_owned(),
        Some(tries) => format!("{tries} tries left"),
        None => "run `wallet activate` again to try once more".to_owned(),
    };
    print_line(&match step {
        "code-sent" => format!("The code was wrong: {left}."),
        "code" => format!("The face was not taken for the holder's: {left}."),
        _ => "Central does not believe this card. The card is not tried again by itself.".to_owned(),
    });
    show(&view.verdict.into(), &Shown::default(), false).max(REJECTED)
}

/// Shows who asks for what; with a place for the picture, answers.
fn answer(wallet: &Wallet, text: String, fields: Vec<String>, out: Option<Place>, yes: bool) -> Result<u8, Trouble> {
    let pending = wallet.open_request(text).wait().map_err(|e| at_border("reading the request", e))?;
    let finding: Finding = pending.verdict().into();
    tell_request(&pending);
    if finding.verdict.starts_with("rejected") {
        // Nothing is shown to somebody who is refused; the log of the wallet keeps the request.
        return Ok(show(&finding, &Shown::default(), false));
    }
    let Some(out) = out else {
        return Ok(DONE);
    };
    let usual = pending.default_selection();
    let asked = pending.items().first().map(|item| item.document.clone());
    let Some(document) = usual.as_ref().map(|u| u.document.clone()).or(asked).filter(|_| usual.is_some() || !fields.is_empty()) else {
        return Err(nothing_to_show(wallet, &pending));
    };
    let chosen = if fields.is_empty() { usual.map(|u| u.fields).unwrap_or_default() } else { fields };
    let items = pending.items();
    let at_hand = |field: &String| items.iter().any(|i| i.document == document && i.field == *field && i.available);
    if let Some(missing) = chosen.iter().find(|field| !at_hand(field)) {
        if pending.answered_before() || !items.iter().any(|i| i.available) {
            return Err(nothing_to_show(wallet, &pending));
        }
        return Err(Trouble::usage(format!(
            "--fields: `{missing}` was not asked for or is not in this wallet; the fields are listed above"
        )));
    }
    if !yes && std::io::stdin().is_terminal() {
        print_line(&format!("Show from {document}: {}? Type yes to agree.", chosen.join(", ")));
        if secret("-", "answer").map_or(true, |said| said.trim() != "yes") {
            pending.decline().wait().map_err(|e| at_border("declining", e))?;
            print_line("Declined; nothing was shown.");
            return Ok(DONE);
        }
    }
    let answer = pending.answer(document, chosen, None).wait().map_err(|e| at_border("answering", e))?;
    out.draw(&answer.text, Screen::talking())?;
    print_line(&format!("Shown from {}: {}", answer.document, answer.fields.join(", ")));
    Ok(DONE)
}

fn tell_request(pending: &PendingRequest) {
    let Some(view) = pending.view() else { return };
    print_line(&format!("{} ({}) asks at {}", view.organisation, view.role_en, view.place));
    let kept = if view.retention_hours == 0 { "not kept".to_owned() } else { format!("kept for {} hours", view.retention_hours) };
    print_line(&format!("for: {}; legal basis: {}; {kept}", view.purpose, view.legal_basis));
    for item in pending.items() {
        let mark = match (item.over_ask, item.available) {
            (true, _) => "  NOT ALLOWED for this role",
            (false, false) => "  not in this wallet",
            (false, true) => "",
        };
        print_line(&format!("  {}{mark}", item.field));
    }
}

/// Why nothing can be shown to a request that is in order.
fn nothing_to_show(wallet: &Wallet, pending: &PendingRequest) -> Trouble {
    if pending.answered_before() {
        return Trouble::usage(sentence(&WalletError::Invalid { reason: "answered-before".to_owned() }));
    }
    let asked: Vec<String> = pending.items().into_iter().map(|item| item.document).collect();
    let held = wallet.documents().wait().unwrap_or_default();
    let text = match held.iter().find(|d| asked.contains(&d.id)) {
        None => "this wallet does not hold the document that is asked for; run `wallet issue`".to_owned(),
        Some(document) if document.state == "ended" => {
            format!("{} ended (revoked, or the account moved) as of {}; nothing of it can be shown", document.id, document.as_of)
        }
        Some(document) if document.copies == 0 => {
            format!("{} has no unused copy left (state: {}); connect and run `wallet sync`", document.id, document.state)
        }
        Some(document) => format!("no field that is asked for is shown of {} by default; name those to show with --fields", document.id),
    };
    Trouble::usage(text)
}

fn sync(arguments: &WalletArgs) -> Result<u8, Trouble> {
    let wallet = unlock(&arguments.dir, &arguments.passcode)?;
    let report = wallet.sync(None).wait().map_err(|e| at_border("syncing", e))?;
    for change in &report.changes {
        print_line(&format!("{}  {} {}", change.at, change.document, change.kind));
    }
    let code = show(&report.verdict.into(), &Shown::default(), false);
    if !report.account_ended {
        return Ok(code);
    }
    let documents = wallet.documents().wait().map_err(|e| at_border("reading the wallet's state", e))?;
    let since = documents.into_iter().map(|d| d.as_of).max().map_or_else(String::new, |at| format!("; this wallet learned of it at {at}"));
    print_line(&format!("This account moved to another device{since}. It shows nothing any more."));
    Ok(code.max(REJECTED))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bad_input_a_card_access_number_is_six_digits_before_the_card_is_touched() {
        check_can("000123").unwrap();
        for wrong in ["", "12345", "1234567", "12345a", "\u{662}\u{662}\u{662}"] {
            assert_eq!(check_can(wrong).unwrap_err().exit_code(), crate::trouble::USAGE);
        }
    }

    #[test]
    fn a_step_back_or_in_place_is_no_way_on() {
        assert!(is_onward("opened", "card-read") && is_onward("face", "complete"));
        // Central refuses the card: the session is open for another reading, which a person begins.
        assert!(!is_onward("card-read", "opened"));
        assert!(!is_onward("code-sent", "code-sent"));
        assert!(!is_onward("code-sent", "not-started"));
    }
}
