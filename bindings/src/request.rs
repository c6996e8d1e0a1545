//! A request on the citizen's side: an opaque handle. A shell passes field ids, never values, and cannot forge a verdict.

use std::sync::Arc;

use wallet_core as core;

use crate::display::DisplayView;
use crate::error::WalletError;
use crate::task::{CancelHandle, stoppable, whole};
use crate::verdict::VerdictView;
use crate::wipe;

/// Who asks, in the words of the verified certificate and the signed request.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct VerifierView {
    /// Organisation.
    pub organisation: String,
    /// Role id.
    pub role: String,
    /// What the role is called, Vietnamese.
    pub role_vi: String,
    /// What the role is called, English.
    pub role_en: String,
    /// The checking device's pseudonym.
    pub device: String,
    /// Where, to be shown large.
    pub place: String,
    /// Purpose id.
    pub purpose: String,
    /// Legal basis.
    pub legal_basis: String,
    /// Hours the verifier says it keeps the answer.
    pub retention_hours: u32,
    /// When the request was signed, RFC 3339.
    pub issued_at: String,
    /// Until when it can be answered, RFC 3339.
    pub expires_at: String,
}

/// One field asked for.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RequestItem {
    /// Document type id.
    pub document: String,
    /// Field id.
    pub field: String,
    /// Catalogue key of the label.
    pub label: String,
    /// The wallet can show it.
    pub available: bool,
    /// The role may not have it: an alarm, and it can never be selected.
    pub over_ask: bool,
    /// Sensitive: never selected by default.
    pub sensitive: bool,
    /// Part of the default selection.
    pub selected: bool,
}

/// What the citizen chose to show.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Selection {
    /// Document type id.
    pub document: String,
    /// Field ids.
    pub fields: Vec<String>,
}

/// The text of the answer, to be drawn as one QR code.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Answer {
    /// `CWA1:` and base45.
    pub text: String,
    /// Document type id that was shown.
    pub document: String,
    /// Field ids that were shown.
    pub fields: Vec<String>,
    /// Until when the verifier takes it, RFC 3339.
    pub expires_at: String,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("document", &self.document).finish_non_exhaustive()
    }
}

/// A request that was read and judged.
#[derive(uniffi::Object)]
pub struct PendingRequest(Arc<core::PendingRequest>);

impl From<core::PendingRequest> for PendingRequest {
    fn from(request: core::PendingRequest) -> Self {
        Self(Arc::new(request))
    }
}

#[uniffi::export]
impl PendingRequest {
    /// The wallet's facts about the request.
    pub fn verdict(&self) -> VerdictView {
        VerdictView::from(self.0.verdict())
    }

    /// Who asks; nothing when the request was refused before its words could be believed.
    pub fn view(&self) -> Option<VerifierView> {
        wipe::after(|| self.0.view().map(VerifierView::from))
    }

    /// What the citizen reads before saying yes: what is alarming, who asks, where, what for, how long it is kept.
    pub fn display(&self) -> DisplayView {
        wipe::after(|| DisplayView::from(&core::display::request(&self.0)))
    }

    /// What is asked for, field by field.
    pub fn items(&self) -> Vec<RequestItem> {
        wipe::after(|| self.0.items().iter().map(RequestItem::from).collect())
    }

    /// Whether this request had its one answer already.
    pub fn answered_before(&self) -> bool {
        self.0.answered_before()
    }

    /// The default selection: never what is over-asked or sensitive; nothing with an alarm.
    pub fn default_selection(&self) -> Option<Selection> {
        wipe::after(|| self.0.default_selection().map(|(document, fields)| Selection { document, fields }))
    }

    /// Answers with the selected fields of one document: one act of the user, one copy spent, one answer.
    ///
    /// Stopped before the user said yes, it counts as declined; stopped later, the copy is spent and the log says so.
    #[uniffi::method(default(cancel = None))]
    pub async fn answer(&self, document: String, fields: Vec<String>, cancel: Option<Arc<CancelHandle>>) -> Result<Answer, WalletError> {
        let this = Arc::clone(&self.0);
        stoppable("answer", cancel, move || Ok(Answer::from(this.answer(&document, &fields)?))).await
    }

    /// The citizen says no.
    pub async fn decline(&self) -> Result<(), WalletError> {
        let this = Arc::clone(&self.0);
        whole("decline", move || Ok(this.decline()?)).await
    }
}

impl From<&core::RequestView> for VerifierView {
    fn from(view: &core::RequestView) -> Self {
        Self {
            organisation: view.organisation.clone(),
            role: view.role.clone(),
            role_vi: view.role_vi.clone(),
            role_en: view.role_en.clone(),
            device: view.device.clone(),
            place: view.place.clone(),
            purpose: view.purpose.clone(),
            legal_basis: view.legal_basis.clone(),
            retention_hours: view.retention_hours,
            issued_at: view.issued_at.to_rfc3339(),
            expires_at: view.expires_at.to_rfc3339(),
        }
    }
}

impl From<&core::RequestItem> for RequestItem {
    fn from(item: &core::RequestItem) -> Self {
        Self {
            document: item.document.clone(),
            field: item.field.clone(),
            label: item.label.clone(),
            available: item.available,
            over_ask: item.over_ask,
            sensitive: item.sensitive,
            selected: item.selected,
        }
    }
}

impl From<core::Answer> for Answer {
    fn from(answer: core::Answer) -> Self {
        let core::Answer { text, document, fields, expires_at } = answer;
        Self { text, document, fields, expires_at: expires_at.to_rfc3339() }
    }
}
