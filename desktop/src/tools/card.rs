//! Cards of invented citizens, made by a test card authority whose keys repeat on every machine: they are worth nothing outside of tests.
use wallet_base::random::{OsRandom, SeededRandom};
use wallet_base::time::{Date, Timestamp};
use wallet_card_sim::{CardHolder, CardProfile, TestCardAuthority};
use wallet_central::faces;
use wallet_central::registry::{Registry, SyntheticRegistry};
use wallet_chip::mrz::Sex;

use crate::trouble::Trouble;

/// Seed of the test card authority. Everybody knows it, so everybody can make its cards.
const SEED: u64 = 1_041_975;
/// When the test card authority was founded: 2026-01-01.
const FOUNDED: i64 = 1_767_225_600;

fn failed(e: &dyn std::fmt::Display) -> Trouble {
    Trouble::outside("making a card", e)
}

/// The test card authority.
pub fn authority() -> Result<TestCardAuthority, Trouble> {
    TestCardAuthority::new(&SeededRandom::new(SEED), Timestamp::from_unix(FOUNDED)).map_err(|e| failed(&e))
}

/// The genuine card of an invented citizen of central's registry.
pub fn genuine(personal_number: &str) -> Result<CardProfile, Trouble> {
    let registry = SyntheticRegistry::new().map_err(|e| failed(&e))?;
    let citizen = registry.citizen(personal_number).ok_or_else(|| Trouble::usage("--citizen: nobody of this number was invented"))?;
    let date = |text: &str| Date::parse_iso(text).ok_or_else(|| failed(&"a date of the registry"));
    let sex = if citizen.sex == "F" { Sex::Female } else { Sex::Male };
    let face = faces::portrait(personal_number, 240, 320).map_err(|e| failed(&e))?;
    let holder = CardHolder::new(personal_number, &citizen.full_name, date(&citizen.birth)?, sex, date(&citizen.card.expires)?);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let holder = CardHolder {
        surname: citizen.surname_ascii(),
        given: citizen.given_ascii(),
        issued: date(&citizen.card.issued)?,
        ethnicity: some(&citizen.ethnicity),
        religion: some(&citizen.religion),
        hometown: some(&citizen.place_of_birth),
        address: some(&citizen.address),
        features: some(&citizen.marks),
        parents: some(&citizen.father).zip(some(&citizen.mother)),
        spouse: some(&citizen.spouse),
        old_number: some(&citizen.old_number),
        ..holder.map_err(|e| failed(&e))?.with_face(face)
    };
    authority()?.issue_card(&holder, &OsRandom, Timestamp::from_date(holder.issued)).map_err(|e| failed(&e))
}
