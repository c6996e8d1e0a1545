//! Machine readable zone of a TD1 card (9303-5, 4.2): three lines of thirty characters, with check digits (9303-3, 4.9).

use wallet_base::time::Date;

use crate::ReadError;

const FILE: &str = "MRZ";

/// The 7-3-1 check digit of a text of A-Z, 0-9 and `<`; `None` for other characters.
pub fn check_digit(text: &str) -> Option<char> {
    let mut sum = 0u32;
    for (byte, weight) in text.bytes().zip([7u32, 3, 1].into_iter().cycle()) {
        let value = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            b'A'..=b'Z' => u32::from(byte - b'A') + 10,
            b'<' => 0,
            _ => return None,
        };
        sum += value * weight;
    }
    char::from_digit(sum % 10, 10)
}

/// Sex as the MRZ codes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sex {
    /// `M`
    Male,
    /// `F`
    Female,
    /// `<`
    Unspecified,
}

impl Sex {
    /// `M`, `F` or `<`.
    pub const fn letter(self) -> char {
        match self {
            Self::Male => 'M',
            Self::Female => 'F',
            Self::Unspecified => '<',
        }
    }
}

/// A parsed TD1 zone. `Debug` is redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct Mrz {
    lines: [String; 3],
    /// Nine characters at most, fillers removed. On a Vietnamese card the last nine digits of the personal number.
    pub document_number: String,
    /// The twelve digits of optional data 1, when they are there (Vietnam); else the optional data without fillers, if any.
    pub personal_number: Option<String>,
    /// Issuing state, three letters (`VNM`).
    pub issuer: String,
    /// Nationality, three letters.
    pub nationality: String,
    /// Birth as YYMMDD; unknown parts may be `<`.
    pub birth: String,
    /// Sex.
    pub sex: Sex,
    /// Expiry as YYMMDD. 991231 stands for "no expiry" on some cards.
    pub expiry: String,
    /// Surname (primary identifier), words parted by spaces; A-Z only.
    pub surname: String,
    /// Given names (secondary identifier).
    pub given: String,
    /// The last character of line 1 is the check digit of the personal number (Vietnam). ICAO calls it optional data: a
    /// mismatch is reported here and rejects nothing. `None` when there is no such digit.
    pub optional_data_digit_matches: Option<bool>,
}

impl std::fmt::Debug for Mrz {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mrz(redacted)")
    }
}

impl Drop for Mrz {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        for text in
            self.lines.iter_mut().chain([&mut self.document_number, &mut self.birth, &mut self.expiry, &mut self.surname, &mut self.given])
        {
            text.zeroize();
        }
        self.personal_number.zeroize();
    }
}

impl Mrz {
    /// Parses ninety characters. Wrong characters, lengths and check digits (document number, birth, expiry, composite) are refused.
    pub fn parse_td1(text: &str) -> Result<Self, ReadError> {
        const BAD: ReadError = ReadError::malformed(FILE, "not three lines of thirty characters");
        let text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
        if text.len() != 90 || !text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'<') {
            return Err(BAD);
        }
        let part = |from: usize, to: usize| text.get(from..to).ok_or(BAD);
        let (one, two, three) = (part(0, 30)?, part(30, 60)?, part(60, 90)?);
        let field = |line: &str, from: usize, to: usize| line.get(from..to).map(str::to_owned).ok_or(BAD);

