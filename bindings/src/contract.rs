//! The contract of every port, run from any language: one body for Rust, Python, Kotlin and Swift, for hardware and software alike.

use std::sync::Arc;

use wallet_platform::contract::{self, ContractBreach};

use crate::ports::{self, CardChannelPort, ClockPort, DeviceSealerPort, KeyStorePort, ListenerPort};

/// Whether a port keeps its contract.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ContractReport {
    /// Every clause holds.
    pub holds: bool,
    /// The first clause that does not; empty when all hold.
    pub broken_clause: String,
    /// All clauses, in the order they were tried.
    pub clauses: Vec<String>,
}

impl ContractReport {
    fn new(result: Result<(), ContractBreach>, clauses: &[&str]) -> Self {
        Self {
            holds: result.is_ok(),
            broken_clause: result.err().map(|breach| breach.clause.to_owned()).unwrap_or_default(),
            clauses: clauses.iter().map(|clause| (*clause).to_owned()).collect(),
        }
    }
}

/// Runs the contract of a key store. Asks the user several times and removes the keys it made.
#[uniffi::export]
pub fn contract_key_store(port: Arc<dyn KeyStorePort>) -> ContractReport {
    ContractReport::new(contract::key_store(ports::key_store(port).as_ref()), contract::KEY_STORE_CLAUSES)
}

/// Runs the contract of a sealer.
#[uniffi::export]
pub fn contract_device_sealer(port: Arc<dyn DeviceSealerPort>) -> ContractReport {
    ContractReport::new(contract::device_sealer(ports::device_sealer(port).as_ref()), contract::DEVICE_SEALER_CLAUSES)
}

/// Runs the contract of a card channel with a chip card held to it.
#[uniffi::export]
pub fn contract_card_channel(port: Arc<dyn CardChannelPort>) -> ContractReport {
    ContractReport::new(contract::card_channel(ports::card_channel(port).as_ref()), contract::CARD_CHANNEL_CLAUSES)
}

/// Runs the contract of the clocks.
#[uniffi::export]
pub fn contract_clock(port: Arc<dyn ClockPort>) -> ContractReport {
    ContractReport::new(contract::clock(ports::clock(port).as_ref()), contract::CLOCK_CLAUSES)
}

/// Runs the contract of a listener.
#[uniffi::export]
pub fn contract_listener(port: Arc<dyn ListenerPort>) -> ContractReport {
    ContractReport::new(contract::listener(ports::listener(port).as_ref()), contract::LISTENER_CLAUSES)
}
