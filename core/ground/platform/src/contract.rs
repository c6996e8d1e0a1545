//! One executable contract per port.
//!
//! Each function runs every clause of its port in order and gives the first that does not hold. The functions do not panic and can be run from
//! any language through the bindings, against hardware and software alike. A hardware key store will prompt its user several times.
//! The clause lists are public, so that a test can show that every clause is able to fail.

mod channels;
mod device;
mod key_store;

pub use channels::{CARD_CHANNEL_CLAUSES, LISTENER_CLAUSES, RADIO_CHANNEL_CLAUSES, card_channel, listener, radio_channel};
pub use device::{CLOCK_CLAUSES, DEVICE_SEALER_CLAUSES, clock, device_sealer};
pub use key_store::{KEY_STORE_CLAUSES, key_store};

/// A clause that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{port}: {clause}")]
pub struct ContractBreach {
    /// The port: `KeyStore`, `DeviceSealer`, `CardChannel`, `RadioChannel`, `Clock`, `Listener`.
    pub port: &'static str,
    /// The clause, one of the port's list.
    pub clause: &'static str,
}

/// Checks of one port.
#[derive(Clone, Copy)]
struct Clauses(&'static str);

impl Clauses {
    fn hold(self, clause: &'static str, holds: bool) -> Result<(), ContractBreach> {
        if holds { Ok(()) } else { Err(ContractBreach { port: self.0, clause }) }
    }

    fn value<T, E>(self, clause: &'static str, result: Result<T, E>) -> Result<T, ContractBreach> {
        result.map_err(|_| ContractBreach { port: self.0, clause })
    }

    /// A thing that must be there for the clause to hold.
    fn some<T>(self, clause: &'static str, value: Option<T>) -> Result<T, ContractBreach> {
        value.ok_or(ContractBreach { port: self.0, clause })
    }
}

#[cfg(test)]
mod tests;
