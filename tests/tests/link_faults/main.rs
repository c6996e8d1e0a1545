//! Faults of the links: every message between a device and central, every command to the card, every picture between two devices. Each is
//! broken in every way we know, one at a time; the act completes, or stops with a named error and completes on the next try, and never is a
//! fact passed that was not.
//!
//! `LINK_FAULTS=all` injects every fault at every message (`./deep links`); without it every message gets one fault, and neighbours different ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod card;
mod cards;
mod messages;
mod phases;
mod pictures;
mod relay;
mod site;
mod table;
