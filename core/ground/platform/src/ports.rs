//! What the core asks of a phone: few methods each, synchronous, called on worker threads with a deadline (see
//! [`crate::deadline`]), never while a lock is held. A port may be implemented in Rust, Kotlin, Swift or Python; what each must
//! do beyond its signature is written down as code in [`crate::contract`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wallet_base::crypto::PublicKey;
use wallet_base::secret::SecretBytes;
use wallet_base::time::{TimeSource, Timestamp};
use zeroize::Zeroizing;

/// The longest life an authorisation may have: one act of the user is one consent, given now.
pub const MAX_AUTHORISATION_TTL: Duration = Duration::from_secs(30);

/// The most keys one `create_keys` call may ask for.
pub const MAX_KEYS_PER_CALL: u32 = 64;

/// What a key is for, hence what guards it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyClass {
    /// DPoP and sync: usable on an unlocked device without a prompt.
    Account,
    /// Credentials: needs an authorisation; one authorisation may serve many keys and uses.
    Holder,
    /// One use, one prompt: an authorisation over such a key serves exactly one signature.
    Transaction,
}

impl KeyClass {
    /// `account`, `holder`, `transaction`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Holder => "holder",
            Self::Transaction => "transaction",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "account" => Some(Self::Account),
            "holder" => Some(Self::Holder),
            "transaction" => Some(Self::Transaction),
            _ => None,
        }
    }
}

/// The key store's own name for a key: opaque, at most 128 characters, safe to store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub String);

/// The key store's own name for one act of the user; never stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AuthorisationId(pub String);

/// What `create_keys` gives: the keys in order and evidence about all of them, judged by central.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedKeys {
    /// Names and public halves (P-256), as many as were asked for.
    pub keys: Vec<(KeyId, PublicKey)>,
    /// The platform's attestation over the keys and the challenge; opaque to the core.
    pub evidence: Vec<u8>,
}

/// Why a port could not do what it was asked. Each is a normal answer that the core handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PortError {
    /// The user turned the prompt away.
    #[error("cancelled by the user")]
    Cancelled,
    /// No answer within the deadline.
    #[error("no answer in time")]
    TimedOut,
    /// The key is gone or unusable for ever (new enrolment, removed lock, deleted).
    #[error("the key was invalidated")]
    KeyInvalidated,
    /// The use needs an authorisation that is missing, ended, expired, used up or for other keys.
    #[error("not authorised")]
    NotAuthorised,
    /// This device cannot do it.
    #[error("not supported by this device")]
    Unsupported,
    /// The device has no secure screen lock: no holder keys.
    #[error("the device has no secure lock")]
    NoSecureLock,
    /// No room for what has to be kept.
    #[error("no room left on the device")]
    NoSpace,
    /// The port failed for another reason and may work later.
    #[error("temporarily unavailable")]
    Unavailable,
}

/// Private keys (P-256 only) that never leave the platform.
pub trait KeyStore: Send + Sync {
    /// Makes `n` keys of a class, bound to `challenge` by the evidence.
    ///
    /// `n` is 1 to [`MAX_KEYS_PER_CALL`]; anything else is [`PortError::Unsupported`]. [`PortError::NoSecureLock`] for holder and
    /// transaction keys on a device without a screen lock.
    fn create_keys(&self, class: KeyClass, n: u32, challenge: &[u8]) -> Result<CreatedKeys, PortError>;

    /// One act of the user: lets `keys` be used `max_uses` times together within `ttl` (at most [`MAX_AUTHORISATION_TTL`], longer
    /// is refused as [`PortError::Unsupported`]). `reason` is a key of the catalogues; its text is shown to the user.
    fn authorise(&self, reason: &str, keys: &[KeyId], max_uses: u32, ttl: Duration) -> Result<AuthorisationId, PortError>;

    /// ES256 over `message` (the store hashes with SHA-256): raw `r || s`, 32 bytes each. Account keys need no authorisation.
    fn sign(&self, authorisation: Option<&AuthorisationId>, key: &KeyId, message: &[u8]) -> Result<[u8; 64], PortError>;

    /// ECDH: the x coordinate of the shared point. [`PortError::Unsupported`] where the platform has none (the core then signs).
    fn agree(&self, authorisation: Option<&AuthorisationId>, key: &KeyId, peer: &PublicKey) -> Result<Zeroizing<[u8; 32]>, PortError>;

    /// Ends an authorisation before its time. Ending an unknown one is no error.
    fn end(&self, authorisation: &AuthorisationId) -> Result<(), PortError>;

    /// Destroys keys. Deleting an unknown key is no error.
    fn delete(&self, keys: &[KeyId]) -> Result<(), PortError>;

    /// Names of every key that was made through this store and not deleted, those of earlier runs included: keys whose maker died before it wrote
    /// them down are found by it. A store serves one wallet or one staff device; a shell that has both gives each its own.
    /// [`PortError::Unsupported`] where the platform cannot list its keys; then such keys stay for ever.
    fn list(&self) -> Result<Vec<KeyId>, PortError> {
        Err(PortError::Unsupported)
    }
}

