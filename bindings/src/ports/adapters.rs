//! Ports that an app implements, as the traits the core knows. No decisions here: only types change.

use std::sync::Arc;
use std::time::Duration;

use wallet_base::crypto::{Curve, PublicKey};
use wallet_base::random::{OsRandom, array};
use wallet_base::secret::SecretBytes;
use wallet_base::time::Timestamp;
use wallet_platform::ports as core;
use zeroize::Zeroizing;

use super::{
    CardChannelPort, ChannelCapacity, ChannelFault, ClockPort, DeviceSealerPort, KeyPurpose, KeyStorePort, ListenerPort, PortFault,
    ProgressView, SealPurpose,
};

/// Longest response APDU with its status word (ISO/IEC 7816-4, extended length).
const MAX_RESPONSE: usize = 65_538;

/// What an app gives a wallet or a verifier, as the core's.
pub fn of_app(
    keys: Arc<dyn KeyStorePort>,
    sealer: Arc<dyn DeviceSealerPort>,
    clock: Arc<dyn ClockPort>,
    listener: Option<Arc<dyn ListenerPort>>,
) -> core::Ports {
    core::Ports { keys: key_store(keys), sealer: device_sealer(sealer), clock: self::clock(clock), listener: listener.map(self::listener) }
}

/// An app's key store as the core's.
pub fn key_store(port: Arc<dyn KeyStorePort>) -> Arc<dyn core::KeyStore> {
    Arc::new(KeyStore(port))
}

/// An app's sealer as the core's.
pub fn device_sealer(port: Arc<dyn DeviceSealerPort>) -> Arc<dyn core::DeviceSealer> {
    Arc::new(DeviceSealer(port))
}

/// An app's card channel as the core's.
pub fn card_channel(port: Arc<dyn CardChannelPort>) -> Arc<dyn core::CardChannel> {
    Arc::new(CardChannel(port))
}

/// An app's clocks as the core's.
pub fn clock(port: Arc<dyn ClockPort>) -> Arc<dyn core::Clock> {
    Arc::new(Clock(port))
}

struct KeyStore(Arc<dyn KeyStorePort>);

impl core::KeyStore for KeyStore {
    fn create_keys(&self, class: core::KeyClass, n: u32, challenge: &[u8]) -> Result<core::CreatedKeys, core::PortError> {
        let made = self.0.create_keys(class.into(), n, challenge.to_vec())?;
        let keys = made.keys.into_iter().map(|key| Ok((core::KeyId(key.id), point(&key.public_key)?)));
        Ok(core::CreatedKeys { keys: keys.collect::<Result<_, core::PortError>>()?, evidence: made.evidence })
    }

    fn authorise(
        &self,
        reason: &str,
        keys: &[core::KeyId],
        max_uses: u32,
        ttl: Duration,
    ) -> Result<core::AuthorisationId, core::PortError> {
        let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        Ok(core::AuthorisationId(self.0.authorise(reason.to_owned(), names(keys), max_uses, millis)?))
    }

    fn sign(&self, authorisation: Option<&core::AuthorisationId>, key: &core::KeyId, message: &[u8]) -> Result<[u8; 64], core::PortError> {
        let signature = self.0.sign(authorisation.map(|a| a.0.clone()), key.0.clone(), message.to_vec())?;
        signature.try_into().map_err(|_| core::PortError::Unavailable)
    }

    fn agree(
        &self,
        authorisation: Option<&core::AuthorisationId>,
        key: &core::KeyId,
        peer: &PublicKey,
    ) -> Result<Zeroizing<[u8; 32]>, core::PortError> {
        let shared = Zeroizing::new(self.0.agree(authorisation.map(|a| a.0.clone()), key.0.clone(), peer.to_sec1())?);
        let shared: [u8; 32] = shared.as_slice().try_into().map_err(|_| core::PortError::Unavailable)?;
        Ok(Zeroizing::new(shared))
    }

    fn end(&self, authorisation: &core::AuthorisationId) -> Result<(), core::PortError> {
        Ok(self.0.end(authorisation.0.clone())?)
    }

    fn delete(&self, keys: &[core::KeyId]) -> Result<(), core::PortError> {
        Ok(self.0.delete(names(keys))?)
    }

    fn list(&self) -> Result<Vec<core::KeyId>, core::PortError> {
        Ok(self.0.list()?.into_iter().map(core::KeyId).collect())
    }
}

fn names(keys: &[core::KeyId]) -> Vec<String> {
    keys.iter().map(|key| key.0.clone()).collect()
}

fn point(sec1: &[u8]) -> Result<PublicKey, core::PortError> {
    PublicKey::from_sec1(Curve::P256, sec1).map_err(|_| core::PortError::Unavailable)
}

struct DeviceSealer(Arc<dyn DeviceSealerPort>);

impl core::DeviceSealer for DeviceSealer {
    fn seal(&self, class: core::SealClass, plaintext: &[u8]) -> Result<Vec<u8>, core::PortError> {
        Ok(self.0.seal(class.into(), plaintext.to_vec())?)
    }

