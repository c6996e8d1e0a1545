//! Software ports for desktop and tests (feature `software`, absent from a phone's library).
//!
//! They are the platform crate's software versions behind the exported traits, so that the desktop reaches the core exactly as a phone does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use wallet_base::crypto::{Curve, PublicKey};
use wallet_platform::ports::{AuthorisationId, Clock, DeviceSealer, KeyClass, KeyId, KeyStore, PortError, SealClass};
use wallet_platform::software;

use crate::error::WalletError;
use crate::ports::{ClockPort, DeviceSealerPort, KeyPurpose, KeyStorePort, NewKey, NewKeys, PortFault, SealPurpose};

/// Private keys in sealed files of a folder. Central takes their evidence only with `--allow-software-keys`.
pub struct SoftwareKeyStore(software::SoftwareKeyStore);

impl SoftwareKeyStore {
    /// Opens the store of a folder; makes it the first time.
    pub fn new(directory: &Path) -> Result<Arc<Self>, WalletError> {
        software::SoftwareKeyStore::open(directory).map(|store| Arc::new(Self(store))).map_err(|_| disk())
    }
}

/// Sealing under a key in a file of a folder.
pub struct SoftwareSealer(software::SoftwareSealer);

impl SoftwareSealer {
    /// Opens the sealer of a folder; makes it the first time.
    pub fn new(directory: &Path) -> Result<Arc<Self>, WalletError> {
        software::SoftwareSealer::open(directory).map(|sealer| Arc::new(Self(sealer))).map_err(|_| disk())
    }
}

/// The machine's clocks.
pub struct SystemClock(software::SystemClock);

impl SystemClock {
    /// The clocks.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(software::SystemClock::new()))
    }
}

fn disk() -> WalletError {
    WalletError::Storage { reason: "disk".to_owned() }
}

/// A software key store for a program in another language.
#[uniffi::export]
pub fn software_key_store(directory: String) -> Result<Arc<dyn KeyStorePort>, WalletError> {
    Ok(SoftwareKeyStore::new(Path::new(&directory))?)
}

/// A software sealer for a program in another language.
#[uniffi::export]
pub fn software_sealer(directory: String) -> Result<Arc<dyn DeviceSealerPort>, WalletError> {
    Ok(SoftwareSealer::new(Path::new(&directory))?)
}

/// The machine's clocks for a program in another language.
#[uniffi::export]
pub fn system_clock() -> Arc<dyn ClockPort> {
    SystemClock::new()
}

impl KeyStorePort for SoftwareKeyStore {
    fn create_keys(&self, purpose: KeyPurpose, count: u32, challenge: Vec<u8>) -> Result<NewKeys, PortFault> {
        let made = self.0.create_keys(purpose.into(), count, &challenge)?;
        let keys = made.keys.into_iter().map(|(id, public)| NewKey { id: id.0, public_key: public.to_sec1() }).collect();
        Ok(NewKeys { keys, evidence: made.evidence })
    }

    fn authorise(&self, reason: String, keys: Vec<String>, max_uses: u32, ttl_millis: u64) -> Result<String, PortFault> {
        let keys: Vec<KeyId> = keys.into_iter().map(KeyId).collect();
        Ok(self.0.authorise(&reason, &keys, max_uses, Duration::from_millis(ttl_millis))?.0)
    }

    fn sign(&self, authorisation: Option<String>, key: String, bytes: Vec<u8>) -> Result<Vec<u8>, PortFault> {
        Ok(self.0.sign(authorisation.map(AuthorisationId).as_ref(), &KeyId(key), &bytes)?.to_vec())
    }

    fn agree(&self, authorisation: Option<String>, key: String, peer: Vec<u8>) -> Result<Vec<u8>, PortFault> {
        let peer = PublicKey::from_sec1(Curve::P256, &peer).map_err(|_| PortFault::Unsupported)?;
        Ok(self.0.agree(authorisation.map(AuthorisationId).as_ref(), &KeyId(key), &peer)?.to_vec())
    }

    fn end(&self, authorisation: String) -> Result<(), PortFault> {
        Ok(self.0.end(&AuthorisationId(authorisation))?)
    }

    fn delete(&self, keys: Vec<String>) -> Result<(), PortFault> {
        Ok(self.0.delete(&keys.into_iter().map(KeyId).collect::<Vec<_>>())?)
    }

    fn list(&self) -> Result<Vec<String>, PortFault> {
        Ok(self.0.list()?.into_iter().map(|key| key.0).collect())
    }
}

impl DeviceSealerPort for SoftwareSealer {
    fn seal(&self, purpose: SealPurpose, share: Vec<u8>) -> Result<Vec<u8>, PortFault> {
        Ok(self.0.seal(purpose.into(), &share)?)
    }

    fn unseal(&self, purpose: SealPurpose, sealed: Vec<u8>) -> Result<Vec<u8>, PortFault> {
        Ok(self.0.unseal(purpose.into(), &sealed)?.expose().to_vec())
    }

    fn mac(&self, input: Vec<u8>) -> Result<Vec<u8>, PortFault> {
        Ok(self.0.mac(&input)?.to_vec())
    }
}

impl ClockPort for SystemClock {
    fn wall_seconds(&self) -> Result<i64, PortFault> {
        Ok(self.0.wall().unix())
    }

    fn monotonic_millis(&self) -> Result<u64, PortFault> {
        Ok(self.0.monotonic_millis())
    }

    fn boot_id(&self) -> Result<String, PortFault> {
        Ok(self.0.boot_id())
    }
}

impl From<KeyPurpose> for KeyClass {
    fn from(purpose: KeyPurpose) -> Self {
        match purpose {
            KeyPurpose::Account => Self::Account,
            KeyPurpose::Holder => Self::Holder,
            KeyPurpose::Transaction => Self::Transaction,
        }
    }
}

impl From<SealPurpose> for SealClass {
    fn from(purpose: SealPurpose) -> Self {
        match purpose {
            SealPurpose::User => Self::User,
            SealPurpose::Background => Self::Background,
        }
    }
}

impl From<PortError> for PortFault {
    fn from(error: PortError) -> Self {
        match error {
            PortError::Cancelled => Self::Cancelled,
            PortError::TimedOut => Self::TimedOut,
            PortError::KeyInvalidated => Self::KeyInvalidated,
            PortError::NotAuthorised => Self::NotAuthorised,
            PortError::Unsupported => Self::Unsupported,
            PortError::NoSpace => Self::NoSpace,
            PortError::NoSecureLock => Self::NoSecureLock,
            PortError::Unavailable => Self::Unavailable,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::contract::{contract_clock, contract_device_sealer, contract_key_store};

    #[test]
    fn software_ports_keep_their_contracts_through_the_border() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_string_lossy().into_owned();
        for report in [
            contract_key_store(software_key_store(path.clone()).unwrap()),
            contract_device_sealer(software_sealer(path).unwrap()),
            contract_clock(system_clock()),
        ] {
            assert_eq!((report.holds, report.broken_clause.as_str()), (true, ""));
            assert!(report.clauses.len() >= 5);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_a_storage_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let below = file.join("keys").to_string_lossy().into_owned();
        assert_eq!(software_key_store(below).err(), Some(WalletError::Storage { reason: "disk".to_owned() }));
    }
}
