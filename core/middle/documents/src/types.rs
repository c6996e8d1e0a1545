//! The document types and their fields.
//!
//! Standard elements stay in their ISO namespaces; only the remainder stands in domestic ones. Field by field after the model in the project's
//! product notes: citizen identity (ISO/IEC TS 23220-4 photo ID), driving licence (ISO/IEC 18013-5, 7.2), health insurance card, health summary.

use crate::claim_keys as key;
use crate::field::{DocumentType, Field, ValueKind};

const PHOTO_ID: &str = "org.iso.23220.photoID.1";
const ISO_23220: &str = "org.iso.23220.1";
const VN_ID: &str = "vn.gov.id.1";
const MDL: &str = "org.iso.18013.5.1";
const VN_LICENCE: &str = "vn.gov.gplx.1";
const VN_INSURANCE: &str = "vn.gov.bhyt.1";
const VN_HEALTH: &str = "vn.gov.sks.1";

/// Largest portrait in an SD-CWT, in bytes.
pub const SMALL_PORTRAIT_MAX: usize = 4096;
/// Largest portrait in an mdoc, in bytes.
pub const PORTRAIT_MAX: usize = 64 * 1024;

const NAME: ValueKind = ValueKind::Text { max: 100 };
const LINE: ValueKind = ValueKind::Text { max: 200 };
const COUNTRY: ValueKind = ValueKind::Text { max: 2 };
const SEX: ValueKind = ValueKind::Integer { min: 0, max: 9 };
const PORTRAIT: ValueKind = ValueKind::Image { max: PORTRAIT_MAX };
const SMALL_PORTRAIT: ValueKind = ValueKind::Image { max: SMALL_PORTRAIT_MAX };

const fn field(id: &'static str, label: &'static str, kind: ValueKind) -> Field {
    Field::new(id, label, kind)
}

/// Citizen identity (căn cước).
pub static CITIZEN_IDENTITY: DocumentType = DocumentType {
    id: "citizen-identity",
    doctype: "org.iso.23220.photoID.1",
    vct: "urn:vn:citizen-identity:1",
    authority: "vn-c06",
    label: "document.citizen-identity",
    redacted_claims: 10,
    fields: &[
        field("full_name", "field.full_name", NAME).in_mdoc(VN_ID, "full_name").in_claims(key::FULL_NAME).required(),
        field("family_name", "field.family_name", NAME).in_mdoc(ISO_23220, "family_name_unicode").required(),
        field("given_name", "field.given_name", NAME).in_mdoc(ISO_23220, "given_name_unicode").required(),
        field("portrait", "field.portrait", PORTRAIT).in_mdoc(ISO_23220, "portrait").large(),
        field("portrait_small", "field.portrait", SMALL_PORTRAIT).in_claims(key::PORTRAIT_SMALL).large(),
        field("personal_number", "field.personal_number", ValueKind::Digits { len: 12 })
            .in_mdoc(PHOTO_ID, "administrative_number")
            .in_claims(key::PERSONAL_NUMBER)
            .required(),
        field("birth_date", "field.birth_date", ValueKind::Date).in_mdoc(ISO_23220, "birth_date").in_claims(key::BIRTH_DATE).required(),
        field("sex", "field.sex", SEX).in_mdoc(ISO_23220, "sex").in_claims(key::SEX).required(),
        field("nationality", "field.nationality", COUNTRY).in_mdoc(ISO_23220, "nationality").in_claims(key::NATIONALITY).required(),
        field("place_of_birth", "field.place_of_birth", LINE).in_mdoc(ISO_23220, "birthplace").in_claims(key::PLACE_OF_BIRTH),
        field("resident_address", "field.resident_address", LINE)
            .in_mdoc(ISO_23220, "resident_address_unicode")
            .in_claims(key::RESIDENT_ADDRESS),
        field("document_number", "field.document_number", ValueKind::Text { max: 20 }).in_mdoc(ISO_23220, "document_number"),
        field("old_number", "field.old_number", ValueKind::Digits { len: 9 }).in_mdoc(VN_ID, "old_number"),
        field("issue_date", "field.issue_date", ValueKind::Date).in_mdoc(ISO_23220, "issue_date").in_claims(key::ISSUE_DATE).required(),
        field("expiry_date", "field.expiry_date", ValueKind::Date).in_mdoc(ISO_23220, "expiry_date").in_claims(key::EXPIRY_DATE).required(),
        field("issuing_authority", "field.issuing_authority", NAME).in_mdoc(ISO_23220, "issuing_authority_unicode").required(),
        field("issuing_country", "field.issuing_country", COUNTRY).in_mdoc(ISO_23220, "issuing_country").required(),
        field("ethnicity", "field.ethnicity", NAME).in_mdoc(VN_ID, "ethnicity").sensitive(),
        field("religion", "field.religion", NAME).in_mdoc(VN_ID, "religion").sensitive(),
        field("identifying_marks", "field.identifying_marks", LINE).in_mdoc(VN_ID, "identifying_marks").sensitive(),
        field("father_name", "field.father_name", NAME).in_mdoc(VN_ID, "father_name").sensitive(),
        field("mother_name", "field.mother_name", NAME).in_mdoc(VN_ID, "mother_name").sensitive(),
        field("spouse_name", "field.spouse_name", NAME).in_mdoc(VN_ID, "spouse_name").sensitive(),
    ],
};

