//! Every parser of outside bytes as one function each.
//!
//! The fuzzer (`fuzz/fuzz_targets`) and a plain test over the corpus (`tests/corpus.rs`) call the same functions. A function panics when a parser
//! breaks a promise that can be stated without an oracle: what was decoded encodes to something that decodes to the same, a raw span lies
//! inside the input, nothing is accepted beyond its cap.

#![allow(clippy::missing_panics_doc)] // To panic is how a broken promise is told here.

use wallet_base::cbor::{self, Limits, Value};
use wallet_base::cose::{Mac0, Sign1};
use wallet_base::jose::Jws;
use wallet_base::x509::Certificate;
use wallet_chip as chip;
use wallet_credential::{mdoc, sd_cwt, status, trust};
use wallet_documents::RoleTable;
use wallet_exchange as exchange;
use wallet_platform::carried::Carried;

/// A parser fed with arbitrary bytes.
pub type Parser = fn(&[u8]);

/// All of them, by the name of their fuzz target and corpus folder.
pub const PARSERS: &[(&str, Parser)] = &[
    ("cbor", cbor),
    ("cose", cose),
    ("x509", x509),
    ("jws", jws),
    ("apdu", apdu),
    ("lds", lds),
    ("sod", sod),
    ("evidence", evidence),
    ("card_text", card_text),
    ("mdoc", mdoc),
    ("sd_cwt", sd_cwt),
    ("status_list", status_list),
    ("trust_targets", trust_targets),
    ("role_table", role_table),
    ("carried", carried),
    ("tuf", tuf),
    ("qr_text", qr_text),
    ("qr_picture", qr_picture),
];

fn same(a: &Value, b: &Value) -> bool {
    // NaN is not equal to itself, so compare by encoding.
    cbor::encode(a) == cbor::encode(b)
}

/// Bounded CBOR: values, spans, round trip.
pub fn cbor(data: &[u8]) {
    for limits in [Limits::STRICT, Limits::STRICT.allowing_indefinite()] {
        if let Ok(value) = cbor::decode(data, limits) {
            let again = cbor::decode(&cbor::encode(&value), Limits::STRICT);
            assert!(again.is_ok_and(|again| same(&again, &value)), "a value must survive its own encoding");
            let sorted = cbor::decode(&cbor::encode_sorted(&value), Limits::STRICT);
            assert!(sorted.is_ok(), "sorting loses nothing");
        }
        if let Ok(items) = cbor::array_items(data, limits) {
            assert!(items.iter().map(|item| item.len()).sum::<usize>() < data.len().max(1));
        }
        if let Ok(entries) = cbor::map_entries(data, limits) {
            assert!(entries.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() < data.len().max(1));
        }
    }
}

/// COSE_Sign1 and COSE_Mac0.
pub fn cose(data: &[u8]) {
    if let Ok(object) = Sign1::decode(data, Limits::STRICT) {
        let _ = (object.alg(), object.kid(), object.x5chain(), object.payload());
    }
    let _ = Mac0::decode(data, Limits::STRICT);
}

/// X.509 certificates and every getter.
pub fn x509(data: &[u8]) {
    if let Ok(certificate) = Certificate::from_der(data) {
        let _ = (
            certificate.common_name(),
            certificate.organization(),
            certificate.public_key().is_ok(),
            certificate.not_before(),
            certificate.not_after(),
        );
        let _ = (certificate.is_ca(), certificate.extension("2.5.29.15"), certificate.has_extended_key_usage("1.0.18013.5.1.2"));
        let _ = wallet_base::x509::verify_link(&certificate, &certificate, certificate.not_before());
    }
}

/// Compact JWS.
pub fn jws(data: &[u8]) {
    if let Some(jws) = std::str::from_utf8(data).ok().and_then(|text| Jws::parse(text).ok()) {
        let _ = (jws.header_text("alg"), jws.integer("iat"));
    }
}

/// Commands and responses of a card.
pub fn apdu(data: &[u8]) {
    let _ = chip::apdu::Command::decode(data);
    let _ = chip::apdu::Response::decode(data);
    let _ = chip::tlv::check_tree(data);
    if let Ok(all) = chip::tlv::first(data) {
        let _ = all.0.children().all();
    }
}

