//! What no single crate can prove: the arrows of the house, journeys through all of it, peers, faults. This library holds what several of
//! these tests need; nothing outside tests uses it.
// Test code: what fails here is a failed test, told by its panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

pub mod town;
