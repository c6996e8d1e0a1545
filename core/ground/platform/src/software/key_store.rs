//! Private keys in sealed files.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use wallet_base::crypto::{Curve, EphemeralKey, PublicKey, Signer, SoftwareKey, aes_gcm_open, aes_gcm_seal};
use wallet_base::jose::b64u;
use wallet_base::random::{OsRandom, array};
use zeroize::Zeroizing;

use super::secret_file;
use crate::files;
use crate::ports::{AuthorisationId, CreatedKeys, KeyClass, KeyId, KeyStore, MAX_AUTHORISATION_TTL, MAX_KEYS_PER_CALL, PortError};

/// What every software proof begins with: `label || challenge || x(32) || y(32)` is signed by each key with ES256.
pub const EVIDENCE_LABEL: &[u8] = b"wallet-software-evidence-v1";

/// How a [`SoftwareKeyStore`] behaves where phones differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStoreOptions {
    /// Whether the "device" has a secure screen lock; without one there are no holder and transaction keys.
    pub secure_lock: bool,
    /// Whether `agree` is supported (Android has it from API 31 only).
    pub agreement: bool,
    /// Whether the "user" consents when asked; else `authorise` is cancelled.
    pub user_consents: bool,
}

impl Default for KeyStoreOptions {
    fn default() -> Self {
        Self { secure_lock: true, agreement: true, user_consents: true }
    }
}

struct Authorisation {
    keys: BTreeSet<KeyId>,
    uses_left: u32,
    until: Instant,
}

/// A [`KeyStore`] with one sealed file a key (AES-256-GCM under `keystore.key`, mode 0600) in a directory of mode 0700. Authorisations live
/// in memory: a restart ends them all. Several instances may share a directory.
pub struct SoftwareKeyStore {
    directory: PathBuf,
    sealing: Zeroizing<[u8; 32]>,
    options: KeyStoreOptions,
    authorisations: Mutex<HashMap<String, Authorisation>>,
    prompts: AtomicU64,
}

impl std::fmt::Debug for SoftwareKeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoftwareKeyStore").field("options", &self.options).finish_non_exhaustive()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

const fn class_byte(class: KeyClass) -> u8 {
    match class {
        KeyClass::Account => 1,
        KeyClass::Holder => 2,
        KeyClass::Transaction => 3,
    }
}

impl SoftwareKeyStore {
    /// Opens the store of a directory; makes it the first time.
    pub fn open(directory: &Path) -> io::Result<Self> {
        Self::open_with(directory, KeyStoreOptions::default())
    }

