//! Display models at the border: ordered groups of labelled values; labels are keys of the catalogues.
//!
//! One shape for everything a shell shows: documents, consent, verdicts, steps, problems.

use wallet_core::display as wallet_display;
use wallet_documents::display::{self, Action, DisplayItem, DisplayModel, DisplayValue, ItemRole, ProblemModel};
use wallet_documents::words::Language;

use crate::error::WalletError;
use crate::ports::ProgressView;

/// What stands beside a label.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum DisplayValueView {
    /// Text of the document, already formatted.
    Text {
        /// The text.
        text: String,
    },
    /// A key of the catalogue.
    Key {
        /// The key.
        key: String,
    },
    /// A picture.
    Image {
        /// Media type.
        media_type: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// How a line is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum DisplayRole {
    /// As it is.
    Plain,
    /// Large: what a reader looks for first.
    Title,
    /// Covered until it is asked for.
    Secret,
    /// Something is wrong: over, used up, no longer valid, refused.
    Warning,
    /// The picture to compare a face with.
    Portrait,
    /// A step that is behind.
    Done,
    /// The step at hand.
    Current,
    /// A step to come.
    Todo,
}

impl From<ItemRole> for DisplayRole {
    fn from(role: ItemRole) -> Self {
        match role {
            ItemRole::Plain => Self::Plain,
            ItemRole::Title => Self::Title,
            ItemRole::Secret => Self::Secret,
            ItemRole::Warning => Self::Warning,
            ItemRole::Portrait => Self::Portrait,
            ItemRole::Done => Self::Done,
            ItemRole::Current => Self::Current,
            ItemRole::Todo => Self::Todo,
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DisplayItemView {
    /// Field id, fact name or step; empty for a remark.
    pub field: String,
    /// Catalogue key of the label; empty when the value speaks for itself.
    pub label: String,
    /// The value.
    pub value: DisplayValueView,
    /// How to show it.
    pub role: DisplayRole,
}

/// Lines that belong together.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DisplayGroupView {
    /// Catalogue key of the title; empty when the group needs none.
    pub title: String,
    /// The lines, in order.
    pub items: Vec<DisplayItemView>,
}

/// One thing as it is shown: a document or the disclosed part of one, a verdict, a request, steps, a problem.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DisplayView {
    /// What it is about: a document type id, a colour, a problem id, a word.
    pub id: String,
    /// Catalogue key of its name.
    pub title: String,
    /// The groups, in order.
    pub groups: Vec<DisplayGroupView>,
}

impl From<&DisplayModel> for DisplayView {
    fn from(model: &DisplayModel) -> Self {
        let group = |group: &display::DisplayGroup| DisplayGroupView {
            title: group.title.to_string(),
            items: group.items.iter().map(DisplayItemView::from).collect(),
        };
        Self { id: model.id.to_string(), title: model.title.to_string(), groups: model.groups.iter().map(group).collect() }
    }
}

impl From<&DisplayItem> for DisplayItemView {
    fn from(item: &DisplayItem) -> Self {
        let value = match &item.value {
            DisplayValue::Text(text) => DisplayValueView::Text { text: text.clone() },
            DisplayValue::Key(key) => DisplayValueView::Key { key: key.to_string() },
            DisplayValue::Image { media_type, bytes } => {
                DisplayValueView::Image { media_type: (*media_type).to_owned(), bytes: bytes.clone() }
            }
        };
        Self { field: item.field.to_string(), label: item.label.to_string(), value, role: item.role.into() }
    }
}

/// The text of a catalogue key in a language (`vi`, `en` or a tag such as `vi-VN`); the key itself when the catalogue does not know it.
#[uniffi::export]
pub fn word(key: String, language: String) -> String {
    Language::from_tag(&language).text(&key)
}

/// A whole catalogue as one flat JSON object, key to text.
#[uniffi::export]
pub fn catalogue(language: String) -> String {
    Language::from_tag(&language).json()
}

/// What a person can do about a problem: the button below it (`action.<word>` in the catalogues).
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum ProblemAction {
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
    /// Set a screen lock, or unlock biometrics.
    OpenSecuritySettings,
    /// Give the app a permission.
    OpenAppSettings,
    /// Let the device set its date and time.
    OpenDateSettings,
    /// Begin from the beginning; what is on the device stays.
    StartOver,
    /// Remove the wallet (or the staff device) from this phone and begin anew: what is there cannot be used any more. Asks first.
    RemoveStore,
    /// Install a newer version.
    UpdateApp,
    /// Make room on the device.
    FreeSpace,
    /// Nothing but to know it.
    Close,
}

impl From<Action> for ProblemAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Retry => Self::Retry,
            Action::EnterAgain => Self::EnterAgain,
            Action::Wait => Self::Wait,
            Action::HoldCard => Self::HoldCard,
            Action::ScanAgain => Self::ScanAgain,
            Action::AskAnew => Self::AskAnew,
            Action::OpenNfcSettings => Self::OpenNfcSettings,
            Action::OpenSecuritySettings => Self::OpenSecuritySettings,
            Action::OpenAppSettings => Self::OpenAppSettings,
            Action::OpenDateSettings => Self::OpenDateSettings,
            Action::StartOver => Self::StartOver,
            Action::RemoveStore => Self::RemoveStore,
            Action::UpdateApp => Self::UpdateApp,
            Action::FreeSpace => Self::FreeSpace,
            Action::Close => Self::Close,
        }
    }
}

/// A problem to be shown: what happened, what is known of it, what to do.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ProblemView {
    /// Id of the problem; its text is `problem.<id>`.
    pub id: String,
    /// As it is shown.
    pub display: DisplayView,
    /// What its button does.
    pub action: ProblemAction,
    /// Catalogue key of the button's text.
    pub action_label: String,
}

impl From<ProblemModel> for ProblemView {
    fn from(model: ProblemModel) -> Self {
        Self {
            id: model.id.to_owned(),
            display: DisplayView::from(&model.display),
            action: model.action.into(),
            action_label: format!("action.{}", model.action.as_str()),
        }
    }
}

/// What an error means to a person.
#[uniffi::export]
pub fn explain(error: WalletError) -> ProblemView {
    let (word, details) = error.told();
    display::problem(&word, &details).into()
}

/// A problem that the app found itself: `nfc-off`, `no-nfc`, `camera-refused`, `no-camera`, `no-card-found`, `biometrics-locked`,
/// `no-secure-lock`, `interrupted`, `not-found`, or any `scan.*`. Another word is told as `invalid`.
#[uniffi::export]
pub fn problem(id: String) -> ProblemView {
    display::problem(&id, &[]).into()
}

/// The steps of a card's reading.
#[uniffi::export]
pub fn card_progress(progress: ProgressView) -> DisplayView {
    DisplayView::from(&wallet_display::card_progress(&progress.into()))
}

/// How much of a card is read, 0 to 100.
#[uniffi::export]
pub fn card_progress_percent(progress: ProgressView) -> u32 {
    wallet_display::card_percent(&progress.into())
}
