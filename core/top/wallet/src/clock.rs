//! What the device's clock is worth: the latest verified signed time is kept, the fact `clock` follows from it.

use rusqlite::OptionalExtension;
use wallet_base::fact::{By, Fact};
use wallet_base::time::Timestamp;
use wallet_platform::clock_guard::{Anchor, ClockGuard};

use crate::error::WalletError;
use crate::inner::Inner;

/// The fact `clock`. It is never needed for a green verdict, but a failed one is red: everything that depends on the time is worthless then.
pub(crate) fn fact(inner: &Inner) -> Result<Fact, WalletError> {
    Ok(load(inner)?.fact(inner.clock(), By::Wallet).optional())
}

/// Takes note of a signed time that was verified. Before the wallet is created there is nowhere to keep it.
pub(crate) fn observe(inner: &Inner, signed: Timestamp) -> Result<(), WalletError> {
    let mut guard = match load(inner) {
        Err(WalletError::NotCreated | WalletError::Locked) => return Ok(()),
        other => other?,
    };
    if !guard.observe(signed, inner.clock()) {
        return Ok(());
    }
    let text = guard.anchor().and_then(|anchor| serde_json::to_string(anchor).ok()).ok_or(WalletError::Internal("clock anchor"))?;
    inner.write_cache(|db| {
        db.execute("INSERT INTO setting (name, value) VALUES ('clock', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1", [&text])?;
        Ok(())
    })
}

/// Takes note of the service's own time, which came over TLS under the pinned root. It is not signed: a time beyond the end of the trust
/// in use is not believed, so that a service gone wrong cannot put the anchor years ahead.
pub(crate) fn observe_service(inner: &Inner) -> Result<(), WalletError> {
    let Some(time) = inner.service.take_time() else {
        return Ok(());
    };
    let bound = inner.updater().current().map(|snapshot| snapshot.expires());
    if bound.is_some_and(|end| time < end) { observe(inner, time) } else { Ok(()) }
}

fn load(inner: &Inner) -> Result<ClockGuard, WalletError> {
    let text: Option<String> =
        inner.read_cache(|db| Ok(db.query_row("SELECT value FROM setting WHERE name = 'clock'", [], |r| r.get(0)).optional()?))?;
    let anchor: Option<Anchor> = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(ClockGuard::new(anchor))
}
