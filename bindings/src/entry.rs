//! The door of every exported act.

use wallet_platform::listener::is_delivering;

use crate::error::WalletError;
use crate::wipe;

/// Runs an act, unless the caller is a listener that is being told something right now: it would wait for what waits for it. What the act
/// leaves on this thread is wiped.
pub(crate) fn enter<T>(act: impl FnOnce() -> Result<T, WalletError>) -> Result<T, WalletError> {
    if is_delivering() {
        return Err(WalletError::invalid("re-entry"));
    }
    wipe::after(act)
}
