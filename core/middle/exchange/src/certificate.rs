//! The reader certificate that travels inside a request: at most 400 bytes, seven days, role and organisation, a device pseudonym.

use wallet_base::crypto::PublicKey;
use wallet_base::jose::b64u;
use wallet_base::text::safe_text;
use wallet_base::time::Timestamp;
use wallet_base::x509::{Certificate, CertificateSpec};
use wallet_credential::trust::{EKU_READER, OID_READER_ROLE};

use crate::code_points::{MAX_CERTIFICATE_LIFE, MAX_ID};
use crate::error::ExchangeError;

/// DER tag of a UTF8String.
const UTF8_STRING: u8 = 0x0c;
/// Longest organisation and device pseudonym in characters.
const MAX_NAME: usize = 80;

/// Lower-case ASCII words: role, purpose, document type, field.
pub(crate) fn is_id(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    !text.is_empty() && text.len() <= MAX_ID && text.bytes().all(word)
}

/// `x509_hash:` and the base64url of the certificate's SHA-256 (OpenID4VP 1.0, 5.9.3).
pub fn audience_of(certificate: &Certificate) -> String {
    format!("x509_hash:{}", b64u(&certificate.sha256()))
}

/// The role in a reader certificate: a DER UTF8String in its own extension.
pub fn role_of(certificate: &Certificate) -> Option<String> {
    let value = certificate.extension(OID_READER_ROLE)?;
    let (header, text) = value.split_at_checked(2)?;
    let well_formed = header.first() == Some(&UTF8_STRING) && header.last().is_some_and(|length| usize::from(*length) == text.len());
    let text = String::from_utf8(text.to_vec()).ok()?;
    (well_formed && is_id(&text)).then_some(text)
}

/// The DER value of the role extension; `None` when the role is no id.
pub fn role_extension(role: &str) -> Option<Vec<u8>> {
    let length = u8::try_from(role.len()).ok().filter(|_| is_id(role))?;
    Some([&[UTF8_STRING, length], role.as_bytes()].concat())
}

/// A name that can be shown to a person.
pub(crate) fn shown_name(name: Option<String>) -> Option<String> {
    name.and_then(|name| safe_text(&name, MAX_NAME)).filter(|name| !name.trim().is_empty())
}

/// What a reader authority issues to a staff device: valid seven days from `from`. The caller issues it and asks whether it has at most
/// [`MAX_CERTIFICATE`](crate::code_points::MAX_CERTIFICATE) bytes; the organisation's name is what makes it long (in UTF-8, a Vietnamese
/// vowel with two marks is three bytes), then the authority's own name: give that a short common name and nothing else.
///
/// # Errors
///
/// [`ExchangeError::Spec`] when role or names cannot stand in a certificate.
pub fn reader_certificate(
    role: &str,
    organisation: &str,
    device: &str,
    public_key: PublicKey,
    from: Timestamp,
) -> Result<CertificateSpec, ExchangeError> {
    let name = |name: &str| shown_name(Some(name.to_owned())).ok_or(ExchangeError::Spec("organisation or device"));
    let role = role_extension(role).ok_or(ExchangeError::Spec("role or purpose is no id"))?;
    Ok(CertificateSpec {
        common_name: name(device)?,
        organization: Some(name(organisation)?),
        country: None,
        not_before: from,
        not_after: from.plus_secs(MAX_CERTIFICATE_LIFE),
        public_key,
        is_ca: false,
        extended_key_usage: vec![EKU_READER.to_owned()],
        extensions: vec![(OID_READER_ROLE.to_owned(), false, role)],
        lean: true,
    })
}
