//! How a command ends: five exit codes, the same everywhere (DESIGN section 7).
use thiserror::Error;

use crate::advice;

/// Exit code: verified, or done.
pub const DONE: u8 = 0;
/// Exit code: a check said no.
pub const REJECTED: u8 = 1;
/// Exit code: a check could not say yes or no.
pub const UNDETERMINED: u8 = 2;
/// Exit code: unusable input or usage.
pub const USAGE: u8 = 3;
/// Exit code: the surroundings failed (network, disk, reader).
pub const SURROUNDINGS: u8 = 4;

/// Why a command could not do its work. The text is for the person at the terminal and holds no personal data.
#[derive(Debug, Error)]
pub enum Trouble {
    /// The input or the way the command was called cannot be used.
    #[error("{0}")]
    Usage(String),
    /// Network, disk, card reader or a helper process failed.
    #[error("{0}")]
    Surroundings(String),
    /// A check refused; `fact` is the failed one.
    #[error("refused: {fact}{}", advice::about(fact))]
    Refused {
        /// Name of the failed fact.
        fact: String,
    },
}

impl Trouble {
    /// Input that cannot be used.
    pub fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// Something outside this program failed while `doing`.
    pub fn outside(doing: &str, error: impl std::fmt::Display) -> Self {
        Self::Surroundings(format!("{doing}: {error}"))
    }

    /// The exit code that says this.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Surroundings(_) => SURROUNDINGS,
            Self::Refused { .. } => REJECTED,
        }
    }
}
