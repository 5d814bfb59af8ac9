//! What is collected, and what never is.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use oci::{Descriptor, Digest, media_type};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::sync::RwLock;

use crate::served::{Docker, OTHER, REPOSITORY, Served, manifest};

/// Longer than the time of grace.
const DAYS: i64 = 2 * 86_400;

/// How many blobs have a file.
fn files(data: &Path) -> usize {
    let shards = fs_err::read_dir(data.join("state/blobs/sha256")).unwrap();
    shards
        .map(|shard| fs_err::read_dir(shard.unwrap().path()).unwrap().count())
        .sum()
}

async fn is_held(docker: &Docker<'_>, repository: &str, bytes: &[u8]) -> bool {
    let path = format!("/v2/{repository}/blobs/{}", Digest::of(bytes));
    let answer = docker.request(Method::HEAD, &path).send().await.unwrap();
    answer.status() == StatusCode::OK
}

async fn delete(served: &Served, repository: &str, tag: &str) {
    let ids = json!([{ "imageTag": tag }]);
    let body = json!({ "repositoryName": repository, "imageIds": ids });
    let deleted = served.call("BatchDeleteImage", body).await;
    assert_eq!(deleted["failures"], json!([]));
}

#[tokio::test]
async fn a_layer_that_no_image_has_goes_when_the_time_of_grace_is_over() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    docker.upload(OTHER, b"never used").await;
    docker.push(OTHER, "kept", "used").await;
    assert_eq!(served.collect().await["blobs"], 0);
    served.advance(DAYS).await;
    let docker = served.administrator().await;
    let collected = served.collect().await;
    assert_eq!(
        (&collected["blobs"], &collected["files"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(collected["bytes"], 10);
    assert!(!is_held(&docker, OTHER, b"never used").await);
    assert!(is_held(&docker, OTHER, b"used").await);
}

#[tokio::test]
async fn a_layer_that_was_just_found_is_kept_for_the_push_that_found_it() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let config = docker.upload(OTHER, b"{}").await;
    let layer = docker.upload(OTHER, b"found by the API").await;
    served.advance(DAYS).await;
    let docker = served.administrator().await;
    assert!(is_held(&docker, OTHER, b"{}").await);
    let body = json!({ "repositoryName": OTHER, "layerDigests": [layer.digest] });
    let found = served.call("BatchCheckLayerAvailability", body).await;
    assert_eq!(found["layers"][0]["layerAvailability"], "AVAILABLE");
    let login = docker.login.clone();
    drop(docker);
    // The promise survives a kill; the clock does not.
    served.kill().await;
    let served = Served::start(data.path(), vec![]).await;
    served.advance(DAYS).await;
    assert_eq!(served.collect().await["blobs"], 0);
    let docker = Docker {
        served: &served,
        base: served.base.clone(),
        login,
    };
    let body = manifest(config, &layer);
    let put = docker.put_manifest(OTHER, "v1", &body).await;
    assert_eq!(put.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn the_bytes_of_a_blob_go_with_its_last_repository() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    docker.push(OTHER, "v1", "shared").await;
    docker.push(REPOSITORY, "v1", "shared").await;
    let body = json!({ "repositoryName": OTHER, "force": true });
    served.call("DeleteRepository", body).await;
    assert_eq!(served.collect().await["files"], 0);
    assert!(is_held(&docker, REPOSITORY, b"shared").await);
    let body = json!({ "repositoryName": REPOSITORY, "force": true });
    served.call("DeleteRepository", body).await;
    let collected = served.collect().await;
    // Nobody holds a promise of a repository that is gone.
    assert_eq!(
        (&collected["blobs"], &collected["files"]),
        (&json!(0), &json!(2))
    );
    assert_eq!(files(data.path()), 0);
}

#[tokio::test]
async fn what_a_kill_left_is_collected() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    served.administrator().await.push(OTHER, "v1", "kept").await;
    served.kill().await;
    let state = data.path().join("state");
    let digest = Digest::of(b"installed, not recorded");
    let shard = state.join("blobs/sha256").join(&digest.hex()[..2]);
    fs_err::create_dir_all(&shard).unwrap();
    fs_err::write(shard.join(digest.hex()), "installed, not recorded").unwrap();
    fs_err::write(state.join("uploads/half"), "half").unwrap();

    let served = Served::start(data.path(), vec![]).await;
    // The collection at the start may have been here first.
    served.collect().await;
    assert_eq!(files(data.path()), 2);
    assert_eq!(fs_err::read_dir(state.join("uploads")).unwrap().count(), 0);
    assert!(is_held(&served.administrator().await, OTHER, b"kept").await);
}

/// Pushes an image as clients do: what is there is not sent again.
async fn push_what_is_missing(docker: &Docker<'_>, tag: &str, content: &str) {
    let mut blobs = Vec::new();
    for bytes in [b"{}".as_slice(), content.as_bytes()] {
        blobs.push(if is_held(docker, OTHER, bytes).await {
            Descriptor::new(
                media_type::LAYER_GZIP,
                Digest::of(bytes),
                bytes.len() as u64,
            )
        } else {
            docker.upload(OTHER, bytes).await
        });
    }
    let body = manifest(blobs[0].clone(), &blobs[1]);
    let put = docker.put_manifest(OTHER, tag, &body).await;
    assert_eq!(
        put.status(),
        StatusCode::CREATED,
        "{}",
        put.text().await.unwrap()
    );
}

const PUSHERS: usize = 6;
const ROUNDS: usize = 12;

/// What one pusher pushes in a round. Contents come back, so that blobs are found
/// that are about to go.
fn content(pusher: usize, round: usize) -> String {
    format!("content {}", (pusher + round) % 4)
}

/// What works on one emulator at the same time.
#[derive(Clone)]
struct Race {
    served: Arc<Served>,
    login: String,
    /// Held by those whom a leap of the clock would disturb.
    steady: Arc<RwLock<()>>,
    is_over: Arc<AtomicBool>,
}

impl Race {
    fn docker(&self) -> Docker<'_> {
        Docker {
            served: &self.served,
            base: self.served.base.clone(),
            login: self.login.clone(),
        }
    }

    /// Pushes an image a round, and deletes the one before.
    async fn push(self, pusher: usize) {
        for round in 0..ROUNDS {
            let tag = format!("{pusher}-{round}");
            {
                let _push = self.steady.read().await;
                push_what_is_missing(&self.docker(), &tag, &content(pusher, round)).await;
            }
            if round > 0 {
                // A signature does not survive a leap.
                let _deletion = self.steady.read().await;
                delete(&self.served, OTHER, &format!("{pusher}-{}", round - 1)).await;
            }
        }
    }

    async fn collect(self) {
        while !self.is_over.load(Ordering::Relaxed) {
            self.served.collect().await;
        }
    }

    /// Moves the clock over the time of grace and back, so that no login
    /// expires. Returns how often.
    async fn leap(self) -> usize {
        let mut leaps = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            let _nobody_pushes = self.steady.write().await;
            self.served.advance(DAYS).await;
            self.served.collect().await;
            self.served.advance(-DAYS).await;
            leaps += 1;
        }
        leaps
    }
}

