//! Threads for work that may block. One function for all of them: a thread costs more than the box, and `std`'s generic code is then
//! compiled once and not for every kind of work (the phone's library was 0.3 MiB larger).

use std::hint::black_box;
use std::sync::OnceLock;

/// How much of a dead stack is overwritten: more than any call was seen to use, and a quarter of the smallest stack of a phone's thread (512 KiB).
const DEAD_STACK: usize = 128 * 1024;

/// What every thread does at its end before its stack is overwritten.
static AT_END: OnceLock<fn()> = OnceLock::new();

/// Sets, once for the program, what every thread does when its work ended: wiping that safe code cannot do.
pub fn at_end(act: fn()) {
    let _ = AT_END.set(act);
}

/// Starts a thread for one piece of work. What the work leaves on the thread is overwritten when it ends: a system keeps the stacks of ended
/// threads for later ones.
///
/// # Errors
///
/// Whatever the system says when it gives no more threads.
pub fn start(name: &'static str, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
    let work = move || after(work);
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// Runs work and wipes what it leaves on the caller's thread, however it ends, by a panic too.
pub fn after<T>(work: impl FnOnce() -> T) -> T {
    let _scrub = Scrub;
    apart(work)
}

/// A frame of its own, below the one from which the stack is wiped.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

struct Scrub;

impl Drop for Scrub {
    fn drop(&mut self) {
        scrub();
    }
}

/// Wipes what the calls that just ended left on the caller's thread.
pub fn scrub() {
    // In this order: what wipes the stack then has nothing in its registers.
    if let Some(act) = AT_END.get() {
        act();
    }
    dead_stack();
}

/// Overwrites what the calls that just ended left below this frame of the caller's thread: saved registers and small copies.
#[inline(never)]
#[allow(clippy::large_stack_arrays)]
pub fn dead_stack() {
    black_box(&mut [0_u8; DEAD_STACK]);
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;
    use std::panic::resume_unwind;
    use std::sync::Mutex;
    use std::time::{Duration, Instant};

    use super::*;

    static WIPED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

    fn note() {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        WIPED.lock().unwrap().insert(name);
    }

    /// Does the work, then waits until a thread of this name was wiped.
    pub(crate) fn is_wiped(thread: &str, work: impl FnOnce()) -> bool {
        at_end(note);
        work();
        let until = Instant::now() + Duration::from_secs(20);
        while !WIPED.lock().unwrap().contains(thread) {
            if Instant::now() > until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    #[test]
    fn a_thread_is_wiped_at_its_end() {
        assert!(is_wiped("test-returns", || start("test-returns", Box::new(|| ())).unwrap()));
        assert!(is_wiped("test-panics", || start("test-panics", Box::new(|| resume_unwind(Box::new(())))).unwrap()));
    }
}
