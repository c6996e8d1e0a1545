//! What may be said about the device's clock.
//!
//! A device may be lied to by its own clock: somebody set it back to make the old look fresh, or it is simply wrong. And the service's clock may be
//! wrong too, for a day, with everything it signs that day. So no single time is believed for ever (docs/adr/0010-clock-anchor.md):
//!
//! - **Signed with a version** (the timestamp of the trust repository): the newest version speaks. It raises the floor. It lowers the floor only when
//!   it is dated before its predecessor, which then was dated wrongly, *and* the device's own clock says so too.
//! - **Signed without a version** (status lists): raises the floor, never beyond the device's own clock. One dated later is a question, not a proof.
//! - **Heard** (the service's own time over TLS): confirms the clock or casts doubt on it. Where it agrees with the clock it is a floor as well, until
//!   the next time is heard.
//! - What a peer says is none of these.
//!
//! The caller persists the [`Anchor`].

use serde::{Deserialize, Serialize};
use wallet_base::fact::{By, Fact, FactName};
use wallet_base::time::Timestamp;

use crate::ports::Clock;

/// How far the wall clock may lie behind a signed time before it is wrong: clocks of honest machines differ a little.
pub const BEHIND_TOLERANCE_SECS: i64 = 120;

/// How far the wall clock may be from a known time plus elapsed time and still be confirmed by it.
pub const NEAR_SECS: i64 = 600;

/// Times this near to each other say the same: answers take a while to arrive.
const SAME_SECS: i64 = 5;

/// A time, and when it was seen on which boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Reading {
    /// Unix seconds.
    unix: i64,
    /// [`Clock::monotonic_millis`] when it was seen.
    monotonic_millis: u64,
    /// [`Clock::boot_id`] when it was seen.
    boot_id: String,
}

impl Reading {
    fn now(time: Timestamp, clock: &dyn Clock) -> Self {
        Self { unix: time.unix(), monotonic_millis: clock.monotonic_millis(), boot_id: clock.boot_id() }
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_unix(self.unix)
    }

    /// The time plus what has passed since, when that is known: on the same boot.
    fn expected(&self, clock: &dyn Clock) -> Option<Timestamp> {
        if clock.boot_id() != self.boot_id {
            return None;
        }
        let elapsed = clock.monotonic_millis().checked_sub(self.monotonic_millis)?;
        Some(self.time().plus_secs(i64::try_from(elapsed / 1000).unwrap_or(i64::MAX)))
    }

    /// Before this it cannot be, if the time was right.
    fn floor(&self, clock: &dyn Clock) -> Timestamp {
        self.expected(clock).unwrap_or_else(|| self.time()).max(self.time())
    }
}

/// What is known of the time: the signed floor, and what the service said last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Anchor {
    /// The signed time that holds.
    signed: Option<Reading>,
    /// Root version under which the next was signed; 0 before the first.
    root: u64,
    /// Newest version of the trust repository's timestamp that was seen; 0 before the first.
    version: u64,
    /// Its date, Unix seconds.
    version_unix: Option<i64>,
    /// The service's own time, the last one.
    heard: Option<Reading>,
    /// The last of them that the device's clock agreed with.
    agreed: Option<Reading>,
}

/// The stored form, and that of the first version: one signed time.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    First {
        signed_unix: i64,
        seen_monotonic_millis: u64,
        boot_id: String,
    },
    Present {
        signed: Option<Reading>,
        #[serde(default)]
        root: u64,
        version: u64,
        version_unix: Option<i64>,
        heard: Option<Reading>,
        agreed: Option<Reading>,
    },
}

impl From<Stored> for Anchor {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::First { signed_unix: unix, seen_monotonic_millis: monotonic_millis, boot_id } => {
                let signed = Some(Reading { unix, monotonic_millis, boot_id });
                // It may be a misdated one that was never to come down: the next trust repository may correct it.
                Self { signed, root: 0, version: 0, version_unix: Some(unix), heard: None, agreed: None }
            }
            Stored::Present { signed, root, version, version_unix, heard, agreed } => {
                Self { signed, root, version, version_unix, heard, agreed }
            }
        }
    }
}

