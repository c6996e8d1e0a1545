//! `record/story.json`: what happened, when, on which device, and in which file of the record it lies. It holds neither facts nor verdicts: whoever
//! reads it has to judge for himself.
//!
//! ```text
//! version        1
//! trust          what apps are built with: { root, tls_root, card_authority, registry, floor }; files under record/
//! devices        [{ id, kind: "wallet" | "officer" | "stranger", folder?, role?, organisation?, place? }]
//! steps          [{ name, started, ended, clock_offset, events: [{ at, kind, ... }] }]
//! ```
//!
//! Times are Unix seconds of the devices' common clock, which is `clock_offset` seconds ahead of the machine's. Files are relative to `record/`.
//! A device of kind `stranger` follows no rule: what it does is judged by others, it judges nothing.
//!
//! | kind | fields | |
//! | --- | --- | --- |
//! | `call` | `device`, `what` | a person or an app asks the device for something; what follows belongs to it until `return` |
//! | `return` | `device`, `what` | the device gave its answer, or refused |
//! | `http` | `device`, `file` | one request and its answer: head in `file`, bodies beside it (`.request`, `.response`, `.replaced`) |
//! | `apdu` | `device`, `file`, `first_line`, `last_line` | what passed between phone and card, lines counted from 1, both included |
//! | `sim` | `device`, `what` | a card was `placed` on a phone or `taken` away |
//! | `picture` | `device`, `what`, `file` | the device draws a `request` or an `answer` |
//! | `seen` | `device`, `what`, `file` | a device's camera reads that picture; from then on the device judges it |
//! | `opened` | `device`, `file` | a staff device decrypted an answer: its bytes |
//! | `message` | `device`, `file` | the citizen reads a message of central on the telephone |
//! | `carried` | `device`, `what`, `file` | a file of public lists leaves a device (`given`) or comes to one (`taken`) |
//! | `cancelled` | `device`, `file` | a staff device closes the request of that picture |
//! | `admin` | `words` | a command at central |
//! | `central` | `what` | central's process `started` or `stopped` |
//! | `clock` | `offset` | from here on all clocks are this many seconds ahead of the machine's |
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::ports::DesktopClock;
use crate::relay::record::Witness;
use crate::trouble::Trouble;

const VERSION: u32 = 1;

/// The files of what apps are built with.
#[derive(Debug, Clone, Serialize)]
pub struct Anchors {
    /// The trust repository's first root.
    pub root: String,
    /// TLS root, DER.
    pub tls_root: String,
    /// The card authority's certificate, DER.
    pub card_authority: String,
    /// What the ministries' registry says about the invented citizens.
    pub registry: String,
    /// Lowest trust version taken.
    pub floor: u64,
}

/// A device of the story.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Device {
    /// Its name in the story.
    pub id: String,
    /// `wallet`, `officer` or `stranger`.
    pub kind: &'static str,
    /// Its folder in the demo's folder.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub folder: String,
    /// A staff device's role.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub role: String,
    /// A staff device's organisation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub organisation: String,
    /// Where a staff device stands.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub place: String,
}

