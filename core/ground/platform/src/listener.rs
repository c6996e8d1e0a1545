//! The queue between the core and a [`Listener`]: the core never waits for the shell, the shell never runs inside the core.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::ports::{Listener, LogLevel, Progress, StateChange};
use crate::worker;

/// The most messages that wait; when it is full the oldest progress goes first, then the oldest log line. State changes stay.
pub const QUEUE_LENGTH: usize = 256;

thread_local! {
    static DELIVERING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is delivering to a listener right now: an exported function that is called then refuses with an error
/// (re-entry).
pub fn is_delivering() -> bool {
    DELIVERING.with(Cell::get)
}

enum Message {
    Progress(Progress),
    State(StateChange),
    Log(LogLevel, String, String),
}

#[derive(Default)]
struct Queue {
    messages: VecDeque<Message>,
    busy: bool,
    closed: bool,
    dropped: u64,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, message: Message) {
        let mut queue = self.lock();
        if queue.closed {
            return;
        }
        if queue.messages.len() >= QUEUE_LENGTH {
            let victim = queue
                .messages
                .iter()
                .position(|m| matches!(m, Message::Progress(_)))
                .or_else(|| queue.messages.iter().position(|m| matches!(m, Message::Log(..))))
                .unwrap_or(0);
            queue.messages.remove(victim);
            queue.dropped += 1;
        }
        queue.messages.push_back(message);
        drop(queue);
        self.changed.notify_all();
    }
}

/// A listener behind a queue; cloning shares the queue. Dropping the last clone ends the thread after what waits was delivered.
#[derive(Clone)]
pub struct QueuedListener {
    shared: Arc<Shared>,
    _owner: Arc<Owner>,
}

/// Closes the queue when the last handle goes.
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl std::fmt::Debug for QueuedListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueuedListener")
    }
}

impl QueuedListener {
    /// Starts the delivery thread; with `None` everything is swallowed.
    pub fn new(listener: Option<Arc<dyn Listener>>) -> Self {
        let shared = Arc::new(Shared::default());
        let started = listener.is_some_and(|listener| {
            let shared = Arc::clone(&shared);
            worker::start("listener", Box::new(move || deliver(&shared, listener.as_ref()))).is_ok()
        });
        shared.lock().closed = !started;
        Self { _owner: Arc::new(Owner(Arc::clone(&shared))), shared }
    }

    /// Waits until everything sent so far was delivered, at most `limit`. For tests and for the end of a command.
    pub fn flush(&self, limit: std::time::Duration) -> bool {
        let queue = self.shared.lock();
        let (queue, _) = self
            .shared
            .changed
            .wait_timeout_while(queue, limit, |q| !q.messages.is_empty() || q.busy)
            .unwrap_or_else(PoisonError::into_inner);
        queue.messages.is_empty() && !queue.busy
    }

    /// How many messages were dropped because the listener was too slow.
    pub fn dropped(&self) -> u64 {
        self.shared.lock().dropped
    }
}

impl Listener for QueuedListener {
    fn progress(&self, progress: Progress) {
        self.shared.push(Message::Progress(progress));
    }
    fn state(&self, change: StateChange) {
        self.shared.push(Message::State(change));
    }
    fn log(&self, level: LogLevel, target: &str, message: &str) {
        self.shared.push(Message::Log(level, target.to_owned(), message.to_owned()));
    }
}

fn deliver(shared: &Shared, listener: &dyn Listener) {
    DELIVERING.with(|d| d.set(true));
    loop {
        let message = {
            let mut queue = shared.lock();
            queue.busy = false;
            shared.changed.notify_all();
            loop {
                if let Some(message) = queue.messages.pop_front() {
                    queue.busy = true;
                    break message;
                }
                if queue.closed {
                    return;
                }
                queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        };
        // The lock is free here: a listener may take as long as it likes, and a panic of its own is its own.
        let _ = catch_unwind(AssertUnwindSafe(|| match message {
            Message::Progress(progress) => listener.progress(progress),
            Message::State(change) => listener.state(change),
            Message::Log(level, target, text) => listener.log(level, &target, &text),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[derive(Default)]
    struct Ear {
        heard: Mutex<Vec<String>>,
        delay: Duration,
    }

    impl Listener for Ear {
        fn progress(&self, p: Progress) {
            std::thread::sleep(self.delay);
            assert!(is_delivering());
            self.heard.lock().unwrap().push(format!("p{}", p.done));
        }
        fn state(&self, s: StateChange) {
            self.heard.lock().unwrap().push(s.state);
        }
        fn log(&self, _: LogLevel, _: &str, m: &str) {
            self.heard.lock().unwrap().push(m.to_owned());
            assert!(m != "panic", "a listener that panics");
        }
    }

    #[test]
    fn order_is_kept_and_a_panic_does_not_stop_the_queue() {
        let ear = Arc::new(Ear::default());
        let queue = QueuedListener::new(Some(ear.clone()));
        queue.progress(Progress { done: 1, ..Progress::default() });
        queue.log(LogLevel::Info, "t", "panic");
        queue.state(StateChange { subject: "wallet".into(), state: "open".into() });
        assert!(queue.flush(Duration::from_secs(5)));
        assert_eq!(*ear.heard.lock().unwrap(), ["p1", "panic", "open"]);
        assert!(!is_delivering());
    }

    #[test]
    fn a_slow_listener_costs_progress_not_states() {
        let ear = Arc::new(Ear { heard: Mutex::default(), delay: Duration::from_millis(300) });
        let queue = QueuedListener::new(Some(ear.clone()));
        queue.state(StateChange { subject: "wallet".into(), state: "first".into() });
        for done in 0..(QUEUE_LENGTH as u64 + 50) {
            queue.progress(Progress { done, ..Progress::default() });
        }
        queue.state(StateChange { subject: "wallet".into(), state: "last".into() });
        assert!(queue.dropped() >= 49);
        assert!(queue.shared.lock().messages.len() <= QUEUE_LENGTH);
    }

    #[test]
    fn no_listener_swallows() {
        let queue = QueuedListener::new(None);
        queue.log(LogLevel::Error, "t", "m");
        assert!(queue.flush(Duration::from_millis(10)));
    }
}
