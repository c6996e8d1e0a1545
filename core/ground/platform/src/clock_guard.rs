//! What may be said about the device's clock.
//!
//! The core keeps the latest verified signed time (trust metadata, status list, an answer of central over TLS) together with the monotonic
//! time at which it was seen. The caller persists the [`Anchor`]. A peer's word never becomes an anchor.

use serde::{Deserialize, Serialize};
use wallet_base::fact::{By, Fact, FactName};
use wallet_base::time::Timestamp;

use crate::ports::Clock;

/// How far the wall clock may lie behind a signed time before it is wrong: clocks of honest machines differ a little.
pub const BEHIND_TOLERANCE_SECS: i64 = 120;

/// How far the wall clock may be from anchor plus elapsed time and still be confirmed by it.
pub const NEAR_SECS: i64 = 600;

/// The latest verified signed time, and when it was seen on which boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The signed time, Unix seconds.
    pub signed_unix: i64,
    /// [`Clock::monotonic_millis`] when it was seen.
    pub seen_monotonic_millis: u64,
    /// [`Clock::boot_id`] when it was seen.
    pub boot_id: String,
}

impl Anchor {
    /// The signed time.
    pub fn signed(&self) -> Timestamp {
        Timestamp::from_unix(self.signed_unix)
    }

    /// The signed time plus what has passed since, when that is known: on the same boot.
    pub fn expected(&self, clock: &dyn Clock) -> Option<Timestamp> {
        if clock.boot_id() != self.boot_id {
            return None;
        }
        let elapsed = clock.monotonic_millis().checked_sub(self.seen_monotonic_millis)?;
        Some(self.signed().plus_secs(i64::try_from(elapsed / 1000).unwrap_or(i64::MAX)))
    }
}

/// Derives the fact `clock` from an anchor.
#[derive(Clone, Debug, Default)]
pub struct ClockGuard {
    anchor: Option<Anchor>,
}

impl ClockGuard {
    /// Goes on from what was persisted, if anything.
    pub const fn new(anchor: Option<Anchor>) -> Self {
        Self { anchor }
    }

    /// What to persist.
    pub const fn anchor(&self) -> Option<&Anchor> {
        self.anchor.as_ref()
    }

    /// Takes note of a signed time **that has been verified** and was seen now. Gives true when the anchor changed (persist it).
    ///
    /// The anchor never moves back: an older signed time, or one below what the present anchor already proves, is ignored.
    pub fn observe(&mut self, signed: Timestamp, clock: &dyn Clock) -> bool {
        let known = self.anchor.as_ref().map(|a| a.expected(clock).unwrap_or_else(|| a.signed()).max(a.signed()));
        // On another boot an equal time is taken too: it brings the monotonic clock of this boot.
        let better = match (known, &self.anchor) {
            (Some(known), Some(anchor)) => signed > known || (signed == known && anchor.boot_id != clock.boot_id()),
            _ => true,
        };
        if better {
            self.anchor =
                Some(Anchor { signed_unix: signed.unix(), seen_monotonic_millis: clock.monotonic_millis(), boot_id: clock.boot_id() });
        }
        better
    }

