//! Sealing with keys in files.

use std::io;
use std::path::Path;

use wallet_base::crypto::{aes_gcm_open, aes_gcm_seal, hmac_sha256};
use wallet_base::random::{OsRandom, array};
use wallet_base::secret::SecretBytes;
use zeroize::Zeroizing;

use super::secret_file;
use crate::files;
use crate::ports::{DeviceSealer, PortError, SealClass};

/// The longest plaintext that is sealed.
const MAX_PLAINTEXT: usize = 4096;

/// A [`DeviceSealer`] with three key files (`seal-user.key`, `seal-background.key`, `seal-mac.key`, mode 0600) in a directory of mode 0700.
pub struct SoftwareSealer {
    user: Zeroizing<[u8; 32]>,
    background: Zeroizing<[u8; 32]>,
    mac: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for SoftwareSealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SoftwareSealer")
    }
}

impl SoftwareSealer {
    /// Opens the sealer of a directory; makes the key files the first time.
    pub fn open(directory: &Path) -> io::Result<Self> {
        files::private_dir(directory)?;
        Ok(Self {
            user: secret_file(&directory.join("seal-user.key"))?,
            background: secret_file(&directory.join("seal-background.key"))?,
            mac: secret_file(&directory.join("seal-mac.key"))?,
        })
    }

    fn key(&self, class: SealClass) -> &[u8] {
        match class {
            SealClass::User => self.user.as_slice(),
            SealClass::Background => self.background.as_slice(),
        }
    }

    fn label(class: SealClass) -> Vec<u8> {
        [b"wallet-software-seal-v1 ".as_slice(), class.as_str().as_bytes()].concat()
    }
}

impl DeviceSealer for SoftwareSealer {
    fn seal(&self, class: SealClass, plaintext: &[u8]) -> Result<Vec<u8>, PortError> {
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(PortError::Unsupported);
        }
        let nonce = array::<12>(&OsRandom);
        let sealed = aes_gcm_seal(self.key(class), &nonce, &Self::label(class), plaintext).map_err(|_| PortError::Unavailable)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn unseal(&self, class: SealClass, sealed: &[u8]) -> Result<SecretBytes, PortError> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<12>().ok_or(PortError::KeyInvalidated)?;
        let plaintext = aes_gcm_open(self.key(class), nonce, &Self::label(class), ciphertext).map_err(|_| PortError::KeyInvalidated)?;
        Ok(SecretBytes::from(plaintext.as_slice()))
    }

    fn mac(&self, input: &[u8]) -> Result<[u8; 32], PortError> {
        Ok(hmac_sha256(self.mac.as_slice(), input))
    }
}
