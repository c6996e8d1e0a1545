//! The credential endpoint: one credential for each attested key, each with its own salts, signature, dates and status index.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Value, json};
use wallet_base::crypto::PublicKey;
use wallet_base::jose::b64u;
use wallet_base::time::Timestamp;
use wallet_credential::{mdoc, sd_cwt};
use wallet_documents::{Attributes, DocumentType};

use crate::attributes::attributes;
use crate::clock;
use crate::config::DAY;
use crate::error::{ApiError, CentralError};
use crate::metadata::{Format, configurations};
use crate::service::{Service, note_change};
use crate::tokens::Caller;
use crate::wallet_provider::owned;

/// Body of `POST /credential` (OpenID4VCI 1.0, 8.2).
#[derive(Deserialize)]
pub(crate) struct CredentialRequest {
    credential_configuration_id: String,
    proofs: Proofs,
}

#[derive(Deserialize)]
struct Proofs {
    attestation: Vec<String>,
}

/// Validity of one copy, whole days, scattered so that copies issued together do not show it.
struct Dates {
    issued: Timestamp,
    expires: Timestamp,
}

impl Service {
    /// `POST /credential`.
    pub(crate) fn credential(&self, caller: &Caller, body: &CredentialRequest) -> Result<Value, ApiError> {
        let (_, document, format) = configurations().find(|(id, _, _)| *id == body.credential_configuration_id).ok_or(ApiError::new(
            400,
            "unknown_credential_configuration",
            "no such credential configuration",
        ))?;
        // Appendix F.3: one attestation speaks for all keys of the request.
        let [attestation] = body.proofs.attestation.as_slice() else {
            return Err(ApiError::proof("exactly one attestation is expected"));
        };
        let keys = self.attested_keys(attestation)?;
        // The registry is asked before anything is held; what it says is data, not leave.
        let citizen = self.person(&caller.citizen)?;
        let data = attributes(&citizen, document)?;
        let now = self.now();
        let mut connection = self.db();
        let transaction = clock::begin(&mut connection, now)?;
        // The device may have been replaced since the caller was known.
        crate::tokens::still_current(&transaction, caller)?;
        let state: Option<String> = transaction
            .query_row("SELECT state FROM documents WHERE citizen = ?1 AND document = ?2", (&caller.citizen, document.id), |row| row.get(0))
            .optional()?;
        if state.as_deref() != Some("valid") {
            return Err(ApiError::new(400, "credential_request_denied", "the document is not valid"));
        }
        let mut credentials = Vec::with_capacity(keys.len());
        let mut new = false;
        for key in &keys {
            owned(&transaction, caller, key)?;
            claim_key(&transaction, caller, key, document)?;
            let bytes = if let Some(bytes) = issued_before(&transaction, caller, key, document, format, now)? {
                bytes
            } else {
                new = true;
                self.issue_copy(&transaction, caller, key, format, &data, now)?
            };
            credentials.push(json!({"credential": b64u(&bytes)}));
        }
        if new && !was_told(&transaction, caller, document)? {
            note_change(&transaction, &caller.citizen, document.id, "issued", now)?;
        }
        transaction.commit().map_err(CentralError::from)?;
        Ok(json!({"credentials": credentials}))
    }

