//! The steps of the story. Attacks are made of the same steps, with one of them changed.
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wallet_bindings::request::PendingRequest;
use wallet_bindings::verdict::VerdictView;
use wallet_bindings::verifier::{CheckResult, OpenRequest};
use wallet_bindings::wallet::CardPassword;
use wallet_bindings::wallet_views::ActivationView;

use super::Run;
use super::story::{CLINIC, DESKS, Desk, GATE, LICENCE, PASSCODE, ROADSIDE};
use super::world::World;
use crate::card::{self, CITIZEN, SocketCard};
use crate::device::at_border;
use crate::ports::RecordingCard;
use crate::report::{FactLine, Finding};
use crate::trouble::Trouble;
use crate::words;

/// Verdict of a check in which everything held but nobody compared the face with a signed portrait.
pub const FACE_OPEN: &str = "undetermined:portrait.match";
const VERIFIED: &str = "verified";

/// The whole story without an attack.
pub fn whole_story(run: &mut Run) -> bool {
    until_documents(run)
        && run.step("flight check", FACE_OPEN, |w| check(w, &GATE))
        && run.step("roadside check", FACE_OPEN, |w| check(w, &ROADSIDE))
        && run.step("clinic check", VERIFIED, |w| check(w, &CLINIC))
        && run.step("licence suspended at central", VERIFIED, suspension)
        && run.step("officer syncs", VERIFIED, |w| officer_syncs(w, &ROADSIDE))
        && run.step("second roadside check", "rejected:credential.status", |w| check(w, &ROADSIDE))
}

/// The first four steps: a service, a card, an account, four documents.
pub fn until_documents(run: &mut Run) -> bool {
    until_activation(run) && run.step("issuance of four documents", VERIFIED, issuance)
}

/// The first three steps.
pub fn until_activation(run: &mut Run) -> bool {
    run.step("central starts", VERIFIED, central_starts)
        && run.step("card read", VERIFIED, |w| card_read(w, None))
        && run.step("activation", VERIFIED, activation)
}

impl From<VerdictView> for Finding {
    fn from(verdict: VerdictView) -> Self {
        let facts = verdict.facts.into_iter().map(|f| FactLine {
            name: f.name,
            result: f.result,
            caution: f.caution,
            by: f.by,
            about: f.about,
            detail: f.detail,
        });
        Self { verdict: verdict.conclusion, facts: facts.collect() }
    }
}

/// Central's process starts; three staff devices enrol and fetch trust and status lists; the phone gets an empty wallet.
pub fn central_starts(world: &mut World) -> Result<Finding, Trouble> {
    world.start_central()?;
    let mut findings = Vec::new();
    for desk in &DESKS {
        world.enrol(desk)?;
        world.screen.tell(&format!(
            "{}, {}: the device has a certificate for seven days and fetches trust and status lists.",
            desk.organisation, desk.place
        ));
        findings.push(sync_of(world, desk)?);
    }
    world.phone.wallet.create(PASSCODE.as_bytes().to_vec()).map_err(|e| at_border("creating the wallet", e))?;
    world.screen.tell("A new phone: an empty wallet, its databases encrypted, a passcode set.");
    Ok(Finding::join(findings))
}

fn sync_of(world: &World, desk: &Desk) -> Result<Finding, Trouble> {
    let report = world.staff(desk)?.sync().map_err(|e| at_border("syncing a staff device", e))?;
    let mut finding = Finding::from(report.verdict);
    // These facts are about no document; with several devices in the story they are about one of them.
    for fact in finding.facts.iter_mut().filter(|f| f.about.is_empty()) {
        desk.role.clone_into(&mut fact.about);
    }
    Ok(finding)
}

