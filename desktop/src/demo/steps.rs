//! The steps of the story. Attacks are made of the same steps, with one of them changed.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use wallet_bindings::Wait as _;
use wallet_bindings::request::PendingRequest;
use wallet_bindings::verdict::VerdictView;
use wallet_bindings::verifier::{CheckResult, OpenRequest};
use wallet_bindings::wallet::CardPassword;
use wallet_bindings::wallet_views::ActivationView;

use super::Run;
use super::manifest::Event;
use super::story::{CLINIC, Citizen, DESKS, Desk, FIRST, GATE, LICENCE, PATROL, ROADSIDE, SECOND};
use super::world::{Picture, World};
use crate::card::{self, SocketCard};
use crate::device::at_border;
use crate::ports::RecordingCard;
use crate::report::{FactLine, Finding};
use crate::trouble::Trouble;
use crate::words;

/// Verdict of a check in which everything held but nobody compared the face with a signed portrait.
pub const FACE_OPEN: &str = "undetermined:portrait.match";
const VERIFIED: &str = "verified";
/// Verdict of a check after the licence was suspended and the officer knows.
const SUSPENDED: &str = "rejected:credential.status";

/// The whole story without an attack.
pub fn whole_story(run: &mut Run) -> bool {
    until_documents(run)
        && run.step("card read, second citizen", VERIFIED, |w| {
            w.new_phone(&SECOND)?;
            card_read(w, &SECOND, None)
        })
        && run.step("activation, second citizen", VERIFIED, |w| activation(w, &SECOND))
        && run.step("issuance, second citizen", VERIFIED, |w| issuance(w, &SECOND))
        && run.step("second officer enrols", VERIFIED, last_time_online)
        && run.step("flight check", FACE_OPEN, |w| check(w, &FIRST, &GATE))
        && run.step("roadside check", FACE_OPEN, |w| check(w, &FIRST, &ROADSIDE))
        && run.step("roadside check, second citizen", FACE_OPEN, |w| check(w, &SECOND, &ROADSIDE))
        && run.step("clinic check", VERIFIED, |w| check(w, &FIRST, &CLINIC))
        && run.step("second officer checks the citizen", FACE_OPEN, |w| check(w, &FIRST, &PATROL))
        && run.step("second officer checks second citizen", FACE_OPEN, |w| check(w, &SECOND, &PATROL))
        && run.step("an answer meant for another officer", "rejected:exchange.nonce", for_another)
        && run.step("licence suspended at central", VERIFIED, |w| suspension(w, &FIRST))
        && run.step("officer syncs", VERIFIED, |w| officer_syncs(w, &ROADSIDE))
        && run.step("second roadside check", SUSPENDED, |w| check(w, &FIRST, &ROADSIDE))
        && run.step("second roadside check, second citizen", FACE_OPEN, |w| check(w, &SECOND, &ROADSIDE))
        && run.step("lists carried to the second officer", VERIFIED, lists_carried)
        && run.step("second officer checks the citizen again", SUSPENDED, |w| check(w, &FIRST, &PATROL))
        && run.step("second officer: second citizen again", FACE_OPEN, |w| check(w, &SECOND, &PATROL))
}

/// The first four steps: a service, a card, an account, four documents.
pub fn until_documents(run: &mut Run) -> bool {
    until_activation(run) && run.step("issuance of four documents", VERIFIED, |w| issuance(w, &FIRST))
}

/// The first three steps.
pub fn until_activation(run: &mut Run) -> bool {
    run.step("central starts", VERIFIED, central_starts)
        && run.step("card read", VERIFIED, |w| card_read(w, &FIRST, None))
        && run.step("activation", VERIFIED, |w| activation(w, &FIRST))
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
            device: String::new(),
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
    world.new_phone(&FIRST)?;
    Ok(Finding::join(findings))
}

fn sync_of(world: &World, desk: &Desk) -> Result<Finding, Trouble> {
    let _at_work = world.manifest.acting(desk.id, "sync");
    let report = world.staff(desk)?.sync(None).wait().map_err(|e| at_border("syncing a staff device", e))?;
    Ok(Finding::from(report.verdict).on(desk.id))
}

/// Reads the chip card; with a forged one the wallet's own verdict says what is wrong with it.
pub fn card_read(world: &mut World, citizen: &Citizen, forgery: Option<&str>) -> Result<Finding, Trouble> {
    world.start_central()?;
    let address = world.put_card(citizen.phone, citizen, forgery)?;
    let wallet = Arc::clone(&world.phone(citizen)?.wallet);
    let at_work = world.manifest.acting(citizen.phone, "begin-activation");
    wallet.begin_activation(None).wait().map_err(|e| at_border("opening an activation", e))?;
    drop(at_work);
    let person = upper(citizen.person);
    world.screen.tell(&format!("{person} types the six digits printed on the card and holds it to the phone."));
    let socket = Arc::new(SocketCard::connect(&address)?);
    let (trace, before) = world.card_trace();
    let channel = RecordingCard::new(socket, &trace).map_err(|e| Trouble::outside("writing the card's record", e))?;
    let password = CardPassword::Can { can: card::can_of(citizen.number) };
    let at_work = world.manifest.acting(citizen.phone, "read-card");
    let report = wallet.read_card(Arc::new(channel), password, None).wait();
    world.note_card_trace(citizen.phone, before);
    drop(at_work);
    let report = report.map_err(|e| at_border("reading the card", e))?;
    if let Some(display) = &report.display {
        world.screen.tell(&format!("On the phone: {}, number {}. Is this you?", display.full_name, display.personal_number));
    }
    world.take_card_away()?;
    Ok(Finding::from(report.verdict).on(citizen.phone))
}

