//! Showing a document by two QRs, both sides offline: a verified request, one act of the citizen, one answer.

mod answer;
mod request;

use std::sync::Arc;

use wallet_base::fact::{FactName, Outcome, Verdict};
use wallet_base::time::Timestamp;

use crate::consent::Who;
use crate::error::WalletError;
use crate::inner::Inner;

pub(crate) use request::open;

/// Who asks, in the words of the verified certificate and the signed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestView {
    /// Organisation, out of the certificate.
    pub organisation: String,
    /// Role id, out of the certificate.
    pub role: String,
    /// What the role is called, Vietnamese; empty when the table does not know it.
    pub role_vi: String,
    /// What the role is called, English.
    pub role_en: String,
    /// Pseudonym of the checking device, out of the certificate.
    pub device: String,
    /// Where, to be shown large.
    pub place: String,
    /// Purpose id.
    pub purpose: String,
    /// Legal basis.
    pub legal_basis: String,
    /// Hours the verifier says it keeps the answer.
    pub retention_hours: u32,
    /// When the request was signed.
    pub issued_at: Timestamp,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
}

/// One field asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestItem {
    /// Document type id.
    pub document: String,
    /// Field id.
    pub field: String,
    /// Catalogue key of the field's label.
    pub label: String,
    /// The wallet has a value for it and a copy of the document that can be shown now by two QRs.
    pub available: bool,
    /// The role may not have this field: the alarm names it; it can never be selected.
    pub over_ask: bool,
    /// Sensitive: never selected by default.
    pub sensitive: bool,
    /// Part of the default selection.
    pub selected: bool,
}

/// The text of the answer, to be drawn as one QR.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// `CWA1:` and base45.
    pub text: String,
    /// Document type id that was shown.
    pub document: String,
    /// Field ids that were shown.
    pub fields: Vec<String>,
    /// Until when the verifier takes it.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("document", &self.document).finish_non_exhaustive()
    }
}

/// A request that was read and judged: an opaque handle. Only field ids go in, never values.
pub struct PendingRequest {
    inner: Arc<Inner>,
    verdict: Verdict,
    /// Only there when signature, certificate and time held.
    verified: Option<wallet_exchange::request::VerifiedRequest>,
    view: Option<RequestView>,
    items: Vec<RequestItem>,
    bytes: Vec<u8>,
    hash: [u8; 32],
    answered_before: bool,
}

impl std::fmt::Debug for PendingRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingRequest").field("verdict", &self.verdict.conclusion()).finish_non_exhaustive()
    }
}

impl PendingRequest {
    /// The wallet's facts about the request.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Who asks; `None` when the request was refused before its words could be believed.
    pub fn view(&self) -> Option<&RequestView> {
        self.view.as_ref()
    }

    /// What is asked for, field by field.
    pub fn items(&self) -> &[RequestItem] {
        &self.items
    }

    /// Whether this request had its one answer already.
    pub fn answered_before(&self) -> bool {
        self.answered_before
    }

    /// The default selection: document type id and field ids. Empty with an over-ask, and when nothing fits.
    pub fn default_selection(&self) -> Option<(String, Vec<String>)> {
        let document = self.items.iter().find(|item| item.selected)?.document.clone();
        let fields = self.items.iter().filter(|item| item.selected).map(|item| item.field.clone()).collect();
        Some((document, fields))
    }

    /// Answers with chosen fields of one document: one act of the user, one copy set spent, one answer.
    ///
    /// Refused when the request was not verified, is past its time or was answered; over-asked fields are refused by name of the fact.
    pub fn answer(&self, document: &str, fields: &[String]) -> Result<Answer, WalletError> {
        answer::answer(self, document, fields)
    }

    /// The citizen says no: logged, nothing sent. The request may still be answered while it is fresh.
    pub fn decline(&self) -> Result<(), WalletError> {
        answer::decline(self)
    }

    /// The request's words for the log, as far as they are verified.
    fn who(&self) -> Who {
        let Some(view) = &self.view else {
            return Who::default();
        };
        Who {
            organisation: view.organisation.clone(),
            role: view.role.clone(),
            device: view.device.clone(),
            place: view.place.clone(),
            purpose: view.purpose.clone(),
            legal_basis: view.legal_basis.clone(),
            retention_hours: view.retention_hours,
        }
    }

    /// The first failed fact other than the over-ask: nothing may be answered then.
    fn refusal(&self) -> Option<FactName> {
        let facts = self.verdict.facts().iter();
        facts.filter(|f| f.outcome() == Outcome::Failed && f.name() != FactName::RequestRole).map(wallet_base::fact::Fact::name).next()
    }
}
