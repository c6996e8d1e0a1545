//! One executable contract per port.
