//! Registries of ministries, behind a trait; the reference adapter holds synthetic citizens (`data/citizens.json`).

use std::fmt;

use serde::Deserialize;
use wallet_base::time::Date;

use crate::error::CentralError;

/// The synthetic citizens of the reference adapter, as JSON.
pub const REFERENCE: &str = include_str!("../data/citizens.json");

/// What central asks of the registries. Called on a thread of its own, with a deadline, while central holds nothing.
pub trait Registry: Send + Sync {
    /// The person with this 12-digit personal number.
    fn citizen(&self, personal_number: &str) -> Option<Citizen>;

    /// Whether the card with this document number is the current card of this person (not replaced, lost or withdrawn).
    fn card_is_current(&self, personal_number: &str, document_number: &str) -> bool;
}

/// The data sets of one person. `Debug` shows nothing personal.
#[derive(Clone, Deserialize)]
pub struct Citizen {
    /// 12 digits.
    pub personal_number: String,
    /// Family name with diacritics.
    pub surname: String,
    /// Middle and given names with diacritics.
    pub given: String,
    /// The whole name as printed.
    pub full_name: String,
    /// Birth date, ISO 8601.
    pub birth: String,
    /// `M` or `F`.
    pub sex: String,
    /// ICAO three-letter code.
    pub nationality: String,
    /// Telephone number known to the registry, where codes are sent.
    pub phone: String,
    /// The chip card.
    pub card: Card,
    /// Place of birth registration.
    pub place_of_birth: String,
    /// Place of residence.
    pub address: String,
    /// Ethnic group.
    pub ethnicity: String,
    /// Religion.
    pub religion: String,
    /// Former 9-digit number, may be empty.
    pub old_number: String,
    /// Father's name.
    pub father: String,
    /// Mother's name.
    pub mother: String,
    /// Spouse's name, may be empty.
    pub spouse: String,
    /// Identifying marks.
    pub marks: String,
    /// Driving licence.
    pub licence: Licence,
    /// Health insurance card.
    pub insurance: Insurance,
    /// Summary of the health book.
    pub health: Health,
}

impl fmt::Debug for Citizen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Citizen(redacted)")
    }
}

impl Citizen {
    /// `surname` in capital ASCII, as in an MRZ.
    pub fn surname_ascii(&self) -> String {
        wallet_base::text::fold_name(&self.surname)
    }

    /// `given` in capital ASCII, as in an MRZ.
    pub fn given_ascii(&self) -> String {
        wallet_base::text::fold_name(&self.given)
    }
}

/// The chip card as the registry knows it.
#[derive(Clone, Deserialize)]
pub struct Card {
    /// 9 digits, in the MRZ.
    pub document_number: String,
    /// ISO 8601 date.
    pub issued: String,
    /// ISO 8601 date.
    pub expires: String,
    /// False when the card was replaced, lost or withdrawn.
    pub current: bool,
}

/// Driving licence data.
#[derive(Clone, Deserialize)]
pub struct Licence {
    /// Licence number.
    pub number: String,
    /// ISO 8601 date.
    pub issued: String,
    /// ISO 8601 date; absent for classes without limit.
    pub expires: Option<String>,
    /// Issuing office.
    pub authority: String,
    /// Points left, 0 to 12.
    pub points: u8,
    /// Day the points were counted, ISO 8601.
    pub points_as_of: String,
    /// Classes.
    pub classes: Vec<LicenceClass>,
}

/// One class of a driving licence.
#[derive(Clone, Deserialize)]
pub struct LicenceClass {
    /// Class letters.
    pub code: String,
    /// ISO 8601 date.
    pub issued: String,
    /// ISO 8601 date; absent when without limit.
    pub expires: Option<String>,
    /// Year of the law that gives the letters their meaning: 2008 or 2024.
    pub scheme: u16,
}

/// Health insurance card data.
#[derive(Clone, Deserialize)]
pub struct Insurance {
    /// Card number (12-digit form).
    pub number: String,
    /// Two letters.
    pub category: String,
    /// 1 to 5.
    pub benefit_level: u8,
    /// Two digits.
    pub province: String,
    /// Facility of first registration.
    pub facility_code: String,
    /// Its name.
    pub facility_name: String,
    /// ISO 8601 date.
    pub valid_from: String,
    /// ISO 8601 date.
    pub valid_to: String,
    /// Start of five continuous years, ISO 8601 date, may be empty.
    pub five_years_from: String,
    /// `K1` to `K3`, may be empty.
    pub living_area: String,
}

