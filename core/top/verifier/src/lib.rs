//! The checker's side of Citizen Wallet: enrolment of a staff device, requests, offline caches, verdicts.
//!
//! [`Verifier`] is the whole of it. A staff device enrols once a week ([`Verifier::enrol`]), fetches trust and status lists when there is a network
//! ([`Verifier::sync`]), and from then on asks and checks without one ([`Verifier::ask`], [`Verifier::check`]). What may be asked, how old a
//! status may be, whether the face must be compared: all that is data, the row of the device's role in the table of roles.
//!
//! Invariants, each with tests:
//! - a list or certificate is verified before it is stored, and an older genuine list never replaces a newer one;
//! - an answer is taken to an open request of this device only, once, within its time; a restart closes every open request;
//! - only values that were asked for are shown, as display models; nothing of a citizen is stored;
//! - "not checked" is its own answer: without a signed portrait nobody can confirm a face.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod ask;
mod carry;
mod check;
mod config;
pub mod display;
mod enrol;
mod error;
#[cfg(feature = "record")]
mod recorder;
mod result;
mod rows;
mod service;
mod staff;
mod sync;
mod trust;
mod verifier;

#[cfg(test)]
#[allow(clippy::field_reassign_with_default)]
mod tests;

pub use ask::{Ask, Asked};
pub use config::VerifierConfig;
pub use error::VerifierError;
#[cfg(feature = "record")]
pub use recorder::Recorder;
pub use result::CheckResult;
pub use staff::Staff;
pub use sync::{ListDates, SyncReport, TrustDates};
pub use verifier::Verifier;
pub use wallet_platform::ports::Ports;
pub use wallet_platform::problem::Problem;
