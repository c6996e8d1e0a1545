//! The facade: one directory, one staff device.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wallet_base::fact::By;
use wallet_base::random::{OsRandom, Random};
use wallet_base::time::Timestamp;
use wallet_documents::Role;
use wallet_platform::alone::Alone;
use wallet_platform::clock_guard::{Anchor, BEHIND_TOLERANCE_SECS, ClockGuard};
use wallet_platform::deadline::Guarded;
use wallet_platform::dirlock::DirectoryLock;
use wallet_platform::http::{Http, HttpConfig};
use wallet_platform::keyslot::KeySlots;
use wallet_platform::listener::QueuedListener;
use wallet_platform::ports::{Clock, DeviceSealer, KeyStore, Listener, Ports, StateChange, WallTime};
use wallet_platform::store::{Database, StoreError};
use wallet_platform::tuf::{TrustConfig, TrustSnapshot, TrustUpdater};

use crate::ask::OpenAsk;
use crate::config::VerifierConfig;
use crate::error::VerifierError;
use crate::rows::{self, ListRow};
use crate::staff::{Staff, StaffPapers};
use crate::sync::ListDates;
use crate::trust::Trust;

/// Name of the cache in the verifier's folder.
const CACHE: &str = "cache.db";
/// Name of its key-slot header.
const HEADER: &str = "keys.slots";
/// Folder of the trust updater's state: public, signed metadata.
const TRUST: &str = "trust";

/// A staff device: asks, checks, and keeps signed public lists for the time without a network.
///
/// Open requests live in memory only: closing the verifier, or the end of the process, closes them all.
pub struct Verifier {
    pub(crate) http: Http,
    pub(crate) updater: TrustUpdater,
    pub(crate) keys: Guarded<dyn KeyStore>,
    pub(crate) clock: Guarded<dyn Clock>,
    pub(crate) listener: QueuedListener,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) cache: Database,
    pub(crate) trust: Mutex<Option<Arc<Trust>>>,
    pub(crate) open: Mutex<Vec<OpenAsk>>,
    /// Serialises what talks to the service; never held while a port is called by a check.
    pub(crate) working: Alone,
    /// `None` once the verifier is closed.
    lock: Mutex<Option<DirectoryLock>>,
    #[cfg(feature = "record")]
    pub(crate) recorder: Option<Arc<dyn crate::recorder::Recorder>>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier(..)")
    }
}

impl Verifier {
    /// Opens the verifier of a folder; makes it the first time. Touches no network.
    pub fn open(config: &VerifierConfig, ports: Ports) -> Result<Self, VerifierError> {
        Self::opened(config, ports, None)
    }

    /// The same for an app that waits for the service no longer than `patience`: for a connection, for a byte, for a whole answer.
    pub fn open_within(config: &VerifierConfig, ports: Ports, patience: Duration) -> Result<Self, VerifierError> {
        Self::opened(config, ports, Some(patience))
    }

    fn opened(config: &VerifierConfig, ports: Ports, patience: Option<Duration>) -> Result<Self, VerifierError> {
        // First of all: whoever has the folder already is not disturbed.
        let folder = DirectoryLock::take(&config.directory)?;
        let sealer: Guarded<dyn DeviceSealer> = Guarded::new(ports.sealer);
        let clock: Guarded<dyn Clock> = Guarded::new(ports.clock);
        let slots = KeySlots::at(&config.directory.join(HEADER));
        let key = if slots.exists() { slots.unlock_background(&sealer)? } else { slots.create_background(&sealer, &OsRandom)? };
        // Signed lists are fetched again, open requests live in memory; a certificate that is lost is told as not enrolled.
        let (cache, new) = Database::open_or_rebuild(&config.directory.join(CACHE), &key, rows::MIGRATIONS)?;
        let rebuilt = new && slots.is_made()?;
        if !slots.is_made()? {
            slots.set_made()?;
        }
        let mut http = HttpConfig::new(config.service_url.clone(), config.tls_root.clone());
        http.time = Some(Arc::new(WallTime(Arc::new(clock.clone()))));
        if let Some(patience) = patience {
            http = http.within(patience);
        }
        let updater = TrustUpdater::new(TrustConfig {
            root: config.trust_root.clone(),
            floor: config.trust_floor,
            directory: config.directory.join(TRUST),
            by: By::Verifier,
        })?;
        // A trust folder that was put back to an older state is noticed by what the cache remembers.
        let mark = cache.read(|db| rows::trust_mark(db).map_err(StoreError::from))?.unwrap_or_default();
        if updater.hold(&mark) {
            tracing::warn!("the trust folder was put back to an older state; it is not used until the next sync");
        }
        let kept = updater.current();
        let verifier = Self {
            http: Http::new(http)?,
            // Kept trust data that this build cannot read is as good as none: the next sync brings other.
            trust: Mutex::new(updater.current().and_then(|kept| Trust::read(kept).ok()).map(Arc::new)),
            updater,
            keys: Guarded::new(ports.keys),
            clock,
            listener: QueuedListener::new(ports.listener),
            random: Arc::new(OsRandom),
            cache,
            open: Mutex::new(Vec::new()),
            working: Alone::default(),
            lock: Mutex::new(Some(folder)),
            #[cfg(feature = "record")]
            recorder: None,
        };
        if verifier.updater.mark() != mark {
            verifier.keep_mark()?;
        }
        if rebuilt {
            tracing::warn!("cache.db was missing or damaged; it was made anew: enrol and sync");
            verifier.tell("cache", "rebuilt");
        }
        // A cache that was lost took the anchor with it: the kept trust snapshot was signed, and is one.
        if let Some(kept) = kept
            && verifier.clock_guard()?.anchor().is_none()
        {
            verifier.observe_trust(&kept)?;
        }
        Ok(verifier)
    }

