//! A problem as a display model: what happened, which item, what to do, and the action a button stands for.

use wallet_base::fact::FactName;
use wallet_base::time::Timestamp;

use super::document::format_moment;
use super::{DisplayGroup, DisplayItem, DisplayModel, ItemRole, Key};
use crate::words::fact_key;

/// What a person can do about a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The same again.
    Retry,
    /// Type or choose again.
    EnterAgain,
    /// Wait, then the same again.
    Wait,
    /// Hold the card to the phone again.
    HoldCard,
    /// Scan again.
    ScanAgain,
    /// Ask the other side for a new code.
    AskAnew,
    /// Switch NFC on.
    OpenNfcSettings,
    /// Set a screen lock, or biometrics.
    OpenSecuritySettings,
    /// Give the app a permission.
    OpenAppSettings,
    /// Let the device set its date and time.
    OpenDateSettings,
    /// Begin the activation or the enrolment from its beginning; what is on the device stays.
    StartOver,
    /// Remove the wallet or the staff device from this phone, after asking, and begin anew: what is there cannot be used any more.
    RemoveStore,
    /// Install a newer version.
    UpdateApp,
    /// Make room on the device.
    FreeSpace,
    /// Nothing but to know it.
    Close,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 15] = [
        Self::Retry,
        Self::EnterAgain,
        Self::Wait,
        Self::HoldCard,
        Self::ScanAgain,
        Self::AskAnew,
        Self::OpenNfcSettings,
        Self::OpenSecuritySettings,
        Self::OpenAppSettings,
        Self::OpenDateSettings,
        Self::StartOver,
        Self::RemoveStore,
        Self::UpdateApp,
        Self::FreeSpace,
        Self::Close,
    ];

    /// The word of the action; `todo.<word>` says it in a sentence, `action.<word>` is the button.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::EnterAgain => "enter-again",
            Self::Wait => "wait",
            Self::HoldCard => "hold-card",
            Self::ScanAgain => "scan-again",
            Self::AskAnew => "ask-anew",
            Self::OpenNfcSettings => "open-nfc-settings",
            Self::OpenSecuritySettings => "open-security-settings",
            Self::OpenAppSettings => "open-app-settings",
            Self::OpenDateSettings => "open-date-settings",
            Self::StartOver => "start-over",
            Self::RemoveStore => "remove-store",
            Self::UpdateApp => "update-app",
            Self::FreeSpace => "free-space",
            Self::Close => "close",
        }
    }
}

/// What is known of this one problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Tries before the next waiting time.
    TriesLeft(u32),
    /// When the next try is taken.
    Until(Timestamp),
    /// Which check failed.
    Check(FactName),
}

/// A problem to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemModel {
    /// Id of the problem; its text is `problem.<id>`.
    pub id: &'static str,
    /// What happened, what is known of it, what to do.
    pub display: DisplayModel,
    /// What to do, for a button.
    pub action: Action,
}

/// Every problem that has a text of its own.
pub const PROBLEM_IDS: &[(&str, Action)] = &[
    ("wrong-passcode", Action::EnterAgain),
    ("locked-until", Action::Wait),
    ("card-moved", Action::HoldCard),
    ("wrong-card-key", Action::EnterAgain),
    ("different-card", Action::HoldCard),
    ("card-unreadable", Action::HoldCard),
    ("network", Action::Retry),
    ("untrusted", Action::Close),
    ("expired", Action::AskAnew),
    ("declined", Action::Close),
    ("cancelled", Action::Retry),
    ("storage", Action::RemoveStore),
    ("storage-full", Action::FreeSpace),
    ("storage-busy", Action::Close),
    ("storage-disk", Action::Retry),
    ("unsupported", Action::Close),
    ("invalid", Action::EnterAgain),
    ("closed", Action::Retry),
    ("internal", Action::Retry),
    ("busy", Action::Wait),
    ("clock-wrong", Action::OpenDateSettings),
    ("no-secure-lock", Action::OpenSecuritySettings),
    ("update-needed", Action::UpdateApp),
    ("not-enrolled", Action::StartOver),
    ("over-ask", Action::Close),
    ("locked", Action::EnterAgain),
    ("passcode-form", Action::EnterAgain),
    ("code-wrong", Action::EnterAgain),
    ("face-picture", Action::Retry),
    ("not-activated", Action::StartOver),
    ("account-ended", Action::StartOver),
    ("key-invalidated", Action::RemoveStore),
    ("not-authorised", Action::Retry),
    ("device-timed-out", Action::Retry),
    ("device-unavailable", Action::Retry),
    ("service-certificate", Action::Retry),
    ("service-clock", Action::Wait),
    ("no-copy-left", Action::Retry),
    ("no-such-document", Action::Close),
    ("selection", Action::EnterAgain),
    ("nothing-chosen", Action::Close),
    ("carried-file", Action::Close),
    ("no-trust", Action::Retry),
    ("too-much-asked", Action::EnterAgain),
    // scanned codes
    ("scan.foreign", Action::ScanAgain),
    ("scan.wrong", Action::ScanAgain),
    ("scan.half", Action::ScanAgain),
    ("scan.damaged", Action::ScanAgain),
    ("scan.stale", Action::AskAnew),
    ("scan.too-large", Action::EnterAgain),
    ("scan.vneid-card", Action::ScanAgain),
    ("scan.not-for-us", Action::AskAnew),
    ("scan.already-answered", Action::AskAnew),
    ("scan.frame", Action::ScanAgain),
    ("scan.nothing", Action::ScanAgain),
    // what the phone finds itself
    ("nfc-off", Action::OpenNfcSettings),
    ("no-nfc", Action::Close),
    ("camera-refused", Action::OpenAppSettings),
    ("no-camera", Action::Close),
    ("no-card-found", Action::HoldCard),
    ("biometrics-locked", Action::OpenSecuritySettings),
    ("interrupted", Action::Retry),
    ("not-found", Action::Close),
];

