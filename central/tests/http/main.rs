//! The HTTP API against a server in this process: every endpoint, every refusal.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

mod activation;
mod addresses;
mod credentials;
mod limits;
mod phone;
mod process;
mod slow;
mod staff;
mod status;
mod storage;
mod tokens;
mod trust;
mod world;
