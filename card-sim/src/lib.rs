//! Simulated chip cards, for tests, the demo and the desktop; never part of a phone's library.
//!
//! [`TestCardAuthority`] makes cards for [`CardHolder`]s; [`Card`] is the chip (PACE with CAN and MRZ, secure messaging, files, Active
//! Authentication); [`Field`] lets it leave the reader and come back; [`serve`] and [`SocketChannel`] put a socket between; [`forge`]
//! makes what criminals make. What the simulator shows about the reader counts only as far as the standard's own examples hold on both
//! sides (tests `vector_...`).
//!
//! Terminal and chip authentication are listed in EF.CardAccess, as on real cards, and not simulated (6D00).

mod authority;
mod chip;
mod error;
mod field;
mod files;
pub mod forge;
mod holder;
pub mod pace;
pub mod portrait;
pub mod sm;
pub mod socket;

pub use authority::{CardProfile, TestCardAuthority};
pub use chip::{Behaviour, Card};
pub use error::SimError;
pub use field::Field;
pub use files::CardFiles;
pub use holder::CardHolder;
pub use socket::{ChannelError, SocketChannel, serve};
