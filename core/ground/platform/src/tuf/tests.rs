//! The updater against repositories made and signed without the client's own library: here, byte by byte, and by the
//! reference implementation.

mod attacks;
mod peer;
mod repository;
mod updates;
