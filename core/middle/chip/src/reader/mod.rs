//! The reader: a sans-I/O engine that reads a card. It gives command bytes and takes response bytes; whoever drives it owns the radio.
//!
//! ```text
//! let mut output = reader.step(Input::Start);
//! loop { output = match output {
//!     Output::Send(command) => match channel.transceive(&command) {
//!         Ok(response) => reader.step(Input::Response(&response)),
//!         Err(card lost)  => reader.step(Input::LinkLost),          // gives Fail(CardLost)
//!     },
//!     Output::Fail(ReadError::CardLost) => { wait for the card; reader.step(Input::Reconnected) }
//!     Output::Fail(error) => stop (the reader keeps what it has; another `Reconnected` may still be given)
//!     Output::Done(data) => verify(&data, ...)
//! } }
//! ```
//!
//! Order: EF.CardAccess, PACE, the application, COM, SOD, DG14, DG15, Active Authentication, DG1, DG13, DG2. What is read is what the
//! SOD lists; COM is only kept. After a loss the engine opens a new session, reads the SOD again, compares it byte for byte with the
//! one it has (else [`ReadError::DifferentCard`]) and goes on at the file and offset where it stopped.

mod data;
mod engine;

pub use data::{AccessRecord, ChipData, PasswordKind, Progress, ReadPlan};
pub use engine::Reader;

use crate::ReadError;

/// What the driver tells the engine.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// Begin. The card is in the field, freshly powered.
    Start,
    /// The card's response to the last command.
    Response(&'a [u8]),
    /// The card left the field; no response came.
    LinkLost,
    /// A card is in the field again, freshly powered.
    Reconnected,
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start => f.write_str("Start"),
            Self::Response(bytes) => write!(f, "Response({} bytes)", bytes.len()),
            Self::LinkLost => f.write_str("LinkLost"),
            Self::Reconnected => f.write_str("Reconnected"),
        }
    }
}

/// What the engine asks of the driver.
pub enum Output {
    /// Send this command and give its response back.
    Send(Vec<u8>),
    /// Everything was read. Nothing is verified yet: [`crate::passive::verify`].
    Done(Box<ChipData>),
    /// It cannot go on. After [`ReadError::CardLost`] (and [`ReadError::DifferentCard`], [`ReadError::SecureMessaging`]) the engine
    /// takes [`Input::Reconnected`] and resumes; nothing is ever retried without it.
    Fail(ReadError),
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Send(bytes) => write!(f, "Send({} bytes)", bytes.len()),
            Self::Done(_) => f.write_str("Done(redacted)"),
            Self::Fail(error) => write!(f, "Fail({error:?})"),
        }
    }
}

/// Drives a reader over a function that moves bytes, until it is done or fails; a lost card is a failure (`Reconnected` is the
/// caller's business). `transceive` gives `None` when the card is lost.
pub fn drive(
    reader: &mut Reader,
    input: Input<'_>,
    mut transceive: impl FnMut(&[u8]) -> Option<Vec<u8>>,
) -> Result<Box<ChipData>, ReadError> {
    let mut output = reader.step(input);
    loop {
        output = match output {
            Output::Send(command) => match transceive(&command) {
                Some(response) => reader.step(Input::Response(&response)),
                None => reader.step(Input::LinkLost),
            },
            Output::Done(data) => return Ok(data),
            Output::Fail(error) => return Err(error),
        };
    }
}
