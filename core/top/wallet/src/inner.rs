//! What the facade's methods share: the store as a state, the ports behind deadlines, the service.
//!
//! No lock is held while a port or the network is called: every access to a database is one short closure, and the state is looked at
//! again each time, so that locking or closing the wallet ends a long act at its next step.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction};
use wallet_base::fact::By;
use wallet_base::random::OsRandom;
use wallet_base::time::Timestamp;
use wallet_platform::alone::{Alone, Turn};
use wallet_platform::cancel;
use wallet_platform::deadline::Guarded;
use wallet_platform::dirlock::DirectoryLock;
use wallet_platform::http::{Http, HttpConfig};
use wallet_platform::keyslot::{KdfCost, KeySlotError, KeySlots};
use wallet_platform::listener::QueuedListener;
use wallet_platform::ports::{Clock, DeviceSealer, KeyStore, Listener, Ports, Progress, StateChange, WallTime};
use wallet_platform::store::{Database, StoreError};
use wallet_platform::tuf::{TrustConfig, TrustUpdater};

use crate::activation::Interrupted;
use crate::clock;
use crate::config::WalletConfig;
use crate::consent;
use crate::dpop::AccountKey;
use crate::error::WalletError;
use crate::issuance::{Metadata, copies};
use crate::service::{Service, Signer};
use crate::trust::{self, Trust};
use crate::wallet::StoreState;

/// Header of key slots.
const SLOTS: &str = "wallet.keys";
/// Personal store.
const WALLET_DB: &str = "wallet.db";
/// Signed public lists.
const CACHE_DB: &str = "cache.db";
/// Files of the trust repository, as they were signed.
const TRUST: &str = "trust";
const WALLET_MIGRATIONS: &[&str] = &[include_str!("../migrations/wallet-001.sql")];
const CACHE_MIGRATIONS: &[&str] = &[include_str!("../migrations/cache-001.sql")];
/// Shortest passcode in characters.
const MIN_PASSCODE: usize = 6;
/// Longest passcode in bytes.
const MAX_PASSCODE: usize = 128;
/// Most copy sets of one document: the issuer's batch.
const MAX_COPIES: u32 = 20;

/// The databases that are open.
enum Slot {
    New,
    Locked { cache: Option<Arc<Database>> },
    Unlocked { wallet: Arc<Database>, cache: Arc<Database> },
    Closed,
}

/// An act under way: it alone, and with the folder's lock.
pub(crate) struct Act<'a> {
    _alone: Turn<'a>,
    _folder: Arc<DirectoryLock>,
}

/// Shared by the facade and its handles.
pub(crate) struct Inner {
    pub(crate) config: WalletConfig,
    pub(crate) service: Service,
    pub(crate) random: OsRandom,
    /// `None` once the wallet is closed. Whatever is under way keeps a share of it, so that nobody else opens the folder before it ended.
    lock: Mutex<Option<Arc<DirectoryLock>>>,
    keys: Guarded<dyn KeyStore>,
    sealer: Guarded<dyn DeviceSealer>,
    clock: Arc<Guarded<dyn Clock>>,
    listener: QueuedListener,
    slots: KeySlots,
    slot: Mutex<Slot>,
    /// How often the wallet was to be locked. An opening that began before the last one ends locked.
    locks: AtomicU64,
    opening: Alone,
    act: Alone,
    showing: Alone,
    metadata: Mutex<Option<Arc<Metadata>>>,
    updater: TrustUpdater,
    trust: Mutex<Option<Arc<Trust>>>,
    interrupted: Mutex<Option<Interrupted>>,
}

