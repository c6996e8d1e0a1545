use super::*;
use crate::sd_cwt::disclosures::{Rule, reveal};
use crate::testing::{vector, vector_json};

fn key(name: &str) -> PublicKey {
    let keys = vector_json("sd-cwt/keys.json");
    let half = |axis: &str| hex::decode(keys[name][axis].as_str().unwrap()).unwrap();
    let curve = if keys[name]["crv"] == "P-384" { Curve::P384 } else { Curve::P256 };
    PublicKey::from_coordinates(curve, &half("x"), &half("y")).unwrap()
}

/// A trust that knows the draft's issuer, which has a key and no certificate: the signature is checked beside it.
fn checked(token: &SdCwt, rule: Rule) -> Value {
    token.sign1.verify(&key("issuer"), b"").unwrap();
    assert_eq!((token.sign1.alg(), token.sign1.signature().len()), (Some(-35), 96));
    assert_eq!(token.sign1.kid(), Some(b"https://issuer.example/cose-key3".as_slice()));
    assert_eq!(token.holder_key(), &key("holder"));
    let at = |seconds| token.period().judge(Timestamp::from_unix(seconds), 0);
    // Expired since 2024-09-03: the clock is injected.
    assert!(at(1_725_244_237).is_ok() && at(1_725_330_600).is_err() && at(1_725_243_899).is_err());
    reveal(&token.claims, &token.disclosures, rule).unwrap()
}

#[test]
fn vector_issuer_token() {
    let bytes = vector("sd-cwt/issuer_cwt.cbor");
    let token = SdCwt::decode(&bytes).unwrap();
    let claims = checked(&token, Rule::Verifier);
    assert_eq!(claims.get_int(501), Some(&Value::text("ABCD-123456")));
    assert_eq!(claims.get_int(500), Some(&Value::Bool(true)));
    assert_eq!(claims.get_int(503).unwrap().get_text("region"), Some(&Value::text("ca")));
    assert_eq!(claims.get_int(503).unwrap().get_text("postal_code"), Some(&Value::text("94188")));
    let dates: Vec<_> = claims.get_int(502).unwrap().as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    assert_eq!(dates, [1_549_560_720, 1_612_560_720, 1_674_004_740]);
    // Fresh from the issuer, digests and disclosures match one to one.
    assert_eq!(checked(&token, Rule::Holder), claims);
    // Digest with the head of the byte string, as the tokens have it.
    assert_eq!(hex::encode(token.disclosures[0].digest), "af375dc3fba1d082448642c00be7b2f7bb05c9d8fb61cfc230ddfdfb4616a693");
    assert_eq!(token.disclosures[0].raw[2..], vector("sd-cwt/first-disclosure.cborseq"));
    // All of it selected again gives the bytes that came.
    assert_eq!(token.disclosable(), [501]);
    let selected = SdCwt::decode(&token.select(&[501]).unwrap()).unwrap();
    assert_eq!(selected.sign1.payload(), token.sign1.payload());
    assert_eq!(checked(&selected, Rule::Verifier).get_int(501), Some(&Value::text("ABCD-123456")));
    assert!(reveal(&selected.claims, &selected.disclosures, Rule::Holder).is_err());
}

#[test]
fn vector_decoys() {
    let token = SdCwt::decode(&vector("sd-cwt/decoy.cbor")).unwrap();
    let claims = checked(&token, Rule::Holder);
    assert_eq!(claims.get_int(98), Some(&Value::Array(vec![Value::text("fr")])));
    assert_eq!(claims.get_int(500), Some(&Value::Bool(true)));
    let list = String::from_utf8(vector("sd-cwt/decoy_list.csv")).unwrap();
    let salts: Vec<_> = list.lines().filter_map(|line| line.split(',').nth(1)).collect();
    let decoys = token.disclosures.iter().filter(|d| matches!(d.content, super::super::digest::Content::Decoy));
    for decoy in decoys {
        assert!(salts.contains(&hex::encode(&decoy.raw[3..]).as_str()));
    }
    assert_eq!(token.disclosable(), [500]);
}

