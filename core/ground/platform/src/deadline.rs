//! Every port with a worker thread and a deadline around each call.
//!
//! A port is foreign code: it may hang, panic, or answer after the caller has given up. [`Guarded`] wraps any port and implements the
//! same trait, so that the rest of the core need not know. A late result is dropped, and what it created is undone (keys deleted,
//! authorisation ended). The waiting ends too when the work is cancelled ([`crate::cancel`]), but for calls that clean up. At most [`MAX_OUTSTANDING`] calls of one port may hang; then it counts as unavailable.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use wallet_base::crypto::PublicKey;
use wallet_base::secret::SecretBytes;
use wallet_base::time::Timestamp;
use zeroize::Zeroizing;

use crate::cancel::{self, Ended};
use crate::ports::{
    AuthorisationId, CardChannel, ChannelError, ChannelLimits, Clock, CreatedKeys, DeviceSealer, KeyClass, KeyId, KeyStore, PortError,
    RadioChannel, SealClass,
};
use crate::software::SystemClock;
use crate::worker;

/// How many calls of one port may be outstanding at once, hung ones included.
pub const MAX_OUTSTANDING: usize = 32;

/// How long each kind of call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Work of the hardware alone: sign, agree, seal of class background, delete.
    pub device: Duration,
    /// Work that may show a prompt: authorise, seal and unseal of class user.
    pub prompt: Duration,
    /// Making keys: slow secure elements need seconds for each.
    pub create_keys: Duration,
    /// One exchange with a card.
    pub transceive: Duration,
    /// Waiting until a card is held again.
    pub reconnect: Duration,
    /// One frame over a radio.
    pub frame: Duration,
    /// Reading a clock.
    pub clock: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            device: Duration::from_secs(10),
            prompt: Duration::from_mins(2),
            create_keys: Duration::from_mins(2),
            transceive: Duration::from_secs(10),
            reconnect: Duration::from_mins(1),
            frame: Duration::from_secs(30),
            clock: Duration::from_secs(2),
        }
    }
}

/// Why a call gave no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missed {
    /// The deadline passed; the call may still be running.
    Deadline,
    /// The work was cancelled; the call may still be running.
    Cancelled,
    /// The port panicked, or too many of its calls hang.
    Broken,
}

impl From<Missed> for PortError {
    fn from(missed: Missed) -> Self {
        match missed {
            Missed::Deadline => Self::TimedOut,
            Missed::Cancelled => Self::Cancelled,
            Missed::Broken => Self::Unavailable,
        }
    }
}

impl From<Missed> for ChannelError {
    fn from(missed: Missed) -> Self {
        match missed {
            Missed::Deadline => Self::TimedOut,
            Missed::Cancelled => Self::Cancelled,
            Missed::Broken => Self::Other,
        }
    }
}

/// A port behind a deadline; implements the port's own trait.
pub struct Guarded<P: ?Sized> {
    inner: Arc<P>,
    deadlines: Deadlines,
    outstanding: Arc<AtomicUsize>,
}

impl<P: ?Sized> Clone for Guarded<P> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), deadlines: self.deadlines, outstanding: Arc::clone(&self.outstanding) }
    }
}

impl<P: ?Sized> std::fmt::Debug for Guarded<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guarded").field("deadlines", &self.deadlines).finish_non_exhaustive()
    }
}

