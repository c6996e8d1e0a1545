//! `service.json` in a wallet's or a device's folder: where central is and what of it may be believed. Public data only; an app has it built in.
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::trouble::Trouble;

const NAME: &str = "service.json";

/// Address and roots of a central service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceFile {
    /// `https://host:port`
    pub url: String,
    /// TLS root, DER in hexadecimal.
    pub tls_root: String,
    /// The trust repository's first root (`root.json`), as text.
    pub trust_root: String,
    /// Lowest trust version taken.
    pub trust_floor: u64,
}

impl ServiceFile {
    /// Writes it into `dir`.
    pub fn write(&self, dir: &Path) -> Result<(), Trouble> {
        let text = serde_json::to_string_pretty(self).map_err(|e| Trouble::outside("writing service.json", e))?;
        // Whole or not at all, for its owner only: a command that is refused must not leave half of it.
        let failed = |e: std::io::Error| Trouble::outside("writing service.json", e);
        let mut file = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
        file.write_all((text + "\n").as_bytes()).map_err(failed)?;
        file.persist(dir.join(NAME)).map_err(|e| failed(e.error))?;
        Ok(())
    }

    /// Reads it from `dir`.
    pub fn read(dir: &Path) -> Result<Self, Trouble> {
        let text = std::fs::read_to_string(dir.join(NAME))
            .map_err(|_| Trouble::usage(format!("{} holds no {NAME}: not a folder of a wallet or a staff device", dir.display())))?;
        serde_json::from_str(&text).map_err(|_| Trouble::usage(format!("{NAME} cannot be read")))
    }

    /// The TLS root in DER.
    pub fn tls_root_der(&self) -> Result<Vec<u8>, Trouble> {
        hex::decode(&self.tls_root).map_err(|_| Trouble::usage(format!("{NAME} cannot be read")))
    }
}
