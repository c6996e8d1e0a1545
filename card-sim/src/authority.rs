//! A test card authority: a country signer, a document signer, and the cards they make. Nobody outside a test trusts it.

use serde::{Deserialize, Serialize};
use wallet_base::crypto::{Curve, Signer, SoftwareKey};
use wallet_base::jose::{b64u, b64u_decode};
use wallet_base::random::Random;
use wallet_base::time::Timestamp;
use wallet_base::x509::{Certificate, CertificateSpec, issue};
use wallet_chip::access::VN_CCCD_CARD_ACCESS;
use wallet_chip::files::FileId;
use wallet_chip::mrz::check_digit;
use zeroize::Zeroizing;

use crate::SimError;
use crate::files::{self, CardFiles};
use crate::holder::CardHolder;

const DAY: i64 = 86_400;

/// The country signing certificate authority and one document signer.
pub struct TestCardAuthority {
    csca: Certificate,
    csca_key: SoftwareKey,
    signer: Certificate,
    signer_key: SoftwareKey,
}

impl std::fmt::Debug for TestCardAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TestCardAuthority(..)")
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAuthority {
    csca: String,
    csca_key: String,
    signer: String,
    signer_key: String,
}

impl TestCardAuthority {
    /// Makes keys (country signer P-384, document signer P-256) and certificates valid from 30 days before `at` (15 and 10 years). With a
    /// seeded random source the keys repeat; signatures then repeat too.
    pub fn new(random: &dyn Random, at: Timestamp) -> Result<Self, SimError> {
        Self::named("Test CSCA Viet Nam", random, at)
    }

    /// The same under another name (for a second, foreign authority).
    pub fn named(name: &str, random: &dyn Random, at: Timestamp) -> Result<Self, SimError> {
        let csca_key = SoftwareKey::generate(Curve::P384, random);
        let signer_key = SoftwareKey::generate(Curve::P256, random);
        let spec = |common_name: &str, key: &SoftwareKey, years: i64, is_ca: bool| CertificateSpec {
            common_name: common_name.to_owned(),
            organization: Some("Test Card Authority".to_owned()),
            country: Some("VN".to_owned()),
            not_before: at.plus_secs(-30 * DAY),
            not_after: at.plus_secs(years * 365 * DAY),
            public_key: key.public_key(),
            is_ca,
            extended_key_usage: Vec::new(),
            extensions: Vec::new(),
            lean: false,
        };
        let csca = issue(&spec(name, &csca_key, 15, true), None, &csca_key, random).map_err(|_| SimError::Crypto)?;
        let document_signer = format!("{name} Document Signer 1");
        let signer =
            issue(&spec(&document_signer, &signer_key, 10, false), Some(&csca), &csca_key, random).map_err(|_| SimError::Crypto)?;
        Ok(Self { csca, csca_key, signer, signer_key })
    }

    /// The country signing certificate: what a verifier is told to trust.
    pub const fn csca(&self) -> &Certificate {
        &self.csca
    }

    /// The document signer's certificate, as it is in every SOD.
    pub const fn document_signer(&self) -> &Certificate {
        &self.signer
    }

    /// Keys and certificates as JSON, for a directory of the demo. It holds private keys.
    pub fn to_json(&self) -> Result<String, SimError> {
        let stored = StoredAuthority {
            csca: b64u(self.csca.der()),
            csca_key: b64u(&self.csca_key.scalar()),
            signer: b64u(self.signer.der()),
            signer_key: b64u(&self.signer_key.scalar()),
        };
        serde_json::to_string_pretty(&stored).map_err(|_| SimError::Stored)
    }

