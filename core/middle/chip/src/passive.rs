//! Verification of what a chip gave: passive authentication (9303-11, 5.1), Active Authentication and the downgrade check, as facts on
//! a fixed ladder: `chip.hashes`, `chip.signature`, `chip.chain`, `chip.revocation`, `chip.genuine`, `chip.access`. One fault is one
//! failed fact; what stands above it is not-checked.

use std::collections::BTreeSet;

use wallet_base::fact::{By, Fact, FactName, Ladder};
use wallet_base::time::Timestamp;
use wallet_base::x509::{Certificate, X509Error, verify_link};

use crate::ReadError;
use crate::access::SecurityInfos;
use crate::active;
use crate::files::FileId;
use crate::keys;
use crate::lds;
use crate::lds::dg2::Face;
use crate::lds::dg13::Dg13;
use crate::mrz::Mrz;
use crate::reader::ChipData;
use crate::sod::{SignatureFault, Sod};

/// Document type id in the facts.
const ABOUT: &str = "citizen-identity";

/// Whom we believe about cards: country signers, and certificates that no longer count. It comes out of the trust repository.
#[derive(Clone, Debug, Default)]
pub struct CardTrust {
    csca: Vec<Certificate>,
    revoked: BTreeSet<[u8; 32]>,
}

impl CardTrust {
    /// `csca`: country signing certificates; `revoked`: SHA-256 of document signers and country signers that no longer count.
    pub fn new(csca: Vec<Certificate>, revoked: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self { csca, revoked: revoked.into_iter().collect() }
    }

    /// The same out of DER. A certificate that does not parse is an error: trust is never quietly smaller than published.
    pub fn from_der<'a>(csca: impl IntoIterator<Item = &'a [u8]>, revoked: impl IntoIterator<Item = [u8; 32]>) -> Result<Self, ReadError> {
        let csca = csca
            .into_iter()
            .map(|der| Certificate::from_der(der).map_err(|_| ReadError::malformed("country signing certificate", "not a certificate")));
        Ok(Self::new(csca.collect::<Result<_, _>>()?, revoked))
    }

    /// The country signers.
    pub fn csca(&self) -> &[Certificate] {
        &self.csca
    }
}

/// A card whose every rung held: only [`verify`] and [`crate::evidence::Evidence::verify`] make one. `Debug` is redacted.
pub struct VerifiedChip {
    mrz: Mrz,
    dg13: Option<Dg13>,
    face: Option<Face>,
    document_signer: [u8; 32],
    differences: Vec<u32>,
}

impl std::fmt::Debug for VerifiedChip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VerifiedChip(redacted)")
    }
}

impl VerifiedChip {
    /// The machine readable zone out of DG1.
    pub const fn mrz(&self) -> &Mrz {
        &self.mrz
    }

    /// National details, when DG13 was read (never part of evidence).
    pub const fn dg13(&self) -> Option<&Dg13> {
        self.dg13.as_ref()
    }

    /// The face out of DG2, when it was read and has a known form.
    pub const fn face(&self) -> Option<&Face> {
        self.face.as_ref()
    }

    /// SHA-256 of the document signer's certificate.
    pub const fn document_signer(&self) -> [u8; 32] {
        self.document_signer
    }

    /// Numbers of DG13 fields (1 number, 3 birth, 4 sex, 12 expiry) that say something else than DG1. Both are signed: a
    /// difference is for a person to look at and rejects nothing.
    pub fn differences(&self) -> &[u32] {
        &self.differences
    }
}

/// What is verified: files as read, and the answer to the challenge.
pub(crate) struct Presented<'a> {
    pub sod: &'a [u8],
    pub groups: Vec<(FileId, &'a [u8])>,
    pub challenge: Option<[u8; 8]>,
    pub signature: Option<&'a [u8]>,
    /// EF.CardAccess as read, or `None` when only the reader saw it.
    pub card_access: Option<&'a [u8]>,
    /// Why `chip.genuine` fails before any signature is looked at.
    pub foreign_challenge: bool,
}

impl Presented<'_> {
    fn group(&self, file: FileId) -> Option<&[u8]> {
        self.groups.iter().find(|(id, _)| *id == file).map(|(_, bytes)| *bytes)
    }
}

/// Verifies a reading. Returns the six facts, and the card's contents when hashes, signature, chain, revocation and
/// genuineness all passed and the access check did not fail.
///
/// `at` is the moment at which the certificates must be valid. What was signed as listed but not given by the card (a hidden DG15)
/// fails, it is never skipped.
pub fn verify(data: &ChipData, trust: &CardTrust, at: Timestamp, by: By) -> (Vec<Fact>, Option<VerifiedChip>) {
    let mut groups = vec![(FileId::Dg1, data.dg1.as_slice())];
    for (file, bytes) in [(FileId::Dg2, &data.dg2), (FileId::Dg13, &data.dg13), (FileId::Dg14, &data.dg14), (FileId::Dg15, &data.dg15)] {
        if let Some(bytes) = bytes {
            groups.push((file, bytes.as_slice()));
        }
    }
    let presented = Presented {
        sod: &data.sod,
        groups,
        challenge: data.challenge,
        signature: data.aa_signature.as_deref(),
        card_access: Some(&data.access.card_access),
        foreign_challenge: false,
    };
    verify_presented(&presented, trust, at, by)
}

