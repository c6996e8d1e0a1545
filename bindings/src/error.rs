//! The small set of errors an app can act on, and the one conversion from each side's rich errors.
//!
//! Nothing personal enters here: apps forward these texts. Reasons are static words.

use wallet_base::fact::FactName;
use wallet_base::time::Timestamp;
use wallet_core::{Problem, WalletError as CoreError};
use wallet_documents::display::Detail;
use wallet_platform::carried::CarriedError;
use wallet_platform::http::HttpError;
use wallet_platform::keyslot::KeySlotError;
use wallet_platform::ports::PortError;
use wallet_platform::store::StoreError;
use wallet_platform::tuf::TrustError;
use wallet_verifier::VerifierError;

/// What went wrong, by what the app can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum WalletError {
    /// Ask for the passcode again.
    #[error("wrong passcode, {tries_left} tries left")]
    WrongPasscode {
        /// Tries before the next waiting time.
        tries_left: u32,
    },
    /// Wait until then.
    #[error("locked until {at}")]
    LockedUntil {
        /// When the next try is taken, RFC 3339.
        at: String,
    },
    /// Ask to hold the card still and start the reading again.
    #[error("the card moved away")]
    CardMoved,
    /// Ask for the CAN or the MRZ again; nothing was tried a second time.
    #[error("the card refused its access key")]
    WrongCardKey,
    /// Ask for the card the reading began with.
    #[error("another card was held")]
    DifferentCard,
    /// Try again with a connection; what was done is kept.
    #[error("the service could not be reached")]
    Network,
    /// Do not go on: somebody or something is not what it says.
    #[error("not trusted: {fact}")]
    Untrusted {
        /// Which check, by its registry name.
        fact: String,
    },
    /// Ask for a new one.
    #[error("expired")]
    Expired,
    /// Nothing to do: a person said no.
    #[error("declined")]
    Declined,
    /// Nothing to do: the app stopped it. What was done durably is kept.
    #[error("cancelled")]
    Cancelled,
    /// The store is unusable.
    #[error("storage: {reason}")]
    Storage {
        /// A static word: `not-encrypted`, `wrong-key`, `corrupt`, `newer`, `no-cipher`, `missing`, `gone`, `exists`, `key-slots`, `busy` (another program has
        /// the folder), `full` (the disk), `disk`.
        reason: String,
    },
    /// The device or the service cannot do it.
    #[error("unsupported")]
    Unsupported,
    /// Not possible like this.
    #[error("invalid: {reason}")]
    Invalid {
        /// A static word, for example `locked`, `not-enrolled`, `re-entry`.
        reason: String,
    },
    /// Open the object again.
    #[error("closed")]
    Closed,
    /// Report it.
    #[error("internal")]
    Internal,
}

impl WalletError {
    /// `Invalid` with a static word.
    pub(crate) fn invalid(reason: &str) -> Self {
        Self::Invalid { reason: reason.to_owned() }
    }

    /// The word by which the catalogue knows it, and what is known of this one.
    pub(crate) fn told(&self) -> (String, Vec<Detail>) {
        let plain = |word: &str| (word.to_owned(), Vec::new());
        match self {
            Self::WrongPasscode { tries_left } => ("wrong-passcode".to_owned(), vec![Detail::TriesLeft(*tries_left)]),
            Self::LockedUntil { at } => ("locked-until".to_owned(), Timestamp::parse_rfc3339(at).map(Detail::Until).into_iter().collect()),
            Self::CardMoved => plain("card-moved"),
            Self::WrongCardKey => plain("wrong-card-key"),
            Self::DifferentCard => plain("different-card"),
            Self::Network => plain("network"),
            Self::Untrusted { fact } => ("untrusted".to_owned(), fact.parse().ok().map(Detail::Check).into_iter().collect()),
            Self::Expired => plain("expired"),
            Self::Declined => plain("declined"),
            Self::Cancelled => plain("cancelled"),
            // Two programs on one folder; `busy` alone is an act that is under way.
            Self::Storage { reason } if reason == "busy" => plain("storage-busy"),
            Self::Storage { reason } | Self::Invalid { reason } => plain(reason),
            Self::Unsupported => plain("unsupported"),
            Self::Closed => plain("closed"),
            Self::Internal => plain("internal"),
        }
    }

