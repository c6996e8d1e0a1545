use wallet_base::random::OsRandom;
use wallet_base::secret::SecretBytes;

use super::*;
use crate::software::{ManualClock, SoftwareSealer};

struct Home {
    dir: tempfile::TempDir,
    sealer: SoftwareSealer,
    clock: ManualClock,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sealer = SoftwareSealer::open(&dir.path().join("device")).unwrap();
        Self { dir, sealer, clock: ManualClock::new(Timestamp::from_unix(1_800_000_000)) }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("keys.json")
    }

    /// A fresh instance each time: whatever is remembered is remembered by the file.
    fn slots(&self) -> KeySlots {
        KeySlots::at(&self.path())
    }

    fn made() -> (Self, StoreKeys) {
        let home = Self::new();
        let keys = home.slots().create(b"135790", KdfCost::MINIMUM, &home.sealer, &OsRandom).unwrap();
        (home, keys)
    }

    fn unlock(&self, passcode: &[u8]) -> Result<DatabaseKey, KeySlotError> {
        self.slots().unlock(passcode, &self.sealer, &self.clock)
    }
}

#[test]
fn both_slots_open_and_the_keys_are_apart() {
    let (home, keys) = Home::made();
    assert_ne!(keys.wallet, keys.cache);
    assert_eq!(home.unlock(b"135790").unwrap(), keys.wallet);
    assert_eq!(home.slots().unlock_background(&home.sealer).unwrap(), keys.cache);
    let again = home.slots().create(b"135790", KdfCost::MINIMUM, &home.sealer, &OsRandom);
    assert_eq!(again, Err(KeySlotError::Exists));
    let text = std::fs::read(home.path()).unwrap();
    for secret in [keys.wallet.expose(), keys.cache.expose()] {
        assert!(!text.windows(8).any(|w| secret.windows(8).any(|s| s == w)));
    }
}

#[test]
fn nothing_there_is_named() {
    let home = Home::new();
    assert_eq!(home.unlock(b"1"), Err(KeySlotError::Missing));
    assert_eq!(home.unlock(b""), Err(KeySlotError::Passcode));
    let key = home.slots().create_background(&home.sealer, &OsRandom).unwrap();
    assert_eq!(home.slots().unlock_background(&home.sealer).unwrap(), key);
    assert_eq!(home.unlock(b"1"), Err(KeySlotError::NoSlot));
}

#[test]
fn wrong_passcodes_are_counted_and_then_wait() {
    let (home, keys) = Home::made();
    for left in (0..FREE_TRIES).rev() {
        assert_eq!(home.unlock(b"000000"), Err(KeySlotError::WrongPasscode { tries_left: left }));
    }
    let until = home.clock.wall().plus_secs(60);
    assert_eq!(home.unlock(b"135790"), Err(KeySlotError::LockedUntil(until)), "even the right one waits");
    assert_eq!(home.slots().tries(&home.clock).unwrap(), Tries { failed: 5, left: 0, locked_until: Some(until) });
    home.clock.advance_secs(59);
    assert!(matches!(home.unlock(b"135790"), Err(KeySlotError::LockedUntil(_))));
    home.clock.advance_secs(1);
    // The sixth wrong one waits longer.
    assert_eq!(home.unlock(b"000000"), Err(KeySlotError::WrongPasscode { tries_left: 0 }));
    home.clock.advance_secs(299);
    assert!(matches!(home.unlock(b"135790"), Err(KeySlotError::LockedUntil(_))));
    home.clock.advance_secs(1);
    assert_eq!(home.unlock(b"135790").unwrap(), keys.wallet);
    // A right one sets the counter back.
    assert_eq!(home.slots().tries(&home.clock).unwrap(), Tries { failed: 0, left: 5, locked_until: None });
    assert_eq!(home.unlock(b"000000"), Err(KeySlotError::WrongPasscode { tries_left: 4 }));
}

#[test]
fn setting_the_clock_or_restarting_does_not_shorten_the_wait() {
    let (home, keys) = Home::made();
    for _ in 0..FREE_TRIES {
        home.unlock(b"000000").unwrap_err();
    }
    home.clock.set_wall(home.clock.wall().plus_secs(86_400));
    assert!(matches!(home.unlock(b"135790"), Err(KeySlotError::LockedUntil(_))));
    home.clock.advance_secs(50);
    home.clock.reboot();
    assert!(matches!(home.unlock(b"135790"), Err(KeySlotError::LockedUntil(_))));
    home.clock.advance_secs(50);
    // Fifty before and fifty after the restart are not sixty.
    assert!(matches!(home.unlock(b"135790"), Err(KeySlotError::LockedUntil(_))));
    home.clock.advance_secs(10);
    assert_eq!(home.unlock(b"135790").unwrap(), keys.wallet);
}

#[test]
fn a_try_is_counted_before_it_is_judged() {
    let (home, _) = Home::made();
    // A kill right after the count: what the file says then.
    home.slots().count_try(&home.clock).unwrap();
    assert_eq!(home.slots().tries(&home.clock).unwrap().failed, 1);
}

