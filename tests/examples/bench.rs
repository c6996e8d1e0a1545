//! Checks beside their bare signature verifications, in one run: ratios, not times, are what to compare between machines.
//!
//! `cargo run --release -p wallet-tests --features wallet-base/aws-lc --example bench`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use wallet_base::cbor::Value;
use wallet_base::crypto::{Curve, EphemeralKey, Signer, SoftwareKey};
use wallet_base::fact::{By, FactName, Outcome};
use wallet_base::random::{Random, SeededRandom};
use wallet_base::time::Timestamp;
use wallet_base::x509::{Certificate, CertificateSpec, issue};
use wallet_credential::mdoc::{self, MdocSpec, SessionTranscript};
use wallet_credential::status::{FreshnessPolicy, NoStatusLists, StatusCheck};
use wallet_credential::trust::{Anchors, EKU_DOCUMENT_SIGNER};
use wallet_credential::{Check, ExpectedType};

const MDL: &str = "org.iso.18013.5.1.mDL";
const NAMESPACE: &str = "org.iso.18013.5.1";
const ROUNDS: u32 = 300;

/// The median of many single calls.
fn median(mut call: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.swap_remove(times.len() / 2)
}

struct Issuer {
    root: Certificate,
    key: SoftwareKey,
    certificate: Certificate,
}

fn issuer(now: Timestamp, random: &dyn Random) -> Issuer {
    let (root_key, key) = (SoftwareKey::generate(Curve::P256, random), SoftwareKey::generate(Curve::P256, random));
    let spec = |name: &str, key: &SoftwareKey, is_ca: bool| CertificateSpec {
        common_name: name.to_owned(),
        organization: None,
        country: Some("VN".to_owned()),
        not_before: now.plus_secs(-86_400),
        not_after: now.plus_secs(86_400 * 365),
        public_key: key.public_key(),
        is_ca,
        extended_key_usage: if is_ca { Vec::new() } else { vec![EKU_DOCUMENT_SIGNER.to_owned()] },
        extensions: Vec::new(),
        lean: false,
    };
    let root = issue(&spec("Root", &root_key, true), None, &root_key, random).unwrap();
    let certificate = issue(&spec("Signer", &key, false), Some(&root), &root_key, random).unwrap();
    Issuer { root, key, certificate }
}

fn main() {
    let random = SeededRandom::new(1);
    let now = Timestamp::parse_rfc3339("2026-11-21T08:00:00Z").unwrap();
    let Issuer { root, key, certificate } = issuer(now, &random);
    let device = SoftwareKey::generate(Curve::P256, &random);
    let names: Vec<String> = (0..10).map(|n| format!("element_{n}")).collect();
    let elements = names.iter().map(|name| (NAMESPACE.to_owned(), name.clone(), Value::text("a value of usual length")));
    let spec = MdocSpec {
        doctype: MDL.to_owned(),
        elements: elements.collect(),
        device_key: device.public_key(),
        signed: now,
        valid_from: now,
        valid_until: now.plus_secs(86_400 * 30),
        status: None,
    };
    let issued = mdoc::issue(&spec, &key, &certificate, &random).unwrap();
    let transcript = SessionTranscript::from_bytes(&[0x83, 0xf6, 0xf6, 0xf6]).unwrap();
    let chosen: Vec<(&str, &str)> = names.iter().take(3).map(|name| (NAMESPACE, name.as_str())).collect();
    let prepared = mdoc::present(&mdoc::IssuerSigned::decode(&issued).unwrap(), &transcript, &chosen).unwrap();
    let signature = device.sign(prepared.to_be_signed()).unwrap();
    let response = prepared.finish(&signature).unwrap();

    let trust = Anchors::new(vec![root]);
    let expected = ExpectedType::new("driving-licence", MDL);
    let policy = FreshnessPolicy { green_hours: 24, caution_hours: 72 };
    let check = || Check {
        trust: &trust,
        expected: &expected,
        at: now,
        skew_secs: 60,
        status: StatusCheck { lists: &NoStatusLists, policy },
        by: By::Verifier,
    };
    let whole = median(|| {
        let decoded = mdoc::UnverifiedDeviceResponse::decode(&response).unwrap();
        let (facts, verified) = decoded.documents()[0].verify(&check(), &transcript, None);
        assert!(verified.is_some() && facts.iter().any(|f| f.name() == FactName::CredentialHolder && f.outcome() == Outcome::Passed));
    });
    let (public, message) = (device.public_key(), vec![7; 1000]);
    let raw = device.sign(&message).unwrap();
    let bare = median(|| public.verify(&message, &raw).unwrap());
    let three = bare * 3;
    println!("bare P-256 verification                 {bare:>10.1?}");
    println!(
        "mdoc presentation, full check           {whole:>10.1?}   {:.2} x its three bare verifications",
        whole.as_secs_f64() / three.as_secs_f64()
    );

    let text: String = format!("CWA1:{}", wallet_exchange::codec::to_base45(&[0xa5; 700]));
    let sign = median(|| drop(device.sign(&message).unwrap()));
    let draw = median(|| drop(wallet_exchange::draw(&text).unwrap()));
    let agree = EphemeralKey::generate(&random);
    let peer = EphemeralKey::generate(&random).public();
    let encrypt = median(|| drop(agree.agree(&peer).unwrap()));
    println!("sign                                    {sign:>10.1?}");
    println!("key agreement                           {encrypt:>10.1?}");
    println!("draw a QR of {} characters            {draw:>10.1?}", text.len());
}
