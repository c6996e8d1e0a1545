//! Central as a process of its own: killed between the steps, and with no room on its disk.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use serde_json::json;
use wallet_central::{RevokedAs, ServeOptions, Server};

use crate::phone::{Phone, grant};
use crate::slow::{Door, SlowFaces};
use crate::world::{TestClock, World};

const DIR: &str = "CENTRAL_TEST_DIR";
const NOW: &str = "CENTRAL_TEST_NOW";
const SLOW: &str = "CENTRAL_TEST_SLOW_FACES";

/// Not a test: what the tests below start as a process. Says its address and ends with its standard input.
#[tokio::test]
#[ignore = "started as a process by other tests"]
async fn serves_as_a_process() {
    let (Ok(dir), Ok(now)) = (std::env::var(DIR), std::env::var(NOW)) else { return };
    let clock = Arc::new(TestClock(AtomicI64::new(now.parse().unwrap())));
    let mut options = ServeOptions::new("127.0.0.1:0".parse().unwrap(), clock).unwrap();
    options.allow_software_keys = true;
    if std::env::var(SLOW).is_ok() {
        let door = Arc::new(Door::default());
        door.set(true);
        options.faces = Arc::new(SlowFaces(door, false));
        options.adapter_deadline = Duration::from_hours(1);
    }
    let server = Server::start(dir.as_ref(), options).await.unwrap();
    // The parent reads it from there.
    writeln!(std::io::stdout(), "serves at {}", server.address()).unwrap();
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    server.stop().await.unwrap();
}

/// The process; killed when dropped.
pub struct Process(Child);