    /// Opens the store of a directory with options.
    pub fn open_with(directory: &Path, options: KeyStoreOptions) -> io::Result<Self> {
        files::private_dir(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            sealing: secret_file(&directory.join("keystore.key"))?,
            options,
            authorisations: Mutex::default(),
            prompts: AtomicU64::new(0),
        })
    }

    /// How often the "user" was asked since this instance was opened.
    pub fn prompts(&self) -> u64 {
        self.prompts.load(Ordering::Relaxed)
    }

    /// Names are 32 hex digits; anything else is no key of ours (and no path either).
    fn path(&self, key: &KeyId) -> Option<PathBuf> {
        let sound = key.0.len() == 32 && key.0.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        sound.then(|| self.directory.join(format!("{}.key", key.0)))
    }

    fn aad(key: &KeyId) -> Vec<u8> {
        [b"wallet-software-key-v1 ".as_slice(), key.0.as_bytes()].concat()
    }

    fn save(&self, key: &KeyId, class: KeyClass, secret: &SoftwareKey) -> Result<(), PortError> {
        let scalar = secret.scalar();
        let plaintext = Zeroizing::new([&[class_byte(class)], scalar.as_slice()].concat());
        let nonce = array::<12>(&OsRandom);
        let sealed = aes_gcm_seal(self.sealing.as_slice(), &nonce, &Self::aad(key), &plaintext).map_err(|_| PortError::Unavailable)?;
        let path = self.path(key).ok_or(PortError::Unavailable)?;
        files::write_private(&path, &[nonce.as_slice(), &sealed].concat()).map_err(|error| cannot_keep(&error))
    }

    /// The class and secret of a key; [`PortError::KeyInvalidated`] when it is gone or its file was changed.
    fn load(&self, key: &KeyId) -> Result<(KeyClass, Zeroizing<Vec<u8>>), PortError> {
        let path = self.path(key).ok_or(PortError::KeyInvalidated)?;
        let bytes = files::read_capped(&path, 1024).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::InvalidData => PortError::KeyInvalidated,
            _ => PortError::Unavailable,
        })?;
        let (nonce, sealed) = bytes.split_first_chunk::<12>().ok_or(PortError::KeyInvalidated)?;
        let plaintext = aes_gcm_open(self.sealing.as_slice(), nonce, &Self::aad(key), sealed).map_err(|_| PortError::KeyInvalidated)?;
        let (class, scalar) = plaintext.split_first().ok_or(PortError::KeyInvalidated)?;
        let class = match *class {
            1 => KeyClass::Account,
            2 => KeyClass::Holder,
            3 => KeyClass::Transaction,
            _ => return Err(PortError::KeyInvalidated),
        };
        Ok((class, Zeroizing::new(scalar.to_vec())))
    }

    /// Counts one use of an authorisation, when the class needs one.
    fn spend(&self, class: KeyClass, authorisation: Option<&AuthorisationId>, key: &KeyId) -> Result<(), PortError> {
        if class == KeyClass::Account {
            return Ok(());
        }
        let id = authorisation.ok_or(PortError::NotAuthorised)?;
        let mut all = self.authorisations.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.retain(|_, a| a.until > now && a.uses_left > 0);
        let found = all.get_mut(&id.0).ok_or(PortError::NotAuthorised)?;
        if !found.keys.contains(key) {
            return Err(PortError::NotAuthorised);
        }
        found.uses_left = found.uses_left.checked_sub(1).ok_or(PortError::NotAuthorised)?;
        Ok(())
    }
}

impl KeyStore for SoftwareKeyStore {
    fn create_keys(&self, class: KeyClass, n: u32, challenge: &[u8]) -> Result<CreatedKeys, PortError> {
        if !self.options.secure_lock && class != KeyClass::Account {
            return Err(PortError::NoSecureLock);
        }
        if n == 0 || n > MAX_KEYS_PER_CALL || challenge.len() > 1024 {
            return Err(PortError::Unsupported);
        }
        let mut keys = Vec::new();
        let mut proofs = Vec::new();
        for _ in 0..n {
            let secret = SoftwareKey::generate(Curve::P256, &OsRandom);
            let public = secret.public_key();
            let id = KeyId(hex(&array::<16>(&OsRandom)));
            let (x, y) = public.coordinates();
            let proof = secret.sign(&[EVIDENCE_LABEL, challenge, &x, &y].concat()).map_err(|_| PortError::Unavailable)?;
            if let Err(e) = self.save(&id, class, &secret) {
                let _ = self.delete(&keys.into_iter().map(|(id, _)| id).collect::<Vec<_>>());
                return Err(e);
            }
            proofs.push(b64u(&proof));
            keys.push((id, public));
        }
        files::sync_dir(&self.directory).map_err(|error| cannot_keep(&error))?;
        let evidence = json!({
            "fmt": "software",
            "challenge": b64u(challenge),
            "proofs": proofs,
            "keys": keys.iter().map(|(_, key)| key.to_jwk()).collect::<Vec<_>>(),
        });
        Ok(CreatedKeys { keys, evidence: evidence.to_string().into_bytes() })
    }

