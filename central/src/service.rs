//! The running service: its database, keys, adapters, and the clock and randomness it was given.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use wallet_base::crypto::{SoftwareKey, hmac_sha256};
use wallet_base::fact::Fact;
use wallet_base::random::Random;
use wallet_base::time::{TimeSource, Timestamp};
use zeroize::Zeroizing;

use crate::adapters::{FaceService, Messenger};
use crate::authorities::AUTHORITIES;
use crate::config::Config;
use crate::db::Pool;
use crate::desk::Desk;
use crate::error::CentralError;
use crate::keys::{self, Identity, Place};
use crate::limits::Limits;
use crate::registry::Registry;
use crate::status::Publisher;
use crate::trust::{self, TrustKeys};
use crate::{clock, status, sweep};

/// Keys of the running service.
pub(crate) struct ServiceKeys {
    /// Keyed hashes: nonces and codes.
    secret: Zeroizing<Vec<u8>>,
    /// Document signers by authority id.
    pub(crate) issuers: BTreeMap<&'static str, Identity>,
    pub(crate) status: Identity,
    pub(crate) reader: Identity,
    pub(crate) wallet_provider: SoftwareKey,
}

impl ServiceKeys {
    pub(crate) fn load(dir: &Path) -> Result<Self, CentralError> {
        let mut issuers = BTreeMap::new();
        for authority in AUTHORITIES {
            issuers.insert(authority.id, Identity::load(dir, &format!("issuer-{}", authority.id))?);
        }
        Ok(Self {
            secret: keys::load_secret(dir, "service")?,
            issuers,
            status: Identity::load(dir, "status")?,
            reader: Identity::load(dir, "reader")?,
            wallet_provider: keys::load(dir, Place::Online, "wallet-provider")?,
        })
    }
}

/// What the HTTP handlers call. All methods block.
pub(crate) struct Service {
    pub(crate) dir: PathBuf,
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn TimeSource>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) keys: ServiceKeys,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) messenger: Arc<dyn Messenger>,
    pub(crate) faces: Arc<dyn FaceService>,
    pub(crate) allow_software_keys: bool,
    pub(crate) limits: Limits,
    pub(crate) desks: Desks,
    pool: Pool,
    last_due: Mutex<Option<Timestamp>>,
}

/// How the three kinds of other services are asked.
pub(crate) struct Desks {
    pub(crate) registry: Desk,
    pub(crate) faces: Desk,
    pub(crate) messenger: Desk,
}

impl Desks {
    fn new(deadline: Duration) -> Self {
        Self { registry: Desk::new("registry", deadline), faces: Desk::new("faces", deadline), messenger: Desk::new("messenger", deadline) }
    }
}

/// What [`Service::open`] needs besides the directory.
pub(crate) struct Parts {
    pub(crate) clock: Arc<dyn TimeSource>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) messenger: Arc<dyn Messenger>,
    pub(crate) faces: Arc<dyn FaceService>,
    pub(crate) allow_software_keys: bool,
    /// How long a registry, a face service or a messenger may take.
    pub(crate) adapter_deadline: Duration,
}

impl Service {
    /// Opens the service of a directory and publishes what is due.
    pub(crate) fn open(dir: &Path, parts: Parts) -> Result<Self, CentralError> {
        // Loaded anew at each judgement; what cannot be loaded shows at the start.
        crate::cards::Trust::load(dir)?;
        let config = Config::load(dir)?;
        let pool = Pool::open(dir)?;
        clock::check(&pool.reader(), parts.clock.now())?;
        let service = Self {
            dir: dir.to_owned(),
            limits: Limits::new(&config.limits),
            config,
            clock: parts.clock,
            random: parts.random,
            keys: ServiceKeys::load(dir)?,
            registry: parts.registry,
            messenger: parts.messenger,
            faces: parts.faces,
            allow_software_keys: parts.allow_software_keys,
            desks: Desks::new(parts.adapter_deadline),
            pool,
            last_due: Mutex::new(None),
        };
        service.publish_due()?;
        Ok(service)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The connection that writes: one request at a time has it. Never held while another service is asked.
    pub(crate) fn db(&self) -> MutexGuard<'_, Connection> {
        self.pool.writer()
    }

