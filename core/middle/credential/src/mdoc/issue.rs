//! Issuing an mdoc (ISO 18013-5, 9.1.2).

use wallet_base::cbor::{self, Value};
use wallet_base::cose::{Sign1Builder, X5CHAIN};
use wallet_base::crypto::{PublicKey, Signer, sha256};
use wallet_base::random::{self, Random};
use wallet_base::time::Timestamp;
use wallet_base::x509::Certificate;

use super::mso::write_time;
use crate::CredentialError;
use crate::raw::{self, Writer};
use crate::status::StatusRef;

/// Random bytes per element (ISO 18013-5, 9.1.2.5 asks for at least 16).
const RANDOM_BYTES: usize = 32;

/// Digest identifier and encoded item of each element of one namespace.
type Items = Vec<(u64, Vec<u8>)>;

/// What an mdoc should say.
#[derive(Clone)]
pub struct MdocSpec {
    /// Document type, for example `org.iso.18013.5.1.mDL`.
    pub doctype: String,
    /// (namespace, element identifier, value); values encoded as the standard of the doctype asks (full-date tag 1004, and so on).
    pub elements: Vec<(String, String, Value)>,
    /// The holder's key.
    pub device_key: PublicKey,
    /// When it is signed.
    pub signed: Timestamp,
    /// Valid from; not before `signed`.
    pub valid_from: Timestamp,
    /// Valid until.
    pub valid_until: Timestamp,
    /// Where its status will stand.
    pub status: Option<StatusRef>,
}

/// Issues an `IssuerSigned` (CBOR). The signer's certificate travels in the unprotected header `x5chain`.
///
/// Digest identifiers are shuffled over all elements, so that their order says nothing about which elements exist.
///
/// # Errors
/// No element, the same element twice, times out of order, a certificate that is not the signer's, or a signer that fails.
pub fn issue(spec: &MdocSpec, signer: &dyn Signer, signer_cert: &Certificate, rng: &dyn Random) -> Result<Vec<u8>, CredentialError> {
    spec.check()?;
    if signer_cert.public_key().ok() != Some(signer.public_key()) {
        return Err(CredentialError::Specification("certificate of another key"));
    }
    let ids = shuffled(spec.elements.len(), rng);
    let mut name_spaces: Vec<(&str, Items)> = Vec::new();
    for ((name_space, element, value), id) in spec.elements.iter().zip(ids) {
        let item = item(id, element, value, rng);
        match name_spaces.iter_mut().find(|(ns, _)| ns == name_space) {
            Some((_, items)) => items.push((id, item)),
            None => name_spaces.push((name_space, vec![(id, item)])),
        }
    }
    let mso = cbor::encode(&spec.mso(&name_spaces));
    let auth = Sign1Builder::new()
        .unprotected(Value::int(X5CHAIN), Value::bytes(signer_cert.der()))
        .sign_value(raw::tag_24(&mso), b"", signer)
        .map_err(|_| CredentialError::Signing)?;
    let mut out = Writer::new();
    out.map(2).text("nameSpaces").map(name_spaces.len());
    for (name_space, items) in &name_spaces {
        out.text(name_space).array(items.len());
        for (_, item) in items {
            out.raw(item);
        }
    }
    Ok(out.text("issuerAuth").raw(&cbor::encode(&auth)).take())
}

impl MdocSpec {
    fn check(&self) -> Result<(), CredentialError> {
        if self.elements.is_empty() {
            return Err(CredentialError::Specification("no element"));
        }
        if self.valid_from < self.signed || self.valid_until <= self.valid_from {
            return Err(CredentialError::Specification("times out of order"));
        }
        let mut names: Vec<_> = self.elements.iter().map(|(ns, id, _)| (ns, id)).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(CredentialError::Specification("an element stands twice"));
        }
        Ok(())
    }

    fn mso(&self, name_spaces: &[(&str, Items)]) -> Value {
        let digests = name_spaces.iter().map(|(name_space, items)| {
            let mut digests: Vec<_> = items.iter().map(|(id, item)| (*id, sha256(item))).collect();
            digests.sort_unstable_by_key(|(id, _)| *id);
            let digests = digests.iter().map(|(id, digest)| (Value::Unsigned(*id), Value::bytes(digest))).collect();
            (Value::text(name_space), Value::Map(digests))
        });
        let validity = [("signed", self.signed), ("validFrom", self.valid_from), ("validUntil", self.valid_until)];
        let validity = validity.map(|(key, time)| (Value::text(key), write_time(time)));
        let mut mso = vec![
            (Value::text("version"), Value::text("1.0")),
            (Value::text("digestAlgorithm"), Value::text("SHA-256")),
            (Value::text("valueDigests"), Value::Map(digests.collect())),
            (Value::text("deviceKeyInfo"), Value::Map(vec![(Value::text("deviceKey"), self.device_key.to_cose_key())])),
            (Value::text("docType"), Value::text(&self.doctype)),
            (Value::text("validityInfo"), Value::Map(validity.to_vec())),
        ];
        mso.extend(self.status.as_ref().map(|status| (Value::text("status"), status.to_value())));
        Value::Map(mso)
    }
}

/// `IssuerSignedItemBytes`.
fn item(id: u64, element: &str, value: &Value, rng: &dyn Random) -> Vec<u8> {
    let item = Value::Map(vec![
        (Value::text("digestID"), Value::Unsigned(id)),
        (Value::text("random"), Value::bytes(&random::array::<RANDOM_BYTES>(rng))),
        (Value::text("elementIdentifier"), Value::text(element)),
        (Value::text("elementValue"), value.clone()),
    ]);
    raw::tag_24(&cbor::encode(&item))
}

/// The numbers 0 to `count` - 1 in random order (sorted by 128-bit random keys).
fn shuffled(count: usize, rng: &dyn Random) -> Vec<u64> {
    let mut keyed: Vec<([u8; 16], u64)> = (0..count as u64).map(|n| (random::array(rng), n)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, n)| n).collect()
}
