//! Who may ask for what: the table of roles.
//!
//! One row a role; the table travels in the trust repository (target `readers.json`), the wallet holds a request against it and the verifier takes its
//! policy from it. [`RoleTable::reference`] is the row set the reference service publishes.

use std::collections::BTreeMap;

use serde::Deserialize;
use wallet_base::text::safe_text;
use wallet_base::time::Timestamp;

use crate::DocumentError;
use crate::types;

/// The reference rows (`flight`, `traffic-police`, `health`) as JSON.
pub const REFERENCE: &str = include_str!("../data/roles.json");

const MAX_BYTES: usize = 64 * 1024;
const MAX_ROLES: usize = 32;
const MAX_DOCUMENTS: usize = 16;
const MAX_FIELDS: usize = 64;
const MAX_PURPOSES: usize = 16;
const MAX_LABELS: usize = 8;
const MAX_ID: usize = 48;
const MAX_HOURS: u32 = 10 * 366 * 24;
const SECONDS_PER_HOUR: i64 = 3600;

#[derive(Deserialize)]
struct Table {
    version: u32,
    roles: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    labels: BTreeMap<String, String>,
    documents: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    defaults: BTreeMap<String, Vec<String>>,
    purposes: Vec<String>,
    #[serde(default)]
    boarding_pass: bool,
    status_green_hours: u32,
    status_caution_hours: u32,
    face_required: bool,
    one_way_allowed: bool,
    #[serde(default)]
    legal_basis: String,
    max_retention_hours: u32,
}

/// How old a status list is for a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusAge {
    /// Young enough.
    Green,
    /// Old but allowed: the fact carries a caution.
    Caution,
    /// Too old: the status counts as not checked.
    TooOld,
}

/// One role and its policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    id: String,
    labels: BTreeMap<String, String>,
    documents: BTreeMap<String, Vec<String>>,
    defaults: BTreeMap<String, Vec<String>>,
    purposes: Vec<String>,
    boarding_pass: bool,
    green_hours: u32,
    caution_hours: u32,
    face_required: bool,
    one_way_allowed: bool,
    legal_basis: String,
    max_retention_hours: u32,
}

impl Role {
    /// Id, as in the verifier's certificate.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Name for people in a language (`vi`, `en`); the id when there is none.
    pub fn label(&self, language: &str) -> &str {
        self.labels.get(language).unwrap_or(&self.id)
    }

    /// Ids of the document types the role may ask for.
    pub fn documents(&self) -> impl Iterator<Item = &str> {
        self.documents.keys().map(String::as_str)
    }

    /// Fields the role may ask of a document; empty when it may ask none.
    pub fn allowed(&self, document: &str) -> &[String] {
        self.documents.get(document).map_or(&[], Vec::as_slice)
    }

    /// Fields asked of a document when the checker chooses nothing: the listed defaults, or else what is allowed, without sensitive fields and
    /// without what does not fit into one symbol.
    pub fn defaults(&self, document: &str) -> Vec<String> {
        if let Some(listed) = self.defaults.get(document) {
            return listed.clone();
        }
        let table = types::by_id(document);
        let ordinary = |id: &&String| table.and_then(|t| t.field(id)).is_some_and(|f| !f.sensitive && f.single_symbol && f.claim.is_some());
        self.allowed(document).iter().filter(ordinary).cloned().collect()
    }

    /// Ids of the purposes the role may name.
    pub fn purposes(&self) -> &[String] {
        &self.purposes
    }

    /// Whether the role may name that purpose.
    pub fn purpose_allowed(&self, purpose: &str) -> bool {
        self.purposes.iter().any(|known| known == purpose)
    }

    /// The role has a boarding pass before it, whose name is compared with the signed one.
    pub fn boarding_pass(&self) -> bool {
        self.boarding_pass
    }

    /// Up to how many hours a status list is young enough.
    pub fn status_green_hours(&self) -> u32 {
        self.green_hours
    }

    /// Up to how many hours a status list may be used with a caution.
    pub fn status_caution_hours(&self) -> u32 {
        self.caution_hours
    }

    /// Judges the age of a status list. A list from the future (a clock is wrong) is never green.
    pub fn status_age(&self, issued: Timestamp, now: Timestamp) -> StatusAge {
        let age = now.unix().saturating_sub(issued.unix());
        let hours = |hours: u32| i64::from(hours).saturating_mul(SECONDS_PER_HOUR);
        if (0..=hours(self.green_hours)).contains(&age) {
            StatusAge::Green
        } else if (-SECONDS_PER_HOUR..=hours(self.caution_hours)).contains(&age) {
            StatusAge::Caution
        } else {
            StatusAge::TooOld
        }
    }

