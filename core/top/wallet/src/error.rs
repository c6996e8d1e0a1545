//! Errors: rich inside the wallet, one conversion to the small set an app can act on.

use wallet_base::fact::FactName;
use wallet_base::time::Timestamp;
use wallet_platform::http::HttpError;
use wallet_platform::keyslot::KeySlotError;
use wallet_platform::ports::PortError;
use wallet_platform::store::StoreError;

/// What went wrong. Texts are static or built of safe parts: never personal data, keys, card passwords or message bodies.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// [`crate::Wallet::close`] was called.
    #[error("the wallet is closed")]
    Closed,
    /// The act needs an unlocked wallet.
    #[error("the wallet is locked")]
    Locked,
    /// There is no wallet in the folder yet.
    #[error("the wallet has not been created")]
    NotCreated,
    /// There is a wallet in the folder already.
    #[error("the wallet exists already")]
    Exists,
    /// Another long act is under way.
    #[error("another act of the wallet is under way")]
    Busy,
    /// A value given by the app does not fit; the text names the parameter.
    #[error("unusable {0}")]
    Parameter(&'static str),
    /// The store.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The key-slot header.
    #[error("key slots: {0}")]
    KeySlot(#[from] KeySlotError),
    /// A port of the phone.
    #[error("port: {0}")]
    Port(#[from] PortError),
    /// The network.
    #[error("network: {0}")]
    Http(#[from] HttpError),
    /// The service refused; `code` is its error code when it is a known kind of word.
    #[error("the service answered {status} {code}")]
    Service {
        /// HTTP status.
        status: u16,
        /// Error code of the answer: letters, digits, `_` and `-` only.
        code: String,
    },
    /// The service answered something that is not what the protocol says; the text names the message.
    #[error("the service's {0} is malformed")]
    Answer(&'static str),
    /// No access token could be had, for this reason. It says nothing of what was asked for under it.
    #[error("no access token: {0}")]
    NoToken(#[source] Box<WalletError>),
    /// The card left the field and was not held again.
    #[error("the card moved away")]
    CardMoved,
    /// The card refused the CAN or the MRZ. Nothing was tried again.
    #[error("the card refused its access key")]
    WrongCardKey,
    /// After a loss another card was held to the phone.
    #[error("another card was held")]
    DifferentCard,
    /// The card could not be read for another reason.
    #[error("card: {0}")]
    Card(&'static str),
    /// A check failed: the fact says which.
    #[error("refused: {0}")]
    Untrusted(FactName),
    /// A check that must pass could not be made: the fact says which.
    #[error("could not be checked: {0}")]
    Unchecked(FactName),
    /// The activation is not at the step this needs.
    #[error("activation is not at this step")]
    WrongStep,
    /// The session, request or document is past its time.
    #[error("expired: {0}")]
    Expired(&'static str),
    /// The text scanned is not a request of a verifier; the word says what it is.
    #[error("not a request: {0}")]
    NotARequest(&'static str),
    /// The request had its one answer.
    #[error("the request was answered before")]
    AnsweredBefore,
    /// No copy of the document is left that could be shown.
    #[error("no copy of the document is left")]
    NoCopyLeft,
    /// No such document in the wallet.
    #[error("no such document")]
    NoSuchDocument,
    /// The citizen, or the phone on the citizen's word, said no.
    #[error("declined")]
    Declined,
    /// The account moved to another device.
    #[error("the account moved to another device")]
    AccountEnded,
    /// A rule of the wallet itself broke; the text says where.
    #[error("internal: {0}")]
    Internal(&'static str),
}

impl From<wallet_platform::rusqlite::Error> for WalletError {
    fn from(error: wallet_platform::rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

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
    /// Nothing to do: the citizen said no.
    Declined,
    /// The store is unusable.
    Storage {
        /// Static word: `not-encrypted`, `wrong-key`, `corrupt`, `newer`, `no-cipher`, `missing`, `gone`, `exists`, `key-slots`, `busy` (another program has
        /// the folder), `full` (the disk), `disk`.
        reason: String,
    },
    /// The phone or the service cannot do it.
    Unsupported,
    /// Not possible like this; the reason is a static word.
    Invalid {
        /// For example `locked`, `busy`, `answered-before`, `no-copy-left`.
        reason: String,
    },
    /// Open the wallet again.
    Closed,
    /// Report it.
    Internal,
}

impl WalletError {
    /// The service says in so many words that another device of this person took over (`device_conflict`, 409).
    pub(crate) fn is_replaced(&self) -> bool {
        matches!(self, Self::Service { status: 409, code } if code == "device_conflict")
    }

    /// The one conversion to what an app can act on.
    pub fn problem(&self) -> Problem {
        let invalid = |reason: &str| Problem::Invalid { reason: reason.to_owned() };
        match self {
            Self::Closed => Problem::Closed,
            Self::Locked => invalid("locked"),
            Self::NotCreated => invalid("not-created"),
            Self::Exists => invalid("exists"),
            Self::Busy => invalid("busy"),
            Self::Parameter(what) | Self::NotARequest(what) => invalid(what),
            Self::WrongStep => invalid("wrong-step"),
            Self::AnsweredBefore => invalid("answered-before"),
            Self::NoCopyLeft => invalid("no-copy-left"),
            Self::NoSuchDocument => invalid("no-such-document"),
            Self::AccountEnded => invalid("account-ended"),
            Self::Store(error) => of_store(*error),
            Self::KeySlot(error) => of_key_slot(*error),
            Self::Port(error) => of_port(*error),
            Self::Http(error) => of_http(*error),
            Self::Service { status, code } => match status {
                429 | 500..=599 => Problem::Network,
                // What the service did not name, a link did: somebody between, or an answer that was cut.
                _ if code.is_empty() => Problem::Network,
                _ => invalid(code),
            },
            Self::Answer(_) => Problem::Network,
            Self::NoToken(why) => why.problem(),
            Self::CardMoved => Problem::CardMoved,
            Self::WrongCardKey => Problem::WrongCardKey,
            Self::DifferentCard => Problem::DifferentCard,
            Self::Card(reason) => invalid(reason),
            Self::Untrusted(fact) | Self::Unchecked(fact) => Problem::Untrusted { fact: *fact },
            Self::Expired(_) => Problem::Expired,
            Self::Declined => Problem::Declined,
            Self::Internal(_) => Problem::Internal,
        }
    }
}

fn of_store(error: StoreError) -> Problem {
    match (error, error.reason()) {
        (StoreError::Closed, _) => Problem::Closed,
        (_, Some(reason)) => Problem::Storage { reason: reason.to_owned() },
        (_, None) => Problem::Internal,
    }
}

fn of_key_slot(error: KeySlotError) -> Problem {
    match error {
        KeySlotError::WrongPasscode { tries_left } => Problem::WrongPasscode { tries_left },
        KeySlotError::LockedUntil(at) => Problem::LockedUntil { at },
        KeySlotError::Passcode => Problem::Invalid { reason: "passcode".to_owned() },
        KeySlotError::Port(error) => of_port(error),
        other => other.reason().map_or(Problem::Internal, |reason| Problem::Storage { reason: reason.to_owned() }),
    }
}

fn of_port(error: PortError) -> Problem {
    match error {
        PortError::Cancelled => Problem::Declined,
        PortError::TimedOut => Problem::Invalid { reason: "device-timed-out".to_owned() },
        PortError::KeyInvalidated => Problem::Invalid { reason: "key-invalidated".to_owned() },
        PortError::NotAuthorised => Problem::Invalid { reason: "not-authorised".to_owned() },
        PortError::NoSecureLock => Problem::Invalid { reason: "no-secure-lock".to_owned() },
        PortError::Unsupported => Problem::Unsupported,
        PortError::NoSpace => Problem::Storage { reason: "full".to_owned() },
        PortError::Unavailable => Problem::Invalid { reason: "device-unavailable".to_owned() },
    }
}

fn of_http(error: HttpError) -> Problem {
    match error {
        HttpError::PlainHttp => Problem::Invalid { reason: "plain-http".to_owned() },
        HttpError::Request | HttpError::Settings => Problem::Invalid { reason: "service-settings".to_owned() },
        HttpError::TooLarge => Problem::Invalid { reason: "answer-too-large".to_owned() },
        HttpError::Unreachable | HttpError::Tls | HttpError::Timeout | HttpError::Dropped | HttpError::Redirect | HttpError::Malformed => {
            Problem::Network
        }
    }
}
