//! The updater against repositories that are made and signed here, byte by byte, without the client's own library.

mod attacks;

mod repository;
mod updates;