    fn authorise(&self, _reason: &str, keys: &[KeyId], max_uses: u32, ttl: Duration) -> Result<AuthorisationId, PortError> {
        if keys.is_empty() || max_uses == 0 || ttl.is_zero() || ttl > MAX_AUTHORISATION_TTL {
            return Err(PortError::Unsupported);
        }
        for key in keys {
            // One use, one prompt: a transaction key shares its authorisation with nothing.
            if self.load(key)?.0 == KeyClass::Transaction && (keys.len() != 1 || max_uses != 1) {
                return Err(PortError::Unsupported);
            }
        }
        self.prompts.fetch_add(1, Ordering::Relaxed);
        if !self.options.user_consents {
            return Err(PortError::Cancelled);
        }
        let id = hex(&array::<16>(&OsRandom));
        self.authorisations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.clone(), Authorisation { keys: keys.iter().cloned().collect(), uses_left: max_uses, until: Instant::now() + ttl });
        Ok(AuthorisationId(id))
    }

    fn sign(&self, authorisation: Option<&AuthorisationId>, key: &KeyId, message: &[u8]) -> Result<[u8; 64], PortError> {
        let (class, scalar) = self.load(key)?;
        let secret = SoftwareKey::from_scalar(Curve::P256, &scalar).map_err(|_| PortError::KeyInvalidated)?;
        self.spend(class, authorisation, key)?;
        let signature = secret.sign(message).map_err(|_| PortError::Unavailable)?;
        <[u8; 64]>::try_from(signature.as_slice()).map_err(|_| PortError::Unavailable)
    }

    fn agree(&self, authorisation: Option<&AuthorisationId>, key: &KeyId, peer: &PublicKey) -> Result<Zeroizing<[u8; 32]>, PortError> {
        if !self.options.agreement || peer.curve() != Curve::P256 {
            return Err(PortError::Unsupported);
        }
        let (class, scalar) = self.load(key)?;
        let secret = EphemeralKey::from_scalar(&scalar).map_err(|_| PortError::KeyInvalidated)?;
        self.spend(class, authorisation, key)?;
        secret.agree(peer).map_err(|_| PortError::Unavailable)
    }

    fn end(&self, authorisation: &AuthorisationId) -> Result<(), PortError> {
        self.authorisations.lock().unwrap_or_else(PoisonError::into_inner).remove(&authorisation.0);
        Ok(())
    }

    fn delete(&self, keys: &[KeyId]) -> Result<(), PortError> {
        for path in keys.iter().filter_map(|key| self.path(key)) {
            match fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(PortError::Unavailable),
                _ => {}
            }
        }
        files::sync_dir(&self.directory).map_err(|_| PortError::Unavailable)
    }

    /// A file that a kill left half written is listed too: it is to be deleted like any other.
    fn list(&self) -> Result<Vec<KeyId>, PortError> {
        let entries = fs::read_dir(&self.directory).map_err(|_| PortError::Unavailable)?;
        let mut keys = Vec::new();
        for entry in entries {
            let name = entry.map_err(|_| PortError::Unavailable)?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".key")).map(|id| KeyId(id.to_owned()));
            keys.extend(id.filter(|id| self.path(id).is_some()));
        }
        Ok(keys)
    }
}

