//! The recorder: every request and answer that passes the relay, kept in memory for who stands there and written to `record/http/`.
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

/// One request and its answer as they passed.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// `GET` or `POST`.
    pub method: String,
    /// Path with query, for example `/sync/changes?cursor=3`.
    pub path: String,
    /// Request body.
    pub sent: Vec<u8>,
    /// Status code of the answer.
    pub status: u16,
    /// Answer body as central gave it.
    pub received: Vec<u8>,
    /// What the phone got instead, when somebody stood at the relay.
    pub replaced: Option<Vec<u8>>,
}

/// Who is told of every exchange, once it is written.
pub trait Witness: Send + Sync {
    /// `head` is the file that describes the exchange; its bodies lie beside it.
    fn passed(&self, head: &Path);
}

/// Keeps exchanges in memory and writes their bodies into a folder.
pub struct Recorder {
    folder: PathBuf,
    witness: Option<Arc<dyn Witness>>,
    seen: Mutex<Vec<Exchange>>,
}

impl Recorder {
    /// Records into `folder`, which is made, and tells `witness`.
    pub fn new(folder: &Path, witness: Option<Arc<dyn Witness>>) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), witness, seen: Mutex::new(Vec::new()) })
    }

    /// Keeps one exchange. A body that cannot be written is told in the log and stays in memory.
    pub fn keep(&self, exchange: Exchange) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let number = seen.len() + 1;
        let stem = format!("{number:04}-{}-{}", exchange.method.to_lowercase(), slug(&exchange.path));
        let head = json!({
            "method": exchange.method, "path": exchange.path, "status": exchange.status, "replaced": exchange.replaced.is_some(),
            "sent_bytes": exchange.sent.len(), "received_bytes": exchange.received.len(),
        });
        let described = self.folder.join(format!("{stem}.json"));
        let written = std::fs::write(&described, format!("{head}\n"))
            .and_then(|()| write_body(&self.folder.join(format!("{stem}.request")), &exchange.sent))
            .and_then(|()| write_body(&self.folder.join(format!("{stem}.response")), &exchange.received))
            .and_then(|()| write_body(&self.folder.join(format!("{stem}.replaced")), exchange.replaced.as_deref().unwrap_or_default()));
        if let Err(error) = written {
            tracing::warn!(%error, "an exchange could not be written to the record");
        }
        seen.push(exchange);
        if let Some(witness) = &self.witness {
            witness.passed(&described);
        }
    }

    /// Everything seen so far, oldest first.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn write_body(path: &Path, body: &[u8]) -> std::io::Result<()> {
    if body.is_empty() { Ok(()) } else { std::fs::write(path, body) }
}

fn slug(path: &str) -> String {
    let plain: String = path.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).take(80).collect();
    plain.trim_matches(['-', '.']).to_owned()
}