/// Counts one outstanding call down when its thread ends, however it ends.
struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<P: ?Sized + Send + Sync + 'static> Guarded<P> {
    /// Wraps a port with the usual deadlines.
    pub fn new(inner: Arc<P>) -> Self {
        Self::with(inner, Deadlines::default())
    }

    /// Wraps a port with deadlines of one's own.
    pub fn with(inner: Arc<P>, deadlines: Deadlines) -> Self {
        Self { inner, deadlines, outstanding: Arc::new(AtomicUsize::new(0)) }
    }

    /// The wrapped port.
    pub const fn inner(&self) -> &Arc<P> {
        &self.inner
    }

    /// Runs `call` on a worker thread and waits until the deadline. `undo` gets a result that came too late.
    fn run<T: Send + 'static>(
        &self,
        deadline: Duration,
        call: impl FnOnce(&P) -> T + Send + 'static,
        undo: impl FnOnce(&P, T) + Send + 'static,
    ) -> Result<T, Missed> {
        let (inner, same) = (Arc::clone(&self.inner), Arc::clone(&self.inner));
        let call = Box::new(move || -> Outcome { Box::new(call(&inner)) });
        let undo = Box::new(move |late: Outcome| {
            if let Ok(late) = late.downcast::<T>() {
                undo(&same, *late);
            }
        });
        let outcome = call_port(&self.outstanding, deadline, call, undo)?;
        outcome.downcast::<T>().map(|result| *result).map_err(|_| Missed::Broken)
    }

    /// The same for what cleans up: it is done although the work was cancelled.
    fn run_always<T: Send + 'static>(&self, deadline: Duration, call: impl FnOnce(&P) -> T + Send + 'static) -> Result<T, Missed> {
        cancel::uncovered(|| self.run(deadline, call, nothing))
    }
}

/// What a call of a port gave, whatever its type: all calls share one piece of code.
type Outcome = Box<dyn Any + Send>;

fn call_port(
    outstanding: &Arc<AtomicUsize>,
    deadline: Duration,
    call: Box<dyn FnOnce() -> Outcome + Send>,
    undo: Box<dyn FnOnce(Outcome) + Send>,
) -> Result<Outcome, Missed> {
    // No prompt for work that nobody waits for any more.
    if cancel::cancelled() {
        return Err(Missed::Cancelled);
    }
    if outstanding.fetch_add(1, Ordering::AcqRel) >= MAX_OUTSTANDING {
        outstanding.fetch_sub(1, Ordering::AcqRel);
        return Err(Missed::Broken);
    }
    let slot = Slot(Arc::clone(outstanding));
    // A rendezvous: sending succeeds only when the waiting side really took the result, so that nothing is both late and lost.
    let (give, take) = sync_channel::<Outcome>(0);
    let work = move || {
        let _slot = slot;
        // A panic in foreign code ends this call, not the process; the dropped sender tells the waiting side.
        let Ok(result) = catch_unwind(AssertUnwindSafe(call)) else {
            return;
        };
        // Before anybody goes on: shares and MACs of database keys pass here.
        worker::scrub();
        if let Err(late) = give.send(result) {
            let _ = catch_unwind(AssertUnwindSafe(|| undo(late.0)));
        }
    };
    worker::start("port-call", Box::new(work)).map_err(|_| Missed::Broken)?;
    cancel::receive(&take, deadline).map_err(|e| match e {
        Ended::Deadline => Missed::Deadline,
        Ended::Cancelled => Missed::Cancelled,
        Ended::Gone => Missed::Broken,
    })
}

/// For results whose lateness leaves nothing behind.
fn nothing<P: ?Sized, T>(_: &P, _: T) {}

impl KeyStore for Guarded<dyn KeyStore> {
    fn create_keys(&self, class: KeyClass, n: u32, challenge: &[u8]) -> Result<CreatedKeys, PortError> {
        let challenge = challenge.to_vec();
        self.run(
            self.deadlines.create_keys,
            move |p| p.create_keys(class, n, &challenge),
            |p, late| {
                if let Ok(created) = late {
                    let ids: Vec<KeyId> = created.keys.into_iter().map(|(id, _)| id).collect();
                    let _ = p.delete(&ids);
                }
            },
        )?
    }

    fn authorise(&self, reason: &str, keys: &[KeyId], max_uses: u32, ttl: Duration) -> Result<AuthorisationId, PortError> {
        let (reason, keys) = (reason.to_owned(), keys.to_vec());
        self.run(
            self.deadlines.prompt,
            move |p| p.authorise(&reason, &keys, max_uses, ttl),
            |p, late| {
                if let Ok(id) = late {
                    let _ = p.end(&id);
                }
            },
        )?
    }

    fn sign(&self, authorisation: Option<&AuthorisationId>, key: &KeyId, message: &[u8]) -> Result<[u8; 64], PortError> {
        let (authorisation, key, message) = (authorisation.cloned(), key.clone(), message.to_vec());
        self.run(self.deadlines.device, move |p| p.sign(authorisation.as_ref(), &key, &message), nothing)?
    }

