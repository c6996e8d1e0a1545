//! Completion: compare-and-swap of the citizen's device, and the offer that a phone may fetch again.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};
use wallet_base::time::Timestamp;

use super::{Complete, Session, WRONG_STATE, device_name};
use crate::clock;
use crate::error::{ApiError, CentralError};
use crate::service::{Service, note_change};

impl Service {
    /// `POST /activation/complete`: compare-and-swap of the device epoch, all in one transaction.
    pub(crate) fn activation_complete(&self, body: &Complete) -> Result<Value, ApiError> {
        self.accept_key_store()?;
        let now = self.now();
        let mut connection = self.db();
        let transaction = clock::begin(&mut connection, now)?;
        let mut session = Session::load(&transaction, &body.session)?;
        session.alive(now)?;
        if session.statement(&body.proof)?.text("action") != Some("complete") {
            return Err(ApiError::proof("the proof is for another action"));
        }
        let (Some(citizen), Some(epoch)) = (session.citizen.clone(), session.epoch) else { return Err(WRONG_STATE) };
        let mut replaced = false;
        if session.completed_at.is_some() {
            self.repeat_offer(&transaction, &mut session, &citizen, epoch + 1)?;
        } else {
            if session.state() != "ready" {
                return Err(WRONG_STATE);
            }
            replaced = self.swap_device(&transaction, &session, &citizen, epoch, now)?;
            session.offer_number = 1;
            self.note_offer(&transaction, &citizen, &session.id, 1, epoch + 1)?;
            transaction.execute("UPDATE sessions SET completed_at = ?2, offer_number = 1 WHERE id = ?1", (&session.id, now.unix()))?;
        }
        transaction.commit().map_err(CentralError::from)?;
        drop(connection);
        if replaced {
            // The device is replaced whether or not the message goes out; what is not delivered now is tried again.
            if let Err(error) = self.tell_notices() {
                tracing::error!(%error, "notices wait");
            }
        }
        Ok(
            json!({"session": session.id, "account": session.account, "level": 2, "credential_offer": self.offer(&session.id, session.offer_number)}),
        )
    }

    fn repeat_offer(&self, connection: &Connection, session: &mut Session, citizen: &str, epoch: i64) -> Result<(), ApiError> {
        let current: i64 = connection.query_row("SELECT device_epoch FROM accounts WHERE citizen = ?1", [citizen], |row| row.get(0))?;
        if current != epoch {
            return Err(ApiError::new(409, "device_conflict", "device-replaced"));
        }
        if self.offer_lives(connection, &session.id, session.offer_number)? {
            return Ok(());
        }
        // The phone used the code and lost what it got: a new code. The old tokens end when it is used, which takes the account key;
        // this request alone proves nothing, since anybody who recorded it can send it again.
        session.offer_number += 1;
        self.note_offer(connection, citizen, &session.id, session.offer_number, epoch)?;
        connection.execute("UPDATE sessions SET offer_number = ?2 WHERE id = ?1", (&session.id, session.offer_number))?;
        Ok(())
    }

    /// Makes the session's device the citizen's device, if no other activation came first; ends the copies of the old one. Gives
    /// whether there was an old one.
    fn swap_device(&self, connection: &Connection, session: &Session, citizen: &str, epoch: i64, now: Timestamp) -> Result<bool, ApiError> {
        let old: Option<Vec<u8>> =
            connection.query_row("SELECT thumbprint FROM accounts WHERE citizen = ?1", [citizen], |row| row.get(0)).optional()?.flatten();
        let swapped = connection.execute(
            "UPDATE accounts SET account = ?2, level = 2, device_epoch = device_epoch + 1, device_key = ?3, thumbprint = ?4, activated_at = ?5
             WHERE citizen = ?1 AND device_epoch = ?6",
            params![
                citizen,
                session.account,
                session.key.to_jwk().to_string(),
                session.key.thumbprint().as_slice(),
                now.unix(),
                epoch
            ],
        )?;
        if swapped != 1 {
            return Err(ApiError::new(409, "device_conflict", "another device was activated meanwhile"));
        }
        for document in wallet_documents::ALL_TYPES {
            connection.execute(
                "INSERT INTO documents (citizen, document, state, as_of) VALUES (?1, ?2, 'valid', ?3) ON CONFLICT DO NOTHING",
                params![citizen, document.id, now.unix()],
            )?;
        }
        if let Some(thumbprint) = old {
            self.publisher(now).end_copies_before(connection, citizen, epoch + 1)?;
            for document in wallet_documents::ALL_TYPES {
                note_change(connection, citizen, document.id, "device-replaced", now)?;
            }
            connection.execute(
                "INSERT INTO notices (citizen, seq, kind, thumbprint, device, at)
                 SELECT ?1, COALESCE(MAX(seq), 0) + 1, 'device-replaced', ?2, ?3, ?4 FROM notices WHERE citizen = ?1",
                params![citizen, thumbprint, device_name(&session.key), now.unix()],
            )?;
            return Ok(true);
        }
        Ok(false)
    }
}
