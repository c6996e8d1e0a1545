//! What is particular to the Vietnamese card: the personal number, the CAN, the printed QR, and DG13 against DG1.

use wallet_base::time::Date;

use crate::ReadError;
use crate::lds::dg13::{Dg13, field};
use crate::mrz::{Mrz, Sex};
use crate::pace::Can;
use crate::provinces::PROVINCES;

/// Longest QR text that is looked at, in bytes.
const MAX_QR: usize = 4096;

/// A personal identification number: twelve digits `PPP G YY NNNNNN`. Only the twelve digits are a rule; the structure gives
/// hints and rejects nothing. `Debug` is redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonalNumber(String);

impl std::fmt::Debug for PersonalNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonalNumber(redacted)")
    }
}

impl PersonalNumber {
    /// Takes exactly twelve ASCII digits.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The card access number: the last six digits.
    pub fn can(&self) -> Result<Can, ReadError> {
        Can::new(self.0.get(6..).unwrap_or_default())
    }

    /// The document number in the MRZ: the last nine digits.
    pub fn document_number(&self) -> &str {
        self.0.get(3..).unwrap_or_default()
    }

    /// Hint: where the birth was registered; `None` for codes abroad or unknown.
    pub fn province(&self) -> Option<&'static str> {
        let code: u16 = self.0.get(..3)?.parse().ok()?;
        PROVINCES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
    }

    /// The digit of century and sex.
    fn century_and_sex(&self) -> Option<i32> {
        self.0.get(3..4)?.parse().ok()
    }

    /// Hint: year of birth. Digit 4 is 0/1 for the 20th century, 2/3 for the 21st, and so on.
    pub fn birth_year(&self) -> Option<i32> {
        let two: i32 = self.0.get(4..6)?.parse().ok()?;
        Some(1900 + self.century_and_sex()? / 2 * 100 + two)
    }

    /// Hint: sex; even is male.
    pub fn sex(&self) -> Option<Sex> {
        Some(if self.century_and_sex()? % 2 == 0 { Sex::Male } else { Sex::Female })
    }
}

/// The text of the QR printed on a card. **Unsigned**: it may give a CAN, never a claim about anybody. `Debug` is redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct CardQr {
    /// Twelve-digit number.
    pub number: PersonalNumber,
    /// Old nine-digit number, when printed.
    pub old_number: Option<String>,
    /// Full name.
    pub full_name: String,
    /// Birth.
    pub birth: Option<Date>,
    /// Sex as printed (Nam, Nữ).
    pub sex: String,
    /// Address.
    pub address: String,
    /// Issue date.
    pub issued: Option<Date>,
    /// Fields after the seventh (2024 cards), as they are.
    pub further: Vec<String>,
}

impl std::fmt::Debug for CardQr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardQr(redacted)")
    }
}

impl CardQr {
    /// Parses seven or more fields parted by `|`: number, old number, name, birth ddMMyyyy, sex, address, issue ddMMyyyy. Some
    /// software leaves the old number's column out; then the second field is a name.
    pub fn parse(text: &str) -> Result<Self, ReadError> {
        const BAD: ReadError = ReadError::malformed("card QR", "not the fields of a citizen card");
        if text.len() > MAX_QR {
            return Err(BAD);
        }
        let fields: Vec<&str> = text.trim_end_matches(['\r', '\n']).split('|').map(str::trim).collect();
        let (first, rest) = fields.split_first().ok_or(BAD)?;
        let number = PersonalNumber::parse(first).ok_or(BAD)?;
        let (old_number, rest) = match rest.split_first() {
            Some((&"", rest)) => (None, rest),
            Some((second, rest)) if second.len() == 9 && second.bytes().all(|b| b.is_ascii_digit()) => (Some((*second).to_owned()), rest),
            _ => (None, rest),
        };
        let [name, birth, sex, address, issued, further @ ..] = rest else { return Err(BAD) };
        if name.is_empty() || name.chars().any(|c| c.is_ascii_digit() || c.is_control()) || birth.len() != 8 {
            return Err(BAD);
        }
        Ok(Self {
            number,
            old_number,
            full_name: (*name).to_owned(),
            birth: Some(day_month_year(birth).ok_or(BAD)?),
            sex: (*sex).to_owned(),
            address: (*address).to_owned(),
            issued: day_month_year(issued),
            further: further.iter().map(|text| (*text).to_owned()).collect(),
        })
    }

