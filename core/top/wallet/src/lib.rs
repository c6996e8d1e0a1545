//! The citizen's side of Citizen Wallet.
//!
//! [`Wallet`] is the whole of it: an encrypted store as a state, activation by factors, issuance by OpenID4VCI, documents, presentation by
//! two QRs with a consent log, and sync. Private keys stay behind [`wallet_platform::ports::KeyStore`]; the network is one pinned HTTPS service; all
//! times come from the [`wallet_platform::ports::Clock`] port.
//!
//! Invariants, each with tests:
//! - nothing that came from outside is stored before the one check that makes it verified;
//! - every step of a long act is written before the next begins, so a kill at any moment is continued, never repeated in part;
//! - a copy set is spent before its answer leaves; a request gets one answer at most;
//! - no personal data in errors, logs or `cache.db`.

mod activation;
mod clock;
mod config;
mod consent;
pub mod display;
mod documents;
mod dpop;
mod error;
mod facts;
mod inner;
mod issuance;
mod ledger;
mod presentation;
mod service;
mod session;
mod strays;
mod sync;
mod trust;
mod wallet;

pub use activation::{ActivationView, CardDisplay, CardPassword, CardReport, Step};
pub use config::{DEFAULT_COPIES, WalletConfig};
pub use consent::{ConsentEntry, ConsentOutcome};
pub use documents::{DocumentState, DocumentSummary, DocumentView};
pub use error::WalletError;
pub use issuance::{IssuanceReport, IssuedDocument};
pub use ledger::{Ledger, LedgerAccount, LedgerBatch, LedgerConsent, LedgerCopy, LedgerCredential};
pub use presentation::{Answer, PendingRequest, RequestItem, RequestView};
pub use sync::{Change, SyncReport};
pub use wallet::{StoreState, Wallet};
pub use wallet_platform::ports::Ports;
pub use wallet_platform::problem::Problem;
