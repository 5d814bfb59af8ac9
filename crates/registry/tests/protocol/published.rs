//! Blobs that another repository has: mounted, or passed on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use oci::{Descriptor, Digest, media_type};
use registry::{Blob, BlobContent, Publication, Pushed, Registry, RegistryError};

use crate::memory::Memory;
use crate::scripted::{Reply, Server, refuse, reply};
use crate::uploads::count;
use crate::{blob, nobody, options, registry, registry_with, repository};

const LAYER: &[u8] = b"a layer of a base";

fn layer_of(url: &str) -> Blob {
    Blob {
        descriptor: Descriptor::of(media_type::LAYER_GZIP, LAYER),
        content: BlobContent::Published(Publication {
            registry: Arc::new(registry(url)),
            repository: "team/base".parse().unwrap(),
        }),
    }
}

/// A registry that sends `bytes` as any blob, and takes none.
async fn source(bytes: &'static str) -> Server {
    Server::start(move |_, _| reply(200).body(bytes)).await
}

#[tokio::test]
async fn a_layer_goes_from_registry_to_registry_once_and_not_where_it_is() {
    let from = source(std::str::from_utf8(LAYER).unwrap()).await;
    let memory = Memory::start().await;
    let client = registry_with(&memory.server.url, options());
    let layer = [layer_of(&from.url)];
    let pushed = client.push_blobs(&repository(), &layer, &nobody).await;
    assert_eq!(pushed.unwrap().bytes, LAYER.len() as u64);
    let digest = Digest::of(LAYER).to_string();
    assert_eq!(memory.contents.lock().unwrap().blobs[&digest], LAYER);
    let again = client.push_blobs(&repository(), &layer, &nobody).await;
    assert_eq!(again.unwrap().existing.len(), 1);
    assert_eq!(from.lines(), [format!("GET /v2/team/base/blobs/{digest}")]);
    // To another registry no mount is asked for.
    let mounts = memory.server.lines();
    assert!(!mounts.iter().any(|line| line.contains("mount=")));
}

#[tokio::test]
async fn other_bytes_than_the_digest_says_do_not_arrive() {
    for lie in [
        "a layer of a basf",
        "a layer of a base, and more",
        "a layer",
    ] {
        let from = source(lie).await;
        let memory = Memory::start().await;
        let client = registry(&memory.server.url);
        let layer = [layer_of(&from.url)];
        let pushed = client.push_blobs(&repository(), &layer, &nobody).await;
        let error = pushed.unwrap_err();
        assert!(
            matches!(error, RegistryError::Protocol { .. }),
            "{lie}: {error}"
        );
        assert!(memory.contents.lock().unwrap().blobs.is_empty());
    }
}

#[tokio::test]
async fn a_layer_of_the_same_registry_is_mounted_and_its_bytes_stay_there() {
    let server = Server::start(|_, seen| {
        if seen.line.starts_with("HEAD ") {
            return reply(404);
        }
        reply(201)
    })
    .await;
    let client = registry(&server.url);
    let layer = [layer_of(&server.url)];
    let pushed = client.push_blobs(&repository(), &layer, &nobody).await;
    let pushed = pushed.unwrap();
    assert_eq!((pushed.bytes, pushed.existing.len()), (0, 1));
    let lines = server.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains("mount=sha256%3A") && lines[1].ends_with("from=team%2Fbase"));
}

#[tokio::test]
async fn a_registry_that_does_not_mount_gets_the_bytes() {
    let bytes = std::str::from_utf8(LAYER).unwrap();
    let server = Server::start(move |_, seen| {
        let line = &seen.line;
        match line.split(' ').next() {
            Some("HEAD") => reply(404),
            Some("GET") => reply(200).body(bytes),
            Some("POST") => reply(202).header("location", "/upload"),
            _ => reply(201),
        }
    })
    .await;
    let layer = [layer_of(&server.url)];
    let client = registry(&server.url);
    let pushed = client.push_blobs(&repository(), &layer, &nobody).await;
    assert_eq!(pushed.unwrap().bytes, LAYER.len() as u64);
    let seen = server.seen();
    let put = seen.iter().find(|seen| seen.line.starts_with("PUT "));
    assert_eq!(put.unwrap().body.as_deref(), Some(LAYER));
}

/// What was pushed to a second repository, after the first was given the same.
async fn pushed_to_a_sibling(client: &Registry, blobs: &[Blob]) -> Pushed {
    let sibling = "acme/jobs".parse().unwrap();
    client
        .push_blobs(&repository(), blobs, &nobody)
        .await
        .unwrap();
    client.push_blobs(&sibling, blobs, &nobody).await.unwrap()
}

