//! The header that wraps the database keys.
//!
//! A small JSON file, replaced as one step, with versioned slots. Each slot wraps one database key with AES-256-GCM under a key derived by
//! HKDF-SHA-256 from a share that only this device unseals:
//!
//! - `passcode` (the key of `wallet.db`): share sealed for class user, joined with the device's MAC over Argon2id(passcode). Neither the
//!   passcode nor the device alone opens it.
//! - `background` (the key of `cache.db`): share sealed for class background.
//!
//! Wrong passcodes are counted in the file before each try is judged, so that a kill gives no free try. After
//! [`FREE_TRIES`] in a row each further try waits (1, 5, 15, 60 minutes, then 6 hours); the wait is measured in monotonic time and starts
//! again after a reboot, so that setting the wall clock does not shorten it. Somebody with full control of the device can put an older
//! file back; what then limits guessing is the speed of its hardware.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use wallet_base::crypto::{aes_gcm_open, aes_gcm_seal, hkdf_sha256};
use wallet_base::random::{Random, array};
use wallet_base::time::Timestamp;
use zeroize::Zeroizing;

use crate::files;
use crate::ports::{Clock, DeviceSealer, PortError, SealClass};
use crate::store::DatabaseKey;

/// Wrong passcodes in a row before the first wait.
pub const FREE_TRIES: u32 = 5;

/// Seconds to wait after the fifth, sixth, ... wrong passcode; the last goes on.
const WAITS: [u64; 5] = [60, 300, 900, 3_600, 21_600];

/// The header version written here.
const HEADER_VERSION: u32 = 1;

/// Longest header.
const MAX_HEADER: u64 = 64 * 1024;

/// Longest passcode in bytes.
const MAX_PASSCODE: usize = 256;

/// Why a key was not unwrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySlotError {
    /// The passcode is wrong.
    #[error("wrong passcode, {tries_left} tries left before a wait")]
    WrongPasscode {
        /// Tries left before a wait; 0 when the next has to wait.
        tries_left: u32,
    },
    /// Too many wrong passcodes; try again then (by the device's clock as it stands).
    #[error("locked until {0}")]
    LockedUntil(Timestamp),
    /// There is no header yet.
    #[error("there is no key header")]
    Missing,
    /// There is a header already.
    #[error("there is a key header already")]
    Exists,
    /// The header is damaged or was changed.
    #[error("the key header is damaged")]
    Damaged,
    /// The header was written by a newer version.
    #[error("the key header was written by a newer version")]
    Newer,
    /// The header has no such slot.
    #[error("the key header has no such slot")]
    NoSlot,
    /// The passcode is empty or too long.
    #[error("the passcode is not usable")]
    Passcode,
    /// The device's sealer failed.
    #[error("the device refused: {0}")]
    Port(#[from] PortError),
    /// The disk is full; nothing was changed.
    #[error("the disk is full")]
    Full,
    /// The file system failed.
    #[error("the file system failed")]
    Io,
    /// Key derivation failed (out of memory).
    #[error("key derivation failed")]
    Derivation,
}

impl KeySlotError {
    /// The word by which a shell names what is wrong with the header, as [`StoreError::reason`](crate::store::StoreError::reason); `None` when it is
    /// no fault of the file.
    pub const fn reason(self) -> Option<&'static str> {
        Some(match self {
            Self::Missing => "missing",
            Self::Exists => "exists",
            Self::Damaged | Self::NoSlot => "key-slots",
            Self::Newer => "newer",
            Self::Full => "full",
            Self::Io => "disk",
            Self::WrongPasscode { .. } | Self::LockedUntil(_) | Self::Passcode | Self::Port(_) | Self::Derivation => return None,
        })
    }
}

impl From<io::Error> for KeySlotError {
    fn from(error: io::Error) -> Self {
        if files::is_full(&error) { Self::Full } else { Self::Io }
    }
}

/// Cost of Argon2id (RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KdfCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for KdfCost {
    /// RFC 9106's second recommendation in memory and passes (64 MiB, 3), one lane: old phones.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 }
    }
}

