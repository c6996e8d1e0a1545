//! Tools for people who look at single credentials and codes. They never become part of a phone's library.
pub mod card;
mod files;
mod inspect;
mod present;
pub mod session;
mod trust;
mod verify;

pub use inspect::inspect;
pub use present::present;
pub use trust::run as trust;
pub use verify::verify;
