//! What staff devices decrypted, for the record.
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use wallet_bindings::Recorder;

use super::manifest::{Event, Manifest};

/// Writes what one staff device decrypts into a folder that devices share: `0001.cbor`, `0002.cbor`, ...
pub struct OpenedAnswers {
    /// The staff device.
    pub device: String,
    /// The folder.
    pub folder: PathBuf,
    /// Where it is noted.
    pub manifest: Manifest,
}

impl Recorder for OpenedAnswers {
    fn decrypted_answer(&self, token: &[u8]) {
        let written = (1..10_000_u32).map(|number| self.folder.join(format!("{number:04}.cbor"))).find_map(|path| {
            match File::options().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(mut file) => Some(file.write_all(token).map(|()| path)),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => None,
                Err(e) => Some(Err(e)),
            }
        });
        match written {
            Some(Ok(path)) => self.manifest.note(Event::Opened { device: self.device.clone(), file: self.manifest.name_of(&path) }),
            Some(Err(error)) => tracing::warn!(%error, "a decrypted answer could not be written to the record"),
            None => tracing::warn!("the record has no room for a decrypted answer"),
        }
    }
}
