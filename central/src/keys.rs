//! Keys and certificates of the service, each in a file of its own.
//!
//! `keys/` holds what the running service needs; `offline/` holds what it never reads (the root keys of trust, and the keys of the roots that
//! issued its certificates), so that a real installation can carry that folder away.

use std::path::{Path, PathBuf};

use wallet_base::crypto::{Curve, PublicKey, Signer, SoftwareKey};
use wallet_base::random::Random;
use wallet_base::x509::Certificate;
use zeroize::Zeroizing;

use crate::error::CentralError;
use crate::files;

/// Which of the two folders a key lives in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `keys/`: read by the running service.
    Online,
    /// `offline/`: read by `init` and by ceremonies only.
    Offline,
}

impl Place {
    fn path(self, dir: &Path, name: &str) -> PathBuf {
        dir.join(if self == Self::Online { "keys" } else { "offline" }).join(name)
    }
}

/// Makes a P-256 key and writes its scalar (32 bytes, big-endian) to a private file.
pub(crate) fn create(dir: &Path, place: Place, name: &str, random: &dyn Random) -> Result<SoftwareKey, CentralError> {
    let key = SoftwareKey::generate(Curve::P256, random);
    let path = place.path(dir, &format!("{name}.key"));
    if let Some(parent) = path.parent() {
        files::directory(parent)?;
    }
    files::write_private(&path, &key.scalar())?;
    Ok(key)
}

/// Reads a key made by [`create`].
pub(crate) fn load(dir: &Path, place: Place, name: &str) -> Result<SoftwareKey, CentralError> {
    let scalar = Zeroizing::new(files::read(&place.path(dir, &format!("{name}.key")))?);
    SoftwareKey::from_scalar(Curve::P256, &scalar).map_err(|_| CentralError::Damaged("key"))
}

/// Makes 32 random bytes for keyed hashes.
pub(crate) fn create_secret(dir: &Path, name: &str, random: &dyn Random) -> Result<(), CentralError> {
    let secret = Zeroizing::new(wallet_base::random::array::<32>(random));
    files::directory(&dir.join("keys"))?;
    files::write_private(&dir.join("keys").join(format!("{name}.secret")), secret.as_slice())
}

/// Reads a secret made by [`create_secret`].
pub(crate) fn load_secret(dir: &Path, name: &str) -> Result<Zeroizing<Vec<u8>>, CentralError> {
    let secret = Zeroizing::new(files::read(&dir.join("keys").join(format!("{name}.secret")))?);
    if secret.len() == 32 { Ok(secret) } else { Err(CentralError::Damaged("secret")) }
}

/// Writes a certificate (DER) to `certificates/`.
pub(crate) fn store_certificate(dir: &Path, name: &str, certificate: &Certificate) -> Result<(), CentralError> {
    files::directory(&dir.join("certificates"))?;
    files::write_public(&dir.join("certificates").join(format!("{name}.der")), certificate.der())
}

/// Reads a certificate of `certificates/`.
pub(crate) fn certificate(dir: &Path, name: &str) -> Result<Certificate, CentralError> {
    let der = files::read(&dir.join("certificates").join(format!("{name}.der")))?;
    Certificate::from_der(&der).map_err(|_| CentralError::Damaged("certificate"))
}

/// A signer with its certificate.
pub(crate) struct Identity {
    pub(crate) key: SoftwareKey,
    pub(crate) certificate: Certificate,
}

impl Identity {
    /// Key and certificate of the same name.
    pub(crate) fn load(dir: &Path, name: &str) -> Result<Self, CentralError> {
        let identity = Self { key: load(dir, Place::Online, name)?, certificate: certificate(dir, name)? };
        if identity.certificate.public_key().ok().as_ref() == Some(&identity.key.public_key()) {
            Ok(identity)
        } else {
            Err(CentralError::Damaged("key and certificate do not belong together"))
        }
    }
}

/// SubjectPublicKeyInfo as PEM with 64-character lines (RFC 7468).
pub(crate) fn public_pem(key: &PublicKey) -> Result<String, CentralError> {
    use base64::Engine;
    let der = key.to_spki_der().map_err(|_| CentralError::Issue("a public key file"))?;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = more;
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    Ok(pem)
}
