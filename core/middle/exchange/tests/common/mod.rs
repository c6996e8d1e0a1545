//! A reader authority and its officers, for tests.
#![allow(dead_code, clippy::unwrap_used)]

use wallet_base::crypto::{Curve, Signer, SoftwareKey};
use wallet_base::random::SeededRandom;
use wallet_base::time::Timestamp;
use wallet_base::x509::{Certificate, CertificateSpec, issue};
use wallet_credential::trust::{EKU_READER, OID_READER_ROLE};
use wallet_exchange::certificate::role_extension;
use wallet_exchange::{ReaderTrust, RequestSpec, RequestedDocument};

/// 2026-11-21T08:00:00Z.
pub const NOW: i64 = 1_795_248_000;

pub fn now() -> Timestamp {
    Timestamp::from_unix(NOW)
}

pub struct Authority {
    pub key: SoftwareKey,
    pub certificate: Certificate,
    pub random: SeededRandom,
}

pub struct Officer {
    pub key: SoftwareKey,
    pub certificate: Certificate,
}

/// What may be wrong with an officer's certificate.
pub struct Leaf<'a> {
    pub role: Option<&'a str>,
    pub purpose: &'a str,
    pub organisation: Option<&'a str>,
    pub from: i64,
    pub days: i64,
    pub lean: bool,
    pub is_ca: bool,
}

impl Default for Leaf<'_> {
    fn default() -> Self {
        let organisation = Some("Cảng hàng không quốc tế Nội Bài");
        Self { role: Some("flight"), purpose: EKU_READER, organisation, from: NOW - 86_400, days: 7, lean: true, is_ca: false }
    }
}

impl Authority {
    pub fn new(seed: u64, name: &str) -> Self {
        let random = SeededRandom::new(seed);
        let key = SoftwareKey::generate(Curve::P256, &random);
        let certificate = Self::certified(&key, name, NOW - 365 * 86_400, &random);
        Self { key, certificate, random }
    }

    /// A second certificate of the same key and name.
    pub fn renewed(&self) -> Certificate {
        Self::certified(&self.key, &self.certificate.common_name().unwrap(), NOW - 86_400, &self.random)
    }

    fn certified(key: &SoftwareKey, name: &str, from: i64, random: &SeededRandom) -> Certificate {
        let spec = CertificateSpec {
            common_name: name.to_owned(),
            organization: None,
            country: None,
            not_before: Timestamp::from_unix(from),
            not_after: Timestamp::from_unix(NOW + 365 * 86_400),
            public_key: key.public_key(),
            is_ca: true,
            extended_key_usage: Vec::new(),
            extensions: Vec::new(),
            lean: false,
        };
        issue(&spec, None, key, random).unwrap()
    }

    pub fn officer(&self, leaf: &Leaf) -> Officer {
        let key = SoftwareKey::generate(Curve::P256, &self.random);
        let extensions = leaf.role.map(|role| (OID_READER_ROLE.to_owned(), false, role_extension(role).unwrap()));
        let spec = CertificateSpec {
            common_name: "NB-T1-0042".to_owned(),
            organization: leaf.organisation.map(ToOwned::to_owned),
            country: None,
            not_before: Timestamp::from_unix(leaf.from),
            not_after: Timestamp::from_unix(leaf.from + leaf.days * 86_400),
            public_key: key.public_key(),
            is_ca: leaf.is_ca,
            extended_key_usage: vec![leaf.purpose.to_owned()],
            extensions: extensions.into_iter().collect(),
            lean: leaf.lean,
        };
        let certificate = issue(&spec, Some(&self.certificate), &self.key, &self.random).unwrap();
        Officer { key, certificate }
    }

    pub fn trust(&self) -> ReaderTrust {
        ReaderTrust { authorities: vec![self.certificate.clone()], ..ReaderTrust::default() }
    }
}

pub fn documents(list: &[(&str, &[&str])]) -> Vec<RequestedDocument> {
    let own = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect();
    list.iter().map(|(document, fields)| RequestedDocument { document: (*document).to_owned(), fields: own(fields) }).collect()
}

pub fn flight_spec() -> RequestSpec {
    RequestSpec {
        role: "flight".to_owned(),
        purpose: "domestic-check-in".to_owned(),
        legal_basis: "Nghị định 69/2024/NĐ-CP, Điều 9".to_owned(),
        documents: documents(&[("citizen-identity", &["full_name", "birth_date", "expiry_date"])]),
        retention_hours: 24,
        place: "Cửa 12, Nội Bài".to_owned(),
        iat: now(),
        exp: now().plus_secs(120),
    }
}
