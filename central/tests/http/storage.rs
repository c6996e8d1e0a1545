//! Central's clock and its files, when they are not as they were left.

use wallet_central::CentralError;

use crate::phone::Phone;
use crate::world::{DAY, World};

#[tokio::test]
async fn bad_input_centrals_clock_behind_what_it_signed() {
    let mut world = World::new().await;
    let phone = Phone::default();
    phone.activate(&world, 0).await;
    world.stop().await;
    world.wait(-DAY);
    let error = world.try_start().await.unwrap_err();
    assert!(matches!(error, CentralError::ClockBehind { minutes: 1439..=1440 }), "{error}");
    assert!(error.to_string().contains("network time"), "{error}");
    // Administration signs as well, and refuses as well.
    for refused in [
        world.admin().republish().map(|_| ()),
        world.admin().suspend("001090000123", "driving-licence"),
        world.admin().staff_code("flight", "Sân bay", "Cửa 1").map(|_| ()),
    ] {
        assert!(matches!(refused, Err(CentralError::ClockBehind { .. })), "{refused:?}");
    }
    // Whoever knows that the clock was ahead before, and is right now, says so.
    world.admin().believe_clock().unwrap();
    world.start().await;
    assert_eq!(world.get("/status").await.0, 200);
    world.stop().await;
    world.wait(DAY);
    world.start().await;
    assert_eq!(phone.refreshed(&world).await.0, 200);
    world.stop().await;
    world.wait(-200);
    // Within what a correction of the clock may be.
    world.start().await;
    assert_eq!(phone.refreshed(&world).await.0, 200);
    world.wait(200);

    // While it runs: what was signed is handed out, nothing new is made.
    world.wait(-3600);
    let key = wallet_base::crypto::Signer::public_key(&phone.key).to_jwk();
    let open = serde_json::json!({"device_key": key, "action": "activate"});
    let (status, code, wait) = world.refused("/activation/open", &open).await;
    assert_eq!((status, code.as_str(), wait), (503, "clock_behind", Some(600)));
    assert_eq!(world.get("/status/driving-licence/2026-W50").await.0, 200);
    assert_eq!(world.get("/trust/metadata/timestamp.json").await.0, 200);
    world.wait(3600);
    assert_eq!(world.post("/activation/open", &open).await.0, 200);
    assert_eq!(phone.refreshed(&world).await.0, 200);
}

#[tokio::test]
async fn bad_input_centrals_database_page_changed() {
    const PAGE: usize = 4096;
    let mut world = World::new().await;
    let phone = Phone::default();
    phone.activate(&world, 0).await;
    phone.obtain(&world, "driving-licence.mdoc", 2).await;
    world.stop().await;
    let path = world.dir.path().join("central.sqlite");
    let sound = std::fs::read(&path).unwrap();
    let pages = sound.len() / PAGE;
    assert!(pages > 20);
    let (mut refused, mut tried) = (0, 0);
    for page in (0..pages).step_by(pages / 20) {
        let mut changed = sound.clone();
        changed[page * PAGE + 100 + page % 3000] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        tried += 1;
        match world.try_start().await {
            Err(CentralError::Database(text)) => {
                assert!(text.starts_with("damaged"), "{text}");
                refused += 1;
            }
            Err(other) => panic!("{other}"),
            // A page that is in no use: nothing is missing.
            Ok(()) => {
                assert_eq!(phone.refreshed(&world).await.0, 200);
                world.stop().await;
            }
        }
    }
    assert!(refused * 10 >= tried * 8, "{refused} of {tried}");

    // Under a service that runs: the right answer, or none.
    std::fs::write(&path, &sound).unwrap();
    world.start().await;
    let (_, all) = world.get_json("/status").await;
    let lists: Vec<String> = all["lists"].as_array().unwrap().iter().map(|list| list.as_str().unwrap().to_owned()).collect();
    let before = lists.first().unwrap();
    let right = world.get(before).await;
    let mut changed = sound.clone();
    for page in 1..pages {
        changed[page * PAGE + 77] ^= 1;
    }
    std::fs::write(&path, &changed).unwrap();
    let mut damaged = 0;
    for list in &lists {
        let (status, body) = world.get(list).await;
        match status {
            200 => assert!(list != before || body == right.1),
            503 => {
                let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(answer["error"], "storage");
                damaged += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!(damaged > 0);
    world.stop().await;
    // The copy that was kept.
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(world.dir.path().join(format!("central.sqlite{suffix}")));
    }
    std::fs::write(&path, &sound).unwrap();
    world.start().await;
    assert_eq!(phone.refreshed(&world).await.0, 200);
    assert_eq!(phone.call(&world, "GET", "/sync/changes?cursor=0", None).await.0, 200);
}
