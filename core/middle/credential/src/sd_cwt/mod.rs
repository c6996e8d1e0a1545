//! SD-CWT with Key Binding Token (draft-ietf-spice-sd-cwt, in the profile of DESIGN section 7).
//!
//! Issue: [`issue()`]. Store: [`verify_issued`], then [`SdCwt::decode`] of the kept bytes. Present: [`SdCwt::select`], [`kbt::prepare`]. Check:
//! [`kbt::UnverifiedKbt`]. Every number of the draft stands in [`code_points`].

pub mod code_points;
mod digest;
mod disclosures;
mod issue;
pub mod kbt;
#[cfg(test)]
mod tests;
mod token;
mod verify;

pub use issue::{SdCwtSpec, issue};
pub use token::{MAX_SD_CWT_BYTES, SdCwt};
pub use verify::{VerifiedSdCwt, verify_issued};

use wallet_base::cbor::Limits;

/// Limits for SD-CWT data: definite lengths, depth 16, no duplicate keys (draft, section "CBOR encoding").
const LIMITS: Limits = Limits::STRICT;
