//! What a wallet shows of itself: plain records.

use wallet_core as core;

use crate::display::DisplayView;
use crate::verdict::VerdictView;

/// Where an activation is.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ActivationView {
    /// The last durable step: `not-started`, `opened`, `card-read`, `chip`, `code-sent`, `code`, `face` or `complete`.
    pub step: String,
    /// What wallet and central found so far.
    pub verdict: VerdictView,
    /// Tries left, as central told last: for the code once one was sent, then for the face.
    pub tries_left: Option<u32>,
    /// Until when the card must be read and its evidence sent, RFC 3339; nothing when no card is waited for.
    pub expires_at: Option<String>,
    /// What the app does next: `begin`, `read-card`, `submit-chip`, `request-code`, `enter-code`, `take-face`, `complete` or `done`.
    pub next: String,
    /// As it is shown.
    pub display: DisplayView,
}

/// What is on a card, to show to its holder.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct CardDisplayView {
    /// Full name.
    pub full_name: String,
    /// Personal number.
    pub personal_number: String,
    /// Document number.
    pub document_number: String,
    /// Date of birth, `YYYY-MM-DD`.
    pub birth: Option<String>,
    /// `M`, `F` or `X`.
    pub sex: String,
    /// Date of expiry, `YYYY-MM-DD`.
    pub expiry: Option<String>,
    /// The face picture as on the chip.
    pub portrait: Vec<u8>,
    /// Its media type.
    pub portrait_type: String,
    /// As it is shown.
    pub display: DisplayView,
}

impl std::fmt::Debug for CardDisplayView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardDisplayView(..)")
    }
}

/// What a card's reading came to.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CardReport {
    /// The wallet's own verdict over the chip.
    pub verdict: VerdictView,
    /// What is on the card; nothing when the card was rejected.
    pub display: Option<CardDisplayView>,
}

/// What became of one document.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct IssuedDocument {
    /// Document type id.
    pub id: String,
    /// Copies stored now.
    pub copies: u32,
    /// Why nothing was stored; empty when all went well.
    pub problem: String,
}

/// What an issuance came to.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct IssuanceReport {
    /// Facts about the credentials that came.
    pub verdict: VerdictView,
    /// One entry for each document.
    pub documents: Vec<IssuedDocument>,
    /// As it is shown.
    pub display: DisplayView,
}

/// A document in the list.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DocumentSummaryView {
    /// Document type id.
    pub id: String,
    /// Catalogue key of the type's name.
    pub title: String,
    /// `requested`, `not-found`, `issued`, `out-of-date`, `suspended` or `ended`.
    pub state: String,
    /// Catalogue key of the state.
    pub state_label: String,
    /// As of when that is known, RFC 3339.
    pub as_of: String,
    /// Copies that can be shown now.
    pub copies: u32,
    /// Until when the last of them can be shown, RFC 3339.
    pub valid_until: Option<String>,
    /// As it is shown.
    pub display: DisplayView,
}

/// A document with its display model.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DocumentView {
    /// As in the list.
    pub summary: DocumentSummaryView,
    /// What it shows; nothing before the first copy came.
    pub display: Option<DisplayView>,
}

/// An entry of the consent log. No disclosed values.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ConsentEntryView {
    /// Number in this wallet.
    pub id: i64,
    /// When, RFC 3339.
    pub at: String,
    /// Who asked.
    pub organisation: String,
    /// Its role.
    pub role: String,
    /// The checking device's pseudonym.
    pub device: String,
    /// Where.
    pub place: String,
    /// Purpose id.
    pub purpose: String,
    /// Legal basis.
    pub legal_basis: String,
    /// Hours the verifier says it keeps the answer.
    pub retention_hours: u32,
    /// Document type id.
    pub document: String,
    /// Field ids.
    pub fields: Vec<String>,
    /// `shown`, `declined`, `failed` or `open`.
    pub outcome: String,
    /// Failed fact or a static word.
    pub reason: String,
    /// The verifier's signed request, as it arrived.
    pub request: Vec<u8>,
    /// As it is shown.
    pub display: DisplayView,
}

/// An entry of the change feed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ChangeView {
    /// The feed's own number.
    pub seq: i64,
    /// Document type id; empty when it is about the account.
    pub document: String,
    /// `issued`, `suspended`, `reinstated`, `revoked`, `changed` or `device-replaced`.
    pub kind: String,
    /// When, RFC 3339.
    pub at: String,
    /// As it is shown.
    pub display: DisplayView,
}