/// Proves the account: chip, code, face.
pub fn activation(world: &mut World, citizen: &Citizen) -> Result<Finding, Trouble> {
    let wallet = Arc::clone(&world.phone(citizen)?.wallet);
    let screen = world.screen;
    let at_work = |what| world.manifest.acting(citizen.phone, what);
    let spool = world.paths.central().join("spool");
    {
        let _at_work = at_work("submit-chip");
        wallet.submit_chip(None).wait().map_err(|e| at_border("sending the chip's evidence", e))?;
    }
    screen.tell("Central checked what the chip signed for this phone and this account.");
    let earlier = messages(&spool);
    {
        let _at_work = at_work("request-code");
        wallet.request_code(None).wait().map_err(|e| at_border("asking for a code", e))?;
    }
    let message = new_message(&spool, &earlier)?;
    world.keep_message(citizen.phone, &message.file)?;
    screen.tell(&format!(
        "A message arrives: code {} to {} on {}. {} types it.",
        message.code,
        message.action,
        message.device,
        upper(citizen.person)
    ));
    {
        let _at_work = at_work("submit-code");
        wallet.submit_code(message.code, None).wait().map_err(|e| at_border("sending the code", e))?;
    }
    let face = card::selfie(citizen.number)?;
    screen.tell("The phone takes a picture of the face; central has it compared with the picture on the chip.");
    {
        let _at_work = at_work("submit-face");
        wallet.submit_face(face, None).wait().map_err(|e| at_border("sending the face", e))?;
    }
    let _at_work = at_work("complete-activation");
    let view: ActivationView = wallet.complete_activation(None).wait().map_err(|e| at_border("completing the activation", e))?;
    screen.tell(&format!("The account is at step `{}`.", view.step));
    Ok(Finding::from(view.verdict).on(citizen.phone))
}

/// A message of central to a citizen's telephone.
pub struct Message {
    /// The one-time code.
    pub code: String,
    /// What it is for.
    pub action: String,
    /// Which device asked.
    pub device: String,
    file: PathBuf,
}

/// Files in central's spool.
fn messages(spool: &Path) -> BTreeSet<PathBuf> {
    let files = std::fs::read_dir(spool).into_iter().flatten().flatten().map(|e| e.path());
    files.filter(|f| f.extension().is_some_and(|e| e == "json")).collect()
}

/// Reads the one message of central's spool that was not there before, as the telephone that it was sent to.
fn new_message(spool: &Path, earlier: &BTreeSet<PathBuf>) -> Result<Message, Trouble> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let new = messages(spool).difference(earlier).find_map(|file| {
            let message: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
            let text = |key: &str| Some(message.get(key)?.as_str()?.to_owned());
            let code = text("code").filter(|c| !c.is_empty())?;
            Some(Message { code, action: text("action")?, device: text("device")?, file: file.clone() })
        });
        match new {
            Some(message) => return Ok(message),
            None if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
            None => return Err(Trouble::outside("waiting for the code", "no message came")),
        }
    }
}

/// Fetches four documents, several copies of each, every copy checked before it is stored.
pub fn issuance(world: &mut World, citizen: &Citizen) -> Result<Finding, Trouble> {
    world.start_central()?;
    let wallet = &world.phone(citizen)?.wallet;
    let at_work = world.manifest.acting(citizen.phone, "obtain-documents");
    let report = wallet.obtain_documents(None).wait().map_err(|e| at_border("fetching the documents", e))?;
    drop(at_work);
    let documents = wallet.documents().wait().map_err(|e| at_border("listing the documents", e))?;
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
    Ok(Finding::from(report.verdict).on(citizen.phone))
}

/// A request as the citizen's camera got it, and the open handle that stays with the officer.
pub struct Asked {
    /// Stays in the officer's memory.
    pub open: Arc<OpenRequest>,
    /// The picture.
    pub picture: Picture,
}

