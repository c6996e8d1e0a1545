//! Health insurance card numbers: three live forms, never derived from one another.

/// What form a card number has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardNumberForm {
    /// Fifteen characters: category (2 letters), benefit level (1 digit), province (2 digits), social insurance number (10 digits).
    Fifteen,
    /// Ten digits, from 1 April 2021: the social insurance number alone.
    Ten,
    /// Twelve digits, from 15 August 2025 (Decree 188/2025): the personal identification number.
    Twelve,
}

/// A well-formed card number.
#[derive(Clone, PartialEq, Eq)]
pub struct CardNumber {
    text: String,
    form: CardNumberForm,
}

impl std::fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CardNumber").field("form", &self.form).finish_non_exhaustive()
    }
}

impl CardNumber {
    /// Reads any of the three forms. Spaces and hyphens of the printed boxes are left out; letters are upper case.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 40 {
            return None;
        }
        let text: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let form = match text.len() {
            10 if digits(&text) => CardNumberForm::Ten,
            12 if digits(&text) => CardNumberForm::Twelve,
            15 => {
                let (category, rest) = text.split_at_checked(2)?;
                let level = rest.bytes().next()?;
                let well_formed = category.bytes().all(|b| b.is_ascii_uppercase()) && digits(rest) && (b'1'..=b'5').contains(&level);
                well_formed.then_some(CardNumberForm::Fifteen)?
            }
            _ => return None,
        };
        Some(Self { text, form })
    }

    /// The number without separators.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Which of the three forms.
    pub fn form(&self) -> CardNumberForm {
        self.form
    }

    /// As printed: the fifteen-character form in its four boxes.
    pub fn printed(&self) -> String {
        let boxes: &[usize] = match self.form {
            CardNumberForm::Fifteen => &[2, 1, 2, 10],
            CardNumberForm::Ten => &[10],
            CardNumberForm::Twelve => &[12],
        };
        let mut rest = self.text.as_str();
        let mut parts = Vec::new();
        for width in boxes {
            if let Some((part, tail)) = rest.split_at_checked(*width) {
                parts.push(part);
                rest = tail;
            }
        }
        parts.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms() {
        let old = CardNumber::parse("DN 4 79 0123456789").unwrap();
        assert_eq!((old.form(), old.as_str(), old.printed().as_str()), (CardNumberForm::Fifteen, "DN4790123456789", "DN 4 79 0123456789"));
        assert_eq!(CardNumber::parse("0123456789").unwrap().form(), CardNumberForm::Ten);
        assert_eq!(CardNumber::parse("001090000123").unwrap().form(), CardNumberForm::Twelve);
    }

    #[test]
    fn other_shapes_are_refused() {
        for bad in
            ["", "123456789", "01234567890", "DN6790123456789", "dn4790123456789", "D44790123456789", "DN47901234567a9", "Đ4790123456789"]
        {
            assert!(CardNumber::parse(bad).is_none(), "{bad}");
        }
        assert!(CardNumber::parse(&"1".repeat(10_000)).is_none());
    }

    #[test]
    fn debug_shows_no_number() {
        assert!(!format!("{:?}", CardNumber::parse("0123456789").unwrap()).contains("0123"));
    }
}