        // 9303-5, 4.2.2: a long document number runs on into the optional data, marked by a filler as its check digit.
        let (number, number_digit, optional) = (field(one, 5, 14)?, field(one, 14, 15)?, field(one, 15, 30)?);
        let (number, number_digit, optional) = if number_digit == "<" && optional.bytes().next().is_some_and(|b| b != b'<') {
            let (tail, rest) = optional.split_once('<').ok_or(ReadError::malformed(FILE, "document number does not end"))?;
            let (more, digit) = tail.split_at_checked(tail.len() - 1).ok_or(BAD)?;
            (format!("{number}{more}"), digit.to_owned(), rest.to_owned())
        } else {
            (number, number_digit, optional)
        };
        let check = |text: &str, digit: &str, reason: &'static str| {
            if check_digit(text).is_some_and(|right| digit == right.to_string()) { Ok(()) } else { Err(ReadError::malformed(FILE, reason)) }
        };
        check(&number, &number_digit, "check digit of the document number")?;
        let (birth, expiry) = (field(two, 0, 6)?, field(two, 8, 14)?);
        check(&birth, &field(two, 6, 7)?, "check digit of the date of birth")?;
        check(&expiry, &field(two, 14, 15)?, "check digit of the date of expiry")?;
        let composite = [field(one, 5, 30)?, field(two, 0, 7)?, field(two, 8, 15)?, field(two, 18, 29)?].concat();
        check(&composite, &field(two, 29, 30)?, "composite check digit")?;
        if !expiry.bytes().all(|b| b.is_ascii_digit()) || !birth.bytes().all(|b| b.is_ascii_digit() || b == b'<') {
            return Err(ReadError::malformed(FILE, "dates are not digits"));
        }
        let sex = match two.as_bytes().get(7) {
            Some(b'M') => Sex::Male,
            Some(b'F') => Sex::Female,
            Some(b'<') => Sex::Unspecified,
            _ => return Err(ReadError::malformed(FILE, "sex")),
        };
        let (surname, given) = three.split_once("<<").unwrap_or((three, ""));
        let words = |text: &str| text.split('<').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");

        let twelve = optional.get(..12).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        let stripped = optional.trim_end_matches('<');
        let personal_number = twelve.or((!stripped.is_empty()).then_some(stripped)).map(str::to_owned);
        let optional_data_digit_matches = twelve.and_then(|digits| {
            let last = optional.chars().nth(14).filter(char::is_ascii_digit)?;
            Some(check_digit(digits) == Some(last))
        });
        Ok(Self {
            document_number: number.trim_end_matches('<').to_owned(),
            personal_number,
            issuer: field(one, 2, 5)?,
            nationality: field(two, 15, 18)?,
            birth,
            sex,
            expiry,
            surname: words(surname),
            given: words(given),
            optional_data_digit_matches,
            lines: [one.to_owned(), two.to_owned(), three.to_owned()],
        })
    }

    /// The three lines as they are on the card.
    pub const fn lines(&self) -> &[String; 3] {
        &self.lines
    }

    /// Birth with its century, `None` when a part is unknown. A Vietnamese personal number tells the century; otherwise the
    /// latest year that is not after `today`.
    pub fn birth_date(&self, today: Date) -> Option<Date> {
        let (yy, month, day) = split_date(&self.birth)?;
        let century =
            self.personal_number.as_deref().and_then(crate::vietnam::PersonalNumber::parse).and_then(|number| number.birth_year());
        let year = match century {
            Some(year) if year % 100 == yy => year,
            _ => {
                let year = today.year() - today.year() % 100 + yy;
                if Date::new(year, month, day)? > today { year - 100 } else { year }
            }
        };
        Date::new(year, month, day)
    }

    /// Expiry in the twenty-first century. `None` for the day that means "no expiry" (991231) and for an impossible day.
    pub fn expiry_date(&self) -> Option<Date> {
        if self.expiry == "991231" {
            return None;
        }
        let (yy, month, day) = split_date(&self.expiry)?;
        Date::new(2000 + yy, month, day)
    }
}

fn split_date(text: &str) -> Option<(i32, u8, u8)> {
    Some((text.get(..2)?.parse().ok()?, text.get(2..4)?.parse().ok()?, text.get(4..6)?.parse().ok()?))
}

/// A TD1 zone to be written. Names in A-Z and spaces; they are cut to the line (9303-3, 4.6).
#[derive(Clone)]
pub struct Td1Fields<'a> {
    /// Two characters (`ID`).
    pub document_code: &'a str,
    /// Three letters.
    pub issuer: &'a str,
    /// One to nine characters.
    pub document_number: &'a str,
    /// Up to fifteen characters.
    pub optional_1: &'a str,
    /// YYMMDD.
    pub birth: &'a str,
    /// Sex.
    pub sex: Sex,
    /// YYMMDD.
    pub expiry: &'a str,
    /// Three letters.
    pub nationality: &'a str,
    /// Up to eleven characters.
    pub optional_2: &'a str,
    /// Surname.
    pub surname: &'a str,
    /// Given names.
    pub given: &'a str,
}

