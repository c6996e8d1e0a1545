//! Ports that misbehave: what an app's code does wrong stays the app's.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use wallet_platform::listener::QueuedListener;
use wallet_platform::ports::{self as core, Listener as _};

use super::*;
use crate::entry::enter;
use crate::error::WalletError;

/// Gives answers of the wrong length to everything.
struct Sloppy;

impl KeyStorePort for Sloppy {
    fn create_keys(&self, _: KeyPurpose, _: u32, _: Vec<u8>) -> Result<NewKeys, PortFault> {
        Ok(NewKeys { keys: vec![NewKey { id: "k".into(), public_key: vec![4; 64] }], evidence: Vec::new() })
    }
    fn authorise(&self, _: String, _: Vec<String>, _: u32, _: u64) -> Result<String, PortFault> {
        Err(PortFault::Cancelled)
    }
    fn sign(&self, _: Option<String>, _: String, _: Vec<u8>) -> Result<Vec<u8>, PortFault> {
        Ok(vec![0; 70])
    }
    fn agree(&self, _: Option<String>, _: String, _: Vec<u8>) -> Result<Vec<u8>, PortFault> {
        Err(PortFault::Unsupported)
    }
    fn end(&self, _: String) -> Result<(), PortFault> {
        Ok(())
    }
    fn delete(&self, _: Vec<String>) -> Result<(), PortFault> {
        Err(PortFault::KeyInvalidated)
    }
    fn list(&self) -> Result<Vec<String>, PortFault> {
        Err(PortFault::Unavailable)
    }
}

impl DeviceSealerPort for Sloppy {
    fn seal(&self, _: SealPurpose, share: Vec<u8>) -> Result<Vec<u8>, PortFault> {
        Ok(share)
    }
    fn unseal(&self, _: SealPurpose, sealed: Vec<u8>) -> Result<Vec<u8>, PortFault> {
        Ok(sealed)
    }
    fn mac(&self, _: Vec<u8>) -> Result<Vec<u8>, PortFault> {
        Ok(vec![1; 31])
    }
}

impl ClockPort for Sloppy {
    fn wall_seconds(&self) -> Result<i64, PortFault> {
        Err(PortFault::Unavailable)
    }
    fn monotonic_millis(&self) -> Result<u64, PortFault> {
        Err(PortFault::Unavailable)
    }
    fn boot_id(&self) -> Result<String, PortFault> {
        Err(PortFault::Unavailable)
    }
}

impl CardChannelPort for Sloppy {
    fn transceive(&self, _: Vec<u8>) -> Result<Vec<u8>, ChannelFault> {
        Ok(vec![0; 70_000])
    }
    fn capacity(&self) -> Result<ChannelCapacity, ChannelFault> {
        Err(ChannelFault::Other)
    }
    fn cancel(&self) -> Result<(), ChannelFault> {
        Err(ChannelFault::Other)
    }
    fn reconnect(&self) -> Result<(), ChannelFault> {
        Err(ChannelFault::CardLost)
    }
}

#[test]
fn answers_of_the_wrong_length_are_faults() {
    let keys = key_store(Arc::new(Sloppy));
    let key = core::KeyId("k".into());
    assert_eq!(keys.create_keys(core::KeyClass::Account, 1, b"c"), Err(core::PortError::Unavailable));
    assert_eq!(keys.sign(None, &key, b"m"), Err(core::PortError::Unavailable));
    assert_eq!(keys.authorise("r", &[], 1, Duration::from_secs(1)), Err(core::PortError::Cancelled));
    assert_eq!(keys.delete(&[key]), Err(core::PortError::KeyInvalidated));
    assert_eq!(device_sealer(Arc::new(Sloppy)).mac(b"x"), Err(core::PortError::Unavailable));
    let card = card_channel(Arc::new(Sloppy));
    assert_eq!(card.transceive(b"apdu"), Err(core::ChannelError::Other));
    assert_eq!(card.limits(), core::ChannelLimits { max_command: 261, extended: false });
    assert_eq!(card.reconnect(), Err(core::ChannelError::CardLost));
}

#[test]
fn a_clock_that_fails_is_never_believed() {
    let clock = clock(Arc::new(Sloppy));
    assert_eq!(clock.wall().unix(), 0);
    // No elapsed time can be derived between two starts of which nothing is known.
    assert_ne!(clock.boot_id(), clock.boot_id());
}

/// Calls into an exported act from inside a delivery.
struct CallsBack(Mutex<Option<Result<(), WalletError>>>);

impl ListenerPort for CallsBack {
    fn progress(&self, _: ProgressView) -> Result<(), PortFault> {
        Err(PortFault::Unavailable)
    }
    fn state_changed(&self, _: String, _: String) -> Result<(), PortFault> {
        *self.0.lock().map_err(|_| PortFault::Unavailable)? = Some(enter(|| Ok(())));
        Ok(())
    }
    fn log(&self, _: String, _: String, _: String) -> Result<(), PortFault> {
        Ok(())
    }
}

#[test]
fn a_listener_that_calls_back_is_told() {
    let port = Arc::new(CallsBack(Mutex::new(None)));
    let queue = QueuedListener::new(Some(listener(Arc::clone(&port) as _)));
    queue.progress(core::Progress::default());
    queue.state(core::StateChange { subject: "wallet".into(), state: "unlocked".into() });
    assert!(queue.flush(Duration::from_secs(10)));
    let answer = port.0.lock().map(|answer| answer.clone());
    assert_eq!(answer.ok().flatten(), Some(Err(WalletError::Invalid { reason: "re-entry".into() })));
    assert_eq!(enter(|| Ok(())), Ok(()));
}

#[test]
fn a_foreign_exception_leaves_its_text_behind() {
    let error = uniffi::UnexpectedUniFFICallbackError::new("Nguyễn Văn An");
    assert_eq!(PortFault::from(error), PortFault::Unavailable);
    let error = uniffi::UnexpectedUniFFICallbackError::new("Nguyễn Văn An");
    assert!(!ChannelFault::from(error).to_string().contains("Nguyễn"));
}