/// The problem behind a reason word of an error, or an id. What is not known is `invalid`: it is told, never passed over.
fn known(word: &str) -> (&'static str, Action) {
    let by_id = |id: &str| PROBLEM_IDS.iter().find(|(known, _)| *known == id).copied();
    by_id(word).or_else(|| by_id(alias(word))).unwrap_or(("invalid", Action::EnterAgain))
}

/// The problem that a reason word of an error stands for.
fn alias(word: &str) -> &str {
    match word {
        "passcode" => "passcode-form",
        "code" | "invalid_code" => "code-wrong",
        "face picture" => "face-picture",
        "wrong-step" | "not-created" | "missing" => "not-activated",
        "answered-before" => "scan.already-answered",
        "full" => "storage-full",
        "re-entry" => "busy",
        // Files that came with the app, or an app that is too old for what it met: both are mended by another build of it.
        "newer" | "carried-file-newer" | "no-cipher" | "service-settings" | "trust-root" | "plain-http" => "update-needed",
        "answer-too-large" => "network",
        "carried-file-too-large" => "carried-file",
        "disk" => "storage-disk",
        // Made meanwhile by another window: looked at again, nobody need begin anew.
        "exists" => "interrupted",
        "not-encrypted" | "wrong-key" | "corrupt" | "gone" | "key-slots" => "storage",
        "request-too-large" | "selection: too large for one symbol" => "scan.too-large",
        "unknown-document" | "unknown-field" | "unknown-purpose" | "unknown-role" => "too-much-asked",
        "channel" | "access refused" | "missing file" | "malformed" | "secure messaging" | "unexpected status" => "card-unreadable",
        "picture" => "scan.nothing",
        other => other,
    }
}

/// The model of a problem, by its id or by a reason word of an error.
pub fn problem(word: &str, details: &[Detail]) -> ProblemModel {
    let (id, action) = known(word);
    let told = details.iter().map(|detail| match detail {
        Detail::TriesLeft(tries) => DisplayItem::text("label.tries-left", tries.to_string()),
        Detail::Until(at) => DisplayItem::text("label.until", format_moment(*at)),
        Detail::Check(fact) => DisplayItem::key("label.check", fact_key(*fact)),
    });
    let mut items: Vec<DisplayItem> = told.map(|item| item.with(ItemRole::Warning)).collect();
    items.push(DisplayItem::key("label.todo", Key::Owned(format!("todo.{}", action.as_str()))));
    let display = DisplayModel::new(id, format!("problem.{id}"), vec![DisplayGroup::new("", items)]);
    ProblemModel { id, display, action }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_says_what_to_do() {
        for (id, action) in PROBLEM_IDS {
            let model = problem(id, &[]);
            assert_eq!((model.id, model.action), (*id, *action));
            assert!(model.display.keys().any(|key| key == format!("todo.{}", action.as_str())));
        }
    }

    #[test]
    fn bad_input_a_reason_that_nobody_knows_is_still_told() {
        assert_eq!(problem("something_new", &[]).id, "invalid");
        assert_eq!(problem("corrupt", &[]).id, "storage");
    }

    #[test]
    fn bad_input_nobody_is_told_to_start_over_for_what_a_retry_or_an_update_mends() {
        for (word, id) in [
            ("disk", "storage-disk"),
            ("no-cipher", "update-needed"),
            ("service-settings", "update-needed"),
            ("trust-root", "update-needed"),
            ("exists", "interrupted"),
        ] {
            let told = problem(word, &[]);
            assert_eq!(told.id, id);
            assert!(!matches!(told.action, Action::StartOver | Action::RemoveStore));
        }
    }

    #[test]
    fn details_are_told() {
        let model = problem("wrong-passcode", &[Detail::TriesLeft(2)]);
        assert_eq!(model.display.groups[0].items[0].label, "label.tries-left");
        let model = problem("untrusted", &[Detail::Check(FactName::RequestChain)]);
        assert_eq!(model.display.groups[0].items[0].value, super::super::DisplayValue::Key("fact.request.chain".into()));
    }
}
