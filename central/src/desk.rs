//! How other services are asked (registries, face comparison, delivery of messages): on a thread of their own, with a deadline, a few at once.
//!
//! Whoever asks holds no connection and no transaction: a slow service keeps waiting those who need it, and nobody else. An answer after the
//! deadline is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use crate::error::ApiError;

/// Questions of one kind that may be open at once, those given up included: a service that hangs does not fill the machine with threads.
const MOST: usize = 64;

/// No answer in time, none at all, or too many wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Silent;

impl From<Silent> for ApiError {
    fn from(_: Silent) -> Self {
        Self::later("temporarily_unavailable", "another service does not answer; try again later", 10)
    }
}

/// One service that is asked.
pub(crate) struct Desk {
    what: &'static str,
    deadline: Duration,
    open: Arc<AtomicUsize>,
}

/// Counts a question until it is answered, however late.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Desk {
    /// `what` names the service in the log.
    pub(crate) fn new(what: &'static str, deadline: Duration) -> Self {
        Self { what, deadline, open: Arc::default() }
    }

    /// Asks and waits, at most until the deadline.
    pub(crate) fn ask<T: Send + 'static>(&self, question: impl FnOnce() -> T + Send + 'static) -> Result<T, Silent> {
        if self.open.fetch_add(1, Ordering::SeqCst) >= MOST {
            self.open.fetch_sub(1, Ordering::SeqCst);
            tracing::error!(service = self.what, "too many questions wait for an answer");
            return Err(Silent);
        }
        let open = Open(self.open.clone());
        let (answer, wait) = sync_channel(1);
        let asked = std::thread::Builder::new().name(self.what.to_owned()).spawn(move || {
            let _open = open;
            // Nobody waits any more for a late one.
            let _ = answer.send(question());
        });
        let answered = asked.ok().and_then(|_| wait.recv_timeout(self.deadline).ok());
        if answered.is_none() {
            tracing::error!(service = self.what, "no answer");
        }
        answered.ok_or(Silent)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_and_late_ones_are_dropped() {
        let (patient, hasty) = (Desk::new("test", Duration::from_mins(1)), Desk::new("test", Duration::from_millis(20)));
        assert_eq!(patient.ask(|| 7), Ok(7));
        let (release, held) = sync_channel::<()>(0);
        assert_eq!(hasty.ask(move || held.recv().is_ok()), Err(Silent));
        release.send(()).unwrap();
        assert_eq!(patient.ask(|| 8), Ok(8));
    }

    #[test]
    fn a_service_that_hangs_is_not_asked_without_end() {
        let desk = Desk::new("test", Duration::from_millis(1));
        let gate = Arc::new(std::sync::Barrier::new(MOST + 1));
        for _ in 0..MOST {
            let gate = gate.clone();
            assert_eq!(desk.ask(move || gate.wait()).err(), Some(Silent));
        }
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        assert_eq!(desk.ask(move || count.fetch_add(1, Ordering::SeqCst)), Err(Silent));
        assert_eq!(asked.load(Ordering::SeqCst), 0);
        gate.wait();
    }
}
