//! The small set of errors an app can act on. What each error of wallet and verifier means to it is decided there, once.
//!
//! Nothing personal enters here: apps forward these texts. Reasons are static words.

use wallet_base::fact::FactName;
use wallet_base::time::Timestamp;
use wallet_core::{Problem, WalletError as CoreError};
use wallet_documents::display::Detail;
use wallet_exchange::ExchangeError;
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
            // Nobody was found to be false: the device's own clock is in the way.
            Self::Untrusted { fact } if fact == FactName::Clock.as_str() => plain("clock-wrong"),
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
        error.problem().into()
    }
}

impl From<ExchangeError> for WalletError {
    fn from(error: ExchangeError) -> Self {
        VerifierError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wallet_platform::keyslot::KeySlotError;

    #[test]
    fn a_locked_store_says_until_when_and_a_wrong_passcode_how_many_tries() {
        let at = Timestamp::from_unix(0);
        assert_eq!(
            WalletError::from(CoreError::KeySlot(KeySlotError::LockedUntil(at))),
            WalletError::LockedUntil { at: "1970-01-01T00:00:00Z".into() }
        );
        assert_eq!(
            WalletError::from(VerifierError::KeySlot(KeySlotError::WrongPasscode { tries_left: 2 })),
            WalletError::WrongPasscode { tries_left: 2 }
        );
    }

    #[test]
    fn a_clock_that_is_wrong_is_told_as_that() {
        let clock = WalletError::Untrusted { fact: FactName::Clock.as_str().into() };
        assert_eq!(clock.told().0, "clock-wrong");
        assert_eq!(crate::explain(clock).action, crate::ProblemAction::OpenDateSettings);
        assert_eq!(
            crate::explain(WalletError::invalid("service-clock")).action,
            crate::ProblemAction::Wait,
            "nothing that a citizen can set"
        );
        assert_eq!(WalletError::Untrusted { fact: FactName::RequestChain.as_str().into() }.told().0, "untrusted");
    }
}
