//! `officer ask --record`: every answer that opened, as a file, for whoever has to prove afterwards what left a wallet. Personal data.
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wallet_bindings::Recorder;

/// Most answers in one folder.
const MOST: u32 = 100_000;

/// A folder of decrypted answers: `00001.cbor`, `00002.cbor`, ... for their owner only. Several devices may share it.
pub struct AnswerFolder(PathBuf);

impl AnswerFolder {
    /// Writes into `folder`, which is there.
    pub fn at(folder: &Path) -> Arc<dyn Recorder> {
        Arc::new(Self(folder.to_owned()))
    }
}

impl Recorder for AnswerFolder {
    fn decrypted_answer(&self, token: &[u8]) {
        let open = |number: u32| File::options().write(true).create_new(true).mode(0o600).open(self.0.join(format!("{number:05}.cbor")));
        let taken = |result: &std::io::Result<File>| matches!(result, Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists);
        let Some(opened) = (1..MOST).map(open).find(|result| !taken(result)) else {
            tracing::warn!("the folder of answers is full");
            return;
        };
        if let Err(error) = opened.and_then(|mut file| file.write_all(token)) {
            tracing::warn!(%error, "a decrypted answer could not be written down");
        }
    }
}