impl KdfCost {
    /// The least that is accepted (OWASP's minimum, 19 MiB and 2 passes): quick enough for tests and demonstrations.
    pub const MINIMUM: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };

    /// A header with less was tampered with; one with absurdly more would be a denial of service.
    const fn is_sound(self) -> bool {
        self.memory_kib >= Self::MINIMUM.memory_kib
            && self.memory_kib <= 1024 * 1024
            && self.passes >= Self::MINIMUM.passes
            && self.passes <= 64
            && self.lanes >= 1
            && self.lanes <= 16
    }
}

/// The keys of both stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreKeys {
    /// Of `wallet.db`: personal, opened by the user.
    pub wallet: DatabaseKey,
    /// Of `cache.db`: signed public lists and the sealed outbox, usable while locked.
    pub cache: DatabaseKey,
}

/// How the counter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// Wrong passcodes in a row.
    pub failed: u32,
    /// Tries left before a wait.
    pub left: u32,
    /// Set while waiting.
    pub locked_until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SlotKind {
    Passcode,
    Background,
}

impl SlotKind {
    const fn class(self) -> SealClass {
        match self {
            Self::Passcode => SealClass::User,
            Self::Background => SealClass::Background,
        }
    }
}

/// One wrapped key. Binary values are base64url.
#[derive(Clone, Serialize, Deserialize)]
struct Slot {
    kind: SlotKind,
    version: u32,
    salt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kdf: Option<KdfCost>,
    sealed_share: String,
    nonce: String,
    wrapped: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Wait {
    seconds: u64,
    boot_id: String,
    since_millis: u64,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Counter {
    failed: u32,
    wait: Option<Wait>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Header {
    version: u32,
    id: String,
    slots: Vec<Slot>,
    tries: Counter,
    /// Whether the databases were made: from then on one that is not there is gone, not yet to come.
    #[serde(default)]
    made: bool,
}

/// Only to tell a newer header from a damaged one.
#[derive(Deserialize)]
struct Peek {
    version: u32,
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Result<Vec<u8>, KeySlotError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| KeySlotError::Damaged)
}

impl Slot {
    /// Everything readable of the slot, bound to the wrapping.
    fn aad(&self, header_id: &str) -> Vec<u8> {
        let kdf = self.kdf.map_or_else(String::new, |k| format!("{}/{}/{}", k.memory_kib, k.passes, k.lanes));
        let kind = self.kind.class().as_str();
        format!("wallet-keyslot-v1|{header_id}|{kind}|{}|{}|{kdf}", self.version, self.salt).into_bytes()
    }

    /// The key-encryption key: HKDF(share || device MAC over Argon2id(passcode)).
    fn kek(&self, header_id: &str, share: &[u8], mac: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeySlotError> {
        let ikm = Zeroizing::new([share, mac].concat());
        let mut kek = Zeroizing::new([0; 32]);
        hkdf_sha256(&ikm, &decode(&self.salt)?, &self.aad(header_id), kek.as_mut_slice()).map_err(|_| KeySlotError::Derivation)?;
        Ok(kek)
    }

    fn make(
        kind: SlotKind,
        header_id: &str,
        key: &DatabaseKey,
        passcode: Option<(&[u8], KdfCost)>,
        sealer: &dyn DeviceSealer,
        random: &dyn Random,
    ) -> Result<Self, KeySlotError> {
        let share = Zeroizing::new(array::<32>(random));
        let nonce = array::<12>(random);
        let mut slot = Self {
            kind,
            version: 1,
            salt: encode(&array::<16>(random)),
            kdf: passcode.map(|(_, cost)| cost),
            sealed_share: encode(&sealer.seal(kind.class(), share.as_slice())?),
            nonce: encode(&nonce),
            wrapped: String::new(),
        };
        let mac = slot.device_mac(passcode.map(|(p, _)| p), sealer)?;
        let kek = slot.kek(header_id, share.as_slice(), &mac)?;
        let wrapped =
            aes_gcm_seal(kek.as_slice(), &nonce, &slot.aad(header_id), key.expose().as_slice()).map_err(|_| KeySlotError::Derivation)?;
        slot.wrapped = encode(&wrapped);
        Ok(slot)
    }

    /// The device's MAC over the stretched passcode; nothing for a slot without one.
    fn device_mac(&self, passcode: Option<&[u8]>, sealer: &dyn DeviceSealer) -> Result<Zeroizing<Vec<u8>>, KeySlotError> {
        let (Some(passcode), Some(cost)) = (passcode, self.kdf) else {
            return Ok(Zeroizing::new(Vec::new()));
        };
        if !cost.is_sound() {
            return Err(KeySlotError::Damaged);
        }
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|_| KeySlotError::Damaged)?;
        let mut stretched = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passcode, &decode(&self.salt)?, stretched.as_mut_slice())
            .map_err(|_| KeySlotError::Derivation)?;
        let mac = Zeroizing::new(sealer.mac(stretched.as_slice())?);
        Ok(Zeroizing::new(mac.to_vec()))
    }

    /// Everything up to, but not including, the judgement whether the passcode is right.
    fn prepare(&self, header_id: &str, passcode: Option<&[u8]>, sealer: &dyn DeviceSealer) -> Result<Zeroizing<[u8; 32]>, KeySlotError> {
        let share = sealer.unseal(self.kind.class(), &decode(&self.sealed_share)?)?;
        let mac = self.device_mac(passcode, sealer)?;
        self.kek(header_id, share.expose(), &mac)
    }

    /// `None`: the passcode is wrong, or the slot was changed.
    fn unwrap(&self, header_id: &str, kek: &[u8; 32]) -> Result<Option<DatabaseKey>, KeySlotError> {
        let nonce: [u8; 12] = decode(&self.nonce)?.try_into().map_err(|_| KeySlotError::Damaged)?;
        let wrapped = decode(&self.wrapped)?;
        let Ok(key) = aes_gcm_open(kek, &nonce, &self.aad(header_id), &wrapped) else {
            return Ok(None);
        };
        DatabaseKey::from_slice(&key).map(Some).ok_or(KeySlotError::Damaged)
    }
}

impl Counter {
    /// The seconds still to wait. A wait begun on another boot starts again (true: write it down).
    fn remaining(&mut self, clock: &dyn Clock) -> (u64, bool) {
        let Some(wait) = &mut self.wait else {
            return (0, false);
        };
        let now = clock.monotonic_millis();
        let boot = clock.boot_id();
        if wait.boot_id != boot || now < wait.since_millis {
            wait.boot_id = boot;
            wait.since_millis = now;
            return (wait.seconds, true);
        }
        let passed = (now - wait.since_millis) / 1000;
        (wait.seconds.saturating_sub(passed), false)
    }

