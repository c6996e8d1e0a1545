//! A wallet or a staff device in a folder of this machine: opened with the desktop's own ports, through the exported border, as a phone does it.
use std::fs::{DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wallet_bindings::ports::{ClockPort, KeyStorePort, ListenerPort};
use wallet_bindings::software::{SoftwareKeyStore, SoftwareSealer};
use wallet_bindings::verifier::VerifierConfig;
use wallet_bindings::wallet::WalletConfig;
use wallet_bindings::{Recorder, Verifier, Wallet, WalletError};

use crate::advice::sentence;
use crate::ports::{DesktopClock, RememberingKeys};
use crate::service_file::ServiceFile;
use crate::trouble::Trouble;

/// Whose folder it is. The files are those that the cores keep there themselves, so that folders made before this was asked are told apart as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A citizen's wallet.
    Wallet,
    /// A staff device.
    Staff,
}

impl Kind {
    /// Nothing is said of a folder that holds neither's files. A wallet in which a staff command left its own is a wallet.
    fn of(dir: &Path) -> Option<Self> {
        let holds = |name: &str| dir.join(name).symlink_metadata().is_ok();
        if holds("wallet.keys") || holds("wallet.db") {
            return Some(Self::Wallet);
        }
        holds("keys.slots").then_some(Self::Staff)
    }

    /// Refuses a folder of the other kind, before anything in it is opened: both keep a `cache.db`, each under its own key.
    pub fn refuse_other(self, dir: &Path) -> Result<(), Trouble> {
        let words = match (self, Self::of(dir)) {
            (Self::Staff, Some(Self::Wallet)) => "this is a citizen's wallet's folder, not a staff device's; give another one with --dir",
            (Self::Wallet, Some(Self::Staff)) => "this is a staff device's folder, not a wallet's; give another one with --dir",
            _ => return Ok(()),
        };
        Err(Trouble::usage(format!("{}: {words}. Nothing was changed", dir.display())))
    }
}

/// The sub folder that plays the phone's key hardware.
const HARDWARE: &str = "device";

/// Turns an error of the border into trouble with the right exit code.
pub fn at_border(doing: &str, error: WalletError) -> Trouble {
    match error {
        WalletError::Untrusted { fact } => Trouble::Refused { fact },
        WalletError::Network | WalletError::CardMoved | WalletError::Storage { .. } | WalletError::Internal | WalletError::Closed => {
            Trouble::outside(doing, sentence(&error))
        }
        WalletError::Invalid { reason } if matches!(reason.as_str(), "busy" | "service-certificate" | "service-clock") => {
            Trouble::outside(doing, sentence(&WalletError::Invalid { reason }))
        }
        other => Trouble::usage(format!("{doing}: {}", sentence(&other))),
    }
}

/// Whether another program had the folder: then nothing in it is this command's to change, or to clean up.
pub fn was_busy(trouble: &Trouble) -> bool {
    trouble.to_string().contains("storage: busy")
}

/// The device's key store; it remembers which keys it made since it was opened.
pub fn keys(dir: &Path) -> Result<Arc<RememberingKeys>, Trouble> {
    let store: Arc<dyn KeyStorePort> = SoftwareKeyStore::new(&hardware(dir)?).map_err(|e| at_border("opening the key store", e))?;
    Ok(Arc::new(RememberingKeys::new(store)))
}

fn hardware(dir: &Path) -> Result<std::path::PathBuf, Trouble> {
    let path = dir.join(HARDWARE);
    std::fs::create_dir_all(&path).map_err(|e| Trouble::outside("making the device's folder", e))?;
    Ok(path)
}

/// Opens the wallet in `dir`, which holds a `service.json`.
pub fn wallet(
    dir: &Path,
    keys: Arc<dyn KeyStorePort>,
    clock: &DesktopClock,
    listener: Option<Arc<dyn ListenerPort>>,
) -> Result<Arc<Wallet>, Trouble> {
    wallet_at(dir, ServiceFile::read(dir)?, keys, clock, listener)
}

/// Opens the wallet in `dir` for a given service.
pub fn wallet_at(
    dir: &Path,
    service: ServiceFile,
    keys: Arc<dyn KeyStorePort>,
    clock: &DesktopClock,
    listener: Option<Arc<dyn ListenerPort>>,
) -> Result<Arc<Wallet>, Trouble> {
    let sealer = SoftwareSealer::new(&hardware(dir)?).map_err(|e| at_border("opening the sealer", e))?;
    let config = WalletConfig {
        directory: dir.to_string_lossy().into_owned(),
        tls_root: service.tls_root_der()?,
        service_url: service.url,
        trust_root: service.trust_root.into_bytes(),
        trust_floor: service.trust_floor,
    };
    let clock: Arc<dyn ClockPort> = Arc::new(clock.clone());
    Wallet::open(config, keys, sealer, clock, listener).map_err(|e| at_border("opening the wallet", e))
}