#[test]
fn a_changed_passcode_replaces_the_old_one() {
    let (home, keys) = Home::made();
    let slots = home.slots();
    let change = |old: &[u8], new: &[u8]| slots.change_passcode(old, new, &home.sealer, &home.clock, &OsRandom);
    assert_eq!(change(b"000000", b"246801"), Err(KeySlotError::WrongPasscode { tries_left: 4 }));
    assert_eq!(change(b"135790", b""), Err(KeySlotError::Passcode));
    change(b"135790", b"246801").unwrap();
    assert_eq!(home.unlock(b"246801").unwrap(), keys.wallet);
    assert_eq!(home.unlock(b"135790"), Err(KeySlotError::WrongPasscode { tries_left: 4 }));
    assert_eq!(home.slots().unlock_background(&home.sealer).unwrap(), keys.cache);
}

#[test]
fn the_passcode_alone_is_useless_on_another_device() {
    let (home, _) = Home::made();
    let other = SoftwareSealer::open(&home.dir.path().join("other")).unwrap();
    let opened = home.slots().unlock(b"135790", &other, &home.clock);
    assert_eq!(opened, Err(KeySlotError::Port(PortError::KeyInvalidated)));
    // The device refused before anything was judged: no try is spent.
    assert_eq!(home.slots().tries(&home.clock).unwrap().failed, 0);
    assert_eq!(home.slots().unlock_background(&other), Err(KeySlotError::Port(PortError::KeyInvalidated)));
}

/// The right share but another hardware MAC: a share that leaked.
struct ShareOnly<'a>(&'a SoftwareSealer);

impl DeviceSealer for ShareOnly<'_> {
    fn seal(&self, c: SealClass, p: &[u8]) -> Result<Vec<u8>, PortError> {
        self.0.seal(c, p)
    }
    fn unseal(&self, c: SealClass, s: &[u8]) -> Result<SecretBytes, PortError> {
        self.0.unseal(c, s)
    }
    fn mac(&self, _: &[u8]) -> Result<[u8; 32], PortError> {
        Ok([0; 32])
    }
}

#[test]
fn the_hardware_mac_is_needed_too() {
    let (home, _) = Home::made();
    let opened = home.slots().unlock(b"135790", &ShareOnly(&home.sealer), &home.clock);
    assert_eq!(opened, Err(KeySlotError::WrongPasscode { tries_left: 4 }));
}

#[test]
fn a_changed_header_does_not_open() {
    let (home, _) = Home::made();
    let good: serde_json::Value = serde_json::from_slice(&std::fs::read(home.path()).unwrap()).unwrap();
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut header = good.clone();
        change(&mut header);
        std::fs::write(home.path(), header.to_string()).unwrap();
        home.unlock(b"135790")
    };
    assert!(with(&|_| ()).is_ok());
    let wrong = Err(KeySlotError::WrongPasscode { tries_left: 4 });
    assert_eq!(with(&|h| h["slots"][0]["salt"] = "AAAAAAAAAAAAAAAAAAAAAA".into()), wrong);
    assert_eq!(with(&|h| h["slots"][0]["kdf"]["passes"] = 3.into()), wrong);
    assert_eq!(with(&|h| h["id"] = "AAAAAAAAAAAAAAAAAAAAAA".into()), wrong);
    assert_eq!(with(&|h| h["slots"][0]["wrapped"] = h["slots"][1]["wrapped"].clone()), wrong);
    // Weaker or absurd derivation is refused before it is run.
    assert_eq!(with(&|h| h["slots"][0]["kdf"]["memory_kib"] = 8.into()), Err(KeySlotError::Damaged));
    assert_eq!(with(&|h| h["slots"][0]["kdf"]["memory_kib"] = u32::MAX.into()), Err(KeySlotError::Damaged));
    assert_eq!(with(&|h| h["version"] = 2.into()), Err(KeySlotError::Newer));
    assert_eq!(with(&|h| h["slots"] = 1.into()), Err(KeySlotError::Damaged));
    std::fs::write(home.path(), b"{\"version\":1").unwrap();
    assert_eq!(home.unlock(b"135790"), Err(KeySlotError::Damaged));
}

#[test]
fn parallel_guesses_are_all_counted() {
    let (home, _) = Home::made();
    let slots = home.slots();
    let wrong: usize = std::thread::scope(|scope| {
        let guesses: Vec<_> = (0..8).map(|_| scope.spawn(|| slots.unlock(b"000000", &home.sealer, &home.clock))).collect();
        guesses.into_iter().map(|g| usize::from(matches!(g.join().unwrap(), Err(KeySlotError::WrongPasscode { .. })))).sum()
    });
    assert_eq!(wrong, 5, "three of eight met the wait");
    assert_eq!(home.slots().tries(&home.clock).unwrap().failed, 5);
}

#[test]
fn the_usual_cost_works() {
    let home = Home::new();
    let keys = home.slots().create(b"135790", KdfCost::default(), &home.sealer, &OsRandom).unwrap();
    assert_eq!(home.unlock(b"135790").unwrap(), keys.wallet);
}
