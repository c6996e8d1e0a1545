//! Other services that are slow, hang or fail: nobody else waits, tries stay right, and nothing is lost between the steps.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use wallet_base::jose::b64u;
use wallet_central::adapters::{FaceAnswer, FaceService, Message, Messenger, PictureComparison, SpoolMessenger};
use wallet_central::registry::{Citizen, Registry, SyntheticRegistry};
use wallet_central::{CentralError, faces};

use crate::phone::{Phone, Session, failed, results};
use crate::world::World;

/// For services that hang: long enough for those that do not, on a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(2);

/// A door that calls wait before while it is shut.
#[derive(Default)]
pub struct Door {
    shut: Mutex<bool>,
    moved: Condvar,
    came: AtomicUsize,
}

impl Door {
    pub fn set(&self, shut: bool) {
        *self.shut.lock().unwrap() = shut;
        self.moved.notify_all();
    }

    fn pass(&self) {
        self.came.fetch_add(1, Ordering::SeqCst);
        let mut shut = self.shut.lock().unwrap();
        while *shut {
            shut = self.moved.wait(shut).unwrap();
        }
    }

    async fn waiting(&self, count: usize) {
        while self.came.load(Ordering::SeqCst) < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// All pictures wait, or those of other people only.
pub struct SlowFaces(pub Arc<Door>, pub bool);

impl FaceService for SlowFaces {
    fn compare(&self, chip: &[u8], probe: &[u8]) -> FaceAnswer {
        let answer = PictureComparison.compare(chip, probe);
        if !self.1 || answer == FaceAnswer::Different {
            self.0.pass();
        }
        answer
    }
}

struct SlowRegistry(SyntheticRegistry, Arc<Door>);

impl Registry for SlowRegistry {
    fn citizen(&self, personal_number: &str) -> Option<Citizen> {
        self.1.pass();
        self.0.citizen(personal_number)
    }

    fn card_is_current(&self, personal_number: &str, document_number: &str) -> bool {
        self.0.card_is_current(personal_number, document_number)
    }
}

struct TroubledMessenger(Mutex<Option<SpoolMessenger>>, Arc<AtomicBool>, Arc<Door>);

impl Messenger for TroubledMessenger {
    fn send(&self, message: &Message<'_>) -> Result<(), CentralError> {
        self.2.pass();
        if self.1.load(Ordering::SeqCst) {
            return Err(CentralError::Invalid("number"));
        }
        self.0.lock().unwrap().as_ref().unwrap().send(message)
    }
}

/// A world whose face service waits at a door.
async fn at_the_door(deadline: Duration, only_strangers: bool) -> (World, Arc<Door>) {
    let door = Arc::new(Door::default());
    let faces = door.clone();
    let world = World::with(move |options| {
        options.faces = Arc::new(SlowFaces(faces.clone(), only_strangers));
        options.adapter_deadline = deadline;
    })
    .await;
    (world, door)
}

/// Up to the face.
async fn with_chip_and_code(world: &World, phone: &Phone) -> Session {
    let session = phone.open(world).await;
    assert_eq!(phone.chip(world, &session, &world.card(0)).await.0, 200);
    assert_eq!(phone.code(world, &session).await.1["state"], "awaiting-face");
    session
}

async fn state(world: &World, session: &Session) -> Value {
    world.get_json(&format!("/activation/state?session={}", session.id)).await.1
}

#[tokio::test]
async fn a_slow_face_service_keeps_nobody_else_waiting() {
    let (world, door) = at_the_door(Duration::from_mins(1), false).await;
    let phone = Phone::default();
    let session = with_chip_and_code(&world, &phone).await;
    door.set(true);
    let others = async {
        door.waiting(1).await;
        // Reading, and writing, and a whole other session up to the same door.
        assert_eq!(world.get("/status").await.0, 200);
        assert_eq!(world.get("/trust/metadata/timestamp.json").await.0, 200);
        let other = Phone::default();
        let theirs = other.open(&world).await;
        assert_eq!(other.chip(&world, &theirs, &world.card(1)).await.0, 200);
        assert_eq!(other.code(&world, &theirs).await.1["state"], "awaiting-face");
        world.admin().staff_code("flight", "Sân bay", "Cửa 1").unwrap();
        // The try is counted while the service thinks.
        assert_eq!(state(&world, &session).await["tries_left"], 4);
        door.set(false);
    };
    let (face, ()) = tokio::join!(phone.face(&world, &session, "001090000123"), others);
    assert_eq!(results(&face.1), [("portrait.match".into(), "passed".into())]);
    assert_eq!(phone.complete(&world, &session).await.0, 200);
}

#[tokio::test]
async fn bad_input_many_faces_at_once_get_five_tries() {
    let (world, door) = at_the_door(Duration::from_mins(1), false).await;
    let phone = Phone::default();
    let session = with_chip_and_code(&world, &phone).await;
    door.set(true);
    let stranger = world.citizen(1).personal_number;
    let calls = async {
        let call = || phone.face(&world, &session, &stranger);
        tokio::join!(call(), call(), call(), call(), call(), call(), call(), call())
    };
    let release = async {
        door.waiting(5).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(door.came.load(Ordering::SeqCst), 5);
        door.set(false);
    };
    let (all, ()) = tokio::join!(calls, release);
    let all = <[_; 8]>::from(all);
    assert_eq!(all.iter().filter(|(status, answer)| *status == 200 && failed(answer) == ["portrait.match"]).count(), 5);
    assert_eq!(all.iter().filter(|(status, answer)| *status == 403 && answer["error"] == "tries_exhausted").count(), 3);
    assert_eq!(state(&world, &session).await["state"], "failed");
}

#[tokio::test]
async fn a_late_refusal_does_not_undo_the_face_that_passed() {
    let (world, door) = at_the_door(Duration::from_mins(1), true).await;
    let phone = Phone::default();
    let session = with_chip_and_code(&world, &phone).await;
    door.set(true);
    let stranger = world.citizen(1).personal_number;
    let right = async {
        door.waiting(1).await;
        assert_eq!(phone.face(&world, &session, "001090000123").await.1["state"], "ready");
        door.set(false);
    };
    let (late, ()) = tokio::join!(phone.face(&world, &session, &stranger), right);
    assert_eq!(results(&late.1), [("portrait.match".into(), "passed".into())]);
    assert_eq!(state(&world, &session).await["state"], "ready");
    assert_eq!(phone.complete(&world, &session).await.0, 200);
}

#[tokio::test]
async fn bad_input_a_face_service_that_hangs() {
    let (world, door) = at_the_door(DEADLINE, false).await;
    let phone = Phone::default();
    let session = with_chip_and_code(&world, &phone).await;
    door.set(true);
    let picture = faces::selfie("001090000123", 300, 400).unwrap();
    let body = json!({"session": session.id, "image": b64u(&picture)});
    let (status, code, wait) = world.refused("/activation/face", &body).await;
    assert_eq!((status, code.as_str(), wait), (503, "temporarily_unavailable", Some(10)));
    // Nobody learned anything, so no try is gone; what the service says now comes too late.
    door.set(false);
    door.waiting(1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let now = state(&world, &session).await;
    assert_eq!((now["state"].as_str().unwrap(), now["tries_left"].as_u64()), ("awaiting-face", Some(5)));
    assert_eq!(world.post("/activation/face", &body).await.1["state"], "ready");
    assert_eq!(phone.complete(&world, &session).await.0, 200);
}

#[tokio::test]
async fn bad_input_a_registry_that_hangs() {
    let door = Arc::new(Door::default());
    let theirs = door.clone();
    let world = World::with(move |options| {
        options.registry = Arc::new(SlowRegistry(SyntheticRegistry::new().unwrap(), theirs.clone()));
        options.adapter_deadline = DEADLINE;
    })
    .await;
    let phone = Phone::default();
    phone.activate(&world, 1).await;
    let session = phone.open(&world).await;
    door.set(true);
    let evidence = crate::phone::evidence(&world.card(0), phone.challenge(&session)).encode();
    let body = phone.chip_body(&session, &evidence);
    let (status, code, wait) = world.refused("/activation/chip", &body).await;
    assert_eq!((status, code.as_str(), wait), (503, "temporarily_unavailable", Some(10)));
    let (_, answer) = phone.call(&world, "GET", "/sync/changes?cursor=0", None).await;
    assert!(answer["documents"].as_array().unwrap().len() == 4, "{answer}");
    door.set(false);
    assert_eq!(world.post("/activation/chip", &body).await.1["state"], "awaiting-code");
    assert_eq!(phone.code(&world, &session).await.1["state"], "awaiting-face");
}

/// A messenger that can be told to refuse or to hang.
async fn troubled() -> (World, Arc<AtomicBool>, Arc<Door>) {
    let (refuse, door) = (Arc::new(AtomicBool::new(false)), Arc::new(Door::default()));
    let (r, d) = (refuse.clone(), door.clone());
    let spool = Arc::new(Mutex::new(None::<std::path::PathBuf>));
    let place = spool.clone();
    let mut world = World::new().await;
    *spool.lock().unwrap() = Some(world.dir.path().join("spool"));
    world.change = Some(Box::new(move |options| {
        let spool = SpoolMessenger::new(place.lock().unwrap().clone().unwrap());
        options.messenger = Some(Arc::new(TroubledMessenger(Mutex::new(Some(spool)), r.clone(), d.clone())));
        options.adapter_deadline = DEADLINE;
    }));
    world.restart().await;
    (world, refuse, door)
}

#[tokio::test]
async fn bad_input_a_messenger_that_refuses_or_hangs() {
    let (world, refuse, door) = troubled().await;
    let phone = Phone::default();
    let session = phone.open(&world).await;
    assert_eq!(phone.chip(&world, &session, &world.card(0)).await.0, 200);
    let body = json!({"session": session.id});
    refuse.store(true, Ordering::SeqCst);
    for _ in 0..7 {
        assert_eq!(world.refused("/activation/code", &body).await.1, "temporarily_unavailable");
    }
    refuse.store(false, Ordering::SeqCst);
    // What hangs may still arrive: it counts, and four more are left.
    door.set(true);
    assert_eq!(world.refused("/activation/code", &body).await.1, "temporarily_unavailable");
    door.set(false);
    for _ in 0..3 {
        assert_eq!(world.post("/activation/code", &body).await.0, 200);
    }
    assert_eq!(phone.code(&world, &session).await.1["state"], "awaiting-face");
    let other = Phone::default();
    let theirs = other.open(&world).await;
    assert_eq!(other.chip(&world, &theirs, &world.card(1)).await.0, 200);
    for left in (0..5).rev() {
        assert_eq!(world.post("/activation/code", &json!({"session": theirs.id})).await.0, 200, "{left}");
    }
    assert_eq!(world.refused("/activation/code", &json!({"session": theirs.id})).await.1, "tries_exhausted");
}

#[tokio::test]
async fn a_notice_that_was_not_delivered_is_told_later_and_once() {
    let (mut world, refuse, _) = troubled().await;
    let (old, new) = (Phone::default(), Phone::default());
    old.activate(&world, 0).await;
    let session = new.factors(&world, 0).await;
    let notices = |world: &World| world.messages().iter().filter(|message| message["action"] == "device-replaced").count();
    refuse.store(true, Ordering::SeqCst);
    assert_eq!(new.complete(&world, &session).await.0, 200);
    assert_eq!(notices(&world), 0);
    refuse.store(false, Ordering::SeqCst);
    // The claim of the one that failed ends after a minute.
    world.wait(61);
    world.restart().await;
    assert_eq!(notices(&world), 1);
    world.wait(3600);
    world.restart().await;
    assert_eq!(notices(&world), 1);
}
