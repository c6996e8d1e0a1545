use super::*;
use crate::crypto::SoftwareKey;
use crate::random::SeededRandom;

const DAY: i64 = 86_400;

fn at(days: i64) -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-21T00:00:00Z").unwrap().plus_secs(days * DAY)
}

fn spec(name: &str, key: &SoftwareKey, is_ca: bool) -> CertificateSpec {
    CertificateSpec {
        common_name: name.into(),
        organization: Some("Cục Cảnh sát giao thông".into()),
        country: Some("VN".into()),
        not_before: at(0),
        not_after: at(30),
        public_key: key.public_key(),
        is_ca,
        extended_key_usage: if is_ca { vec![] } else { vec!["1.0.18013.5.1.2".into()] },
        extensions: vec![],
        lean: false,
    }
}

struct Pki {
    root_key: SoftwareKey,
    root: Certificate,
    leaf_key: SoftwareKey,
    leaf: Certificate,
}

fn pki(curve: Curve) -> Pki {
    let random = SeededRandom::new(9);
    let root_key = SoftwareKey::generate(curve, &random);
    let root = issue(&CertificateSpec { not_after: at(3650), ..spec("Root", &root_key, true) }, None, &root_key, &random).unwrap();
    let leaf_key = SoftwareKey::generate(curve, &random);
    let leaf = issue(&spec("Leaf", &leaf_key, false), Some(&root), &root_key, &random).unwrap();
    Pki { root_key, root, leaf_key, leaf }
}

#[test]
fn a_good_link_holds_on_every_curve() {
    for curve in [Curve::P256, Curve::P384, Curve::BrainpoolP256r1] {
        let Pki { root, leaf, leaf_key, .. } = pki(curve);
        verify_link(&leaf, &root, at(1)).unwrap();
        verify_link(&root, &root, at(1)).unwrap();
        assert_eq!(leaf.common_name().unwrap(), "Leaf");
        assert_eq!(leaf.organization().unwrap(), "Cục Cảnh sát giao thông");
        assert_eq!(leaf.public_key().unwrap(), leaf_key.public_key());
        assert!(leaf.has_extended_key_usage("1.0.18013.5.1.2") && !leaf.has_extended_key_usage("1.0.18013.5.1.6"));
        assert_eq!((leaf.not_before(), leaf.not_after()), (at(0), at(30)));
    }
}

#[test]
fn each_rule_of_a_link_fails_alone() {
    let random = SeededRandom::new(10);
    let Pki { root_key, root, leaf, leaf_key } = pki(Curve::P256);
    assert_eq!(verify_link(&leaf, &root, at(-1)), Err(X509Error::Leaf));
    assert_eq!(verify_link(&leaf, &root, at(31)), Err(X509Error::Leaf));
    let long = issue(&CertificateSpec { not_after: at(9999), ..spec("Long", &leaf_key, false) }, Some(&root), &root_key, &random).unwrap();
    assert_eq!(verify_link(&long, &root, at(4000)), Err(X509Error::Authority));
    assert_eq!(verify_link(&leaf, &leaf, at(1)), Err(X509Error::Issuer));
    let child = issue(&spec("Child", &leaf_key, false), Some(&leaf), &leaf_key, &random).unwrap();
    assert_eq!(verify_link(&child, &leaf, at(1)), Err(X509Error::NotAuthority));
    let same_name = issue(&CertificateSpec { not_after: at(3650), ..spec("Root", &leaf_key, true) }, None, &leaf_key, &random).unwrap();
    assert_eq!(verify_link(&leaf, &same_name, at(1)), Err(X509Error::Signature));
    let strange = CertificateSpec { extensions: vec![("1.2.3.4".into(), true, vec![5, 0])], ..spec("Strange", &leaf_key, false) };
    let strange = issue(&strange, Some(&root), &root_key, &random).unwrap();
    assert_eq!(verify_link(&strange, &root, at(1)), Err(X509Error::Critical));
    assert_eq!(strange.extension("1.2.3.4"), Some(vec![5, 0]));
}

#[test]
fn an_altered_byte_is_never_accepted() {
    let Pki { root, leaf, .. } = pki(Curve::P256);
    for i in 0..leaf.der().len() {
        let mut altered = leaf.der().to_vec();
        altered[i] ^= 1;
        let accepted = Certificate::from_der(&altered).is_ok_and(|c| verify_link(&c, &root, at(1)).is_ok());
        assert!(!accepted, "byte {i}");
    }
    for cut in 0..leaf.der().len() {
        assert!(Certificate::from_der(&leaf.der()[..cut]).is_err());
    }
    assert_eq!(Certificate::from_der(&vec![0x30; MAX_CERTIFICATE + 1]).unwrap_err(), X509Error::Malformed);
}

#[test]
fn a_lean_leaf_fits_a_qr_request() {
    let random = SeededRandom::new(11);
    let Pki { root_key, root, leaf_key, .. } = pki(Curve::P256);
    let role = [&[0x0c, 14][..], b"traffic-police"].concat();
    let lean = CertificateSpec {
        lean: true,
        common_name: "d-7f3a9c21".into(),
        extended_key_usage: vec!["1.0.18013.5.1.6".into()],
        extensions: vec![("1.3.6.1.4.1.99999.7.1".into(), false, role)],
        ..spec("", &leaf_key, false)
    };
    let lean = issue(&lean, Some(&root), &root_key, &random).unwrap();
    verify_link(&lean, &root, at(1)).unwrap();
    assert!(lean.der().len() <= 450, "{}", lean.der().len());
}
