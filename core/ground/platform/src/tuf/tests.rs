//! The updater against repositories made and signed without the client's own library: here, byte by byte, and by the
//! reference implementation.

mod attacks;
mod keeping;
mod peer;
mod repository;
mod updates;