    fn issue_copy(
        &self,
        connection: &Connection,
        caller: &Caller,
        key: &PublicKey,
        format: Format,
        data: &Attributes,
        now: Timestamp,
    ) -> Result<Vec<u8>, CentralError> {
        let document = data.document();
        let failed = |_| CentralError::Issue("a credential");
        let signer = self.keys.issuers.get(document.authority).ok_or(CentralError::Damaged("issuing authority"))?;
        let dates = self.dates(now);
        let (status, week) = self.publisher(now).reserve(connection, document.id, dates.expires, &*self.random)?;
        let index = i64::try_from(status.index).map_err(|_| CentralError::Issue("a status index"))?;
        let bytes = match format {
            Format::Mdoc => {
                let spec = mdoc::MdocSpec {
                    doctype: document.doctype.to_owned(),
                    elements: data.to_elements(),
                    device_key: key.clone(),
                    signed: dates.issued,
                    valid_from: dates.issued,
                    valid_until: dates.expires,
                    status: Some(status),
                };
                mdoc::issue(&spec, &signer.key, &signer.certificate, &*self.random).map_err(failed)?
            }
            Format::SdCwt => {
                let spec = sd_cwt::SdCwtSpec {
                    vct: document.vct.to_owned(),
                    iss: None,
                    sub: b64u(&self.random_bytes::<9>()),
                    iat: dates.issued,
                    exp: dates.expires,
                    holder_key: key.clone(),
                    claims: data.to_claims(),
                    total_redacted: document.redacted_claims,
                    status: Some(status),
                };
                sd_cwt::issue(&spec, &signer.key, &signer.certificate.kid8(), &*self.random).map_err(failed)?
            }
        };
        connection.execute(
            "INSERT INTO copies (citizen, document, thumbprint, format, epoch, week, idx, issued_at, expires, credential)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (citizen, document, thumbprint, format) DO UPDATE SET
               epoch = excluded.epoch, week = excluded.week, idx = excluded.idx, issued_at = excluded.issued_at, expires = excluded.expires,
               ended = 0, credential = excluded.credential",
            params![
                caller.citizen,
                document.id,
                key.thumbprint().as_slice(),
                format.identifier(),
                caller.epoch,
                week,
                index,
                now.unix(),
                dates.expires.unix(),
                bytes
            ],
        )?;
        Ok(bytes)
    }

    /// Whole days: dated up to a day back, ending 27 to 29 days after today begins. Never longer than 30 days.
    fn dates(&self, now: Timestamp) -> Dates {
        let today = Timestamp::from_date(now.date());
        let [back, ahead] = self.random_bytes::<2>();
        Dates { issued: today.plus_secs(-i64::from(back % 2) * DAY), expires: today.plus_secs((27 + i64::from(ahead % 3)) * DAY) }
    }
}

/// Binds a key to the first document it is used for.
fn claim_key(connection: &Connection, caller: &Caller, key: &PublicKey, document: &DocumentType) -> Result<(), ApiError> {
    let bound = connection.execute(
        "UPDATE holder_keys SET document = ?3 WHERE citizen = ?1 AND thumbprint = ?2 AND (document IS NULL OR document = ?3)",
        params![caller.citizen, key.thumbprint().as_slice(), document.id],
    )?;
    if bound == 1 { Ok(()) } else { Err(ApiError::new(400, "key_used_for_other_document", "documents never share keys")) }
}

/// The living credential made earlier for the same key and configuration.
fn issued_before(
    connection: &Connection,
    caller: &Caller,
    key: &PublicKey,
    document: &DocumentType,
    format: Format,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, CentralError> {
    Ok(connection
        .query_row(
            "SELECT credential FROM copies
             WHERE citizen = ?1 AND document = ?2 AND thumbprint = ?3 AND format = ?4 AND ended = 0 AND expires > ?5",
            params![caller.citizen, document.id, key.thumbprint().as_slice(), format.identifier(), now.unix()],
            |row| row.get(0),
        )
        .optional()?)
}

/// Whether the device already learned that the document was issued: a refill is no news.
fn was_told(connection: &Connection, caller: &Caller, document: &DocumentType) -> Result<bool, CentralError> {
    let last: Option<String> = connection
        .query_row(
            "SELECT kind FROM changes WHERE citizen = ?1 AND document = ?2 ORDER BY seq DESC LIMIT 1",
            (&caller.citizen, document.id),
            |row| row.get(0),
        )
        .optional()?;
    Ok(last.is_some_and(|kind| kind != "device-replaced"))
}
