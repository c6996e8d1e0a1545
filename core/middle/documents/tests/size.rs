//! Does what a role asks by default fit into one symbol? Real tokens are made of the reference citizen's data and measured.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use serde_json::{Value, json};
use wallet_base::crypto::{Curve, Signer, SoftwareKey};
use wallet_base::jose::b64u;
use wallet_base::random::{SeededRandom, array};
use wallet_base::time::Timestamp;
use wallet_credential::sd_cwt::kbt::{KbtClaims, Mode, prepare};
use wallet_credential::sd_cwt::{SdCwt, SdCwtSpec, issue};
use wallet_credential::status::StatusRef;
use wallet_documents::{ALL_TYPES, Attributes, DocumentType, RoleTable, by_id};

/// Largest compressed key binding token of one 25-L symbol, once encrypted and in base45 (measured for incompressible bytes in wallet-exchange, test `the_ceiling_of_one_symbol`).
const CEILING: usize = 1128;

/// Long values, as they occur.
fn long(document: &'static DocumentType) -> Attributes {
    let name = "Nguyễn Phước Bảo Quỳnh Như Ngọc Trâm";
    let value: Value = match document.id {
        "citizen-identity" => {
            json!({"full_name": name, "birth_date": "1990-01-15", "sex": 2, "nationality": "VN", "personal_number": "079190000123",
            "place_of_birth": "Phường Bến Nghé, Quận 1, Thành phố Hồ Chí Minh", "issue_date": "2024-07-01", "expiry_date": "2030-01-15",
            "resident_address": "Số 125/67 đường Nguyễn Thị Minh Khai, Phường Bến Thành, Thành phố Hồ Chí Minh"})
        }
        "driving-licence" => {
            json!({"full_name": name, "birth_date": "1990-01-15", "licence_number": "790123456789", "issue_date": "2025-02-01",
            "expiry_date": "2035-02-01", "points": 11, "points_as_of": "2026-11-21T00:00:00Z", "issuing_authority": "Cục Cảnh sát giao thông",
            "privileges": [{"class": "A1", "scheme": 2024, "issue_date": "2010-05-01"},
                {"class": "B", "scheme": 2024, "issue_date": "2025-02-01", "expiry_date": "2035-02-01"},
                {"class": "C1", "scheme": 2024, "issue_date": "2025-02-01", "expiry_date": "2035-02-01"}]})
        }
        "health-insurance-card" => {
            json!({"full_name": name, "birth_date": "1990-01-15", "sex": 2, "card_number": "DN4790123456789", "category": "DN",
            "benefit_level": 4, "facility": "79025 Bệnh viện Nguyễn Tri Phương, TP Hồ Chí Minh", "valid_from": "2026-01-01",
            "valid_to": "2026-12-31", "continuous_from": "2021-03-01", "living_area": "K1"})
        }
        _ => json!({"full_name": name, "birth_date": "1990-01-15", "sex": 2, "blood_group": "AB-", "as_of": "2026-11-20T08:00:00Z",
            "allergies": [{"what": "Penicillin", "note": "phản vệ", "date": "2015-03-02"}, {"what": "Tôm, cua", "note": "mày đay"}],
            "conditions": [{"what": "Tăng huyết áp", "date": "2021-08-10"}], "last_entries": []}),
    };
    Attributes::from_json(document, &value).unwrap()
}

/// A token with the named fields shown, as central issues and a wallet answers.
fn token_size(document: &'static DocumentType, fields: &[String]) -> usize {
    let random = SeededRandom::new(7);
    let (issuer, holder) = (SoftwareKey::generate(Curve::P256, &random), SoftwareKey::generate(Curve::P256, &random));
    let now = Timestamp::parse_rfc3339("2026-11-21T08:00:00Z").unwrap();
    let spec = SdCwtSpec {
        vct: document.vct.to_owned(),
        iss: None,
        sub: "u7nJm0Hk2p4".to_owned(),
        iat: now,
        exp: now.plus_secs(14 * 86_400),
        holder_key: holder.public_key(),
        claims: long(document).to_claims(),
        total_redacted: document.redacted_claims,
        status: Some(StatusRef { uri: format!("https://central.example.vn:8443/status/{}/2026-49", document.id), index: 1_048_575 }),
    };
    // Everything that is random in the field is random here: what compresses would make the token look smaller than it is.
    let whole = SdCwt::decode(&issue(&spec, &issuer, &array::<8>(&random), &random).unwrap()).unwrap();
    let presented = whole.select(&document.claims_of(fields.iter().map(String::as_str))).unwrap();
    let claims = KbtClaims {
        aud: format!("x509_hash:{}", b64u(&array::<32>(&random))),
        iat: now,
        cnonce: Some(array::<16>(&random).to_vec()),
        request_hash: Some(array::<32>(&random)),
        mode: Mode::B,
    };
    let prepared = prepare(&presented, &claims).unwrap();
    let signature = holder.sign(prepared.to_be_signed()).unwrap();
    let token = prepared.finish(&signature).unwrap();
    // As the answer carries it.
    miniz_oxide::deflate::compress_to_vec_zlib(&token, 9).len()
}

#[test]
fn what_roles_ask_by_default_fits_one_symbol() {
    let roles = RoleTable::reference().unwrap();
    let mut too_large = Vec::new();
    for role in roles.iter() {
        for id in role.documents() {
            let defaults = role.defaults(id);
            let size = token_size(by_id(id).unwrap(), &defaults);
            println!("{} asks {} of {id}: {size} bytes", role.id(), defaults.len());
            if size > CEILING {
                too_large.push(format!("{} {id}: {size} bytes", role.id()));
            }
        }
    }
    assert_eq!(too_large, Vec::<String>::new());
}

#[test]
fn a_token_that_shows_nothing_leaves_room() {
    for document in ALL_TYPES {
        let size = token_size(document, &[]);
        println!("{} shows nothing: {size} bytes", document.id);
        assert!(size <= 960, "{}: {size} bytes", document.id);
    }
}