/// Driving licence (giấy phép lái xe).
pub static DRIVING_LICENCE: DocumentType = DocumentType {
    id: "driving-licence",
    doctype: "org.iso.18013.5.1.mDL",
    vct: "urn:vn:driving-licence:1",
    authority: "vn-c08",
    label: "document.driving-licence",
    redacted_claims: 9,
    fields: &[
        field("full_name", "field.full_name", NAME).in_mdoc(VN_LICENCE, "full_name").in_claims(key::FULL_NAME).required(),
        field("family_name", "field.family_name", NAME).in_mdoc(MDL, "family_name").required(),
        field("given_name", "field.given_name", NAME).in_mdoc(MDL, "given_name").required(),
        field("portrait", "field.portrait", PORTRAIT).in_mdoc(MDL, "portrait").large(),
        field("portrait_small", "field.portrait", SMALL_PORTRAIT).in_claims(key::PORTRAIT_SMALL).large(),
        field("birth_date", "field.birth_date", ValueKind::Date).in_mdoc(MDL, "birth_date").in_claims(key::BIRTH_DATE).required(),
        field("licence_number", "field.licence_number", ValueKind::Text { max: 20 })
            .in_mdoc(MDL, "document_number")
            .in_claims(key::LICENCE_NUMBER)
            .required(),
        field("privileges", "field.privileges", ValueKind::Privileges)
            .in_mdoc(VN_LICENCE, "domestic_driving_privileges")
            .in_claims(key::PRIVILEGES)
            .required(),
        field("issue_date", "field.issue_date", ValueKind::Date).in_mdoc(MDL, "issue_date").in_claims(key::ISSUE_DATE).required(),
        field("expiry_date", "field.expiry_date", ValueKind::Date).in_mdoc(MDL, "expiry_date").in_claims(key::EXPIRY_DATE).required(),
        field("points", "field.points", ValueKind::Integer { min: 0, max: 12 }).in_mdoc(VN_LICENCE, "points").in_claims(key::POINTS),
        field("points_as_of", "field.points_as_of", ValueKind::Moment).in_mdoc(VN_LICENCE, "points_as_of").in_claims(key::POINTS_AS_OF),
        field("nationality", "field.nationality", COUNTRY).in_mdoc(MDL, "nationality"),
        field("resident_address", "field.resident_address", LINE).in_mdoc(MDL, "resident_address"),
        // Not in the SD-CWT: its signer's certificate says who issued it, and the 34 bytes are needed for long names.
        field("issuing_authority", "field.issuing_authority", NAME).in_mdoc(MDL, "issuing_authority").required(),
        field("issuing_country", "field.issuing_country", COUNTRY).in_mdoc(MDL, "issuing_country").required(),
        field("distinguishing_sign", "field.distinguishing_sign", ValueKind::Text { max: 3 })
            .in_mdoc(MDL, "un_distinguishing_sign")
            .required(),
    ],
};