/// Reads the chip card; with a forged one the wallet's own verdict says what is wrong with it.
pub fn card_read(world: &mut World, forgery: Option<&str>) -> Result<Finding, Trouble> {
    world.start_central()?;
    let address = world.put_card(forgery)?;
    let wallet = &world.phone.wallet;
    wallet.begin_activation().map_err(|e| at_border("opening an activation", e))?;
    world.screen.tell("The citizen types the six digits printed on the card and holds it to the phone.");
    let socket = Arc::new(SocketCard::connect(&address)?);
    let trace = world.paths.record().join("card.apdu");
    let channel = RecordingCard::new(socket, &trace).map_err(|e| Trouble::outside("writing the card's record", e))?;
    let password = CardPassword::Can { can: card::can_of(CITIZEN) };
    let report = wallet.read_card(Arc::new(channel), password).map_err(|e| at_border("reading the card", e))?;
    if let Some(display) = &report.display {
        world.screen.tell(&format!("On the phone: {}, number {}. Is this you?", display.full_name, display.personal_number));
    }
    world.take_card_away()?;
    Ok(report.verdict.into())
}

/// Proves the account: chip, code, face.
pub fn activation(world: &mut World) -> Result<Finding, Trouble> {
    let wallet = Arc::clone(&world.phone.wallet);
    let screen = world.screen;
    wallet.submit_chip().map_err(|e| at_border("sending the chip's evidence", e))?;
    screen.tell("Central checked what the chip signed for this phone and this account.");
    wallet.request_code().map_err(|e| at_border("asking for a code", e))?;
    let message = newest_message(&world.paths.central().join("spool"))?;
    screen.tell(&format!("A message arrives: code {} to {} on {}. The citizen types it.", message.code, message.action, message.device));
    wallet.submit_code(message.code).map_err(|e| at_border("sending the code", e))?;
    let face = card::selfie(CITIZEN)?;
    screen.tell("The phone takes a picture of the face; central has it compared with the picture on the chip.");
    wallet.submit_face(face).map_err(|e| at_border("sending the face", e))?;
    let view: ActivationView = wallet.complete_activation().map_err(|e| at_border("completing the activation", e))?;
    screen.tell(&format!("The account is at step `{}`.", view.step));
    Ok(view.verdict.into())
}

/// A message of central to a citizen's telephone.
pub struct Message {
    /// The one-time code.
    pub code: String,
    /// What it is for.
    pub action: String,
    /// Which device asked.
    pub device: String,
}

/// Reads the newest message of central's spool, as the telephone that it was sent to.
pub fn newest_message(spool: &Path) -> Result<Message, Trouble> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let mut files: Vec<_> = std::fs::read_dir(spool).into_iter().flatten().flatten().map(|e| e.path()).collect();
        files.retain(|f| f.extension().is_some_and(|e| e == "json"));
        files.sort();
        let newest = files.iter().rev().find_map(|file| {
            let message: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
            let text = |key: &str| Some(message.get(key)?.as_str()?.to_owned());
            let code = text("code").filter(|c| !c.is_empty())?;
            Some(Message { code, action: text("action")?, device: text("device")? })
        });
        match newest {
            Some(message) => return Ok(message),
            None if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
            None => return Err(Trouble::outside("waiting for the code", "no message came")),
        }
    }
}

/// Fetches four documents, several copies of each, every copy checked before it is stored.
pub fn issuance(world: &mut World) -> Result<Finding, Trouble> {
    world.start_central()?;
    let report = world.phone.wallet.obtain_documents().map_err(|e| at_border("fetching the documents", e))?;
    let documents = world.phone.wallet.documents().map_err(|e| at_border("listing the documents", e))?;
    for document in &documents {
        world.screen.tell(&format!(
            "{}: {} copies, each with a key and a signature of its own",
            words::word(&document.title),
            document.copies
        ));
    }
    if let Some(missing) = report.documents.iter().find(|d| !d.problem.is_empty()) {
        return Err(Trouble::outside("fetching the documents", format!("{}: {}", missing.id, missing.problem)));
    }
    let usable = documents.iter().filter(|d| d.copies > 0).count();
    if usable != 4 {
        return Err(Trouble::outside("fetching the documents", format!("{usable} of 4 came")));
    }
    Ok(report.verdict.into())
}

/// A request as the citizen's camera got it, and the open handle that stays with the officer.
pub struct Asked {
    /// Stays in the officer's memory.
    pub open: Arc<OpenRequest>,
    /// The text decoded from the picture.
    pub text: String,
}