    /// Reads what [`TestCardAuthority::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self, SimError> {
        let stored: StoredAuthority = serde_json::from_str(text).map_err(|_| SimError::Stored)?;
        let bytes = |text: &str| b64u_decode(text).map_err(|_| SimError::Stored);
        let certificate = |text: &str| Certificate::from_der(&bytes(text)?).map_err(|_| SimError::Stored);
        let key = |curve: Curve, text: &str| SoftwareKey::from_scalar(curve, &bytes(text)?).map_err(|_| SimError::Stored);
        Ok(Self {
            csca: certificate(&stored.csca)?,
            csca_key: key(Curve::P384, &stored.csca_key)?,
            signer: certificate(&stored.signer)?,
            signer_key: key(Curve::P256, &stored.signer_key)?,
        })
    }

    /// Personalises a card: files, security object, and a fresh key for Active Authentication (brainpoolP256r1).
    pub fn issue_card(&self, holder: &CardHolder, random: &dyn Random, at: Timestamp) -> Result<CardProfile, SimError> {
        let key = SoftwareKey::generate(Curve::BrainpoolP256r1, random);
        let mut files = CardFiles::new();
        files.insert(FileId::Dg1, files::dg1(holder)?);
        files.insert(FileId::Dg2, files::dg2(&holder.face)?);
        // Fingers: present, hashed, and never readable without terminal authentication.
        let mut fingers = vec![0; 64];
        random.fill(&mut fingers);
        files.insert(FileId::Dg3, wallet_chip::tlv::encode(0x63, &fingers));
        files.insert(FileId::Dg13, files::dg13(holder));
        files.insert(FileId::Dg14, files::dg14());
        files.insert(FileId::Dg15, files::dg15(&key.public_key())?);
        let mut profile = CardProfile {
            can: holder.personal_number.get(6..).ok_or(SimError::Holder)?.to_owned(),
            mrz_information: mrz_information(holder)?,
            active_key: key.scalar(),
            files,
        };
        profile.files.insert(FileId::CardAccess, VN_CCCD_CARD_ACCESS.to_vec());
        let com = files::com(&profile.files);
        profile.files.insert(FileId::Com, com);
        self.sign_again(&mut profile, at)?;
        Ok(profile)
    }

    /// Puts a new SOD by this authority over the files of a card, whoever made them.
    pub fn sign_again(&self, profile: &mut CardProfile, at: Timestamp) -> Result<(), SimError> {
        let sod = files::sod(&profile.files, &self.signer, &self.signer_key, at)?;
        profile.files.insert(FileId::Sod, sod);
        Ok(())
    }
}

fn mrz_information(holder: &CardHolder) -> Result<String, SimError> {
    let short = |date: wallet_base::time::Date| format!("{:02}{:02}{:02}", date.year() % 100, date.month(), date.day());
    let number = holder.personal_number.get(3..).ok_or(SimError::Holder)?.to_owned();
    let mut out = String::new();
    for part in [number, short(holder.birth), short(holder.expiry)] {
        let digit = check_digit(&part).ok_or(SimError::Holder)?;
        out.push_str(&part);
        out.push(digit);
    }
    Ok(out)
}

/// A personalised card: files and secrets. It can be stored, altered by [`crate::forge`], and put into a [`crate::Card`].
#[derive(Clone)]
pub struct CardProfile {
    /// Files by name, EF.CardAccess among them.
    pub files: CardFiles,
    /// Card access number.
    pub can: String,
    /// MRZ_information (document number, birth, expiry, each with its check digit).
    pub mrz_information: String,
    /// Private scalar of Active Authentication, brainpoolP256r1.
    pub active_key: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for CardProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardProfile(redacted)")
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCard {
    can: String,
    mrz_information: String,
    active_key: String,
    files: std::collections::BTreeMap<String, String>,
}

impl CardProfile {
    /// The card as JSON, for the process that simulates it. It holds a private key and the holder's data.
    pub fn to_json(&self) -> Result<String, SimError> {
        let stored = StoredCard {
            can: self.can.clone(),
            mrz_information: self.mrz_information.clone(),
            active_key: b64u(&self.active_key),
            files: self.files.iter().map(|(file, bytes)| (file.name().to_owned(), b64u(bytes))).collect(),
        };
        serde_json::to_string_pretty(&stored).map_err(|_| SimError::Stored)
    }

    /// Reads what [`CardProfile::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self, SimError> {
        let stored: StoredCard = serde_json::from_str(text).map_err(|_| SimError::Stored)?;
        let bytes = |text: &str| b64u_decode(text).map_err(|_| SimError::Stored);
        let known = |name: &str| {
            FileId::APPLICATION.into_iter().chain([FileId::CardAccess]).find(|file| file.name() == name).ok_or(SimError::Stored)
        };
        let files = stored.files.iter().map(|(name, text)| Ok((known(name)?, bytes(text)?))).collect::<Result<_, SimError>>()?;
        Ok(Self { can: stored.can, mrz_information: stored.mrz_information, active_key: Zeroizing::new(bytes(&stored.active_key)?), files })
    }
}
