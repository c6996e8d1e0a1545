//! The door of every exported act.

use wallet_platform::listener::is_delivering;

use crate::error::WalletError;
use crate::wipe;

/// Runs an act, unless the caller is a listener that is being told something right now: it would wait for what waits for it.
pub(crate) fn enter<T>(act: impl FnOnce() -> Result<T, WalletError>) -> Result<T, WalletError> {
    if is_delivering() {
        return Err(WalletError::invalid("re-entry"));
    }
    let _scrub = Scrub;
    act()
}

/// Wipes the stack below the act however it ends, by a panic too.
struct Scrub;

impl Drop for Scrub {
    fn drop(&mut self) {
        wipe::dead_stack();
    }
}
