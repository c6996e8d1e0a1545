//! The change feed: what happened to a citizen's documents since a cursor, and how they stand.

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use wallet_base::time::Timestamp;

use crate::error::ApiError;
use crate::service::Service;
use crate::tokens::Caller;

/// Most changes in one answer.
const PAGE: i64 = 200;

/// `GET /sync/changes?cursor=N`.
pub(crate) fn changes(connection: &Connection, caller: &Caller, cursor: i64) -> Result<Value, ApiError> {
    if cursor < 0 {
        return Err(ApiError::invalid("the cursor is negative"));
    }
    let mut last = cursor;
    let mut changes = Vec::new();
    let mut rows =
        connection.prepare_cached("SELECT seq, document, kind, at FROM changes WHERE citizen = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")?;
    for row in rows.query_map(params![caller.citizen, cursor, PAGE], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get::<_, i64>(3)?))
    })? {
        let (seq, document, kind, at) = row?;
        last = seq;
        changes.push(json!({"seq": seq, "document": document, "kind": kind, "at": Timestamp::from_unix(at).to_rfc3339()}));
    }
    let mut documents = Vec::new();
    let mut rows = connection.prepare_cached("SELECT document, state, as_of FROM documents WHERE citizen = ?1 ORDER BY document")?;
    for row in rows.query_map([&caller.citizen], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?)))? {
        let (id, state, as_of) = row?;
        documents.push(json!({"id": id, "state": state, "as_of": Timestamp::from_unix(as_of).to_rfc3339()}));
    }
    // Whose answer it is: given again to somebody else, it says so.
    let account: Option<String> =
        connection.query_row("SELECT account FROM accounts WHERE citizen = ?1", [&caller.citizen], |row| row.get(0))?;
    Ok(json!({"account": account, "changes": changes, "cursor": last, "documents": documents}))
}

impl Service {
    /// `GET /status`.
    pub(crate) fn status_lists(&self) -> Value {
        self.publish_if_due();
        let weeks = self.publisher(self.now()).weeks();
        let lists: Vec<String> = wallet_documents::ALL_TYPES
            .iter()
            .flat_map(|document| weeks.iter().map(|week| crate::status::path(document.id, week)))
            .collect();
        json!({"lists": lists})
    }

    /// `GET /status/{document}/{week}`.
    pub(crate) fn status_list(&self, document: &str, week: &str) -> Result<Vec<u8>, ApiError> {
        self.publish_if_due();
        crate::status::token(&self.reader(), document, week)?.ok_or(ApiError::new(404, "not_found", "no such list"))
    }
}