impl Anchor {
    /// Before this it cannot be, as far as is known.
    pub fn floor(&self, clock: &dyn Clock) -> Option<Timestamp> {
        self.signed_floor(clock).max(self.agreed.as_ref().map(|agreed| agreed.floor(clock)))
    }

    fn signed_floor(&self, clock: &dyn Clock) -> Option<Timestamp> {
        let signed = self.signed.as_ref().map(|signed| signed.floor(clock));
        signed.max(self.version_unix.map(Timestamp::from_unix))
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

    /// Before this it cannot be, as far as is known.
    pub fn floor(&self, clock: &dyn Clock) -> Option<Timestamp> {
        self.anchor.as_ref().and_then(|anchor| anchor.floor(clock))
    }

    /// Takes note of the date of a **verified** trust timestamp of this version, seen now. Gives true when the anchor changed (persist it).
    ///
    /// `version` is that of the root in force, then that of the timestamp: keys that a newer root took away may have signed any version and any date,
    /// and versions start over after them (TUF 5.3.11).
    ///
    /// An older version says nothing. A newer one that is dated before its predecessor shows that one of them is dated wrongly; the floor comes
    /// down to it when the device's own clock stands below the floor, so that two of three agree, and stays otherwise.
    pub fn observe_trust(&mut self, version: (u64, u64), dated: Timestamp, clock: &dyn Clock) -> bool {
        let anchor = self.known();
        let newer = version > (anchor.root, anchor.version);
        if version < (anchor.root, anchor.version) {
            return false;
        }
        let (root, version) = version;
        let floor = anchor.floor(clock);
        let misdated = newer && anchor.version_unix.is_some_and(|before| dated.unix() < before);
        let below = floor.is_some_and(|floor| clock.wall().plus_secs(BEHIND_TOLERANCE_SECS) < floor);
        if misdated && below {
            let signed = Some(Reading::now(dated, clock));
            // What was heard while the wrong date stood is worth no more than it.
            self.anchor = Some(Anchor { signed, root, version, version_unix: Some(dated.unix()), heard: None, agreed: None });
            return true;
        }
        let mut changed = self.raise(dated, clock);
        if newer {
            let anchor = self.anchor.get_or_insert_with(Anchor::nothing);
            (anchor.root, anchor.version) = (root, version);
            anchor.version_unix = Some(anchor.version_unix.map_or(dated.unix(), |before| before.max(dated.unix())));
            changed = true;
        }
        changed
    }

    /// Takes note of the date of something **verified** that has no version (a status list), seen now. Gives true when the anchor changed.
    ///
    /// It raises the floor, never beyond the device's own clock.
    pub fn observe_dated(&mut self, dated: Timestamp, clock: &dyn Clock) -> bool {
        dated <= clock.wall().plus_secs(BEHIND_TOLERANCE_SECS) && self.raise(dated, clock)
    }

    /// Takes note of the service's own time, heard now over TLS under the pinned root. Gives true when the anchor changed: not when it says what the
    /// last one and the elapsed time say already.
    ///
    /// It is a floor too where it is not ahead of what is known. It takes the place of an earlier and higher one only when the clock is near it.
    pub fn observe_service(&mut self, time: Timestamp, clock: &dyn Clock) -> bool {
        let mut anchor = self.known();
        let (wall, reading) = (clock.wall(), Reading::now(time, clock));
        // The time that passed since a misdated version was seen makes its floor no truer: once its date is over, clock and service together set it
        // aside. The signed dates themselves stay.
        let dated = anchor.signed.as_ref().map(Reading::time).max(anchor.version_unix.map(Timestamp::from_unix));
        let together = (wall.unix() - time.unix()).abs() <= NEAR_SECS && dated.is_none_or(|dated| dated <= time);
        if together && anchor.floor(clock).is_some_and(|floor| floor > time.plus_secs(BEHIND_TOLERANCE_SECS)) {
            anchor.signed = dated.map(|dated| Reading::now(dated, clock));
            anchor.agreed = None;
        }
        let known = anchor.floor(clock).map_or(wall, |floor| floor.max(wall));
        let higher = anchor.agreed.as_ref().is_none_or(|agreed| agreed.floor(clock) <= time.plus_secs(SAME_SECS));
        let near = wall <= time.plus_secs(NEAR_SECS);
        let agrees = time <= known.plus_secs(BEHIND_TOLERANCE_SECS) && (higher || near);
        let same = |reading: &Option<Reading>| {
            // A restart forgets the time that passed: what is kept must not be old.
            let young = reading.as_ref().filter(|reading| time.unix() - reading.unix < NEAR_SECS);
            let expected = young.and_then(|reading| reading.expected(clock));
            expected.is_some_and(|expected| (expected.unix() - time.unix()).abs() <= SAME_SECS)
        };
        if same(&anchor.heard) && (!agrees || same(&anchor.agreed)) {
            return false;
        }
        if agrees {
            anchor.agreed = Some(reading.clone());
        }
        anchor.heard = Some(reading);
        self.anchor = Some(anchor);
        true
    }

    fn known(&self) -> Anchor {
        self.anchor.clone().unwrap_or_else(Anchor::nothing)
    }

    fn raise(&mut self, dated: Timestamp, clock: &dyn Clock) -> bool {
        let mut anchor = self.known();
        let better = match (&anchor.signed, anchor.signed_floor(clock)) {
            // On another boot an equal time is taken too: it brings the monotonic clock of this boot.
            (Some(signed), Some(floor)) => dated > floor || (dated == floor && signed.boot_id != clock.boot_id()),
            _ => true,
        };
        if better {
            anchor.signed = Some(Reading::now(dated, clock));
            self.anchor = Some(anchor);
        }
        better
    }

    /// The fact `clock`: failed below the floor; passed near a time that was heard, or signed a moment ago, plus the elapsed time of the same boot;
    /// else not-checked, with both times where the service's and the device's differ.
    pub fn fact(&self, clock: &dyn Clock, by: By) -> Fact {
        let not_checked = |detail: String| Fact::not_checked(FactName::Clock, by, detail);
        let Some(anchor) = &self.anchor else {
            return not_checked("no signed time known yet".to_owned());
        };
        let wall = clock.wall();
        if let Some(floor) = anchor.floor(clock).filter(|floor| wall.plus_secs(BEHIND_TOLERANCE_SECS) < *floor) {
            return Fact::failed(FactName::Clock, by, format!("the clock shows {wall}, before the signed time {floor}"));
        }
        let passed = |time: Timestamp| Fact::passed(FactName::Clock, by).with_detail(format!("confirmed by a signed time of {time}"));
        if let Some((heard, expected)) = anchor.heard.as_ref().and_then(|heard| Some((heard, heard.expected(clock)?))) {
            return if (wall.unix() - expected.unix()).abs() <= NEAR_SECS {
                passed(heard.time())
            } else {
                not_checked(format!("the clock shows {wall}, the service's time is {expected}: one of them is wrong"))
            };
        }
        match anchor.signed.as_ref().and_then(|signed| Some((signed, signed.expected(clock)?))) {
            Some((signed, expected)) if wall <= expected.plus_secs(NEAR_SECS) => passed(signed.time()),
            Some((_, expected)) => {
                not_checked(format!("the clock shows {wall}, a signed time and the elapsed time say at least {expected}"))
            }
            None => match &anchor.signed {
                Some(signed) => not_checked(format!("no signed time since the device started; the last is {}", signed.time())),
                None => not_checked("no signed time known yet".to_owned()),
            },
        }
    }
}

impl Anchor {
    const fn nothing() -> Self {
        Self { signed: None, root: 0, version: 0, version_unix: None, heard: None, agreed: None }
    }
}

#[cfg(test)]
mod tests;
