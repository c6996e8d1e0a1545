//! From the registries' data to the attributes of each document.

use serde_json::{Map, Value, json};
use wallet_base::jose::b64u;
use wallet_documents::{Attributes, DocumentType};

use crate::authorities;
use crate::error::CentralError;
use crate::faces;
use crate::registry::{Citizen, HealthEntry};

/// Size of the portrait in an mdoc, in pixels.
const PORTRAIT: (u32, u32) = (240, 320);
/// A date that stands for "without limit" where a format makes the date mandatory (licence classes A1, A and B1 never expire).
const NO_LIMIT: &str = "2099-12-31";

/// The attributes of one document of one citizen.
pub(crate) fn attributes(citizen: &Citizen, document: &'static DocumentType) -> Result<Attributes, CentralError> {
    let authority = authorities::authority(document.authority).ok_or(CentralError::Invalid("document type"))?;
    let value = match document.id {
        "citizen-identity" => identity(citizen, authority.name)?,
        "driving-licence" => licence(citizen)?,
        "health-insurance-card" => insurance(citizen, authority.name),
        "health-summary" => health(citizen, authority.name),
        _ => return Err(CentralError::Invalid("document type")),
    };
    let attributes = Attributes::from_json(document, &without_empty(value)).map_err(|_| CentralError::Damaged("registry data"))?;
    attributes.check_complete().map_err(|_| CentralError::Damaged("registry data"))?;
    Ok(attributes)
}

/// An empty text in the registry means that there is nothing to say.
fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().filter(|(_, value)| value.as_str() != Some("") && !value.is_null()).collect::<Map<_, _>>())
        }
        other => other,
    }
}

/// ISO/IEC 5218.
fn sex(citizen: &Citizen) -> u8 {
    match citizen.sex.as_str() {
        "M" => 1,
        "F" => 2,
        _ => 0,
    }
}

fn portraits(citizen: &Citizen) -> Result<(String, String), CentralError> {
    let portrait = faces::portrait(&citizen.personal_number, PORTRAIT.0, PORTRAIT.1)?;
    Ok((b64u(&portrait), b64u(&faces::small_portrait(&citizen.personal_number)?)))
}

fn identity(citizen: &Citizen, authority: &str) -> Result<Value, CentralError> {
    let (portrait, portrait_small) = portraits(citizen)?;
    Ok(json!({
        "full_name": citizen.full_name, "family_name": citizen.surname, "given_name": citizen.given,
        "portrait": portrait, "portrait_small": portrait_small,
        "personal_number": citizen.personal_number, "birth_date": citizen.birth, "sex": sex(citizen), "nationality": "VN",
        "place_of_birth": citizen.place_of_birth, "resident_address": citizen.address,
        "document_number": citizen.card.document_number, "old_number": citizen.old_number,
        "issue_date": citizen.card.issued, "expiry_date": citizen.card.expires,
        "issuing_authority": authority, "issuing_country": "VN",
        "ethnicity": citizen.ethnicity, "religion": citizen.religion, "identifying_marks": citizen.marks,
        "father_name": citizen.father, "mother_name": citizen.mother, "spouse_name": citizen.spouse,
    }))
}

fn licence(citizen: &Citizen) -> Result<Value, CentralError> {
    let (portrait, portrait_small) = portraits(citizen)?;
    let licence = &citizen.licence;
    let privileges: Vec<Value> = licence
        .classes
        .iter()
        .map(|class| {
            without_empty(json!({
                "class": class.code, "scheme": class.scheme, "issue_date": class.issued, "expiry_date": class.expires,
            }))
        })
        .collect();
    Ok(json!({
        "full_name": citizen.full_name, "family_name": citizen.surname, "given_name": citizen.given,
        "portrait": portrait, "portrait_small": portrait_small,
        "birth_date": citizen.birth, "licence_number": licence.number, "privileges": privileges,
        "issue_date": licence.issued, "expiry_date": licence.expires.as_deref().unwrap_or(NO_LIMIT),
        "points": licence.points, "points_as_of": format!("{}T00:00:00Z", licence.points_as_of),
        "nationality": "VN", "resident_address": citizen.address,
        "issuing_authority": licence.authority, "issuing_country": "VN", "distinguishing_sign": "VN",
    }))
}

fn insurance(citizen: &Citizen, authority: &str) -> Value {
    let insurance = &citizen.insurance;
    json!({
        "full_name": citizen.full_name, "birth_date": citizen.birth, "sex": sex(citizen),
        "card_number": insurance.number, "category": insurance.category, "benefit_level": insurance.benefit_level,
        "facility": format!("{} {}", insurance.facility_code, insurance.facility_name),
        "valid_from": insurance.valid_from, "valid_to": insurance.valid_to, "continuous_from": insurance.five_years_from,
        "living_area": insurance.living_area, "province": insurance.province, "issuing_authority": authority,
    })
}

fn health(citizen: &Citizen, authority: &str) -> Value {
    let health = &citizen.health;
    let entries = |list: &[HealthEntry]| -> Vec<Value> {
        list.iter().map(|entry| without_empty(json!({"what": entry.what, "note": entry.note, "date": entry.date}))).collect()
    };
    json!({
        "full_name": citizen.full_name, "birth_date": citizen.birth, "sex": sex(citizen), "blood_group": health.blood_group,
        "allergies": entries(&health.allergies), "conditions": entries(&health.conditions), "last_entries": entries(&health.entries),
        "as_of": format!("{}T00:00:00Z", health.updated), "issuing_authority": authority,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::registry::SyntheticRegistry;

    #[test]
    fn every_citizen_has_all_four_documents_complete() {
        for citizen in SyntheticRegistry::new().unwrap().all() {
            for document in wallet_documents::ALL_TYPES {
                let attributes = attributes(citizen, document).unwrap();
                assert!(attributes.to_claims().len() <= document.redacted_claims);
                assert!(!attributes.to_elements().is_empty());
            }
        }
    }
}