/// Summary out of the health book.
#[derive(Clone, Deserialize)]
pub struct Health {
    /// ABO and Rh.
    pub blood_group: String,
    /// Agent and reaction.
    pub allergies: Vec<HealthEntry>,
    /// Diagnoses.
    pub conditions: Vec<HealthEntry>,
    /// Latest entries, newest first.
    pub entries: Vec<HealthEntry>,
    /// Date of the newest entry, ISO 8601.
    pub updated: String,
}

/// One line of the health book.
#[derive(Clone, Deserialize)]
pub struct HealthEntry {
    /// Agent, diagnosis or reason.
    pub what: String,
    /// Reaction or result.
    pub note: Option<String>,
    /// ISO 8601 date.
    pub date: Option<String>,
}

#[derive(Deserialize)]
struct CitizensFile {
    version: u32,
    citizens: Vec<Citizen>,
}

/// The reference adapter: citizens that were invented, compiled in.
pub struct SyntheticRegistry {
    citizens: Vec<Citizen>,
}

impl SyntheticRegistry {
    /// Reads `data/citizens.json` as it was at build time.
    pub fn new() -> Result<Self, CentralError> {
        Self::from_json(REFERENCE)
    }

    /// Reads a file of the same layout.
    pub fn from_json(text: &str) -> Result<Self, CentralError> {
        let file: CitizensFile = serde_json::from_str(text).map_err(|_| CentralError::Damaged("citizens"))?;
        if file.version != 1 || !file.citizens.iter().all(is_consistent) {
            return Err(CentralError::Damaged("citizens"));
        }
        Ok(Self { citizens: file.citizens })
    }

    /// All of them, in the order of the file.
    pub fn all(&self) -> &[Citizen] {
        &self.citizens
    }
}

impl Registry for SyntheticRegistry {
    fn citizen(&self, personal_number: &str) -> Option<Citizen> {
        self.citizens.iter().find(|citizen| citizen.personal_number == personal_number).cloned()
    }

    fn card_is_current(&self, personal_number: &str, document_number: &str) -> bool {
        self.citizens.iter().any(|citizen| {
            citizen.personal_number == personal_number && citizen.card.document_number == document_number && citizen.card.current
        })
    }
}

/// Dates parse and the number says the same century, sex and year as the person's data (Decree 137/2015, Article 13).
fn is_consistent(citizen: &Citizen) -> bool {
    let number = citizen.personal_number.as_bytes();
    let Some(birth) = Date::parse_iso(&citizen.birth) else { return false };
    let century = u8::try_from((birth.year() - 1900) / 100).unwrap_or(9) * 2 + u8::from(citizen.sex == "F");
    let year = format!("{:02}", birth.year().rem_euclid(100));
    number.len() == 12
        && number.iter().all(u8::is_ascii_digit)
        && number.get(3) == Some(&(b'0' + century))
        && number.get(4..6) == Some(year.as_bytes())
        && Date::parse_iso(&citizen.card.issued).is_some()
        && Date::parse_iso(&citizen.card.expires).is_some()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_first_citizen_is_the_one_of_the_vector() {
        let registry = SyntheticRegistry::new().unwrap();
        let first = &registry.all()[0];
        assert_eq!(first.personal_number, "001090000123");
        assert_eq!(first.full_name, "Nguyễn Văn An");
        assert_eq!((first.surname_ascii().as_str(), first.given_ascii().as_str()), ("NGUYEN", "VAN AN"));
        assert_eq!(first.card.document_number, "090000123");
        assert_eq!((first.birth.as_str(), first.card.expires.as_str()), ("1990-01-01", "2030-01-01"));
        assert!(registry.all().len() >= 6);
    }

    #[test]
    fn vietnamese_names_fold_to_capital_ascii() {
        for citizen in SyntheticRegistry::new().unwrap().all() {
            let folded = format!("{} {}", citizen.surname_ascii(), citizen.given_ascii());
            assert!(folded.bytes().all(|b| b.is_ascii_uppercase() || b == b' '), "{folded}");
        }
    }

    #[test]
    fn a_replaced_card_is_not_current() {
        let registry = SyntheticRegistry::new().unwrap();
        assert!(registry.card_is_current("001090000123", "090000123"));
        assert!(!registry.card_is_current("001090000123", "185004567"));
        assert!(!registry.card_is_current("024095003344", "095003344"));
    }

    #[test]
    fn bad_input_a_number_that_contradicts_the_birth_date_is_refused() {
        let text = include_str!("../data/citizens.json").replacen("\"birth\": \"1990-01-01\"", "\"birth\": \"1991-01-01\"", 1);
        assert!(SyntheticRegistry::from_json(&text).is_err());
    }
}
