//! What a card channel, a radio channel and a listener must do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::{Clauses, ContractBreach};
use crate::ports::{CardChannel, ChannelError, Listener, LogLevel, Progress, RadioChannel, StateChange};

/// The clauses of [`card_channel`], in order.
pub const CARD_CHANNEL_CLAUSES: &[&str] = &[
    "carries-short-apdus",
    "answers-with-a-status-word",
    "unknown-command-is-an-answer",
    "refuses-what-it-cannot-carry",
    "reconnect-powers-up-anew",
    "cancel-does-not-stick",
];

/// SELECT of the eMRTD application by its identifier (ICAO 9303-10, 3.6.1), P2 = 0C: no response data.
const SELECT_EMRTD: &[u8] = &[0x00, 0xA4, 0x04, 0x0C, 0x07, 0xA0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01];

/// Runs the contract of a card channel with an eMRTD card held to it.
pub fn card_channel(channel: &dyn CardChannel) -> Result<(), ContractBreach> {
    const PORT: Clauses = Clauses("CardChannel");
    let limits = channel.limits();
    PORT.hold("carries-short-apdus", limits.max_command >= 261)?;
    let selected = |clause| {
        let answer = PORT.value(clause, channel.transceive(SELECT_EMRTD))?;
        PORT.hold(clause, answer == [0x90, 0x00])
    };
    selected("answers-with-a-status-word")?;
    // An instruction that no card knows (ISO 7816-4: class FF is invalid): an answer of the card, not a failure of the channel.
    let clause = "unknown-command-is-an-answer";
    let answer = PORT.value(clause, channel.transceive(&[0xFF, 0xFE, 0, 0]))?;
    PORT.hold(clause, answer.len() == 2 && answer != [0x90, 0x00])?;
    let long = vec![0; limits.max_command + 1];
    PORT.hold("refuses-what-it-cannot-carry", channel.transceive(&long) == Err(ChannelError::Other))?;
    let clause = "reconnect-powers-up-anew";
    PORT.value(clause, channel.reconnect())?;
    selected(clause)?;
    let clause = "cancel-does-not-stick";
    channel.cancel();
    PORT.value(clause, channel.reconnect())?;
    selected(clause)
}

/// The clauses of [`radio_channel`], in order.
pub const RADIO_CHANNEL_CLAUSES: &[&str] =
    &["max-frame-is-useful", "carries-frames-both-ways", "keeps-order-and-bounds", "refuses-long-frames", "close-ends-a-waiting-receive"];

/// Runs the contract of a radio channel over both ends of one connection, and closes it.
pub fn radio_channel(near: &dyn RadioChannel, far: &dyn RadioChannel) -> Result<(), ContractBreach> {
    const PORT: Clauses = Clauses("RadioChannel");
    let longest = near.max_frame().min(far.max_frame());
    PORT.hold("max-frame-is-useful", longest >= 20)?;
    for (from, to) in [(near, far), (far, near)] {
        let clause = "carries-frames-both-ways";
        PORT.value(clause, from.send(b"frame"))?;
        PORT.hold(clause, to.receive().as_deref() == Ok(b"frame"))?;
        let clause = "keeps-order-and-bounds";
        let frames = [vec![1], vec![2; longest], vec![3; 2]];
        for frame in &frames {
            PORT.value(clause, from.send(frame))?;
        }
        for frame in &frames {
            PORT.hold(clause, to.receive().as_ref() == Ok(frame))?;
        }
    }
    PORT.hold("refuses-long-frames", near.send(&vec![0; near.max_frame() + 1]).is_err())?;
    let (result, waited) = std::thread::scope(|scope| {
        let receiving = scope.spawn(|| far.receive());
        std::thread::sleep(Duration::from_millis(100));
        let closed = Instant::now();
        far.close();
        let result = receiving.join().unwrap_or(Err(ChannelError::Other));
        (result, closed.elapsed())
    });
    PORT.hold("close-ends-a-waiting-receive", result == Err(ChannelError::Cancelled) && waited < Duration::from_secs(1))
}

/// The clauses of [`listener`], in order.
pub const LISTENER_CLAUSES: &[&str] = &["does-not-throw", "returns-soon"];

/// Runs the contract of a listener: it takes every kind of message, from any thread, and gives the thread back.
pub fn listener(listener: &dyn Listener) -> Result<(), ContractBreach> {
    const PORT: Clauses = Clauses("Listener");
    let calls: [&(dyn Fn() + Sync); 3] = [
        &|| {
            listener.progress(Progress { step: "contract".to_owned(), done: 1, total: 2, bytes_done: 10, bytes_total: 20 });
        },
        &|| {
            listener.state(StateChange { subject: "contract".to_owned(), state: "running".to_owned() });
        },
        &|| listener.log(LogLevel::Info, "contract", "a line"),
    ];
    for call in calls {
        let started = Instant::now();
        let thrown = std::thread::scope(|scope| scope.spawn(|| catch_unwind(AssertUnwindSafe(call)).is_err()).join().unwrap_or(true));
        PORT.hold("does-not-throw", !thrown)?;
        PORT.hold("returns-soon", started.elapsed() < Duration::from_millis(500))?;
    }
    Ok(())
}
