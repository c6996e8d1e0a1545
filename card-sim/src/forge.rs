//! Forged cards, for attacks and negative tests: what a criminal with a blank chip can do.

use wallet_base::crypto::{Curve, SoftwareKey};
use wallet_base::random::Random;
use wallet_base::time::Timestamp;
use wallet_chip::files::FileId;

use crate::SimError;
use crate::authority::{CardProfile, TestCardAuthority};

/// A card with one altered byte in a data group, under its genuine SOD. In DG1 a letter of the name's filler changes, so that
/// every check digit still holds; elsewhere the last byte.
pub fn altered_group(genuine: &CardProfile, file: FileId) -> Result<CardProfile, SimError> {
    let mut forged = genuine.clone();
    let byte = forged.files.get_mut(&file).and_then(|bytes| bytes.last_mut()).ok_or(SimError::Forge)?;
    *byte = if file == FileId::Dg1 { b'X' } else { *byte ^ 1 };
    Ok(forged)
}

/// A card whose files are signed by an authority of the forger's own making.
pub fn foreign_signer(genuine: &CardProfile, random: &dyn Random, at: Timestamp) -> Result<CardProfile, SimError> {
    let mut forged = genuine.clone();
    TestCardAuthority::named("Foreign CSCA", random, at)?.sign_again(&mut forged, at)?;
    Ok(forged)
}

/// The same under the genuine country signer's name.
pub fn impostor_signer(genuine: &CardProfile, random: &dyn Random, at: Timestamp) -> Result<CardProfile, SimError> {
    let mut forged = genuine.clone();
    TestCardAuthority::new(random, at)?.sign_again(&mut forged, at)?;
    Ok(forged)
}

/// Every file copied, but not the chip's private key.
pub fn cloned(genuine: &CardProfile, random: &dyn Random) -> CardProfile {
    let mut forged = genuine.clone();
    forged.active_key = SoftwareKey::generate(Curve::BrainpoolP256r1, random).scalar();
    forged
}

/// A copy that hides a file it cannot answer for (DG15, DG14).
pub fn hidden(genuine: &CardProfile, file: FileId) -> CardProfile {
    let mut forged = genuine.clone();
    forged.files.remove(&file);
    forged
}
