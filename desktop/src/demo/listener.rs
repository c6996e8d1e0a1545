//! The phone's screen while something takes long.
use std::sync::Mutex;

use wallet_bindings::ports::{ListenerPort, PortFault, ProgressView};

use crate::screen::Screen;

/// Shows progress, one line for each piece of work that began.
pub struct CardProgress {
    screen: Screen,
    last: Mutex<Option<ProgressView>>,
}

impl CardProgress {
    /// Shows on `screen`.
    pub fn new(screen: Screen) -> Self {
        Self { screen, last: Mutex::new(None) }
    }
}

impl ListenerPort for CardProgress {
    fn progress(&self, progress: ProgressView) -> Result<(), PortFault> {
        let mut last = self.last.lock().map_err(|_| PortFault::Unavailable)?;
        let before = last.replace(progress.clone());
        // Work that was taken up again is not told again.
        let onward = before.is_none_or(|b| b.step != progress.step && (b.total != progress.total || b.done <= progress.done));
        if onward {
            let size = if progress.bytes_total > 0 { format!(", {} bytes", progress.bytes_total) } else { String::new() };
            self.screen.tell(&format!("... {} ({} of {}{size})", progress.step, progress.done, progress.total));
        }
        Ok(())
    }

    fn state_changed(&self, _subject: String, _state: String) -> Result<(), PortFault> {
        Ok(())
    }

    fn log(&self, level: String, target: String, text: String) -> Result<(), PortFault> {
        if level == "error" || level == "warn" {
            tracing::warn!(%target, "{text}");
        }
        Ok(())
    }
}
