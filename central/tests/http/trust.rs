//! The trust repository, judged by `tough`, a TUF client that is not ours.

use std::path::Path;

use tough::{ExpirationEnforcement, IntoVec, RepositoryLoader};
use url::Url;
use wallet_base::time::TimeSource;
use wallet_central::RevokedAs;

use crate::world::{DAY, World, json_file};

/// Loads the repository as a client would, from the folder's files; gives (root, snapshot, timestamp) versions.
async fn load(world: &World, root: &[u8]) -> Result<(u64, u64, u64), tough::error::Error> {
    let base = |name: &str| Url::from_directory_path(world.dir.path().join("trust").join(name)).unwrap();
    // Expiry is judged by tough with the system's clock; the service's clock is the test's.
    let repository = RepositoryLoader::new(&root, base("metadata"), base("targets"))
        .expiration_enforcement(ExpirationEnforcement::Unsafe)
        .load()
        .await?;
    for name in ["issuers.json", "readers.json", "status.json", "cards.json"] {
        let stream = repository.read_target(&name.try_into().unwrap()).await?.unwrap();
        assert!(!stream.into_vec().await?.is_empty(), "{name}");
    }
    let (root, snapshot, timestamp) = (repository.root(), repository.snapshot(), repository.timestamp());
    Ok((root.signed.version.into(), snapshot.signed.version.into(), timestamp.signed.version.into()))
}

#[tokio::test]
async fn a_foreign_client_reads_the_repository() {
    let world = World::new().await;
    assert_eq!(load(&world, &world.trust_root).await.unwrap(), (1, 1, 1));
    assert_eq!(world.admin().republish().unwrap(), 2);
    assert_eq!(load(&world, &world.trust_root).await.unwrap(), (1, 2, 2));
    // Older metadata stays, consistent snapshots need it.
    assert!(world.dir.path().join("trust/metadata/1.snapshot.json").exists());
}

#[tokio::test]
async fn bad_input_another_services_root_does_not_open_it() {
    let (world, other) = (World::new().await, World::new().await);
    assert!(load(&world, &other.trust_root).await.is_err());
}

#[tokio::test]
async fn bad_input_one_changed_byte_is_refused() {
    let world = World::new().await;
    for (folder, name) in [("metadata", "timestamp.json"), ("metadata", "1.targets.json"), ("targets", "roles")] {
        let path = if name == "roles" { first_target(world.dir.path()) } else { world.dir.path().join("trust").join(folder).join(name) };
        let genuine = std::fs::read(&path).unwrap();
        let text = String::from_utf8(genuine.clone()).unwrap();
        std::fs::write(&path, text.replacen("version", "versiom", 1)).unwrap();
        assert!(load(&world, &world.trust_root).await.is_err(), "{name}");
        std::fs::write(&path, genuine).unwrap();
        assert!(load(&world, &world.trust_root).await.is_ok());
    }
}

fn first_target(dir: &Path) -> std::path::PathBuf {
    let entries = std::fs::read_dir(dir.join("trust/targets")).unwrap();
    entries.map(|entry| entry.unwrap().path()).find(|path| path.to_string_lossy().ends_with("readers.json")).unwrap()
}

#[tokio::test]
async fn two_of_three_offline_keys_sign_the_root() {
    let world = World::new().await;
    let root: serde_json::Value = serde_json::from_slice(&world.trust_root).unwrap();
    assert_eq!(root["signed"]["roles"]["root"]["threshold"], 2);
    assert_eq!(root["signed"]["roles"]["root"]["keyids"].as_array().unwrap().len(), 3);
    assert_eq!(root["signatures"].as_array().unwrap().len(), 2);
    assert_eq!(root["signed"]["consistent_snapshot"], true);
    let mut one: serde_json::Value = root.clone();
    one["signatures"].as_array_mut().unwrap().pop();
    assert!(load(&world, one.to_string().as_bytes()).await.is_err());
}

#[tokio::test]
async fn metadata_is_signed_again_before_it_expires_and_versions_only_grow() {
    let mut world = World::new().await;
    let timestamp = |world: &World| json_file(&world.dir.path().join("trust/metadata/timestamp.json"))["signed"].clone();
    let first = timestamp(&world);
    assert_eq!(first["expires"], "2026-12-05T08:00:00Z");
    assert_eq!(first["signed_at"], "2026-11-21T08:00:00Z");
    world.wait(6 * DAY);
    assert_eq!(world.get("/trust/metadata/timestamp.json").await.0, 200);
    assert_eq!(timestamp(&world), first);
    world.wait(2 * DAY);
    let (_, served) = world.get_json("/trust/metadata/timestamp.json").await;
    assert_eq!(served["signed"], timestamp(&world));
    assert_eq!((served["signed"]["version"].as_u64(), &served["signed"]["meta"]), (Some(2), &first["meta"]));
    // After a long stop.
    world.stop().await;
    world.wait(200 * DAY);
    world.start().await;
    let late = timestamp(&world);
    assert!(late["expires"].as_str().unwrap() > world.clock.now().to_rfc3339().as_str());
    let (_, snapshot, version) = load(&world, &world.trust_root).await.unwrap();
    assert_eq!((snapshot, version), (2, 3));
}

#[tokio::test]
async fn a_revoked_signer_is_in_the_next_version() {
    let world = World::new().await;
    let hash = [0xAB; 32];
    world.admin().revoke_certificate(RevokedAs::Issuer, &hash).unwrap();
    world.admin().revoke_certificate(RevokedAs::Reader, &hash).unwrap();
    assert!(world.trust().revoked_readers().contains(&hash));
    assert_eq!(load(&world, &world.trust_root).await.unwrap().1, 3);
}

#[tokio::test]
async fn revocations_at_the_same_moment_are_all_kept() {
    let world = World::new().await;
    let hashes: Vec<[u8; 32]> = (1..=8).map(|byte| [byte; 32]).collect();
    std::thread::scope(|scope| {
        for hash in &hashes {
            let admin = world.admin();
            scope.spawn(move || admin.revoke_certificate(RevokedAs::Reader, hash).unwrap());
        }
    });
    let stored = json_file(&world.dir.path().join("revoked.json"));
    for hash in &hashes {
        assert!(stored["readers"].as_array().unwrap().contains(&hex::encode(hash).into()));
        assert!(world.trust().revoked_readers().contains(hash));
    }
    assert_eq!(load(&world, &world.trust_root).await.unwrap().1, 9);
    // Nothing half-written stays behind.
    for folder in ["", "trust/metadata", "trust/targets"] {
        for entry in std::fs::read_dir(world.dir.path().join(folder)).unwrap() {
            assert!(entry.unwrap().path().extension().is_none_or(|extension| extension != "new"));
        }
    }
}

#[tokio::test]
async fn bad_input_only_files_of_the_repository_are_served() {
    let world = World::new().await;
    assert_eq!(world.get("/trust/metadata/1.root.json").await, (200, world.trust_root.clone()));
    for path in [
        "/trust/metadata/9.root.json",
        "/trust/metadata/..%2f..%2fconfig.json",
        "/trust/metadata/%2e%2e/config.json",
        "/trust/keys/service.secret",
        "/trust/metadata/timestamp.json.new",
        "/trust/targets/.json%00",
    ] {
        assert_eq!(world.get(path).await.0, 404, "{path}");
    }
}
