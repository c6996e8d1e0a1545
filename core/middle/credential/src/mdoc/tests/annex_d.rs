use super::*;
use crate::status::{FreshnessPolicy, NoStatusLists, StatusCheck};
use crate::testing::vector_json;
use wallet_base::x509::Certificate;

fn value(name: &str) -> Vec<u8> {
    hex::decode(vector_json("iso-18013-5-annex-d/annex-d.json")["values"][name].as_str().unwrap()).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

struct Set {
    anchors: Anchors,
    expected: ExpectedType,
    response: Vec<u8>,
    transcript: SessionTranscript,
    reader: EphemeralKey,
}

fn set() -> Set {
    Set {
        anchors: Anchors::new(vec![Certificate::from_der(&value("ds_cert")).unwrap()]),
        expected: ExpectedType::new(LICENCE, MDL),
        response: value("device_response"),
        transcript: SessionTranscript::from_bytes(&value("session_transcript_bytes")).unwrap(),
        reader: EphemeralKey::from_scalar(&value("ephemeral_reader_key_d")).unwrap(),
    }
}

impl Set {
    fn check(&self, at: Timestamp) -> Check<'_> {
        let policy = FreshnessPolicy { green_hours: 24, caution_hours: 72 };
        Check {
            trust: &self.anchors,
            expected: &self.expected,
            at,
            skew_secs: 60,
            status: StatusCheck { lists: &NoStatusLists, policy },
            by: By::Verifier,
        }
    }

    fn facts(&self, at: Timestamp) -> (Vec<Fact>, Option<VerifiedMdoc>) {
        judged(&self.check(at), &self.response, &self.transcript, Some(&self.reader))
    }
}

#[test]
fn vector_annex_d_response_verifies() {
    let set = set();
    let (facts, verified) = set.facts(at("2021-01-01T00:00:00Z"));
    assert_eq!(names(&facts), LADDER);
    // It names no status list, so nobody needs that; everything else passed.
    assert_eq!(conclusion(&facts), "verified");
    let verified = verified.unwrap();
    assert_eq!(verified.doctype(), MDL);
    let shown: Vec<_> = verified.elements().map(|(_, id, _)| id).collect();
    assert_eq!(shown, ["family_name", "issue_date", "expiry_date", "document_number", "portrait", "driving_privileges"]);
    assert_eq!(verified.element(NS, "family_name"), Some(&Value::text("Doe")));
    assert_eq!(verified.element(NS, "issue_date"), Some(&Value::tag(1004, Value::text("2019-10-20"))));
    assert_eq!(verified.element(NS, "portrait").and_then(Value::as_bytes), Some(value("device_response_portrait_data").as_slice()));
    assert_eq!(verified.mso().signed(), at("2020-10-01T13:30:02Z"));
    assert_eq!((verified.mso().valid_from(), verified.valid_until()), (at("2020-10-01T13:30:02Z"), at("2021-10-01T13:30:02Z")));
    let key = PublicKey::from_coordinates(Curve::P256, &value("static_device_key_x"), &value("static_device_key_y")).unwrap();
    assert_eq!(verified.mso().device_key(), &key);
}

/// The whole response once more from its parts: device authentication bytes, EMacKey and MAC, and the order of every map, byte for byte.
#[test]
fn vector_annex_d_response_is_made_byte_exactly() {
    let set = set();
    let parsed = UnverifiedDeviceResponse::decode(&set.response).unwrap();
    assert_eq!((parsed.status(), parsed.documents().len()), (0, 1));
    let issuer_signed = parsed.documents()[0].issuer_signed();
    assert!(set.response.windows(issuer_signed.bytes().len()).any(|window| window == issuer_signed.bytes()));
    let chosen: Vec<(&str, &str)> = issuer_signed.items().map(|(ns, item)| (ns, item.element())).collect();
    let prepared = present(issuer_signed, &set.transcript, &chosen).unwrap();
    // The holder's side: the static device key agrees with the reader's ephemeral key.
    let device = EphemeralKey::from_scalar(&value("static_device_key_d")).unwrap();
    let reader = PublicKey::from_coordinates(Curve::P256, &value("ephemeral_reader_key_x"), &value("ephemeral_reader_key_y")).unwrap();
    let secret = device.agree(&reader).unwrap();
    assert_eq!(hex::encode(prepared.finish_with_mac(secret.as_slice()).unwrap()), hex::encode(&set.response));
    // Both sides come to the same key.
    let from_reader = set.reader.agree(issuer_signed.device_key()).unwrap();
    assert_eq!(device_mac_key(secret.as_slice(), &set.transcript), device_mac_key(from_reader.as_slice(), &set.transcript));
}

/// ISO 18013-5, D.5.3: `DeviceAuthenticationBytes` wraps exactly the transcript that came.
#[test]
fn vector_annex_d_device_authentication_bytes() {
    let set = set();
    assert_eq!(set.transcript.bytes(), value("session_transcript_bytes"));
    let bytes = device_authentication_bytes(&set.transcript, MDL, &[0xd8, 0x18, 0x41, 0xa0]);
    let mut expected = hex::decode("847444657669636541757468656e7469636174696f6e").unwrap();
    expected.extend_from_slice(set.transcript.array());
    expected.extend_from_slice(&hex::decode("756f72672e69736f2e31383031332e352e312e6d444cd81841a0").unwrap());
    let length = u16::try_from(expected.len()).unwrap();
    assert_eq!(bytes[..3], [0xd8, 0x18, 0x59]);
    assert_eq!(bytes[3..5], length.to_be_bytes());
    assert_eq!(bytes[5..], expected);
}

#[test]
fn vector_annex_d_negatives() {
    let set = set();
    let inside = at("2021-01-01T00:00:00Z");
    // The dates are judged, not switched off: on the last second of the certificate the object is over.
    only_failed(&set.facts(at("2021-10-01T00:00:01Z")).0, FactName::CredentialChain, "validity");
    only_failed(&set.facts(at("2020-10-01T13:29:00Z")).0, FactName::CredentialValidity, "not valid before");
    let no_anchor = Set { anchors: Anchors::new(Vec::new()), ..self::set() };
    only_failed(&no_anchor.facts(inside).0, FactName::CredentialChain, "not listed");
    let name = b"\x63Doe";
    let spot = set.response.windows(4).position(|window| window == name).unwrap();
    let mut altered = self::set();
    altered.response[spot + 1] ^= 1;
    only_failed(&altered.facts(inside).0, FactName::CredentialDigest, "does not match");
    let mut last = self::set();
    let spot = last.response.len() - b"\x66status\x00".len() - 1;
    last.response[spot] ^= 1;
    only_failed(&last.facts(inside).0, FactName::CredentialHolder, "MAC does not verify");
    let other = Set { transcript: transcript(), ..self::set() };
    only_failed(&other.facts(inside).0, FactName::CredentialHolder, "MAC does not verify");
    let other = Set { reader: EphemeralKey::from_scalar(&value("ephemeral_device_key_d")).unwrap(), ..self::set() };
    only_failed(&other.facts(inside).0, FactName::CredentialHolder, "MAC does not verify");
}