/// Both sides go offline; the officer draws a request. Empty `fields`: the usual ones of the role.
pub fn ask(world: &mut World, desk: &Desk, fields: Vec<String>) -> Result<Asked, Trouble> {
    world.stop_central()?;
    let open = world
        .staff(desk)?
        .ask(desk.document.to_owned(), fields, String::new(), String::new())
        .map_err(|e| at_border("drawing a request", e))?;
    world.screen.tell(&format!("{} shows a request for `{}`:", upper(desk.person), desk.document));
    let text = world.by_picture(&format!("{}-request", desk.role), &open.text())?;
    Ok(Asked { open, text })
}

/// The phone reads a request and judges who asks.
pub fn read_request(world: &World, text: &str) -> Result<Arc<PendingRequest>, Trouble> {
    let pending = world.phone.wallet.open_request(text.to_owned()).map_err(|e| at_border("reading the request", e))?;
    if let Some(view) = pending.view() {
        world.screen.tell(&format!("The phone shows: {} ({}), {}", view.organisation, view.role_en, view.place));
        for item in pending.items() {
            let mark = match (item.over_ask, item.selected) {
                (true, _) => "NOT ALLOWED to ask",
                (false, true) => "will be shown",
                (false, false) => "stays hidden",
            };
            world.screen.tell(&format!("  {:<24} {mark}", item.field));
        }
    }
    Ok(pending)
}

/// The honest answer: what the phone proposes, with one consent. Gives the phone's finding and the text decoded from the picture.
pub fn answer(world: &mut World, asked: &str, name: &str) -> Result<(Finding, String), Trouble> {
    let pending = read_request(world, asked)?;
    let finding: Finding = pending.verdict().into();
    let selection = pending.default_selection().ok_or_else(|| Trouble::usage("the phone proposes nothing to show"))?;
    let answer = pending.answer(selection.document, selection.fields).map_err(|e| at_border("answering", e))?;
    world.screen.tell("The citizen agrees once; the phone shows its answer:");
    let text = world.by_picture(&format!("{name}-answer"), &answer.text)?;
    Ok((finding, text))
}

/// The officer reads an answer and judges it.
pub fn judge(world: &mut World, desk: &Desk, text: &str) -> Result<Finding, Trouble> {
    let result: Arc<CheckResult> = world.staff(desk)?.check(text.to_owned()).map_err(|e| at_border("checking the answer", e))?;
    world.screen.tell(&format!("{} sees:", upper(desk.person)));
    for line in result.display().iter().flat_map(words::lines) {
        world.screen.tell(&format!("  {:<24} {}", line.label, line.value));
    }
    if let Some(text) = words::not_shown(&result.withheld()) {
        world.screen.tell(&format!("  {text}"));
    }
    if let Some(issued) = result.status_issued_at() {
        world.screen.tell(&format!("  (status list of {issued})"));
    }
    Ok(result.verdict().into())
}

/// A whole check by two QR codes without a network.
pub fn check(world: &mut World, desk: &Desk) -> Result<Finding, Trouble> {
    let before = world.relay.requests_while_off();
    let asked = ask(world, desk, Vec::new())?;
    let (by_phone, answered) = answer(world, &asked.text, desk.role)?;
    let by_officer = judge(world, desk, &answered)?;
    if world.relay.requests_while_off() != before {
        return Err(Trouble::outside("the check", "somebody tried to use the network"));
    }
    Ok(Finding::join([by_phone, by_officer]))
}

/// An operator at central suspends the licence.
pub fn suspension(world: &mut World) -> Result<Finding, Trouble> {
    world.administrate(&["suspend", "--citizen", CITIZEN, "--document", LICENCE])?;
    world.screen.tell("The licence is suspended at central. Neither the phone nor the officer knows yet.");
    Ok(Finding::done())
}

/// Central runs again and a staff device fetches trust and status lists.
pub fn officer_syncs(world: &mut World, desk: &Desk) -> Result<Finding, Trouble> {
    world.start_central()?;
    let finding = sync_of(world, desk)?;
    world.screen.tell(&format!("{} fetched trust and status lists.", upper(desk.person)));
    Ok(finding)
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
