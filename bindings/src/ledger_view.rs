//! A wallet's ledger at the border: plain records.

use wallet_base::jose::b64u;
use wallet_core as core;

use crate::wallet_views::DocumentSummaryView;

/// The account of a wallet.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LedgerAccountView {
    /// Opaque id given by central.
    pub account: Option<String>,
    /// Its level.
    pub level: Option<u32>,
    /// Another device took over.
    pub ended: bool,
    /// The key store's name of the account key.
    pub key_name: String,
    /// Its thumbprint (RFC 7638), base64url.
    pub thumbprint: String,
}

/// One format of a copy set.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LedgerCredentialView {
    /// SHA-256 of its bytes, base64url.
    pub sha256: String,
    /// Address of its status list; empty without one.
    pub status_list: String,
    /// Its entry there.
    pub status_index: u64,
    /// It can be read and is for the key of its copy set.
    pub sound: bool,
}

/// One copy set.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LedgerCopyView {
    /// Number in this wallet.
    pub id: i64,
    /// Document type id.
    pub document: String,
    /// The key store's name of the holder key.
    pub key_name: String,
    /// Its thumbprint (RFC 7638), base64url.
    pub thumbprint: String,
    /// `fresh`, `reserved` or `spent`.
    pub state: String,
    /// From when it can be shown, RFC 3339.
    pub valid_from: String,
    /// Until when, RFC 3339.
    pub valid_until: String,
    /// The mdoc; nothing once spent.
    pub mdoc: Option<LedgerCredentialView>,
    /// The SD-CWT; nothing once spent.
    pub sd_cwt: Option<LedgerCredentialView>,
}

/// One entry of the consent log.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LedgerConsentView {
    /// Number in this wallet.
    pub id: i64,
    /// When, RFC 3339.
    pub at: String,
    /// Role that asked.
    pub role: String,
    /// Document type id.
    pub document: String,
    /// The copy set that was taken for it.
    pub copy_set: Option<i64>,
    /// `shown`, `declined`, `failed` or `open`.
    pub outcome: String,
    /// Failed fact or a static word.
    pub reason: String,
    /// SHA-256 of the request as it arrived, base64url: what an answer to it names.
    pub request_hash: String,
}

/// A key that waits for its credentials.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LedgerKeyView {
    /// The key store's name.
    pub key_name: String,
    /// Its thumbprint (RFC 7638), base64url.
    pub thumbprint: String,
}

/// A batch under way.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LedgerBatchView {
    /// Document type id.
    pub document: String,
    /// The wallet provider took its evidence.
    pub registered: bool,
    /// Its keys.
    pub keys: Vec<LedgerKeyView>,
}

/// What a wallet holds and did, row by row and without values.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LedgerView {
    /// The account; nothing before its key was made.
    pub account: Option<LedgerAccountView>,
    /// The last durable step of the activation.
    pub step: String,
    /// The documents.
    pub documents: Vec<DocumentSummaryView>,
    /// Copy sets; spent ones stay until the next sync.
    pub copies: Vec<LedgerCopyView>,
    /// The consent log, oldest first.
    pub consents: Vec<LedgerConsentView>,
    /// Requests that had their one answer: SHA-256 of what their verifier signed, base64url.
    pub answered: Vec<String>,
    /// Batches under way.
    pub batches: Vec<LedgerBatchView>,
    /// Names of keys that wait for their deletion.
    pub dead_keys: Vec<String>,
    /// Names of keys that nothing in the wallet knows; nothing when the key store cannot list its keys.
    pub stray_keys: Option<Vec<String>>,
    /// Place in the change feed.
    pub cursor: i64,
    /// Numbers of the notices taken from it.
    pub notices: Vec<i64>,
    /// The database is sound, every page and index.
    pub sound: bool,
}

impl From<&core::LedgerAccount> for LedgerAccountView {
    fn from(account: &core::LedgerAccount) -> Self {
        Self {
            account: account.account.clone(),
            level: account.level,
            ended: account.ended,
            key_name: account.key_name.clone(),
            thumbprint: b64u(&account.thumbprint),
        }
    }
}

impl From<&core::LedgerCredential> for LedgerCredentialView {
    fn from(credential: &core::LedgerCredential) -> Self {
        let (status_list, status_index) = credential.status.clone().unwrap_or_default();
        Self { sha256: b64u(&credential.sha256), status_list, status_index, sound: credential.sound }
    }
}

impl From<&core::LedgerCopy> for LedgerCopyView {
    fn from(copy: &core::LedgerCopy) -> Self {
        Self {
            id: copy.id,
            document: copy.document.clone(),
            key_name: copy.key_name.clone(),
            thumbprint: b64u(&copy.thumbprint),
            state: copy.state.clone(),
            valid_from: copy.valid_from.to_rfc3339(),
            valid_until: copy.valid_until.to_rfc3339(),
            mdoc: copy.mdoc.as_ref().map(LedgerCredentialView::from),
            sd_cwt: copy.sd_cwt.as_ref().map(LedgerCredentialView::from),
        }
    }
}

impl From<&core::LedgerConsent> for LedgerConsentView {
    fn from(entry: &core::LedgerConsent) -> Self {
        Self {
            id: entry.id,
            at: entry.at.to_rfc3339(),
            role: entry.role.clone(),
            document: entry.document.clone(),
            copy_set: entry.copy_set,
            outcome: entry.outcome.as_str().to_owned(),
            reason: entry.reason.clone(),
            request_hash: b64u(&entry.request_hash),
        }
    }
}

impl From<&core::LedgerBatch> for LedgerBatchView {
    fn from(batch: &core::LedgerBatch) -> Self {
        let key = |(name, thumbprint): &(String, [u8; 32])| LedgerKeyView { key_name: name.clone(), thumbprint: b64u(thumbprint) };
        Self { document: batch.document.clone(), registered: batch.registered, keys: batch.keys.iter().map(key).collect() }
    }
}

impl From<&core::Ledger> for LedgerView {
    fn from(ledger: &core::Ledger) -> Self {
        Self {
            account: ledger.account.as_ref().map(LedgerAccountView::from),
            step: ledger.step.as_str().to_owned(),
            documents: ledger.documents.iter().map(DocumentSummaryView::from).collect(),
            copies: ledger.copies.iter().map(LedgerCopyView::from).collect(),
            consents: ledger.consents.iter().map(LedgerConsentView::from).collect(),
            answered: ledger.answered.iter().map(|hash| b64u(hash)).collect(),
            batches: ledger.batches.iter().map(LedgerBatchView::from).collect(),
            dead_keys: ledger.dead_keys.clone(),
            stray_keys: ledger.stray_keys.clone(),
            cursor: ledger.cursor,
            notices: ledger.notices.clone(),
            sound: ledger.sound,
        }
    }
}
