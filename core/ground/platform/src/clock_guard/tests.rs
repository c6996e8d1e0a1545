use std::sync::Mutex;

use wallet_base::fact::Outcome;

use super::*;

const DAY: i64 = 86_400;
/// When it all happens.
const T: i64 = 1_795_248_000;

/// Wall, monotonic and boot, set one by one.
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

impl Hand {
    fn pass(&self, seconds: i64) {
        let mut hand = self.0.lock().unwrap();
        hand.0 += seconds;
        hand.1 += u64::try_from(seconds).unwrap() * 1000;
    }

    fn set(&self, wall: i64) {
        self.0.lock().unwrap().0 = wall;
    }
}

fn hand(wall: i64, mono: u64, boot: &'static str) -> Hand {
    Hand(Mutex::new((wall, mono, boot)))
}

fn at(unix: i64) -> Timestamp {
    Timestamp::from_unix(unix)
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
    assert!(guard.observe_trust((1, 1), at(1_000_000), &hand(1_000_000, 5_000, "a")));
    // Below the anchor, on this boot and on another.
    assert_eq!(outcome(&guard, &hand(1_000_000 - 121, 5_000, "a")), Outcome::Failed);
    assert_eq!(outcome(&guard, &hand(1_000_000 - 121, 1, "b")), Outcome::Failed);
    // Set back after an hour of the same boot, though not below the anchor.
    assert_eq!(outcome(&guard, &hand(1_000_010, 3_605_000, "a")), Outcome::Failed);
    // Set forward: not failed (the signed time may have been old), but never passed.
    assert_eq!(outcome(&guard, &hand(1_000_000 + 31 * DAY, 6_000, "a")), Outcome::NotChecked);
}

#[test]
fn near_anchor_plus_elapsed_passes_on_the_same_boot_only() {
    let mut guard = ClockGuard::default();
    guard.observe_trust((1, 1), at(1_000_000), &hand(1_000_000, 5_000, "a"));
    assert_eq!(outcome(&guard, &hand(1_003_600, 3_605_000, "a")), Outcome::Passed);
    assert_eq!(outcome(&guard, &hand(1_003_600, 3_605_000, "b")), Outcome::NotChecked);
}

#[test]
fn older_versions_and_dates_do_not_lower_the_floor() {
    let mut guard = ClockGuard::default();
    guard.observe_trust((1, 5), at(2_000), &hand(2_000, 0, "a"));
    // An older version, however dated; an equal one; a newer one of an earlier date while the clock is right; an older list.
    assert!(!guard.observe_trust((1, 4), at(9_000), &hand(9_000, 10, "b")));
    assert!(!guard.observe_trust((1, 5), at(1_999), &hand(2_000, 10, "b")));
    guard.observe_trust((1, 6), at(1_999), &hand(2_000, 10, "b"));
    assert!(!guard.observe_dated(at(1_000), &hand(2_000, 10, "b")));
    assert_eq!(guard.floor(&hand(2_000, 10, "b")), Some(at(2_000)));
    // 10 minutes later on the same boot a list signed 5 minutes ago proves less than the anchor does.
    assert!(!guard.observe_dated(at(2_300), &hand(2_600, 600_000, "a")));
    assert!(guard.observe_dated(at(2_601), &hand(2_600, 600_000, "a")));
}

#[test]
fn a_clock_set_back_stays_found_out_whatever_is_replayed_to_it() {
    let clock = hand(T, 0, "a");
    let mut guard = ClockGuard::default();
    guard.observe_trust((1, 7), at(T - DAY), &clock);
    guard.observe_service(at(T), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::Passed);
    // Set back by ten days, offline, restarted: what is known of the time stays, and old lists and old trust change nothing.
    clock.set(T - 10 * DAY);
    *clock.0.lock().unwrap() = (T - 10 * DAY, 5, "b");
    guard.observe_trust((1, 6), at(T - 9 * DAY), &clock);
    guard.observe_trust((1, 7), at(T - DAY), &clock);
    guard.observe_dated(at(T - 12 * DAY), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::Failed);
    assert_eq!(guard.floor(&clock), Some(at(T)));
}

#[test]
fn bad_input_centrals_clock_a_day_ahead_is_doubt_and_then_forgotten() {
    let clock = hand(T, 0, "a");
    let mut guard = ClockGuard::default();
    guard.observe_trust((1, 1), at(T - 3600), &clock);
    // Heard only, and lists of that day: nothing is proven, both times are told, no floor moves.
    guard.observe_service(at(T + DAY), &clock);
    assert!(!guard.observe_dated(at(T + DAY), &clock));
    let fact = guard.fact(&clock, By::Wallet);
    assert_eq!(fact.outcome(), Outcome::NotChecked);
    assert!(fact.detail().contains("one of them is wrong"), "{}", fact.detail());
    assert!(guard.floor(&clock).unwrap() < at(T));
    // Mended: the next word confirms the clock.
    clock.pass(3600);
    guard.observe_service(at(T + 3600), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::Passed);
}

