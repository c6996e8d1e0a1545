//! The reference central service: accounts, issuers, status, trust, sync.
//!
//! One directory is one service: `config.json`, `central.sqlite`, `keys/`, `offline/` (keys the service never reads), `certificates/`, `cards/` (card
//! authorities), `trust/` (TUF repository), `public/` (what is built into the apps), `spool/` (messages to telephones).
//!
//! - [`init()`] makes the directory, [`Server::start`] serves it, [`Admin`] changes it while the server runs or is stopped.
//! - The HTTP API is described in `API.md` beside this crate.
//! - Registries, message delivery and face comparison are traits ([`registry::Registry`], [`adapters::Messenger`], [`adapters::FaceService`]) with
//!   synthetic back ends.
//!
//! No personal data is written to logs or errors. Time comes from [`wallet_base::time::TimeSource`] only.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod activation;
pub mod adapters;
mod admin;
mod attributes;
mod authorities;
mod cards;
mod ceremony;
mod clock;
mod config;
mod db;
mod desk;
mod dpop;
mod error;
pub mod faces;
mod files;
mod init;
mod issuance;
mod keys;
mod ledger;
mod limits;
mod metadata;
pub mod registry;
mod server;
mod service;
mod staff;
mod status;
mod sweep;
mod sync;
mod tokens;
mod trust;
mod tuf;
mod wallet_provider;

pub use admin::{Admin, RevokedAs};
pub use ceremony::{OnlineRole, RoleStatus, Rotated, Rotation, TrustStatus, trust_init};
pub use config::{Config, LimitsConfig, StatusConfig, TrustConfig};
pub use error::CentralError;
pub use init::{AppAnchors, InitOptions, anchors, init};
pub use server::{ServeOptions, Server};