    fn untrusted(fact: FactName) -> Self {
        Self::Untrusted { fact: fact.as_str().to_owned() }
    }
}

impl From<CoreError> for WalletError {
    fn from(error: CoreError) -> Self {
        error.problem().into()
    }
}

impl From<Problem> for WalletError {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::WrongPasscode { tries_left } => Self::WrongPasscode { tries_left },
            Problem::LockedUntil { at } => Self::LockedUntil { at: at.to_rfc3339() },
            Problem::CardMoved => Self::CardMoved,
            Problem::WrongCardKey => Self::WrongCardKey,
            Problem::DifferentCard => Self::DifferentCard,
            Problem::Network => Self::Network,
            Problem::Untrusted { fact } => Self::untrusted(fact),
            Problem::Expired => Self::Expired,
            Problem::Declined => Self::Declined,
            Problem::Storage { reason } => Self::Storage { reason },
            Problem::Unsupported => Self::Unsupported,
            Problem::Invalid { reason } => Self::Invalid { reason },
            Problem::Closed => Self::Closed,
            Problem::Internal => Self::Internal,
        }
    }
}

impl From<VerifierError> for WalletError {
    fn from(error: VerifierError) -> Self {
        match error {
            VerifierError::Closed => Self::Closed,
            VerifierError::Busy => Self::invalid("busy"),
            VerifierError::Parameter(what) => Self::invalid(what),
            VerifierError::NotEnrolled => Self::invalid("not-enrolled"),
            VerifierError::CertificateEnded => Self::Expired,
            VerifierError::NoTrust => Self::invalid("no-trust"),
            VerifierError::UnknownRole => Self::invalid("unknown-role"),
            VerifierError::UnknownDocument => Self::invalid("unknown-document"),
            VerifierError::NothingAsked => Self::invalid("nothing-chosen"),
            VerifierError::UnknownField => Self::invalid("unknown-field"),
            VerifierError::UnknownPurpose => Self::invalid("unknown-purpose"),
            VerifierError::NotAnAnswer(error) => error.into(),
            VerifierError::NoPortrait => Self::invalid("no-portrait"),
            VerifierError::TooLarge => Self::invalid("request-too-large"),
            VerifierError::Untrusted(fact) => Self::untrusted(fact),
            VerifierError::Service { status, code } => refused(status, code),
            // What came is not what the protocol says: a link that cut it, or a service that is not there; the wallet's side says the same.
            VerifierError::Answer(_) => Self::Network,
            VerifierError::Internal(_) => Self::Internal,
            VerifierError::Store(error) => error.into(),
            VerifierError::KeySlot(error) => error.into(),
            VerifierError::Carried(error) => Self::invalid(match error {
                CarriedError::Malformed(_) => "carried-file",
                CarriedError::TooLarge(_) => "carried-file-too-large",
                CarriedError::Newer => "carried-file-newer",
            }),
            VerifierError::Trust(error) => error.into(),
            VerifierError::Port(error) => error.into(),
            VerifierError::Http(error) => error.into(),
        }
    }
}

/// A refusal of the service: what it names is the app's to show, what it does not name is like a service that is not there.
fn refused(status: u16, code: String) -> WalletError {
    if status >= 500 || status == 429 || code.is_empty() { WalletError::Network } else { WalletError::Invalid { reason: code } }
}

impl From<StoreError> for WalletError {
    fn from(error: StoreError) -> Self {
        match (error, error.reason()) {
            (StoreError::Closed, _) => Self::Closed,
            (StoreError::Reentered, _) => Self::invalid("re-entry"),
            (_, reason) => Self::Storage { reason: reason.unwrap_or("corrupt").to_owned() },
        }
    }
}

