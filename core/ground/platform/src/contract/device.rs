//! What a sealer and a clock must do.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Clauses, ContractBreach};
use crate::ports::{Clock, DeviceSealer, PortError, SealClass};

/// The clauses of [`device_sealer`], in order.
pub const DEVICE_SEALER_CLAUSES: &[&str] = &[
    "opens-what-it-sealed",
    "hides-what-it-sealed",
    "seals-anew-each-time",
    "seals-up-to-4-kib",
    "classes-are-apart",
    "altered-is-refused",
    "shortened-is-refused",
    "mac-is-stable",
    "mac-depends-on-its-input",
];

/// Runs the contract of a sealer.
pub fn device_sealer(sealer: &dyn DeviceSealer) -> Result<(), ContractBreach> {
    const PORT: Clauses = Clauses("DeviceSealer");
    let share = b"a share of thirty-two bytes, here".as_slice();
    let invalid = |class, sealed: &[u8]| matches!(sealer.unseal(class, sealed), Err(PortError::KeyInvalidated));
    for (class, other) in [(SealClass::User, SealClass::Background), (SealClass::Background, SealClass::User)] {
        let clause = "opens-what-it-sealed";
        let sealed = PORT.value(clause, sealer.seal(class, share))?;
        let opened = PORT.value(clause, sealer.unseal(class, &sealed))?;
        PORT.hold(clause, opened.expose() == share)?;
        PORT.hold("hides-what-it-sealed", !sealed.windows(8).any(|w| share.windows(8).any(|s| s == w)))?;
        let clause = "seals-anew-each-time";
        let again = PORT.value(clause, sealer.seal(class, share))?;
        PORT.hold(clause, again != sealed)?;
        let clause = "seals-up-to-4-kib";
        for length in [0, 4096] {
            let long = vec![7; length];
            let sealed = PORT.value(clause, sealer.seal(class, &long))?;
            let opened = PORT.value(clause, sealer.unseal(class, &sealed))?;
            PORT.hold(clause, opened.expose() == long)?;
        }
        PORT.hold("classes-are-apart", invalid(other, &sealed))?;
        let mut altered = sealed.clone();
        if let Some(last) = altered.last_mut() {
            *last ^= 1;
        }
        PORT.hold("altered-is-refused", invalid(class, &altered))?;
        altered.pop();
        PORT.hold("shortened-is-refused", invalid(class, &altered) && invalid(class, b""))?;
    }
    let clause = "mac-is-stable";
    let mac = PORT.value(clause, sealer.mac(b"input"))?;
    PORT.hold(clause, sealer.mac(b"input") == Ok(mac))?;
    let clause = "mac-depends-on-its-input";
    let other = PORT.value(clause, sealer.mac(b"another input"))?;
    PORT.hold(clause, other != mac)
}

/// The clauses of [`clock`], in order.
pub const CLOCK_CLAUSES: &[&str] =
    &["wall-is-a-plausible-time", "monotonic-does-not-go-back", "monotonic-goes-with-time", "boot-id-is-given", "boot-id-is-stable"];

/// Runs the contract of a clock that runs (not of one set by hand). Takes a quarter of a second.
pub fn clock(clock: &dyn Clock) -> Result<(), ContractBreach> {
    const PORT: Clauses = Clauses("Clock");
    // Unix seconds of 2000-01-01 and 2100-01-01: catches milliseconds, and zero.
    let wall = clock.wall().unix();
    PORT.hold("wall-is-a-plausible-time", (946_684_800..4_102_444_800).contains(&wall))?;
    let boot = clock.boot_id();
    let start = clock.monotonic_millis();
    let local = Instant::now();
    let mut last = start;
    while local.elapsed() < Duration::from_millis(250) {
        let now = clock.monotonic_millis();
        PORT.hold("monotonic-does-not-go-back", now >= last)?;
        last = now;
        sleep(Duration::from_millis(10));
    }
    let passed = u64::try_from(local.elapsed().as_millis()).unwrap_or(u64::MAX);
    let shown = clock.monotonic_millis().saturating_sub(start);
    PORT.hold(
        "monotonic-goes-with-time",
        // Milliseconds, neither seconds nor nanoseconds; coarse steps and a busy machine are allowed for.
        shown >= passed / 2 && shown <= passed.saturating_mul(2) + 1000,
    )?;
    PORT.hold("boot-id-is-given", (1..=128).contains(&boot.len()))?;
    PORT.hold("boot-id-is-stable", clock.boot_id() == boot)
}