    /// The fact `clock`: failed below the anchor, passed near anchor plus elapsed time on the same boot, else not-checked.
    pub fn fact(&self, clock: &dyn Clock, by: By) -> Fact {
        let Some(anchor) = &self.anchor else {
            return Fact::not_checked(FactName::Clock, by, "no signed time known yet");
        };
        let wall = clock.wall();
        let expected = anchor.expected(clock);
        // On the same boot the elapsed time counts too: a clock set back after the anchor is told, not passed.
        let floor = expected.unwrap_or_else(|| anchor.signed()).max(anchor.signed());
        if wall.plus_secs(BEHIND_TOLERANCE_SECS) < floor {
            return Fact::failed(FactName::Clock, by, format!("the clock shows {wall}, before the signed time {floor}"));
        }
        match expected {
            Some(expected) if wall <= expected.plus_secs(NEAR_SECS) => {
                Fact::passed(FactName::Clock, by).with_detail(format!("confirmed by a signed time of {}", anchor.signed()))
            }
            Some(expected) => Fact::not_checked(
                FactName::Clock,
                by,
                format!("the clock shows {wall}, a signed time and the elapsed time say at least {expected}"),
            ),
            None => {
                Fact::not_checked(FactName::Clock, by, format!("no signed time since the device started; the last is {}", anchor.signed()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use wallet_base::fact::Outcome;

    struct Hand(Mutex<(i64, u64, &'static str)>);

    impl Clock for Hand {
        fn wall(&self) -> Timestamp {
            Timestamp::from_unix(self.0.lock().unwrap().0)
        }
        fn monotonic_millis(&self) -> u64 {
            self.0.lock().unwrap().1
        }
        fn boot_id(&self) -> String {
            self.0.lock().unwrap().2.to_owned()
        }
    }

    fn hand(wall: i64, mono: u64, boot: &'static str) -> Hand {
        Hand(Mutex::new((wall, mono, boot)))
    }

    fn outcome(guard: &ClockGuard, clock: &Hand) -> Outcome {
        let fact = guard.fact(clock, By::Wallet);
        assert_eq!(fact.name(), FactName::Clock);
        fact.outcome()
    }

    #[test]
    fn nothing_known_is_not_checked() {
        assert_eq!(outcome(&ClockGuard::default(), &hand(0, 0, "a")), Outcome::NotChecked);
    }

    #[test]
    fn bad_input_wrong_clock_is_told_never_passed() {
        let mut guard = ClockGuard::default();
        assert!(guard.observe(Timestamp::from_unix(1_000_000), &hand(1_000_000, 5_000, "a")));
        // Below the anchor, on this boot and on another.
        assert_eq!(outcome(&guard, &hand(1_000_000 - 121, 5_000, "a")), Outcome::Failed);
        assert_eq!(outcome(&guard, &hand(1_000_000 - 121, 1, "b")), Outcome::Failed);
        // Set back after an hour of the same boot, though not below the anchor.
        assert_eq!(outcome(&guard, &hand(1_000_010, 3_605_000, "a")), Outcome::Failed);
        // Set forward: not failed (the signed time may have been old), but never passed.
        assert_eq!(outcome(&guard, &hand(1_000_000 + 31 * 86_400, 6_000, "a")), Outcome::NotChecked);
    }

    #[test]
    fn near_anchor_plus_elapsed_passes_on_the_same_boot_only() {
        let mut guard = ClockGuard::default();
        guard.observe(Timestamp::from_unix(1_000_000), &hand(1_000_000, 5_000, "a"));
        assert_eq!(outcome(&guard, &hand(1_003_600, 3_605_000, "a")), Outcome::Passed);
        assert_eq!(outcome(&guard, &hand(1_003_600, 3_605_000, "b")), Outcome::NotChecked);
    }

    #[test]
    fn the_anchor_never_moves_back_and_survives_storage() {
        let mut guard = ClockGuard::default();
        guard.observe(Timestamp::from_unix(2_000), &hand(2_000, 0, "a"));
        assert!(!guard.observe(Timestamp::from_unix(1_999), &hand(2_000, 10, "b")));
        // 10 minutes later on the same boot a list signed 5 minutes ago proves less than the anchor does.
        assert!(!guard.observe(Timestamp::from_unix(2_300), &hand(2_600, 600_000, "a")));
        assert!(guard.observe(Timestamp::from_unix(2_601), &hand(2_600, 600_000, "a")));
        let text = serde_json::to_string(guard.anchor().unwrap()).unwrap();
        let back: Anchor = serde_json::from_str(&text).unwrap();
        assert_eq!(Some(&back), guard.anchor());
    }
}
