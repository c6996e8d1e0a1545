//! Keys and signatures of TUF metadata (specification 1.0, sections 4.2 and 6).
//!
//! A threshold counts **keys**, not key ids: one key under two ids counts once. A key of a type that this build does not know is as good as
//! absent, so that a repository may add one without shutting out older clients.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::signature::{ED25519, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wallet_base::crypto::{Curve, HashAlg, PublicKey};

use super::json::Json;

/// The most keys of one document, and the most key ids of one role.
const MAX_KEYS: usize = 256;
/// The most signatures of one document.
const MAX_SIGNATURES: usize = 256;

/// A public key that this build can verify with.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Ecdsa(HashAlg, PublicKey),
    Ed25519(Vec<u8>),
    /// SubjectPublicKeyInfo.
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
            ("rsa", "rsassa-pss-sha256") => pem(public).map(Self::RsaPss),
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
