//! Token Status List (draft-ietf-oauth-status-list, approved): lists, signed lists as CWT, and the judgement of one entry.
//!
//! A list is signed once and read by everybody; nobody learns from it which entry was looked at. [`UnverifiedStatusList::verify`] checks
//! the signature when the list is fetched; how old it is is judged again at every check, by [`StatusCheck`].

mod judge;
mod list;
#[cfg(test)]
mod tests;
mod token;

pub use judge::{FreshnessPolicy, NoStatusLists, StatusCheck, StatusLists, StatusLookup, StatusRef};
pub use list::{Bits, INVALID, MAX_LIST_BYTES, SUSPENDED, StatusList, VALID};
pub(crate) use token::numeric_date;
pub use token::{CONTENT_TYPE, MAX_TOKEN_BYTES, SKEW_SECS, StatusListSpec, UnverifiedStatusList, VerifiedStatusList, issue};