impl From<KeySlotError> for WalletError {
    fn from(error: KeySlotError) -> Self {
        match error {
            KeySlotError::WrongPasscode { tries_left } => Self::WrongPasscode { tries_left },
            KeySlotError::LockedUntil(at) => Self::LockedUntil { at: at.to_rfc3339() },
            KeySlotError::Port(error) => error.into(),
            KeySlotError::Passcode => Self::invalid("passcode"),
            other => other.reason().map_or(Self::Internal, |reason| Self::Storage { reason: reason.to_owned() }),
        }
    }
}

impl From<TrustError> for WalletError {
    fn from(error: TrustError) -> Self {
        match error {
            TrustError::Root => Self::invalid("trust-root"),
            TrustError::Fetch(error) => error.into(),
            TrustError::Missing => Self::Network,
            TrustError::Busy => Self::invalid("busy"),
            TrustError::Io => Self::Storage { reason: "disk".to_owned() },
        }
    }
}

impl From<PortError> for WalletError {
    fn from(error: PortError) -> Self {
        match error {
            PortError::Cancelled => Self::Declined,
            PortError::KeyInvalidated => Self::invalid("key-invalidated"),
            PortError::NotAuthorised => Self::invalid("not-authorised"),
            PortError::NoSecureLock => Self::invalid("no-secure-lock"),
            PortError::Unsupported => Self::Unsupported,
            PortError::TimedOut => Self::invalid("device-timed-out"),
            PortError::NoSpace => Self::Storage { reason: "full".to_owned() },
            PortError::Unavailable => Self::invalid("device-unavailable"),
        }
    }
}

impl From<HttpError> for WalletError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::PlainHttp => Self::invalid("plain-http"),
            HttpError::Request | HttpError::Settings => Self::invalid("service-settings"),
            HttpError::Tls => Self::invalid("service-certificate"),
            HttpError::TooLarge => Self::invalid("answer-too-large"),
            HttpError::Unreachable | HttpError::Timeout | HttpError::Dropped | HttpError::Redirect | HttpError::Malformed => Self::Network,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_store_says_until_when_and_a_wrong_passcode_how_many_tries() {
        let at = Timestamp::from_unix(0);
        assert_eq!(WalletError::from(KeySlotError::LockedUntil(at)), WalletError::LockedUntil { at: "1970-01-01T00:00:00Z".into() });
        assert_eq!(
            WalletError::from(VerifierError::KeySlot(KeySlotError::WrongPasscode { tries_left: 2 })),
            WalletError::WrongPasscode { tries_left: 2 }
        );
    }

    #[test]
    fn bad_input_stores_that_cannot_be_read_are_refused_by_name() {
        for (error, word) in [
            (StoreError::NotEncrypted, "not-encrypted"),
            (StoreError::WrongKey, "wrong-key"),
            (StoreError::NoCipher, "no-cipher"),
            (StoreError::Busy, "busy"),
            (StoreError::Full, "full"),
            (StoreError::Io, "disk"),
            (StoreError::Corrupt, "corrupt"),
        ] {
            assert_eq!(WalletError::from(error), WalletError::Storage { reason: word.into() });
        }
        assert_eq!(WalletError::from(StoreError::Closed), WalletError::Closed);
    }

    #[test]
    fn bad_input_plain_http_is_refused_by_name_and_an_unreachable_service_is_network() {
        assert_eq!(WalletError::from(HttpError::PlainHttp), WalletError::Invalid { reason: "plain-http".into() });
        assert_eq!(WalletError::from(VerifierError::Http(HttpError::Unreachable)), WalletError::Network);
        assert_eq!(WalletError::from(VerifierError::Answer("JSON")), WalletError::Network);
        assert_eq!(refused(400, "invalid_code".into()), WalletError::Invalid { reason: "invalid_code".into() });
        assert_eq!(refused(503, "busy".into()), WalletError::Network);
    }
}
