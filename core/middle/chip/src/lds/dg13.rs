//! DG13 of Vietnamese cards: national details, keyed by field number.
//!
//! Form, as public readers describe it: 6D { SEQUENCE { INTEGER version, OID 1.0.10646.1.0.8, SET OF SEQUENCE { INTEGER
//! number, value } } }. No specification is public, so nothing here makes a reading fail: what does not fit is
//! "present, unknown format", an unknown field is kept raw, a field can be absent. The bytes count by their hash alone.

use crate::tlv::{self, Tlv, TlvError};

/// Field numbers.
pub mod field {
    /// Personal number, twelve digits.
    pub const PERSONAL_NUMBER: u32 = 1;
    /// Full name with diacritics.
    pub const FULL_NAME: u32 = 2;
    /// Date of birth, dd/MM/yyyy.
    pub const BIRTH: u32 = 3;
    /// Sex: Nam or Nữ.
    pub const SEX: u32 = 4;
    /// Nationality.
    pub const NATIONALITY: u32 = 5;
    /// Ethnicity (dân tộc).
    pub const ETHNICITY: u32 = 6;
    /// Religion (tôn giáo).
    pub const RELIGION: u32 = 7;
    /// Hometown (quê quán).
    pub const HOMETOWN: u32 = 8;
    /// Permanent address (nơi thường trú).
    pub const ADDRESS: u32 = 9;
    /// Identifying features (đặc điểm nhận dạng).
    pub const FEATURES: u32 = 10;
    /// Date of issue, dd/MM/yyyy.
    pub const ISSUED: u32 = 11;
    /// Date of expiry, dd/MM/yyyy, or words for "no expiry".
    pub const EXPIRY: u32 = 12;
    /// Father and mother.
    pub const PARENTS: u32 = 13;
    /// Spouse.
    pub const SPOUSE: u32 = 14;
    /// Old nine-digit number.
    pub const OLD_NUMBER: u32 = 15;
    /// Sixteen hexadecimal characters; meaning unconfirmed.
    pub const SERIAL: u32 = 16;
}

/// Value of one field. `Debug` is redacted.
#[derive(Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// One text.
    Text(String),
    /// Several texts (father and mother).
    Texts(Vec<String>),
    /// Anything else: the element's bytes.
    Raw(Vec<u8>),
}

impl std::fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(redacted)",
            Self::Texts(_) => "Texts(redacted)",
            Self::Raw(_) => "Raw(redacted)",
        })
    }
}

/// DG13 as far as it is understood. `Debug` is redacted.
#[derive(Clone, PartialEq, Eq)]
pub enum Dg13 {
    /// The known form: fields in the card's order.
    Fields(Vec<(u32, FieldValue)>),
    /// Present, in a form that is not known here (cards of 2024 may have one).
    UnknownFormat,
}

impl std::fmt::Debug for Dg13 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fields(fields) => write!(f, "Dg13({} fields)", fields.len()),
            Self::UnknownFormat => f.write_str("Dg13(unknown format)"),
        }
    }
}

impl Dg13 {
    /// Parses; never fails.
    pub fn parse(bytes: &[u8]) -> Self {
        Self::fields_of(bytes).map_or(Self::UnknownFormat, Self::Fields)
    }

    fn fields_of(bytes: &[u8]) -> Result<Vec<(u32, FieldValue)>, TlvError> {
        let outer = tlv::file(bytes, 0x6D)?;
        let sequence = tlv::only_tag(outer.value, 0x30)?;
        let mut elements = sequence.children();
        elements.next_tag(0x02)?;
        elements.next_tag(0x06)?;
        let set = elements.next_any()?;
        if !matches!(set.tag, 0x31 | 0x30) {
            return Err(TlvError::Unexpected);
        }
        let mut out: Vec<(u32, FieldValue)> = Vec::new();
        for entry in set.children().all()? {
            if entry.tag != 0x30 {
                return Err(TlvError::Unexpected);
            }
            let mut parts = entry.children();
            let number = parts.next_tag(0x02)?.value;
            if number.is_empty() || number.len() > 4 {
                return Err(TlvError::Unexpected);
            }
            let number = number.iter().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
            if parts.is_empty() {
                continue; // A field without a value is an absent field.
            }
            let value = parts.next_any()?;
            out.push((number, value_of(value)));
        }
        Ok(out)
    }

    /// The value of a field, by number; the first one if a card repeats it.
    pub fn get(&self, number: u32) -> Option<&FieldValue> {
        match self {
            Self::Fields(fields) => fields.iter().find(|(n, _)| *n == number).map(|(_, value)| value),
            Self::UnknownFormat => None,
        }
    }