    /// A connection that only reads, and waits for nobody who writes.
    pub(crate) fn reader(&self) -> MutexGuard<'_, Connection> {
        self.pool.reader()
    }

    /// The publisher of status lists at this moment.
    pub(crate) fn publisher(&self, now: Timestamp) -> Publisher<'_> {
        Publisher { config: &self.config, signer: &self.keys.status, now }
    }

    /// A keyed hash with a label, for values that central recognises again without storing them.
    pub(crate) fn keyed(&self, label: &str, data: &[u8]) -> [u8; 32] {
        let mut input = Vec::with_capacity(label.len() + data.len() + 1);
        input.extend_from_slice(label.as_bytes());
        input.push(0);
        input.extend_from_slice(data);
        hmac_sha256(&self.keys.secret, &input)
    }

    /// `N` random bytes.
    pub(crate) fn random_bytes<const N: usize>(&self) -> [u8; N] {
        wallet_base::random::array::<N>(&*self.random)
    }

    /// Signs lists and trust metadata that grew old, removes what expired, tells notices that wait. Called at the start and on a timer.
    pub(crate) fn publish_due(&self) -> Result<(), CentralError> {
        let mut last = self.last_due.lock().unwrap_or_else(PoisonError::into_inner);
        self.publish_after(&mut last)
    }

    /// The same before signed data is handed out. What cannot be signed now (a full disk, a wrong clock) is no reason to hold back what was
    /// signed before: it carries its own date. While one request does it, others do not wait.
    pub(crate) fn publish_if_due(&self) {
        let Ok(mut last) = self.last_due.try_lock() else { return };
        if let Err(error) = self.publish_after(&mut last) {
            tracing::error!(%error, "cannot publish what is due");
        }
    }

    fn publish_after(&self, last: &mut Option<Timestamp>) -> Result<(), CentralError> {
        let now = self.now();
        if last.is_some_and(|last| (now.unix() - last.unix()).abs() < LOOK_AGAIN) {
            return Ok(());
        }
        // Noted first: what fails is tried again after a while, not with every request.
        *last = Some(now);
        {
            let mut connection = self.db();
            // The write lock also keeps an administrator's command from publishing at the same moment.
            let transaction = clock::begin(&mut connection, now)?;
            self.publisher(now).publish_due(&transaction)?;
            // Read each time: a ceremony may have replaced them.
            trust::publish_due(&self.dir, &self.config, &TrustKeys::load(&self.dir)?, now)?;
            status::prune(&transaction, now, self.config.status.behind)?;
            transaction.commit()?;
        }
        sweep::sweep(now, || self.db())?;
        self.tell_notices()
    }
}

/// Seconds between two looks at what is due; lists live for hours.
const LOOK_AGAIN: i64 = 30;

/// A fact on the wire.
pub(crate) fn fact_json(fact: &Fact) -> Value {
    json!({
        "name": fact.name().as_str(), "result": fact.outcome().as_str(), "caution": fact.caution(), "by": fact.by().as_str(),
        "about": fact.subject(), "detail": fact.detail(), "needed": fact.is_needed(),
    })
}

/// A change that a citizen's devices learn by sync. Sequence numbers count per citizen, without gaps.
pub(crate) fn note_change(connection: &Connection, citizen: &str, document: &str, kind: &str, now: Timestamp) -> Result<(), CentralError> {
    connection.execute(
        "INSERT INTO changes (citizen, seq, document, kind, at)
         SELECT ?1, COALESCE(MAX(seq), 0) + 1, ?2, ?3, ?4 FROM changes WHERE citizen = ?1",
        (citizen, document, kind, now.unix()),
    )?;
    Ok(())
}