    /// The face must be compared before the verdict can be green.
    pub fn face_required(&self) -> bool {
        self.face_required
    }

    /// The role takes one-way codes (path C).
    pub fn one_way_allowed(&self) -> bool {
        self.one_way_allowed
    }

    /// Number of the law that lets the role ask, as a request names it; empty when the table gives none.
    pub fn legal_basis(&self) -> &str {
        &self.legal_basis
    }

    /// Longest retention the role may ask for, in hours.
    pub fn max_retention_hours(&self) -> u32 {
        self.max_retention_hours
    }

    fn from_row(row: Row) -> Result<Self, DocumentError> {
        let bad = DocumentError::Roles;
        check_id(&row.id)?;
        if row.documents.len() > MAX_DOCUMENTS || row.purposes.len() > MAX_PURPOSES || row.labels.len() > MAX_LABELS {
            return Err(bad("too long a row"));
        }
        for purpose in &row.purposes {
            check_id(purpose)?;
        }
        let mut labels = BTreeMap::new();
        for (language, label) in row.labels {
            check_id(&language)?;
            labels.insert(language, safe_text(&label, 80).ok_or(bad("label is no safe text"))?);
        }
        for (document, fields) in row.documents.iter().chain(&row.defaults) {
            check_id(document)?;
            if fields.len() > MAX_FIELDS {
                return Err(bad("too many fields"));
            }
            for field in fields {
                check_id(field)?;
            }
        }
        for (document, fields) in &row.defaults {
            let allowed = row.documents.get(document).ok_or(bad("defaults for a document that is not allowed"))?;
            if !fields.iter().all(|field| allowed.contains(field)) {
                return Err(bad("a default that is not allowed"));
            }
        }
        if row.status_caution_hours < row.status_green_hours || row.status_caution_hours > MAX_HOURS || row.max_retention_hours > MAX_HOURS
        {
            return Err(bad("hours"));
        }
        Ok(Self {
            id: row.id,
            labels,
            documents: row.documents,
            defaults: row.defaults,
            purposes: row.purposes,
            boarding_pass: row.boarding_pass,
            green_hours: row.status_green_hours,
            caution_hours: row.status_caution_hours,
            face_required: row.face_required,
            one_way_allowed: row.one_way_allowed,
            legal_basis: safe_text(&row.legal_basis, 40).ok_or(bad("legal basis is no safe text"))?,
            max_retention_hours: row.max_retention_hours,
        })
    }
}

/// Ids are lower-case ASCII words.
fn check_id(id: &str) -> Result<(), DocumentError> {
    let ok = !id.is_empty()
        && id.len() <= MAX_ID
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
    ok.then_some(()).ok_or(DocumentError::Roles("an id is no lower-case word"))
}

/// All roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleTable {
    roles: BTreeMap<String, Role>,
}

impl RoleTable {
    /// Reads a table of at most 64 KiB.
    ///
    /// # Errors
    ///
    /// [`DocumentError::Roles`] says what is wrong: size, version, ids, labels, hours, defaults that are not allowed, a role given twice.
    pub fn parse(json: &str) -> Result<Self, DocumentError> {
        if json.len() > MAX_BYTES {
            return Err(DocumentError::Roles("too large"));
        }
        let table: Table = serde_json::from_str(json).map_err(|_| DocumentError::Roles("not the expected JSON"))?;
        if table.version != 1 {
            return Err(DocumentError::Roles("unknown version"));
        }
        if table.roles.len() > MAX_ROLES {
            return Err(DocumentError::Roles("too many roles"));
        }
        let mut roles = BTreeMap::new();
        for row in table.roles {
            let role = Role::from_row(row)?;
            if roles.insert(role.id.clone(), role).is_some() {
                return Err(DocumentError::Roles("a role given twice"));
            }
        }
        Ok(Self { roles })
    }

    /// The reference rows.
    ///
    /// # Errors
    ///
    /// None in practice: the rows are part of the build and a test reads them.
    pub fn reference() -> Result<Self, DocumentError> {
        Self::parse(REFERENCE)
    }

    /// The role of that id.
    pub fn role(&self, id: &str) -> Option<&Role> {
        self.roles.get(id)
    }