/// What a wallet's sync came to.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WalletSyncReport {
    /// Facts about trust, clock and received credentials.
    pub verdict: VerdictView,
    /// Trust version in use.
    pub trust_version: Option<u64>,
    /// New entries of the change feed.
    pub changes: Vec<ChangeView>,
    /// The account is on another device now: nothing here can be shown any more, and an activation comes next.
    pub account_ended: bool,
    /// Documents that were refilled.
    pub refilled: Vec<IssuedDocument>,
    /// As it is shown.
    pub display: DisplayView,
}

impl From<&core::ActivationView> for ActivationView {
    fn from(view: &core::ActivationView) -> Self {
        Self {
            step: view.step.as_str().to_owned(),
            verdict: VerdictView::from(&view.verdict),
            tries_left: view.tries_left,
            expires_at: view.expires_at.map(|at| at.to_rfc3339()),
            next: core::display::next_act(view.step).to_owned(),
            display: DisplayView::from(&core::display::activation(view)),
        }
    }
}

impl From<core::CardReport> for CardReport {
    fn from(report: core::CardReport) -> Self {
        let display = report.display.map(|card| CardDisplayView {
            display: DisplayView::from(&core::display::card(&card)),
            full_name: card.full_name,
            personal_number: card.personal_number,
            document_number: card.document_number,
            birth: card.birth.map(|date| date.to_iso()),
            sex: card.sex,
            expiry: card.expiry.map(|date| date.to_iso()),
            portrait: card.portrait,
            portrait_type: card.portrait_type,
        });
        Self { verdict: VerdictView::from(&report.verdict), display }
    }
}

impl From<&core::IssuedDocument> for IssuedDocument {
    fn from(document: &core::IssuedDocument) -> Self {
        Self { id: document.id.clone(), copies: document.copies, problem: document.problem.clone() }
    }
}

impl From<&core::IssuanceReport> for IssuanceReport {
    fn from(report: &core::IssuanceReport) -> Self {
        Self {
            verdict: VerdictView::from(&report.verdict),
            documents: report.documents.iter().map(IssuedDocument::from).collect(),
            display: fetched(&report.documents),
        }
    }
}

impl From<&core::DocumentSummary> for DocumentSummaryView {
    fn from(document: &core::DocumentSummary) -> Self {
        Self {
            id: document.id.clone(),
            title: document.label.clone(),
            state: document.state.as_str().to_owned(),
            state_label: core::display::state_key(document.state),
            display: DisplayView::from(&core::display::summary(document)),
            as_of: document.as_of.to_rfc3339(),
            copies: document.copies_left,
            valid_until: document.valid_until.map(|at| at.to_rfc3339()),
        }
    }
}

impl From<&core::DocumentView> for DocumentView {
    fn from(view: &core::DocumentView) -> Self {
        Self { summary: DocumentSummaryView::from(&view.summary), display: view.display.as_ref().map(DisplayView::from) }
    }
}

impl From<&core::ConsentEntry> for ConsentEntryView {
    fn from(entry: &core::ConsentEntry) -> Self {
        Self {
            id: entry.id,
            at: entry.at.to_rfc3339(),
            organisation: entry.organisation.clone(),
            role: entry.role.clone(),
            device: entry.device.clone(),
            place: entry.place.clone(),
            purpose: entry.purpose.clone(),
            legal_basis: entry.legal_basis.clone(),
            retention_hours: entry.retention_hours,
            document: entry.document.clone(),
            fields: entry.fields.clone(),
            outcome: entry.outcome.as_str().to_owned(),
            reason: entry.reason.clone(),
            request: entry.request.clone(),
            display: DisplayView::from(&core::display::consent(entry)),
        }
    }
}

impl From<&core::Change> for ChangeView {
    fn from(change: &core::Change) -> Self {
        Self {
            seq: change.seq,
            document: change.document.clone(),
            kind: change.kind.clone(),
            at: change.at.to_rfc3339(),
            display: DisplayView::from(&core::display::change(change)),
        }
    }
}

impl From<&core::SyncReport> for WalletSyncReport {
    fn from(report: &core::SyncReport) -> Self {
        Self {
            verdict: VerdictView::from(&report.verdict),
            trust_version: report.trust_version,
            changes: report.changes.iter().map(ChangeView::from).collect(),
            account_ended: report.account_ended,
            refilled: report.refilled.iter().map(IssuedDocument::from).collect(),
            display: DisplayView::from(&core::display::sync(report)),
        }
    }
}

fn fetched(documents: &[core::IssuedDocument]) -> DisplayView {
    let documents = documents.iter().map(|document| (document.id.as_str(), document.copies, document.problem.as_str()));
    DisplayView::from(&core::display::fetched(documents))
}
