//! The demo, its attacks and the two offline processes, all through the built program as a person runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_citizen-wallet");
/// Every helper process inherits this variable, so that it can be found again.
const MARK: &str = "CITIZEN_WALLET_TEST_MARK";

/// A run whose temporary folder is watched.
struct Watched {
    temporary: tempfile::TempDir,
    mark: String,
}

impl Watched {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mark = format!("{}-{}", std::process::id(), temporary.path().display());
        Self { temporary, mark }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env("TMPDIR", self.temporary.path()).env(MARK, &self.mark).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Names of processes that carry the mark.
    fn processes(&self) -> Vec<String> {
        let needle = format!("{MARK}={}", self.mark);
        std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter(|entry| {
                let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
                environment.split(|b| *b == 0).any(|pair| pair == needle.as_bytes())
            })
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }

    fn assert_nothing_left(&self) {
        let left: Vec<_> = std::fs::read_dir(self.temporary.path()).unwrap().flatten().map(|e| e.path()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        assert_eq!(self.processes(), Vec::<String>::new());
    }
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("no JSON ({e}): {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("{key} is missing in {value}"))
}

fn steps(report: &Value) -> &Vec<Value> {
    report["steps"].as_array().unwrap()
}

fn failed(step: &Value) -> BTreeSet<&str> {
    step["facts"].as_array().unwrap().iter().filter(|f| text(f, "result") == "failed").map(|f| text(f, "name")).collect()
}

#[test]
fn the_whole_story_ends_as_expected_and_leaves_nothing() {
    let watched = Watched::new();
    let output = watched.run(&["demo", "--json"]);
    let report = report(&output);
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["ok"], true);
    let verdicts: Vec<(&str, &str)> = steps(&report).iter().map(|s| (text(s, "name"), text(s, "verdict"))).collect();
    assert_eq!(
        verdicts,
        [
            ("central starts", "verified"),
            ("card read", "verified"),
            ("activation", "verified"),
            ("issuance of four documents", "verified"),
            ("card read, second citizen", "verified"),
            ("activation, second citizen", "verified"),
            ("issuance, second citizen", "verified"),
            ("second officer enrols", "verified"),
            ("flight check", "undetermined:portrait.match"),
            ("roadside check", "undetermined:portrait.match"),
            ("roadside check, second citizen", "undetermined:portrait.match"),
            ("clinic check", "verified"),
            ("second officer checks the citizen", "undetermined:portrait.match"),
            ("second officer checks second citizen", "undetermined:portrait.match"),
            ("an answer meant for another officer", "rejected:exchange.nonce"),
            ("licence suspended at central", "verified"),
            ("officer syncs", "verified"),
            ("second roadside check", "rejected:credential.status"),
            ("second roadside check, second citizen", "undetermined:portrait.match"),
            ("lists carried to the second officer", "verified"),
            ("second officer checks the citizen again", "rejected:credential.status"),
            ("second officer: second citizen again", "undetermined:portrait.match"),
        ]
    );
    for step in steps(&report) {
        assert!(step["millis"].is_u64());
        assert_eq!(step["expected"], step["verdict"]);
        for fact in step["facts"].as_array().unwrap() {
            assert!(["passed", "failed", "not-checked"].contains(&text(fact, "result")));
            assert!(["wallet", "verifier", "central"].contains(&text(fact, "by")));
            assert!(fact["caution"].is_boolean());
            // Every fact says which device found it and what it is about.
            assert!(!text(fact, "about").is_empty() && !text(fact, "device").is_empty(), "{fact}");
            text(fact, "detail");
        }
    }
    let named = |name: &str| steps(&report).iter().find(|s| text(s, "name") == name).unwrap();
    let facts_of = |name: &str, device: &str| -> Vec<(String, String)> {
        let facts = named(name)["facts"].as_array().unwrap().iter().filter(|f| text(f, "device") == device);
        facts.map(|f| (text(f, "name").to_owned(), text(f, "result").to_owned())).collect()
    };
    for (name, device) in [("second roadside check", "traffic-police"), ("second officer checks the citizen again", "traffic-police-2")] {
        assert_eq!(failed(named(name)), BTreeSet::from(["credential.status"]));
        // The verdict says how old the list is that shows the suspension.
        let status = named(name)["facts"].as_array().unwrap().iter().find(|f| text(f, "name") == "credential.status").unwrap();
        assert!(text(status, "detail").contains("20"), "no issue time of the list in {status}");
        assert_eq!(text(status, "device"), device);
    }
    // The answer that the second officer cannot open is a good one for the first.
    let (fact, first, second) = ("exchange.nonce".to_owned(), "traffic-police", "traffic-police-2");
    assert!(facts_of("an answer meant for another officer", second).contains(&(fact.clone(), "failed".to_owned())));
    assert!(facts_of("an answer meant for another officer", first).contains(&(fact, "passed".to_owned())));
    // Both formats of a document are told apart, and so are both citizens' phones.
    for (name, phone) in [("issuance of four documents", "wallet"), ("issuance, second citizen", "wallet-2")] {
        let facts = named(name)["facts"].as_array().unwrap();
        for about in ["driving-licence.mdoc", "driving-licence.sd-cwt"] {
            let chains = facts.iter().filter(|f| text(f, "about") == about && text(f, "name") == "credential.chain").count();
            assert_eq!(chains, 1, "{about}");
        }
        assert!(facts.iter().all(|f| text(f, "device") == phone));
    }
    watched.assert_nothing_left();
}

#[test]
fn a_given_folder_holds_everything_and_nothing_else_is_written() {
    let watched = Watched::new();
    let kept = tempfile::tempdir().unwrap();
    let dir = kept.path().join("story");
    let output = watched.run(&["demo", "--dir", dir.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("second roadside check") && said.contains("credential.status"));
    let folders: BTreeSet<String> = std::fs::read_dir(&dir).unwrap().flatten().map(|e| e.file_name().into_string().unwrap()).collect();
    assert_eq!(folders, ["central", "officer", "record", "wallet", "wallet-2"].map(String::from).into());
    for device in ["flight", "traffic-police", "health", "traffic-police-2"] {
        assert!(dir.join("officer").join(device).is_dir());
    }
    for part in ["http", "qr", "answers", "carried"] {
        assert!(std::fs::read_dir(dir.join("record").join(part)).unwrap().next().is_some(), "record/{part} is empty");
    }
    assert!(std::fs::read_to_string(dir.join("record/card.apdu")).unwrap().lines().count() > 20);
    manifest_is_whole(&dir.join("record"));
    watched.assert_nothing_left();
    // A folder with somebody's things in it is not used.
    assert_eq!(watched.run(&["demo", "--dir", dir.to_str().unwrap()]).status.code(), Some(3));
}

/// The manifest names every file of the record, every device, and judges nothing.
fn manifest_is_whole(record: &Path) {
    let written = std::fs::read_to_string(record.join("story.json")).unwrap();
    let story: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(story["version"], 1);
    for anchor in ["root", "tls_root", "card_authority"] {
        assert!(record.join(text(&story["trust"], anchor)).is_file());
    }
    for word in ["\"verdict\"", "\"facts\"", "\"expected\"", "portrait.match", "credential.status", "exchange.nonce"] {
        assert!(!written.contains(word), "the manifest tells {word}");
    }
    let devices: BTreeSet<&str> = story["devices"].as_array().unwrap().iter().map(|d| text(d, "id")).collect();
    let mut named = BTreeSet::new();
    let (mut running, mut apdus) = (false, 0);
    for step in story["steps"].as_array().unwrap() {
        let mut at = step["started"].as_i64().unwrap();
        for event in step["events"].as_array().unwrap() {
            let now = event["at"].as_i64().unwrap();
            assert!(at <= now && now <= step["ended"].as_i64().unwrap(), "{event}");
            at = now;
            if let Some(device) = event.get("device") {
                assert!(devices.contains(device.as_str().unwrap()), "{event} belongs to nobody");
            }
            if let Some(file) = event.get("file") {
                assert!(record.join(file.as_str().unwrap()).is_file(), "{event}");
                named.insert(file.as_str().unwrap().to_owned());
            }
            match text(event, "kind") {
                "central" => running = text(event, "what") == "started",
                // Between the end of central's process and its next start nobody used a network; the second officer does so for the enrolment only.
                "http" => {
                    assert!(running, "{event}");
                    assert!(text(event, "device") != "traffic-police-2" || text(step, "name") == "second officer enrols", "{event}");
                }
                "apdu" => {
                    assert_eq!(event["first_line"].as_u64().unwrap(), apdus + 1);
                    apdus = event["last_line"].as_u64().unwrap();
                }
                _ => {}
            }
        }
    }
    let files = |folder: &str, ending: &str| -> Vec<String> {
        let entries = std::fs::read_dir(record.join(folder)).unwrap().flatten();
        entries.map(|e| format!("{folder}/{}", e.file_name().to_string_lossy())).filter(|n| n.ends_with(ending)).collect()
    };
    for file in [files("http", ".json"), files("qr", ".png"), files("answers", ".cbor"), files("carried", "")].concat() {
        assert!(named.contains(&file), "{file} is not in the manifest");
    }
    assert_eq!(std::fs::read_to_string(record.join("card.apdu")).unwrap().lines().count() as u64, apdus);
}

fn attack(word: &str, fact: &str) {
    let watched = Watched::new();
    let output = watched.run(&["demo", "--json", "--tamper", word]);
    let report = report(&output);
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    assert_eq!(report["ok"], true);
    let expected = format!("rejected:{fact}");
    let attacked: Vec<&Value> = steps(&report).iter().filter(|s| text(s, "expected").starts_with("rejected:")).collect();
    assert!(!attacked.is_empty());
    for step in attacked {
        assert_eq!(text(step, "expected"), expected);
        assert_eq!(text(step, "verdict"), expected);
        assert_eq!(failed(step), BTreeSet::from([fact]));
    }
    for step in steps(&report).iter().filter(|s| !text(s, "expected").starts_with("rejected:")) {
        assert!(failed(step).is_empty(), "{step:#}");
    }
    watched.assert_nothing_left();
}

macro_rules! attacks {
    ($($name:ident: $word:literal breaks $fact:literal;)+) => { $(#[test] fn $name() { attack($word, $fact); })+ };
}

attacks! {
    attack_dg: "dg" breaks "chip.hashes";
    attack_sod_signer: "sod-signer" breaks "chip.chain";
    attack_cloned_chip: "cloned-chip" breaks "chip.genuine";
    attack_element: "element" breaks "credential.digest";
    attack_device_key: "device-key" breaks "credential.holder";
    attack_nonce: "nonce" breaks "exchange.nonce";
    attack_status_signer: "status-signer" breaks "status.signature";
    attack_expired: "expired" breaks "credential.validity";
    attack_status_frozen: "status-frozen" breaks "status.freshness";
    attack_trust_rollback: "trust-rollback" breaks "trust.version";
    attack_trust_frozen: "trust-frozen" breaks "trust.freshness";
    attack_trust_mix: "trust-mix" breaks "trust.signature";
    attack_request_signer: "request-signer" breaks "request.chain";
    attack_request_stale: "request-stale" breaks "request.time";
    attack_request_swap: "request-swap" breaks "exchange.request";
    attack_overask: "overask" breaks "request.role";
}

#[test]
fn an_unknown_attack_is_a_usage_error() {
    assert_eq!(Watched::new().run(&["demo", "--tamper", "everything"]).status.code(), Some(3));
}

fn wait_until(what: &str, seconds: u64, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(seconds);
    while !done() {
        assert!(Instant::now() < end, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(child: &Child, name: &str) {
    // The shell's own `kill`: a bare Debian has no program of that name.
    let sent = Command::new("sh").args(["-c", "kill \"$0\" \"$1\"", name, &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn an_interrupted_demo_leaves_no_process_and_no_file() {
    let watched = Watched::new();
    let mut child = watched.command(&["demo", "--json"]).stdout(Stdio::null()).spawn().unwrap();
    wait_until("a helper process", 60, || watched.processes().len() > 1);
    signal(&child, "-TERM");
    assert_ne!(child.wait().unwrap().code(), Some(0));
    wait_until("the end of the helpers", 20, || watched.processes().is_empty());
    watched.assert_nothing_left();
}

#[test]
fn helpers_of_a_killed_demo_end_by_themselves() {
    let watched = Watched::new();
    let mut child = watched.command(&["demo", "--json"]).stdout(Stdio::null()).spawn().unwrap();
    wait_until("a helper process", 60, || watched.processes().len() > 1);
    signal(&child, "-KILL");
    child.wait().unwrap();
    wait_until("the end of the helpers", 20, || watched.processes().is_empty());
}

/// A command in a network namespace of its own, without any interface that is up.
fn offline(arguments: &[&str]) -> Command {
    let plain = Command::new("unshare").args(["-n", "true"]).status().is_ok_and(|s| s.success());
    let mut command = Command::new("unshare");
    command.arg(if plain { "-n" } else { "-rn" }).arg(PROGRAM).args(arguments);
    command
}

fn with_input(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn wallet_and_officer_check_by_picture_files_without_a_network() {
    let watched = Watched::new();
    let kept = tempfile::tempdir().unwrap();
    let dir = kept.path().join("story");
    assert_eq!(watched.run(&["demo", "--json", "--dir", dir.to_str().unwrap()]).status.code(), Some(0));
    let path = |name: &str| -> String { dir.join(name).to_str().unwrap().to_owned() };
    let (wallet, clinic, police) = (path("wallet"), path("officer/health"), path("officer/traffic-police"));
    let (question, answer) = (kept.path().join("q.png"), kept.path().join("a.png"));
    let (question, answer) = (question.to_str().unwrap(), answer.to_str().unwrap());

    // Nobody asked yet: there is nothing to check against.
    std::fs::write(answer, b"no picture").unwrap();
    let early = offline(&["officer", "check", "--dir", &clinic, "--answer", answer]).output().unwrap();
    assert_eq!(early.status.code(), Some(3), "{}", shown(&early));

    let exchange = |device: &str, document: &str| -> Output {
        let _ = std::fs::remove_file(question);
        let mut asking =
            offline(&["officer", "ask", "--dir", device, "--document", document, "--out", question]).stdout(Stdio::null()).spawn().unwrap();
        wait_until("the picture of the request", 60, || Path::new(question).exists());
        let wrong = with_input(
            offline(&["wallet", "answer", "--dir", &wallet, "--request", question, "--out", answer, "--passcode", "-"]),
            "000000\n",
        );
        assert_eq!(wrong.status.code(), Some(3), "a wrong passcode: {}", shown(&wrong));
        let answered = with_input(
            offline(&["wallet", "answer", "--dir", &wallet, "--request", question, "--out", answer, "--passcode", "-"]),
            "246810\n",
        );
        assert_eq!(answered.status.code(), Some(0), "{}", shown(&answered));
        // The officer's own request is no answer; that is said and the request stays open.
        let own = offline(&["officer", "check", "--dir", device, "--answer", question]).output().unwrap();
        assert_eq!(own.status.code(), Some(3), "{}", shown(&own));
        let checked = offline(&["officer", "check", "--dir", device, "--answer", answer]).output().unwrap();
        assert!(asking.wait().unwrap().success());
        checked
    };
    let checked = exchange(&clinic, "health-insurance-card");
    assert_eq!(checked.status.code(), Some(0), "{}", shown(&checked));
    let checked = exchange(&police, "driving-licence");
    assert_eq!(checked.status.code(), Some(1), "suspended in the story: {}", shown(&checked));
    assert!(shown(&checked).contains("credential.status"));

    // Once is enough: the request is closed.
    let again = offline(&["officer", "check", "--dir", &police, "--answer", answer]).output().unwrap();
    assert_eq!(again.status.code(), Some(3), "{}", shown(&again));
}

#[test]
fn bad_input_pictures_and_texts_are_named_for_what_they_are() {
    let watched = Watched::new();
    let file = watched.temporary.path().join("x.png");
    std::fs::write(&file, b"not a picture").unwrap();
    assert_eq!(watched.run(&["inspect", file.to_str().unwrap()]).status.code(), Some(3));
    std::fs::remove_file(&file).unwrap();
    let foreign = watched.run(&["inspect", "https://example.org/"]);
    assert_eq!(foreign.status.code(), Some(3), "{}", shown(&foreign));
    assert!(shown(&foreign).contains("foreign"), "{}", shown(&foreign));
}
