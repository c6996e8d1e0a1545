//! The central service as a staff device sees it: enrolment and public signed lists, over one pinned HTTPS host.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use wallet_base::crypto::PublicKey;
use wallet_base::jose::{b64u_decode, finish_compact, prepare_compact};
use wallet_base::text::safe_text;
use wallet_base::time::Timestamp;
use wallet_credential::status::{CONTENT_TYPE, MAX_TOKEN_BYTES};
use wallet_exchange::code_points::MAX_PLACE;
use wallet_platform::http::{Http, HttpResponse};
use wallet_platform::ports::{KeyId, KeyStore};

use crate::error::VerifierError;

/// Most lists one set may name: four types by sixty weeks, with room.
const MAX_LISTS: usize = 512;
/// Longest path of a list.
const MAX_PATH: usize = 200;

/// What the service gives an enrolling device. Unverified: the certificate still has to be checked.
pub(crate) struct UnverifiedEnrolment {
    /// DER.
    pub(crate) certificate: Vec<u8>,
    /// Where the device stands, as citizens see it; not in the certificate.
    pub(crate) place: String,
}

/// `POST /staff/enrol` with a one-time code and a proof of possession: a JWS by the device's key over the code.
pub(crate) fn enrol(
    http: &Http,
    keys: &dyn KeyStore,
    (key, public): (&KeyId, &PublicKey),
    code: &str,
    now: Timestamp,
) -> Result<UnverifiedEnrolment, VerifierError> {
    let header = json!({"typ": "staff-enrolment+jwt", "alg": "ES256", "jwk": public.to_jwk()});
    let input = prepare_compact(&header, &json!({"code": code, "iat": now.unix()}));
    let signature = keys.sign(None, key, input.as_bytes())?;
    let body = json!({"code": code, "public_key": public.to_jwk(), "proof": finish_compact(&input, &signature)});
    let answer = json_of(&http.post_json("/staff/enrol", &[], &body)?)?;
    let malformed = || VerifierError::Answer("enrolment");
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let certificate = text("certificate").and_then(decode_der).ok_or_else(malformed)?;
    let place = text("place").and_then(|place| safe_text(place, MAX_PLACE)).ok_or_else(malformed)?;
    Ok(UnverifiedEnrolment { certificate, place })
}

/// `GET /status`: the paths of the whole set, absolute on this host.
pub(crate) fn list_paths(http: &Http) -> Result<Vec<String>, VerifierError> {
    let answer = json_of(&http.get("/status", &[])?)?;
    let malformed = || VerifierError::Answer("list of status lists");
    let lists = answer.get("lists").and_then(Value::as_array).filter(|l| l.len() <= MAX_LISTS).ok_or_else(malformed)?;
    lists.iter().map(|item| item.as_str().and_then(path_of).ok_or_else(malformed)).collect()
}

/// The path of a list: what follows the host, `/status/...`, plain characters only.
pub(crate) fn path_of(text: &str) -> Option<String> {
    let path = match text.find("://") {
        Some(_) => text.get(text.find("/status/")?..)?,
        None => text,
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.');
    (path.starts_with("/status/") && path.len() <= MAX_PATH && path.bytes().all(plain) && !path.contains("..")).then(|| path.to_owned())
}

/// One list as it arrives.
pub(crate) fn list(http: &Http, path: &str) -> Result<HttpResponse, VerifierError> {
    let response = http.get_capped(path, &[("Accept", CONTENT_TYPE)], MAX_TOKEN_BYTES)?;
    if response.status == 200 { Ok(response) } else { Err(refusal(&response)) }
}

/// The service's own time, told over the pinned connection (RFC 9110, 6.6.1).
pub(crate) fn date_of(response: &HttpResponse) -> Option<Timestamp> {
    let text = response.header("Date")?;
    OffsetDateTime::parse(text, &Rfc2822).ok().map(|t| Timestamp::from_unix(t.unix_timestamp()))
}

/// DER in base64url, or in plain base64.
fn decode_der(text: &str) -> Option<Vec<u8>> {
    let unpadded: String = text
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    b64u_decode(&unpadded).ok()
}

fn json_of(response: &HttpResponse) -> Result<Value, VerifierError> {
    if !(200..300).contains(&response.status) {
        return Err(refusal(response));
    }
    serde_json::from_slice(&response.body).map_err(|_| VerifierError::Answer("JSON"))
}

/// The error word of a refusal, when it looks like one. Anything else a server says is dropped.
fn refusal(response: &HttpResponse) -> VerifierError {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let code = body.get("error").and_then(Value::as_str).unwrap_or_default();
    let plain = code.len() <= 48 && code.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-' | b'.'));
    VerifierError::Service { status: response.status, code: if plain { code.to_owned() } else { String::new() } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_of_lists_are_fetched() {
        assert_eq!(path_of("/status/driving-licence/2026-48").as_deref(), Some("/status/driving-licence/2026-48"));
        assert_eq!(path_of("https://localhost:1/status/a/2026-48").as_deref(), Some("/status/a/2026-48"));
        for bad in ["/token", "//evil/status/", "/status/../token", "/status/a?b", "status/a", "/status/a b"] {
            assert_eq!(path_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn http_dates_are_read() {
        let parsed = OffsetDateTime::parse("Sun, 06 Nov 1994 08:49:37 GMT", &Rfc2822).map(OffsetDateTime::unix_timestamp);
        assert_eq!(parsed.ok(), Some(784_111_777));
    }
}