enum Rung {
    Passed,
    Failed(&'static str),
    Unknown(&'static str),
}

/// Walks the ladder; a rung that cannot be judged stops it as a failed one does, but stays not-checked.
struct Walk {
    ladder: Ladder,
    by: By,
    stopped: Option<FactName>,
    whole: bool,
}

impl Walk {
    fn rung(&mut self, name: FactName, judge: impl FnOnce() -> Rung) -> bool {
        if let Some(cause) = self.stopped {
            self.ladder.note(Fact::not_checked(name, self.by, format!("depends on {cause}")));
            return false;
        }
        match judge() {
            Rung::Passed => return self.ladder.check::<String>(name, Ok(())),
            Rung::Failed(why) => {
                self.ladder.check(name, Err(why));
            }
            Rung::Unknown(why) => self.ladder.note(Fact::not_checked(name, self.by, why)),
        }
        self.stopped = Some(name);
        self.whole = false;
        false
    }
}

pub(crate) fn verify_presented(presented: &Presented<'_>, trust: &CardTrust, at: Timestamp, by: By) -> (Vec<Fact>, Option<VerifiedChip>) {
    let mut walk = Walk { ladder: Ladder::new(by, ABOUT), by, stopped: None, whole: true };
    let sod = Sod::parse(presented.sod);
    walk.rung(FactName::ChipHashes, || match &sod {
        Ok(sod) => hashes(sod, presented),
        Err(ReadError::Unsupported { .. }) => Rung::Unknown("the security object has a form that is not supported"),
        Err(_) => Rung::Failed("the security object does not parse"),
    });
    let sod = sod.ok();
    let sod = sod.as_ref();
    walk.rung(FactName::ChipSignature, || match sod.map(Sod::check_signature) {
        Some(Ok(())) => Rung::Passed,
        Some(Err(SignatureFault::Unsupported(_))) => Rung::Unknown("the signature's algorithm is not supported"),
        Some(Err(SignatureFault::Wrong(why))) => Rung::Failed(why),
        None => Rung::Failed("no security object"),
    });
    let signer = sod.and_then(Sod::signer_certificate);
    let mut issuers = Vec::new();
    walk.rung(FactName::ChipChain, || match signer {
        Some(signer) => chain(signer, trust, at, &mut issuers),
        None => Rung::Failed("the signer's certificate is not there"),
    });
    walk.rung(FactName::ChipRevocation, || {
        let revoked = |certificate: &Certificate| trust.revoked.contains(&certificate.sha256());
        if signer.is_some_and(revoked) {
            Rung::Failed("the document signer is revoked")
        } else if issuers.iter().all(|issuer| revoked(issuer)) {
            Rung::Failed("the country signer is revoked")
        } else {
            Rung::Passed
        }
    });
    walk.rung(FactName::ChipGenuine, || sod.map_or(Rung::Failed("no security object"), |sod| genuine(sod, presented)));
    if walk.stopped.is_none() {
        match sod.map_or(Rung::Failed("no security object"), |sod| access(sod, presented)) {
            Rung::Unknown(why) => walk.ladder.note(Fact::not_checked(FactName::ChipAccess, by, why).optional()),
            Rung::Passed => {
                walk.ladder.check::<String>(FactName::ChipAccess, Ok(()));
            }
            Rung::Failed(why) => {
                walk.ladder.check(FactName::ChipAccess, Err(why));
                walk.whole = false;
            }
        }
    } else {
        walk.rung(FactName::ChipAccess, || Rung::Passed);
    }
    let verified = if walk.whole { signer.and_then(|signer| contents(presented, signer)) } else { None };
    (walk.ladder.into_facts(), verified)
}

/// Every file that was read is listed and has the listed hash; DG1 is among them and parses.
fn hashes(sod: &Sod, presented: &Presented<'_>) -> Rung {
    for (file, bytes) in &presented.groups {
        match file.group().map(|number| sod.group_matches(number, bytes)) {
            Some(Some(true)) => {}
            Some(Some(false)) => {
                return Rung::Failed(match file {
                    FileId::Dg1 => "DG1 differs from its signed hash",
                    FileId::Dg2 => "DG2 differs from its signed hash",
                    FileId::Dg13 => "DG13 differs from its signed hash",
                    FileId::Dg14 => "DG14 differs from its signed hash",
                    FileId::Dg15 => "DG15 differs from its signed hash",
                    _ => "a data group differs from its signed hash",
                });
            }
            _ => return Rung::Failed("a data group was read that is not signed"),
        }
    }
    match presented.group(FileId::Dg1) {
        Some(_) => Rung::Passed,
        None => Rung::Failed("DG1 was not read"),
    }
}

/// The signer is issued by a country signer that we trust.
fn chain<'t>(signer: &Certificate, trust: &'t CardTrust, at: Timestamp, issuers: &mut Vec<&'t Certificate>) -> Rung {
    let mut worst = Rung::Failed("the document signer is unknown");
    for issuer in trust.csca.iter().filter(|issuer| signer.issued_by(issuer)) {
        match link(signer, issuer, at) {
            Ok(()) => issuers.push(issuer),
            Err(X509Error::Unsupported) => worst = Rung::Unknown("the country signer's algorithm is not supported"),
            Err(X509Error::Leaf) => worst = Rung::Failed("the document signer is not valid at this time"),
            Err(X509Error::Authority) => worst = Rung::Failed("the country signer is not valid at this time"),
            Err(_) => {}
        }
    }
    if issuers.is_empty() { worst } else { Rung::Passed }
}

/// `x509::verify_link`, and the same for a country signer whose key has explicit parameters.
fn link(signer: &Certificate, issuer: &Certificate, at: Timestamp) -> Result<(), X509Error> {
    match verify_link(signer, issuer, at) {
        Err(X509Error::Unsupported) if issuer.public_key().is_err() => {
            let key = keys::certificate_key(issuer).map_err(|error| {
                if matches!(error, ReadError::Unsupported { .. }) { X509Error::Unsupported } else { X509Error::Malformed }
            })?;
            // Names and the authority's right to sign were checked before the key was looked at.
            signer.verify_signature(&key)?;
            if [signer, issuer].into_iter().any(|certificate| keys::has_strange_critical_extension(certificate).unwrap_or(true)) {
                return Err(X509Error::Critical);
            }
            if !signer.valid_at(at) {
                return Err(X509Error::Leaf);
            }
            if !issuer.valid_at(at) {
                return Err(X509Error::Authority);
            }
            Ok(())
        }
        other => other,
    }
}

/// Active Authentication over the caller's challenge.
fn genuine(sod: &Sod, presented: &Presented<'_>) -> Rung {
    let listed = sod.group_hash(15).is_some();
    let Some(dg15) = presented.group(FileId::Dg15) else {
        return if listed {
            Rung::Failed("the card hides its signed authentication key")
        } else {
            Rung::Unknown("the card has no authentication key")
        };
    };
    if sod.group_hash(14).is_some() && presented.group(FileId::Dg14).is_none() {
        return Rung::Failed("the card hides its signed security options");
    }
    let Some(challenge) = presented.challenge else { return Rung::Unknown("no challenge was sent") };
    if presented.foreign_challenge {
        return Rung::Failed("the chip answered another challenge");
    }
    let Some(signature) = presented.signature else { return Rung::Failed("the chip did not answer the challenge") };
    match active::verify(dg15, presented.group(FileId::Dg14), &challenge, signature) {
        Ok(true) => Rung::Passed,
        Ok(false) => Rung::Failed("the chip does not hold the signed key"),
        Err(ReadError::Unsupported { .. }) => Rung::Unknown("the authentication key's algorithm is not supported"),
        Err(_) => Rung::Failed("the authentication key is malformed"),
    }
}

/// 9303-11, 4.2 and 9.2: what the unsigned EF.CardAccess offered must be what the signed DG14 says.
fn access(sod: &Sod, presented: &Presented<'_>) -> Rung {
    let Some(card_access) = presented.card_access else { return Rung::Unknown("seen by the reader only") };
    let Some(dg14) = presented.group(FileId::Dg14) else {
        return if sod.group_hash(14).is_some() {
            Rung::Failed("the card hides its signed security options")
        } else {
            Rung::Unknown("the card signs no security options")
        };
    };
    let (Ok(offered), Ok(signed)) = (SecurityInfos::parse_card_access(card_access), SecurityInfos::parse_dg14(dg14)) else {
        return Rung::Failed("security options are malformed");
    };
    if signed.pace.is_empty() {
        return Rung::Unknown("the signed security options name no access protocol");
    }
    let both = |a: &SecurityInfos, b: &SecurityInfos| a.pace.iter().all(|info| b.pace.contains(info));
    if both(&offered, &signed) && both(&signed, &offered) {
        Rung::Passed
    } else {
        Rung::Failed("the card offered other access than it signed")
    }
}

fn contents(presented: &Presented<'_>, signer: &Certificate) -> Option<VerifiedChip> {
    let mrz = lds::parse_dg1(presented.group(FileId::Dg1)?).ok()?;
    let dg13 = presented.group(FileId::Dg13).map(Dg13::parse);
    let face = presented.group(FileId::Dg2).and_then(|bytes| Face::parse_dg2(bytes).ok());
    let differences = dg13.as_ref().map(|dg13| crate::vietnam::differences(&mrz, dg13)).unwrap_or_default();
    Some(VerifiedChip { mrz, dg13, face, document_signer: signer.sha256(), differences })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::tlv;

    /// Self-signed country signers of a real master list: those whose key is on a curve of ours (nearly all with explicit parameters)
    /// must verify, through the same `link`; with one byte changed they must not.
    #[test]
    fn vector_master_list_country_signers_with_explicit_parameters_verify() {
        let root = std::env::var("WALLET_VECTORS").expect("WALLET_VECTORS names the directory of the vectors");
        let list = std::fs::read(format!("{root}/csca/DE_ML_2026-05-28-08-28-45.ml")).unwrap();
        let mut signed = tlv::only_tag(tlv::only(&list).unwrap().children().find(0xA0).unwrap().value, 0x30).unwrap().children();
        let content = signed.next_tag(0x02).and_then(|_| signed.next_tag(0x31)).and_then(|_| signed.next_tag(0x30)).unwrap();
        let content = tlv::only_tag(content.children().find(0xA0).unwrap().value, 0x04).unwrap().value;
        let certificates = tlv::only(content).unwrap().children().find(0x31).unwrap().children().all().unwrap();
        let (mut explicit, mut named, mut other, mut linked, mut unread, mut unsupported) = (0, 0, 0, 0, 0, 0);
        let own_key_id = |certificate: &Certificate| {
            certificate.extension("2.5.29.14").and_then(|value| tlv::only_tag(&value, 0x04).ok().map(|id| id.value.to_vec()))
        };
        let issuer_key_id = |certificate: &Certificate| {
            let value = certificate.extension("2.5.29.35")?;
            tlv::only_tag(&value, 0x30).ok()?.children().next_tag(0x80).ok().map(|id| id.value.to_vec())
        };
        for certificate in certificates {
            let Ok(certificate) = Certificate::from_der(certificate.raw) else {
                unread += 1;
                continue;
            };
            if keys::certificate_key(&certificate).is_err() || !certificate.issued_by(&certificate) {
                other += 1;
                continue;
            }
            match link(&certificate, &certificate, certificate.not_before()) {
                Ok(()) if certificate.public_key().is_err() => explicit += 1,
                Ok(()) => named += 1,
                Err(X509Error::Unsupported) => unsupported += 1,
                // A link certificate has the old key's signature under the same name; its key identifiers tell.
                Err(X509Error::Signature) if own_key_id(&certificate) != issuer_key_id(&certificate) => {
                    linked += 1;
                    continue;
                }
                Err(error) => panic!("{error:?}"),
            }
            let mut der = certificate.der().to_vec();
            *der.last_mut().unwrap() ^= 1;
            let changed = Certificate::from_der(&der).unwrap();
            assert!(link(&changed, &certificate, certificate.not_before()).is_err());
        }
        // Counted apart from this code (by a script over the list): 63 self-issued certificates on P-256, P-384 and brainpoolP256r1, 60 of
        // them with explicit parameters. 15 are link certificates and 2 are signed by an older RSA key; OpenSSL agrees on all of them.
        assert_eq!((explicit, named, linked, unsupported, other, unread), (44, 2, 15, 2, 525, 0));
    }

    /// A real Austrian chain: the country signer's curve (brainpoolP384r1) is not one of ours, so nothing may be said, neither way.
    #[test]
    fn vector_sod_at_chain_under_an_unsupported_curve_is_not_checked() {
        let root = std::env::var("WALLET_VECTORS").expect("WALLET_VECTORS names the directory of the vectors");
        let at: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(format!("{root}/emrtd-recordings/sod-AT.json")).unwrap()).unwrap();
        let bytes = |key: &str| hex::decode(at[key].as_str().unwrap()).unwrap();
        let trust = CardTrust::from_der([bytes("csca").as_slice()], []).unwrap();
        let sod = Sod::parse(&bytes("ef_sod")).unwrap();
        let check_at = Timestamp::parse_rfc3339(at["check_at"].as_str().unwrap()).unwrap();
        let mut issuers = Vec::new();
        let rung = chain(sod.signer_certificate().unwrap(), &trust, check_at, &mut issuers);
        assert!(matches!(rung, Rung::Unknown(_)) && issuers.is_empty());
        // Without that country signer the document signer is unknown, which is a failure.
        let rung = chain(sod.signer_certificate().unwrap(), &CardTrust::default(), check_at, &mut issuers);
        assert!(matches!(rung, Rung::Failed(_)));
    }
}
