//! `inspect`: what a QR text or a QR picture is, as far as that can be told without a key.
use std::io::Read;
use std::path::Path;

use wallet_base::cbor::{self, Limits, Value};
use wallet_base::cose::Sign1;
use wallet_base::time::Timestamp;
use wallet_bindings::qr::{ScannedKind, classify};
use wallet_exchange::{UnverifiedRequest, code_points, codec};

use crate::cli::InspectArgs;
use crate::pictures;
use crate::ports::DesktopClock;
use crate::screen::print_line;
use crate::trouble::{DONE, Trouble};

/// Longest text read from standard input.
const MAX_TEXT: u64 = 64 << 10;

/// Prints what it is. Foreign texts are unusable input.
pub fn inspect(arguments: &InspectArgs) -> Result<u8, Trouble> {
    let text = text_of(&arguments.what)?;
    match classify(text.clone()) {
        ScannedKind::Request => {
            print_line("request: somebody asks for a document (CWQ1)");
            let request = UnverifiedRequest::decode_text(&text).map_err(|e| Trouble::usage(format!("request: {e}")))?;
            if request.looks_stale(Timestamp::from_unix(DesktopClock::default().now())) {
                print_line("  stale: its time is over");
            }
            for (name, value) in claims(&text).unwrap_or_default() {
                print_line(&format!("  {name:<14} {value}   (claimed, not verified)"));
            }
            Ok(DONE)
        }
        ScannedKind::Answer => {
            print_line(&format!("answer: encrypted for the one who asked (CWA1), {} characters", text.len()));
            Ok(DONE)
        }
        ScannedKind::OneWay => {
            print_line("one-way presentation (CWP1)");
            Ok(DONE)
        }
        ScannedKind::Frame => {
            print_line("one frame of several (CWF1): half of something");
            Ok(DONE)
        }
        ScannedKind::VneidCardQr => {
            print_line("the printed QR of a citizen card: data without a signature");
            Ok(DONE)
        }
        ScannedKind::Foreign => Err(Trouble::usage("foreign: no QR code of this system")),
    }
}

/// What a request says of itself. Nobody vouches for it.
fn claims(text: &str) -> Option<Vec<(&'static str, String)>> {
    let packed = codec::from_base45(text.strip_prefix(code_points::PREFIX_REQUEST)?).ok()?;
    let cose = codec::inflate(&packed, code_points::MAX_INFLATED).ok()?;
    let sign1 = Sign1::decode(&cose, Limits::STRICT).ok()?;
    let payload = cbor::decode(sign1.payload()?, Limits::STRICT).ok()?;
    let shown = |key: i64| match payload.get_int(key)? {
        Value::Text(text) => Some(text.clone()),
        value => value.as_int().map(|n| n.to_string()),
    };
    let time = |key: i64| Some(Timestamp::from_unix(payload.get_int(key)?.as_int()?).to_rfc3339());
    let all = [
        ("role", shown(code_points::REQ_ROLE)),
        ("purpose", shown(code_points::REQ_PURPOSE)),
        ("legal basis", shown(code_points::REQ_LEGAL_BASIS)),
        ("place", shown(code_points::REQ_PLACE)),
        ("kept for hours", shown(code_points::REQ_RETENTION)),
        ("issued", time(code_points::REQ_IAT)),
        ("expires", time(code_points::REQ_EXP)),
    ];
    Some(all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

fn text_of(what: &str) -> Result<String, Trouble> {
    if what == "-" {
        let mut text = String::new();
        std::io::stdin().lock().take(MAX_TEXT).read_to_string(&mut text).map_err(|e| Trouble::outside("reading standard input", e))?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    if Path::new(what).is_file() { pictures::read(Path::new(what)) } else { Ok(what.to_owned()) }
}
