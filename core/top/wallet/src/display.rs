//! What the wallet shows of itself, as display models: documents, a request to consent to, the consent log, notices, activation, card reading.
//!
//! Words are keys of the catalogues; nothing here decides anything but order and emphasis.

use wallet_base::fact::Outcome;
use wallet_base::time::Date;
use wallet_documents::display::{
    DisplayGroup, DisplayItem, DisplayModel, DisplayValue, ItemRole, Key, StepState, format_date, format_moment, steps,
};
use wallet_documents::types;
use wallet_documents::words::{fact_key, purpose_key};
use wallet_platform::ports::Progress;

use crate::activation::{ActivationView, CardDisplay, Step};
use crate::consent::{ConsentEntry, ConsentOutcome};
use crate::documents::{DocumentState, DocumentSummary};
use crate::presentation::PendingRequest;
use crate::sync::{Change, SyncReport};

const STATE: &str = "group.state";
const WHO: &str = "group.who";
const ALARMS: &str = "group.warnings";
const FIELDS: &str = "group.fields";

/// Catalogue key of a document's state.
pub fn state_key(state: DocumentState) -> String {
    format!("state.{}", state.as_str())
}

/// A document in the list: its name, its state, what can be shown.
pub fn summary(document: &DocumentSummary) -> DisplayModel {
    // In the list the document's name is title enough.
    let state = DisplayGroup { title: Key::default(), ..state_group(document) };
    DisplayModel::new(document.id.clone(), document.label.clone(), vec![state])
}

/// The state of a document, for the list and below its values.
pub(crate) fn state_group(document: &DocumentSummary) -> DisplayGroup {
    let usable = matches!(document.state, DocumentState::Issued);
    let mut items = vec![
        DisplayItem::key("label.state", state_key(document.state)).named("state").warn_if(!usable),
        DisplayItem::text("label.as-of", format_moment(document.as_of)),
    ];
    if document.state != DocumentState::NotFound {
        items.push(DisplayItem::text("label.copies-left", document.copies_left.to_string()).warn_if(usable && document.copies_left == 0));
    }
    if let Some(until) = document.valid_until {
        items.push(DisplayItem::text("label.valid-until", format_moment(until)));
    }
    DisplayGroup::new(STATE, items)
}

/// What a citizen consents to: what is alarming, who asks, where, what for and how long it is kept. The fields are the request's items.
pub fn request(pending: &PendingRequest) -> DisplayModel {
    let mut alarms: Vec<DisplayItem> = pending
        .verdict()
        .failed()
        .into_iter()
        .map(|name| DisplayItem::key("label.warning", fact_alarm(name)).named(name.as_str()).with(ItemRole::Warning))
        .collect();
    for fact in pending.verdict().facts().iter().filter(|fact| fact.outcome() == Outcome::NotChecked) {
        alarms.push(DisplayItem::key(fact_key(fact.name()), "outcome.not-checked").named(fact.name().as_str()));
    }
    if pending.answered_before() {
        alarms.push(DisplayItem::key("label.warning", "problem.scan.already-answered").with(ItemRole::Warning));
    }
    for item in pending.items().iter().filter(|item| item.over_ask) {
        alarms.push(DisplayItem::key("label.over-ask", item.label.clone()).named(item.field.clone()).with(ItemRole::Warning));
    }
    let mut who = Vec::new();
    if let Some(view) = pending.view() {
        who.push(DisplayItem::text("label.organisation", view.organisation.clone()).with(ItemRole::Title));
        who.push(DisplayItem::text("label.place", view.place.clone()).with(ItemRole::Title));
        who.push(DisplayItem::key("label.purpose", purpose_key(&view.purpose)));
        who.push(DisplayItem::text("label.legal-basis", view.legal_basis.clone()));
        who.push(retention(view.retention_hours));
        who.push(DisplayItem::text("label.device", view.device.clone()));
        who.push(DisplayItem::text("label.expires", format_moment(view.expires_at)));
    }
    DisplayModel::new("request", "title.request", vec![DisplayGroup::new(ALARMS, alarms), DisplayGroup::new(WHO, who)])
}

/// How long the asking side keeps what it sees.
fn retention(hours: u32) -> DisplayItem {
    if hours == 0 {
        DisplayItem::key("label.retention", "value.retention.none")
    } else {
        DisplayItem::text("label.retention-hours", hours.to_string())
    }
}

