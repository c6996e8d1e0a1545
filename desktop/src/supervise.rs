//! Helper processes: started from this executable, waited for when they are stopped, never left behind.
//!
//! All of them are kept in one list of this process, so that an interrupted program can end them before it removes the folder they work in.
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, Instant};

use crate::screen::print_line;
use crate::trouble::Trouble;

/// The first word of the line by which a helper says that it is ready; the rest is its address.
const READY: &str = "listening";
const START: Duration = Duration::from_mins(1);
const STOP: Duration = Duration::from_secs(10);

/// Running helpers by process id.
static RUNNING: Mutex<BTreeMap<u32, Helper>> = Mutex::new(BTreeMap::new());
/// Held for reading while a helper is started or a command runs, for writing once the program ends: then nothing new begins.
static GATE: RwLock<()> = RwLock::new(());

struct Helper {
    name: &'static str,
    child: Child,
    lifeline: Option<ChildStdin>,
}

fn running() -> MutexGuard<'static, BTreeMap<u32, Helper>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The helper's side: says that it is ready, in a line of JSON for programs and a line of words.
pub fn say_ready(address: &str) {
    print_line(&serde_json::json!({ READY: address }).to_string());
    print_line(&format!("{READY} {address}"));
}

/// A running helper process. Dropping it stops it.
#[derive(Debug)]
pub struct Service {
    id: u32,
    address: String,
}

impl Service {
    /// Starts this executable with `args` and waits until it says `listening ADDRESS`. What it writes to standard error goes to `log`.
    pub fn start(name: &'static str, args: &[OsString], log: &Path) -> Result<Self, Trouble> {
        let failed = |e: &dyn std::fmt::Display| Trouble::outside(&format!("starting {name}"), e);
        let _gate = GATE.read().unwrap_or_else(PoisonError::into_inner);
        let executable = std::env::current_exe().map_err(|e| failed(&e))?;
        let errors = File::options().create(true).append(true).open(log).map_err(|e| failed(&e))?;
        let mut command = Command::new(executable);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::from(errors));
        let mut child = command.spawn().map_err(|e| failed(&e))?;
        let (id, lifeline, output) = (child.id(), child.stdin.take(), child.stdout.take());
        running().insert(id, Helper { name, child, lifeline });
        let mut service = Self { id, address: String::new() };
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in output.into_iter().flat_map(|o| BufReader::new(o).lines()).map_while(Result::ok) {
                // Nobody listens after the first line, but the pipe has to be emptied for the helper not to block.
                let _ = sender.send(line);
            }
        });
        let end = Instant::now() + START;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) => {
                    if let Some(address) = line.strip_prefix(READY) {
                        address.trim().clone_into(&mut service.address);
                        return Ok(service);
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Err(failed(&"it was not ready in time")),
                Err(RecvTimeoutError::Disconnected) => {
                    let said = std::fs::read_to_string(log).unwrap_or_default();
                    let last = said.lines().last().unwrap_or("it ended at once and said nothing");
                    return Err(failed(&last));
                }
            }
        }
    }

    /// The address that the helper said it listens on.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Closes the lifeline and waits until the process is gone; after ten seconds it is killed, which is told.
    pub fn stop(self) -> Result<(), Trouble> {
        end(self.id)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Errors have nowhere to go here; the callers that care use `stop`.
        let _ = end(self.id);
    }
}

fn end(id: u32) -> Result<(), Trouble> {
    let helper = running().remove(&id);
    helper.map_or(Ok(()), Helper::end)
}

impl Helper {
    fn end(mut self) -> Result<(), Trouble> {
        drop(self.lifeline.take());
        let end = Instant::now() + STOP;
        loop {
            match self.child.try_wait() {
                Ok(Some(_)) => return Ok(()),
                Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
                _ => break,
            }
        }
        let killed = self.child.kill().and_then(|()| self.child.wait());
        let what = killed.map_or_else(|e| e.to_string(), |_| "it did not end by itself and was killed".to_owned());
        Err(Trouble::outside(&format!("stopping {}", self.name), what))
    }
}

/// The program ends: waits for a command that runs, stops every helper, and lets nothing new begin while the result is held.
pub fn end_everything() -> RwLockWriteGuard<'static, ()> {
    // Lifelines first: a helper that is just being started holds the gate until it is ready or gone.
    let lifelines: Vec<ChildStdin> = running().values_mut().filter_map(|helper| helper.lifeline.take()).collect();
    drop(lifelines);
    let gate = GATE.write().unwrap_or_else(PoisonError::into_inner);
    let left = std::mem::take(&mut *running());
    for helper in left.into_values() {
        // A helper that had to be killed is gone as well.
        let _ = helper.end();
    }
    gate
}

/// Runs this executable with `args` to its end and gives what it printed; an exit code other than 0 is trouble.
pub fn run(name: &'static str, args: &[OsString]) -> Result<String, Trouble> {
    let _gate = GATE.read().unwrap_or_else(PoisonError::into_inner);
    let executable = std::env::current_exe().map_err(|e| Trouble::outside(name, e))?;
    let output = Command::new(executable).args(args).stdin(Stdio::null()).output().map_err(|e| Trouble::outside(name, e))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(Trouble::outside(name, String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("failed")))
    }
}
