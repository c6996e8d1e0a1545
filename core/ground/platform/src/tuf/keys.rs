//! Keys and signatures of TUF metadata (specification 1.0, sections 4.2 and 6).
//!
//! A threshold counts **keys**, not key ids: one key under two ids counts once. A key of a type that this build does not know is as good as
//! absent, so that a repository may add one without shutting out older clients.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::signature::{ED25519, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};
use wallet_base::crypto::{Curve, HashAlg, PublicKey};

use super::json::Json;

/// The most keys of one document, and the most key ids of one role.
const MAX_KEYS: usize = 256;
/// The most signatures of one document.
const MAX_SIGNATURES: usize = 256;

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A public key that this build can verify with.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Ecdsa(HashAlg, PublicKey),
    Ed25519(Vec<u8>),
    /// RSAPublicKey (RFC 8017, A.1.1).
    RsaPss(Vec<u8>),
}

pub(super) fn hex_decode(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes().chunks(2).map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.last()?)?)).collect()
}

/// The DER inside a PEM text of a public key.
fn pem(text: &str) -> Option<Vec<u8>> {
    let body = text.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?.strip_suffix("-----END PUBLIC KEY-----")?;
    let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(body).ok()
}

impl Key {
    /// A key object; `None` for types this build does not know and for keys that are none.
    fn parse(object: &Json) -> Option<Self> {
        let text = |name: &str| object.get(name).and_then(Json::as_text);
        let public = object.get("keyval")?.get("public")?.as_text()?;
        match (text("keytype")?, text("scheme")?) {
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => Self::ecdsa(public, Curve::P256, HashAlg::Sha256),
            ("ecdsa" | "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384") => Self::ecdsa(public, Curve::P384, HashAlg::Sha384),
            ("ed25519", "ed25519") => hex_decode(public).filter(|key| key.len() == 32).map(Self::Ed25519),
            ("rsa", "rsassa-pss-sha256") => pem(public).and_then(|der| Self::rsa(&der)),
            _ => None,
        }
    }

    /// PEM by the specification; early repositories of others wrote the point in hexadecimal.
    fn ecdsa(public: &str, curve: Curve, hash: HashAlg) -> Option<Self> {
        let key = match pem(public) {
            Some(der) => PublicKey::from_spki_der(&der).ok()?,
            None => PublicKey::from_sec1(curve, &hex_decode(public)?).ok()?,
        };
        (key.curve() == curve).then_some(Self::Ecdsa(hash, key))
    }

    /// Only as a SubjectPublicKeyInfo (RFC 3279, 2.3.1): taken in another form as well, one key would count as two.
    fn rsa(der: &[u8]) -> Option<Self> {
        let info = SubjectPublicKeyInfoRef::try_from(der).ok()?;
        let key = info.subject_public_key.as_bytes().filter(|_| info.algorithm.oid == RSA_ENCRYPTION)?;
        Some(Self::RsaPss(key.to_vec()))
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ecdsa(hash, key) => key.verify_der(*hash, message, signature).is_ok(),
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
            Self::RsaPss(key) => UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key).verify(message, signature).is_ok(),
        }
    }

    /// What makes two keys the same, whatever their ids say.
    fn identity(&self) -> Vec<u8> {
        match self {
            Self::Ecdsa(_, key) => key.to_sec1(),
            Self::Ed25519(key) | Self::RsaPss(key) => key.clone(),
        }
    }
}

/// Keys by id.
pub(super) type Keys = BTreeMap<String, Key>;

/// The `keys` of a document. Unknown kinds are left out.
pub(super) fn keys(object: &Json) -> Option<Keys> {
    let members = object.as_object().filter(|members| members.len() <= MAX_KEYS)?;
    Some(members.iter().filter_map(|(id, key)| Key::parse(key).map(|key| (id.clone(), key))).collect())
}

/// Who signs, and how many of them must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) keyids: Vec<String>,
    threshold: u64,
}

impl Role {
    /// A role object. A key id named twice and a threshold of nothing are refused.
    pub(super) fn parse(object: &Json) -> Option<Self> {
        let ids = object.get("keyids")?.as_list()?;
        let keyids: Vec<String> = ids.iter().map(|id| id.as_text().map(str::to_owned)).collect::<Option<_>>()?;
        let threshold = object.get("threshold")?.as_count().filter(|n| *n >= 1)?;
        let distinct: BTreeSet<&String> = keyids.iter().collect();
        (keyids.len() <= MAX_KEYS && distinct.len() == keyids.len()).then_some(Self { keyids, threshold })
    }

