//! Wycheproof (C2SP) against the one cryptography module: ECDSA raw and DER, ECDH, AES-GCM, HKDF.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use wallet_base::crypto::{Curve, EphemeralKey, HashAlg, PublicKey, aes_gcm_open, aes_gcm_seal, hkdf_sha256};

fn load(name: &str) -> Value {
    let root = std::env::var("WALLET_VECTORS").expect("WALLET_VECTORS names the directory of the vectors");
    let text = std::fs::read_to_string(format!("{root}/wycheproof/{name}_test.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn bytes(value: &Value, name: &str) -> Vec<u8> {
    hex::decode(value[name].as_str().unwrap()).unwrap()
}

/// Every case with its group.
fn cases(file: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    let groups = file["testGroups"].as_array().unwrap().iter();
    groups.flat_map(|group| group["tests"].as_array().unwrap().iter().map(move |case| (group, case)))
}

fn expected(case: &Value) -> &str {
    case["result"].as_str().unwrap()
}

fn ecdsa(name: &str, total: usize, verify: impl Fn(&PublicKey, &[u8], &[u8]) -> bool) {
    let file = load(name);
    let mut count = 0;
    for (group, case) in cases(&file) {
        let key = PublicKey::from_spki_der(&bytes(group, "publicKeyDer")).unwrap();
        assert_eq!(key.curve(), Curve::P256);
        let verified = verify(&key, &bytes(case, "msg"), &bytes(case, "sig"));
        assert_eq!(verified, expected(case) == "valid", "{name} {}: {}", case["tcId"], case["comment"]);
        count += 1;
    }
    assert_eq!(count, total);
}

#[test]
fn vector_wycheproof_ecdsa_p1363() {
    ecdsa("ecdsa_secp256r1_sha256_p1363", 262, |key, message, signature| key.verify(message, signature).is_ok());
}

#[test]
fn vector_wycheproof_ecdsa_der() {
    ecdsa("ecdsa_secp256r1_sha256", 484, |key, message, signature| key.verify_der(HashAlg::Sha256, message, signature).is_ok());
}

#[test]
fn vector_wycheproof_ecdh() {
    let file = load("ecdh_secp256r1");
    let (mut agreed, mut refused) = (0, 0);
    for (_, case) in cases(&file) {
        // The private key is a number in hexadecimal: 32 bytes after a possible leading zero, or with leading zeros left out.
        let number = bytes(case, "private");
        let digits: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
        let scalar = [vec![0; 32 - digits.len()], digits].concat();
        let own = EphemeralKey::from_scalar(&scalar).unwrap();
        let shared = PublicKey::from_spki_der(&bytes(case, "public")).ok().and_then(|peer| own.agree(&peer).ok());
        match (expected(case), shared) {
            ("valid" | "acceptable", Some(shared)) => {
                assert_eq!(shared.as_slice(), bytes(case, "shared"), "{}", case["tcId"]);
                agreed += 1;
            }
            // Acceptable: strange DER, explicit parameters, compressed points. Refusing them is an answer too.
            ("acceptable" | "invalid", None) => refused += 1,
            (result, shared) => panic!("{}: {result}, agreed: {}", case["tcId"], shared.is_some()),
        }
    }
    assert_eq!(agreed + refused, 612);
    assert!(agreed >= 330, "{agreed}");
}

#[test]
fn vector_wycheproof_aes_gcm() {
    let file = load("aes_gcm");
    let mut count = 0;
    for (group, case) in cases(&file) {
        // Our one form: 96-bit nonce, 128-bit tag, keys of 128 or 256 bits. Others are left out by group.
        let sizes = ["ivSize", "tagSize", "keySize"].map(|name| group[name].as_u64().unwrap());
        if sizes != [96, 128, 128] && sizes != [96, 128, 256] {
            continue;
        }
        let nonce: [u8; 12] = bytes(case, "iv").try_into().unwrap();
        let (key, aad, message) = (bytes(case, "key"), bytes(case, "aad"), bytes(case, "msg"));
        let sealed = [bytes(case, "ct"), bytes(case, "tag")].concat();
        let opened = aes_gcm_open(&key, &nonce, &aad, &sealed).ok();
        if expected(case) == "valid" {
            assert_eq!(opened.unwrap().as_slice(), message, "{}", case["tcId"]);
            assert_eq!(aes_gcm_seal(&key, &nonce, &aad, &message).unwrap(), sealed, "{}", case["tcId"]);
        } else {
            assert!(opened.is_none(), "{}", case["tcId"]);
        }
        count += 1;
    }
    assert_eq!(count, 133);
}

#[test]
fn vector_wycheproof_hkdf() {
    let file = load("hkdf_sha256");
    let mut count = 0;
    for (_, case) in cases(&file) {
        let mut okm = vec![0; usize::try_from(case["size"].as_u64().unwrap()).unwrap()];
        let derived = hkdf_sha256(&bytes(case, "ikm"), &bytes(case, "salt"), &bytes(case, "info"), &mut okm);
        assert_eq!(derived.is_ok(), expected(case) == "valid", "{}", case["tcId"]);
        if derived.is_ok() {
            assert_eq!(okm, bytes(case, "okm"), "{}", case["tcId"]);
        }
        count += 1;
    }
    assert_eq!(count, 86);
}