/// Files of the chip's logical data structure.
pub fn lds(data: &[u8]) {
    let _ = chip::lds::parse_dg1(data);
    let _ = chip::lds::parse_dg15(data);
    let _ = chip::lds::com::Com::parse(data);
    let _ = chip::lds::dg2::Face::parse_dg2(data);
    let _ = chip::lds::dg13::Dg13::parse(data);
    let _ = chip::access::SecurityInfos::parse_card_access(data);
    let _ = chip::access::SecurityInfos::parse_dg14(data);
}

/// The document security object.
pub fn sod(data: &[u8]) {
    if let Ok(sod) = chip::sod::Sod::parse(data) {
        let _ = (sod.groups().count(), sod.signer_certificate().is_some(), sod.content_digest_matches(), sod.check_signature());
    }
}

/// Evidence of an activation.
pub fn evidence(data: &[u8]) {
    if let Ok(evidence) = chip::Evidence::decode(data) {
        let again = chip::Evidence::decode(&evidence.encode());
        assert!(again.is_ok_and(|again| again.encode() == evidence.encode()), "evidence must survive its own encoding");
    }
}

/// Text printed on a card: machine-readable zone and QR.
pub fn card_text(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = chip::mrz::Mrz::parse_td1(text);
        let _ = chip::vietnam::CardQr::parse(text);
        let _ = chip::vietnam::PersonalNumber::parse(text);
        let _ = (wallet_base::text::safe_text(text, 100), wallet_base::text::fold_name(text));
    }
}

/// mdoc: what an issuer sends and what a holder shows.
pub fn mdoc(data: &[u8]) {
    let _ = mdoc::IssuerSigned::decode(data);
    let _ = mdoc::UnverifiedDeviceResponse::decode(data);
}

/// SD-CWT and key binding tokens.
pub fn sd_cwt(data: &[u8]) {
    let _ = sd_cwt::SdCwt::decode(data);
    let _ = sd_cwt::kbt::UnverifiedKbt::decode(data);
}

/// Status list tokens and their compressed lists.
pub fn status_list(data: &[u8]) {
    let _ = status::UnverifiedStatusList::decode(data);
    if let Ok(list) = status::StatusList::from_compressed(status::Bits::Two, data) {
        let _ = (list.get(0), list.get(list.len()), list.get(u64::MAX));
    }
}

/// The four trust targets, cut at zero bytes.
pub fn trust_targets(data: &[u8]) {
    let mut parts = data.splitn(4, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let _ = trust::TrustTargets::parse(part(), part(), part(), part());
}

/// The table of roles.
pub fn role_table(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = RoleTable::parse(text);
    }
}

/// A file carried from one device to another.
pub fn carried(data: &[u8]) {
    if let Ok(carried) = Carried::decode(data) {
        let again = carried.encode().and_then(|bytes| Carried::decode(&bytes));
        assert!(again.is_ok_and(|again| again == carried), "a carried file must survive its own encoding");
    }
}

/// Metadata of a trust repository, read as every role.
pub fn tuf(data: &[u8]) {
    let _ = wallet_platform::tuf::is_metadata(data);
}

/// Text out of a QR symbol: requests, answers, anything.
pub fn qr_text(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = exchange::scan::classify(text);
        let _ = exchange::request::UnverifiedRequest::decode_text(text);
        let _ = exchange::answer::read_envelope(text);
        let _ = exchange::codec::unpack_one_way(text);
    }
    // The same without the transport, so that the fuzzer need not guess base45 and zlib.
    let base45 = exchange::codec::to_base45(data);
    let _ = exchange::request::UnverifiedRequest::decode_text(&format!("CWQ1:{base45}"));
    let _ = exchange::answer::read_envelope(&format!("CWA1:{base45}"));
    let zipped = exchange::codec::to_base45(&exchange::codec::deflate(data));
    let _ = exchange::codec::unpack_one_way(&format!("CWP1:{zipped}"));
    let _ = exchange::codec::inflate(data, 4096).map(|out| assert!(out.len() <= 4096));
}

/// Pixels in which a QR symbol is looked for.
pub fn qr_picture(data: &[u8]) {
    let width = data.len().isqrt().min(96);
    if let Some(pixels) = data.get(..width * width) {
        let _ = exchange::qr_decode::decode_luma(width, width, pixels);
    }
    let _ = exchange::qr_decode::decode_png(data);
}
