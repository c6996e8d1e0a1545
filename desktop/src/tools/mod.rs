//! Tools for people who look at single credentials and codes. They never become part of a phone's library.
pub mod card;
mod inspect;
mod verify;

pub use inspect::inspect;
pub use verify::verify;
