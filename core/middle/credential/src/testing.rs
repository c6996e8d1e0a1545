//! Synthetic authorities and documents for the tests of this crate.
