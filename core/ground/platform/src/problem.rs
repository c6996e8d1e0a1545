//! The small set of problems an app can act on, and what each error of the ground means to it. Wallet and verifier say the same of the same.

use wallet_base::fact::FactName;
use wallet_base::time::Timestamp;

use crate::http::HttpError;
use crate::keyslot::KeySlotError;
use crate::ports::PortError;
use crate::store::StoreError;
use crate::tuf::TrustError;

/// The small set an app can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Ask for the passcode again.
    WrongPasscode {
        /// Tries before the next waiting time.
        tries_left: u32,
    },
    /// Wait until then.
    LockedUntil {
        /// When the next try is taken.
        at: Timestamp,
    },
    /// Ask to hold the card still and start the reading again.
    CardMoved,
    /// Ask for the CAN or the MRZ again.
    WrongCardKey,
    /// Ask for the card the reading began with.
    DifferentCard,
    /// Try again with a connection; what was done is kept.
    Network,
    /// Do not go on: somebody or something is not what it says.
    Untrusted {
        /// Which check.
        fact: FactName,
    },
    /// Ask for a new one.
    Expired,
    /// Nothing to do: a person said no.
    Declined,
    /// The store is unusable.
    Storage {
        /// Static word: `not-encrypted`, `wrong-key`, `corrupt`, `newer`, `no-cipher`, `missing`, `gone`, `exists`, `key-slots`, `busy` (another program has
        /// the folder), `full` (the disk), `disk`.
        reason: String,
    },
    /// The device or the service cannot do it.
    Unsupported,
    /// Not possible like this; the reason is a static word.
    Invalid {
        /// For example `locked`, `busy`, `answered-before`, `not-enrolled`.
        reason: String,
    },
    /// Open the object again.
    Closed,
    /// Report it.
    Internal,
}

impl Problem {
    /// [`Problem::Invalid`] with a word.
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid { reason: reason.into() }
    }

    /// A refusal of the service. What it names is the app's to show; what it does not name, a link did: somebody between, an answer that was cut, a
    /// service that cannot work now.
    pub fn refused(status: u16, code: &str) -> Self {
        match (status, code) {
            // It says itself that its clock is wrong: nothing that a person could mend.
            (503, "clock_behind") => Self::invalid("service-clock"),
            (429 | 500.., _) | (_, "") => Self::Network,
            (_, code) => Self::invalid(code),
        }
    }

    fn storage(reason: &str) -> Self {
        Self::Storage { reason: reason.to_owned() }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::Closed,
            StoreError::Reentered => Self::invalid("re-entry"),
            other => other.reason().map_or(Self::Internal, Self::storage),
        }
    }
}

impl From<KeySlotError> for Problem {
    fn from(error: KeySlotError) -> Self {
        match error {
            KeySlotError::WrongPasscode { tries_left } => Self::WrongPasscode { tries_left },
            KeySlotError::LockedUntil(at) => Self::LockedUntil { at },
            KeySlotError::Passcode => Self::invalid("passcode"),
            KeySlotError::Port(error) => error.into(),
            other => other.reason().map_or(Self::Internal, Self::storage),
        }
    }
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        match error {
            PortError::Cancelled => Self::Declined,
            PortError::TimedOut => Self::invalid("device-timed-out"),
            PortError::KeyInvalidated => Self::invalid("key-invalidated"),
            PortError::NotAuthorised => Self::invalid("not-authorised"),
            PortError::NoSecureLock => Self::invalid("no-secure-lock"),
            PortError::Unsupported => Self::Unsupported,
            PortError::NoSpace => StoreError::Full.into(),
            PortError::Unavailable => Self::invalid("device-unavailable"),
        }
    }
}

impl From<HttpError> for Problem {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::PlainHttp => Self::invalid("plain-http"),
            HttpError::Request | HttpError::Settings => Self::invalid("service-settings"),
            HttpError::Tls => Self::invalid("service-certificate"),
            HttpError::CertificateTime => Self::Untrusted { fact: FactName::Clock },
            HttpError::TooLarge => Self::invalid("answer-too-large"),
            HttpError::Unreachable | HttpError::Timeout | HttpError::Dropped | HttpError::Redirect | HttpError::Malformed => Self::Network,
        }
    }
}

impl From<TrustError> for Problem {
    fn from(error: TrustError) -> Self {
        match error {
            TrustError::Root => Self::invalid("trust-root"),
            TrustError::Fetch(error) => error.into(),
            // What came is not what the protocol says: a link that cut it, or a service that is not there.
            TrustError::Missing => Self::Network,
            TrustError::Busy => Self::invalid("busy"),
            TrustError::Full => StoreError::Full.into(),
            TrustError::Io => StoreError::Io.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(Problem::from(error), Problem::storage(word));
        }
        assert_eq!(Problem::from(StoreError::Closed), Problem::Closed);
        assert_eq!(Problem::from(StoreError::Reentered), Problem::invalid("re-entry"));
    }

    #[test]
    fn a_mistake_of_the_program_is_no_fault_of_the_store() {
        for error in [StoreError::Constraint, StoreError::NoRow, StoreError::Type, StoreError::Other(1)] {
            assert_eq!(Problem::from(error), Problem::Internal, "nobody is told to remove a store for it");
        }
    }

    #[test]
    fn bad_input_a_full_disk_has_one_name_wherever_it_is_met() {
        let full = Problem::storage("full");
        assert_eq!(Problem::from(KeySlotError::Full), full);
        assert_eq!(Problem::from(PortError::NoSpace), full);
        let refused = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(Problem::from(TrustError::from(refused())), full);
        assert_eq!(Problem::from(StoreError::from(refused())), full);
    }

    #[test]
    fn bad_input_plain_http_is_refused_by_name_and_an_unreachable_service_is_network() {
        assert_eq!(Problem::from(HttpError::PlainHttp), Problem::invalid("plain-http"));
        assert_eq!(Problem::from(HttpError::Unreachable), Problem::Network);
        assert_eq!(Problem::from(TrustError::Fetch(HttpError::Timeout)), Problem::Network);
    }

    #[test]
    fn a_refusal_without_a_word_and_a_service_that_cannot_work_are_the_network() {
        assert_eq!(Problem::refused(400, "invalid_code"), Problem::invalid("invalid_code"));
        assert_eq!(Problem::refused(503, "busy"), Problem::Network);
        assert_eq!(Problem::refused(429, "slow_down"), Problem::Network);
        assert_eq!(Problem::refused(400, ""), Problem::Network);
        assert_eq!(Problem::refused(503, "clock_behind"), Problem::invalid("service-clock"));
    }
}
