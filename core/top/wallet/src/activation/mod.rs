//! Activation: a citizen's chip card becomes a level-2 account.
//!
//! A state machine whose every step is written before the next begins: `opened -> card-read -> chip -> code-sent -> code -> face -> complete`.
//! Active Authentication signs a challenge that names the session, central's nonce, the account and the device key, so that the evidence
//! cannot be made up by a phone nor used for another account. The wallet verifies the card itself before anything is sent.

mod card;
mod driver;
pub(crate) mod rows;
mod steps;

use wallet_base::fact::Verdict;
use wallet_base::time::{Date, Timestamp};

pub(crate) use card::{Interrupted, read_card};
pub(crate) use steps::{begin, complete, fresh_offer, request_code, submit_chip, submit_code, submit_face, view};

/// How far an activation is. Each step is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Nothing was begun.
    NotStarted,
    /// Central gave a session: the card can be read, within the session's time.
    Opened,
    /// The card was read, its challenge signed, and the wallet's own checks passed.
    CardRead,
    /// Central took the chip's evidence.
    Chip,
    /// A code was sent out of band.
    CodeSent,
    /// The code was right.
    Code,
    /// The face matched.
    Face,
    /// The account is active and holds a credential offer.
    Complete,
}

impl Step {
    const ALL: [Self; 8] =
        [Self::NotStarted, Self::Opened, Self::CardRead, Self::Chip, Self::CodeSent, Self::Code, Self::Face, Self::Complete];

    /// `not-started`, `opened`, `card-read`, `chip`, `code-sent`, `code`, `face` or `complete`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not-started",
            Self::Opened => "opened",
            Self::CardRead => "card-read",
            Self::Chip => "chip",
            Self::CodeSent => "code-sent",
            Self::Code => "code",
            Self::Face => "face",
            Self::Complete => "complete",
        }
    }

    fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }
}

/// Where the activation is, for a screen.
#[derive(Clone, Debug)]
pub struct ActivationView {
    /// The last durable step.
    pub step: Step,
    /// What the wallet and central found so far.
    pub verdict: Verdict,
    /// Tries left for the step at hand (code, then face), once central told.
    pub tries_left: Option<u32>,
    /// Until when the card must be read and its evidence sent; `None` before a session was opened and once the chip is proven.
    pub expires_at: Option<Timestamp>,
}

/// What opens the chip: six digits printed on the card, or three lines of its machine-readable zone.
#[derive(Clone)]
pub enum CardPassword {
    /// Card Access Number: the last six digits of the number printed on the front.
    Can(String),
    /// Machine-readable zone: document number, birth, expiry.
    Mrz {
        /// Document number as in the MRZ.
        document_number: String,
        /// Date of birth.
        birth: Date,
        /// Date of expiry.
        expiry: Date,
    },
}

impl std::fmt::Debug for CardPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Can(_) => "Can(..)",
            Self::Mrz { .. } => "Mrz(..)",
        })
    }
}

/// What the reading of a card gave.
#[derive(Debug)]
pub struct CardReport {
    /// The wallet's own verdict over the chip (`by: wallet`).
    pub verdict: Verdict,
    /// What is on the card, to show to its holder; `None` when the verdict is rejected.
    pub display: Option<CardDisplay>,
}

/// The card's own words, for its holder to look at. Personal: not for logs.
#[derive(Clone)]
pub struct CardDisplay {
    /// Full name: from DG13 with its diacritics, else from the MRZ.
    pub full_name: String,
    /// Personal number.
    pub personal_number: String,
    /// Document number.
    pub document_number: String,
    /// Date of birth.
    pub birth: Option<Date>,
    /// `M`, `F` or `X`.
    pub sex: String,
    /// Date of expiry.
    pub expiry: Option<Date>,
    /// Encoded face picture as on the chip.
    pub portrait: Vec<u8>,
    /// Its media type, for example `image/jp2`.
    pub portrait_type: String,
}

impl std::fmt::Debug for CardDisplay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardDisplay(..)")
    }
}
