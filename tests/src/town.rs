//! The people of a test: the synthetic registry's citizens with their cards, faces and messages.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wallet_base::random::OsRandom;
use wallet_base::time::Date;
use wallet_card_sim::{CardHolder, CardProfile, TestCardAuthority};
use wallet_central::faces;
use wallet_central::registry::{Citizen, SyntheticRegistry};
use wallet_chip::mrz::Sex;
use wallet_platform::ports::Clock;

/// Width and height of every picture, in pixels.
const PICTURE: (u32, u32) = (240, 320);

/// A card authority and the citizens it serves. Citizens are named by their place in the registry.
pub struct Town {
    /// Issues the cards.
    pub authority: TestCardAuthority,
    registry: SyntheticRegistry,
    clock: Arc<dyn Clock>,
}

impl Town {
    /// A new card authority under a clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let authority = TestCardAuthority::new(&OsRandom, clock.wall()).unwrap();
        Self { authority, registry: SyntheticRegistry::new().unwrap(), clock }
    }

    /// What the registry says of a citizen.
    pub fn citizen(&self, index: usize) -> Citizen {
        self.registry.all()[index].clone()
    }

    /// A new chip card for a citizen.
    pub fn card(&self, index: usize) -> CardProfile {
        let citizen = self.citizen(index);
        let sex = if citizen.sex == "M" { Sex::Male } else { Sex::Female };
        let [birth, expiry] = [&citizen.birth, &citizen.card.expires].map(|text| Date::parse_iso(text).unwrap());
        let face = faces::portrait(&citizen.personal_number, PICTURE.0, PICTURE.1).unwrap();
        let holder = CardHolder::new(&citizen.personal_number, &citizen.full_name, birth, sex, expiry).unwrap().with_face(face);
        self.authority.issue_card(&holder, &OsRandom, self.clock.wall()).unwrap()
    }

    /// What the phone's camera sees.
    pub fn selfie(&self, index: usize) -> Vec<u8> {
        faces::selfie(&self.citizen(index).personal_number, PICTURE.0, PICTURE.1).unwrap()
    }

    /// The card access number: the last six digits of the personal number.
    pub fn can_digits(&self, index: usize) -> String {
        self.citizen(index).personal_number[6..].to_owned()
    }
}

/// The newest code in central's spool.
pub fn last_code(spool: &Path) -> String {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(spool).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &PathBuf| -> serde_json::Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let code = paths.iter().rev().map(read).find(|message| message["code"] != "").unwrap()["code"].clone();
    code.as_str().unwrap().to_owned()
}
