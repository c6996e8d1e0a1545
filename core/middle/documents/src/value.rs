//! Typed field values and their encodings: mdoc element, SD-CWT claim, JSON.

use serde_json::{Value as Json, json};
use wallet_base::cbor::Value;
use wallet_base::jose;
use wallet_base::text::safe_text;
use wallet_base::time::{Date, Timestamp};

use crate::DocumentError;
use crate::field::{Field, ValueKind};
use crate::insurance::CardNumber;
use crate::licence::{MAX_PRIVILEGES, Privilege, Scheme};

/// CBOR tags: tdate and epoch (RFC 8949, 3.4.1 and 3.4.2), days and full-date (RFC 8943).
const TAG_TDATE: u64 = 0;
const TAG_EPOCH: u64 = 1;
const TAG_DAYS: u64 = 100;
const TAG_FULL_DATE: u64 = 1004;
const SECONDS_PER_DAY: i64 = 86_400;
/// Longest text of one part of a health book entry.
const ENTRY_TEXT: usize = 160;

/// One dated entry of a health book: what, a note (reaction, facility), when.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Agent, diagnosis or reason.
    pub what: String,
    /// Reaction, facility or result.
    pub note: Option<String>,
    /// Since when, or when.
    pub date: Option<Date>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry(..)")
    }
}

/// A field's value, already of the kind its field asks for.
#[derive(Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// Text, digits, one of a few words.
    Text(String),
    /// A day.
    Date(Date),
    /// A moment.
    Moment(Timestamp),
    /// An integer.
    Integer(i64),
    /// Yes or no.
    Bool(bool),
    /// Bytes of a picture.
    Image(Vec<u8>),
    /// Driving privileges.
    Privileges(Vec<Privilege>),
    /// Health book entries.
    Entries(Vec<Entry>),
}

impl std::fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(..)",
            Self::Date(_) => "Date(..)",
            Self::Moment(_) => "Moment(..)",
            Self::Integer(_) => "Integer(..)",
            Self::Bool(_) => "Bool(..)",
            Self::Image(_) => "Image(..)",
            Self::Privileges(_) => "Privileges(..)",
            Self::Entries(_) => "Entries(..)",
        })
    }
}

/// JPEG, JPEG 2000 (code stream and JP2), PNG, WebP by their first bytes.
fn is_picture(bytes: &[u8]) -> bool {
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP".as_slice());
    [&b"\xff\xd8\xff"[..], b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ", b"\x89PNG\r\n\x1a\n"].iter().any(|magic| bytes.starts_with(magic))
        || webp
}

/// Media type of a portrait, or the general one.
pub fn picture_type(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0xff, 0x4f, 0xff, 0x51, ..] | [0, 0, 0, 0x0c, b'j', b'P', ..] => "image/jp2",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'R', b'I', b'F', b'F', ..] => "image/webp",
        _ => "application/octet-stream",
    }
}

fn date_from_days(days: i64) -> Option<Date> {
    let seconds = days.checked_mul(SECONDS_PER_DAY)?;
    let moment = Timestamp::from_unix(seconds);
    // Out-of-range values were clamped: refuse them.
    (moment.unix() == seconds).then(|| moment.date())
}

fn days(date: Date) -> i64 {
    Timestamp::from_date(date).unix().div_euclid(SECONDS_PER_DAY)
}

fn full_date(date: Date) -> Value {
    Value::Tag(TAG_FULL_DATE, Box::new(Value::text(&date.to_iso())))
}

fn exact_moment(seconds: i64) -> Option<Timestamp> {
    let moment = Timestamp::from_unix(seconds);
    (moment.unix() == seconds).then_some(moment)
}

