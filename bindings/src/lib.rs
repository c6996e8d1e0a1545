//! The only crate that knows UniFFI: exported objects, border types, foreign traits.
//!
//! Everything here is thin: a type of the core becomes a plain record, a port of an app becomes a trait of the core, rich errors become
//! the few an app can act on. Decisions are made below.
//!
//! | | |
//! | --- | --- |
//! | [`wallet`], [`request`] | the citizen's side: [`wallet::Wallet`], the opaque [`request::PendingRequest`] |
//! | [`verifier`] | the checker's side: [`verifier::Verifier`], the opaque [`verifier::OpenRequest`] and [`verifier::CheckResult`] |
//! | [`ports`] | what an app implements: keys, sealing, card, clock, listener |
//! | [`contract`] | what every implementation of a port is run against |
//! | [`display`] | what a shell shows, in one shape; problems and what to do about them |
//! | [`CancelHandle`], [`trace_to`] | stopping long acts, hearing the log |
//! | [`qr`] | drawing, decoding, classifying |
//! | `software` (feature) | ports in software, for desktop and tests |

uniffi::setup_scaffolding!();

pub mod contract;
pub mod display;
mod entry;
pub mod error;
pub mod ledger_view;
pub mod ports;
pub mod qr;
mod registers;
pub mod request;
#[cfg(feature = "software")]
pub mod software;
mod task;
mod trace;
pub mod verdict;
pub mod verifier;
pub mod wallet;
pub mod wallet_views;
mod wipe;

pub use contract::{ContractReport, contract_card_channel, contract_clock, contract_device_sealer, contract_key_store, contract_listener};
pub use display::{
    DisplayGroupView, DisplayItemView, DisplayValueView, DisplayView, ProblemAction, ProblemView, card_progress, card_progress_percent,
    catalogue, explain, problem, word,
};
pub use error::WalletError;
pub use ledger_view::{
    LedgerAccountView, LedgerBatchView, LedgerConsentView, LedgerCopyView, LedgerCredentialView, LedgerKeyView, LedgerView,
};
pub use qr::{QrSymbol, ScannedKind, classify, qr_decode_luma, qr_decode_png, qr_draw};
pub use request::{Answer, PendingRequest, RequestItem, Selection, VerifierView};
pub use task::CancelHandle;
#[cfg(feature = "software")]
pub use task::Wait;
pub use trace::trace_to;
pub use verdict::{FactView, VerdictView};
pub use verifier::{
    CacheView, CheckResult, ListDatesView, OpenRequest, PolicyDocument, PolicyView, StaffView, TrustDatesView, Verifier, VerifierConfig,
    VerifierSyncReport,
};
pub use wallet::{CardPassword, Wallet, WalletConfig, WalletState};
#[cfg(feature = "record")]
pub use wallet_verifier::Recorder;
pub use wallet_views::{
    ActivationView, CardDisplayView, CardReport, ChangeView, ConsentEntryView, DocumentSummaryView, DocumentView, IssuanceReport,
    IssuedDocument, WalletSyncReport,
};

/// Version of the library.
#[uniffi::export]
pub fn library_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