impl Td1Fields<'_> {
    /// Ninety characters with check digits. Errors when a field has other characters or is too long.
    pub fn write(&self) -> Result<String, ReadError> {
        const BAD: ReadError = ReadError::malformed(FILE, "a field does not fit");
        let fill = |text: &str, length: usize| if text.len() <= length { Ok(format!("{text:<<length$}")) } else { Err(BAD) };
        let digit = |text: &str| check_digit(text).ok_or(BAD);
        let number = fill(self.document_number, 9)?;
        let one =
            format!("{}{}{number}{}{}", fill(self.document_code, 2)?, fill(self.issuer, 3)?, digit(&number)?, fill(self.optional_1, 15)?);
        let birth = fill(self.birth, 6)?;
        let expiry = fill(self.expiry, 6)?;
        let (birth_digit, expiry_digit) = (digit(&birth)?, digit(&expiry)?);
        let optional_2 = fill(self.optional_2, 11)?;
        let composite = digit(&format!("{}{birth}{birth_digit}{expiry}{expiry_digit}{optional_2}", one.get(5..).ok_or(BAD)?))?;
        let two =
            format!("{birth}{birth_digit}{}{expiry}{expiry_digit}{}{optional_2}{composite}", self.sex.letter(), fill(self.nationality, 3)?);
        let names = format!("{}<<{}", self.surname.replace(' ', "<"), self.given.replace(' ', "<"));
        let three = fill(names.get(..30.min(names.len())).ok_or(BAD)?, 30)?;
        Ok([one, two, three].concat())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    // The TD1 specimen of 9303-5, appendix B.
    const ERIKSSON: &str = "I<UTOD231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<";

    #[test]
    fn the_icao_specimen_parses() {
        let mrz = Mrz::parse_td1(ERIKSSON).unwrap();
        assert_eq!((mrz.document_number.as_str(), mrz.surname.as_str(), mrz.given.as_str()), ("D23145890", "ERIKSSON", "ANNA MARIA"));
        assert_eq!((mrz.sex, mrz.personal_number.as_deref(), mrz.optional_data_digit_matches), (Sex::Female, None, None));
        assert_eq!(mrz.birth_date(Date::new(2026, 1, 1).unwrap()).unwrap().to_iso(), "1974-08-12");
        assert_eq!(mrz.expiry_date().unwrap().to_iso(), "2012-04-15");
    }

    #[test]
    fn a_long_document_number_runs_into_the_optional_data() {
        // 9303-11, D.2: number D23145890734, check digit 9.
        let line = "I<UTOD23145890<7349<<<<<<<<<<<3407127M9507122UTO<<<<<<<<<<<2STEVENSON<<PETER<JOHN<<<<<<<<<";
        assert_eq!(Mrz::parse_td1(line).unwrap().document_number, "D23145890734");
    }

    #[test]
    fn every_wrong_check_digit_is_refused() {
        for (at, reason) in [
            (14, "check digit of the document number"),
            (36, "check digit of the date of birth"),
            (44, "check digit of the date of expiry"),
            (59, "composite check digit"),
        ] {
            let mut text = ERIKSSON.to_owned();
            let other = if &text[at..=at] == "1" { "2" } else { "1" };
            text.replace_range(at..=at, other);
            assert_eq!(Mrz::parse_td1(&text).unwrap_err(), ReadError::malformed(FILE, reason));
        }
        for text in
            [String::new(), ERIKSSON[1..].to_owned(), ERIKSSON.to_lowercase(), ERIKSSON.replace('A', "Ä"), ERIKSSON.replacen('F', "X", 1)]
        {
            assert!(Mrz::parse_td1(&text).is_err());
        }
    }

    #[test]
    fn no_line_can_make_it_panic() {
        for at in 0..90 {
            for c in ["<", "9", "A"] {
                let mut text = ERIKSSON.to_owned();
                text.replace_range(at..=at, c);
                let _ = Mrz::parse_td1(&text);
            }
        }
    }

    #[test]
    fn debug_shows_nobody() {
        assert_eq!(format!("{:?}", Mrz::parse_td1(ERIKSSON).unwrap()), "Mrz(redacted)");
    }
}
