//! Stopping long work from outside.
//!
//! A [`CancelToken`] is given to a piece of work ([`CancelToken::cover`]) and covers everything that this thread waits for inside: a port that
//! may ask the user or hang ([`crate::deadline`]), an exchange with the service ([`crate::http`]). When it is cancelled the wait ends with an error
//! within [`SLICE`], the work unwinds as it does when a link breaks there, and what was done durably is kept. Cleaning up (ending an
//! authorisation, deleting keys) is never cancelled.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often a wait looks whether it was cancelled.
pub const SLICE: Duration = Duration::from_millis(20);

thread_local! {
    static COVER: RefCell<Vec<CancelToken>> = const { RefCell::new(Vec::new()) };
}

/// Says once and for all that some work is not wanted any more. Clones are the same token.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels. Doing it twice, or after the work ended, is no error.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Runs `work` on this thread under the token.
    pub fn cover<T>(&self, work: impl FnOnce() -> T) -> T {
        /// Takes the token off however the work ends.
        struct Covered;
        impl Drop for Covered {
            fn drop(&mut self) {
                COVER.with_borrow_mut(Vec::pop);
            }
        }
        COVER.with_borrow_mut(|tokens| tokens.push(self.clone()));
        let _covered = Covered;
        work()
    }
}

/// Whether the work of this thread was cancelled.
pub fn cancelled() -> bool {
    COVER.with_borrow(|tokens| tokens.iter().any(CancelToken::is_cancelled))
}

/// The tokens that cover this thread's work.
pub(crate) fn covers() -> Vec<CancelToken> {
    COVER.with_borrow(Clone::clone)
}

/// Runs cleaning up as if nothing had been cancelled.
pub(crate) fn uncovered<T>(work: impl FnOnce() -> T) -> T {
    /// Puts the tokens back however the work ends.
    struct Uncovered(Vec<CancelToken>);
    impl Drop for Uncovered {
        fn drop(&mut self) {
            COVER.set(std::mem::take(&mut self.0));
        }
    }
    let _uncovered = Uncovered(COVER.take());
    work()
}

/// Why a wait ended without what was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The work was cancelled.
    Cancelled,
    /// The time was over.
    Deadline,
    /// The other side is gone.
    Gone,
}

/// Receives, at most until the deadline and at most until the work of this thread is cancelled.
pub(crate) fn receive<T>(receiver: &Receiver<T>, deadline: Duration) -> Result<T, Ended> {
    let until = Instant::now() + deadline;
    loop {
        if cancelled() {
            return Err(Ended::Cancelled);
        }
        let left = until.saturating_duration_since(Instant::now());
        // Without a token nothing can cancel this wait: it sleeps the whole time.
        let slice = if COVER.with_borrow(Vec::is_empty) { left } else { left.min(SLICE) };
        match receiver.recv_timeout(slice) {
            Ok(value) => return Ok(value),
            Err(RecvTimeoutError::Disconnected) => return Err(Ended::Gone),
            Err(RecvTimeoutError::Timeout) if Instant::now() >= until => return Err(Ended::Deadline),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn a_wait_ends_when_its_token_is_cancelled_and_the_cover_ends_with_the_work() {
        let token = CancelToken::new();
        let (_give, take) = sync_channel::<()>(1);
        let cancel = token.clone();
        let started = Instant::now();
        let other = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            cancel.cancel();
        });
        assert_eq!(token.cover(|| receive(&take, Duration::from_mins(1))), Err(Ended::Cancelled));
        assert!(started.elapsed() < Duration::from_secs(30));
        assert!(!cancelled());
        assert_eq!(receive(&take, Duration::from_millis(5)), Err(Ended::Deadline));
        other.join().unwrap();
    }

    #[test]
    fn an_outer_token_covers_what_is_inside_and_a_panic_takes_the_cover_off() {
        let outer = CancelToken::new();
        outer.cancel();
        assert!(outer.cover(|| CancelToken::new().cover(cancelled)));
        let panicked = std::panic::catch_unwind(|| CancelToken::new().cover(|| panic!("work")));
        assert!(panicked.is_err() && !cancelled());
        assert!(COVER.with_borrow(Vec::is_empty));
    }

    #[test]
    fn cleaning_up_is_not_cancelled() {
        let token = CancelToken::new();
        token.cancel();
        token.cover(|| {
            assert!(!uncovered(cancelled));
            assert!(cancelled());
        });
    }

    #[test]
    fn a_sender_that_is_gone_is_told() {
        let (give, take) = sync_channel::<()>(1);
        drop(give);
        assert_eq!(CancelToken::new().cover(|| receive(&take, Duration::from_secs(1))), Err(Ended::Gone));
    }
}
