//! Forged cards out of a genuine one.
use wallet_base::random::OsRandom;
use wallet_base::time::Timestamp;
use wallet_card_sim::{CardProfile, forge};
use wallet_chip::files::FileId;

use crate::cli::Forgery;
use crate::trouble::Trouble;

/// The genuine card, forged.
pub fn forged(genuine: &CardProfile, how: Forgery, now: Timestamp) -> Result<CardProfile, Trouble> {
    let made = match how {
        Forgery::Dg => forge::altered_group(genuine, FileId::Dg1),
        Forgery::SodSigner => forge::impostor_signer(genuine, &OsRandom, now),
        Forgery::ClonedChip => Ok(forge::cloned(genuine, &OsRandom)),
    };
    made.map_err(|e| Trouble::outside("forging a card", e))
}