    /// Whether the threshold of this role's keys signed the message.
    pub(super) fn signed(&self, keys: &Keys, signatures: &Signatures, message: &[u8]) -> bool {
        let mut signers = BTreeSet::new();
        for id in &self.keyids {
            if let (Some(key), Some(signature)) = (keys.get(id), signatures.0.get(id))
                && key.verifies(message, signature)
            {
                signers.insert(key.identity());
                if signers.len() as u64 >= self.threshold {
                    return true;
                }
            }
        }
        false
    }

    /// Whether some key of this role is no longer in `other`: it was taken away.
    pub(super) fn lost_a_key(&self, other: &Self) -> bool {
        self.keyids.iter().any(|id| !other.keyids.contains(id))
    }
}

/// Signatures by key id.
#[derive(Clone, Debug)]
pub(super) struct Signatures(BTreeMap<String, Vec<u8>>);

impl Signatures {
    /// The `signatures` of a document. A key id named twice is refused; a signature that is not hexadecimal is one that verifies with nothing.
    pub(super) fn parse(list: &Json) -> Option<Self> {
        let mut found = BTreeMap::new();
        for item in list.as_list().filter(|items| items.len() <= MAX_SIGNATURES)? {
            let id = item.get("keyid")?.as_text()?.to_owned();
            let signature = hex_decode(item.get("sig")?.as_text()?).unwrap_or_default();
            if found.insert(id, signature).is_some() {
                return None;
            }
        }
        Some(Self(found))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// One key made by OpenSSL, as SubjectPublicKeyInfo and as the bare RSAPublicKey.
    const INFO: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAq2EejcmAun5FiUgQdCEYxdZB/xFqZ2u0vxleuWAcjt4xk1IPHRbtbeoG2+QEc5HZRttMHc8W0iKB\
        c0SSbMIiMHegYYLF2JkKZoqXewJRelY0MnhjIItXkklY6osuOksgVaeTE3AqASjcs3wD9c+c2tc+OE1LnJUFvgrHFlKNkbUvRHNrsikbYu69Cw9F1TQM5rre\
        bbBQ/7+m8MMyUJ3Qw4nhlYa75WDB6TV2hD2D/LZlA1z0lAE/HzZkIzZSAI9UYuWEoFV4OOB9JLE3sIjP+emhpCn5u09+KcDxqYl2GABWz577nQb8jkt4K0TM\
        o4JwDqmxpJpjT5HxuAdgbb7QtQIDAQAB";
    const BARE: &str = "MIIBCgKCAQEAq2EejcmAun5FiUgQdCEYxdZB/xFqZ2u0vxleuWAcjt4xk1IPHRbtbeoG2+QEc5HZRttMHc8W0iKBc0SSbMIiMHegYYLF2JkKZoqXewJRelY0\
        MnhjIItXkklY6osuOksgVaeTE3AqASjcs3wD9c+c2tc+OE1LnJUFvgrHFlKNkbUvRHNrsikbYu69Cw9F1TQM5rrebbBQ/7+m8MMyUJ3Qw4nhlYa75WDB6TV2\
        hD2D/LZlA1z0lAE/HzZkIzZSAI9UYuWEoFV4OOB9JLE3sIjP+emhpCn5u09+KcDxqYl2GABWz577nQb8jkt4K0TMo4JwDqmxpJpjT5HxuAdgbb7QtQIDAQAB";

    #[test]
    fn bad_input_one_rsa_key_in_two_forms_is_one_key() {
        let key = |body: &str| {
            let pem = format!("-----BEGIN PUBLIC KEY-----\\n{body}\\n-----END PUBLIC KEY-----");
            let object = format!(r#"{{"keytype":"rsa","scheme":"rsassa-pss-sha256","keyval":{{"public":"{pem}"}}}}"#);
            Key::parse(&Json::parse(object.as_bytes()).unwrap())
        };
        let info = key(INFO).unwrap();
        assert_eq!(info.identity(), STANDARD.decode(BARE).unwrap());
        assert!(key(BARE).is_none());
    }
}