    fn unseal(&self, class: core::SealClass, sealed: &[u8]) -> Result<SecretBytes, core::PortError> {
        Ok(SecretBytes::new(self.0.unseal(class.into(), sealed.to_vec())?))
    }

    fn mac(&self, input: &[u8]) -> Result<[u8; 32], core::PortError> {
        self.0.mac(input.to_vec())?.try_into().map_err(|_| core::PortError::Unavailable)
    }
}

struct CardChannel(Arc<dyn CardChannelPort>);

impl core::CardChannel for CardChannel {
    fn transceive(&self, apdu: &[u8]) -> Result<Vec<u8>, core::ChannelError> {
        let response = self.0.transceive(apdu.to_vec())?;
        if response.len() > MAX_RESPONSE { Err(core::ChannelError::Other) } else { Ok(response) }
    }

    fn limits(&self) -> core::ChannelLimits {
        // A channel that cannot say what it carries carries short APDUs (ISO/IEC 7816-4).
        let short = ChannelCapacity { max_command: 261, extended: false };
        let capacity = self.0.capacity().unwrap_or(short);
        core::ChannelLimits { max_command: usize::try_from(capacity.max_command).unwrap_or(261), extended: capacity.extended }
    }

    fn cancel(&self) {
        let _ = self.0.cancel();
    }

    fn reconnect(&self) -> Result<(), core::ChannelError> {
        Ok(self.0.reconnect()?)
    }
}

struct Clock(Arc<dyn ClockPort>);

impl core::Clock for Clock {
    /// A clock that fails shows the year 1970: below every signed time, so the fact `clock` fails rather than passes.
    fn wall(&self) -> Timestamp {
        Timestamp::from_unix(self.0.wall_seconds().unwrap_or(0))
    }

    fn monotonic_millis(&self) -> u64 {
        self.0.monotonic_millis().unwrap_or(0)
    }

    /// Without a boot id no elapsed time is believed: a name that was never given before and will not be again.
    fn boot_id(&self) -> String {
        self.0.boot_id().unwrap_or_else(|_| format!("unknown-{:02x?}", array::<16>(&OsRandom)))
    }
}

/// An app's listener as the core's. The core calls it from a queue; its faults are its own.
pub fn listener(port: Arc<dyn ListenerPort>) -> Arc<dyn core::Listener> {
    Arc::new(Listener(port))
}

struct Listener(Arc<dyn ListenerPort>);

impl core::Listener for Listener {
    fn progress(&self, progress: core::Progress) {
        let core::Progress { step, done, total, bytes_done, bytes_total } = progress;
        let _ = self.0.progress(ProgressView { step, done, total, bytes_done, bytes_total });
    }

    fn state(&self, change: core::StateChange) {
        let _ = self.0.state_changed(change.subject, change.state);
    }

    fn log(&self, level: core::LogLevel, target: &str, message: &str) {
        let level = match level {
            core::LogLevel::Error => "error",
            core::LogLevel::Warn => "warn",
            core::LogLevel::Info => "info",
            core::LogLevel::Debug => "debug",
        };
        let _ = self.0.log(level.to_owned(), target.to_owned(), message.to_owned());
    }
}

impl From<core::KeyClass> for KeyPurpose {
    fn from(class: core::KeyClass) -> Self {
        match class {
            core::KeyClass::Account => Self::Account,
            core::KeyClass::Holder => Self::Holder,
            core::KeyClass::Transaction => Self::Transaction,
        }
    }
}

impl From<core::SealClass> for SealPurpose {
    fn from(class: core::SealClass) -> Self {
        match class {
            core::SealClass::User => Self::User,
            core::SealClass::Background => Self::Background,
        }
    }
}

impl From<PortFault> for core::PortError {
    fn from(fault: PortFault) -> Self {
        match fault {
            PortFault::Cancelled => Self::Cancelled,
            PortFault::TimedOut => Self::TimedOut,
            PortFault::KeyInvalidated => Self::KeyInvalidated,
            PortFault::NotAuthorised => Self::NotAuthorised,
            PortFault::Unsupported => Self::Unsupported,
            PortFault::NoSpace => Self::NoSpace,
            PortFault::NoSecureLock => Self::NoSecureLock,
            PortFault::Unavailable => Self::Unavailable,
        }
    }
}

impl From<ChannelFault> for core::ChannelError {
    fn from(fault: ChannelFault) -> Self {
        match fault {
            ChannelFault::CardLost => Self::CardLost,
            ChannelFault::Cancelled => Self::Cancelled,
            ChannelFault::TimedOut => Self::TimedOut,
            ChannelFault::Other => Self::Other,
        }
    }
}

impl From<ProgressView> for core::Progress {
    fn from(progress: ProgressView) -> Self {
        let ProgressView { step, done, total, bytes_done, bytes_total } = progress;
        Self { step, done, total, bytes_done, bytes_total }
    }
}
