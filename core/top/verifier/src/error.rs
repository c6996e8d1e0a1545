//! Errors of the checker's side. A check that fails is no error: it is a verdict.

use wallet_base::fact::FactName;
use wallet_exchange::ExchangeError;
use wallet_platform::carried::CarriedError;
use wallet_platform::problem::Problem;

/// What went wrong. Texts are static or built of safe parts: never personal data, keys or message bodies.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    /// [`crate::Verifier::close`] was called.
    #[error("the verifier is closed")]
    Closed,
    /// An enrolment or a sync is under way.
    #[error("the verifier is busy")]
    Busy,
    /// A value given by the app does not fit; the text names the parameter.
    #[error("unusable {0}")]
    Parameter(&'static str),
    /// The device has no certificate: enrol it first.
    #[error("the device is not enrolled")]
    NotEnrolled,
    /// The device's certificate is past its seven days, or its authority is no longer listed: enrol again.
    #[error("the device's certificate no longer holds")]
    CertificateEnded,
    /// There is no trust data yet: sync first.
    #[error("no trust data is held: sync first")]
    NoTrust,
    /// The role of the device's certificate is not in the table of roles.
    #[error("the role is not in the table of roles")]
    UnknownRole,
    /// The role's row does not name this document, or there is no such document.
    #[error("the document is not one the role may ask for")]
    UnknownDocument,
    /// A list of fields was given, and it is empty.
    #[error("nothing is asked for")]
    NothingAsked,
    /// No such field in the document.
    #[error("no such field")]
    UnknownField,
    /// The purpose is not in the role's row.
    #[error("the purpose is not one of the role's")]
    UnknownPurpose,
    /// The text scanned is no whole answer: foreign, half, damaged, or another kind of ours.
    #[error("not an answer: {0}")]
    NotAnAnswer(#[from] ExchangeError),
    /// The request does not fit one QR symbol: ask for less.
    #[error("the request does not fit one symbol")]
    TooLarge,
    /// A face can only be confirmed against a signed portrait that was disclosed.
    #[error("no signed portrait was disclosed")]
    NoPortrait,
    /// The trust data, the certificate or the service's answer failed a check.
    #[error("refused: {0}")]
    Untrusted(FactName),
    /// The service refused; `code` is its error word: letters, digits, `_`, `-` and `.` only.
    #[error("the service answered {status} {code}")]
    Service {
        /// HTTP status.
        status: u16,
        /// Error word, or empty.
        code: String,
    },
    /// The service answered something that is not what the protocol says; the text names the message.
    #[error("the service's {0} is malformed")]
    Answer(&'static str),
    /// The cache.
    #[error("store: {0}")]
    Store(#[from] wallet_platform::store::StoreError),
    /// The cache's key slot.
    #[error("key slot: {0}")]
    KeySlot(#[from] wallet_platform::keyslot::KeySlotError),
    /// A file that was carried here is none, or too large.
    #[error("{0}")]
    Carried(#[from] CarriedError),
    /// The trust repository.
    #[error("trust: {0}")]
    Trust(#[from] wallet_platform::tuf::TrustError),
    /// A port of the device.
    #[error("port: {0}")]
    Port(#[from] wallet_platform::ports::PortError),
    /// The network.
    #[error("network: {0}")]
    Http(#[from] wallet_platform::http::HttpError),
    /// A rule of the verifier itself broke; the text says where.
    #[error("internal: {0}")]
    Internal(&'static str),
}

impl VerifierError {
    /// The one conversion to what an app can act on.
    pub fn problem(&self) -> Problem {
        let invalid = |reason: &str| Problem::invalid(reason);
        match self {
            Self::Closed => Problem::Closed,
            Self::Busy => invalid("busy"),
            Self::Parameter(what) => invalid(what),
            Self::NotEnrolled => invalid("not-enrolled"),
            Self::CertificateEnded | Self::NotAnAnswer(ExchangeError::Stale) => Problem::Expired,
            Self::NoTrust => invalid("no-trust"),
            Self::UnknownRole => invalid("unknown-role"),
            Self::UnknownDocument => invalid("unknown-document"),
            Self::NothingAsked => invalid("nothing-chosen"),
            Self::UnknownField => invalid("unknown-field"),
            Self::UnknownPurpose => invalid("unknown-purpose"),
            // The word is the id of the catalogue's text: `scan.wrong`, `scan.half`, `scan.foreign`, ...
            Self::NotAnAnswer(error) => invalid(error.problem()),
            Self::TooLarge => invalid("request-too-large"),
            Self::NoPortrait => invalid("no-portrait"),
            Self::Untrusted(fact) => Problem::Untrusted { fact: *fact },
            Self::Service { status, code } => Problem::refused(*status, code),
            // What came is not what the protocol says: a link that cut it, or a service that is not there.
            Self::Answer(_) => Problem::Network,
            Self::Store(error) => (*error).into(),
            Self::KeySlot(error) => (*error).into(),
            Self::Carried(CarriedError::Malformed(_)) => invalid("carried-file"),
            Self::Carried(CarriedError::TooLarge(_)) => invalid("carried-file-too-large"),
            Self::Carried(CarriedError::Newer) => invalid("carried-file-newer"),
            Self::Trust(error) => (*error).into(),
            Self::Port(error) => (*error).into(),
            Self::Http(error) => (*error).into(),
            Self::Internal(_) => Problem::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_input_an_answer_that_is_not_the_protocols_is_a_link_that_cut_it() {
        assert_eq!(VerifierError::Answer("JSON").problem(), Problem::Network);
    }

    #[test]
    fn bad_input_what_was_scanned_is_told_by_its_own_word() {
        assert_eq!(VerifierError::from(ExchangeError::Stale).problem(), Problem::Expired);
        assert_eq!(VerifierError::from(ExchangeError::Half).problem(), Problem::invalid("scan.half"));
    }
}
