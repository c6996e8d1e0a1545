//! The library's own log lines for an app.
//!
//! Only lines of this project's crates leave (targets `wallet_*`): other libraries may log addresses or headers. Lines hold no personal data at any
//! level.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use wallet_platform::listener::QueuedListener;
use wallet_platform::ports::{Listener as _, LogLevel};

use crate::error::WalletError;
use crate::ports::{self, ListenerPort};

/// Who hears the lines now, and which.
static SINK: RwLock<Option<(QueuedListener, Level)>> = RwLock::new(None);

/// Sends the library's own log lines of `level` (`error`, `warn`, `info`, `debug`; `off` ends it) to `sink.log`, from a queue. A later call
/// takes the place of an earlier one.
///
/// Errors: `Invalid("log-level")` for another word; `Invalid("log-sink")` when the program has a log of its own already.
#[uniffi::export]
pub fn trace_to(sink: Arc<dyn ListenerPort>, level: String) -> Result<(), WalletError> {
    let level = match level.as_str() {
        "off" => None,
        "error" => Some(Level::ERROR),
        "warn" => Some(Level::WARN),
        "info" => Some(Level::INFO),
        "debug" => Some(Level::DEBUG),
        _ => return Err(WalletError::invalid("log-level")),
    };
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    if !*INSTALLED.get_or_init(|| tracing::subscriber::set_global_default(Registry::default().with(ToSink)).is_ok()) {
        return Err(WalletError::invalid("log-sink"));
    }
    let sink = level.map(|level| (QueuedListener::new(Some(ports::listener(sink))), level));
    *SINK.write().unwrap_or_else(PoisonError::into_inner) = sink;
    Ok(())
}

struct ToSink;

impl<S: Subscriber> Layer<S> for ToSink {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target().starts_with("wallet_") && *metadata.level() <= Level::DEBUG
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let sink = SINK.read().unwrap_or_else(PoisonError::into_inner);
        let Some((listener, most)) = sink.as_ref() else { return };
        let metadata = event.metadata();
        if metadata.level() > most {
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        let level = match *metadata.level() {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            Level::INFO => LogLevel::Info,
            _ => LogLevel::Debug,
        };
        listener.log(level, metadata.target(), &(line.message + &line.fields));
    }
}

/// An event as one line: its message, then its fields.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Mutex;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::ports::{PortFault, ProgressView};

    #[derive(Default)]
    struct Lines(Mutex<Vec<(String, String, String)>>);

    impl ListenerPort for Lines {
        fn progress(&self, _: ProgressView) -> Result<(), PortFault> {
            Ok(())
        }
        fn state_changed(&self, _: String, _: String) -> Result<(), PortFault> {
            Ok(())
        }
        fn log(&self, level: String, target: String, text: String) -> Result<(), PortFault> {
            self.0.lock().unwrap().push((level, target, text));
            Ok(())
        }
    }

    #[test]
    fn lines_of_our_own_crates_arrive_and_no_others() {
        let lines = Arc::new(Lines::default());
        assert_eq!(trace_to(Arc::clone(&lines) as _, "loud".into()), Err(WalletError::invalid("log-level")));
        trace_to(Arc::clone(&lines) as _, "info".into()).unwrap();
        tracing::info!(target: "hyper", "a header");
        tracing::debug!("too quiet");
        tracing::warn!(documents = 4, reason = "full", "a line");
        let begun = Instant::now();
        while lines.0.lock().unwrap().is_empty() && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(5));
        }
        trace_to(Arc::clone(&lines) as _, "off".into()).unwrap();
        tracing::warn!("after the end");
        std::thread::sleep(Duration::from_millis(50));
        let expected = ("warn".to_owned(), module_path!().to_owned(), "a line documents=4 reason=full".to_owned());
        assert_eq!(lines.0.lock().unwrap().iter().filter(|line| line.1 == module_path!()).collect::<Vec<_>>(), [&expected]);
    }
}
