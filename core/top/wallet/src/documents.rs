//! The documents in the wallet: their life, their stock of copies, their display model.

use rusqlite::{Connection, OptionalExtension, params};
use wallet_base::time::Timestamp;
use wallet_documents::{Attributes, DocumentType, types};

use crate::error::WalletError;
use crate::inner::Inner;
use crate::issuance::{copies, journal};

/// Where a document is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentState {
    /// Offered; copies are on their way.
    Requested,
    /// The registry has no such document of this citizen.
    NotFound,
    /// In the wallet.
    Issued,
    /// Its values changed; new copies are on their way.
    OutOfDate,
    /// Suspended by its issuer: a check shows it.
    Suspended,
    /// Revoked by its issuer, or the account moved to another device.
    Ended,
}

impl DocumentState {
    const ALL: [Self; 6] = [Self::Requested, Self::NotFound, Self::Issued, Self::OutOfDate, Self::Suspended, Self::Ended];

    /// `requested`, `not-found`, `issued`, `out-of-date`, `suspended` or `ended`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::NotFound => "not-found",
            Self::Issued => "issued",
            Self::OutOfDate => "out-of-date",
            Self::Suspended => "suspended",
            Self::Ended => "ended",
        }
    }

    fn read(text: &str) -> Result<Self, WalletError> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(WalletError::Internal("document state"))
    }

    /// Whether copies of a document in this state are fetched.
    pub(crate) const fn wants_copies(self) -> bool {
        matches!(self, Self::Requested | Self::Issued | Self::OutOfDate)
    }
}

/// One document, for a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentSummary {
    /// Document type id.
    pub id: String,
    /// Catalogue key of the type's name.
    pub label: String,
    /// Where it is in its life.
    pub state: DocumentState,
    /// As of when that is known.
    pub as_of: Timestamp,
    /// Copies that can be shown now.
    pub copies_left: u32,
    /// Until when the last of them can be shown.
    pub valid_until: Option<Timestamp>,
}

/// One document with its values, for its holder. Personal: not for logs.
#[derive(Clone)]
pub struct DocumentView {
    /// As in the list.
    pub summary: DocumentSummary,
    /// Ordered groups of labelled values; `None` before the first copy was stored.
    pub display: Option<wallet_documents::display::DisplayModel>,
}

impl std::fmt::Debug for DocumentView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DocumentView").field("summary", &self.summary).finish_non_exhaustive()
    }
}

/// See [`crate::Wallet::documents`].
pub(crate) fn list(inner: &Inner) -> Result<Vec<DocumentSummary>, WalletError> {
    let now = inner.now();
    inner.read(|db| {
        let mut all = Vec::new();
        for kind in types::ALL {
            all.extend(summary(db, kind, now)?);
        }
        Ok(all)
    })
}

/// See [`crate::Wallet::document`].
pub(crate) fn view(inner: &Inner, id: &str) -> Result<DocumentView, WalletError> {
    let kind = types::by_id(id).ok_or(WalletError::NoSuchDocument)?;
    let now = inner.now();
    let (summary, attributes) = inner.read(|db| {
        let summary = summary(db, kind, now)?.ok_or(WalletError::NoSuchDocument)?;
        Ok((summary, attributes(db, kind)?))
    })?;
    // Days end at midnight where the papers are from.
    let today = now.plus_secs(7 * 3600).date();
    let display = attributes.as_ref().map(|attributes| {
        let mut model = wallet_documents::display::display(attributes, today);
        model.groups.push(crate::display::state_group(&summary));
        model
    });
    Ok(DocumentView { summary, display })
}

fn summary(db: &Connection, kind: &DocumentType, now: Timestamp) -> Result<Option<DocumentSummary>, WalletError> {
    let row: Option<(String, i64)> = db
        .prepare_cached("SELECT state, as_of FROM document WHERE id = ?1")?
        .query_row([kind.id], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let Some((state, as_of)) = row else {
        return Ok(None);
    };
    let stock = copies::stock(db, kind.id, now)?;
    Ok(Some(DocumentSummary {
        id: kind.id.to_owned(),
        label: kind.label.to_owned(),
        state: DocumentState::read(&state)?,
        as_of: Timestamp::from_unix(as_of),
        copies_left: stock.fresh,
        valid_until: stock.valid_until.map(Timestamp::from_unix),
    }))
}

/// The verified values of a document, as of its newest batch.
pub(crate) fn attributes(db: &Connection, kind: &'static DocumentType) -> Result<Option<Attributes>, WalletError> {
    let text: Option<Option<String>> = db.query_row("SELECT attributes FROM document WHERE id = ?1", [kind.id], |r| r.get(0)).optional()?;
    let Some(text) = text.flatten() else {
        return Ok(None);
    };
    let broken = || WalletError::Internal("document attributes");
    let json = serde_json::from_str(&text).map_err(|_| broken())?;
    Attributes::from_json(kind, &json).map(Some).map_err(|_| broken())
}

/// The state of a document; `None` when the wallet has never heard of it.
pub(crate) fn state(db: &Connection, id: &str) -> Result<Option<DocumentState>, WalletError> {
    let text: Option<String> = db.query_row("SELECT state FROM document WHERE id = ?1", [id], |r| r.get(0)).optional()?;
    text.as_deref().map(DocumentState::read).transpose()
}

/// When the newest batch of a document was stored.
pub(crate) fn issued_at(db: &Connection, id: &str) -> Result<Option<Timestamp>, WalletError> {
    let at: Option<Option<i64>> = db.query_row("SELECT issued_at FROM document WHERE id = ?1", [id], |r| r.get(0)).optional()?;
    Ok(at.flatten().map(Timestamp::from_unix))
}

/// As of when a document's state is known.
pub(crate) fn as_of(db: &Connection, id: &str) -> Result<Option<Timestamp>, WalletError> {
    let at: Option<i64> = db.query_row("SELECT as_of FROM document WHERE id = ?1", [id], |r| r.get(0)).optional()?;
    Ok(at.map(Timestamp::from_unix))
}

/// Writes a document's state.
pub(crate) fn set_state(db: &Connection, id: &str, state: DocumentState, as_of: Timestamp) -> Result<(), WalletError> {
    db.execute(
        "INSERT INTO document (id, state, as_of) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET state = ?2, as_of = ?3",
        params![id, state.as_str(), as_of.unix()],
    )?;
    Ok(())
}

/// Forgets every document with its copies, batches, notices and the place in the change feed; the keys are condemned.
pub(crate) fn forget_all(db: &Connection) -> Result<(), WalletError> {
    for kind in types::ALL {
        copies::spend_all(db, kind.id)?;
        if let Some(batch) = journal::load(db, kind.id)? {
            journal::abandon(db, batch.id)?;
        }
    }
    db.execute_batch("DELETE FROM copy_set; DELETE FROM document; DELETE FROM notice; DELETE FROM setting WHERE name = 'cursor';")?;
    Ok(())
}

/// Writes verified values: the document is issued.
pub(crate) fn set_issued(db: &Connection, attributes: &Attributes, now: Timestamp) -> Result<(), WalletError> {
    let id = attributes.document().id;
    set_state(db, id, DocumentState::Issued, now)?;
    db.execute(
        "UPDATE document SET attributes = ?2, issued_at = ?3 WHERE id = ?1",
        params![id, attributes.to_json().to_string(), now.unix()],
    )?;
    Ok(())
}
