//! What a scanned text is.

use crate::code_points::{MAX_TEXT, PREFIX_ANSWER, PREFIX_FRAME, PREFIX_ONE_WAY, PREFIX_REQUEST};
use crate::error::ExchangeError;

/// Kind of a scanned text, by its beginning alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scanned {
    /// A checker's request (`CWQ1:`).
    Request,
    /// A wallet's encrypted answer (`CWA1:`).
    Answer,
    /// A one-way code (`CWP1:`).
    OneWay,
    /// One of several frames (`CWF1:`).
    Frame,
    /// The unsigned text printed on a citizen card; it proves nothing.
    VneidCardQr,
    /// Anything else.
    Foreign,
}

impl Scanned {
    /// A word for logs and error texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "a request",
            Self::Answer => "an answer",
            Self::OneWay => "a one-way code",
            Self::Frame => "one of several frames",
            Self::VneidCardQr => "the code printed on a citizen card",
            Self::Foreign => "foreign",
        }
    }

    /// The prefix of our own kinds.
    pub const fn prefix(self) -> Option<&'static str> {
        match self {
            Self::Request => Some(PREFIX_REQUEST),
            Self::Answer => Some(PREFIX_ANSWER),
            Self::OneWay => Some(PREFIX_ONE_WAY),
            Self::Frame => Some(PREFIX_FRAME),
            Self::VneidCardQr | Self::Foreign => None,
        }
    }
}

/// Says what a text is by its prefix or shape. Nothing is verified.
pub fn classify(text: &str) -> Scanned {
    let ours = [Scanned::Request, Scanned::Answer, Scanned::OneWay, Scanned::Frame];
    if let Some(kind) = ours.into_iter().find(|kind| kind.prefix().is_some_and(|prefix| text.starts_with(prefix))) {
        return kind;
    }
    if is_card_code(text) { Scanned::VneidCardQr } else { Scanned::Foreign }
}

/// The body of a text of the wanted kind.
///
/// # Errors
///
/// [`ExchangeError::Foreign`], [`ExchangeError::Wrong`] (one of ours, or the card's printed code), [`ExchangeError::Half`] when only a part of
/// a prefix or nothing after it was read, [`ExchangeError::TooLarge`] when no symbol could have carried it.
pub fn expect(text: &str, wanted: Scanned) -> Result<&str, ExchangeError> {
    // A reader may add a line end; spaces belong to base45.
    let text = text.trim_matches(['\r', '\n']);
    let found = classify(text);
    if found == Scanned::Foreign {
        // `CWQ` is the beginning of a request that was cut off.
        let cut = text.len() >= 2 && wanted.prefix().is_some_and(|prefix| prefix.starts_with(text));
        return Err(if cut { ExchangeError::Half } else { ExchangeError::Foreign });
    }
    if found != wanted {
        return Err(ExchangeError::Wrong { wanted, found });
    }
    if text.len() > MAX_TEXT {
        return Err(ExchangeError::TooLarge);
    }
    let body = wanted.prefix().and_then(|prefix| text.strip_prefix(prefix)).unwrap_or_default();
    if body.is_empty() { Err(ExchangeError::Half) } else { Ok(body) }
}

/// The card's code: `number|old number|name|ddMMyyyy|sex|address|ddMMyyyy`, seven fields (newer cards print more).
fn is_card_code(text: &str) -> bool {
    if text.len() > 1024 {
        return false;
    }
    let fields: Vec<&str> = text.trim().split('|').collect();
    let digits = |field: &str, length: usize| field.len() == length && field.bytes().all(|b| b.is_ascii_digit());
    match fields.as_slice() {
        [number, old, _, birth, _, _, _, ..] => digits(number, 12) && (old.is_empty() || digits(old, 9)) && digits(birth, 8),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "001090000123||Nguyễn Văn An|15011990|Nam|12 Hàng Bạc, Hoàn Kiếm, Hà Nội|01072024";

    #[test]
    fn kinds() {
        for (text, kind) in [
            ("CWQ1:ABC", Scanned::Request),
            ("CWA1:ABC", Scanned::Answer),
            ("CWP1:ABC", Scanned::OneWay),
            ("CWF1:ABC", Scanned::Frame),
            (CARD, Scanned::VneidCardQr),
            ("001090000123|012345678|A|15011990|Nam|B|01072024", Scanned::VneidCardQr),
            ("HC1:NCF", Scanned::Foreign),
            ("https://example.com/", Scanned::Foreign),
            ("mdoc:owBjMS4", Scanned::Foreign),
            ("cwq1:ABC", Scanned::Foreign),
            ("1|2|3|4|5|6|7", Scanned::Foreign),
            ("", Scanned::Foreign),
        ] {
            assert_eq!(classify(text), kind, "{text}");
        }
    }

    #[test]
    fn bad_input_wrong_qr_says_which() {
        let wanted = Scanned::Request;
        assert_eq!(expect("CWA1:ABC", wanted), Err(ExchangeError::Wrong { wanted, found: Scanned::Answer }));
        let card = expect(CARD, wanted).unwrap_err();
        assert_eq!((card, card.problem()), (ExchangeError::Wrong { wanted, found: Scanned::VneidCardQr }, "scan.vneid-card"));
        assert!(card.to_string().starts_with("wrong: the code is the code printed on a citizen card"));
        assert_eq!(expect("CWF1:ABC", Scanned::Answer).unwrap_err().problem(), "scan.frame");
    }

    #[test]
    fn bad_input_foreign_qr_says_so() {
        for text in ["https://example.com/?q=CWQ1:", "HC1:6BF", "shc:/5676", "", "C", "CWQ1", "\u{feff}CWQ1:ABC"] {
            let got = expect(text, Scanned::Request);
            if text == "CWQ1" {
                assert_eq!(got, Err(ExchangeError::Half));
            } else {
                assert_eq!(got, Err(ExchangeError::Foreign), "{text}");
            }
        }
    }

    #[test]
    fn bad_input_half_qr_prefix_only() {
        assert_eq!(expect("CWQ1:", Scanned::Request), Err(ExchangeError::Half));
        assert_eq!(expect("CWQ", Scanned::Request), Err(ExchangeError::Half));
        assert_eq!(expect("CWQ1:AB\r\n", Scanned::Request), Ok("AB"));
        let long = format!("CWQ1:{}", "0".repeat(MAX_TEXT));
        assert_eq!(expect(&long, Scanned::Request), Err(ExchangeError::TooLarge));
    }
}