impl Inner {
    pub(crate) fn open(config: WalletConfig, ports: Ports, patience: Option<Duration>) -> Result<Self, WalletError> {
        if !(1..=MAX_COPIES).contains(&config.copies) {
            return Err(WalletError::Parameter("number of copies"));
        }
        // First of all: whoever has the folder already is not disturbed.
        let lock = Arc::new(DirectoryLock::take(&config.directory)?);
        let clock: Arc<Guarded<dyn Clock>> = Arc::new(Guarded::new(ports.clock));
        let mut http = HttpConfig::new(config.service_url.clone(), config.tls_root.clone());
        http.time = Some(Arc::new(WallTime(Arc::clone(&clock) as Arc<dyn Clock>)));
        if let Some(patience) = patience {
            http = http.within(patience);
        }
        let service = Service::new(Http::new(http)?);
        let updater = TrustUpdater::new(TrustConfig {
            root: config.trust_root.clone(),
            floor: config.trust_floor,
            directory: config.directory.join(TRUST),
            by: By::Wallet,
        })?;
        let slots = KeySlots::at(&config.directory.join(SLOTS));
        let inner = Self {
            service,
            random: OsRandom,
            lock: Mutex::new(Some(lock)),
            keys: Guarded::new(ports.keys),
            sealer: Guarded::new(ports.sealer),
            clock,
            listener: QueuedListener::new(ports.listener),
            slots,
            slot: Mutex::new(Slot::New),
            locks: AtomicU64::new(0),
            opening: Alone::default(),
            act: Alone::default(),
            showing: Alone::default(),
            metadata: Mutex::new(None),
            updater,
            trust: Mutex::new(None),
            interrupted: Mutex::new(None),
            config,
        };
        if !inner.slots.exists() && [WALLET_DB, CACHE_DB].iter().any(|name| inner.path(name).exists()) {
            // Not a new wallet: one whose keys are gone.
            return Err(KeySlotError::Damaged.into());
        }
        if inner.slots.exists() {
            *inner.slot() = Slot::Locked { cache: None };
            // Before the first unlock after boot the device gives nothing away: then the cache opens with the wallet.
            match inner.open_cache() {
                Ok(cache) => {
                    *inner.slot() = Slot::Locked { cache: Some(cache) };
                    trust::hold(&inner)?;
                    clock::keep_floor(&inner)?;
                }
                Err(WalletError::KeySlot(KeySlotError::Port(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(inner)
    }

    /// See [`crate::Wallet::create`]. The header comes first: whatever a kill leaves after it, `unlock` completes.
    pub(crate) fn create(&self, passcode: &str) -> Result<(), WalletError> {
        let locks = self.locks.load(Ordering::SeqCst);
        let _opening = self.alone(&self.opening)?;
        check_passcode(passcode)?;
        match self.state() {
            StoreState::New => {}
            StoreState::Closed => return Err(WalletError::Closed),
            StoreState::Locked | StoreState::Unlocked => return Err(WalletError::Exists),
        }
        let keys = self.slots.create(passcode.as_bytes(), KdfCost::default(), &self.sealer, &self.random);
        if self.slots.exists() {
            // From here on the passcode holds, whatever fails next: `unlock` goes on.
            let mut slot = self.slot();
            if matches!(*slot, Slot::New) {
                *slot = Slot::Locked { cache: None };
            }
        }
        let keys = keys?;
        let cache = Arc::new(Database::open_or_create(&self.path(CACHE_DB), &keys.cache, CACHE_MIGRATIONS)?);
        let wallet = Database::open_or_create(&self.path(WALLET_DB), &keys.wallet, WALLET_MIGRATIONS)?;
        self.opened(wallet, cache, locks)
    }

    /// See [`crate::Wallet::unlock`].
    pub(crate) fn unlock(&self, passcode: &str) -> Result<(), WalletError> {
        let locks = self.locks.load(Ordering::SeqCst);
        let _opening = self.alone(&self.opening)?;
        let cache = match &*self.slot() {
            Slot::New => return Err(WalletError::NotCreated),
            Slot::Closed => return Err(WalletError::Closed),
            Slot::Unlocked { .. } => return Ok(()),
            Slot::Locked { cache } => cache.clone(),
        };
        let made = self.slots.is_made()? || cache.as_ref().map_or(Ok(false), |cache| cache.read(was_made))?;
        // Only an interrupted `create` leaves no database behind. One that was there and is gone is told, not replaced by an empty one.
        if made && !self.path(WALLET_DB).exists() {
            return Err(StoreError::Gone.into());
        }
        let key = self.slots.unlock(passcode.as_bytes(), &self.sealer, self.clock())?;
        let cache = match cache {
            Some(cache) => cache,
            None => self.open_cache()?,
        };
        let wallet = if made {
            Database::open(&self.path(WALLET_DB), &key, WALLET_MIGRATIONS)?
        } else {
            Database::open_or_create(&self.path(WALLET_DB), &key, WALLET_MIGRATIONS)?
        };
        self.opened(wallet, cache, locks)
    }

    fn open_cache(&self) -> Result<Arc<Database>, WalletError> {
        let key = self.slots.unlock_background(&self.sealer)?;
        // Nothing in it that the wallet cannot do without: signed lists are fetched again, the clock's floor comes back with the kept trust.
        let (cache, new) = Database::open_or_rebuild(&self.path(CACHE_DB), &key, CACHE_MIGRATIONS)?;
        if new && self.slots.is_made()? {
            tracing::warn!("cache.db was missing or damaged; it was made anew");
            self.tell("cache", "rebuilt");
        }
        Ok(Arc::new(cache))
    }

    /// What a killed showing left behind is settled before anything else can happen.
    ///
    /// Whoever locked meanwhile (the screen went off) or gave up waiting finds the wallet locked.
    fn opened(&self, wallet: Database, cache: Arc<Database>, locks: u64) -> Result<(), WalletError> {
        wallet.with_tx(|db| {
            copies::spend_reserved(db)?;
            consent::fail_interrupted(db)
        })?;
        if !self.slots.is_made()? {
            self.slots.set_made()?;
        }
        let mut slot = self.slot();
        if matches!(*slot, Slot::Closed) {
            return Err(WalletError::Closed);
        }
        if self.locks.load(Ordering::SeqCst) != locks || cancel::cancelled() {
            *slot = Slot::Locked { cache: Some(cache) };
            drop(slot);
            shut(&wallet);
            return Err(WalletError::Locked);
        }
        *slot = Slot::Unlocked { wallet: Arc::new(wallet), cache };
        drop(slot);
        // What reports an error is not open.
        trust::hold(self).and_then(|()| clock::keep_floor(self)).inspect_err(|_| self.lock())?;
        self.tell("wallet", StoreState::Unlocked.as_str());
        Ok(())
    }

    /// See [`crate::Wallet::lock`].
    pub(crate) fn lock(&self) {
        let wallet = {
            let mut slot = self.slot();
            self.locks.fetch_add(1, Ordering::SeqCst);
            let Slot::Unlocked { wallet, cache } = &*slot else {
                return;
            };
            let (wallet, cache) = (Arc::clone(wallet), Arc::clone(cache));
            *slot = Slot::Locked { cache: Some(cache) };
            wallet
        };
        self.set_interrupted(None);
        shut(&wallet);
        self.tell("wallet", StoreState::Locked.as_str());
    }

    /// See [`crate::Wallet::close`].
    pub(crate) fn close(&self) {
        self.set_interrupted(None);
        let slot = std::mem::replace(&mut *self.slot(), Slot::Closed);
        match slot {
            Slot::Unlocked { wallet, cache } => {
                shut(&wallet);
                shut(&cache);
            }
            Slot::Locked { cache: Some(cache) } => shut(&cache),
            Slot::Locked { cache: None } | Slot::New | Slot::Closed => {}
        }
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.tell("wallet", StoreState::Closed.as_str());
    }

    /// See [`crate::Wallet::change_passcode`].
    pub(crate) fn change_passcode(&self, old: &str, new: &str) -> Result<(), WalletError> {
        let _opening = self.alone(&self.opening)?;
        check_passcode(new)?;
        match self.state() {
            StoreState::New => return Err(WalletError::NotCreated),
            StoreState::Closed => return Err(WalletError::Closed),
            StoreState::Locked | StoreState::Unlocked => {}
        }
        Ok(self.slots.change_passcode(old.as_bytes(), new.as_bytes(), &self.sealer, self.clock(), &self.random)?)
    }

    pub(crate) fn state(&self) -> StoreState {
        match *self.slot() {
            Slot::New => StoreState::New,
            Slot::Locked { .. } => StoreState::Locked,
            Slot::Unlocked { .. } => StoreState::Unlocked,
            Slot::Closed => StoreState::Closed,
        }
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wallet_db(&self) -> Result<Arc<Database>, WalletError> {
        match &*self.slot() {
            Slot::Unlocked { wallet, .. } => Ok(Arc::clone(wallet)),
            Slot::Locked { .. } => Err(WalletError::Locked),
            Slot::New => Err(WalletError::NotCreated),
            Slot::Closed => Err(WalletError::Closed),
        }
    }

    fn cache_db(&self) -> Result<Arc<Database>, WalletError> {
        match &*self.slot() {
            Slot::Unlocked { cache, .. } | Slot::Locked { cache: Some(cache) } => Ok(Arc::clone(cache)),
            Slot::Locked { cache: None } => Err(WalletError::Locked),
            Slot::New => Err(WalletError::NotCreated),
            Slot::Closed => Err(WalletError::Closed),
        }
    }

    /// Reads `wallet.db`.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, WalletError>) -> Result<T, WalletError> {
        self.wallet_db()?.read(read).map_err(locked_meanwhile)
    }

    /// Writes `wallet.db` in one immediate transaction.
    pub(crate) fn write<T>(&self, write: impl FnOnce(&Transaction<'_>) -> Result<T, WalletError>) -> Result<T, WalletError> {
        self.wallet_db()?.with_tx(write).map_err(locked_meanwhile)
    }

    /// Makes what was committed to `wallet.db` independent of its log.
    pub(crate) fn checkpoint(&self) -> Result<(), WalletError> {
        self.wallet_db()?.checkpoint().map_err(|error| locked_meanwhile(error.into()))
    }

    /// Reads `cache.db`.
    pub(crate) fn read_cache<T>(&self, read: impl FnOnce(&Connection) -> Result<T, WalletError>) -> Result<T, WalletError> {
        self.cache_db()?.read(read).map_err(locked_meanwhile)
    }

    /// Writes `cache.db` in one immediate transaction.
    pub(crate) fn write_cache<T>(&self, write: impl FnOnce(&Transaction<'_>) -> Result<T, WalletError>) -> Result<T, WalletError> {
        self.cache_db()?.with_tx(write).map_err(locked_meanwhile)
    }

    /// The wallet is in use for a long act with the network; a second one is told so instead of waiting.
    pub(crate) fn act(&self) -> Result<Act<'_>, WalletError> {
        self.alone(&self.act)
    }

    /// A document is being shown. Independent of [`Self::act`]: a citizen at a counter does not wait for a sync.
    pub(crate) fn showing(&self) -> Result<Act<'_>, WalletError> {
        self.alone(&self.showing)
    }

    fn alone<'a>(&self, alone: &'a Alone) -> Result<Act<'a>, WalletError> {
        let alone = alone.begin().ok_or(WalletError::Busy)?;
        let folder = self.lock.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(WalletError::Closed)?;
        Ok(Act { _alone: alone, _folder: folder })
    }

    /// The trust updater; its state is signed public data in a folder of its own, verified again from the pinned root at every start.
    pub(crate) fn updater(&self) -> &TrustUpdater {
        &self.updater
    }

    /// The trust that was read last.
    pub(crate) fn trust(&self) -> Option<Arc<Trust>> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps trust that was read.
    pub(crate) fn set_trust(&self, trust: Arc<Trust>) {
        *self.trust.lock().unwrap_or_else(PoisonError::into_inner) = Some(trust);
    }

    /// Takes the reading that a lost card interrupted.
    pub(crate) fn take_interrupted(&self) -> Option<Interrupted> {
        self.interrupted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Keeps an interrupted reading, or forgets it.
    pub(crate) fn set_interrupted(&self, reading: Option<Interrupted>) {
        *self.interrupted.lock().unwrap_or_else(PoisonError::into_inner) = reading;
    }

    /// Issuer metadata known to this object.
    pub(crate) fn metadata(&self) -> Option<Arc<Metadata>> {
        self.metadata.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps issuer metadata for the life of this object.
    pub(crate) fn set_metadata(&self, metadata: Arc<Metadata>) {
        *self.metadata.lock().unwrap_or_else(PoisonError::into_inner) = Some(metadata);
    }

    pub(crate) fn keys(&self) -> &dyn KeyStore {
        &self.keys
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The wall clock. What it is worth is the fact `clock`.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    /// Signs DPoP proofs of one call.
    pub(crate) fn signer<'a>(&'a self, key: &'a AccountKey) -> Signer<'a> {
        Signer { keys: self.keys(), key, now: self.now(), random: &self.random }
    }

    /// Tells the listener a new state, in fixed words.
    pub(crate) fn tell(&self, subject: &str, state: &str) {
        self.listener.state(StateChange { subject: subject.to_owned(), state: state.to_owned() });
    }

    /// Tells the listener how far long work is.
    pub(crate) fn progress(&self, progress: Progress) {
        self.listener.progress(progress);
    }

    /// Deletes keys whose copies are gone. Best effort: what fails stays on the list.
    pub(crate) fn bury_keys(&self) -> Result<(), WalletError> {
        let dead = self.read(copies::dead_keys)?;
        if !dead.is_empty() && self.keys.delete(&dead).is_ok() {
            self.write(|db| copies::forget_keys(db, &dead))?;
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.config.directory.join(name)
    }
}

/// Closes a database. An error leaves the log for the next open to take in; the file is sound either way.
fn shut(database: &Database) {
    if let Err(error) = database.close() {
        tracing::warn!(%error, "a database did not close cleanly");
    }
}

/// Whether `wallet.db` was made completely once, as wallets noted it before the key-slot header did.
fn was_made(cache: &Connection) -> Result<bool, WalletError> {
    Ok(cache.query_row("SELECT EXISTS (SELECT 1 FROM setting WHERE name = 'made')", [], |row| row.get(0))?)
}

fn check_passcode(passcode: &str) -> Result<(), WalletError> {
    let long_enough = passcode.chars().count() >= MIN_PASSCODE && passcode.len() <= MAX_PASSCODE;
    if long_enough { Ok(()) } else { Err(WalletError::Parameter("passcode")) }
}

/// The database was closed under a long act: the wallet was locked meanwhile.
fn locked_meanwhile(error: WalletError) -> WalletError {
    match error {
        WalletError::Store(StoreError::Closed) => WalletError::Locked,
        other => other,
    }
}