impl FieldValue {
    /// Checks the value against the field's kind and limits; text comes back normalised.
    ///
    /// # Errors
    ///
    /// [`DocumentError::WrongKind`] with the field's id.
    pub fn fitted(self, field: &Field) -> Result<Self, DocumentError> {
        let fitted = match (field.kind, self) {
            (ValueKind::Text { max }, Self::Text(text)) => safe_text(&text, max).filter(|text| !text.trim().is_empty()).map(Self::Text),
            (ValueKind::Digits { len }, Self::Text(text)) => {
                (text.len() == len && text.bytes().all(|b| b.is_ascii_digit())).then_some(Self::Text(text))
            }
            (ValueKind::Word(words), Self::Text(text)) => words.contains(&text.as_str()).then_some(Self::Text(text)),
            (ValueKind::CardNumber, Self::Text(text)) => CardNumber::parse(&text).map(|number| Self::Text(number.as_str().to_owned())),
            (ValueKind::Integer { min, max }, Self::Integer(n)) => (min..=max).contains(&n).then_some(Self::Integer(n)),
            (ValueKind::Image { max }, Self::Image(bytes)) => (bytes.len() <= max && is_picture(&bytes)).then_some(Self::Image(bytes)),
            (ValueKind::Privileges, Self::Privileges(list)) => (list.len() <= MAX_PRIVILEGES).then_some(Self::Privileges(list)),
            (ValueKind::Entries { max }, Self::Entries(list)) => {
                let fitted: Option<Vec<_>> = list.into_iter().map(fitted_entry).collect();
                fitted.filter(|list| list.len() <= max).map(Self::Entries)
            }
            (ValueKind::Date, value @ Self::Date(_))
            | (ValueKind::Moment, value @ Self::Moment(_))
            | (ValueKind::Bool, value @ Self::Bool(_)) => Some(value),
            _ => None,
        };
        fitted.ok_or(DocumentError::WrongKind(field.id))
    }

    /// The value of an mdoc element (ISO/IEC 18013-5, 7.2.1: full-date, tdate, bstr, `driving_privileges` as an array of maps).
    pub fn to_element(&self) -> Value {
        match self {
            Self::Text(text) => Value::text(text),
            Self::Date(date) => full_date(*date),
            Self::Moment(moment) => Value::Tag(TAG_TDATE, Box::new(Value::text(&moment.to_rfc3339()))),
            Self::Integer(n) => Value::int(*n),
            Self::Bool(b) => Value::Bool(*b),
            Self::Image(bytes) => Value::Bytes(bytes.clone()),
            Self::Privileges(list) => Value::Array(list.iter().map(|p| privilege_map(p, p.class(), true)).collect()),
            Self::Entries(list) => Value::Array(list.iter().map(entry_map).collect()),
        }
    }

    /// ISO's `driving_privileges` (7.2.4): only the classes with an exact international counterpart.
    pub fn to_iso_privileges(&self) -> Option<Value> {
        let Self::Privileges(list) = self else { return None };
        let known = list.iter().filter_map(|p| Some(privilege_map(p, p.iso_category()?, false)));
        Some(Value::Array(known.collect()))
    }

    /// Reads an mdoc element.
    ///
    /// # Errors
    ///
    /// [`DocumentError::WrongKind`] with the field's id.
    pub fn from_element(field: &Field, value: &Value) -> Result<Self, DocumentError> {
        let read = match field.kind {
            ValueKind::Text { .. } | ValueKind::Digits { .. } | ValueKind::Word(_) | ValueKind::CardNumber => text(value),
            ValueKind::Date => read_date(value).map(Self::Date),
            ValueKind::Moment => read_moment(value).map(Self::Moment),
            ValueKind::Integer { .. } => value.as_int().map(Self::Integer),
            ValueKind::Bool => value.as_bool().map(Self::Bool),
            // The cap is asked before the copy.
            ValueKind::Image { max } => value.as_bytes().filter(|b| b.len() <= max).map(|b| Self::Image(b.to_vec())),
            ValueKind::Privileges => read_list(value, MAX_PRIVILEGES, read_privilege).map(Self::Privileges),
            ValueKind::Entries { max } => read_list(value, max, read_entry).map(Self::Entries),
        };
        read.ok_or(DocumentError::WrongKind(field.id))?.fitted(field)
    }

    /// The compact value of an SD-CWT claim: days and seconds as integers, structures as arrays.
    pub fn to_claim(&self) -> Value {
        match self {
            Self::Date(date) => Value::Tag(TAG_DAYS, Box::new(Value::int(days(*date)))),
            Self::Moment(moment) => Value::Tag(TAG_EPOCH, Box::new(Value::int(moment.unix()))),
            Self::Privileges(list) => Value::Array(list.iter().map(privilege_row).collect()),
            Self::Entries(list) => Value::Array(list.iter().map(entry_row).collect()),
            plain => plain.to_element(),
        }
    }