    /// Whether a scanned text looks like a card's QR (twelve digits and a bar), without reading it whole.
    pub fn looks_like(text: &str) -> bool {
        text.split_once('|').is_some_and(|(first, _)| PersonalNumber::parse(first).is_some())
    }
}

/// ddMMyyyy or dd/MM/yyyy.
pub fn day_month_year(text: &str) -> Option<Date> {
    let digits: String = text.chars().filter(|c| *c != '/').collect();
    if digits.len() != 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Date::new(digits.get(4..)?.parse().ok()?, digits.get(2..4)?.parse().ok()?, digits.get(..2)?.parse().ok()?)
}

/// Numbers of DG13 fields that say something else than DG1: personal number, birth, sex, expiry.
pub(crate) fn differences(mrz: &Mrz, dg13: &Dg13) -> Vec<u32> {
    let mut out = Vec::new();
    if dg13.text(field::PERSONAL_NUMBER).is_some_and(|number| mrz.personal_number.as_deref() != Some(number)) {
        out.push(field::PERSONAL_NUMBER);
    }
    let short = |date: Date| format!("{:02}{:02}{:02}", date.year() % 100, date.month(), date.day());
    for (number, in_mrz) in [(field::BIRTH, &mrz.birth), (field::EXPIRY, &mrz.expiry)] {
        // Words instead of a date ("no expiry") are no difference.
        if dg13.text(number).and_then(day_month_year).is_some_and(|date| short(date) != *in_mrz) {
            out.push(number);
        }
    }
    let sex = match dg13.text(field::SEX) {
        Some("Nam") => Some(Sex::Male),
        Some("Nữ") => Some(Sex::Female),
        _ => None,
    };
    if sex.is_some_and(|sex| sex != mrz.sex) {
        out.push(field::SEX);
    }
    out.sort_unstable();
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_number_gives_can_and_hints() {
        let number = PersonalNumber::parse("001090000123").unwrap();
        assert_eq!(number.can().unwrap(), Can::new("000123").unwrap());
        assert_eq!(
            (number.document_number(), number.province(), number.birth_year(), number.sex()),
            ("090000123", Some("Hà Nội"), Some(1990), Some(Sex::Male))
        );
        let number = PersonalNumber::parse("096305000001").unwrap();
        assert_eq!((number.province(), number.birth_year(), number.sex()), (Some("Cà Mau"), Some(2005), Some(Sex::Female)));
        assert_eq!(PersonalNumber::parse("999999999999").unwrap().province(), None);
        for bad in ["", "00109000012", "0010900001234", "00109000012x", "００１０９００００１２３"] {
            assert_eq!(PersonalNumber::parse(bad), None);
        }
    }

    #[test]
    fn the_printed_qr_in_its_forms() {
        let seven = CardQr::parse("001090000123|012345678|Nguyễn Văn An|01011990|Nam|Số 1, Phố Huế, Hà Nội|01012021").unwrap();
        assert_eq!(seven.old_number.as_deref(), Some("012345678"));
        assert_eq!(
            (seven.full_name.as_str(), seven.birth.unwrap().to_iso(), seven.issued.unwrap().to_iso()),
            ("Nguyễn Văn An", "1990-01-01".into(), "2021-01-01".into())
        );
        let empty = CardQr::parse("001090000123||Nguyễn Văn An|01011990|Nam|Hà Nội|01012021").unwrap();
        assert_eq!(empty.old_number, None);
        let six = CardQr::parse("001090000123|Nguyễn Văn An|01011990|Nam|Hà Nội|01012021").unwrap();
        assert_eq!((six.old_number, six.address.as_str()), (None, "Hà Nội"));
        let longer = CardQr::parse("001090000123||Nguyễn Văn An|01011990|Nam|Hà Nội|01012025||x").unwrap();
        assert_eq!(longer.further, ["", "x"]);
        assert_eq!(format!("{longer:?}"), "CardQr(redacted)");
    }

    #[test]
    fn hostile_qr_texts_are_refused() {
        for text in [
            "",
            "|",
            "001090000123",
            "001090000123|",
            "00109000012|x|x|01011990|Nam|x|01012021",
            "001090000123||An|99999999|Nam|x|01012021",
            "001090000123||An1|01011990|Nam|x|01012021",
            "CWQ1:ABC",
        ] {
            assert!(CardQr::parse(text).is_err(), "{text}");
        }
        assert!(CardQr::parse(&"1".repeat(MAX_QR + 1)).is_err());
        assert!(CardQr::looks_like("001090000123|") && !CardQr::looks_like("CWQ1:AB|C"));
    }
}