/// Pushes, deletions and collections at once, with a clock that leaps whenever
/// no push is under way: no push is refused, and in the end what is there is
/// what the images have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn collections_beside_pushes_and_deletions_take_nothing_that_is_needed() {
    let data = tempfile::tempdir().unwrap();
    let served = Arc::new(Served::start(data.path(), vec![]).await);
    let race = Race {
        login: served.administrator().await.login,
        served: served.clone(),
        steady: Arc::default(),
        is_over: Arc::default(),
    };
    let collecting = tokio::spawn(race.clone().collect());
    let leaping = tokio::spawn(race.clone().leap());
    let pushers: Vec<_> = (0..PUSHERS)
        .map(|pusher| tokio::spawn(race.clone().push(pusher)))
        .collect();
    for pusher in pushers {
        pusher.await.unwrap();
    }
    race.is_over.store(true, Ordering::Relaxed);
    collecting.await.unwrap();
    assert!(leaping.await.unwrap() > 1);
    served.advance(DAYS).await;
    served.collect().await;

    let docker = served.administrator().await;
    let of_images = (0..PUSHERS).map(|pusher| content(pusher, ROUNDS - 1).into_bytes());
    let mut needed: Vec<Vec<u8>> = of_images.chain([b"{}".to_vec()]).collect();
    needed.sort();
    needed.dedup();
    for bytes in &needed {
        let path = format!("/v2/{OTHER}/blobs/{}", Digest::of(bytes));
        let pulled = docker.get(&path).await;
        assert_eq!(pulled.bytes().await.unwrap(), *bytes);
    }
    assert_eq!(files(data.path()), needed.len());
}
