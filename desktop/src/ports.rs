//! The desktop's own ports: a clock that can be set ahead, a card reader that writes down what it exchanges, a key store that remembers which keys it made.
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use wallet_base::random::{OsRandom, Random};
use wallet_bindings::ports::{CardChannelPort, ChannelCapacity, ChannelFault, ClockPort, KeyPurpose, KeyStorePort, NewKeys, PortFault};

/// The machine's clocks, all ahead by the same number of seconds: as if that much time had gone by, on the same start of the machine.
#[derive(Debug, Clone, Default)]
pub struct DesktopClock {
    ahead: Arc<AtomicI64>,
}

impl DesktopClock {
    /// A clock that is `seconds` ahead.
    pub fn ahead(seconds: i64) -> Self {
        Self { ahead: Arc::new(AtomicI64::new(seconds)) }
    }

    /// Moves this clock and every clone of it.
    pub fn set_ahead(&self, seconds: i64) {
        self.ahead.store(seconds, Ordering::SeqCst);
    }

    /// How many seconds it is ahead.
    pub fn seconds_ahead(&self) -> i64 {
        self.ahead.load(Ordering::SeqCst)
    }

    /// Seconds since 1970.
    pub fn now(&self) -> i64 {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
        machine.saturating_add(self.seconds_ahead())
    }
}

impl ClockPort for DesktopClock {
    fn wall_seconds(&self) -> Result<i64, PortFault> {
        Ok(self.now())
    }

    /// Linux counts the time since its start, sleep included, in `/proc/uptime` (hundredths of a second).
    fn monotonic_millis(&self) -> Result<u64, PortFault> {
        let text = std::fs::read_to_string("/proc/uptime").map_err(|_| PortFault::Unavailable)?;
        let (seconds, hundredths) = text.split_whitespace().next().and_then(|t| t.split_once('.')).ok_or(PortFault::Unavailable)?;
        let seconds: i64 = seconds.parse().map_err(|_| PortFault::Unavailable)?;
        let hundredths: u64 = hundredths.parse().map_err(|_| PortFault::Unavailable)?;
        let seconds = u64::try_from(seconds.saturating_add(self.seconds_ahead())).map_err(|_| PortFault::Unavailable)?;
        Ok(seconds.saturating_mul(1000).saturating_add(hundredths.saturating_mul(10)))
    }

    fn boot_id(&self) -> Result<String, PortFault> {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|t| t.trim().to_owned()).map_err(|_| PortFault::Unavailable)
    }
}

/// A card channel that writes every command and response into a file (`> ` command, `< ` response, hexadecimal).
pub struct RecordingCard {
    inner: Arc<dyn CardChannelPort>,
    trace: Mutex<File>,
}

impl RecordingCard {
    /// Wraps `inner` and writes to `file`.
    pub fn new(inner: Arc<dyn CardChannelPort>, file: &Path) -> std::io::Result<Self> {
        Ok(Self { inner, trace: Mutex::new(File::options().create(true).append(true).open(file)?) })
    }

    fn note(&self, mark: char, bytes: &[u8]) {
        let mut trace = self.trace.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = writeln!(trace, "{mark} {}", hex::encode(bytes)) {
            tracing::warn!(%error, "an APDU could not be written to the record");
        }
    }
}

impl CardChannelPort for RecordingCard {
    fn transceive(&self, command: Vec<u8>) -> Result<Vec<u8>, ChannelFault> {
        self.note('>', &command);
        let response = self.inner.transceive(command);
        match &response {
            Ok(bytes) => self.note('<', bytes),
            Err(_) => self.note('!', &[]),
        }
        response
    }

    fn capacity(&self) -> Result<ChannelCapacity, ChannelFault> {
        self.inner.capacity()
    }

    fn cancel(&self) -> Result<(), ChannelFault> {
        self.inner.cancel()
    }

    fn reconnect(&self) -> Result<(), ChannelFault> {
        self.note('-', &[]);
        self.inner.reconnect()
    }
}

/// The system's randomness for a simulated card, every draw written into a file as a line of hexadecimal. With the card's half of the key
/// agreements whoever has the trace can open it, and judge what the phone read instead of believing it.
pub struct RecordingRandom(Mutex<File>);

impl RecordingRandom {
    /// Writes to the end of `file`.
    pub fn new(file: &Path) -> std::io::Result<Self> {
        Ok(Self(Mutex::new(File::options().create(true).append(true).open(file)?)))
    }
}

impl Random for RecordingRandom {
    fn fill(&self, out: &mut [u8]) {
        OsRandom.fill(out);
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = writeln!(file, "{}", hex::encode(&*out)) {
            tracing::warn!(%error, "what the card drew could not be written to the record");
        }
    }
}

/// A key store that remembers the names and public halves of the keys it made. The keys stay where they are: whoever owns the device can use them
/// by asking it, which is all that a dishonest holder needs.
pub struct RememberingKeys {
    inner: Arc<dyn KeyStorePort>,
    made: Mutex<Vec<(String, Vec<u8>)>>,
}

impl RememberingKeys {
    /// Wraps `inner`.
    pub fn new(inner: Arc<dyn KeyStorePort>) -> Self {
        Self { inner, made: Mutex::new(Vec::new()) }
    }

    /// The name of the key with this public half (SEC 1 uncompressed).
    pub fn name_of(&self, public_key: &[u8]) -> Option<String> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.iter().find(|(_, public)| public == public_key).map(|(name, _)| name.clone())
    }
}

impl KeyStorePort for RememberingKeys {
    fn create_keys(&self, purpose: KeyPurpose, count: u32, challenge: Vec<u8>) -> Result<NewKeys, PortFault> {
        let new = self.inner.create_keys(purpose, count, challenge)?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.extend(new.keys.iter().map(|k| (k.id.clone(), k.public_key.clone())));
        Ok(new)
    }

    fn authorise(&self, reason: String, keys: Vec<String>, max_uses: u32, ttl_millis: u64) -> Result<String, PortFault> {
        self.inner.authorise(reason, keys, max_uses, ttl_millis)
    }

    fn sign(&self, authorisation: Option<String>, key: String, bytes: Vec<u8>) -> Result<Vec<u8>, PortFault> {
        self.inner.sign(authorisation, key, bytes)
    }

    fn agree(&self, authorisation: Option<String>, key: String, peer: Vec<u8>) -> Result<Vec<u8>, PortFault> {
        self.inner.agree(authorisation, key, peer)
    }

    fn end(&self, authorisation: String) -> Result<(), PortFault> {
        self.inner.end(authorisation)
    }

    fn delete(&self, keys: Vec<String>) -> Result<(), PortFault> {
        self.inner.delete(keys)
    }

    fn list(&self) -> Result<Vec<String>, PortFault> {
        self.inner.list()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_ahead_moves_wall_and_monotonic_time_alike() {
        let clock = DesktopClock::default();
        let (wall, monotonic) = (clock.wall_seconds().unwrap(), clock.monotonic_millis().unwrap());
        clock.clone().set_ahead(86_400);
        assert!((86_400..86_410).contains(&(clock.wall_seconds().unwrap() - wall)));
        assert!((86_400_000..86_410_000).contains(&(clock.monotonic_millis().unwrap() - monotonic)));
        assert!(!clock.boot_id().unwrap().is_empty());
    }
}
