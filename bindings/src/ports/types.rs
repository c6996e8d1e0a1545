//! Border types of the ports: plain values, no secrets beyond what a port hands out itself.

/// What a key is for; decides how the platform protects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum KeyPurpose {
    /// DPoP and sync: usable while the device is unlocked, no prompt.
    Account,
    /// Credentials: one act of the user authorises one consent.
    Holder,
    /// One use, one prompt.
    Transaction,
}

/// Which lock of the device guards a sealed share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SealPurpose {
    /// Bound to the user's authentication.
    User,
    /// Usable once the device was unlocked after its start.
    Background,
}

/// A key as its store names it, with its public half.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct NewKey {
    /// The store's own name of the key; opaque to the core.
    pub id: String,
    /// P-256 point, SEC 1 uncompressed (65 bytes).
    pub public_key: Vec<u8>,
}

/// What `create_keys` gives: keys in order and the evidence that the central service judges.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct NewKeys {
    /// As many keys as were asked for, in order.
    pub keys: Vec<NewKey>,
    /// Opaque platform evidence over the challenge and all keys.
    pub evidence: Vec<u8>,
}

/// What a card channel can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct ChannelCapacity {
    /// Longest command APDU in bytes.
    pub max_command: u32,
    /// Whether extended length is supported.
    pub extended: bool,
}

/// How far a long piece of work is. Bytes are 0 of 0 when they mean nothing.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ProgressView {
    /// What is going on: a key of the catalogue or the name of a file (`DG2`).
    pub step: String,
    /// Steps done.
    pub done: u64,
    /// Steps in all.
    pub total: u64,
    /// Bytes done of this step.
    pub bytes_done: u64,
    /// Bytes in all of this step.
    pub bytes_total: u64,
}

/// Why a key store, sealer or clock could not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum PortFault {
    /// The user said no.
    #[error("cancelled")]
    Cancelled,
    /// No answer in time.
    #[error("timed out")]
    TimedOut,
    /// The key is gone for good (new biometrics enrolled, lock screen removed).
    #[error("key was invalidated")]
    KeyInvalidated,
    /// The authorisation does not cover this use.
    #[error("not authorised")]
    NotAuthorised,
    /// This device cannot do it.
    #[error("unsupported")]
    Unsupported,
    /// The device has no secure screen lock.
    #[error("no secure lock")]
    NoSecureLock,
    /// No room for what has to be kept.
    #[error("no space")]
    NoSpace,
    /// Anything else, an unexpected exception of the platform's code included.
    #[error("unavailable")]
    Unavailable,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for PortFault {
    /// The text of a foreign exception may hold anything, so it goes nowhere.
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable
    }
}

/// Why a card did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ChannelFault {
    /// The card left the field.
    #[error("card lost")]
    CardLost,
    /// The user stopped the reading.
    #[error("cancelled")]
    Cancelled,
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// Anything else.
    #[error("channel failed")]
    Other,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ChannelFault {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Other
    }
}
