//! Locking, or giving up, while the wallet is being opened: whoever did so finds it locked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use wallet_base::secret::SecretBytes;
use wallet_core::{Ports, StoreState, Wallet};
use wallet_platform::cancel::CancelToken;
use wallet_platform::ports::{DeviceSealer, PortError, SealClass};
use wallet_platform::software::{SoftwareSealer, SystemClock};

use crate::world::{Device, PASSCODE, World};

type Hook = Box<dyn FnOnce() + Send>;

/// A sealer that does something else at the last call of an opening.
struct Hooked {
    inner: SoftwareSealer,
    calls: AtomicUsize,
    at_mac: Mutex<Option<Hook>>,
}

impl Hooked {
    fn at_mac(&self, hook: impl FnOnce() + Send + 'static) {
        *self.at_mac.lock().unwrap() = Some(Box::new(hook));
    }
}

impl DeviceSealer for Hooked {
    fn seal(&self, class: SealClass, plaintext: &[u8]) -> Result<Vec<u8>, PortError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.inner.seal(class, plaintext)
    }
    fn unseal(&self, class: SealClass, sealed: &[u8]) -> Result<SecretBytes, PortError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.inner.unseal(class, sealed)
    }
    fn mac(&self, input: &[u8]) -> Result<[u8; 32], PortError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mac = self.inner.mac(input);
        if let Some(hook) = self.at_mac.lock().unwrap().take() {
            hook();
        }
        mac
    }
}

fn wallet() -> (Arc<Wallet>, Arc<Hooked>, Device, World) {
    let world = World::new(SystemClock);
    let device = Device::new(&world);
    let inner = SoftwareSealer::open(&device.dir.path().join("seal")).unwrap();
    let sealer = Arc::new(Hooked { inner, calls: AtomicUsize::new(0), at_mac: Mutex::default() });
    let ports = Ports { sealer: Arc::clone(&sealer) as Arc<dyn DeviceSealer>, ..device.ports() };
    let wallet = Arc::new(Wallet::open(world.wallet_config(&device.wallet_dir()), ports).unwrap());
    (wallet, sealer, device, world)
}

#[test]
fn bad_input_the_screen_goes_off_while_the_wallet_is_unlocked() {
    let (wallet, sealer, _device, _world) = wallet();
    wallet.create(PASSCODE).unwrap();
    wallet.lock();
    let other = Arc::clone(&wallet);
    sealer.at_mac(move || other.lock());
    wallet.unlock(PASSCODE).unwrap_err();
    assert_eq!(wallet.state(), StoreState::Locked);
    wallet.documents().unwrap_err();
    wallet.unlock(PASSCODE).unwrap();
    assert_eq!(wallet.state(), StoreState::Unlocked);
}

#[test]
fn bad_input_nobody_waits_for_an_unlock_any_more() {
    let (wallet, sealer, _device, _world) = wallet();
    wallet.create(PASSCODE).unwrap();
    wallet.lock();
    let (token, cancel) = (CancelToken::new(), CancelToken::new());
    let cancelled = cancel.clone();
    sealer.at_mac(move || cancelled.cancel());
    token.cover(|| cancel.cover(|| wallet.unlock(PASSCODE))).unwrap_err();
    assert_eq!(wallet.state(), StoreState::Locked);
    // No prompt for work that was given up before it came to it, and no try is counted.
    let before = sealer.calls.load(Ordering::SeqCst);
    cancel.cover(|| wallet.unlock("wrong one")).unwrap_err();
    assert_eq!(sealer.calls.load(Ordering::SeqCst), before);
    wallet.unlock(PASSCODE).unwrap();
}

#[test]
fn bad_input_a_wallet_is_locked_while_it_is_made() {
    let (wallet, sealer, _device, _world) = wallet();
    let other = Arc::clone(&wallet);
    sealer.at_mac(move || other.lock());
    wallet.create(PASSCODE).unwrap_err();
    assert_eq!(wallet.state(), StoreState::Locked, "the passcode holds from now on");
    wallet.create(PASSCODE).unwrap_err();
    wallet.unlock(PASSCODE).unwrap();
    assert!(wallet.documents().unwrap().is_empty());
}