    /// Opens the verifier with a recorder of what is decrypted (feature `record`; desktop only).
    #[cfg(feature = "record")]
    pub fn open_recorded(
        config: &VerifierConfig,
        ports: Ports,
        recorder: Arc<dyn crate::recorder::Recorder>,
    ) -> Result<Self, VerifierError> {
        Ok(Self { recorder: Some(recorder), ..Self::open(config, ports)? })
    }

    /// Closes the cache and every open request. Calls after it give [`VerifierError::Closed`]. Waits a moment for a sync that was
    /// cancelled and is still ending.
    pub fn close(&self) -> Result<(), VerifierError> {
        lock(&self.open).clear();
        *lock(&self.trust) = None;
        let closed = self.cache.close();
        // A sync under way still writes trust files: then the folder is free when this object goes.
        if let Some(_idle) = self.working.begin() {
            *lock(&self.lock) = None;
        }
        Ok(closed?)
    }

    /// Who this device is, if it is enrolled.
    pub fn staff(&self) -> Result<Option<Staff>, VerifierError> {
        Ok(self.papers()?.and_then(|papers| papers.staff()))
    }

    /// The row of the table of roles that this device's certificate names: documents, fields, purposes, hours, face.
    pub fn policy(&self) -> Result<Role, VerifierError> {
        let staff = self.staff()?.ok_or(VerifierError::NotEnrolled)?;
        self.trust()?.roles.role(&staff.role).cloned().ok_or(VerifierError::UnknownRole)
    }

    /// All rows of the table of roles.
    pub fn policies(&self) -> Result<Vec<Role>, VerifierError> {
        Ok(self.trust()?.roles.iter().cloned().collect())
    }

    /// Dates of the trust data and of every status list that is held.
    pub fn dates(&self) -> Result<(Option<crate::sync::TrustDates>, Vec<ListDates>), VerifierError> {
        let rows: Vec<ListRow> = self.read(rows::list_dates)?;
        let trust = lock(&self.trust).as_ref().map(|trust| trust.dates());
        Ok((trust, rows.iter().map(ListDates::from).collect()))
    }

    pub(crate) fn papers(&self) -> Result<Option<StaffPapers>, VerifierError> {
        self.read(rows::staff)
    }

    pub(crate) fn trust(&self) -> Result<Arc<Trust>, VerifierError> {
        if !self.cache.is_open() {
            return Err(VerifierError::Closed);
        }
        lock(&self.trust).clone().ok_or(VerifierError::NoTrust)
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>) -> Result<T, VerifierError> {
        self.cache.read(|db| read(db).map_err(StoreError::from)).map_err(VerifierError::from)
    }

    pub(crate) fn write<T>(&self, write: impl FnOnce(&rusqlite::Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, VerifierError> {
        self.cache.with_tx(|tx| write(tx).map_err(StoreError::from)).map_err(VerifierError::from)
    }

    /// The wall clock. What it is worth is the fact `clock`.
    pub fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    /// The guard of the clock, as far as signed times are known.
    pub(crate) fn clock_guard(&self) -> Result<ClockGuard, VerifierError> {
        Ok(ClockGuard::new(self.read(rows::anchor)?))
    }

    /// Takes note of dates of verified status lists that were seen now.
    pub(crate) fn observe(&self, dated: impl IntoIterator<Item = Timestamp>) -> Result<(), VerifierError> {
        // Those ahead of the clock say nothing; the latest of the others is what counts.
        let latest = self.clock.wall().plus_secs(BEHIND_TOLERANCE_SECS);
        let Some(dated) = dated.into_iter().filter(|dated| *dated <= latest).max() else { return Ok(()) };
        self.note(|guard| guard.observe_dated(dated, &self.clock))
    }

    /// Takes note of the date of a trust snapshot that was verified.
    pub(crate) fn observe_trust(&self, snapshot: &TrustSnapshot) -> Result<(), VerifierError> {
        let Some(dated) = snapshot.signed_at() else { return Ok(()) };
        self.note(|guard| guard.observe_trust((snapshot.root_version(), snapshot.timestamp_version()), dated, &self.clock))
    }

    /// Takes note of the service's own time, heard over TLS.
    pub(crate) fn observe_service(&self, time: Timestamp) -> Result<(), VerifierError> {
        self.note(|guard| guard.observe_service(time, &self.clock))
    }

    fn note(&self, observe: impl FnOnce(&mut ClockGuard) -> bool) -> Result<(), VerifierError> {
        let mut guard = self.clock_guard()?;
        if observe(&mut guard)
            && let Some(anchor) = guard.anchor()
        {
            self.write(|tx| rows::put_anchor(tx, anchor))?;
        }
        Ok(())
    }

    /// The moment to judge by: the wall clock, but never before what signed times prove. A clock set back revives nothing.
    pub(crate) fn moment(&self, anchor: Option<&Anchor>) -> Timestamp {
        let wall = self.clock.wall();
        let floor = anchor.and_then(|anchor| anchor.floor(&self.clock));
        floor.map_or(wall, |floor| wall.max(floor))
    }

    /// Keeps the highest trust versions in use apart from the trust folder.
    pub(crate) fn keep_mark(&self) -> Result<(), VerifierError> {
        let Some(mark) = self.updater.proven_mark() else { return Ok(()) };
        self.write(|tx| rows::put_trust_mark(tx, &mark))
    }

    pub(crate) fn tell(&self, subject: &str, state: &str) {
        self.listener.state(StateChange { subject: subject.to_owned(), state: state.to_owned() });
    }
}

/// A lock whose data stays sound when a holder panicked: every write to it is one assignment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
