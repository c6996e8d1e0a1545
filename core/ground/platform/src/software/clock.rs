//! The system's clock, and one that is set by hand.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use wallet_base::random::{OsRandom, array};
use wallet_base::time::{TimeSource, Timestamp};

use crate::ports::Clock;

/// The system's clock. On Linux monotonic time is `/proc/uptime` (it counts sleep, as `CLOCK_BOOTTIME` does; 10 ms steps) and the boot id
/// is the kernel's. Elsewhere monotonic time counts from the start of the process, and every process is a boot of its own: less is
/// then derived from it, never something false.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

struct Process {
    started: Instant,
    id: String,
}

fn process() -> &'static Process {
    static PROCESS: OnceLock<Process> = OnceLock::new();
    PROCESS.get_or_init(|| Process {
        started: Instant::now(),
        id: array::<16>(&OsRandom).iter().fold(String::from("process-"), |id, byte| format!("{id}{byte:02x}")),
    })
}

/// Seconds and hundredths since boot, as milliseconds.
fn parse_uptime(text: &str) -> Option<u64> {
    let (seconds, rest) = text.split_whitespace().next()?.split_once('.')?;
    let hundredths: u64 = rest.get(..2)?.parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(hundredths * 10)
}

fn kernel_boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = text.trim();
    (id.len() == 36).then(|| id.to_owned())
}

impl SystemClock {
    /// The clock.
    pub const fn new() -> Self {
        Self
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        let seconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |s| -s),
        };
        Timestamp::from_unix(seconds)
    }

    fn monotonic_millis(&self) -> u64 {
        // Both or neither: an uptime without a boot id would be compared across boots.
        kernel_boot_id()
            .and_then(|_| parse_uptime(&std::fs::read_to_string("/proc/uptime").ok()?))
            .unwrap_or_else(|| u64::try_from(process().started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn boot_id(&self) -> String {
        kernel_boot_id().unwrap_or_else(|| process().id.clone())
    }
}

impl TimeSource for SystemClock {
    fn now(&self) -> Timestamp {
        self.wall()
    }
}

#[derive(Debug)]
struct Hands {
    wall: Timestamp,
    monotonic_millis: u64,
    boot: u64,
}

/// A clock set by hand, for tests and for demonstrations of "31 days on". Cloning shares the hands.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<Hands>>);

impl ManualClock {
    /// A clock that stands at `wall`, just booted.
    pub fn new(wall: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Hands { wall, monotonic_millis: 1_000, boot: 1 })))
    }

    fn hands(&self) -> std::sync::MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time passes: wall and monotonic time move together.
    pub fn advance_secs(&self, seconds: u64) {
        let mut hands = self.hands();
        hands.wall = hands.wall.plus_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        hands.monotonic_millis = hands.monotonic_millis.saturating_add(seconds.saturating_mul(1000));
    }

    /// Somebody sets the wall clock; no time passes.
    pub fn set_wall(&self, wall: Timestamp) {
        self.hands().wall = wall;
    }

    /// The device restarts: monotonic time begins again under a new boot id; the wall clock goes on.
    pub fn reboot(&self) {
        let mut hands = self.hands();
        hands.boot += 1;
        hands.monotonic_millis = 1_000;
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Timestamp {
        self.hands().wall
    }
    fn monotonic_millis(&self) -> u64 {
        self.hands().monotonic_millis
    }
    fn boot_id(&self) -> String {
        format!("boot-{}", self.hands().boot)
    }
}

impl TimeSource for ManualClock {
    fn now(&self) -> Timestamp {
        self.wall()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_read_and_odd_text_is_not() {
        assert_eq!(parse_uptime("350735.47 234388.90\n"), Some(350_735_470));
        for odd in ["", "1", "x.00", "1.", "1.x", "99999999999999999999.00"] {
            assert_eq!(parse_uptime(odd), None, "{odd}");
        }
    }

    #[test]
    fn the_hands_move_as_told() {
        let clock = ManualClock::new(Timestamp::from_unix(100));
        clock.advance_secs(5);
        assert_eq!((clock.wall().unix(), clock.monotonic_millis()), (105, 6_000));
        clock.set_wall(Timestamp::from_unix(1));
        assert_eq!((clock.wall().unix(), clock.monotonic_millis()), (1, 6_000));
        let before = clock.boot_id();
        clock.reboot();
        assert_ne!(clock.boot_id(), before);
    }
}
