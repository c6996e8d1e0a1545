//! The software key store, counted and with an unwilling user when wanted.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use wallet_base::crypto::PublicKey;
use wallet_platform::ports::{AuthorisationId, CreatedKeys, KeyClass, KeyId, KeyStore, PortError};
use wallet_platform::software::SoftwareKeyStore;

pub struct CountingKeys {
    inner: SoftwareKeyStore,
    /// Calls that made holder keys.
    pub batches: AtomicU32,
    /// Prompts shown.
    pub prompts: AtomicU32,
    /// The user turns the next prompts away.
    pub unwilling: AtomicBool,
    /// The store refuses to sign with holder keys.
    pub broken: AtomicBool,
}

impl CountingKeys {
    pub fn open(directory: &Path) -> Self {
        Self {
            inner: SoftwareKeyStore::open(directory).unwrap(),
            batches: AtomicU32::new(0),
            prompts: AtomicU32::new(0),
            unwilling: AtomicBool::new(false),
            broken: AtomicBool::new(false),
        }
    }
}

impl KeyStore for CountingKeys {
    fn create_keys(&self, class: KeyClass, n: u32, challenge: &[u8]) -> Result<CreatedKeys, PortError> {
        if class == KeyClass::Holder {
            self.batches.fetch_add(1, Ordering::SeqCst);
        }
        self.inner.create_keys(class, n, challenge)
    }

    fn authorise(&self, reason: &str, keys: &[KeyId], max_uses: u32, ttl: Duration) -> Result<AuthorisationId, PortError> {
        self.prompts.fetch_add(1, Ordering::SeqCst);
        if self.unwilling.load(Ordering::SeqCst) {
            return Err(PortError::Cancelled);
        }
        self.inner.authorise(reason, keys, max_uses, ttl)
    }

    fn sign(&self, authorisation: Option<&AuthorisationId>, key: &KeyId, message: &[u8]) -> Result<[u8; 64], PortError> {
        if authorisation.is_some() && self.broken.load(Ordering::SeqCst) {
            return Err(PortError::Unavailable);
        }
        self.inner.sign(authorisation, key, message)
    }

    fn agree(
        &self,
        authorisation: Option<&AuthorisationId>,
        key: &KeyId,
        peer: &PublicKey,
    ) -> Result<zeroize::Zeroizing<[u8; 32]>, PortError> {
        self.inner.agree(authorisation, key, peer)
    }

    fn end(&self, authorisation: &AuthorisationId) -> Result<(), PortError> {
        self.inner.end(authorisation)
    }

    fn delete(&self, keys: &[KeyId]) -> Result<(), PortError> {
        self.inner.delete(keys)
    }

    fn list(&self) -> Result<Vec<KeyId>, PortError> {
        self.inner.list()
    }
}
