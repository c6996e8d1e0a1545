//! What commands do when something is refused or goes wrong: nothing is changed or spent, and it is said why.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_citizen-wallet");
/// Passcode of the story's wallet.
const PASSCODE: &str = "246810";

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs, wants the exit code, and gives what was said.
fn expect(code: i32, arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    said(&output)
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !done() {
        assert!(Instant::now() < end, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The folders that a whole story leaves.
struct Story {
    kept: tempfile::TempDir,
}

impl Story {
    fn told() -> Self {
        let story = Self { kept: tempfile::tempdir().unwrap() };
        let output = run(&["demo", "--json", "--dir", story.path("story").as_str()]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        story
    }

    fn path(&self, name: &str) -> String {
        self.kept.path().join(name).to_str().unwrap().to_owned()
    }
}

/// A waiting `officer ask`, ended with the test.
struct Asking(Child);

impl Asking {
    fn begin(device: &str, document: &str, picture: &str) -> Self {
        let _ = std::fs::remove_file(picture);
        let asking = command(&["officer", "ask", "--dir", device, "--document", document, "--out", picture]).stdout(Stdio::null()).spawn();
        let asking = Self(asking.unwrap());
        wait_until("the picture of the request", || Path::new(picture).exists());
        asking
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn central(dir: &Path) -> String {
    let dir = dir.to_str().unwrap().to_owned();
    expect(0, &["central", "init", "--dir", &dir, "--public-url", "https://localhost:1"]);
    dir
}

fn files(dir: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().flatten().map(|e| e.path()).collect();
    files.sort();
    files
}

#[test]
fn a_refused_create_or_enrol_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (one, other) = (central(&root.path().join("one")), central(&root.path().join("other")));
    let wallet = root.path().join("wallet").to_str().unwrap().to_owned();
    let create = |code: i32, central: &str, passcode: &str| {
        expect(code, &["wallet", "create", "--dir", &wallet, "--central", central, "--passcode", passcode])
    };
    // A passcode that is too short: said how long, and no half folder.
    assert!(create(3, &one, "123").contains("6 to 128"));
    assert!(!Path::new(&wallet).exists());
    create(0, &one, PASSCODE);
    let service = format!("{wallet}/service.json");
    let (before, there) = (std::fs::read(&service).unwrap(), files(&wallet));
    assert_eq!(std::fs::metadata(&service).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(create(3, &other, PASSCODE).contains("a wallet in this folder already"));
    assert_eq!((std::fs::read(&service).unwrap(), files(&wallet)), (before, there));
    expect(0, &["wallet", "documents", "--dir", &wallet, "--passcode", PASSCODE]);

    // Nobody serves: the code is taken by nobody. A device that is there keeps its service; a new folder goes again.
    let device = root.path().join("device").to_str().unwrap().to_owned();
    let enrol = ["officer", "enrol", "--dir", &device, "--central", &one, "--code", "AAAA-BBBB-CCCC-DDDD"];
    expect(4, &enrol);
    assert!(!Path::new(&device).exists());
    std::fs::create_dir(&device).unwrap();
    std::fs::write(format!("{device}/service.json"), "the service of before").unwrap();
    expect(4, &enrol);
    assert_eq!(std::fs::read_to_string(format!("{device}/service.json")).unwrap(), "the service of before");
    assert_eq!(files(&device).len(), 1);
}

#[test]
fn bad_input_two_wallets_opened_on_one_directory() {
    let root = tempfile::tempdir().unwrap();
    let central = central(&root.path().join("central"));
    let wallet = root.path().join("wallet").to_str().unwrap().to_owned();
    let create = ["wallet", "create", "--dir", &wallet, "--central", &central, "--passcode", PASSCODE];
    expect(0, &create);
    let before = files(&wallet);
    // Another program has it: this test, by the kernel's own lock.
    let held = std::fs::File::options().write(true).open(format!("{wallet}/lock")).unwrap();
    held.try_lock().unwrap();
    for arguments in [&["wallet", "documents", "--dir", &wallet, "--passcode", PASSCODE][..], &create] {
        assert!(expect(4, arguments).contains("another program has this folder open"));
    }
    assert_eq!(files(&wallet), before, "nothing was changed, and nothing cleaned up");
    drop(held);
    expect(0, &["wallet", "documents", "--dir", &wallet, "--passcode", PASSCODE]);
}

/// Every file below a folder with its bytes.
fn bytes_below(dir: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let read = |path: PathBuf| {
        if path.is_dir() {
            return bytes_below(&path.to_string_lossy());
        }
        let bytes = std::fs::read(&path).unwrap();
        vec![(path, bytes)]
    };
    files(dir).into_iter().flat_map(read).collect()
}

#[test]
fn bad_input_a_staff_command_in_a_wallets_folder_and_the_other_way_round() {
    let root = tempfile::tempdir().unwrap();
    let central = central(&root.path().join("central"));
    let path = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let (wallet, device, out) = (path("wallet"), path("device"), path("out"));
    expect(0, &["wallet", "create", "--dir", &wallet, "--central", &central, "--passcode", PASSCODE]);
    // A staff device as far as it comes without a service: its keys and its cache are there.
    std::fs::create_dir(&device).unwrap();
    std::fs::copy(format!("{wallet}/service.json"), format!("{device}/service.json")).unwrap();
    assert!(!run(&["officer", "sync", "--dir", &device]).status.success());
    assert!(Path::new(&device).join("cache.db").exists());
    std::fs::write(&out, "a carried file").unwrap();

    let before = (bytes_below(&wallet), bytes_below(&device));
    for words in [
        &["enrol", "--central", &central, "--code", "AAAA-BBBB-CCCC-DDDD"][..],
        &["sync"],
        &["carry", "--out", &path("carried")],
        &["take", "--in", &out],
        &["ask", "--document", "driving-licence", "--out", &path("q.png")],
    ] {
        let told = expect(3, &[&["officer"][..], words, &["--dir", &wallet]].concat());
        assert!(told.contains("a citizen's wallet's folder"), "{words:?}: {told}");
    }
    for words in [&["create", "--central", &central][..], &["documents"], &["sync"], &["log"]] {
        let told = expect(3, &[&["wallet"][..], words, &["--dir", &device, "--passcode", PASSCODE]].concat());
        assert!(told.contains("a staff device's folder"), "{words:?}: {told}");
    }
    assert_eq!((bytes_below(&wallet), bytes_below(&device)), before);
    expect(0, &["wallet", "documents", "--dir", &wallet, "--passcode", PASSCODE]);

    // A folder that is not there is not made.
    for words in [&["sync"][..], &["carry", "--out", &out]] {
        expect(3, &[&["officer"][..], words, &["--dir", &path("nowhere")]].concat());
        assert!(!root.path().join("nowhere").exists());
    }
}

#[test]
fn bad_input_a_card_access_number_of_another_length_is_refused_before_the_card() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().to_str().unwrap();
    // Neither the wallet nor the card nor the picture exists: the number is looked at first.
    let words = ["wallet", "activate", "--dir", dir, "--passcode", PASSCODE, "--card", "127.0.0.1:1", "--can", "12345", "--face", "no.png"];
    assert!(expect(3, &words).contains("six digits"));
}

#[test]
fn bad_input_output_that_is_lost_is_no_success() {
    let root = tempfile::tempdir().unwrap();
    let dir = central(&root.path().join("central"));
    let code = ["central", "staff-code", "--dir", &dir, "--role", "flight", "--organisation", "A", "--place", "B"];
    let full = || File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(command(&code).stdout(full()).status().unwrap().code(), Some(4));
    assert_eq!(command(&["demo", "--json"]).stdout(full()).status().unwrap().code(), Some(4));
}

#[test]
fn an_officer_is_told_every_value_and_what_was_withheld() {
    let story = Story::told();
    let (wallet, police) = (story.path("story/wallet"), story.path("story/officer/traffic-police"));
    let (clinic, question, answer) = (story.path("story/officer/health"), story.path("q.png"), story.path("a.png"));
    let log = || expect(0, &["wallet", "log", "--dir", &wallet, "--passcode", PASSCODE]).lines().count();

    // The picture has no place: nothing is spent and nothing is logged as shown.
    let asking = Asking::begin(&clinic, "health-insurance-card", &question);
    let (before, nowhere) = (log(), story.path("nowhere/a.png"));
    expect(4, &["wallet", "answer", "--dir", &wallet, "--request", &question, "--passcode", PASSCODE, "--out", &nowhere]);
    assert_eq!(log(), before);
    // Looking is no answer either.
    let look = expect(0, &["wallet", "answer", "--dir", &wallet, "--request", &question, "--passcode", PASSCODE, "--look"]);
    assert!(look.contains("asks at") && look.contains("card_number"), "{look}");
    assert_eq!(log(), before);
    let words = ["wallet", "answer", "--dir", &wallet, "--request", &question, "--passcode", PASSCODE, "--out", &answer];
    expect(0, &[&words[..], &["--fields", "full_name"]].concat());
    assert!(expect(3, &words).contains("answered before"));
    let reply = run(&["officer", "check", "--dir", &clinic, "--answer", &answer, "--json"]);
    let reply: Value = serde_json::from_slice(&reply.stdout).unwrap();
    let fields = reply["fields"].as_array().unwrap();
    assert_eq!(fields.iter().map(|f| f["field"].as_str().unwrap()).collect::<Vec<_>>(), ["full_name"]);
    assert!(fields[0]["label"].is_string() && fields[0]["value"].is_string());
    assert!(reply["withheld"].as_array().unwrap().iter().any(|f| f == "card_number"), "{reply}");
    drop(asking);

    // An unknown field: those that the role may ask for are named.
    let unknown = ["officer", "ask", "--dir", &police, "--document", "driving-licence", "--fields", "shoe_size", "--out", &question];
    assert!(expect(3, &unknown).contains("privileges"));
}

#[test]
fn files_with_personal_data_are_for_their_owner_only() {
    let story = Story::told();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    // Decrypted answers, and beside them the keys that open what was on the pictures.
    let (folders, mut answers): (Vec<_>, Vec<_>) = files(&story.path("story/record/answers")).into_iter().partition(|p| p.is_dir());
    assert_eq!(folders.len(), 1, "keys/");
    answers.extend(folders.iter().flat_map(|folder| files(&folder.to_string_lossy())));
    assert!(answers.len() >= 2);
    for path in answers.iter().chain(&[PathBuf::from(story.path("story/central/central.sqlite"))]) {
        assert_eq!(Permissions::from_mode(mode(path)), Permissions::from_mode(0o600), "{}", path.display());
    }
    for path in &folders {
        assert_eq!(Permissions::from_mode(mode(path)), Permissions::from_mode(0o700), "{}", path.display());
    }
}

#[test]
fn a_closed_terminal_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    // A test run may itself ignore hang-ups (`nohup`), and the demo would inherit that: `env` gives the signal back its meaning.
    let mut child = Command::new("env")
        .args(["--default-signal=HUP", env!("CARGO_BIN_EXE_citizen-wallet"), "demo", "--json"])
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the demo's folder", || std::fs::read_dir(temporary.path()).unwrap().flatten().any(|e| e.path().join("central").exists()));
    // The shell's own `kill`: a bare Debian has no program of that name.
    assert!(Command::new("sh").args(["-c", "kill -HUP \"$0\"", &child.id().to_string()]).status().unwrap().success());
    assert_ne!(child.wait().unwrap().code(), Some(0));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
