//! Registries that fail: what they do not have, do not take, cut off or misstate. Each
//! publish leaves tags as they were, and ends in success or in one clear error.
//!
//! `LONGSHORE_SEED=7` takes other places at which connections break.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use serde_json::Value;
use tokio::process::Command;

use crate::harness::{Emulator, Project, REPOSITORY, json_of, succeed};
use crate::proxy::{Mischief, Proxy};
use crate::storage::setting;

/// A place in a body, in thousandths, that looks like chance and is the same each time.
fn place(number: u64) -> usize {
    let seed = number.wrapping_add(setting("LONGSHORE_SEED", 1) << 32);
    let mixed = seed.wrapping_mul(6_364_136_223_846_793_005).rotate_left(29);
    usize::try_from(mixed % 1000).unwrap()
}

fn refuse(status: u16, header: Option<(&'static str, &'static str)>, code: &str) -> Mischief {
    let body = format!(r#"{{"errors":[{{"code":"{code}","message":"no"}}]}}"#);
    Mischief::Answer(StatusCode::from_u16(status).unwrap(), header, body)
}

/// Whether a request is one that completes an upload, or a whole one.
fn is_upload(line: &str) -> bool {
    line.contains("/blobs/uploads/") && !line.starts_with("DELETE")
}

/// Whether something is asked for the first time.
#[derive(Default)]
struct First(Mutex<BTreeSet<String>>);

impl First {
    fn is(&self, line: &str) -> bool {
        self.0.lock().unwrap().insert(line.to_owned())
    }
}

async fn tags(emulator: &Emulator) -> Vec<Value> {
    let registry = emulator.registry_reader().await;
    let (_, bytes) = registry.get(&format!("{REPOSITORY}/tags/list")).await;
    let list: Value = serde_json::from_slice(&bytes).unwrap();
    let tags = list["tags"].as_array().cloned().unwrap_or_default();
    for tag in &tags {
        let image = registry.complete_image(tag.as_str().unwrap()).await;
        assert!(image.is_some(), "{tag} is not complete");
    }
    tags
}

/// Publishes through mischief; must succeed, with both tags on a complete image.
async fn succeeds(
    mischief: impl Fn(&str) -> Option<Mischief> + Send + Sync + 'static,
) -> Arc<Proxy> {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let proxy = Proxy::doing(&emulator, mischief).await;
    succeed(&mut project.publish(&digest, &proxy.publisher(&emulator).await));
    assert_eq!(tags(&emulator).await.len(), 2);
    proxy
}

/// Publishes through mischief; must end in the problem of that code, with no tag set.
/// Then the same command succeeds where nothing goes wrong.
async fn fails(
    code: &str,
    mischief: impl Fn(&str) -> Option<Mischief> + Send + Sync + 'static,
) -> Value {
    let (project, digest) = Project::built();
    let emulator = Emulator::start(project.path());
    let proxy = Proxy::doing(&emulator, mischief).await;
    let mut publish = project.publish(&digest, &proxy.publisher(&emulator).await);
    let output = publish.args(["--format", "json"]).output().unwrap();
    assert!(!output.status.success());
    let problem = json_of(&output);
    assert_eq!(problem["code"], code, "{problem:#}");
    assert!(
        problem["summary"]
            .as_str()
            .unwrap()
            .starts_with("no tag was moved")
    );
    assert_eq!(tags(&emulator).await.len(), 0);
    succeed(&mut project.publish(&digest, &emulator.publisher().await));
    assert_eq!(tags(&emulator).await.len(), 2);
    problem
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_that_a_registry_says_it_has_and_has_lost_are_sent() {
    let lost = |line: &str| {
        let asked = line.starts_with("HEAD") && line.contains("/blobs/");
        // Where such a blob is read from: to the question that is a yes.
        let elsewhere = Some(("location", "/storage"));
        asked.then(|| Mischief::Answer(StatusCode::TEMPORARY_REDIRECT, elsewhere, String::new()))
    };
    let proxy = succeeds(lost).await;
    let completed = proxy.completed();
    let different: BTreeSet<_> = completed.iter().collect();
    assert_eq!(different.len(), completed.len(), "{completed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_loses_every_blob_is_told_of() {
    let problem = fails("E034", |line| {
        let manifest = line.starts_with("PUT") && line.contains("/manifests/");
        manifest.then(|| refuse(404, None, "MANIFEST_BLOB_UNKNOWN"))
    })
    .await;
    assert!(
        problem["causes"]
            .to_string()
            .contains("MANIFEST_BLOB_UNKNOWN")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_too_busy_once_for_everything_gets_it_when_it_says() {
    let first = First::default();
    succeeds(move |line| {
        // Each upload has a place of its own.
        let (method, rest) = line.split_once(' ').unwrap();
        let (path, digest) = rest.split_once("uploads/").unwrap_or((rest, ""));
        let digest = digest
            .split_once("digest=")
            .map_or("", |(_, digest)| digest);
        let busy = path.starts_with("/v2/") && first.is(&format!("{method} {path} {digest}"));
        busy.then(|| refuse(429, Some(("retry-after", "0")), "TOOMANYREQUESTS"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_too_busy_and_says_nothing_gets_it_a_little_later() {
    let first = First::default();
    succeeds(move |line| {
        let busy = line.starts_with("HEAD") && line.contains("/blobs/") && first.is(line);
        busy.then(|| refuse(429, None, ""))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_upload_is_cut_once_at_any_byte_and_arrives() {
    let first = First::default();
    let number = AtomicU64::new(0);
    let proxy = succeeds(move |line| {
        let (_, digest) = line.split_once("digest=")?;
        let cut = first.is(digest);
        cut.then(|| Mischief::Cut(place(number.fetch_add(1, Ordering::Relaxed))))
    })
    .await;
    let completed = proxy.completed();
    let different: BTreeSet<_> = completed.iter().collect();
    assert_eq!(different.len(), completed.len(), "{completed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_digests_than_those_sent_are_caught_for_blobs_and_manifests() {
    for what in ["/blobs/uploads/", "/manifests/sha256:"] {
        let lies = move |line: &str| {
            let stored = line.contains(what) && !line.starts_with("HEAD");
            stored.then_some(Mischief::OtherDigest)
        };
        fails("E033", lies).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_expires_in_mid_upload_is_renewed() {
    let first = First::default();
    let proxy = succeeds(move |line| {
        let expired = "Your authorization token has expired. Reauthenticate and try again.";
        let body = format!(r#"{{"errors":[{{"code":"DENIED","message":"{expired}"}}]}}"#);
        let upload = is_upload(line) && first.is("upload");
        upload.then_some(Mischief::Answer(StatusCode::FORBIDDEN, None, body))
    })
    .await;
    let completed = proxy.completed();
    let different: BTreeSet<_> = completed.iter().collect();
    assert_eq!(different.len(), completed.len(), "{completed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_byte_of_an_upload_the_next_publish_sends_no_finished_blob_again() {
    let (project, digest) = Project::built();
    for number in 1..=setting("LONGSHORE_CUTS", 6) {
        let emulator = Emulator::start(project.path());
        let uploads = AtomicU64::new(1);
        let killing = move |line: &str| {
            let upload = line.contains("digest=");
            let now = upload && uploads.fetch_add(1, Ordering::Relaxed) == number;
            now.then(|| Mischief::Kill(place(number)))
        };
        let proxy = Proxy::doing(&emulator, killing).await;
        let job = proxy.publisher(&emulator).await;
        let mut child = Command::from(project.publish(&digest, &job))
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        tokio::select! {
            _ = child.wait() => panic!("upload {number} was never begun"),
            () = proxy.kill.notified() => child.kill().await.unwrap(),
        }
        assert_eq!(tags(&emulator).await.len(), 0);
        let again = Proxy::start(&emulator).await;
        succeed(&mut project.publish(&digest, &again.publisher(&emulator).await));
        assert_eq!(tags(&emulator).await.len(), 2);
        let (before, after) = (proxy.completed(), again.completed());
        let twice = after.iter().filter(|blob| before.contains(blob));
        // What is said about the image is sent in as many requests as it would be asked for.
        let of_image = |blob: &&String| {
            let hex = blob.trim_start_matches("sha256%3A");
            project.layout().join("blobs/sha256").join(hex).exists()
        };
        let twice: Vec<_> = twice.filter(of_image).collect();
        assert!(twice.is_empty(), "{twice:?} of {before:?}");
    }
}