/// Both sides go offline; the officer draws a request. No `fields`: the usual ones of the role.
pub fn ask(world: &mut World, desk: &Desk, fields: Option<Vec<String>>) -> Result<Asked, Trouble> {
    world.stop_central()?;
    let _at_work = world.manifest.acting(desk.id, "ask");
    let open = world
        .staff(desk)?
        .ask(desk.document.to_owned(), fields, String::new(), String::new())
        .wait()
        .map_err(|e| at_border("drawing a request", e))?;
    world.screen.tell(&format!("{} shows a request for `{}`:", upper(desk.person), desk.document));
    let picture = world.by_picture(desk.id, "request", &format!("{}-request", desk.id), &open.text())?;
    Ok(Asked { open, picture })
}

/// The officer gives up on a request.
pub fn cancel(world: &World, desk: &Desk, asked: &Asked) -> Result<(), Trouble> {
    asked.open.cancel().map_err(|e| at_border("giving up a request", e))?;
    world.manifest.note(Event::Cancelled { device: desk.id.to_owned(), file: asked.picture.file.clone() });
    Ok(())
}

/// The phone reads a request and judges who asks.
pub fn read_request(world: &World, citizen: &Citizen, picture: &Picture) -> Result<Arc<PendingRequest>, Trouble> {
    let _at_work = world.manifest.acting(citizen.phone, "open-request");
    world.sees(citizen.phone, "request", picture);
    let pending =
        world.phone(citizen)?.wallet.open_request(picture.text.clone()).wait().map_err(|e| at_border("reading the request", e))?;
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

/// The honest answer: what the phone proposes, with one consent. Gives the phone's finding and the picture of the answer.
pub fn answer(world: &mut World, citizen: &Citizen, asked: &Picture, name: &str) -> Result<(Finding, Picture), Trouble> {
    let pending = read_request(world, citizen, asked)?;
    let finding = Finding::from(pending.verdict()).on(citizen.phone);
    let _at_work = world.manifest.acting(citizen.phone, "answer");
    let selection = pending.default_selection().ok_or_else(|| Trouble::usage("the phone proposes nothing to show"))?;
    let answer = pending.answer(selection.document, selection.fields, None).wait().map_err(|e| at_border("answering", e))?;
    world.screen.tell(&format!("{} agrees once; the phone shows its answer:", upper(citizen.person)));
    let picture = world.by_picture(citizen.phone, "answer", &format!("{name}-answer"), &answer.text)?;
    Ok((finding, picture))
}

/// The officer reads an answer and judges it.
pub fn judge(world: &mut World, desk: &Desk, picture: &Picture) -> Result<Finding, Trouble> {
    let _at_work = world.manifest.acting(desk.id, "check");
    world.sees(desk.id, "answer", picture);
    let result: Arc<CheckResult> =
        world.staff(desk)?.check(picture.text.clone()).wait().map_err(|e| at_border("checking the answer", e))?;
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
    Ok(Finding::from(result.verdict()).on(desk.id))
}

/// A whole check by two QR codes without a network.
pub fn check(world: &mut World, citizen: &Citizen, desk: &Desk) -> Result<Finding, Trouble> {
    let before = world.relay.requests_while_off();
    let asked = ask(world, desk, None)?;
    let (by_phone, answered) = answer(world, citizen, &asked.picture, desk.id)?;
    let by_officer = judge(world, desk, &answered)?;
    if world.relay.requests_while_off() != before {
        return Err(Trouble::outside("the check", "somebody tried to use the network"));
    }
    Ok(Finding::join([by_phone, by_officer]))
}

/// An operator at central suspends a citizen's licence.
pub fn suspension(world: &mut World, citizen: &Citizen) -> Result<Finding, Trouble> {
    world.administrate(&["suspend", "--citizen", citizen.number, "--document", LICENCE])?;
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

/// An officer far away enrols; that is the last time that this device has a network.
fn last_time_online(world: &mut World) -> Result<Finding, Trouble> {
    world.enrol(&PATROL)?;
    world.screen.tell(&format!(
        "{}, {}: the device has a certificate for seven days and the lists of now. From here on it never has a network.",
        PATROL.organisation, PATROL.place
    ));
    Ok(Finding::done())
}

/// Two officers ask the same citizen; the answer to one is shown to the other, then to the one it was made for.
fn for_another(world: &mut World) -> Result<Finding, Trouble> {
    let first = ask(world, &ROADSIDE, None)?;
    let second = ask(world, &PATROL, None)?;
    let (by_phone, answered) = answer(world, &SECOND, &first.picture, ROADSIDE.id)?;
    let refused = judge(world, &PATROL, &answered)?;
    let taken = judge(world, &ROADSIDE, &answered)?;
    cancel(world, &PATROL, &second)?;
    Ok(Finding::join([by_phone, refused, taken]))
}

/// The first officer's lists come to the second one by hand.
fn lists_carried(world: &mut World) -> Result<Finding, Trouble> {
    world.stop_central()?;
    let before = world.relay.requests_while_off();
    let finding = Finding::from(world.carry(&ROADSIDE, &PATROL)?).on(PATROL.id);
    if world.relay.requests_while_off() != before {
        return Err(Trouble::outside("carrying lists", "somebody tried to use the network"));
    }
    Ok(finding)
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