/// Why a key's file could not be written.
fn cannot_keep(error: &io::Error) -> PortError {
    if files::is_full(error) { PortError::NoSpace } else { PortError::Unavailable }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wallet_base::jose::b64u_decode;

    #[test]
    fn keys_survive_a_restart_and_authorisations_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let store = SoftwareKeyStore::open(dir.path()).unwrap();
        let made = store.create_keys(KeyClass::Holder, 1, b"c").unwrap();
        let (id, public) = made.keys[0].clone();
        let ttl = Duration::from_secs(5);
        let old = store.authorise("r", std::slice::from_ref(&id), 2, ttl).unwrap();
        drop(store);
        let store = SoftwareKeyStore::open(dir.path()).unwrap();
        assert_eq!(store.sign(Some(&old), &id, b"m"), Err(PortError::NotAuthorised));
        let new = store.authorise("r", std::slice::from_ref(&id), 1, ttl).unwrap();
        let signature = store.sign(Some(&new), &id, b"m").unwrap();
        public.verify(b"m", &signature).unwrap();
        assert_eq!(store.prompts(), 1);
    }

    #[test]
    fn evidence_is_what_central_reads() {
        let dir = tempfile::tempdir().unwrap();
        let store = SoftwareKeyStore::open(dir.path()).unwrap();
        let made = store.create_keys(KeyClass::Account, 2, b"challenge").unwrap();
        let evidence: serde_json::Value = serde_json::from_slice(&made.evidence).unwrap();
        assert_eq!(evidence["fmt"], "software");
        assert_eq!(b64u_decode(evidence["challenge"].as_str().unwrap()).unwrap(), b"challenge");
        for i in 0..2 {
            let key = PublicKey::from_jwk(&evidence["keys"][i]).unwrap();
            assert_eq!(key, made.keys[i].1);
            let sec1 = key.to_sec1();
            let message = [b"wallet-software-evidence-v1challenge".as_slice(), &sec1[1..]].concat();
            let proof = b64u_decode(evidence["proofs"][i].as_str().unwrap()).unwrap();
            key.verify(&message, &proof).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_are_private_and_sealed() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("keys");
        let store = SoftwareKeyStore::open(&inner).unwrap();
        store.create_keys(KeyClass::Holder, 1, b"c").unwrap();
        assert_eq!(fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
        for entry in fs::read_dir(&inner).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_changed_or_renamed_key_file_is_an_invalidated_key() {
        let dir = tempfile::tempdir().unwrap();
        let store = SoftwareKeyStore::open(dir.path()).unwrap();
        let keys = store.create_keys(KeyClass::Account, 2, b"c").unwrap().keys;
        let path = |i: usize| dir.path().join(format!("{}.key", keys[i].0.0));
        fs::copy(path(1), path(0)).unwrap();
        assert_eq!(store.sign(None, &keys[0].0, b"m"), Err(PortError::KeyInvalidated));
        let mut bytes = fs::read(path(1)).unwrap();
        bytes[20] ^= 1;
        fs::write(path(1), bytes).unwrap();
        assert_eq!(store.sign(None, &keys[1].0, b"m"), Err(PortError::KeyInvalidated));
        let sly = KeyId("../../../../etc/passwd".to_owned());
        assert_eq!(store.sign(None, &sly, b"m"), Err(PortError::KeyInvalidated));
        store.delete(&[sly]).unwrap();
    }

    #[test]
    fn half_written_keys_are_listed_and_other_files_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let store = SoftwareKeyStore::open(dir.path()).unwrap();
        let (id, _) = store.create_keys(KeyClass::Account, 1, b"c").unwrap().keys[0].clone();
        let half = KeyId("0".repeat(32));
        fs::write(dir.path().join(format!("{}.key", half.0)), b"ha").unwrap();
        fs::write(dir.path().join("other.key"), b"x").unwrap();
        let listed: BTreeSet<KeyId> = store.list().unwrap().into_iter().collect();
        assert_eq!(listed, BTreeSet::from([id.clone(), half.clone()]));
        store.delete(&[id, half]).unwrap();
        assert!(store.list().unwrap().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn bad_input_a_full_disk_under_the_keys_is_told_as_no_room() {
        const ENOSPC: i32 = 28;
        const EDQUOT: i32 = 122;
        const EROFS: i32 = 30;
        assert_eq!(cannot_keep(&io::Error::from_raw_os_error(ENOSPC)), PortError::NoSpace);
        assert_eq!(cannot_keep(&io::Error::from_raw_os_error(EROFS)), PortError::Unavailable);
        if cfg!(target_os = "linux") {
            assert_eq!(cannot_keep(&io::Error::from_raw_os_error(EDQUOT)), PortError::NoSpace);
        }
    }

    #[test]
    fn options_answer_as_such_phones_do() {
        let dir = tempfile::tempdir().unwrap();
        let options = KeyStoreOptions { secure_lock: false, agreement: false, user_consents: false };
        let store = SoftwareKeyStore::open_with(dir.path(), options).unwrap();
        assert_eq!(store.create_keys(KeyClass::Holder, 1, b"c"), Err(PortError::NoSecureLock));
        let (id, public) = store.create_keys(KeyClass::Account, 1, b"c").unwrap().keys[0].clone();
        assert_eq!(store.authorise("r", std::slice::from_ref(&id), 1, Duration::from_secs(1)), Err(PortError::Cancelled));
        assert!(matches!(store.agree(None, &id, &public), Err(PortError::Unsupported)));
    }
}
