//! Citizen cards: the listed card authorities, and the judgement of a card's evidence.

use std::fs;
use std::path::{Path, PathBuf};

use wallet_base::fact::{By, Fact};
use wallet_base::time::Timestamp;
use wallet_chip::{CardTrust, Evidence};

use crate::error::{ApiError, CentralError};
use crate::files;
use crate::trust::Revoked;

/// Most card authorities that are loaded.
const MAX_CERTIFICATES: usize = 1024;

fn folder(dir: &Path) -> PathBuf {
    dir.join("cards")
}

/// Stores the country signing certificates (DER) that `init` was given.
pub(crate) fn store(dir: &Path, certificates: &[Vec<u8>]) -> Result<(), CentralError> {
    files::directory(&folder(dir))?;
    for (number, der) in certificates.iter().enumerate() {
        files::write_public(&folder(dir).join(format!("csca-{number:04}.der")), der)?;
    }
    Ok(())
}

/// All of them, in the order they were given.
pub(crate) fn certificates(dir: &Path) -> Result<Vec<Vec<u8>>, CentralError> {
    let failed = |error: std::io::Error| CentralError::Io { action: "read", file: "cards".into(), kind: error.kind() };
    let mut paths: Vec<PathBuf> = fs::read_dir(folder(dir))
        .map_err(failed)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "der"))
        .collect();
    paths.sort();
    paths.truncate(MAX_CERTIFICATES);
    paths.iter().map(|path| files::read(path)).collect()
}

/// The challenge a chip must have signed for one session (see [`wallet_chip::evidence::challenge`]).
pub(crate) fn challenge(session: &str, nonce: &[u8; 32], action: &str, account: &str, thumbprint: &[u8; 32]) -> [u8; 8] {
    wallet_chip::evidence::challenge(session.as_bytes(), nonce, action, account, thumbprint)
}

/// What central learns from a card that holds.
pub(crate) struct Card {
    pub(crate) personal_number: String,
    pub(crate) document_number: String,
    pub(crate) face: Vec<u8>,
}

/// Facts about a card, and the card when it holds.
pub(crate) struct Judgement {
    pub(crate) facts: Vec<Fact>,
    pub(crate) card: Option<Card>,
}

/// Whom central believes about cards.
pub(crate) struct Trust(CardTrust);

impl Trust {
    /// As of this moment: an administrator may revoke while the server runs, so nothing is kept from one judgement to the next.
    pub(crate) fn load(dir: &Path) -> Result<Self, CentralError> {
        let damaged = CentralError::Damaged("card trust");
        let revoked = Revoked::load(dir)?.cards.iter().map(|hash| unhex(hash)).collect::<Option<Vec<_>>>();
        let Some(revoked) = revoked else { return Err(damaged) };
        let csca = certificates(dir)?;
        CardTrust::from_der(csca.iter().map(Vec::as_slice), revoked).map(Self).map_err(|_| damaged)
    }

    /// Judges evidence against the challenge that central computed itself.
    pub(crate) fn judge(&self, evidence: &[u8], challenge: [u8; 8], at: Timestamp) -> Result<Judgement, ApiError> {
        let evidence = Evidence::decode(evidence).map_err(|_| ApiError::invalid("the evidence cannot be read"))?;
        if evidence.dg2.is_none() {
            return Err(ApiError::invalid("the evidence holds no face"));
        }
        let (facts, chip) = evidence.verify(&challenge, &self.0, at, By::Central);
        let card = chip.and_then(|chip| {
            Some(Card {
                personal_number: chip.mrz().personal_number.clone()?,
                document_number: chip.mrz().document_number.clone(),
                face: chip.face()?.image.clone(),
            })
        });
        Ok(Judgement { facts, card })
    }
}

/// Reads 64 hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (index, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(out)
}