/// Opens the staff device in `dir`, which holds a `service.json`. With a recorder, it is told everything that the device decrypts.
pub fn verifier(
    dir: &Path,
    keys: Arc<dyn KeyStorePort>,
    clock: &DesktopClock,
    recorder: Option<Arc<dyn Recorder>>,
) -> Result<Arc<Verifier>, Trouble> {
    verifier_at(dir, ServiceFile::read(dir)?, keys, clock, recorder)
}

/// Opens the staff device in `dir` for a given service.
pub fn verifier_at(
    dir: &Path,
    service: ServiceFile,
    keys: Arc<dyn KeyStorePort>,
    clock: &DesktopClock,
    recorder: Option<Arc<dyn Recorder>>,
) -> Result<Arc<Verifier>, Trouble> {
    let sealer = SoftwareSealer::new(&hardware(dir)?).map_err(|e| at_border("opening the sealer", e))?;
    let config = VerifierConfig {
        directory: dir.to_string_lossy().into_owned(),
        tls_root: service.tls_root_der()?,
        service_url: service.url,
        trust_root: service.trust_root.into_bytes(),
        trust_floor: service.trust_floor,
    };
    let clock: Arc<dyn ClockPort> = Arc::new(clock.clone());
    let opened = match recorder {
        None => Verifier::open(config, keys, sealer, clock, None),
        Some(recorder) => Verifier::open_recorded(config, keys, sealer, clock, None, recorder),
    };
    opened.map_err(|e| at_border("opening the staff device", e))
}

/// Writes decrypted answers into a folder: `0001.cbor`, `0002.cbor`, ... Several devices may share the folder.
pub struct AnswerRecord {
    folder: PathBuf,
    noted: Box<dyn Fn(&Path) + Send + Sync>,
}

impl AnswerRecord {
    /// Writes into `folder`, which exists, and tells `noted` of every file.
    pub fn new(folder: &Path, noted: impl Fn(&Path) + Send + Sync + 'static) -> Self {
        Self { folder: folder.to_owned(), noted: Box::new(noted) }
    }
}

impl Recorder for AnswerRecord {
    fn decrypted_answer(&self, token: &[u8]) {
        let written = (1..10_000_u32).map(|number| self.folder.join(format!("{number:04}.cbor"))).find_map(|path| {
            match File::options().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(mut file) => Some(file.write_all(token).map(|()| path)),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => None,
                Err(e) => Some(Err(e)),
            }
        });
        match written {
            Some(Ok(path)) => (self.noted)(&path),
            Some(Err(error)) => tracing::warn!(%error, "a decrypted answer could not be written to the record"),
            None => tracing::warn!("the record has no room for a decrypted answer"),
        }
    }

    /// `keys/<SHA-256 of the request>.json` in the same folder: without the key nobody but this code could say what an answer held.
    fn asked(&self, request: &[u8; 32], key: &[u8]) {
        let (request, key) = (hex::encode(request), hex::encode(key));
        let folder = self.folder.join("keys");
        let written = DirBuilder::new().recursive(true).mode(0o700).create(&folder).and_then(|()| {
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(folder.join(format!("{request}.json")))?;
            writeln!(file, "{}", serde_json::json!({ "request": request, "key": key }))
        });
        if let Err(error) = written {
            tracing::warn!(%error, "the key of a request could not be written to the record");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trouble::{REJECTED, SURROUNDINGS, USAGE};

    #[test]
    fn the_exit_code_says_whose_fault_it_is() {
        let invalid = |reason: &str| WalletError::Invalid { reason: reason.to_owned() };
        for (error, code) in [
            (WalletError::Untrusted { fact: "clock".to_owned() }, REJECTED),
            (WalletError::Network, SURROUNDINGS),
            (invalid("service-certificate"), SURROUNDINGS),
            (invalid("service-clock"), SURROUNDINGS),
            (invalid("busy"), SURROUNDINGS),
            (invalid("code"), USAGE),
        ] {
            assert_eq!(at_border("syncing", error.clone()).exit_code(), code, "{error}");
        }
    }

    #[test]
    fn a_clock_that_refuses_says_what_to_do() {
        let told = at_border("syncing", WalletError::Untrusted { fact: "clock".to_owned() }).to_string();
        assert!(told.starts_with("refused: clock: ") && told.contains("date and time"), "{told}");
        assert_eq!(at_border("syncing", WalletError::Untrusted { fact: "chip.chain".to_owned() }).to_string(), "refused: chip.chain");
    }
}
