//! What touches the world, and nothing that knows what a document is.
//!
//! - [`ports`]: what the core asks of a phone (keys, sealing, card, radio, clock, listener); synchronous traits.
//! - [`cancel`]: stopping long work from outside.
//! - [`deadline`]: the same traits with a worker thread and a deadline around every call.
//! - [`listener`]: the queue between the core and a [`ports::Listener`].
//! - [`software`]: the ports in software, for desktop, tests and services.
//! - [`contract`]: one executable contract per port; every implementation, in any language, is run against it.
//! - [`store`]: the encrypted database (SQLCipher): open, migrate, read, write in a transaction, close, reopen.
//! - [`dirlock`]: one program to a folder.
//! - [`keyslot`]: the header that wraps database keys: passcode and background slots, tries and back-off.
//! - [`http`]: a blocking HTTPS client with one pinned root, caps and time-outs.
//! - [`tuf`]: the trust updater (The Update Framework 1.0).
//! - [`carried`]: one file of signed public data, carried by hand to a device without a network.
//! - [`clock_guard`]: what may be said about the device's clock.
//! - [`problem`]: what an app can do about an error.
//!
//! No function here calls a port while it holds a lock.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod alone;
pub mod cancel;
pub mod carried;
pub mod clock_guard;
pub mod contract;
pub mod deadline;
pub mod dirlock;
mod files;
pub mod http;
pub mod keyslot;
pub mod listener;
pub mod ports;
pub mod problem;
pub mod software;
pub mod store;
#[cfg(test)]
mod testing;
pub mod tuf;
pub mod worker;

/// The database driver, re-exported so that every crate uses the one that is linked with SQLCipher.
pub use rusqlite;