/// Health insurance card (thẻ bảo hiểm y tế).
pub static HEALTH_INSURANCE_CARD: DocumentType = DocumentType {
    id: "health-insurance-card",
    doctype: "vn.gov.bhyt.1",
    vct: "urn:vn:health-insurance-card:1",
    authority: "vn-bhxh",
    label: "document.health-insurance-card",
    // A redacted claim costs 34 bytes that nothing compresses: category and living area are in the mdoc only, or what a clinic asks would not fit.
    redacted_claims: 9,
    fields: &[
        field("full_name", "field.full_name", NAME).in_mdoc(VN_INSURANCE, "full_name").in_claims(key::FULL_NAME).required(),
        field("birth_date", "field.birth_date", ValueKind::Date).in_mdoc(VN_INSURANCE, "birth_date").in_claims(key::BIRTH_DATE).required(),
        field("sex", "field.sex", SEX).in_mdoc(VN_INSURANCE, "sex").in_claims(key::SEX).required(),
        field("card_number", "field.card_number", ValueKind::CardNumber)
            .in_mdoc(VN_INSURANCE, "card_number")
            .in_claims(key::CARD_NUMBER)
            .required(),
        field("category", "field.category", ValueKind::Text { max: 2 }).in_mdoc(VN_INSURANCE, "category"),
        field("benefit_level", "field.benefit_level", ValueKind::Integer { min: 1, max: 5 })
            .in_mdoc(VN_INSURANCE, "benefit_level")
            .in_claims(key::BENEFIT_LEVEL)
            .required(),
        // Code and short name: 50 characters, so that what a clinic asks fits one symbol.
        field("facility", "field.facility", ValueKind::Text { max: 50 })
            .in_mdoc(VN_INSURANCE, "facility")
            .in_claims(key::FACILITY)
            .required(),
        field("valid_from", "field.valid_from", ValueKind::Date).in_mdoc(VN_INSURANCE, "valid_from").in_claims(key::VALID_FROM).required(),
        field("valid_to", "field.valid_to", ValueKind::Date).in_mdoc(VN_INSURANCE, "valid_to").in_claims(key::VALID_TO).required(),
        field("continuous_from", "field.continuous_from", ValueKind::Date)
            .in_mdoc(VN_INSURANCE, "continuous_from")
            .in_claims(key::CONTINUOUS_FROM),
        field("living_area", "field.living_area", ValueKind::Word(&["K1", "K2", "K3"])).in_mdoc(VN_INSURANCE, "living_area"),
        field("province", "field.province", ValueKind::Text { max: 80 }).in_mdoc(VN_INSURANCE, "province"),
        field("issuing_authority", "field.issuing_authority", NAME).in_mdoc(VN_INSURANCE, "issuing_authority"),
    ],
};

/// Blood groups of the ABO and Rh(D) systems.
pub const BLOOD_GROUPS: &[&str] = &["O+", "O-", "A+", "A-", "B+", "B-", "AB+", "AB-"];

