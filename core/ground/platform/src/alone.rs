//! One act at a time: a second one is told that it is not its turn, it does not queue.
//!
//! An act that was cancelled is still ending for a moment. Who begins the next one at once (a screen that was turned, a button pressed after
//! "stop") waits for that end; nobody waits for an act that goes on.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::cancel::{self, CancelToken};
use crate::listener::is_delivering;

/// How long the next act waits for one that was cancelled: the derivation of a key from a passcode cannot be stopped half-way.
const PATIENCE: Duration = Duration::from_secs(3);

/// The right to act, which one thread has at a time.
#[derive(Debug, Default)]
pub struct Alone {
    turn: Mutex<()>,
    /// What covers the act that is under way, or covered the last one: the next one writes its own.
    covers: Mutex<Vec<CancelToken>>,
}

/// An act under way. Dropping it gives the turn back.
#[derive(Debug)]
pub struct Turn<'a> {
    _turn: MutexGuard<'a, ()>,
}

impl Alone {
    /// Takes the turn; `None` while another act goes on, and always for a listener that calls back from inside a delivery.
    pub fn begin(&self) -> Option<Turn<'_>> {
        if is_delivering() {
            return None;
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let turn = match self.turn.try_lock() {
                Ok(turn) => turn,
                // What a panic left behind is in a database, not in here.
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) if self.ending() && !cancel::cancelled() && Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                }
                Err(TryLockError::WouldBlock) => return None,
            };
            *self.covers() = cancel::covers();
            return Some(Turn { _turn: turn });
        }
    }

    /// Whether the act under way was cancelled.
    fn ending(&self) -> bool {
        self.covers().iter().any(CancelToken::is_cancelled)
    }

    fn covers(&self) -> MutexGuard<'_, Vec<CancelToken>> {
        self.covers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn a_second_act_is_told_at_once_while_the_first_goes_on() {
        let alone = Alone::default();
        let first = alone.begin().unwrap();
        let begun = Instant::now();
        std::thread::scope(|scope| assert!(scope.spawn(|| alone.begin().is_none()).join().unwrap()));
        assert!(begun.elapsed() < PATIENCE, "nobody waits for an act that goes on");
        drop(first);
        assert!(alone.begin().is_some());
    }

    #[test]
    fn the_next_act_waits_for_one_that_was_cancelled() {
        let (alone, token) = (Arc::new(Alone::default()), CancelToken::new());
        let (began, wait) = sync_channel(0);
        let (other, under) = (Arc::clone(&alone), token.clone());
        let first = std::thread::spawn(move || {
            under.cover(|| {
                let _turn = other.begin().unwrap();
                began.send(()).unwrap();
                while !under.is_cancelled() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                // Cleaning up.
                std::thread::sleep(Duration::from_millis(100));
            });
        });
        wait.recv().unwrap();
        assert!(alone.begin().is_none());
        token.cancel();
        assert!(alone.begin().is_some(), "the cancelled act ends, and then it is the next one's turn");
        first.join().unwrap();
    }

    #[test]
    fn bad_input_a_cancelled_act_that_never_ends_is_not_waited_for() {
        let (alone, token) = (Alone::default(), CancelToken::new());
        token.cancel();
        let _hung = token.cover(|| alone.begin().unwrap());
        std::thread::scope(|scope| assert!(scope.spawn(|| alone.begin().is_none()).join().unwrap()));
    }
}
