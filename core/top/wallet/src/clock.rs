//! What the device's clock is worth: the latest verified signed time is kept, the fact `clock` follows from it.

use rusqlite::OptionalExtension;
use wallet_base::fact::{By, Fact};
use wallet_base::time::Timestamp;
use wallet_platform::clock_guard::{Anchor, ClockGuard};
use wallet_platform::tuf::TrustSnapshot;

use crate::error::WalletError;
use crate::inner::Inner;

/// The fact `clock`. It is not needed for a green verdict on the wallet's side, but a failed one is red (docs/adr/0010-clock-anchor.md says why).
pub(crate) fn fact(inner: &Inner) -> Result<Fact, WalletError> {
    Ok(load(inner)?.fact(inner.clock(), By::Wallet).optional())
}

/// Takes note of the date of a trust snapshot that was verified.
pub(crate) fn observe_trust(inner: &Inner, snapshot: &TrustSnapshot) -> Result<(), WalletError> {
    let Some(dated) = snapshot.signed_at() else { return Ok(()) };
    note(inner, |guard| guard.observe_trust((snapshot.root_version(), snapshot.timestamp_version()), dated, inner.clock()))
}

/// With no anchor (a new cache, or one that was lost) the kept trust snapshot is one: it was signed, and it was verified when it was kept.
pub(crate) fn keep_floor(inner: &Inner) -> Result<(), WalletError> {
    match inner.updater().current() {
        Some(kept) if load(inner)?.anchor().is_none() => observe_trust(inner, &kept),
        _ => Ok(()),
    }
}

/// Takes note of the date of a status list that was verified.
pub(crate) fn observe_dated(inner: &Inner, dated: Timestamp) -> Result<(), WalletError> {
    note(inner, |guard| guard.observe_dated(dated, inner.clock()))
}

/// Takes note of the service's own time, which came over TLS under the pinned root. It is not signed.
pub(crate) fn observe_service(inner: &Inner) -> Result<(), WalletError> {
    let Some(time) = inner.service.take_time() else { return Ok(()) };
    note(inner, |guard| guard.observe_service(time, inner.clock()))
}

/// Before the wallet is created there is nowhere to keep a time.
fn note(inner: &Inner, observe: impl FnOnce(&mut ClockGuard) -> bool) -> Result<(), WalletError> {
    let mut guard = match load(inner) {
        Err(WalletError::NotCreated | WalletError::Locked) => return Ok(()),
        other => other?,
    };
    if !observe(&mut guard) {
        return Ok(());
    }
    let text = guard.anchor().and_then(|anchor| serde_json::to_string(anchor).ok()).ok_or(WalletError::Internal("clock anchor"))?;
    inner.write_cache(|db| {
        db.execute("INSERT INTO setting (name, value) VALUES ('clock', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1", [&text])?;
        Ok(())
    })
}

fn load(inner: &Inner) -> Result<ClockGuard, WalletError> {
    let text: Option<String> =
        inner.read_cache(|db| Ok(db.query_row("SELECT value FROM setting WHERE name = 'clock'", [], |r| r.get(0)).optional()?))?;
    let anchor: Option<Anchor> = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(ClockGuard::new(anchor))
}
