//! How `officer check` reaches the `officer ask` that holds the open request in memory: a Unix socket in the device's folder, for its owner only.
//! One line of text in, one line of JSON out.
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::trouble::{Trouble, UNDETERMINED};

/// The socket's name in the device's folder.
const NAME: &str = "ask.sock";
/// Longest line taken: a QR code holds less than 5 KiB.
const MAX_LINE: u64 = 64 << 10;
/// Longest path that is given to the system as it is, in bytes.
const MAX_ADDRESS: usize = 100;
const PATIENCE: Duration = Duration::from_secs(10);

/// The holding side.
pub struct Holder {
    listener: UnixListener,
    path: PathBuf,
}

impl Holder {
    /// Opens the socket. Fails when another request of this device is still open.
    pub fn open(dir: &Path) -> Result<Self, Trouble> {
        Self::refuse_second(dir)?;
        let (folder, path) = (Folder::open(dir)?, dir.join(NAME));
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(Trouble::outside("officer ask", e)),
            _ => {}
        }
        let failed = |e| Trouble::outside("opening the device's socket", e);
        let listener = UnixListener::bind(folder.socket()).map_err(failed)?;
        let holder = Self { listener, path };
        std::fs::set_permissions(&holder.path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        holder.listener.set_nonblocking(true).map_err(failed)?;
        Ok(holder)
    }

    /// Says so when another request of this device is still open. It has the device's folder too: this is the more useful word.
    pub fn refuse_second(dir: &Path) -> Result<(), Trouble> {
        let waiting = Folder::open(dir).is_ok_and(|folder| UnixStream::connect(folder.socket()).is_ok());
        if waiting {
            let open = "another request of this device is still open; have it checked, or end the waiting `officer ask`";
            return Err(Trouble::Surroundings(open.to_owned()));
        }
        Ok(())
    }

    /// From now on Ctrl-C, SIGTERM and a closed terminal take the socket away before the program ends.
    pub fn remove_when_interrupted(&self) {
        let path = self.path.clone();
        std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                let kinds = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()));
                let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = kinds else { return };
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, _ = hangup.recv() => {} }
                let _ = std::fs::remove_file(&path);
                std::process::exit(i32::from(UNDETERMINED));
            });
        });
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

/// A device's folder, and the name of the socket in it that the system takes: addresses of sockets end at about a hundred bytes, so that in a deep
/// folder the socket is named through the open folder itself.
struct Folder {
    dir: PathBuf,
    open: Option<File>,
}

impl Folder {
    fn open(dir: &Path) -> Result<Self, Trouble> {
        let long = dir.join(NAME).as_os_str().len() > MAX_ADDRESS;
        let open = long.then(|| File::open(dir)).transpose().map_err(|e| Trouble::outside(&format!("opening {}", dir.display()), e))?;
        Ok(Self { dir: dir.to_owned(), open })
    }

    fn socket(&self) -> PathBuf {
        self.open.as_ref().map_or_else(|| self.dir.join(NAME), |dir| PathBuf::from(format!("/proc/self/fd/{}/{NAME}", dir.as_raw_fd())))
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
    let stream = UnixStream::connect(Folder::open(dir)?.socket())
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
    fn a_device_in_a_deep_folder_is_reached_as_well() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("d".repeat(90)).join("e".repeat(90));
        std::fs::create_dir_all(&dir).unwrap();
        let holder = Holder::open(&dir).unwrap();
        assert!(dir.join(NAME).exists());
        let waiting = std::thread::spawn(move || holder.hold(Duration::from_secs(20), |text| (text.into(), true)).unwrap());
        assert_eq!(hand_over(&dir, "x").unwrap(), "x");
        assert!(waiting.join().unwrap());
        assert!(!dir.join(NAME).exists());
    }

    #[test]
    fn a_request_that_nobody_answers_ends_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let holder = Holder::open(dir.path()).unwrap();
        assert!(!holder.hold(Duration::from_millis(50), |_| (Value::Null, true)).unwrap());
    }
}