    fn agree(&self, authorisation: Option<&AuthorisationId>, key: &KeyId, peer: &PublicKey) -> Result<Zeroizing<[u8; 32]>, PortError> {
        let (authorisation, key, peer) = (authorisation.cloned(), key.clone(), peer.clone());
        self.run(self.deadlines.device, move |p| p.agree(authorisation.as_ref(), &key, &peer), nothing)?
    }

    fn end(&self, authorisation: &AuthorisationId) -> Result<(), PortError> {
        let authorisation = authorisation.clone();
        self.run_always(self.deadlines.device, move |p| p.end(&authorisation))?
    }

    fn delete(&self, keys: &[KeyId]) -> Result<(), PortError> {
        let keys = keys.to_vec();
        self.run_always(self.deadlines.device, move |p| p.delete(&keys))?
    }

    fn list(&self) -> Result<Vec<KeyId>, PortError> {
        self.run(self.deadlines.device, KeyStore::list, nothing)?
    }
}

impl Guarded<dyn DeviceSealer> {
    /// A key of class user may ask its user.
    const fn sealing(&self, class: SealClass) -> Duration {
        match class {
            SealClass::User => self.deadlines.prompt,
            SealClass::Background => self.deadlines.device,
        }
    }
}

impl DeviceSealer for Guarded<dyn DeviceSealer> {
    fn seal(&self, class: SealClass, plaintext: &[u8]) -> Result<Vec<u8>, PortError> {
        let plaintext = Zeroizing::new(plaintext.to_vec());
        self.run(self.sealing(class), move |p| p.seal(class, &plaintext), nothing)?
    }

    fn unseal(&self, class: SealClass, sealed: &[u8]) -> Result<SecretBytes, PortError> {
        let sealed = sealed.to_vec();
        self.run(self.sealing(class), move |p| p.unseal(class, &sealed), nothing)?
    }

    fn mac(&self, input: &[u8]) -> Result<[u8; 32], PortError> {
        let input = Zeroizing::new(input.to_vec());
        self.run(self.deadlines.device, move |p| p.mac(&input), nothing)?
    }
}

impl CardChannel for Guarded<dyn CardChannel> {
    fn transceive(&self, apdu: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let apdu = apdu.to_vec();
        let result = self.run(self.deadlines.transceive, move |p| p.transceive(&apdu), nothing);
        if matches!(result, Err(Missed::Deadline | Missed::Cancelled)) {
            // Wakes the hanging exchange, so that its thread does not stay for ever.
            CardChannel::cancel(self);
        }
        result?
    }

    /// Short APDUs only when the port does not answer.
    fn limits(&self) -> ChannelLimits {
        self.run(self.deadlines.device, CardChannel::limits, nothing).unwrap_or(ChannelLimits { max_command: 261, extended: false })
    }

    fn cancel(&self) {
        let _ = self.run_always(self.deadlines.device, CardChannel::cancel);
    }

    fn reconnect(&self) -> Result<(), ChannelError> {
        let result = self.run(self.deadlines.reconnect, CardChannel::reconnect, nothing);
        if matches!(result, Err(Missed::Deadline | Missed::Cancelled)) {
            CardChannel::cancel(self);
        }
        result?
    }
}

impl RadioChannel for Guarded<dyn RadioChannel> {
    fn send(&self, frame: &[u8]) -> Result<(), ChannelError> {
        let frame = frame.to_vec();
        self.run(self.deadlines.frame, move |p| p.send(&frame), nothing)?
    }

    fn receive(&self) -> Result<Vec<u8>, ChannelError> {
        self.run(self.deadlines.frame, RadioChannel::receive, nothing)?
    }

    /// The smallest BLE payload when the port does not answer.
    fn max_frame(&self) -> usize {
        self.run(self.deadlines.device, RadioChannel::max_frame, nothing).unwrap_or(20)
    }

    fn close(&self) {
        let _ = self.run_always(self.deadlines.device, RadioChannel::close);
    }
}

impl Clock for Guarded<dyn Clock> {
    /// The system's wall clock when the port does not answer.
    fn wall(&self) -> Timestamp {
        self.run_always(self.deadlines.clock, Clock::wall).unwrap_or_else(|_| SystemClock::new().wall())
    }

