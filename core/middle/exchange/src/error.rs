//! What can go wrong between two screens. Messages are static: no code, key or value is repeated.

use wallet_base::fact::FactName;

use crate::scan::Scanned;

/// Why a code, a request or an answer was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The code is not one of ours.
    #[error("foreign: the code does not belong to the wallet")]
    Foreign,
    /// One of ours, but not what was wanted here.
    #[error("wrong: the code is {}, wanted is {}", found.as_str(), wanted.as_str())]
    Wrong {
        /// What was expected.
        wanted: Scanned,
        /// What was scanned.
        found: Scanned,
    },
    /// The beginning of a code: the end is missing.
    #[error("half: the code is incomplete")]
    Half,
    /// The code is complete but altered, or not what its prefix says.
    #[error("damaged: {0}")]
    Damaged(&'static str),
    /// Past its time.
    #[error("stale: the code is out of date")]
    Stale,
    /// The answer opens with no key of an open request.
    #[error("the answer belongs to no open request")]
    NotForUs,
    /// The request was answered before, or was closed.
    #[error("the request was answered already or is closed")]
    Closed,
    /// More than one symbol can carry.
    #[error("too large: the content does not fit into one symbol")]
    TooLarge,
    /// A character that alphanumeric mode does not have.
    #[error("the text cannot be drawn in alphanumeric mode")]
    NotAlphanumeric,
    /// A request that may not be made.
    #[error("the request may not be made: {0}")]
    Spec(&'static str),
    /// The key could not sign, or its signature does not verify under the certificate.
    #[error("the request could not be signed")]
    Sign,
    /// A picture that is too large or not readable.
    #[error("picture: {0}")]
    Picture(&'static str),
}

impl ExchangeError {
    /// The fact that fails in a verdict when an answer is refused so.
    pub const fn fact(self) -> Option<FactName> {
        match self {
            Self::NotForUs | Self::Closed | Self::Stale => Some(FactName::ExchangeNonce),
            _ => None,
        }
    }

    /// Id of the problem in the catalogues (`problem.<id>`).
    pub const fn problem(self) -> &'static str {
        match self {
            Self::Foreign => "scan.foreign",
            Self::Wrong { found: Scanned::VneidCardQr, .. } => "scan.vneid-card",
            Self::Wrong { found: Scanned::Frame, .. } => "scan.frame",
            Self::Wrong { .. } => "scan.wrong",
            Self::Half => "scan.half",
            Self::Damaged(_) | Self::NotAlphanumeric => "scan.damaged",
            Self::Stale => "scan.stale",
            Self::NotForUs => "scan.not-for-us",
            Self::Closed => "scan.already-answered",
            Self::TooLarge => "scan.too-large",
            Self::Spec(_) => "invalid",
            Self::Sign => "internal",
            Self::Picture(_) => "scan.nothing",
        }
    }
}
