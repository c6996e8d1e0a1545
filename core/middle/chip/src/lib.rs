//! Reads and verifies an ICAO 9303 chip card, as the Vietnamese citizen card is one. Sans-I/O; knows nothing of wallets.
//!
//! The way of one card:
//!
//! 1. A password: [`pace::Password::Can`] out of [`vietnam::CardQr`] or [`vietnam::PersonalNumber::can`], or [`pace::Password::Mrz`].
//! 2. A reading: [`reader::Reader`] with a [`reader::ReadPlan`] gives commands and takes responses until it has [`reader::ChipData`];
//!    [`reader::drive`] is the loop. It reports [`reader::Progress`], survives a lost card, and never retries a password.
//! 3. A verdict: [`passive::verify`] gives the facts `chip.hashes`, `chip.signature`, `chip.chain`, `chip.revocation`, `chip.genuine`,
//!    `chip.access` on a ladder, and a [`passive::VerifiedChip`] (name, number, face, details) only when the chip held.
//! 4. For central: [`evidence::challenge`] before the reading, [`evidence::Evidence::from_data`] after it,
//!    [`evidence::Evidence::verify`] there.
//!
//! One suite is spoken: PACE ECDH-GM with AES-128 on brainpoolP256r1, AES secure messaging, ECDSA on P-256, P-384 and
//! brainpoolP256r1. What is not spoken is refused as unsupported; there is no fall-back to weaker access.
//!
//! Nothing personal reaches an error or a `Debug` text.

pub mod access;
pub mod active;
pub mod apdu;
mod error;
pub mod evidence;
pub mod files;
mod keys;
pub mod lds;
pub mod mrz;
pub mod pace;
pub mod passive;
mod provinces;
pub mod reader;
pub mod sm;
pub mod sod;
pub mod symmetric;
pub mod tlv;
pub mod vietnam;

pub use error::ReadError;
pub use evidence::Evidence;
pub use passive::{CardTrust, VerifiedChip};
pub use reader::{ChipData, Input, Output, Progress, ReadPlan, Reader};