    /// Reads an SD-CWT claim.
    ///
    /// # Errors
    ///
    /// [`DocumentError::WrongKind`] with the field's id.
    pub fn from_claim(field: &Field, value: &Value) -> Result<Self, DocumentError> {
        let read = match field.kind {
            ValueKind::Date => tagged(value, TAG_DAYS).and_then(Value::as_int).and_then(date_from_days).map(Self::Date),
            ValueKind::Moment => tagged(value, TAG_EPOCH).and_then(Value::as_int).and_then(exact_moment).map(Self::Moment),
            ValueKind::Privileges => read_list(value, MAX_PRIVILEGES, read_privilege_row).map(Self::Privileges),
            ValueKind::Entries { max } => read_list(value, max, read_entry_row).map(Self::Entries),
            _ => return Self::from_element(field, value),
        };
        read.ok_or(DocumentError::WrongKind(field.id))?.fitted(field)
    }

    /// JSON for registries and stores: days as `YYYY-MM-DD`, moments as RFC 3339, pictures as base64url.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Text(text) => json!(text),
            Self::Date(date) => json!(date.to_iso()),
            Self::Moment(moment) => json!(moment.to_rfc3339()),
            Self::Integer(n) => json!(n),
            Self::Bool(b) => json!(b),
            Self::Image(bytes) => json!(jose::b64u(bytes)),
            Self::Privileges(list) => list
                .iter()
                .map(|p| {
                    let mut row = json!({"class": p.class(), "scheme": p.scheme().year(), "issue_date": p.issued().to_iso()});
                    if let (Some(end), Some(row)) = (p.expires(), row.as_object_mut()) {
                        row.insert("expiry_date".into(), json!(end.to_iso()));
                    }
                    row
                })
                .collect(),
            Self::Entries(list) => list.iter().map(|e| json!({"what": e.what, "note": e.note, "date": e.date.map(Date::to_iso)})).collect(),
        }
    }

    /// Reads what [`Self::to_json`] writes.
    ///
    /// # Errors
    ///
    /// [`DocumentError::WrongKind`] with the field's id.
    pub fn from_json(field: &Field, value: &Json) -> Result<Self, DocumentError> {
        let date = |value: &Json| value.as_str().and_then(Date::parse_iso);
        let read = match field.kind {
            ValueKind::Text { .. } | ValueKind::Digits { .. } | ValueKind::Word(_) | ValueKind::CardNumber => {
                value.as_str().map(|text| Self::Text(text.to_owned()))
            }
            ValueKind::Date => date(value).map(Self::Date),
            ValueKind::Moment => value.as_str().and_then(Timestamp::parse_rfc3339).map(Self::Moment),
            ValueKind::Integer { .. } => value.as_i64().map(Self::Integer),
            ValueKind::Bool => value.as_bool().map(Self::Bool),
            ValueKind::Image { max } => value
                .as_str()
                .filter(|text| text.len() <= max.saturating_mul(2))
                .and_then(|text| jose::b64u_decode(text).ok())
                .map(Self::Image),
            ValueKind::Privileges => value.as_array().and_then(|rows| {
                let row = |row: &Json| {
                    let scheme = Scheme::from_year(row.get("scheme")?.as_i64()?)?;
                    let expires = match row.get("expiry_date") {
                        None | Some(Json::Null) => None,
                        Some(end) => Some(date(end)?),
                    };
                    Privilege::new(row.get("class")?.as_str()?, scheme, date(row.get("issue_date")?)?, expires)
                };
                rows.iter().map(row).collect::<Option<Vec<_>>>().map(Self::Privileges)
            }),
            ValueKind::Entries { .. } => value.as_array().and_then(|rows| {
                let row = |row: &Json| {
                    let note = row.get("note").and_then(Json::as_str).map(ToOwned::to_owned);
                    Some(Entry { what: row.get("what")?.as_str()?.to_owned(), note, date: row.get("date").and_then(date) })
                };
                rows.iter().map(row).collect::<Option<Vec<_>>>().map(Self::Entries)
            }),
        };
        read.ok_or(DocumentError::WrongKind(field.id))?.fitted(field)
    }
}

fn text(value: &Value) -> Option<FieldValue> {
    value.as_text().map(|text| FieldValue::Text(text.to_owned()))
}

fn tagged(value: &Value, tag: u64) -> Option<&Value> {
    value.as_tag().and_then(|(found, inner)| (found == tag).then_some(inner))
}

fn read_date(value: &Value) -> Option<Date> {
    tagged(value, TAG_FULL_DATE)?.as_text().and_then(Date::parse_iso)
}

