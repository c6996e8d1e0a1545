//! What every storey of the house shares, and nothing that touches the world.
//!
//! Facts and verdicts ([`fact`]), times ([`time`]), safe text and names ([`text`]), cryptography behind one module
//! ([`crypto`]), bounded CBOR ([`cbor`]), COSE ([`cose`]), JOSE ([`jose`]), X.509 ([`x509`]), and the two things that are always injected:
//! [`time::TimeSource`] and [`random::Random`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod cbor;
pub mod cose;
pub mod crypto;
pub mod fact;
pub mod jose;
pub mod random;
pub mod secret;
pub mod text;
pub mod time;
pub mod x509;
