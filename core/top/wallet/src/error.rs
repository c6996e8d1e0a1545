//! Errors: rich inside the wallet, one conversion to the small set an app can act on.

use wallet_base::fact::FactName;
use wallet_platform::http::HttpError;
use wallet_platform::keyslot::KeySlotError;
use wallet_platform::ports::PortError;
use wallet_platform::problem::Problem;
use wallet_platform::store::StoreError;
use wallet_platform::tuf::TrustError;

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
    /// The trust repository.
    #[error("trust: {0}")]
    Trust(#[from] TrustError),
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
    /// The service took no proof of now while the clock is in doubt: this device's or its own. It says nothing of what was asked for.
    #[error("the clock is in doubt")]
    Clock,
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

impl WalletError {
    /// The service says in so many words that another device of this person took over (`device_conflict`, 409).
    pub(crate) fn is_replaced(&self) -> bool {
        matches!(self, Self::Service { status: 409, code } if code == "device_conflict")
    }

    /// The one conversion to what an app can act on.
    pub fn problem(&self) -> Problem {
        let invalid = |reason: &str| Problem::invalid(reason);
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
            Self::Store(error) => (*error).into(),
            Self::KeySlot(error) => (*error).into(),
            Self::Port(error) => (*error).into(),
            Self::Http(error) => (*error).into(),
            Self::Trust(error) => (*error).into(),
            Self::Service { status, code } => Problem::refused(*status, code),
            Self::Answer(_) => Problem::Network,
            Self::NoToken(why) => why.problem(),
            Self::Clock => Problem::Untrusted { fact: FactName::Clock },
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
