//! A document as a display model: its fields in groups, and what the paper itself says against its use.

use wallet_base::time::{Date, Timestamp};

use super::{DisplayGroup, DisplayItem, DisplayModel, DisplayValue, ItemRole};
use crate::attributes::Attributes;
use crate::field::{Field, ValueKind};
use crate::insurance::CardNumber;
use crate::licence::Privilege;
use crate::value::{Entry, FieldValue, picture_type};

const PERSON: &str = "group.person";
const PAPER: &str = "group.paper";
const RIGHTS: &str = "group.rights";
const HEALTH: &str = "group.health";
const FAMILY: &str = "group.family";
const WARNINGS: &str = "group.warnings";
/// Every group title, in the order of display.
pub const GROUPS: [&str; 6] = [WARNINGS, PERSON, RIGHTS, HEALTH, PAPER, FAMILY];
/// Keys of values and remarks.
pub const VALUE_KEYS: &[&str] = &[
    "value.sex.male",
    "value.sex.female",
    "value.sex.unknown",
    "value.sex.not-applicable",
    "value.yes",
    "value.no",
    "value.none",
    "warning.expired",
    "warning.not-yet-valid",
    "warning.no-points",
    "warning.class-ended",
    "label.warning",
];

fn group_of(field: &Field) -> &'static str {
    match field.id {
        "privileges" | "points" | "points_as_of" | "benefit_level" | "category" | "facility" | "valid_from" | "valid_to"
        | "continuous_from" | "living_area" => RIGHTS,
        "blood_group" | "allergies" | "conditions" | "last_entries" | "as_of" => HEALTH,
        "father_name" | "mother_name" | "spouse_name" | "ethnicity" | "religion" | "identifying_marks" => FAMILY,
        "issue_date"
        | "expiry_date"
        | "issuing_authority"
        | "issuing_country"
        | "distinguishing_sign"
        | "document_number"
        | "licence_number"
        | "card_number"
        | "old_number"
        | "province" => PAPER,
        _ => PERSON,
    }
}

/// `15/01/1990`, the order of Vietnamese papers.
pub fn format_date(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year())
}

/// `21/11/2026 15:00` in Viet Nam's time (UTC+7, no summer time).
pub fn format_moment(moment: Timestamp) -> String {
    const OFFSET: i64 = 7 * 3600;
    let local = moment.plus_secs(OFFSET);
    let second_of_day = local.unix().rem_euclid(86_400);
    format!("{} {:02}:{:02}", format_date(local.date()), second_of_day / 3600, second_of_day % 3600 / 60)
}

/// The model of a document as of a day. Disclosed parts of a document give a model too: only what is there is shown.
pub fn display(attributes: &Attributes, on: Date) -> DisplayModel {
    let document = attributes.document();
    let mut rows: Vec<(&'static str, DisplayItem)> = Vec::new();
    for warning in warnings(attributes, on) {
        rows.push((WARNINGS, DisplayItem::key("label.warning", warning).with(ItemRole::Warning)));
    }
    // The same picture in two sizes is shown once.
    let has_portrait = attributes.get("portrait").is_some();
    for (field, value) in attributes.iter().filter(|(field, _)| !(has_portrait && field.id == "portrait_small")) {
        let group = group_of(field);
        for (value, warns) in shown(field, value, on) {
            let role = match field.kind {
                ValueKind::Image { .. } => ItemRole::Portrait,
                _ if warns => ItemRole::Warning,
                _ if field.sensitive => ItemRole::Secret,
                _ if field.id == "full_name" => ItemRole::Title,
                _ => ItemRole::Plain,
            };
            rows.push((group, DisplayItem { field: field.id.into(), label: field.label.into(), value, role }));
        }
    }
    let items = |title| rows.iter().filter(|(group, _)| *group == title).map(|(_, item)| item.clone()).collect();
    DisplayModel::new(document.id, document.label, GROUPS.into_iter().map(|title| DisplayGroup::new(title, items(title))).collect())
}

/// What the paper itself says against its use on that day. Status lists and signatures are judged elsewhere.
pub fn warnings(attributes: &Attributes, on: Date) -> Vec<&'static str> {
    let mut out = Vec::new();
    // A licence's own expiry is technical: the privileges count (A1, A and B1 have no limit).
    let licence = attributes.document().id == "driving-licence";
    let end = if licence { None } else { attributes.date("expiry_date").or_else(|| attributes.date("valid_to")) };
    if end.is_some_and(|end| end < on) {
        out.push("warning.expired");
    }
    if attributes.date("valid_from").is_some_and(|start| on < start) {
        out.push("warning.not-yet-valid");
    }
    if let Some(FieldValue::Privileges(list)) = attributes.get("privileges")
        && !list.is_empty()
        && !list.iter().any(|privilege| privilege.valid_on(on))
    {
        out.push("warning.class-ended");
    }
    if attributes.integer("points") == Some(0) {
        out.push("warning.no-points");
    }
    out
}

