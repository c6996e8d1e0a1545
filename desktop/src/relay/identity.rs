//! The relay's certificate: for this machine's own name, issued by a root that is given.
use p256::pkcs8::EncodePrivateKey;
use wallet_base::crypto::{Curve, Signer, SoftwareKey};
use wallet_base::random::OsRandom;
use wallet_base::time::Timestamp;
use wallet_base::x509::{Certificate, CertificateSpec, issue};

use super::Identity;
use crate::trouble::Trouble;

/// Extended key usage of a TLS server (RFC 5280, 4.2.1.12).
const SERVER: &str = "1.3.6.1.5.5.7.3.1";
/// Subject alternative names (RFC 5280, 4.2.1.6).
const NAMES: &str = "2.5.29.17";
/// GeneralNames: dNSName `localhost`, iPAddress 127.0.0.1.
const LOCALHOST: [u8; 19] = *b"\x30\x11\x82\x09localhost\x87\x04\x7f\x00\x00\x01";
const DAY: i64 = 86_400;

impl Identity {
    /// A fresh key with a certificate for `localhost`, good around `now` for as long as the longest story of the demo.
    pub fn for_localhost(root: &Certificate, root_key: &SoftwareKey, now: Timestamp) -> Result<Self, Trouble> {
        let failed = |e: &dyn std::fmt::Display| Trouble::outside("making the relay's certificate", e);
        let key = SoftwareKey::generate(Curve::P256, &OsRandom);
        let spec = CertificateSpec {
            common_name: "localhost".to_owned(),
            organization: None,
            country: None,
            not_before: now.plus_secs(-DAY),
            not_after: now.plus_secs(365 * DAY),
            public_key: key.public_key(),
            is_ca: false,
            extended_key_usage: vec![SERVER.to_owned()],
            extensions: vec![(NAMES.to_owned(), false, LOCALHOST.to_vec())],
            lean: false,
        };
        let leaf = issue(&spec, Some(root), root_key, &OsRandom).map_err(|e| failed(&e))?;
        let secret = p256::SecretKey::from_slice(&key.scalar()).map_err(|e| failed(&e))?;
        let pkcs8 = secret.to_pkcs8_der().map_err(|e| failed(&e))?;
        Ok(Self { chain: vec![leaf.der().to_vec()], key: pkcs8.as_bytes().to_vec() })
    }
}