/// The alarm of a failed fact, in its own words: what it means that it failed.
fn fact_alarm(name: wallet_base::fact::FactName) -> Key {
    Key::Owned(format!("alarm.{name}"))
}

/// An entry of the consent log.
pub fn consent(entry: &ConsentEntry) -> DisplayModel {
    let mut items = vec![
        DisplayItem::text("label.when", format_moment(entry.at)).with(ItemRole::Title),
        DisplayItem::key("label.outcome", format!("consent.{}", entry.outcome.as_str())).warn_if(entry.outcome == ConsentOutcome::Failed),
    ];
    let words = [
        ("label.organisation", &entry.organisation),
        ("label.place", &entry.place),
        ("label.legal-basis", &entry.legal_basis),
        ("label.device", &entry.device),
    ];
    items.extend(words.into_iter().filter(|(_, text)| !text.is_empty()).map(|(label, text)| DisplayItem::text(label, text.clone())));
    if !entry.purpose.is_empty() {
        items.push(DisplayItem::key("label.purpose", purpose_key(&entry.purpose)));
        items.push(retention(entry.retention_hours));
    }
    let kind = types::by_id(&entry.document);
    let fields = entry.fields.iter().map(|id| match kind.and_then(|kind| kind.field(id)) {
        Some(field) => DisplayItem::key("", field.label).named(id.clone()),
        None => DisplayItem::text("", id.clone()).named(id.clone()),
    });
    let title: Key = kind.map_or_else(|| "title.nothing-shown".into(), |kind| kind.label.into());
    DisplayModel::new(entry.outcome.as_str(), title, vec![DisplayGroup::new("", items), DisplayGroup::new(FIELDS, fields.collect())])
}

/// A notice of the change feed.
pub fn change(change: &Change) -> DisplayModel {
    let title: Key = types::by_id(&change.document).map_or_else(|| "title.account".into(), |kind| kind.label.into());
    let bad = matches!(change.kind.as_str(), "suspended" | "revoked" | "device-replaced");
    let items = vec![
        DisplayItem::key("label.change", format!("change.{}", change.kind)).warn_if(bad),
        DisplayItem::text("label.when", format_moment(change.at)),
    ];
    DisplayModel::new(change.kind.clone(), title, vec![DisplayGroup::new("", items)])
}

/// What the app does next to get the account: `begin`, `read-card`, `submit-chip`, `request-code`, `enter-code`, `take-face`, `complete` or `done`.
pub const fn next_act(step: Step) -> &'static str {
    match step {
        Step::NotStarted => "begin",
        Step::Opened => "read-card",
        Step::CardRead => "submit-chip",
        Step::Chip => "request-code",
        Step::CodeSent => "enter-code",
        Step::Code => "take-face",
        Step::Face => "complete",
        Step::Complete => "done",
    }
}

/// The steps of an activation as a citizen sees them.
pub fn activation(view: &ActivationView) -> DisplayModel {
    const STEPS: [(&str, Step); 4] = [
        ("activation.card", Step::Chip),
        ("activation.code", Step::Code),
        ("activation.face", Step::Face),
        ("activation.account", Step::Complete),
    ];
    let at = STEPS.iter().position(|(_, done)| view.step < *done).unwrap_or(STEPS.len());
    let mut model = steps("activation", "title.activation", STEPS.iter().enumerate().map(|(n, (id, _))| (*id, state(n, at))));
    let mut told = Vec::new();
    for name in view.verdict.failed() {
        told.push(DisplayItem::key("label.warning", fact_alarm(name)).named(name.as_str()).with(ItemRole::Warning));
    }
    if let Some(tries) = view.tries_left {
        told.push(DisplayItem::text("label.tries-left", tries.to_string()).warn_if(tries <= 1));
    }
    if let Some(until) = view.expires_at {
        told.push(DisplayItem::text("label.until", format_moment(until)));
    }
    if !told.is_empty() {
        model.groups.push(DisplayGroup::new("", told));
    }
    model
}

/// The steps of a card's reading: opening it, its signature, its data, the proof that it is no copy.
pub fn card_progress(progress: &Progress) -> DisplayModel {
    const STEPS: [&str; 4] = ["card.hold", "card.open", "card.data", "card.proof"];
    steps("card", "title.card-reading", STEPS.iter().enumerate().map(|(n, id)| (*id, state(n, card_step(progress)))))
}

