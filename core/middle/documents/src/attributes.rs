//! One attribute set makes both formats of a document and reads both back.

use std::collections::BTreeMap;

use serde_json::{Map as JsonMap, Value as Json};
use wallet_base::cbor::Value;
use wallet_base::time::{Date, Timestamp};

use crate::DocumentError;
use crate::field::{DocumentType, Field, ValueKind};
use crate::licence::ISO_PRIVILEGES;
use crate::types::SMALL_PORTRAIT_MAX;
use crate::value::FieldValue;

/// Most elements or claims looked at in one document.
const MAX_ENTRIES: usize = 64;

/// Values of some or all fields of one document. Its `Debug` shows field ids, never values.
#[derive(Clone, PartialEq, Eq)]
pub struct Attributes {
    document: &'static DocumentType,
    values: BTreeMap<&'static str, FieldValue>,
}

impl std::fmt::Debug for Attributes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attributes").field("document", &self.document.id).field("fields", &self.values.keys().collect::<Vec<_>>()).finish()
    }
}

impl Attributes {
    /// An empty set.
    pub fn new(document: &'static DocumentType) -> Self {
        Self { document, values: BTreeMap::new() }
    }

    /// The document type.
    pub fn document(&self) -> &'static DocumentType {
        self.document
    }

    /// Sets one field; an earlier value is replaced.
    ///
    /// # Errors
    ///
    /// [`DocumentError::UnknownField`], [`DocumentError::WrongKind`].
    pub fn set(&mut self, field: &str, value: FieldValue) -> Result<(), DocumentError> {
        let field = self.document.field(field).ok_or(DocumentError::UnknownField)?;
        self.values.insert(field.id, value.fitted(field)?);
        Ok(())
    }

    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&FieldValue> {
        self.values.get(field)
    }

    /// A text field.
    pub fn text(&self, field: &str) -> Option<&str> {
        match self.get(field)? {
            FieldValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A day field.
    pub fn date(&self, field: &str) -> Option<Date> {
        match self.get(field)? {
            FieldValue::Date(date) => Some(*date),
            _ => None,
        }
    }

    /// A moment field.
    pub fn moment(&self, field: &str) -> Option<Timestamp> {
        match self.get(field)? {
            FieldValue::Moment(moment) => Some(*moment),
            _ => None,
        }
    }

    /// An integer field.
    pub fn integer(&self, field: &str) -> Option<i64> {
        match self.get(field)? {
            FieldValue::Integer(n) => Some(*n),
            _ => None,
        }
    }

    /// A picture field.
    pub fn image(&self, field: &str) -> Option<&[u8]> {
        match self.get(field)? {
            FieldValue::Image(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The larger of the portraits there are.
    pub fn portrait(&self) -> Option<&[u8]> {
        self.image("portrait").or_else(|| self.image("portrait_small"))
    }

    /// Ids of the fields that have a value, in the order of the type's table.
    pub fn field_ids(&self) -> Vec<&'static str> {
        self.iter().map(|(field, _)| field.id).collect()
    }

    /// Fields with their values, in the order of the type's table.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Field, &FieldValue)> {
        self.document.fields.iter().filter_map(|field| Some((field, self.values.get(field.id)?)))
    }

    /// Every field that documents of the type always carry is there.
    ///
    /// # Errors
    ///
    /// [`DocumentError::Missing`] names the first one that is not.
    pub fn check_complete(&self) -> Result<(), DocumentError> {
        let missing = self.document.fields.iter().find(|field| field.required && !self.values.contains_key(field.id));
        missing.map_or(Ok(()), |field| Err(DocumentError::Missing(field.id)))
    }

    /// The mdoc elements: (namespace, element identifier, element value).
    pub fn to_elements(&self) -> Vec<(String, String, Value)> {
        let mut out = Vec::new();
        for (field, value) in self.iter() {
            let Some((namespace, element)) = field.mdoc else { continue };
            out.push((namespace.to_owned(), element.to_owned(), value.to_element()));
            if let Some(iso) = value.to_iso_privileges() {
                out.push((ISO_PRIVILEGES.0.to_owned(), ISO_PRIVILEGES.1.to_owned(), iso));
            }
        }
        out
    }

    /// Reads disclosed mdoc elements. Elements the type does not know are left out; ISO's `driving_privileges` follows from the domestic element
    /// and is not read back.
    ///
    /// # Errors
    ///
    /// [`DocumentError::WrongKind`], [`DocumentError::Duplicate`], [`DocumentError::TooMany`].
    pub fn from_elements<'a>(
        document: &'static DocumentType,
        elements: impl IntoIterator<Item = (&'a str, &'a str, &'a Value)>,
    ) -> Result<Self, DocumentError> {
        let mut out = Self::new(document);
        for (n, (namespace, element, value)) in elements.into_iter().enumerate() {
            if n >= MAX_ENTRIES {
                return Err(DocumentError::TooMany);
            }
            if let Some(field) = document.field_of_element(namespace, element) {
                out.insert_once(field, FieldValue::from_element(field, value)?)?;
            }
        }
        Ok(out)
    }

    /// The SD-CWT claims to be redacted: (claim key, value). The SD-CWT is padded with decoys to the type's
    /// [`redacted_claims`](DocumentType::redacted_claims). A portrait of at most 4 KB also serves as the small one when none is set.
    pub fn to_claims(&self) -> Vec<(i64, Value)> {
        let mut out = Vec::new();
        for field in self.document.fields {
            let Some(key) = field.claim else { continue };
            let value = match (self.values.get(field.id), field.kind) {
                (Some(value), _) => Some(value.to_claim()),
                (None, ValueKind::Image { .. }) => {
                    self.image("portrait").filter(|bytes| bytes.len() <= SMALL_PORTRAIT_MAX).map(|bytes| Value::Bytes(bytes.to_vec()))
                }
                (None, _) => None,
            };
            out.extend(value.map(|value| (key, value)));
        }
        out
    }

    /// Reads disclosed SD-CWT claims. Claims the type does not know (`iat`, `cnf`, ...) are left out.
    ///
    /// # Errors
    ///
    /// [`DocumentError::WrongKind`], [`DocumentError::Duplicate`], [`DocumentError::TooMany`].
    pub fn from_claims<'a>(
        document: &'static DocumentType,
        claims: impl IntoIterator<Item = (i64, &'a Value)>,
    ) -> Result<Self, DocumentError> {
        let mut out = Self::new(document);
        for (n, (key, value)) in claims.into_iter().enumerate() {
            if n >= MAX_ENTRIES {
                return Err(DocumentError::TooMany);
            }
            if let Some(field) = document.field_of_claim(key) {
                out.insert_once(field, FieldValue::from_claim(field, value)?)?;
            }
        }
        Ok(out)
    }

    /// A JSON object, field id to value.
    pub fn to_json(&self) -> Json {
        Json::Object(self.values.iter().map(|(id, value)| ((*id).to_owned(), value.to_json())).collect::<JsonMap<_, _>>())
    }

    /// Reads what [`Self::to_json`] writes. Nulls are left out; unknown fields are refused.
    ///
    /// # Errors
    ///
    /// [`DocumentError::UnknownField`], [`DocumentError::WrongKind`], [`DocumentError::TooMany`].
    pub fn from_json(document: &'static DocumentType, value: &Json) -> Result<Self, DocumentError> {
        let map = value.as_object().ok_or(DocumentError::WrongKind("(all)"))?;
        if map.len() > MAX_ENTRIES {
            return Err(DocumentError::TooMany);
        }
        let mut out = Self::new(document);
        for (id, value) in map.iter().filter(|(_, value)| !value.is_null()) {
            let field = document.field(id).ok_or(DocumentError::UnknownField)?;
            out.insert_once(field, FieldValue::from_json(field, value)?)?;
        }
        Ok(out)
    }

    /// Only the named fields.
    pub fn only<'a>(&self, fields: impl IntoIterator<Item = &'a str>) -> Self {
        let mut out = Self::new(self.document);
        for id in fields {
            if let Some((id, value)) = self.values.get_key_value(id) {
                out.values.insert(id, value.clone());
            }
        }
        out
    }

    fn insert_once(&mut self, field: &'static Field, value: FieldValue) -> Result<(), DocumentError> {
        match self.values.insert(field.id, value) {
            None => Ok(()),
            Some(_) => Err(DocumentError::Duplicate(field.id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::{ALL, CITIZEN_IDENTITY, DRIVING_LICENCE, HEALTH_SUMMARY};
    use crate::{by_id, types};

    pub(crate) fn sample(id: &str) -> Attributes {
        let picture = wallet_base::jose::b64u(b"\xff\xd8\xff\xe0small portrait");
        let value = match id {
            "citizen-identity" => json!({
                "full_name": "Nguyễn Văn An", "family_name": "Nguyễn", "given_name": "Văn An", "personal_number": "001090000123",
                "birth_date": "1990-01-15", "sex": 1, "nationality": "VN", "place_of_birth": "Hà Nội", "portrait": picture,
                "resident_address": "12 Hàng Bạc, Hoàn Kiếm, Hà Nội", "issue_date": "2024-07-01", "expiry_date": "2039-01-15",
                "issuing_authority": "Bộ Công an", "issuing_country": "VN", "ethnicity": "Kinh"}),
            "driving-licence" => json!({
                "full_name": "Nguyễn Văn An", "family_name": "Nguyễn", "given_name": "Văn An", "birth_date": "1990-01-15",
                "licence_number": "790123456789", "issue_date": "2025-02-01", "expiry_date": "2035-02-01", "points": 12,
                "points_as_of": "2026-11-21T00:00:00Z", "issuing_authority": "Cục CSGT", "issuing_country": "VN",
                "distinguishing_sign": "VN",
                "privileges": [{"class": "A1", "scheme": 2008, "issue_date": "2010-05-01"},
                    {"class": "B", "scheme": 2024, "issue_date": "2025-02-01", "expiry_date": "2035-02-01"}]}),
            "health-insurance-card" => json!({
                "full_name": "Nguyễn Văn An", "birth_date": "1990-01-15", "sex": 1, "card_number": "DN4790123456789",
                "category": "DN", "benefit_level": 4, "facility": "79-034 Bệnh viện Quận 1", "valid_from": "2026-01-01",
                "valid_to": "2026-12-31", "living_area": "K1"}),
            _ => json!({
                "full_name": "Nguyễn Văn An", "birth_date": "1990-01-15", "blood_group": "O+",
                "allergies": [{"what": "Penicillin", "note": "phát ban", "date": "2015-03-02"}, {"what": "Tôm"}],
                "conditions": [{"what": "Tăng huyết áp", "note": null, "date": "2021-08-10"}], "last_entries": [],
                "as_of": "2026-11-20T08:00:00Z"}),
        };
        Attributes::from_json(by_id(id).unwrap(), &value).unwrap()
    }

    #[test]
    fn both_formats_read_back() {
        for document in ALL {
            let all = sample(document.id);
            all.check_complete().unwrap();
            let elements = all.to_elements();
            let back = Attributes::from_elements(document, elements.iter().map(|(n, e, v)| (n.as_str(), e.as_str(), v))).unwrap();
            let in_mdoc = all.only(document.fields.iter().filter(|f| f.mdoc.is_some()).map(|f| f.id));
            assert_eq!(back, in_mdoc, "{}", document.id);
            let claims = all.to_claims();
            assert!(claims.len() <= document.redacted_claims);
            let back = Attributes::from_claims(document, claims.iter().map(|(k, v)| (*k, v))).unwrap();
            for (field, value) in all.iter().filter(|(f, _)| f.claim.is_some()) {
                assert_eq!(back.get(field.id), Some(value), "{}: {}", document.id, field.id);
            }
            assert_eq!(Attributes::from_json(document, &all.to_json()).unwrap(), all);
        }
    }

    #[test]
    fn encodings_are_those_of_the_standards() {
        let licence = sample("driving-licence").to_elements();
        let find = |element: &str| &licence.iter().find(|(_, e, _)| e == element).unwrap().2;
        // ISO/IEC 18013-5, 7.2.1: full-date = #6.1004(tstr); RFC 8943.
        assert_eq!(hex::encode(wallet_base::cbor::encode(find("birth_date"))), "d903ec6a313939302d30312d3135");
        assert_eq!(hex::encode(wallet_base::cbor::encode(find("points_as_of"))), "c074323032362d31312d32315430303a30303a30305a");
        let iso = find("driving_privileges").as_array().unwrap();
        assert_eq!(iso.len(), 1, "a class of 2008 has no exact counterpart");
        assert_eq!(iso[0].get_text("vehicle_category_code").unwrap().as_text(), Some("B"));
        assert_eq!(find("domestic_driving_privileges").as_array().unwrap().len(), 2);
        // RFC 8943: tag 100, days since 1970-01-01; 1940-10-09 is -10676 there.
        let date = FieldValue::Date(Date::parse_iso("1940-10-09").unwrap());
        assert_eq!(hex::encode(wallet_base::cbor::encode(&date.to_claim())), "d8643929b3");
        let field = CITIZEN_IDENTITY.field("birth_date").unwrap();
        assert_eq!(FieldValue::from_claim(field, &date.to_claim()).unwrap(), date);
    }

    #[test]
    fn a_portrait_that_is_small_enough_serves_twice() {
        let mut all = sample("citizen-identity");
        assert!(all.to_claims().iter().any(|(key, _)| *key == crate::claim_keys::PORTRAIT_SMALL));
        let mut large = b"\xff\xd8\xff".to_vec();
        large.resize(SMALL_PORTRAIT_MAX + 1, 0);
        all.set("portrait", FieldValue::Image(large.clone())).unwrap();
        assert!(!all.to_claims().iter().any(|(key, _)| *key == crate::claim_keys::PORTRAIT_SMALL));
        assert_eq!(all.set("portrait_small", FieldValue::Image(large)), Err(DocumentError::WrongKind("portrait_small")));
    }

    #[test]
    fn wrong_kinds_are_refused_by_field_name() {
        let wrong: &[(&str, Value)] = &[
            ("full_name", Value::int(1)),
            ("full_name", Value::text("a\u{202e}b")),
            ("full_name", Value::text(&"a".repeat(101))),
            ("full_name", Value::text(" ")),
            ("personal_number", Value::text("12345678901")),
            ("personal_number", Value::text("00109000012a")),
            ("birth_date", Value::text("1990-01-15")),
            ("birth_date", Value::Tag(1004, Box::new(Value::text("1990-02-30")))),
            ("birth_date", Value::Tag(0, Box::new(Value::text("1990-02-20")))),
            ("sex", Value::text("1")),
            ("sex", Value::int(10)),
            ("portrait", Value::text("x")),
            ("portrait", Value::Bytes(b"no picture".to_vec())),
            ("portrait", Value::Bytes(vec![0xff; types::PORTRAIT_MAX + 1])),
        ];
        for (id, value) in wrong {
            let field = CITIZEN_IDENTITY.field(id).unwrap();
            let got = Attributes::from_elements(&CITIZEN_IDENTITY, [(field.namespace(), field.element(), value)]);
            assert_eq!(got.unwrap_err(), DocumentError::WrongKind(field.id));
        }
        let wrong: &[(&DocumentType, &str, Value)] = &[
            (&CITIZEN_IDENTITY, "birth_date", Value::Tag(100, Box::new(Value::int(i64::MAX)))),
            (&CITIZEN_IDENTITY, "birth_date", Value::int(7319)),
            (&DRIVING_LICENCE, "points", Value::int(13)),
            (&DRIVING_LICENCE, "points_as_of", Value::Tag(1, Box::new(Value::int(i64::MAX)))),
            (&DRIVING_LICENCE, "privileges", Value::Array(vec![Value::Array(vec![Value::text("Z"), Value::int(2024), Value::int(1)])])),
            (&DRIVING_LICENCE, "privileges", Value::Array(vec![Value::Null; 21])),
            (&HEALTH_SUMMARY, "blood_group", Value::text("C+")),
            (&HEALTH_SUMMARY, "allergies", Value::Array(vec![Value::Array(vec![Value::text("x"); 4])])),
            (&HEALTH_SUMMARY, "last_entries", Value::Array(vec![Value::Array(vec![Value::text("x")]); 9])),
        ];
        for (document, id, value) in wrong {
            let field = document.field(id).unwrap();
            let got = Attributes::from_claims(by_id(document.id).unwrap(), [(field.claim.unwrap(), value)]);
            assert_eq!(got.unwrap_err(), DocumentError::WrongKind(field.id));
        }
    }

    #[test]
    fn repeated_and_missing_fields_are_named() {
        let name = Value::text("An");
        let got = Attributes::from_claims(&HEALTH_SUMMARY, [(-65537, &name), (-65537, &name)]);
        assert_eq!(got.unwrap_err(), DocumentError::Duplicate("full_name"));
        assert_eq!(Attributes::new(&HEALTH_SUMMARY).check_complete(), Err(DocumentError::Missing("full_name")));
        let many: Vec<_> = (0..65).map(|n| (n, &name)).collect();
        assert_eq!(Attributes::from_claims(&HEALTH_SUMMARY, many).unwrap_err(), DocumentError::TooMany);
        assert_eq!(Attributes::from_json(&HEALTH_SUMMARY, &json!({"portrait": "x"})).unwrap_err(), DocumentError::UnknownField);
    }

    #[test]
    fn debug_names_fields_only() {
        let shown = format!("{:?}", sample("citizen-identity"));
        assert!(shown.contains("full_name") && !shown.contains("Nguy") && !shown.contains("001090"));
        assert!(!format!("{:?}", sample("citizen-identity").get("full_name")).contains("Nguy"));
    }
}
