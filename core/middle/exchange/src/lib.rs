//! How a credential travels without a network: signed requests, encrypted answers, QR symbols; sans-I/O, for both roles.
//!
//! Path B of the design: the checker shows a signed request ([`request`]), the wallet answers with a credential encrypted to the request's
//! ephemeral key ([`answer`]). Both are text in one QR symbol ([`codec`], [`qr`]). What a camera or a clipboard gives is first classified
//! ([`scan`]), so that a person is told whether a code is wrong, stale, half or foreign.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod answer;
pub mod certificate;
pub mod code_points;
pub mod codec;
pub mod ecdh_es;
pub mod error;
pub mod qr;
#[cfg(feature = "decode")]
pub mod qr_decode;
pub mod reader;
pub mod request;
pub mod scan;

pub use answer::{OpenRequest, seal};
pub use error::ExchangeError;
pub use qr::{Symbol, draw};
pub use reader::{Reader, ReaderTrust};
pub use request::{PreparedRequest, RequestSpec, RequestedDocument, UnverifiedRequest, VerifiedRequest};
pub use scan::{Scanned, classify};