/// The lines of one field, each with whether it warns.
fn shown(field: &Field, value: &FieldValue, on: Date) -> Vec<(DisplayValue, bool)> {
    let text = |text: String| vec![(DisplayValue::Text(text), false)];
    match value {
        FieldValue::Text(number) if field.kind == ValueKind::CardNumber => {
            text(CardNumber::parse(number).map_or_else(|| number.clone(), |number| number.printed()))
        }
        FieldValue::Text(plain) => text(plain.clone()),
        FieldValue::Date(date) => text(format_date(*date)),
        FieldValue::Moment(moment) => text(format_moment(*moment)),
        FieldValue::Integer(n) if field.id == "sex" => {
            // ISO/IEC 5218.
            let key = match n {
                1 => "value.sex.male",
                2 => "value.sex.female",
                9 => "value.sex.not-applicable",
                _ => "value.sex.unknown",
            };
            vec![(DisplayValue::Key(key.into()), false)]
        }
        FieldValue::Integer(0) if field.id == "points" => vec![(DisplayValue::Text("0".to_owned()), true)],
        FieldValue::Integer(n) => text(n.to_string()),
        FieldValue::Bool(yes) => vec![(DisplayValue::Key(if *yes { "value.yes" } else { "value.no" }.into()), false)],
        FieldValue::Image(bytes) => vec![(DisplayValue::Image { media_type: picture_type(bytes), bytes: bytes.clone() }, false)],
        FieldValue::Privileges(list) if list.is_empty() => vec![(DisplayValue::Key("value.none".into()), true)],
        FieldValue::Privileges(list) => list.iter().map(|p| (DisplayValue::Text(privilege_line(p)), !p.valid_on(on))).collect(),
        FieldValue::Entries(list) if list.is_empty() => vec![(DisplayValue::Key("value.none".into()), false)],
        FieldValue::Entries(list) => list.iter().map(|entry| (DisplayValue::Text(entry_line(entry)), false)).collect(),
    }
}

/// `B (2024) 01/02/2025 - 01/02/2035`; no limit is an infinity sign, which needs no translation.
fn privilege_line(privilege: &Privilege) -> String {
    let end = privilege.expires().map_or_else(|| "\u{221e}".to_owned(), format_date);
    format!("{} ({}) {} \u{2013} {end}", privilege.class(), privilege.scheme().year(), format_date(privilege.issued()))
}