/// Health summary, out of the health book (sổ sức khỏe điện tử).
pub static HEALTH_SUMMARY: DocumentType = DocumentType {
    id: "health-summary",
    doctype: "vn.gov.sks.1",
    vct: "urn:vn:health-summary:1",
    authority: "vn-byt",
    label: "document.health-summary",
    redacted_claims: 8,
    fields: &[
        field("full_name", "field.full_name", NAME).in_mdoc(VN_HEALTH, "full_name").in_claims(key::FULL_NAME).required(),
        field("birth_date", "field.birth_date", ValueKind::Date).in_mdoc(VN_HEALTH, "birth_date").in_claims(key::BIRTH_DATE).required(),
        field("sex", "field.sex", SEX).in_mdoc(VN_HEALTH, "sex").in_claims(key::SEX),
        field("blood_group", "field.blood_group", ValueKind::Word(BLOOD_GROUPS))
            .in_mdoc(VN_HEALTH, "blood_group")
            .in_claims(key::BLOOD_GROUP),
        field("allergies", "field.allergies", ValueKind::Entries { max: 16 })
            .in_mdoc(VN_HEALTH, "allergies")
            .in_claims(key::ALLERGIES)
            .required(),
        field("conditions", "field.conditions", ValueKind::Entries { max: 16 })
            .in_mdoc(VN_HEALTH, "conditions")
            .in_claims(key::CONDITIONS)
            .sensitive()
            .required(),
        field("last_entries", "field.last_entries", ValueKind::Entries { max: 8 })
            .in_mdoc(VN_HEALTH, "last_entries")
            .in_claims(key::LAST_ENTRIES)
            .sensitive(),
        field("as_of", "field.as_of", ValueKind::Moment).in_mdoc(VN_HEALTH, "as_of").in_claims(key::AS_OF).required(),
        field("issuing_authority", "field.issuing_authority", NAME).in_mdoc(VN_HEALTH, "issuing_authority"),
    ],
};

/// Every document type, in the order of display.
pub static ALL: [&DocumentType; 4] = [&CITIZEN_IDENTITY, &DRIVING_LICENCE, &HEALTH_INSURANCE_CARD, &HEALTH_SUMMARY];

/// The type of that id.
pub fn by_id(id: &str) -> Option<&'static DocumentType> {
    ALL.into_iter().find(|document| document.id == id)
}

/// The type whose mdoc has that `docType`.
pub fn by_doctype(doctype: &str) -> Option<&'static DocumentType> {
    ALL.into_iter().find(|document| document.doctype == doctype)
}

/// The type whose SD-CWT has that `vct`.
pub fn by_vct(vct: &str) -> Option<&'static DocumentType> {
    ALL.into_iter().find(|document| document.vct == vct)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn tables_are_consistent() {
        for document in ALL {
            let ids: BTreeSet<_> = document.fields.iter().map(|f| f.id).collect();
            let elements: BTreeSet<_> = document.fields.iter().filter_map(|f| f.mdoc).collect();
            let keys: Vec<_> = document.fields.iter().filter_map(|f| f.claim).collect();
            assert_eq!(ids.len(), document.fields.len(), "{}: ids", document.id);
            assert_eq!(elements.len(), document.fields.iter().filter(|f| f.mdoc.is_some()).count(), "{}: elements", document.id);
            assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "{}: claim keys", document.id);
            assert!(keys.len() <= document.redacted_claims, "{}: decoys only pad", document.id);
            // RFC 8392, 9.1: private use.
            assert!(keys.iter().all(|key| *key < -65536));
            assert!(document.fields.iter().all(|f| f.mdoc.is_some() || f.claim.is_some()));
            assert_eq!(by_id(document.id), Some(document));
            assert_eq!(by_doctype(document.doctype), Some(document));
            assert_eq!(by_vct(document.vct), Some(document));
        }
        assert!(by_id("passport").is_none() && by_doctype("").is_none() && by_vct("urn:vn:passport:1").is_none());
    }

    #[test]
    fn mandatory_elements_of_the_mdl_are_there() {
        // ISO/IEC 18013-5:2021, 7.2.1, table 5.
        for element in [
            "family_name",
            "given_name",
            "birth_date",
            "issue_date",
            "expiry_date",
            "issuing_country",
            "issuing_authority",
            "document_number",
            "portrait",
            "un_distinguishing_sign",
        ] {
            assert!(DRIVING_LICENCE.field_of_element(MDL, element).is_some(), "{element}");
        }
        assert!(DRIVING_LICENCE.elements_of(["privileges"]).contains(&(MDL, "driving_privileges")));
    }
}