impl Process {
    /// Serves a stopped world's directory from a process, which the world then talks to.
    pub async fn serve(world: &mut World, slow_faces: bool) -> Self {
        world.stop().await;
        let mut command = Command::new("sh");
        // A write beyond the limit on file sizes shall fail, not kill.
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
        command.args(["--exact", "process::serves_as_a_process", "--ignored", "--nocapture"]);
        command.env(DIR, world.dir.path()).env(NOW, world.now().unix().to_string());
        if slow_faces {
            command.env(SLOW, "1");
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let process = Self(child);
        let address = tokio::task::spawn_blocking(move || {
            let mut lines = lines.map_while(Result::ok);
            lines.find_map(|line| line.split_once("serves at ").map(|(_, address)| address.parse().unwrap()))
        });
        world.elsewhere = Some(address.await.unwrap().unwrap());
        process
    }

    /// Files of the process may be so large from now on.
    fn room(&self, bytes: &str) {
        let pid = self.0.id().to_string();
        let set = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:")]).status().unwrap();
        assert!(set.success());
    }

    /// SIGKILL; the world serves its directory itself again.
    pub async fn kill(mut self, world: &mut World) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        world.elsewhere = None;
        world.start().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_kill_while_the_face_service_thinks_costs_one_try_and_nothing_else() {
    let mut world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    assert_eq!(phone.chip(&world, &session, &world.card(0)).await.0, 200);
    assert_eq!(phone.code(&world, &session).await.1["state"], "awaiting-face");
    let process = Process::serve(&mut world, true).await;
    let path = format!("/activation/state?session={}", session.id);
    let asked = async {
        while world.get_json(&path).await.1["tries_left"] != 4 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        _ = phone.face(&world, &session, "001090000123") => panic!("the face service thinks"),
        () = asked => {}
    }
    process.kill(&mut world).await;
    let (_, state) = world.get_json(&path).await;
    assert_eq!((state["state"].as_str().unwrap(), state["tries_left"].as_u64()), ("awaiting-face", Some(4)));
    assert_eq!(phone.face(&world, &session, "001090000123").await.1["state"], "ready");
    assert_eq!(phone.complete(&world, &session).await.0, 200);
}

#[tokio::test]
async fn bad_input_centrals_disk_full() {
    let mut world = World::new().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    assert_eq!(phone.chip(&world, &session, &world.card(0)).await.0, 200);
    assert_eq!(phone.code(&world, &session).await.1["state"], "awaiting-face");
    let process = Process::serve(&mut world, false).await;
    let path = format!("/activation/state?session={}", session.id);

    process.room("4096");
    let body = json!({"session": session.id, "image": wallet_base::jose::b64u(b"no picture")});
    for _ in 0..6 {
        let (status, code, wait) = world.refused("/activation/face", &body).await;
        assert_eq!((status, code.as_str(), wait), (503, "storage", Some(30)));
    }
    let other = json!({"device_key": wallet_base::crypto::Signer::public_key(&phone.key).to_jwk(), "action": "activate"});
    assert_eq!(world.refused("/activation/open", &other).await.1, "storage");
    // What only reads goes on, and nothing was half done.
    assert_eq!(world.get_json(&path).await.1["tries_left"], 5);
    assert_eq!(world.get("/status").await.0, 200);
    assert_eq!(world.get("/status/driving-licence/2026-W50").await.0, 200);
    assert_eq!(world.get("/trust/metadata/timestamp.json").await.0, 200);

    // Room again, and no restart.
    process.room("unlimited");
    assert_eq!(phone.face(&world, &session, "001090000123").await.1["state"], "ready");
    process.room("4096");
    assert_eq!(phone.complete(&world, &session).await.1["error"], "storage");
    assert_eq!(world.get_json(&path).await.1["state"], "ready");
    process.room("unlimited");
    let (status, done) = phone.complete(&world, &session).await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(phone.token(&world, &grant(&done)).await.0, 200);
    assert_eq!(phone.obtain(&world, "driving-licence.mdoc", 2).await.1.len(), 2);
    process.kill(&mut world).await;
    assert_eq!(world.admin().ledger().unwrap()["sound"], true);
    assert_eq!(phone.call(&world, "GET", "/sync/changes?cursor=0", None).await.0, 200);
}

#[tokio::test]
async fn bad_input_centrals_log_cut_short() {
    let mut world = World::new().await;
    let phone = Phone::default();
    let process = Process::serve(&mut world, false).await;
    phone.activate(&world, 0).await;
    let log = world.dir.path().join("central.sqlite-wal");
    let database = world.dir.path().join("central.sqlite");
    let whole = (std::fs::read(&database).unwrap(), std::fs::read(&log).unwrap());
    drop(process);
    world.elsewhere = None;
    let frames = whole.1.len() / (4096 + 24);
    assert!(frames > 20, "{frames}");
    let mut known = 0;
    for cut in [0, 20, 32, 32 + 4120 * 3 + 7, whole.1.len() / 3, whole.1.len() / 2, whole.1.len() - 4120, whole.1.len() - 1, whole.1.len()]
    {
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(world.dir.path().join(format!("central.sqlite{suffix}")));
        }
        std::fs::write(&database, &whole.0).unwrap();
        std::fs::write(&log, &whole.1[..cut]).unwrap();
        world.start().await;
        // What was whole is there, what was not is not, and nothing is half there.
        let ledger = world.admin().ledger().unwrap();
        assert_eq!(ledger["sound"], true, "{cut}");
        for account in ledger["accounts"].as_array().unwrap() {
            let complete = account["device_epoch"] == 1;
            assert_eq!(account["account"].is_string() && account["documents"].as_array().unwrap().len() == 4, complete, "{cut} {account}");
            known += u32::from(complete);
        }
        // The service works on; the same phone activates again where its session is lost.
        Phone::default().activate(&world, 1).await;
        world.stop().await;
    }
    assert!((1..9).contains(&known), "{known}");
}

#[tokio::test]
async fn bad_input_two_services_on_one_directory() {
    let mut world = World::new().await;
    let process = Process::serve(&mut world, false).await;
    let error = world.try_start().await.unwrap_err();
    assert!(error.to_string().contains("another service runs on this directory"), "{error}");
    // Administration works beside a running service.
    let phone = Phone::default();
    phone.activate(&world, 0).await;
    let admin = world.admin();
    admin.staff_code("flight", "Sân bay", "Cửa 1").unwrap();
    admin.suspend("001090000123", "driving-licence").unwrap();
    admin.give_tries("001090000123").unwrap();
    admin.republish().unwrap();
    admin.revoke_certificate(RevokedAs::Reader, &[7; 32]).unwrap();
    let (_, changes) = phone.call(&world, "GET", "/sync/changes?cursor=0", None).await;
    assert!(changes["documents"].as_array().unwrap().iter().any(|document| document["state"] == "suspended"), "{changes}");
    process.kill(&mut world).await;
    assert_eq!(world.get("/status").await.0, 200);
}