#[test]
fn vector_nested_issuer_token() {
    let token = SdCwt::decode(&vector("sd-cwt/nested_issuer_cwt.cbor")).unwrap();
    let claims = checked(&token, Rule::Holder);
    let log = claims.get_int(504).unwrap().as_array().unwrap();
    let numbers: Vec<_> = log.iter().filter_map(|entry| entry.get_int(501)).filter_map(Value::as_text).collect();
    assert_eq!((log.len(), numbers.len()), (3, 3));
    let states: Vec<_> = log.iter().filter_map(|entry| entry.get_int(503)?.get_int(2)?.as_text()).collect();
    assert_eq!(states, ["co", "nv", "ca"]);
}

fn kbt(name: &str) -> UnverifiedKbt {
    UnverifiedKbt::decode(&vector(name)).unwrap()
}

#[test]
fn vector_key_binding_tokens() {
    for (name, inner) in [("sd-cwt/kbt.cbor", None), ("sd-cwt/nested_kbt.cbor", Some("sd-cwt/nested_cwt.cbor"))] {
        let bytes = vector(name);
        let kbt = kbt(name);
        kbt.verify_holder_for_tests(&key("holder")).unwrap();
        let claims = checked(kbt.token(), Rule::Verifier);
        let presented = SdCwt::decode(kbt.kcwt_for_tests()).unwrap();
        assert_eq!(presented.claims, kbt.token().claims);
        if let Some(inner) = inner {
            assert_eq!(kbt.kcwt_for_tests(), vector(inner));
            let log = claims.get_int(504).unwrap().as_array().unwrap();
            // Two of three inspections are shown, with and without their nested claims.
            let shown: Vec<_> = log.iter().map(|entry| entry.get_int(502).and_then(Value::as_u64)).collect();
            assert_eq!(shown, [Some(1_549_560_720), Some(1_674_004_740)]);
            let second = log.last().unwrap();
            assert_eq!(second.get_int(501), Some(&Value::text("ABCD-123456")));
            let place = second.get_int(503).unwrap();
            assert_eq!((place.get_int(1), place.get_int(2)), (Some(&Value::text("us")), Some(&Value::text("ca"))));
        } else {
            assert_eq!(claims.get_int(501), Some(&Value::text("ABCD-123456")));
            let dates = claims.get_int(502).unwrap().as_array().unwrap();
            assert_eq!(dates.iter().filter_map(Value::as_u64).collect::<Vec<_>>(), [1_549_560_720, 1_674_004_740]);
            let place = claims.get_int(503).unwrap();
            assert_eq!((place.get_text("region"), place.get_text("postal_code")), (Some(&Value::text("ca")), None));
        }
        // The same bytes once more from the inner token, but for the holder's signature, which is random.
        let prepared = Sign1Builder::new()
            .protected(Value::int(HEADER_KCWT), cbor::decode(kbt.kcwt_for_tests(), LIMITS).unwrap())
            .protected(Value::int(HEADER_TYP), Value::Unsigned(TYP_KBT));
        let payload = Value::Map(vec![
            (Value::int(CLAIM_AUD), Value::text("https://verifier.example/app")),
            (Value::int(CLAIM_IAT), Value::int(1_725_244_237)),
            (Value::int(CLAIM_CNONCE), Value::bytes(&hex::decode("8c0f5f523b95bea44a9a48c649240803").unwrap())),
        ]);
        let prepared = prepared.prepare(cbor::encode(&payload), b"", Curve::P256);
        let signature = bytes[bytes.len() - 64..].to_vec();
        assert_eq!(hex::encode(prepared.finish(signature, true)), hex::encode(&bytes));
    }
}

#[test]
fn vector_altered_tokens_are_refused() {
    let genuine = vector("sd-cwt/kbt.cbor");
    for at in 0..genuine.len() {
        let mut altered = genuine.clone();
        altered[at] ^= 1;
        let holds = UnverifiedKbt::decode(&altered).is_ok_and(|kbt| {
            let token = kbt.token();
            token.sign1.verify(&key("issuer"), b"").is_ok()
                && kbt.verify_holder_for_tests(token.holder_key()).is_ok()
                && reveal(&token.claims, &token.disclosures, Rule::Verifier).is_ok()
        });
        assert!(!holds, "byte {at}");
    }
}
