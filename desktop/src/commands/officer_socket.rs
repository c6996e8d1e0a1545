//! How `officer check` reaches the `officer ask` that holds the open request in memory: a Unix socket in the device's folder, for its owner only.
//! One line of text in, one line of JSON out.
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::trouble::Trouble;

/// The socket's name in the device's folder.
const NAME: &str = "ask.sock";
/// Longest line taken: a QR code holds less than 5 KiB.
const MAX_LINE: u64 = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(10);

/// The holding side.
pub struct Holder {
    listener: UnixListener,
    path: PathBuf,
}

impl Holder {
    /// Opens the socket. Fails when another request of this device is still open.
    pub fn open(dir: &Path) -> Result<Self, Trouble> {
        let path = dir.join(NAME);
        if UnixStream::connect(&path).is_ok() {
            return Err(Trouble::outside("officer ask", "another request of this device is still open"));
        }
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(Trouble::outside("officer ask", e)),
            _ => {}
        }
        let failed = |e| Trouble::outside("opening the device's socket", e);
        let listener = UnixListener::bind(&path).map_err(failed)?;
        let holder = Self { listener, path };
        std::fs::set_permissions(&holder.path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        holder.listener.set_nonblocking(true).map_err(failed)?;
        Ok(holder)
    }

    /// Takes texts until `answer` says that the request is closed or until `wait` is over; tells whether it was closed by an answer.
    pub fn hold(&self, wait: Duration, mut answer: impl FnMut(&str) -> (Value, bool)) -> Result<bool, Trouble> {
        let end = Instant::now() + wait;
        while Instant::now() < end {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    // A caller that breaks off is no reason to close the request.
                    match take(stream, &mut answer) {
                        Ok(true) => return Ok(true),
                        Ok(false) => {}
                        Err(error) => tracing::warn!(%error, "a caller broke off"),
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(20)),
                Err(e) => return Err(Trouble::outside("waiting for an answer", e)),
            }
        }
        Ok(false)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // The folder may be gone already.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn take(stream: UnixStream, answer: &mut impl FnMut(&str) -> (Value, bool)) -> std::io::Result<bool> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(&stream).take(MAX_LINE).read_line(&mut line)?;
    let text = line.trim_end_matches('\n');
    if text.is_empty() {
        // Somebody only looked whether a request is open.
        return Ok(false);
    }
    let (reply, closed) = answer(text);
    writeln!(&stream, "{reply}")?;
    Ok(closed)
}

/// The asking side: hands `text` to the holding process of the device and gives its reply.
pub fn hand_over(dir: &Path, text: &str) -> Result<Value, Trouble> {
    let stream = UnixStream::connect(dir.join(NAME))
        .map_err(|_| Trouble::usage("no open request: `officer ask` is not waiting in this folder (answered, expired, or never asked)"))?;
    let failed = |e| Trouble::outside("handing over the answer", e);
    stream.set_read_timeout(Some(PATIENCE * 3)).map_err(failed)?;
    writeln!(&stream, "{text}").map_err(failed)?;
    let mut line = String::new();
    BufReader::new(&stream).take(MAX_LINE * 16).read_line(&mut line).map_err(failed)?;
    serde_json::from_str(&line).map_err(|e| Trouble::outside("handing over the answer", e))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_request_is_held_for_its_owner_only_and_closed_by_its_answer() {
        let dir = tempfile::tempdir().unwrap();
        let holder = Holder::open(dir.path()).unwrap();
        assert_eq!(std::fs::metadata(dir.path().join(NAME)).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(Holder::open(dir.path()).is_err());
        let waiting = std::thread::spawn(move || {
            let mut seen = Vec::new();
            let closed = holder.hold(Duration::from_secs(20), |text| {
                seen.push(text.to_owned());
                (serde_json::json!({ "got": text }), text == "right")
            });
            (closed.unwrap(), seen)
        });
        assert_eq!(hand_over(dir.path(), "wrong").unwrap(), serde_json::json!({ "got": "wrong" }));
        assert_eq!(hand_over(dir.path(), "right").unwrap(), serde_json::json!({ "got": "right" }));
        let (closed, seen) = waiting.join().unwrap();
        assert!(closed);
        assert_eq!(seen, ["wrong", "right"]);
        assert!(!dir.path().join(NAME).exists());
        assert!(hand_over(dir.path(), "late").is_err());
    }

    #[test]
    fn a_request_that_nobody_answers_ends_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let holder = Holder::open(dir.path()).unwrap();
        assert!(!holder.hold(Duration::from_millis(50), |_| (Value::Null, true)).unwrap());
    }
}
