//! Notices by another way than the app: the citizen learns that a device was replaced. A notice is stored with what it tells of, in one transaction,
//! and told afterwards, at least once: a kill or a messenger that fails in between does not swallow it.

use rusqlite::params;
use wallet_base::time::Timestamp;

use crate::adapters::Message;
use crate::error::CentralError;
use crate::service::Service;

/// Notices that one look takes.
const MOST: i64 = 20;
/// Who takes a notice has so many seconds to tell it before another tries.
const CLAIM: i64 = 60;

struct Notice {
    citizen: String,
    seq: i64,
    kind: String,
    device: String,
    at: i64,
}

impl Service {
    /// Tells the notices that wait.
    pub(crate) fn tell_notices(&self) -> Result<(), CentralError> {
        let now = self.now();
        for notice in self.claim(now)? {
            if self.tell(&notice) {
                self.db().execute(
                    "UPDATE notices SET told_at = ?3 WHERE citizen = ?1 AND seq = ?2",
                    params![notice.citizen, notice.seq, now.unix()],
                )?;
            }
        }
        Ok(())
    }

    /// Takes what waits, so that of two threads one tells it.
    fn claim(&self, now: Timestamp) -> Result<Vec<Notice>, CentralError> {
        let connection = self.db();
        let mut statement = connection.prepare_cached(
            "UPDATE notices SET claimed_until = ?1 WHERE (citizen, seq) IN
               (SELECT citizen, seq FROM notices WHERE told_at IS NULL AND claimed_until <= ?2 ORDER BY claimed_until LIMIT ?3)
             RETURNING citizen, seq, kind, device, at",
        )?;
        let rows = statement.query_map(params![now.plus_secs(CLAIM).unix(), now.unix(), MOST], |row| {
            Ok(Notice { citizen: row.get(0)?, seq: row.get(1)?, kind: row.get(2)?, device: row.get(3)?, at: row.get(4)? })
        })?;
        let notices = rows.collect::<Result<_, _>>()?;
        Ok(notices)
    }

    /// Whether it was told, or there is nobody to tell.
    fn tell(&self, notice: &Notice) -> bool {
        let (registry, citizen) = (self.registry.clone(), notice.citizen.clone());
        let Ok(person) = self.desks.registry.ask(move || registry.citizen(&citizen)) else { return false };
        let Some(person) = person else { return true };
        let (messenger, kind, device, at) =
            (self.messenger.clone(), notice.kind.clone(), notice.device.clone(), Timestamp::from_unix(notice.at));
        let sent =
            self.desks.messenger.ask(move || messenger.send(&Message { to: &person.phone, action: &kind, device: &device, code: "", at }));
        if let Ok(Err(error)) = &sent {
            tracing::error!(%error, "a notice was not delivered");
        }
        matches!(sent, Ok(Ok(())))
    }
}