    fn left(&self) -> u32 {
        FREE_TRIES.saturating_sub(self.failed)
    }

    /// Counts one wrong passcode.
    fn fail(&mut self, clock: &dyn Clock) {
        self.failed = self.failed.saturating_add(1);
        self.wait = self.failed.checked_sub(FREE_TRIES).map(|over| {
            let index = usize::try_from(over).unwrap_or(usize::MAX).min(WAITS.len() - 1);
            Wait { seconds: WAITS.get(index).copied().unwrap_or(21_600), boot_id: clock.boot_id(), since_millis: clock.monotonic_millis() }
        });
    }
}

/// The header file. Cheap to make; every call reads the file, and no lock is held while the sealer works. One instance a file.
pub struct KeySlots {
    path: PathBuf,
    writing: Mutex<()>,
}

impl fmt::Debug for KeySlots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySlots")
    }
}

impl KeySlots {
    /// The header at a path; touches nothing yet.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), writing: Mutex::new(()) }
    }

    /// Whether there is a header.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Makes a header with a passcode slot and a background slot around two new keys. Written when this returns.
    pub fn create(
        &self,
        passcode: &[u8],
        cost: KdfCost,
        sealer: &dyn DeviceSealer,
        random: &dyn Random,
    ) -> Result<StoreKeys, KeySlotError> {
        check_passcode(passcode)?;
        if !cost.is_sound() {
            return Err(KeySlotError::Derivation);
        }
        let keys = StoreKeys { wallet: DatabaseKey::generate(random), cache: DatabaseKey::generate(random) };
        let id = encode(&array::<16>(random));
        let slots = vec![
            Slot::make(SlotKind::Passcode, &id, &keys.wallet, Some((passcode, cost)), sealer, random)?,
            Slot::make(SlotKind::Background, &id, &keys.cache, None, sealer, random)?,
        ];
        self.write_first(id, slots)?;
        Ok(keys)
    }

    /// Makes a header with a background slot only: a device that holds nothing personal (an officer's).
    pub fn create_background(&self, sealer: &dyn DeviceSealer, random: &dyn Random) -> Result<DatabaseKey, KeySlotError> {
        let key = DatabaseKey::generate(random);
        let id = encode(&array::<16>(random));
        let slot = Slot::make(SlotKind::Background, &id, &key, None, sealer, random)?;
        self.write_first(id, vec![slot])?;
        Ok(key)
    }

    fn write_first(&self, id: String, slots: Vec<Slot>) -> Result<(), KeySlotError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.exists() {
            return Err(KeySlotError::Exists);
        }
        if let Some(parent) = self.path.parent() {
            files::private_dir(parent)?;
        }
        self.save(&Header { version: HEADER_VERSION, id, slots, tries: Counter::default(), made: false })
    }

    /// The key of `wallet.db`.
    ///
    /// [`KeySlotError::WrongPasscode`], [`KeySlotError::LockedUntil`]; [`KeySlotError::Port`] when the device refused, which costs no try.
    pub fn unlock(&self, passcode: &[u8], sealer: &dyn DeviceSealer, clock: &dyn Clock) -> Result<DatabaseKey, KeySlotError> {
        check_passcode(passcode)?;
        let header = self.load()?;
        let slot = header.slot(SlotKind::Passcode)?;
        self.check_wait(clock)?;
        let kek = slot.prepare(&header.id, Some(passcode), sealer)?;
        // The try is on the disk before its outcome is known to anybody.
        let tries_left = self.count_try(clock)?;
        match slot.unwrap(&header.id, &kek)? {
            Some(key) => {
                let reset = self.change(|header| {
                    header.tries = Counter::default();
                    Ok(())
                });
                if let Err(error) = reset {
                    // The passcode is right; that the counter cannot be set back (a full disk) is no reason to keep its owner out.
                    tracing::warn!(%error, "the counter of wrong passcodes was not set back");
                }
                Ok(key)
            }
            None => Err(KeySlotError::WrongPasscode { tries_left }),
        }
    }

    /// The key of `cache.db`.
    pub fn unlock_background(&self, sealer: &dyn DeviceSealer) -> Result<DatabaseKey, KeySlotError> {
        let header = self.load()?;
        let slot = header.slot(SlotKind::Background)?;
        let kek = slot.prepare(&header.id, None, sealer)?;
        slot.unwrap(&header.id, &kek)?.ok_or(KeySlotError::Damaged)
    }

    /// Wraps the key of `wallet.db` under a new passcode, as one step: after a kill the old one or the new one opens it, never neither.
    pub fn change_passcode(
        &self,
        old: &[u8],
        new: &[u8],
        sealer: &dyn DeviceSealer,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<(), KeySlotError> {
        check_passcode(new)?;
        let key = self.unlock(old, sealer, clock)?;
        let header = self.load()?;
        let before = header.slot(SlotKind::Passcode)?;
        let cost = before.kdf.ok_or(KeySlotError::Damaged)?;
        let slot = Slot::make(SlotKind::Passcode, &header.id, &key, Some((new, cost)), sealer, random)?;
        self.change(|header| {
            let place = header
                .slots
                .iter_mut()
                // The slot that was opened, and no other that may have come meanwhile.
                .find(|s| s.kind == SlotKind::Passcode && s.wrapped == before.wrapped)
                .ok_or(KeySlotError::NoSlot)?;
            *place = slot;
            Ok(())
        })
    }

    /// Whether [`Self::set_made`] was called: the databases were there once.
    pub fn is_made(&self) -> Result<bool, KeySlotError> {
        Ok(self.load()?.made)
    }

    /// Writes down that the databases are there. They may be deleted, this says that they were.
    pub fn set_made(&self) -> Result<(), KeySlotError> {
        self.change(|header| {
            header.made = true;
            Ok(())
        })
    }

    /// How the counter of wrong passcodes stands.
    pub fn tries(&self, clock: &dyn Clock) -> Result<Tries, KeySlotError> {
        let mut header = self.load()?;
        let (remaining, _) = header.tries.remaining(clock);
        Ok(Tries { failed: header.tries.failed, left: header.tries.left(), locked_until: (remaining > 0).then(|| later(clock, remaining)) })
    }

    fn check_wait(&self, clock: &dyn Clock) -> Result<(), KeySlotError> {
        let mut header = self.load()?;
        let (remaining, restarted) = header.tries.remaining(clock);
        if restarted {
            self.change(|h| {
                h.tries.wait.clone_from(&header.tries.wait);
                Ok(())
            })?;
        }
        if remaining > 0 {
            return Err(KeySlotError::LockedUntil(later(clock, remaining)));
        }
        Ok(())
    }

    /// Counts a try as wrong; a right one sets the counter back. Gives the tries left after it.
    fn count_try(&self, clock: &dyn Clock) -> Result<u32, KeySlotError> {
        let (millis, boot, wall) = (clock.monotonic_millis(), clock.boot_id(), clock.wall());
        // The port is read before the lock is taken.
        let read = Reading { millis, boot, wall };
        self.change(|header| {
            let (remaining, _) = header.tries.remaining(&read);
            if remaining > 0 {
                return Err(KeySlotError::LockedUntil(later(&read, remaining)));
            }
            header.tries.fail(&read);
            Ok(header.tries.left())
        })
    }

    fn load(&self) -> Result<Header, KeySlotError> {
        let bytes = files::read_capped(&self.path, MAX_HEADER).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => KeySlotError::Missing,
            io::ErrorKind::InvalidData => KeySlotError::Damaged,
            _ => KeySlotError::Io,
        })?;
        let peek: Peek = serde_json::from_slice(&bytes).map_err(|_| KeySlotError::Damaged)?;
        if peek.version > HEADER_VERSION {
            return Err(KeySlotError::Newer);
        }
        serde_json::from_slice(&bytes).map_err(|_| KeySlotError::Damaged)
    }

    fn save(&self, header: &Header) -> Result<(), KeySlotError> {
        let bytes = serde_json::to_vec_pretty(header).map_err(|_| KeySlotError::Io)?;
        Ok(files::replace(&self.path, &bytes)?)
    }

    /// Reads, changes and writes the header; nothing is written when the change fails.
    fn change<T>(&self, change: impl FnOnce(&mut Header) -> Result<T, KeySlotError>) -> Result<T, KeySlotError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut header = self.load()?;
        let value = change(&mut header)?;
        self.save(&header)?;
        Ok(value)
    }
}

impl Header {
    fn slot(&self, kind: SlotKind) -> Result<Slot, KeySlotError> {
        let slot = self.slots.iter().find(|s| s.kind == kind).ok_or(KeySlotError::NoSlot)?;
        if slot.version > 1 {
            return Err(KeySlotError::Newer);
        }
        Ok(slot.clone())
    }
}

/// One reading of a clock.
struct Reading {
    millis: u64,
    boot: String,
    wall: Timestamp,
}

impl Clock for Reading {
    fn wall(&self) -> Timestamp {
        self.wall
    }
    fn monotonic_millis(&self) -> u64 {
        self.millis
    }
    fn boot_id(&self) -> String {
        self.boot.clone()
    }
}

fn later(clock: &dyn Clock, seconds: u64) -> Timestamp {
    clock.wall().plus_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

fn check_passcode(passcode: &[u8]) -> Result<(), KeySlotError> {
    if passcode.is_empty() || passcode.len() > MAX_PASSCODE {
        return Err(KeySlotError::Passcode);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