    fn monotonic_millis(&self) -> u64 {
        self.run_always(self.deadlines.clock, Clock::monotonic_millis).unwrap_or_else(|_| SystemClock::new().monotonic_millis())
    }

    /// A name that fits no boot when the port does not answer: nothing is then derived from monotonic times.
    fn boot_id(&self) -> String {
        self.run_always(self.deadlines.clock, Clock::boot_id).unwrap_or_else(|_| "unknown".to_owned())
    }
}

/// Runs `work` on a worker thread and gives up waiting at `deadline`: for blocking work that is no port (a look-up of a name, a file
/// on a slow card). `None` when late or when it panicked; a late result is dropped.
pub fn within<T: Send + 'static>(deadline: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (give, take) = sync_channel::<Outcome>(1);
    let work = move || {
        if let Ok(result) = catch_unwind(AssertUnwindSafe(|| -> Outcome { Box::new(work()) })) {
            let _ = give.send(result);
        }
    };
    worker::start("deadline", Box::new(work)).ok()?;
    take.recv_timeout(deadline).ok()?.downcast::<T>().ok().map(|result| *result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::software::{SoftwareKeyStore, SoftwareSealer};
    use std::sync::Mutex;
    use std::sync::atomic::AtomicBool;
    use std::time::Instant;

    fn short() -> Deadlines {
        let d = Duration::from_millis(60);
        Deadlines { device: d, prompt: d, create_keys: d, transceive: d, reconnect: d, frame: d, clock: d }
    }

    /// A key store that takes its time and remembers what was undone.
    struct Slow {
        inner: SoftwareKeyStore,
        delay: Duration,
        deleted: Mutex<Vec<KeyId>>,
        ended: AtomicBool,
    }

    impl KeyStore for Slow {
        fn create_keys(&self, c: KeyClass, n: u32, x: &[u8]) -> Result<CreatedKeys, PortError> {
            std::thread::sleep(self.delay);
            self.inner.create_keys(c, n, x)
        }
        fn authorise(&self, r: &str, k: &[KeyId], m: u32, t: Duration) -> Result<AuthorisationId, PortError> {
            std::thread::sleep(self.delay);
            self.inner.authorise(r, k, m, t)
        }
        fn sign(&self, _: Option<&AuthorisationId>, _: &KeyId, _: &[u8]) -> Result<[u8; 64], PortError> {
            panic!("a port that panics")
        }
        fn agree(&self, _: Option<&AuthorisationId>, _: &KeyId, _: &PublicKey) -> Result<Zeroizing<[u8; 32]>, PortError> {
            Err(PortError::Unsupported)
        }
        fn end(&self, a: &AuthorisationId) -> Result<(), PortError> {
            self.ended.store(true, Ordering::SeqCst);
            self.inner.end(a)
        }
        fn delete(&self, k: &[KeyId]) -> Result<(), PortError> {
            self.deleted.lock().unwrap().extend_from_slice(k);
            self.inner.delete(k)
        }
    }

    fn slow(dir: &std::path::Path, delay: u64) -> Arc<Slow> {
        Arc::new(Slow {
            inner: SoftwareKeyStore::open(dir).unwrap(),
            delay: Duration::from_millis(delay),
            deleted: Mutex::default(),
            ended: AtomicBool::new(false),
        })
    }

    fn eventually(what: impl Fn() -> bool) {
        let until = Instant::now() + Duration::from_secs(5);
        while !what() {
            assert!(Instant::now() < until, "never happened");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn late_results_are_dropped_and_undone() {
        let dir = tempfile::tempdir().unwrap();
        let port = slow(dir.path(), 200);
        let guarded: Guarded<dyn KeyStore> = Guarded::with(port.clone(), short());
        let started = Instant::now();
        assert_eq!(guarded.create_keys(KeyClass::Holder, 2, b"c"), Err(PortError::TimedOut));
        assert!(started.elapsed() < Duration::from_millis(190));
        eventually(|| port.deleted.lock().unwrap().len() == 2);
        assert_eq!(guarded.authorise("r", &[], 1, Duration::from_secs(1)), Err(PortError::TimedOut));
        // The software store refuses an authorisation for no keys, so there is nothing to end here.
        std::thread::sleep(Duration::from_millis(250));
        assert!(!port.ended.load(Ordering::SeqCst));
        let key = port.inner.create_keys(KeyClass::Holder, 1, b"c").unwrap().keys[0].0.clone();
        assert_eq!(guarded.authorise("r", &[key], 1, Duration::from_secs(1)), Err(PortError::TimedOut));
        eventually(|| port.ended.load(Ordering::SeqCst));
    }

    #[test]
    fn in_time_results_pass_and_a_panic_is_unavailable() {
        let dir = tempfile::tempdir().unwrap();
        let guarded: Guarded<dyn KeyStore> = Guarded::with(slow(dir.path(), 0), Deadlines::default());
        let made = guarded.create_keys(KeyClass::Account, 1, b"c").unwrap();
        assert_eq!(guarded.sign(None, &made.keys[0].0, b"m"), Err(PortError::Unavailable));
    }

    #[test]
    fn hung_calls_are_bounded() {
        struct Hang;
        impl DeviceSealer for Hang {
            fn seal(&self, _: SealClass, _: &[u8]) -> Result<Vec<u8>, PortError> {
                std::thread::sleep(Duration::from_secs(3));
                Ok(vec![])
            }
            fn unseal(&self, _: SealClass, _: &[u8]) -> Result<SecretBytes, PortError> {
                Err(PortError::Unavailable)
            }
            fn mac(&self, _: &[u8]) -> Result<[u8; 32], PortError> {
                Err(PortError::Unavailable)
            }
        }
        let deadlines = Deadlines { device: Duration::from_millis(1), ..Deadlines::default() };
        let guarded: Guarded<dyn DeviceSealer> = Guarded::with(Arc::new(Hang), deadlines);
        for _ in 0..MAX_OUTSTANDING {
            assert_eq!(guarded.seal(SealClass::Background, b""), Err(PortError::TimedOut));
        }
        assert_eq!(guarded.seal(SealClass::Background, b""), Err(PortError::Unavailable));
    }

    #[test]
    fn a_sealer_behind_the_wrapper_is_the_same_sealer() {
        let dir = tempfile::tempdir().unwrap();
        let guarded: Guarded<dyn DeviceSealer> = Guarded::new(Arc::new(SoftwareSealer::open(dir.path()).unwrap()));
        let sealed = guarded.seal(SealClass::Background, b"share").unwrap();
        assert_eq!(guarded.unseal(SealClass::Background, &sealed).unwrap().expose(), b"share");
        assert_eq!(guarded.mac(b"x").unwrap(), guarded.mac(b"x").unwrap());
    }

    #[test]
    fn a_card_that_never_answers_is_cancelled() {
        struct Mute(AtomicBool);
        impl CardChannel for Mute {
            fn transceive(&self, _: &[u8]) -> Result<Vec<u8>, ChannelError> {
                for _ in 0..200 {
                    if self.0.load(Ordering::SeqCst) {
                        return Err(ChannelError::Cancelled);
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok(vec![0x90, 0])
            }
            fn limits(&self) -> ChannelLimits {
                ChannelLimits { max_command: 261, extended: false }
            }
            fn cancel(&self) {
                self.0.store(true, Ordering::SeqCst);
            }
            fn reconnect(&self) -> Result<(), ChannelError> {
                Err(ChannelError::CardLost)
            }
        }
        let port = Arc::new(Mute(AtomicBool::new(false)));
        let guarded: Guarded<dyn CardChannel> = Guarded::with(port.clone(), short());
        assert_eq!(guarded.transceive(&[0]), Err(ChannelError::TimedOut));
        assert!(port.0.load(Ordering::SeqCst));
        assert_eq!(guarded.reconnect(), Err(ChannelError::CardLost));
    }

    #[test]
    fn within_gives_up() {
        assert_eq!(within(Duration::from_secs(5), || 7), Some(7));
        assert_eq!(within(Duration::from_millis(10), || std::thread::sleep(Duration::from_millis(300))), None);
    }
}
