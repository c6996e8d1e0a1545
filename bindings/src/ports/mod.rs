//! What the core asks of a phone, as traits that Kotlin, Swift, Python or Rust implement (DESIGN section 4).
//!
//! Every method is synchronous, is called on a worker thread (never on the caller's), and has a deadline: a late result is dropped.
//! No lock of the core is held during a call. An implementation must not call back into the object it serves.

mod adapters;
#[cfg(test)]
mod tests;
mod types;

pub(crate) use adapters::{card_channel, clock, device_sealer, key_store, listener, of_app};
pub use types::{ChannelCapacity, ChannelFault, KeyPurpose, NewKey, NewKeys, PortFault, ProgressView, SealPurpose};

/// Keys that never leave the platform's key store.
#[uniffi::export(rust, foreign)]
pub trait KeyStorePort: Send + Sync {
    /// Creates `count` P-256 keys of one purpose with evidence over `challenge`.
    fn create_keys(&self, purpose: KeyPurpose, count: u32, challenge: Vec<u8>) -> Result<NewKeys, PortFault>;
    /// One act of the user: asks for leave to use `keys` at most `max_uses` times within `ttl_millis`; gives the authorisation's name.
    /// `reason` is a catalogue key (`word` gives the prompt's text).
    fn authorise(&self, reason: String, keys: Vec<String>, max_uses: u32, ttl_millis: u64) -> Result<String, PortFault>;
    /// ECDSA over SHA-256 of `bytes`: raw r and s, 64 bytes.
    fn sign(&self, authorisation: Option<String>, key: String, bytes: Vec<u8>) -> Result<Vec<u8>, PortFault>;
    /// ECDH with `peer` (SEC 1 uncompressed): the 32-byte x coordinate. May be `Unsupported`.
    fn agree(&self, authorisation: Option<String>, key: String, peer: Vec<u8>) -> Result<Vec<u8>, PortFault>;
    /// Ends an authorisation before its time; ending an unknown one is no fault.
    fn end(&self, authorisation: String) -> Result<(), PortFault>;
    /// Deletes keys; a key that is gone already is no fault.
    fn delete(&self, keys: Vec<String>) -> Result<(), PortFault>;
    /// Names of every key made through this store and not deleted, those of earlier runs included. A store serves one wallet or one staff
    /// device: an app that has both gives each its own. May be `Unsupported`.
    fn list(&self) -> Result<Vec<String>, PortFault>;
}

/// Seals shares of the database keys with a key of the device's hardware.
#[uniffi::export(rust, foreign)]
pub trait DeviceSealerPort: Send + Sync {
    /// Seals `share` under the device's key of `purpose`.
    fn seal(&self, purpose: SealPurpose, share: Vec<u8>) -> Result<Vec<u8>, PortFault>;
    /// Opens what `seal` made.
    fn unseal(&self, purpose: SealPurpose, sealed: Vec<u8>) -> Result<Vec<u8>, PortFault>;
    /// A 32-byte MAC of `input` under a key that never leaves the device; the same input always gives the same MAC.
    fn mac(&self, input: Vec<u8>) -> Result<Vec<u8>, PortFault>;
}

/// The contactless card that the user holds to the phone.
#[uniffi::export(rust, foreign)]
pub trait CardChannelPort: Send + Sync {
    /// Sends a command APDU, gives the response with its status word.
    fn transceive(&self, command: Vec<u8>) -> Result<Vec<u8>, ChannelFault>;
    /// What the channel can carry.
    fn capacity(&self) -> Result<ChannelCapacity, ChannelFault>;
    /// Stops a running exchange.
    fn cancel(&self) -> Result<(), ChannelFault>;
    /// Waits until a card is held again and opens the channel anew.
    fn reconnect(&self) -> Result<(), ChannelFault>;
}

/// The phone's clocks.
#[uniffi::export(rust, foreign)]
pub trait ClockPort: Send + Sync {
    /// Wall time: seconds since 1970-01-01 UTC.
    fn wall_seconds(&self) -> Result<i64, PortFault>;
    /// Milliseconds of a clock that only goes forward and counts sleep.
    fn monotonic_millis(&self) -> Result<u64, PortFault>;
    /// A name of this start of the device; another after the next start.
    fn boot_id(&self) -> Result<String, PortFault>;
}

/// Who hears of progress, state changes and log lines; called one at a time from a queue, in order. Faults are ignored.
///
/// A listener that calls back into the object it listens to gets an error, not a deadlock.
#[uniffi::export(rust, foreign)]
pub trait ListenerPort: Send + Sync {
    /// Long work moved on.
    fn progress(&self, progress: ProgressView) -> Result<(), PortFault>;
    /// Something changed (`subject`: `wallet`, `activation`, `documents`, `trust`, ...) and is now in `state`, a fixed word.
    fn state_changed(&self, subject: String, state: String) -> Result<(), PortFault>;
    /// A log line, free of personal data.
    fn log(&self, level: String, target: String, text: String) -> Result<(), PortFault>;
}
