//! Runs the chip engine over the phone's card channel.
//!
//! A lost card is waited for and the reading goes on where it stopped, after the engine proved that it is the same card. A refused password
//! is an error at once: a card may slow down or block.

use wallet_chip::ReadError;
use wallet_chip::reader::{ChipData, Input, Output, Progress as ChipProgress, Reader};
use wallet_platform::ports::{CardChannel, ChannelError, Progress};

use crate::error::WalletError;
use crate::inner::Inner;

/// How often a card may be lost in one reading before the citizen is asked to start again.
const MAX_LOSSES: u32 = 20;

/// Reads until everything is there. `resumed`: the reader has been used before and the card was lost then.
pub(super) fn read(inner: &Inner, reader: &mut Reader, channel: &dyn CardChannel, resumed: bool) -> Result<Box<ChipData>, WalletError> {
    let mut losses = 0;
    let mut output = reader.step(if resumed { Input::Reconnected } else { Input::Start });
    loop {
        inner.progress(told(&reader.progress()));
        output = match output {
            Output::Done(data) => return Ok(data),
            Output::Send(command) => match channel.transceive(&command) {
                Ok(response) => reader.step(Input::Response(&response)),
                Err(ChannelError::CardLost) => reader.step(Input::LinkLost),
                Err(error) => {
                    // Whatever became of the command, the session with the card cannot go on.
                    reader.step(Input::LinkLost);
                    return Err(channel_failed(error));
                }
            },
            Output::Fail(ReadError::CardLost) => {
                losses += 1;
                if losses > MAX_LOSSES {
                    return Err(WalletError::CardMoved);
                }
                inner.tell("card", "lost");
                channel.reconnect().map_err(channel_failed)?;
                inner.tell("card", "held");
                reader.step(Input::Reconnected)
            }
            Output::Fail(error) => return Err(refused(error)),
        };
    }
}

fn told(progress: &ChipProgress) -> Progress {
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Progress {
        step: progress.file.name().to_owned(),
        done: count(progress.files_done),
        total: count(progress.files_total),
        bytes_done: count(progress.bytes_done),
        bytes_total: count(progress.bytes_total),
    }
}

fn channel_failed(error: ChannelError) -> WalletError {
    match error {
        ChannelError::CardLost | ChannelError::TimedOut => WalletError::CardMoved,
        ChannelError::Cancelled => WalletError::Declined,
        ChannelError::Other => WalletError::Card("channel"),
    }
}

/// What the engine said, in the wallet's words.
pub(super) fn refused(error: ReadError) -> WalletError {
    match error {
        ReadError::WrongPassword { .. } | ReadError::BadPassword { .. } => WalletError::WrongCardKey,
        ReadError::DifferentCard => WalletError::DifferentCard,
        ReadError::CardLost => WalletError::CardMoved,
        ReadError::AccessRefused { .. } => WalletError::Card("access refused"),
        ReadError::MissingFile { .. } => WalletError::Card("missing file"),
        ReadError::Malformed { .. } => WalletError::Card("malformed"),
        ReadError::Unsupported { .. } => WalletError::Card("unsupported"),
        ReadError::SecureMessaging { .. } => WalletError::Card("secure messaging"),
        ReadError::Status { .. } => WalletError::Card("unexpected status"),
        ReadError::OutOfOrder => WalletError::Internal("card reader"),
    }
}
