//! The formats: mdoc, SD-CWT, status lists, trust: issue, present, verify.
//!
//! # The shape of every check
//!
//! A verifying function takes a [`check::Check`] (whom to trust, which type is expected, what time it is, which status lists are at hand) and
//! gives `(Vec<Fact>, Option<Verified…>)`. The facts come in the order of the ladder (DESIGN, section 3, rule 0):
//!
//! 1. `credential.chain`, `credential.signature`, `credential.digest`, `credential.holder`: when one fails, all that follows is not-checked;
//! 2. then side by side `credential.validity`, `status.freshness`, `credential.status`, `credential.type`.
//!
//! For an answer to a request (a key binding token) `exchange.nonce`, `exchange.request`, `exchange.audience` stand before them on the same
//! ladder. The verified type exists only when no fact failed and the four rungs of the ladder passed; its fields cannot be built outside.
//! A caution, a missing status list or a list too old for the policy leave it in place: the facts say so and the verdict is amber.
//!
//! Input that is no credential at all (not well-formed, above a cap, an unknown version) is a [`CredentialError`] of the `decode` functions.
//!
//! | Need | Take |
//! | --- | --- |
//! | issue an mdoc / an SD-CWT | [`mdoc::issue`], [`sd_cwt::issue`] |
//! | store what was received | [`mdoc::verify_issued`], [`sd_cwt::verify_issued`] |
//! | present | [`mdoc::present`], [`sd_cwt::SdCwt::select`] and [`sd_cwt::kbt::prepare`] |
//! | check a presentation | [`mdoc::UnverifiedDeviceResponse`], [`sd_cwt::kbt::UnverifiedKbt`] |
//! | status lists | [`status::StatusList`], [`status::issue`], [`status::UnverifiedStatusList`], [`status::StatusLists`] |
//! | trust | [`trust::TrustTargets`], [`trust::Anchors`] |
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod check;
mod error;
pub mod mdoc;
mod raw;
pub mod sd_cwt;
pub mod status;
pub mod trust;

#[cfg(test)]
mod testing;

pub use check::{Check, ExpectedType};
pub use error::CredentialError;