/// What guards a sealed share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SealClass {
    /// Opened by the user's presence (screen lock, biometric).
    User,
    /// Open since the first unlock after boot: background work.
    Background,
}

impl SealClass {
    /// `user`, `background`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Background => "background",
        }
    }
}

/// Sealing under hardware keys of this device.
pub trait DeviceSealer: Send + Sync {
    /// Encrypts and authenticates up to 4 KiB under the key of `class`.
    fn seal(&self, class: SealClass, plaintext: &[u8]) -> Result<Vec<u8>, PortError>;

    /// Opens what this device sealed under the same class. Anything else is [`PortError::KeyInvalidated`].
    fn unseal(&self, class: SealClass, sealed: &[u8]) -> Result<SecretBytes, PortError>;

    /// A keyed function of `input` that only this device can compute: makes guessing a passcode as slow as the hardware.
    fn mac(&self, input: &[u8]) -> Result<[u8; 32], PortError>;
}

/// Why a contactless exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ChannelError {
    /// The card (or peer) moved away; [`CardChannel::reconnect`] may bring it back.
    #[error("the card was lost")]
    CardLost,
    /// The user or the core cancelled.
    #[error("cancelled")]
    Cancelled,
    /// No answer within the deadline.
    #[error("no answer in time")]
    TimedOut,
    /// Anything else.
    #[error("the channel failed")]
    Other,
}

/// What a channel can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelLimits {
    /// Longest command APDU in bytes, header included; at least 261 (short APDUs).
    pub max_command: usize,
    /// Whether extended-length APDUs pass.
    pub extended: bool,
}

/// One contactless card.
pub trait CardChannel: Send + Sync {
    /// Sends one command APDU and gives the response with its status word.
    fn transceive(&self, apdu: &[u8]) -> Result<Vec<u8>, ChannelError>;
    /// What the reader can carry.
    fn limits(&self) -> ChannelLimits;
    /// Ends what is running; a waiting call returns [`ChannelError::Cancelled`].
    fn cancel(&self);
    /// Waits until a card is held again and powers it up anew (all card state is lost).
    fn reconnect(&self) -> Result<(), ChannelError>;
}

/// Frames of an engagement's BLE or NFC transport.
pub trait RadioChannel: Send + Sync {
    /// Sends one frame of at most [`Self::max_frame`] bytes.
    fn send(&self, frame: &[u8]) -> Result<(), ChannelError>;
    /// Waits for the next frame.
    fn receive(&self) -> Result<Vec<u8>, ChannelError>;
    /// Longest frame in bytes.
    fn max_frame(&self) -> usize;
    /// Ends the transport; a waiting `receive` returns [`ChannelError::Cancelled`].
    fn close(&self);
}

/// The device's times.
pub trait Clock: Send + Sync {
    /// The wall clock, which anybody may have set wrong.
    fn wall(&self) -> Timestamp;
    /// Milliseconds that never go back within one boot and that count sleep.
    fn monotonic_millis(&self) -> u64;
    /// Changes with every boot, and only then.
    fn boot_id(&self) -> String;
}

/// A [`Clock`] as the time source of the pure crates: its wall time.
#[derive(Clone)]
pub struct WallTime(pub std::sync::Arc<dyn Clock>);

impl TimeSource for WallTime {
    fn now(&self) -> Timestamp {
        self.0.wall()
    }
}

impl fmt::Debug for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WallTime")
    }
}

/// How far long work is. Steps count files, documents, requests; bytes are 0 of 0 when they mean nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// What is going on, as a key of the catalogue or the name of a file (`DG2`); never personal data.
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

/// Something changed that a screen may want to draw again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// What: `wallet`, `activation`, `documents`, `trust`, ...
    pub subject: String,
    /// Its new state, a fixed word.
    pub state: String,
}

/// How important a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is odd.
    Warn,
    /// What a person following the app wants to see.
    Info,
    /// For developers.
    Debug,
}

/// The shell's ear. Called through a queue on a thread of its own ([`crate::listener`]); calling the core back from inside is an
/// error that the core names.
pub trait Listener: Send + Sync {
    /// Long work moved on.
    fn progress(&self, progress: Progress);
    /// A state changed.
    fn state(&self, change: StateChange);
    /// A log line: static or safe text only.
    fn log(&self, level: LogLevel, target: &str, message: &str);
}

/// What a device gives a wallet or a verifier. Each is wrapped in a deadline.
#[derive(Clone)]
pub struct Ports {
    /// Private keys. A verifier's account key signs its requests.
    pub keys: Arc<dyn KeyStore>,
    /// Sealing of the database key's share; a verifier uses the class background only.
    pub sealer: Arc<dyn DeviceSealer>,
    /// Times.
    pub clock: Arc<dyn Clock>,
    /// Progress and state changes, if anybody listens.
    pub listener: Option<Arc<dyn Listener>>,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ports(..)")
    }
}
