//! Status lists (Token Status List, CWT): one list per document type and ISO week of expiry, two bits an entry, random indices, published
//! ahead for every week in which a credential could end.
//!
//! A list is signed when it is published, kept in the database, and signed again when an entry changes or the list grows old.

use rusqlite::{Connection, OptionalExtension, params};
use wallet_base::random::Random;
use wallet_base::time::Timestamp;
use wallet_credential::status::{Bits, StatusList, StatusListSpec, StatusRef};

use crate::config::{Config, DAY};
use crate::error::CentralError;
use crate::keys::Identity;

pub(crate) use wallet_credential::status::{INVALID, SUSPENDED, VALID};

/// Signs and publishes lists.
pub(crate) struct Publisher<'a> {
    pub(crate) config: &'a Config,
    pub(crate) signer: &'a Identity,
    pub(crate) now: Timestamp,
}

/// The name of the list for credentials that end at `expires`: `2026-W48`.
pub(crate) fn week_of(expires: Timestamp) -> String {
    let (year, week) = expires.date().iso_week();
    format!("{year:04}-W{week:02}")
}

/// Path of a list below the public URL.
pub(crate) fn path(document: &str, week: &str) -> String {
    format!("/status/{document}/{week}")
}

impl Publisher<'_> {
    /// URI of a list, as credentials name it.
    pub(crate) fn uri(&self, document: &str, week: &str) -> String {
        format!("{}{}", self.config.public_url, path(document, week))
    }

    /// All weeks that have lists now.
    pub(crate) fn weeks(&self) -> Vec<String> {
        let mut at = self.now.plus_secs(-self.config.status.behind);
        let end = self.now.plus_secs(self.config.status.ahead);
        let mut weeks = Vec::new();
        while at <= end {
            weeks.push(week_of(at));
            at = at.plus_secs(7 * DAY);
        }
        weeks.push(week_of(end));
        weeks.dedup();
        weeks
    }

    /// Reserves an index that no credential ever had and gives the reference for the credential.
    pub(crate) fn reserve(
        &self,
        connection: &Connection,
        document: &str,
        expires: Timestamp,
        random: &dyn Random,
    ) -> Result<(StatusRef, String), CentralError> {
        let week = week_of(expires);
        let entries = self.config.status.entries;
        // A list of a million holds some ten thousand credentials; a free index comes at the first or second draw.
        for _ in 0..64 {
            let draw = u32::from_be_bytes(wallet_base::random::array::<4>(random));
            // Draws above the last whole multiple would favour low indices.
            if u64::from(draw) >= (1_u64 << 32) / u64::from(entries) * u64::from(entries) {
                continue;
            }
            let index = draw % entries;
            let inserted = connection.execute(
                "INSERT INTO status_entries (document, week, idx) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![document, week, index],
            )?;
            if inserted == 1 {
                let reference = StatusRef { uri: self.uri(document, &week), index: u64::from(index) };
                return Ok((reference, week));
            }
        }
        Err(CentralError::Issue("a status index"))
    }

    /// Signs a list as it stands in the database and stores it.
    pub(crate) fn publish(&self, connection: &Connection, document: &str, week: &str) -> Result<(), CentralError> {
        let mut list =
            StatusList::new(Bits::Two, u64::from(self.config.status.entries)).map_err(|_| CentralError::Issue("a status list"))?;
        let mut rows =
            connection.prepare_cached("SELECT idx, status FROM status_entries WHERE document = ?1 AND week = ?2 AND status != 0")?;
        for row in rows.query_map((document, week), |row| Ok((row.get::<_, u32>(0)?, row.get::<_, u8>(1)?)))? {
            let (index, status) = row?;
            list.set(u64::from(index), status).map_err(|_| CentralError::Damaged("status entry"))?;
        }
        let ttl = u64::try_from(self.config.status.ttl).map_err(|_| CentralError::Damaged("configuration"))?;
        let spec = StatusListSpec {
            uri: &self.uri(document, week),
            issued_at: self.now,
            expires: self.now.plus_secs(self.config.status.life),
            ttl_secs: ttl,
            list: &list,
        };
        let token = wallet_credential::status::issue(&spec, &self.signer.key, &self.signer.certificate.kid8())
            .map_err(|_| CentralError::Issue("a status list"))?;
        connection.execute(
            "INSERT INTO status_lists (document, week, issued_at, token) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (document, week) DO UPDATE SET issued_at = excluded.issued_at, token = excluded.token",
            params![document, week, self.now.unix(), token],
        )?;
        Ok(())
    }

    /// Publishes every list of the present window.
    pub(crate) fn publish_all(&self, connection: &Connection) -> Result<(), CentralError> {
        for document in wallet_documents::ALL_TYPES {
            for week in self.weeks() {
                self.publish(connection, document.id, &week)?;
            }
        }
        Ok(())
    }

    /// Publishes every list of the present window that is missing, too old, or from the future (the clock was set back).
    pub(crate) fn publish_due(&self, connection: &Connection) -> Result<usize, CentralError> {
        let mut published = 0;
        for document in wallet_documents::ALL_TYPES {
            for week in self.weeks() {
                let issued: Option<i64> = connection
                    .query_row("SELECT issued_at FROM status_lists WHERE document = ?1 AND week = ?2", (document.id, &week), |row| {
                        row.get(0)
                    })
                    .optional()?;
                // Within the tolerance the clock was only set right: a list must not seem older than the one before.
                let from = self.now.unix() + crate::clock::TOLERANCE;
                let fresh = issued.is_some_and(|at| at <= from && self.now.unix() - at < self.config.status.refresh);
                if !fresh {
                    self.publish(connection, document.id, &week)?;
                    published += 1;
                }
            }
        }
        Ok(published)
    }

    /// Sets the status of every living copy of a document and publishes the lists concerned. Copies that ended (device replaced) stay invalid.
    pub(crate) fn set_document(&self, connection: &Connection, citizen: &str, document: &str, status: u8) -> Result<(), CentralError> {
        let copies: Vec<(String, u32)> = connection
            .prepare_cached("SELECT week, idx FROM copies WHERE citizen = ?1 AND document = ?2 AND ended = 0 AND expires > ?3")?
            .query_map(params![citizen, document, self.now.unix()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        self.set_all(connection, document, &copies, status)
    }

    /// Ends every copy made for an earlier device of the citizen.
    pub(crate) fn end_copies_before(&self, connection: &Connection, citizen: &str, epoch: i64) -> Result<(), CentralError> {
        for document in wallet_documents::ALL_TYPES {
            let copies: Vec<(String, u32)> = connection
                .prepare_cached(
                    "SELECT week, idx FROM copies WHERE citizen = ?1 AND document = ?2 AND ended = 0 AND epoch < ?3 AND expires > ?4",
                )?
                .query_map(params![citizen, document.id, epoch, self.now.unix()], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            self.set_all(connection, document.id, &copies, INVALID)?;
        }
        connection.execute("UPDATE copies SET ended = 1 WHERE citizen = ?1 AND epoch < ?2", (citizen, epoch))?;
        Ok(())
    }

    fn set_all(&self, connection: &Connection, document: &str, copies: &[(String, u32)], status: u8) -> Result<(), CentralError> {
        let mut weeks: Vec<&str> = Vec::new();
        for (week, index) in copies {
            connection.execute(
                "UPDATE status_entries SET status = ?4 WHERE document = ?1 AND week = ?2 AND idx = ?3",
                params![document, week, index, status],
            )?;
            if !weeks.contains(&week.as_str()) {
                weeks.push(week);
            }
        }
        for week in weeks {
            self.publish(connection, document, week)?;
        }
        Ok(())
    }
}

/// The signed list, when there is one.
pub(crate) fn token(connection: &Connection, document: &str, week: &str) -> Result<Option<Vec<u8>>, CentralError> {
    Ok(connection
        .query_row("SELECT token FROM status_lists WHERE document = ?1 AND week = ?2", (document, week), |row| row.get(0))
        .optional()?)
}

/// Rows of one kind and document that are dropped at once.
const PRUNE: i64 = 5000;

/// Drops lists, entries and copies of weeks that nobody can need any more, a bounded number at a time: the list first, so that no index of a
/// list that exists is ever free again.
pub(crate) fn prune(connection: &Connection, now: Timestamp, behind: i64) -> Result<(), CentralError> {
    let oldest = week_of(now.plus_secs(-behind - 7 * DAY));
    connection.execute("DELETE FROM status_lists WHERE week < ?1", [&oldest])?;
    for document in wallet_documents::ALL_TYPES {
        for table in ["status_entries", "copies"] {
            // Both tables have an index that begins with these three.
            connection
                .prepare_cached(&format!(
                    "DELETE FROM {table} WHERE (document, week, idx) IN
                     (SELECT document, week, idx FROM {table} WHERE document = ?1 AND week < ?2 LIMIT ?3)"
                ))?
                .execute(params![document.id, oldest, PRUNE])?;
        }
    }
    Ok(())
}