/// What happened; the fields are told at the top of this file.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(missing_docs, reason = "the table at the top of this file tells them")]
pub enum Event {
    Call { device: String, what: &'static str },
    Return { device: String, what: &'static str },
    Http { device: String, file: String },
    Apdu { device: String, file: String, first_line: usize, last_line: usize },
    Sim { device: String, what: &'static str },
    Picture { device: String, what: &'static str, file: String },
    Seen { device: String, what: &'static str, file: String },
    Opened { device: String, file: String },
    Message { device: String, file: String },
    Cancelled { device: String, file: String },
    Carried { device: String, what: &'static str, file: String },
    Admin { words: Vec<String> },
    Central { what: &'static str },
    Clock { offset: i64 },
}

#[derive(Serialize)]
struct Entry {
    at: i64,
    #[serde(flatten)]
    event: Event,
}

#[derive(Serialize)]
struct Step {
    name: String,
    started: i64,
    ended: i64,
    clock_offset: i64,
    events: Vec<Entry>,
}

#[derive(Serialize)]
struct Story {
    version: u32,
    trust: Anchors,
    devices: Vec<Device>,
    steps: Vec<Step>,
    /// Who is at work now; not written.
    #[serde(skip)]
    acting: Option<String>,
}

/// The manifest of a run; clones write the same one.
#[derive(Clone)]
pub struct Manifest {
    root: PathBuf,
    clock: DesktopClock,
    story: Arc<Mutex<Story>>,
}

/// While it lives a device is at work: what passes the relay belongs to it.
pub struct Acting {
    manifest: Manifest,
    device: String,
    what: &'static str,
}

impl Manifest {
    /// A manifest for the record in `root`.
    pub fn new(root: &Path, clock: &DesktopClock, trust: Anchors) -> Self {
        let story = Story { version: VERSION, trust, devices: Vec::new(), steps: Vec::new(), acting: None };
        Self { root: root.to_owned(), clock: clock.clone(), story: Arc::new(Mutex::new(story)) }
    }

    fn story(&self) -> MutexGuard<'_, Story> {
        self.story.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of a device, once.
    pub fn introduce(&self, device: Device) {
        let devices = &mut self.story().devices;
        if devices.iter().all(|d| d.id != device.id) {
            devices.push(device);
        }
    }

    /// A step begins.
    pub fn begin(&self, name: &str) {
        let (started, clock_offset) = (self.clock.now(), self.clock.seconds_ahead());
        self.story().steps.push(Step { name: name.to_owned(), started, ended: started, clock_offset, events: Vec::new() });
    }

    /// The step is over; what is known so far is written.
    pub fn end(&self) -> Result<(), Trouble> {
        let failed = |e: &dyn std::fmt::Display| Trouble::outside("writing the record's manifest", e);
        let text = {
            let mut story = self.story();
            if let Some(step) = story.steps.last_mut() {
                step.ended = self.clock.now();
            }
            serde_json::to_string_pretty(&*story).map_err(|e| failed(&e))?
        };
        // Whole or not at all: whoever reads while the story goes on gets the steps before.
        let mut file = tempfile::NamedTempFile::new_in(&self.root).map_err(|e| failed(&e))?;
        file.write_all((text + "\n").as_bytes()).map_err(|e| failed(&e))?;
        file.persist(self.root.join("story.json")).map_err(|e| failed(&e.error))?;
        Ok(())
    }

    /// Something happened in the step that goes on.
    pub fn note(&self, event: Event) {
        let at = self.clock.now();
        if let Some(step) = self.story().steps.last_mut() {
            step.events.push(Entry { at, event });
        } else {
            tracing::warn!("something happened before the first step and is not in the record's manifest");
        }
    }

    /// `device` begins `what`.
    pub fn acting(&self, device: &str, what: &'static str) -> Acting {
        self.note(Event::Call { device: device.to_owned(), what });
        self.story().acting = Some(device.to_owned());
        Acting { manifest: self.clone(), device: device.to_owned(), what }
    }

    /// The name of `path` in the manifest.
    pub fn name_of(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }
}

impl Witness for Manifest {
    /// An exchange of nobody would be a hole in the record: its device is written as empty, and a test asks that there is none.
    fn passed(&self, head: &Path) {
        let device = self.story().acting.clone().unwrap_or_default();
        self.note(Event::Http { device, file: self.name_of(head) });
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        self.manifest.story().acting = None;
        self.manifest.note(Event::Return { device: std::mem::take(&mut self.device), what: self.what });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_belong_to_the_device_at_work_and_nothing_is_judged() {
        let folder = tempfile::tempdir().unwrap();
        let trust = Anchors { root: "r".into(), tls_root: "t".into(), card_authority: "c".into(), registry: "g".into(), floor: 1 };
        let manifest = Manifest::new(folder.path(), &DesktopClock::ahead(60), trust);
        manifest.introduce(Device { id: "wallet".into(), kind: "wallet", ..Device::default() });
        manifest.introduce(Device { id: "wallet".into(), kind: "wallet", ..Device::default() });
        manifest.begin("first");
        let acting = manifest.acting("wallet", "sync");
        manifest.passed(&folder.path().join("http/0001.json"));
        drop(acting);
        manifest.passed(&folder.path().join("http/0002.json"));
        manifest.end().unwrap();
        let story: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.path().join("story.json")).unwrap()).unwrap();
        assert_eq!(story["devices"].as_array().unwrap().len(), 1);
        let step = &story["steps"][0];
        assert_eq!((step["name"].as_str(), step["clock_offset"].as_i64()), (Some("first"), Some(60)));
        let events = step["events"].as_array().unwrap();
        let kinds: Vec<_> = events.iter().map(|e| e["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["call", "http", "return", "http"]);
        assert_eq!((events[1]["device"].as_str(), events[1]["file"].as_str()), (Some("wallet"), Some("http/0001.json")));
        assert_eq!(events[3]["device"].as_str(), Some(""));
        assert!(events.iter().all(|e| e["at"].as_i64() >= step["started"].as_i64()));
    }
}
