//! What an administrator does, on a directory whose server runs or is stopped: suspend, revoke and reinstate a document, make a staff code,
//! publish trust anew, revoke a certificate. Signed lists are published before a function returns.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};
use wallet_base::random::{OsRandom, Random};
use wallet_base::text::safe_text;
use wallet_base::time::TimeSource;
use wallet_documents::roles::Role;
use wallet_documents::{RoleTable, roles, types};
use wallet_exchange::code_points::MAX_PLACE;

use crate::config::Config;
use crate::error::CentralError;
use crate::keys::Identity;
use crate::service::note_change;
use crate::staff::{MAX_NAMES, code_hash, code_until};
use crate::status::{INVALID, Publisher, SUSPENDED, VALID};
use crate::trust::{self, Revoked, TrustKeys};
use crate::{clock, db, tuf};

/// Administration of one service directory.
pub struct Admin {
    pub(crate) dir: PathBuf,
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn TimeSource>,
    pub(crate) random: Arc<dyn Random>,
}

/// Which list of the trust repository a certificate is revoked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokedAs {
    /// A document signer or its root.
    Issuer,
    /// A staff device or a reader authority.
    Reader,
    /// A status signer.
    Status,
    /// A document signer of citizen cards, or a card authority.
    Card,
}

impl Admin {
    /// Opens the administration of a directory made by [`crate::init()`].
    ///
    /// # Errors
    /// [`CentralError::Directory`] when the directory holds no service.
    pub fn open(dir: &Path, clock: Arc<dyn TimeSource>) -> Result<Self, CentralError> {
        Ok(Self { dir: dir.to_owned(), config: Config::load(dir)?, clock, random: Arc::new(OsRandom) })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn clock(&self) -> &dyn TimeSource {
        &*self.clock
    }

    /// Suspends a citizen's document: its living copies read as suspended, and none are issued until it is reinstated.
    ///
    /// # Errors
    /// [`CentralError::NotFound`] for an unknown citizen or document; [`CentralError::Invalid`] when it is revoked.
    pub fn suspend(&self, citizen: &str, document: &str) -> Result<(), CentralError> {
        self.set_state(citizen, document, "suspended", "suspended", SUSPENDED)
    }

    /// Ends a suspension.
    ///
    /// # Errors
    /// As [`Admin::suspend`].
    pub fn reinstate(&self, citizen: &str, document: &str) -> Result<(), CentralError> {
        self.set_state(citizen, document, "valid", "reinstated", VALID)
    }

    /// Revokes a citizen's document for good.
    ///
    /// # Errors
    /// As [`Admin::suspend`].
    pub fn revoke(&self, citizen: &str, document: &str) -> Result<(), CentralError> {
        self.set_state(citizen, document, "revoked", "revoked", INVALID)
    }

    fn set_state(&self, citizen: &str, document: &str, state: &str, kind: &str, status: u8) -> Result<(), CentralError> {
        let now = self.clock.now();
        let signer = Identity::load(&self.dir, "status")?;
        let publisher = Publisher { config: &self.config, signer: &signer, now };
        let mut connection = db::open(&self.dir)?;
        let transaction = clock::begin(&mut connection, now)?;
        let old: Option<String> = transaction
            .query_row("SELECT state FROM documents WHERE citizen = ?1 AND document = ?2", (citizen, document), |row| row.get(0))
            .optional()?;
        let Some(old) = old else { return Err(not_found(&transaction, citizen, document)?) };
        if old == state {
            return Ok(());
        }
        if old == "revoked" {
            return Err(CentralError::Invalid("change: the document is revoked"));
        }
        transaction.execute(
            "UPDATE documents SET state = ?3, as_of = ?4 WHERE citizen = ?1 AND document = ?2",
            (citizen, document, state, now.unix()),
        )?;
        publisher.set_document(&transaction, citizen, document, status)?;
        note_change(&transaction, citizen, document, kind, now)?;
        transaction.commit()?;
        Ok(())
    }

    /// Makes a one-time code with which a staff device gets its certificate; good for 24 hours.
    ///
    /// # Errors
    /// [`CentralError::NotFound`] for a role that is not in the table; [`CentralError::Invalid`] for names that are too long or unsafe.
    pub fn staff_code(&self, role: &str, organisation: &str, place: &str) -> Result<String, CentralError> {
        let table = RoleTable::parse(roles::REFERENCE).map_err(|_| CentralError::Damaged("table of roles"))?;
        if table.role(role).is_none() {
            return Err(CentralError::Unknown { what: "role", known: listed(table.iter().map(Role::id)) });
        }
        let organisation = safe_text(organisation, MAX_NAMES)
            .filter(|text| !text.is_empty() && text.len() + role.len() <= MAX_NAMES)
            .ok_or(CentralError::Invalid("organisation"))?;
        let place = safe_text(place, MAX_PLACE).filter(|text| !text.is_empty()).ok_or(CentralError::Invalid("place"))?;
        let code = readable(wallet_base::random::array::<10>(&*self.random));
        let now = self.clock.now();
        let mut connection = db::open(&self.dir)?;
        let transaction = clock::begin(&mut connection, now)?;
        transaction.execute(
            "INSERT INTO staff_codes (hash, role, organisation, place, until) VALUES (?1, ?2, ?3, ?4, ?5)",
            (code_hash(&code).as_slice(), role, organisation, place, code_until(now).unix()),
        )?;
        transaction.commit()?;
        Ok(code)
    }

    /// Gives a citizen new tries for this day: a desk saw the person, whose tries somebody else may have used up. Noted with the time.
    ///
    /// # Errors
    /// [`CentralError::NotFound`] for a citizen whose card was never proven.
    pub fn give_tries(&self, citizen: &str) -> Result<(), CentralError> {
        let now = self.clock.now();
        let mut connection = db::open(&self.dir)?;
        let transaction = clock::begin(&mut connection, now)?;
        let known: bool =
            transaction.query_row("SELECT EXISTS (SELECT 1 FROM accounts WHERE citizen = ?1)", [citizen], |row| row.get(0))?;
        if !known {
            return Err(CentralError::NotFound(NO_CITIZEN));
        }
        transaction.execute("INSERT INTO tries_given (citizen, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING", (citizen, now.unix()))?;
        transaction.commit()?;
        Ok(())
    }

    /// Signs the trust repository anew with the next versions, and every status list; gives the new snapshot version.
    ///
    /// # Errors
    /// When keys, certificates or files cannot be read or written.
    pub fn republish(&self) -> Result<u64, CentralError> {
        let mut connection = db::open(&self.dir)?;
        // The write lock keeps a running server from publishing at the same moment.
        let lock = clock::begin(&mut connection, self.clock.now())?;
        let signer = Identity::load(&self.dir, "status")?;
        Publisher { config: &self.config, signer: &signer, now: self.clock.now() }.publish_all(&lock)?;
        let version = self.publish_trust()?;
        lock.commit()?;
        Ok(version)
    }

    /// Revokes a certificate by its SHA-256 and publishes trust anew.
    ///
    /// # Errors
    /// As [`Admin::republish`].
    pub fn revoke_certificate(&self, list: RevokedAs, sha256: &[u8; 32]) -> Result<u64, CentralError> {
        let mut connection = db::open(&self.dir)?;
        // Under the write lock from reading to publishing, else of two revocations at once one would be lost.
        let lock = clock::begin(&mut connection, self.clock.now())?;
        let mut revoked = Revoked::load(&self.dir)?;
        let hashes = match list {
            RevokedAs::Issuer => &mut revoked.issuers,
            RevokedAs::Reader => &mut revoked.readers,
            RevokedAs::Status => &mut revoked.status,
            RevokedAs::Card => &mut revoked.cards,
        };
        let hash = tuf::hex(sha256);
        if !hashes.contains(&hash) {
            hashes.push(hash);
        }
        revoked.store(&self.dir)?;
        let version = self.publish_trust()?;
        lock.commit()?;
        Ok(version)
    }

    /// Signs the trust repository anew; the caller holds the write lock.
    fn publish_trust(&self) -> Result<u64, CentralError> {
        let versions = trust::publish(&self.dir, &self.config, &TrustKeys::load(&self.dir)?, self.clock.now())?;
        u64::try_from(versions.snapshot).map_err(|_| CentralError::Damaged("trust versions"))
    }
}

/// What is unknown of a document that is not there: its type, the citizen, or that the citizen has one.
fn not_found(connection: &Connection, citizen: &str, document: &str) -> Result<CentralError, CentralError> {
    if types::by_id(document).is_none() {
        return Ok(CentralError::Unknown { what: "document type", known: listed(types::ALL.iter().map(|document| document.id)) });
    }
    let known: bool = connection.query_row("SELECT EXISTS (SELECT 1 FROM documents WHERE citizen = ?1)", [citizen], |row| row.get(0))?;
    Ok(CentralError::NotFound(if known { "document of that citizen" } else { NO_CITIZEN }))
}

const NO_CITIZEN: &str = "citizen; check the 12 digits of the personal number";

/// Words for a sentence: `a, b and c`.
fn listed<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let words: Vec<&str> = words.collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "none".to_owned(),
    }
}

/// 80 bits in groups of four characters without look-alikes (Crockford's base 32).
fn readable(bytes: [u8; 10]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut bits = bytes.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let mut code = String::new();
    for position in 0..16 {
        if position > 0 && position % 4 == 0 {
            code.push('-');
        }
        let index = usize::try_from(bits & 31).unwrap_or(0);
        code.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'0')));
        bits >>= 5;
    }
    code
}