fn read_moment(value: &Value) -> Option<Timestamp> {
    tagged(value, TAG_TDATE)?.as_text().and_then(Timestamp::parse_rfc3339)
}

fn read_list<T>(value: &Value, max: usize, read: fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array().filter(|rows| rows.len() <= max)?.iter().map(read).collect()
}

fn fitted_entry(entry: Entry) -> Option<Entry> {
    let what = safe_text(&entry.what, ENTRY_TEXT).filter(|text| !text.trim().is_empty())?;
    let note = match entry.note {
        None => None,
        Some(note) => Some(safe_text(&note, ENTRY_TEXT)?),
    };
    Some(Entry { what, note, date: entry.date })
}

/// A `DrivingPrivilege` map; the domestic element names the scheme besides.
fn privilege_map(privilege: &Privilege, category: &str, domestic: bool) -> Value {
    let mut map = vec![(Value::text("vehicle_category_code"), Value::text(category))];
    if domestic {
        map.push((Value::text("scheme"), Value::int(privilege.scheme().year())));
    }
    map.push((Value::text("issue_date"), full_date(privilege.issued())));
    if let Some(end) = privilege.expires() {
        map.push((Value::text("expiry_date"), full_date(end)));
    }
    Value::Map(map)
}

fn read_privilege(value: &Value) -> Option<Privilege> {
    let scheme = Scheme::from_year(value.get_text("scheme")?.as_int()?)?;
    let expires = match value.get_text("expiry_date") {
        None => None,
        Some(end) => Some(read_date(end)?),
    };
    Privilege::new(value.get_text("vehicle_category_code")?.as_text()?, scheme, read_date(value.get_text("issue_date")?)?, expires)
}

/// `[class, scheme, issued, ? expires]`, days since 1970 without tags.
fn privilege_row(privilege: &Privilege) -> Value {
    let mut row = vec![Value::text(privilege.class()), Value::int(privilege.scheme().year()), Value::int(days(privilege.issued()))];
    row.extend(privilege.expires().map(|end| Value::int(days(end))));
    Value::Array(row)
}

fn read_privilege_row(value: &Value) -> Option<Privilege> {
    let (class, scheme, issued, expires) = match value.as_array()? {
        [class, scheme, issued] => (class, scheme, issued, None),
        [class, scheme, issued, end] => (class, scheme, issued, Some(date_from_days(end.as_int()?)?)),
        _ => return None,
    };
    Privilege::new(class.as_text()?, Scheme::from_year(scheme.as_int()?)?, date_from_days(issued.as_int()?)?, expires)
}

fn entry_map(entry: &Entry) -> Value {
    let mut map = vec![(Value::text("what"), Value::text(&entry.what))];
    map.extend(entry.note.as_ref().map(|note| (Value::text("note"), Value::text(note))));
    map.extend(entry.date.map(|date| (Value::text("date"), full_date(date))));
    Value::Map(map)
}

fn read_entry(value: &Value) -> Option<Entry> {
    let note = match value.get_text("note") {
        None => None,
        Some(note) => Some(note.as_text()?.to_owned()),
    };
    let date = match value.get_text("date") {
        None => None,
        Some(date) => Some(read_date(date)?),
    };
    Some(Entry { what: value.get_text("what")?.as_text()?.to_owned(), note, date })
}

/// `[what, note or null, day or null]`, trailing nulls left out.
fn entry_row(entry: &Entry) -> Value {
    let mut row = vec![Value::text(&entry.what)];
    if entry.note.is_some() || entry.date.is_some() {
        row.push(entry.note.as_ref().map_or(Value::Null, |note| Value::text(note)));
    }
    row.extend(entry.date.map(|date| Value::int(days(date))));
    Value::Array(row)
}

fn read_entry_row(value: &Value) -> Option<Entry> {
    let (what, note, date) = match value.as_array()? {
        [what] => (what, &Value::Null, &Value::Null),
        [what, note] => (what, note, &Value::Null),
        [what, note, date] => (what, note, date),
        _ => return None,
    };
    let note = match note {
        Value::Null => None,
        note => Some(note.as_text()?.to_owned()),
    };
    let date = match date {
        Value::Null => None,
        day => Some(date_from_days(day.as_int()?)?),
    };
    Some(Entry { what: what.as_text()?.to_owned(), note, date })
}
