//! Long acts on threads of their own: what an app awaits, and how it stops them.
//!
//! The core blocks (card, network, prompts, disk), so that every act that may take long runs on a thread made for it and the app awaits the result
//! on whatever executor its language has. Dropping the future (Kotlin does so when a coroutine is cancelled) cancels the act; Swift and Python give
//! a [`CancelHandle`]. A cancelled act unwinds as if a link had broken at that point: what was done durably is kept (see
//! `wallet_platform::cancel`).

use std::sync::Arc;
use std::time::Instant;

use futures_channel::oneshot;
use wallet_platform::cancel::CancelToken;
use wallet_platform::listener::is_delivering;
use wallet_platform::worker;

use crate::entry::enter;
use crate::error::WalletError;
use crate::wipe;

/// Stops the acts it was given to, within 100 ms. One handle may serve several acts; once cancelled it stays so.
#[derive(Debug, Default, uniffi::Object)]
pub struct CancelHandle(CancelToken);

#[uniffi::export]
impl CancelHandle {
    /// A handle that is not cancelled.
    #[uniffi::constructor]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Stops the acts. Doing it twice, or after they ended, is no error.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// Cancels an act whose future is dropped before its result came, and then takes back what it may have done already.
struct Waiting<U: FnOnce()>(Option<(CancelToken, U)>);

impl<U: FnOnce()> Drop for Waiting<U> {
    fn drop(&mut self) {
        if let Some((token, undo)) = self.0.take() {
            token.cancel();
            wipe::after(undo);
        }
    }
}

/// Runs an act that nobody stops halfway: it is short, or its end must be known.
pub(crate) async fn whole<T: Send + 'static>(
    name: &'static str,
    act: impl FnOnce() -> Result<T, WalletError> + Send + 'static,
) -> Result<T, WalletError> {
    spawn(name, None, act)?.await.unwrap_or(Err(WalletError::Internal))
}

/// Runs an act that can be stopped: by the handle, or by dropping the future.
pub(crate) async fn stoppable<T: Send + 'static>(
    name: &'static str,
    cancel: Option<Arc<CancelHandle>>,
    act: impl FnOnce() -> Result<T, WalletError> + Send + 'static,
) -> Result<T, WalletError> {
    undoable(name, cancel, || {}, act).await
}

/// The same for an act whose result must not stay when nobody waits for it any more: `undo` follows when the future is dropped.
pub(crate) async fn undoable<T: Send + 'static>(
    name: &'static str,
    cancel: Option<Arc<CancelHandle>>,
    undo: impl FnOnce() + Send,
    act: impl FnOnce() -> Result<T, WalletError> + Send + 'static,
) -> Result<T, WalletError> {
    let token = cancel.map(|handle| handle.0.clone()).unwrap_or_default();
    if token.is_cancelled() {
        return Err(WalletError::Cancelled);
    }
    // The future's own token: dropping the future must not cancel other acts of the same handle.
    let own = CancelToken::new();
    let under = token.clone();
    let done = spawn(name, Some(own.clone()), move || under.cover(act))?;
    // What was refused did nothing that could be taken back.
    let mut waiting = Waiting(Some((own, undo)));
    let done = done.await;
    waiting.0 = None;
    match done.unwrap_or(Err(WalletError::Internal)) {
        // Tries that were counted are told all the same.
        counted @ Err(WalletError::WrongPasscode { .. } | WalletError::LockedUntil { .. }) => counted,
        Err(_) if token.is_cancelled() => Err(WalletError::Cancelled),
        done => done,
    }
}

fn spawn<T: Send + 'static>(
    name: &'static str,
    token: Option<CancelToken>,
    act: impl FnOnce() -> Result<T, WalletError> + Send + 'static,
) -> Result<oneshot::Receiver<Result<T, WalletError>>, WalletError> {
    // A listener that calls back would wait for what waits for it; only this thread knows that it is one.
    if is_delivering() {
        return Err(WalletError::invalid("re-entry"));
    }
    let (give, take) = oneshot::channel();
    let work = move || {
        let begun = Instant::now();
        let done = match token {
            Some(token) => token.cover(|| enter(act)),
            None => enter(act),
        };
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &done {
            Ok(_) => tracing::debug!(act = name, millis, "done"),
            Err(error) => tracing::info!(act = name, millis, %error, "ended with an error"),
        }
        // Nobody may be there to take it.
        let _ = give.send(done);
    };
    worker::start("wallet-act", Box::new(work)).map_err(|_| WalletError::Internal)?;
    Ok(take)
}

/// Waiting for an act on this thread: for programs in Rust, which have no use for an executor of their own.
#[cfg(feature = "software")]
pub trait Wait: Future + Sized {
    /// Blocks until the act ended.
    fn wait(self) -> Self::Output {
        futures_executor::block_on(self)
    }
}

#[cfg(feature = "software")]
impl<F: Future> Wait for F {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{SyncSender, sync_channel};
    use std::time::Duration;

    use futures_executor::block_on;
    use wallet_platform::cancel::cancelled;
    use wallet_platform::listener::QueuedListener;
    use wallet_platform::ports::{Listener, LogLevel, Progress, StateChange};

    use super::*;

    fn until_cancelled() -> Result<(), WalletError> {
        let begun = Instant::now();
        while !cancelled() && begun.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if cancelled() { Err(WalletError::Network) } else { Ok(()) }
    }

    #[test]
    fn a_handle_stops_what_it_was_given_to() {
        let handle = CancelHandle::new();
        let other = Arc::clone(&handle);
        let stopper = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            other.cancel();
        });
        assert_eq!(block_on(stoppable("test", Some(Arc::clone(&handle)), until_cancelled)), Err(WalletError::Cancelled));
        assert_eq!(block_on(stoppable("test", Some(handle), || Ok(1))), Err(WalletError::Cancelled));
        stopper.join().unwrap();
    }

    #[test]
    fn a_dropped_future_stops_its_act() {
        let (give, take) = sync_channel(1);
        let act = stoppable("test", None, move || {
            let done = until_cancelled();
            give.send(done.clone()).unwrap();
            done
        });
        let mut act = Box::pin(act);
        let waker = std::task::Waker::noop();
        assert!(act.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
        drop(act);
        assert_eq!(take.recv_timeout(Duration::from_secs(20)).unwrap(), Err(WalletError::Network));
    }

    /// Calls an act from where it must not be called, and tells the answer and whether something was taken back.
    struct CallsBack(SyncSender<(Result<(), WalletError>, bool)>);

    impl Listener for CallsBack {
        fn progress(&self, _: Progress) {}
        fn log(&self, _: LogLevel, _: &str, _: &str) {}
        fn state(&self, _: StateChange) {
            let undone = AtomicBool::new(false);
            let answer = block_on(undoable("test", None, || undone.store(true, Ordering::SeqCst), || Ok(())));
            let _ = self.0.send((answer, undone.load(Ordering::SeqCst)));
        }
    }

    #[test]
    fn bad_input_a_refused_act_takes_nothing_back() {
        let (give, take) = sync_channel(1);
        let queue = QueuedListener::new(Some(Arc::new(CallsBack(give))));
        queue.state(StateChange { subject: "wallet".into(), state: "unlocked".into() });
        let told = take.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(told, (Err(WalletError::invalid("re-entry")), false));
    }

    #[test]
    fn a_panic_is_an_internal_error_and_ends_nothing_else() {
        assert_eq!(block_on(whole::<()>("test", || std::panic::resume_unwind(Box::new("panic")))), Err(WalletError::Internal));
        assert_eq!(block_on(whole("test", || Ok(7))), Ok(7));
    }
}
