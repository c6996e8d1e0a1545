//! The door of every exported act.

use wallet_platform::listener::is_delivering;

use crate::error::WalletError;

/// Runs an act, unless the caller is a listener that is being told something right now: it would wait for what waits for it.
pub(crate) fn enter<T>(act: impl FnOnce() -> Result<T, WalletError>) -> Result<T, WalletError> {
    if is_delivering() { Err(WalletError::invalid("re-entry")) } else { act() }
}
