//! `wallet ...`: a citizen's wallet on this machine.
use std::path::Path;
use std::sync::Arc;

use wallet_bindings::Wallet;
use wallet_bindings::wallet::CardPassword;

use super::officer::show;
use super::{central, secret};
use crate::card::SocketCard;
use crate::cli::{WalletArgs, WalletCommand};
use crate::device::{self, at_border};
use crate::pictures;
use crate::ports::DesktopClock;
use crate::report::Finding;
use crate::screen::{Screen, print_line};
use crate::trouble::{DONE, REJECTED, Trouble};

/// Longest picture of a face that is read, in bytes.
const MAX_FACE: u64 = 2 << 20;

/// Runs one of the commands.
pub fn run(command: WalletCommand) -> Result<u8, Trouble> {
    match command {
        WalletCommand::Create { dir, service, passcode } => {
            super::make_folder(&dir)?;
            central::public_files(&service.central)?.write(&dir)?;
            let passcode = secret(&passcode, "passcode")?;
            open(&dir)?.create(passcode.as_bytes().to_vec()).map_err(|e| at_border("creating the wallet", e))?;
            print_line("Created.");
            Ok(DONE)
        }
        WalletCommand::Activate { dir, passcode, card, can, code, face } => {
            let wallet = unlock(&dir, &passcode)?;
            let can = secret(&can, "card access number")?;
            activate(&wallet, &card, &can, &code, &face)
        }
        WalletCommand::Issue(arguments) => {
            let wallet = unlock(&arguments.dir, &arguments.passcode)?;
            let report = wallet.obtain_documents().map_err(|e| at_border("fetching the documents", e))?;
            let code = show(&report.verdict.into(), &[], false);
            list(&wallet)?;
            Ok(code)
        }
        WalletCommand::Documents(arguments) => {
            list(&*unlock(&arguments.dir, &arguments.passcode)?)?;
            Ok(DONE)
        }
        WalletCommand::Answer { dir, request, out, passcode, fields } => {
            // A picture that cannot be read must not cost a try of the passcode.
            let text = pictures::read(&request)?;
            let wallet = unlock(&dir, &passcode)?;
            answer(&wallet, text, fields, &out)
        }
        WalletCommand::Sync(arguments) => sync(&arguments),
        WalletCommand::Log(arguments) => {
            let wallet = unlock(&arguments.dir, &arguments.passcode)?;
            for entry in wallet.consent_log().map_err(|e| at_border("reading the log", e))? {
                let fields = entry.fields.join(", ");
                print_line(&format!(
                    "{}  {:<8} {} ({}), {}: {} {} [{fields}] {}",
                    entry.at, entry.outcome, entry.organisation, entry.role, entry.place, entry.purpose, entry.document, entry.reason
                ));
            }
            Ok(DONE)
        }
    }
}

fn open(dir: &Path) -> Result<Arc<Wallet>, Trouble> {
    let keys = device::keys(dir)?;
    device::wallet(dir, keys, &DesktopClock::default(), None)
}

fn unlock(dir: &Path, passcode: &str) -> Result<Arc<Wallet>, Trouble> {
    let wallet = open(dir)?;
    let passcode = secret(passcode, "passcode")?;
    wallet.unlock(passcode.as_bytes().to_vec()).map_err(|e| at_border("opening the wallet", e))?;
    Ok(wallet)
}

fn list(wallet: &Wallet) -> Result<(), Trouble> {
    for document in wallet.documents().map_err(|e| at_border("listing the documents", e))? {
        print_line(&format!("{:<24} {:<12} {} copies", document.id, document.state, document.copies));
    }
    Ok(())
}

/// Goes on where an earlier run stopped.
fn activate(wallet: &Wallet, card: &str, can: &str, code: &str, face: &Path) -> Result<u8, Trouble> {
    let size = std::fs::metadata(face).map_err(|e| Trouble::usage(format!("{}: {e}", face.display())))?.len();
    if size > MAX_FACE {
        return Err(Trouble::usage(format!("{}: too large for a picture of a face", face.display())));
    }
    let face = std::fs::read(face).map_err(|e| Trouble::usage(format!("{}: {e}", face.display())))?;
    let mut view = wallet.begin_activation().map_err(|e| at_border("opening an activation", e))?;
    loop {
        let before = view.step.clone();
        view = match view.step.as_str() {
            "opened" => {
                let channel = Arc::new(SocketCard::connect(card)?);
                let report =
                    wallet.read_card(channel, CardPassword::Can { can: can.to_owned() }).map_err(|e| at_border("reading the card", e))?;
                if report.verdict.conclusion.starts_with("rejected") {
                    return Ok(show(&report.verdict.into(), &[], false));
                }
                wallet.activation().map_err(|e| at_border("reading the card", e))?
            }
            "card-read" => wallet.submit_chip().map_err(|e| at_border("sending the chip's evidence", e))?,
            "chip" => wallet.request_code().map_err(|e| at_border("asking for a code", e))?,
            "code-sent" => {
                print_line("A code was sent.");
                let code = secret(code, "code")?;
                wallet.submit_code(code.to_string()).map_err(|e| at_border("sending the code", e))?
            }
            "code" => wallet.submit_face(face.clone()).map_err(|e| at_border("sending the face", e))?,
            "face" => wallet.complete_activation().map_err(|e| at_border("completing the activation", e))?,
            _ => return Ok(show(&view.verdict.into(), &[], false)),
        };
        print_line(&format!("Step: {}", view.step));
        if view.step == before {
            // Central said no to this step; trying the same again would only cost tries.
            return Ok(show(&view.verdict.into(), &[], false).max(REJECTED));
        }
    }
}

fn answer(wallet: &Wallet, text: String, fields: Vec<String>, out: &Path) -> Result<u8, Trouble> {
    let pending = wallet.open_request(text).map_err(|e| at_border("reading the request", e))?;
    let finding: Finding = pending.verdict().into();
    if let Some(view) = pending.view() {
        print_line(&format!("{} ({}) asks at {}", view.organisation, view.role_en, view.place));
        print_line(&format!("for: {}; legal basis: {}; kept for {} hours", view.purpose, view.legal_basis, view.retention_hours));
        for item in pending.items() {
            print_line(&format!("  {}{}", item.field, if item.over_ask { "  NOT ALLOWED for this role" } else { "" }));
        }
    }
    if finding.verdict.starts_with("rejected") {
        // Nothing is shown to somebody who is refused; the log of the wallet keeps the request.
        return Ok(show(&finding, &[], false));
    }
    let Some(usual) = pending.default_selection() else {
        return Err(Trouble::usage("this wallet has nothing to show to this request"));
    };
    let chosen = if fields.is_empty() { usual.fields } else { fields };
    let answer = pending.answer(usual.document, chosen).map_err(|e| at_border("answering", e))?;
    pictures::draw(&answer.text, out, Screen::talking())?;
    print_line(&format!("Shown from {}: {}", answer.document, answer.fields.join(", ")));
    Ok(DONE)
}

fn sync(arguments: &WalletArgs) -> Result<u8, Trouble> {
    let wallet = unlock(&arguments.dir, &arguments.passcode)?;
    let report = wallet.sync().map_err(|e| at_border("syncing", e))?;
    for change in &report.changes {
        print_line(&format!("{}  {} {}", change.at, change.document, change.kind));
    }
    Ok(show(&report.verdict.into(), &[], false))
}