#[test]
fn bad_input_centrals_trust_dated_a_day_ahead_comes_down_with_the_next_version() {
    let clock = hand(T, 0, "a");
    let mut guard = ClockGuard::default();
    guard.observe_trust((1, 1), at(T - 3600), &clock);
    guard.observe_trust((1, 2), at(T + DAY), &clock);
    guard.observe_service(at(T + DAY), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::Failed, "a signed time is believed over the device's clock");
    // The service's own time, right again, is not signed: the floor stays until a newer version says so.
    clock.pass(600);
    guard.observe_service(at(T + 600), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::Failed);
    assert!(guard.observe_trust((1, 3), at(T + 600), &clock));
    assert_eq!(guard.floor(&clock), Some(at(T + 600)));
    guard.observe_service(at(T + 600), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::Passed);
    // The misdated version again: older now, it says nothing.
    assert!(!guard.observe_trust((1, 2), at(T + DAY), &clock));
    assert_eq!(outcome(&guard, &clock), Outcome::Passed);
}

#[test]
fn a_misdated_version_holds_no_longer_than_to_its_date() {
    let clock = hand(T, 0, "a");
    let mut guard = ClockGuard::default();
    guard.observe_trust((1, 1), at(T - 3600), &clock);
    guard.observe_trust((1, 2), at(T + DAY), &clock);
    // Before its date clock and service together are not enough; after it they are, though on this boot a day passed since.
    clock.pass(3600);
    guard.observe_service(at(T + 3600), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::Failed);
    clock.pass(DAY);
    assert_eq!(outcome(&guard, &clock), Outcome::Failed);
    guard.observe_service(at(T + DAY + 3600), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::Passed);
    assert_eq!(guard.floor(&clock), Some(at(T + DAY + 3600)));
    // A clock that was set back does not get there: the service does not agree with it.
    clock.set(T);
    guard.observe_service(at(T + DAY + 3700), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::Failed);
}

#[test]
fn bad_input_centrals_clock_a_day_behind_lowers_nothing() {
    let clock = hand(T, 0, "a");
    let mut guard = ClockGuard::default();
    guard.observe_trust((1, 1), at(T - 3600), &clock);
    guard.observe_service(at(T), &clock);
    let floor = guard.floor(&clock);
    guard.observe_service(at(T - DAY), &clock);
    guard.observe_trust((1, 2), at(T - DAY), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::NotChecked);
    assert!(guard.floor(&clock) >= Some(at(T - 3600)) && guard.floor(&clock) <= floor);
    // And somebody who sets his clock back to that day is found out.
    clock.set(T - DAY);
    assert_eq!(outcome(&guard, &clock), Outcome::Failed);
}

#[test]
fn a_clock_set_back_is_found_out_by_what_was_heard_before_whatever_is_heard_after() {
    let clock = hand(T, 0, "a");
    let mut guard = ClockGuard::default();
    guard.observe_trust((1, 1), at(T - 5 * DAY), &clock);
    guard.observe_service(at(T), &clock);
    // Set back above the signed date, then the service is reached again: on the same boot, and after a restart.
    clock.set(T - 2 * DAY);
    guard.observe_service(at(T + 60), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::Failed);
    *clock.0.lock().unwrap() = (T - 2 * DAY, 5, "b");
    assert_eq!(outcome(&guard, &clock), Outcome::Failed);
    guard.observe_service(at(T + 7200), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::Failed);
    // Set right: passed at the next word.
    clock.set(T + 7300);
    guard.observe_service(at(T + 7300), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::Passed);
}

#[test]
fn an_anchor_survives_storage_and_the_first_form_is_read() {
    let mut guard = ClockGuard::default();
    let clock = hand(T, 7, "a");
    guard.observe_trust((1, 3), at(T), &clock);
    guard.observe_service(at(T), &clock);
    let text = serde_json::to_string(guard.anchor().unwrap()).unwrap();
    let back: Anchor = serde_json::from_str(&text).unwrap();
    assert_eq!(Some(&back), guard.anchor());
    let first: Anchor = serde_json::from_str(r#"{"signed_unix":1000000,"seen_monotonic_millis":5000,"boot_id":"a"}"#).unwrap();
    assert_eq!(first.floor(&hand(0, 6_000, "a")), Some(at(1_000_001)));
    assert!(serde_json::from_str::<Anchor>("{}").is_err());
}

#[test]
fn bad_input_a_stolen_timestamp_key_dates_the_future_and_the_next_root_takes_it_back() {
    let clock = hand(T, 5_000, "a");
    let mut guard = ClockGuard::default();
    guard.observe_trust((1, 7), at(T), &clock);
    // No later version can be signed above this one.
    let last = u64::try_from(i64::MAX).unwrap();
    guard.observe_trust((1, last), at(T + 70 * 365 * DAY), &clock);
    assert_eq!(outcome(&guard, &clock), Outcome::Failed);
    // As kept, also by a build that knew no roots.
    let text = serde_json::to_string(guard.anchor().unwrap()).unwrap();
    for text in [text.clone(), text.replace("\"root\":1,", "")] {
        let mut guard = ClockGuard::new(Some(serde_json::from_str(&text).unwrap()));
        clock.pass(60);
        assert!(guard.observe_trust((2, 8), at(T + 60), &clock));
        assert_eq!(outcome(&guard, &clock), Outcome::Passed);
        assert!(!guard.observe_trust((1, last), at(T + 70 * 365 * DAY), &clock), "what the old root vouched for says nothing now");
    }
}