#[tokio::test]
async fn what_a_sibling_repository_was_given_is_mounted_from_there() {
    let server = Server::start(|_, seen| match seen.line.split(' ').next().unwrap() {
        "HEAD" => reply(404),
        "POST" if seen.line.contains("mount=") => reply(201),
        "POST" => reply(202).header("location", "/upload"),
        _ => reply(201),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let layer = [blob(folder.path(), LAYER)];
    let client = registry(&server.url);
    let pushed = pushed_to_a_sibling(&client, &layer).await;
    assert_eq!((pushed.bytes, pushed.existing.len()), (0, 1));
    let lines = server.lines();
    assert_eq!(count(&server, "PUT"), 1, "{lines:?}");
    assert!(
        lines.last().unwrap().ends_with("from=acme%2Fapi"),
        "{lines:?}"
    );
    // Nothing is mounted from the repository itself.
    client
        .push_blobs(&repository(), &layer, &nobody)
        .await
        .unwrap();
    assert_eq!(count(&server, "PUT"), 2);
}

/// Pushes a blob to four repositories at the same time: how many of them have it then,
/// and how many PUTs and mounts the registry saw. It mounts if `mounts`, and refuses the
/// first PUT if `refuses`.
async fn pushed_to_four(mounts: bool, refuses: bool) -> (usize, usize, usize) {
    let puts = AtomicUsize::new(0);
    let server = Server::start(move |_, seen| match seen.line.split(' ').next().unwrap() {
        "HEAD" => reply(404),
        "POST" if mounts && seen.line.contains("mount=") => reply(201),
        "POST" => reply(202).header("location", "/upload"),
        _ if puts.fetch_add(1, Ordering::Relaxed) == 0 && refuses => refuse(403, "DENIED", ""),
        _ => reply(201),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let layer = [blob(folder.path(), LAYER)];
    let client = registry(&server.url);
    let siblings = ["team/a", "team/b", "team/c", "team/d"].map(|name| name.parse().unwrap());
    let pushes = siblings
        .iter()
        .map(|sibling| client.push_blobs(sibling, &layer, &nobody));
    let pushed = join_all(pushes).await;
    let mounted = |line: &&String| line.contains("mount=");
    let mounts = server.lines().iter().filter(mounted).count();
    let done = pushed.iter().filter(|pushed| pushed.is_ok()).count();
    (done, count(&server, "PUT"), mounts)
}

#[tokio::test]
async fn what_siblings_are_given_at_the_same_moment_is_sent_once() {
    assert_eq!(pushed_to_four(true, false).await, (4, 1, 3));
    assert_eq!(pushed_to_four(true, true).await, (3, 2, 2));
    assert_eq!(pushed_to_four(false, false).await.0, 4);
    assert_eq!(pushed_to_four(false, true).await.0, 3);
}

/// What a registry is asked that mounts nothing and offers a place, by a push of a blob
/// that a sibling repository has.
async fn asked_of_one_that_offers(put_there: fn() -> Reply) -> Vec<String> {
    let server = Server::start(move |_, seen| match seen.line.split(' ').next().unwrap() {
        "HEAD" => reply(404),
        "POST" if seen.line.contains("mount=") => reply(202).header("location", "/offered"),
        "POST" => reply(202).header("location", "/upload"),
        "PUT" if seen.line.contains("/offered") => put_there(),
        _ => reply(201),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let layer = [blob(folder.path(), LAYER)];
    let client = registry(&server.url);
    let pushed = pushed_to_a_sibling(&client, &layer).await;
    assert_eq!(pushed.bytes, LAYER.len() as u64);
    server.lines()
}

#[tokio::test]
async fn a_mount_that_is_refused_goes_on_as_an_upload_at_the_place_that_is_offered() {
    // As ECR, unless the account setting `BLOB_MOUNTING` is on.
    let lines = asked_of_one_that_offers(|| reply(201)).await;
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert!(lines[5].starts_with("PUT /offered?digest="), "{lines:?}");
}

#[tokio::test]
async fn a_place_that_is_none_when_it_is_used_costs_a_request_and_not_the_push() {
    let lines = asked_of_one_that_offers(|| refuse(404, "BLOB_UPLOAD_UNKNOWN", "")).await;
    let last = lines.last().unwrap();
    assert!(last.starts_with("PUT /upload?digest="), "{lines:?}");
}

#[tokio::test]
async fn a_token_for_a_mount_reads_the_source_too() {
    let server = Server::start(|_, seen| {
        if seen.line.starts_with("GET /token") {
            return reply(200).body(r#"{"token":"let-me-in"}"#);
        }
        if seen.header("authorization") != "Bearer let-me-in" {
            return reply(401).header("www-authenticate", r#"Bearer realm="/token""#);
        }
        match seen.line.split(' ').next().unwrap() {
            "HEAD" => reply(404),
            _ => reply(201),
        }
    })
    .await;
    let layer = [layer_of(&server.url)];
    let client = registry(&server.url);
    client
        .push_blobs(&repository(), &layer, &nobody)
        .await
        .unwrap();
    let asked = "scope=repository%3Aacme%2Fapi%3Apull%2Cpush&scope=repository%3Ateam%2Fbase%3Apull";
    let lines = server.lines();
    assert!(lines.iter().any(|line| line.ends_with(asked)), "{lines:?}");
}