/// Which of the steps is at hand: files are counted, the first is EF.CardAccess, the last the proof.
fn card_step(progress: &Progress) -> usize {
    match progress.done {
        _ if progress.total == 0 => 0,
        0 => 1,
        done if done < progress.total => 2,
        _ => 3,
    }
}

/// How much of a card is read, 0 to 100.
pub fn card_percent(progress: &Progress) -> u32 {
    if progress.total == 0 {
        return 0;
    }
    let whole = progress.done.min(progress.total) * 100;
    let part = (progress.bytes_done.min(progress.bytes_total) * 100).checked_div(progress.bytes_total).unwrap_or(0);
    let part = if progress.done >= progress.total { 0 } else { part };
    u32::try_from((whole + part) / progress.total).unwrap_or(100).min(100)
}

fn state(step: usize, at: usize) -> StepState {
    match step.cmp(&at) {
        std::cmp::Ordering::Less => StepState::Done,
        std::cmp::Ordering::Equal => StepState::Current,
        std::cmp::Ordering::Greater => StepState::Todo,
    }
}

/// What is on a card that was read, for its holder to look at.
pub fn card(card: &CardDisplay) -> DisplayModel {
    let date = |label: &'static str, date: Option<Date>| date.map(|date| DisplayItem::text(label, format_date(date)));
    let mut items = vec![DisplayItem::text("field.full_name", card.full_name.clone()).with(ItemRole::Title)];
    if !card.portrait.is_empty() {
        let media_type = wallet_documents::picture_type(&card.portrait);
        items.push(DisplayItem {
            field: "portrait".into(),
            label: "field.portrait".into(),
            value: DisplayValue::Image { media_type, bytes: card.portrait.clone() },
            role: ItemRole::Portrait,
        });
    }
    items.push(DisplayItem::text("field.personal_number", card.personal_number.clone()).with(ItemRole::Secret));
    items.extend(date("field.birth_date", card.birth));
    let sex = match card.sex.as_str() {
        "M" => "value.sex.male",
        "F" => "value.sex.female",
        _ => "value.sex.unknown",
    };
    items.push(DisplayItem::key("field.sex", sex));
    items.push(DisplayItem::text("field.document_number", card.document_number.clone()));
    items.extend(date("field.expiry_date", card.expiry));
    DisplayModel::new("card", "document.citizen-identity", vec![DisplayGroup::new("group.person", items)])
}

/// What became of documents that were fetched: each with its stock, or why nothing came.
pub fn fetched<'a>(documents: impl IntoIterator<Item = (&'a str, u32, &'a str)>) -> DisplayModel {
    let item = |(id, copies, problem): (&str, u32, &str)| {
        let label: Key = types::by_id(id).map_or_else(|| "title.account".into(), |kind| kind.label.into());
        if problem.is_empty() {
            DisplayItem::text(label, copies.to_string()).named(id.to_owned())
        } else {
            let told = wallet_documents::display::problem(problem, &[]);
            DisplayItem::key(label, format!("problem.{}", told.id)).named(id.to_owned()).with(ItemRole::Warning)
        }
    };
    DisplayModel::new("fetched", "title.fetched", vec![DisplayGroup::new("group.copies", documents.into_iter().map(item).collect())])
}

/// What a sync brought: the end of the account, the trust in use, the changes that came, the documents that were refilled.
pub fn sync(report: &SyncReport) -> DisplayModel {
    let ended = report.account_ended.then(|| DisplayItem::key("label.warning", "problem.account-ended").with(ItemRole::Warning));
    let mut items: Vec<DisplayItem> = ended.into_iter().collect();
    items.extend(report.trust_version.map(|version| DisplayItem::text("label.trust-version", version.to_string())));
    items.push(DisplayItem::text("label.changes", report.changes.len().to_string()));
    let refilled = fetched(report.refilled.iter().map(|document| (document.id.as_str(), document.copies, document.problem.as_str())));
    let mut groups = vec![DisplayGroup::new("group.news", items)];
    groups.extend(refilled.groups);
    DisplayModel::new("sync", "title.sync", groups)
}
