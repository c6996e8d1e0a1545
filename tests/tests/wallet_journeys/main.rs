//! The citizen's journeys against a real central service and a simulated card, and every way they may be broken off.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod activation;
mod another_session;
mod damaged;
mod day;
mod full;
mod issuance;
mod keys;
mod killed;
mod locked;
mod mitm;
mod showing;
mod two;
mod world;