    /// All roles by id.
    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    /// The asked fields that the role may not have of that document: all of them when the role or the document is not in the table.
    pub fn over_ask<'a>(&self, role: &str, document: &str, fields: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let allowed = self.role(role).map_or(&[][..], |role| role.allowed(document));
        fields.into_iter().filter(|field| !allowed.iter().any(|known| known == field)).map(ToOwned::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_rows_hold_together() {
        let table = RoleTable::reference().unwrap();
        assert_eq!(table.iter().map(Role::id).collect::<Vec<_>>(), ["flight", "health", "traffic-police"]);
        for role in table.iter() {
            assert!(role.label("vi") != role.id() && role.label("en") != role.id());
            for document in role.documents() {
                let known = types::by_id(document).unwrap();
                for field in role.allowed(document) {
                    assert!(known.field(field).is_some(), "{} {document} {field}", role.id());
                }
                let defaults = role.defaults(document);
                assert!(!defaults.is_empty());
                for field in defaults {
                    let field = known.field(&field).unwrap();
                    assert!(!field.sensitive && field.single_symbol && field.claim.is_some(), "{}", field.id);
                }
            }
        }
        let police = table.role("traffic-police").unwrap();
        assert_eq!((police.status_green_hours(), police.status_caution_hours()), (24, 72));
        assert!(police.face_required() && !police.one_way_allowed());
        let with_passes: Vec<&str> = table.iter().filter(|role| role.boarding_pass()).map(Role::id).collect();
        assert_eq!(with_passes, ["flight"]);
        assert!(table.role("flight").unwrap().purpose_allowed("domestic-check-in"));
        assert!(!table.role("flight").unwrap().purpose_allowed("roadside-check"));
    }

    #[test]
    fn over_ask_names_the_fields() {
        let table = RoleTable::reference().unwrap();
        assert_eq!(
            table.over_ask("flight", "citizen-identity", ["full_name", "ethnicity", "resident_address"]),
            ["ethnicity", "resident_address"]
        );
        assert_eq!(table.over_ask("flight", "health-summary", ["blood_group"]), ["blood_group"]);
        assert_eq!(table.over_ask("baker", "citizen-identity", ["full_name"]), ["full_name"]);
        assert!(table.over_ask("traffic-police", "driving-licence", ["points", "privileges"]).is_empty());
    }

    #[test]
    fn status_age_by_hours() {
        let table = RoleTable::reference().unwrap();
        let role = table.role("traffic-police").unwrap();
        let now = Timestamp::from_unix(1_800_000_000);
        let age = |hours: i64| role.status_age(now.plus_secs(-hours * 3600), now);
        assert_eq!(
            [age(0), age(24), age(25), age(72), age(73), age(-1), age(-2)],
            [
                StatusAge::Green,
                StatusAge::Green,
                StatusAge::Caution,
                StatusAge::Caution,
                StatusAge::TooOld,
                StatusAge::Caution,
                StatusAge::TooOld,
            ]
        );
    }

    #[test]
    fn defaults_fall_back_to_ordinary_fields() {
        let row = r#"{"version":1,"roles":[{"id":"r","labels":{},"documents":{"health-summary":["full_name","conditions"],"citizen-identity":["portrait_small","sex"]},
            "purposes":[],"status_green_hours":1,"status_caution_hours":1,"face_required":false,"one_way_allowed":false,"max_retention_hours":0}]}"#;
        let table = RoleTable::parse(row).unwrap();
        let role = table.role("r").unwrap();
        assert_eq!(
            (role.defaults("health-summary"), role.defaults("citizen-identity")),
            (vec!["full_name".to_owned()], vec!["sex".to_owned()])
        );
        assert!(role.defaults("driving-licence").is_empty());
    }

    #[test]
    fn bad_tables_are_refused() {
        let change = |from: &str, to: &str| {
            let changed = REFERENCE.replacen(from, to, 1);
            assert_ne!(changed, REFERENCE, "{from}");
            RoleTable::parse(&changed).unwrap_err()
        };
        assert_eq!(change("\"version\": 1", "\"version\": 2"), DocumentError::Roles("unknown version"));
        assert_eq!(change("\"id\": \"flight\"", "\"id\": \"Flight!\""), DocumentError::Roles("an id is no lower-case word"));
        assert_eq!(change("\"id\": \"flight\"", "\"id\": \"health\""), DocumentError::Roles("a role given twice"));
        assert_eq!(change("Hàng không", "Hàng\u{202e}không"), DocumentError::Roles("label is no safe text"));
        assert_eq!(change("\"status_green_hours\": 24", "\"status_green_hours\": 73"), DocumentError::Roles("hours"));
        assert_eq!(change("\"face_required\": true", "\"face_required\": 1"), DocumentError::Roles("not the expected JSON"));
        let defaults = change("[\"full_name\", \"birth_date\", \"expiry_date\"]", "[\"ethnicity\"]");
        assert_eq!(defaults, DocumentError::Roles("a default that is not allowed"));
        assert_eq!(RoleTable::parse(&" ".repeat(70_000)), Err(DocumentError::Roles("too large")));
        assert!(RoleTable::parse(&"[".repeat(60_000)).is_err());
    }
}
