//! The one error type of this crate. Texts are static: no byte of a card, a password or a key can reach them.

use thiserror::Error;

/// Why a card could not be read or a file not be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The card did not accept the CAN or the MRZ key (PACE tokens differ, or the card answered 63xx). Never retried inside: a card may slow down or block.
    #[error("the card does not accept this access number")]
    WrongPassword {
        /// Tries that the card says are left, when it says so (63Cx).
        tries_left: Option<u8>,
    },
    /// The card left the field. The reader can go on with `Input::Reconnected`.
    #[error("the card was moved away")]
    CardLost,
    /// The card in the field is not the one the reading began with.
    #[error("this is another card")]
    DifferentCard,
    /// The card refused what was asked (6982, 6985, ...), or advertises PACE and then refuses it. There is no fall-back to weaker access.
    #[error("the card refused {what}")]
    AccessRefused {
        /// What was refused: a file name or a step.
        what: &'static str,
    },
    /// A file that must be there is not.
    #[error("the card has no {file}")]
    MissingFile {
        /// Name of the file.
        file: &'static str,
    },
    /// Something from the card, or a text, does not have the form its standard gives it.
    #[error("{file} is malformed: {reason}")]
    Malformed {
        /// Name of the file or structure.
        file: &'static str,
        /// What is wrong with its form.
        reason: &'static str,
    },
    /// A protocol, algorithm or form that this crate does not speak.
    #[error("not supported: {what}")]
    Unsupported {
        /// Which one.
        what: &'static str,
    },
    /// A protected response did not verify (or came unprotected). The session is closed; nothing of the response was used.
    #[error("secure messaging failed: {reason}")]
    SecureMessaging {
        /// Which rule was broken.
        reason: &'static str,
    },
    /// An unexpected status word.
    #[error("unexpected status {status:04X} at {step}")]
    Status {
        /// The step that got it.
        step: &'static str,
        /// SW1-SW2.
        status: u16,
    },
    /// The password itself cannot be right (a CAN is six digits).
    #[error("{what} is not well formed")]
    BadPassword {
        /// Which password.
        what: &'static str,
    },
    /// The engine was driven out of order.
    #[error("the reader was driven out of order")]
    OutOfOrder,
}

impl ReadError {
    /// Shorthand for [`ReadError::Malformed`].
    pub(crate) const fn malformed(file: &'static str, reason: &'static str) -> Self {
        Self::Malformed { file, reason }
    }
}