fn entry_line(entry: &Entry) -> String {
    let mut line = entry.what.clone();
    for part in [entry.note.clone(), entry.date.map(format_date)].into_iter().flatten() {
        line.push_str(" \u{b7} ");
        line.push_str(&part);
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::{ALL, CITIZEN_IDENTITY, DRIVING_LICENCE, HEALTH_INSURANCE_CARD, HEALTH_SUMMARY};

    fn day(text: &str) -> Date {
        Date::parse_iso(text).unwrap()
    }

    #[test]
    fn groups_come_in_order_and_none_is_empty() {
        let identity = json!({"full_name": "Nguyễn Văn An", "sex": 2, "birth_date": "1990-01-15", "religion": "Không",
            "expiry_date": "2026-01-01", "portrait": wallet_base::jose::b64u(b"\xff\xd8\xff\xe0x")});
        let model = display(&Attributes::from_json(&CITIZEN_IDENTITY, &identity).unwrap(), day("2026-11-21"));
        assert_eq!(model.groups.iter().map(|g| g.title.as_ref()).collect::<Vec<_>>(), [WARNINGS, PERSON, PAPER, FAMILY]);
        let person = &model.groups[1].items;
        assert_eq!(person[0].role, ItemRole::Title);
        assert!(person.iter().any(|item| item.role == ItemRole::Portrait));
        assert!(person.iter().any(|item| item.value == DisplayValue::Key("value.sex.female".into())));
        assert!(person.iter().any(|item| item.value == DisplayValue::Text("15/01/1990".into())));
        assert_eq!(model.groups[3].items[0].role, ItemRole::Secret);
        assert!(!format!("{model:?}").contains("Nguy"));
    }

    #[test]
    fn licence_without_limit_and_without_points() {
        let licence = json!({"points": 0, "expiry_date": "2020-01-01", "privileges": [
            {"class": "A1", "scheme": 2024, "issue_date": "2025-02-01"},
            {"class": "B", "scheme": 2024, "issue_date": "2015-02-01", "expiry_date": "2025-02-01"}]});
        let attributes = Attributes::from_json(&DRIVING_LICENCE, &licence).unwrap();
        assert_eq!(warnings(&attributes, day("2026-11-21")), ["warning.no-points"]);
        let model = display(&attributes, day("2026-11-21"));
        let lines: Vec<_> = model.groups.iter().flat_map(|g| &g.items).filter(|i| i.field == "privileges").collect();
        assert_eq!(lines[0].value, DisplayValue::Text("A1 (2024) 01/02/2025 – ∞".into()));
        assert_eq!((lines[0].role, lines[1].role), (ItemRole::Plain, ItemRole::Warning));
        assert_eq!(warnings(&attributes.only(["privileges"]), day("2024-01-01")), [] as [&str; 0]);
        assert_eq!(warnings(&attributes.only(["privileges"]), day("2014-01-01")), ["warning.class-ended"]);
    }

    #[test]
    fn insurance_and_health() {
        let card = json!({"card_number": "DN4790123456789", "valid_from": "2027-01-01", "valid_to": "2027-12-31"});
        let card = Attributes::from_json(&HEALTH_INSURANCE_CARD, &card).unwrap();
        assert_eq!(warnings(&card, day("2026-11-21")), ["warning.not-yet-valid"]);
        assert_eq!(warnings(&card, day("2028-11-21")), ["warning.expired"]);
        let shown = display(&card, day("2027-11-21"));
        assert!(shown.groups.iter().flat_map(|g| &g.items).any(|i| i.value == DisplayValue::Text("DN 4 79 0123456789".into())));
        let health = json!({"allergies": [], "conditions": [{"what": "Hen", "date": "2020-02-01"}], "as_of": "2026-11-20T18:30:00Z"});
        let shown = display(&Attributes::from_json(&HEALTH_SUMMARY, &health).unwrap(), day("2026-11-21"));
        let items = &shown.groups[0].items;
        assert_eq!(items[0].value, DisplayValue::Key("value.none".into()));
        assert_eq!((items[1].role, &items[1].value), (ItemRole::Secret, &DisplayValue::Text("Hen · 01/02/2020".into())));
        assert_eq!(items[2].value, DisplayValue::Text("21/11/2026 01:30".into()));
    }

    #[test]
    fn every_field_has_a_group() {
        for field in ALL.into_iter().flat_map(|document| document.fields) {
            assert!(GROUPS.contains(&group_of(field)));
        }
    }
}