    /// The text of a field, by number.
    pub fn text(&self, number: u32) -> Option<&str> {
        match self.get(number)? {
            FieldValue::Text(text) => Some(text),
            FieldValue::Texts(_) | FieldValue::Raw(_) => None,
        }
    }

    /// Writes the known form (for a card simulator).
    pub fn encode(fields: &[(u32, FieldValue)]) -> Vec<u8> {
        let text = |text: &str| tlv::encode(0x0C, text.as_bytes());
        let entries: Vec<Vec<u8>> = fields
            .iter()
            .map(|(number, value)| {
                let value = match value {
                    FieldValue::Text(one) => text(one),
                    FieldValue::Texts(many) => tlv::encode_all(0x30, &many.iter().map(|one| text(one)).collect::<Vec<_>>()),
                    FieldValue::Raw(raw) => raw.clone(),
                };
                let [.., last] = number.to_be_bytes();
                tlv::encode_all(0x30, &[tlv::encode(0x02, &[last]), value])
            })
            .collect();
        // 1.0.10646.1.0.8
        let oid = tlv::encode(0x06, &[0x28, 0xD3, 0x16, 0x01, 0x00, 0x08]);
        tlv::encode(0x6D, &tlv::encode_all(0x30, &[vec![2, 1, 1], oid, tlv::encode_all(0x31, &entries)]))
    }
}

/// UTF8String, NumericString, PrintableString and IA5String as text; a SEQUENCE of them as texts; anything else raw.
fn value_of(value: Tlv<'_>) -> FieldValue {
    let text = |tlv: &Tlv<'_>| {
        if matches!(tlv.tag, 0x0C | 0x12 | 0x13 | 0x16) { std::str::from_utf8(tlv.value).ok().map(str::to_owned) } else { None }
    };
    if let Some(text) = text(&value) {
        return FieldValue::Text(text);
    }
    if value.tag == 0x30
        && let Ok(parts) = value.children().all()
        && let Some(texts) = parts.iter().map(text).collect::<Option<Vec<String>>>()
    {
        return FieldValue::Texts(texts);
    }
    FieldValue::Raw(value.raw.to_vec())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_number_in_any_order_with_long_lengths() {
        let long = "Thôn ".repeat(60);
        let fields = vec![
            (field::ADDRESS, FieldValue::Text(long.clone())),
            (99, FieldValue::Raw(vec![0x04, 2, 0xAB, 0xCD])),
            (field::PARENTS, FieldValue::Texts(vec!["Nguyễn Văn B".into(), "Trần Thị C".into()])),
            (field::PERSONAL_NUMBER, FieldValue::Text("001090000123".into())),
        ];
        let parsed = Dg13::parse(&Dg13::encode(&fields));
        assert_eq!(parsed, Dg13::Fields(fields));
        assert_eq!(parsed.text(field::ADDRESS), Some(long.as_str()));
        assert_eq!(parsed.text(field::SPOUSE), None);
        assert_eq!(format!("{parsed:?} {:?}", parsed.get(field::PARENTS)), "Dg13(4 fields) Some(Texts(redacted))");
    }

    #[test]
    fn the_form_typed_in_by_hand_parses() {
        // SET OF { 1: PrintableString "001", 15: absent value, 13: SEQUENCE of UTF8String }.
        let bytes =
            hex::decode("6d29302702010106062 8d31601000831 1a3008020101130330303130030201 0f30090201 0d3004 0c02c3 a1".replace(' ', ""))
                .unwrap();
        let parsed = Dg13::parse(&bytes);
        assert_eq!(parsed.text(1), Some("001"));
        assert_eq!(parsed.get(15), None);
        assert_eq!(parsed.get(13), Some(&FieldValue::Texts(vec!["á".into()])));
    }

    #[test]
    fn hostile_or_unknown_forms_never_fail() {
        let good = Dg13::encode(&[(1, FieldValue::Text("001".into()))]);
        for end in 0..good.len() {
            assert_eq!(Dg13::parse(&good[..end]), Dg13::UnknownFormat);
        }
        assert_eq!(Dg13::parse(&[0x6D, 3, 0xFF, 0xFF, 0xFF]), Dg13::UnknownFormat);
        let not_utf8 = Dg13::encode(&[(2, FieldValue::Raw(vec![0x0C, 1, 0xFF]))]);
        assert_eq!(Dg13::parse(&not_utf8).get(2), Some(&FieldValue::Raw(vec![0x0C, 1, 0xFF])));
    }
}
