//! What the tests of this crate share.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, OnceLock};

use wallet_base::fact::{By, Fact, FactName, Outcome};
use wallet_base::random::{OsRandom, SeededRandom};
use wallet_base::time::Timestamp;
use wallet_card_sim::{Behaviour, Card, CardHolder, CardProfile, Field, TestCardAuthority};
use wallet_chip::evidence;
use wallet_chip::pace::{Can, MrzKey, Password};
use wallet_chip::reader::{ChipData, Input, ReadPlan, Reader, drive};
use wallet_chip::{CardTrust, ReadError, VerifiedChip, passive};

pub const NUMBER: &str = "001090000123";

pub fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-21T08:00:00Z").unwrap()
}

pub fn authority() -> &'static TestCardAuthority {
    static AUTHORITY: OnceLock<TestCardAuthority> = OnceLock::new();
    AUTHORITY.get_or_init(|| TestCardAuthority::new(&SeededRandom::new(1), now()).unwrap())
}

pub fn genuine() -> CardProfile {
    static CARD: OnceLock<CardProfile> = OnceLock::new();
    CARD.get_or_init(|| authority().issue_card(&CardHolder::sample().unwrap(), &SeededRandom::new(2), now()).unwrap()).clone()
}

pub fn trust() -> CardTrust {
    CardTrust::new(vec![authority().csca().clone()], [])
}

pub fn challenge() -> [u8; 8] {
    evidence::challenge(b"session", &[7; 32], "activate", "account", &[9; 32])
}

pub fn can() -> Password {
    Password::Can(Can::new("000123").unwrap())
}

pub fn mrz() -> Password {
    Password::Mrz(MrzKey::new(NUMBER, "900101", "300101").unwrap())
}

pub fn plan() -> ReadPlan {
    ReadPlan::full(Some(challenge()))
}

pub fn reader(plan: ReadPlan, password: Password) -> Reader {
    Reader::new(plan, password, Arc::new(OsRandom))
}

pub fn card(profile: CardProfile, behaviour: Behaviour) -> Card {
    Card::with(profile, behaviour, Arc::new(OsRandom))
}

pub fn read(profile: CardProfile, behaviour: Behaviour, plan: ReadPlan, password: Password) -> Result<Box<ChipData>, ReadError> {
    let mut field = Field::new(card(profile, behaviour));
    drive(&mut reader(plan, password), Input::Start, |command| field.transceive(command))
}

pub fn verdict(data: &ChipData) -> (Vec<Fact>, Option<VerifiedChip>) {
    passive::verify(data, &trust(), now(), By::Wallet)
}

/// The ladder's order.
pub const LADDER: [FactName; 6] = [
    FactName::ChipHashes,
    FactName::ChipSignature,
    FactName::ChipChain,
    FactName::ChipRevocation,
    FactName::ChipGenuine,
    FactName::ChipAccess,
];

/// Exactly this fact failed: what stands before it passed, what stands after it was not checked.
pub fn assert_only_failed(facts: &[Fact], failed: FactName) {
    assert_eq!(facts.iter().map(Fact::name).collect::<Vec<_>>(), LADDER);
    let at = LADDER.iter().position(|name| *name == failed).unwrap();
    for (number, fact) in facts.iter().enumerate() {
        let expected = match number.cmp(&at) {
            std::cmp::Ordering::Less => Outcome::Passed,
            std::cmp::Ordering::Equal => Outcome::Failed,
            std::cmp::Ordering::Greater => Outcome::NotChecked,
        };
        assert_eq!(fact.outcome(), expected, "{} when {failed} should fail: {}", fact.name(), fact.detail());
    }
}
