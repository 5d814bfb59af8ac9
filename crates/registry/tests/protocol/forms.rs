//! The forms of an upload: in one request, in two, in chunks that are kept.

use std::sync::{Arc, Mutex};

use oci::Digest;
use registry::{BlobContent, Options, Pushed, RegistryError};
use tempfile::TempDir;
use tokio::sync::Barrier;

use crate::scripted::{Reply, Seen, Server, refuse, reply};
use crate::uploads::{PLACE, count};
use crate::{blob, nobody, options, registry_with, repository};

const MIB: usize = 1024 * 1024;

async fn push(url: &str, options: Options, sizes: &[usize]) -> Result<Pushed, RegistryError> {
    let folder = TempDir::new().unwrap();
    let blobs: Vec<_> = sizes
        .iter()
        .map(|size| blob(folder.path(), &bytes(*size)))
        .collect();
    registry_with(url, options)
        .push_blobs(&repository(), &blobs, &nobody)
        .await
}

/// Different bytes for each size, so that their order counts.
fn bytes(size: usize) -> Vec<u8> {
    (0..size)
        .map(|place| u8::try_from(place % 251).unwrap())
        .collect()
}

fn small() -> Options {
    Options {
        whole: 1000,
        parallel: 1,
        asked: 1,
        ..options()
    }
}

#[tokio::test]
async fn a_small_blob_is_sent_in_one_request() {
    let server = Server::start(|_, seen| {
        if seen.line.starts_with("HEAD") {
            reply(404)
        } else {
            reply(201)
        }
    })
    .await;
    push(&server.url, small(), &[5]).await.unwrap();
    let digest = Digest::of(&bytes(5)).to_string().replace(':', "%3A");
    let post = format!("POST /v2/acme/api/blobs/uploads/?digest={digest}");
    assert_eq!(server.lines()[1..], [post]);
    assert_eq!(server.seen()[1].body.as_deref(), Some(&bytes(5)[..]));
}

#[tokio::test]
async fn a_registry_that_takes_no_blob_in_one_request_is_asked_to_once() {
    // A place that it gives on the way is used.
    for (answer, posts) in [(202, 3), (400, 4), (405, 4)] {
        let server = Server::start(move |_, seen| {
            match (
                seen.line.split(' ').next().unwrap(),
                seen.line.contains("digest="),
            ) {
                ("HEAD", _) => reply(404),
                ("POST", true) => reply(answer).header("location", "/elsewhere"),
                ("POST", false) => reply(202).header("location", PLACE),
                _ => reply(201),
            }
        })
        .await;
        push(&server.url, small(), &[5, 6, 7]).await.unwrap();
        assert_eq!(
            (count(&server, "POST"), count(&server, "PUT")),
            (posts, 3),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_denial_of_a_small_blob_is_no_reason_to_try_another_form() {
    let server = Server::start(|_, seen| {
        if seen.line.starts_with("HEAD") {
            reply(404)
        } else {
            refuse(403, "DENIED", "no")
        }
    })
    .await;
    let error = push(&server.url, small(), &[5]).await.unwrap_err();
    assert!(error.is_denial());
    assert_eq!(count(&server, "POST"), 1);
}

/// A registry that keeps chunks, and fails at some requests.
async fn keeping(fails: impl Fn(usize) -> bool + Send + Sync + 'static) -> (Server, Kept) {
    let kept: Kept = Arc::default();
    let shared = Arc::clone(&kept);
    let server = Server::start(move |turn, seen| {
        let mut kept = shared.lock().unwrap();
        answer(&mut kept, fails(turn), seen)
    })
    .await;
    (server, kept)
}

type Kept = Arc<Mutex<Vec<u8>>>;

fn answer(kept: &mut Vec<u8>, fails: bool, seen: &Seen) -> Reply {
    let progress = |status, kept: &Vec<u8>| {
        let range = format!("0-{}", kept.len().saturating_sub(1));
        reply(status)
            .header("range", range)
            .header("location", PLACE)
    };
    match seen.line.split(' ').next().unwrap() {
        "HEAD" => reply(404),
        "POST" => reply(202).header("location", PLACE),
        "PATCH" => {
            let first: usize = seen
                .header("content-range")
                .split_once('-')
                .unwrap()
                .0
                .parse()
                .unwrap();
            assert_eq!(first, kept.len(), "nothing is sent twice");
            let body = seen.body.as_ref().unwrap();
            // A failure keeps half of what it got.
            let part = if fails { body.len() / 2 } else { body.len() };
            kept.extend_from_slice(&body[..part]);
            if fails {
                reply(502)
            } else {
                progress(202, kept)
            }
        }
        "GET" => progress(204, kept),
        _ if seen
            .line
            .ends_with(&Digest::of(kept).to_string().replace(':', "%3A")) =>
        {
            reply(201)
        }
        _ => refuse(400, "DIGEST_INVALID", ""),
    }
}

fn chunked() -> Options {
    Options {
        resumable: 2 * MIB as u64,
        chunk: MIB as u64,
        ..options()
    }
}

#[tokio::test]
async fn a_large_blob_goes_on_where_its_upload_broke() {
    // HEAD, POST, PATCH, and then two of three chunks break.
    let (server, kept) = keeping(|turn| turn > 2 && turn % 3 != 0).await;
    let size = 5 * MIB + 7;
    let pushed = push(&server.url, chunked(), &[size]).await.unwrap();
    assert_eq!(pushed.bytes, size as u64);
    assert_eq!(*kept.lock().unwrap(), bytes(size));
    assert_eq!((count(&server, "POST"), count(&server, "PUT")), (1, 1));
    assert!(count(&server, "GET") > 1);
}

#[tokio::test]
async fn chunks_that_are_throttled_are_no_failed_tries() {
    // Two requests pass, two do not; nothing is tried again but for that.
    let kept: Kept = Arc::default();
    let shared = Arc::clone(&kept);
    let server = Server::start(move |turn, seen| {
        if turn > 2 && turn % 4 > 1 {
            return refuse(429, "TOOMANYREQUESTS", "slow down");
        }
        answer(&mut shared.lock().unwrap(), false, seen)
    })
    .await;
    let options = Options {
        retries: 0,
        ..chunked()
    };
    let pushed = push(&server.url, options, &[3 * MIB]).await.unwrap();
    assert_eq!(pushed.bytes, 3 * MIB as u64);
    assert_eq!(*kept.lock().unwrap(), bytes(3 * MIB));
    assert_eq!(count(&server, "POST"), 1);
}

#[tokio::test]
async fn a_registry_that_does_not_say_what_arrived_gets_the_blob_in_one_request() {
    // As ECR: 201, and a range that stays where it is.
    let server = Server::start(|_, seen| match seen.line.split(' ').next().unwrap() {
        "HEAD" => reply(404),
        "POST" => reply(202).header("location", PLACE),
        "PATCH" => reply(201).header("range", "0-1").header("location", PLACE),
        "DELETE" => reply(204),
        _ => reply(201),
    })
    .await;
    let options = Options {
        parallel: 1,
        ..chunked()
    };
    push(&server.url, options, &[3 * MIB, 4 * MIB])
        .await
        .unwrap();
    assert_eq!((count(&server, "PATCH"), count(&server, "PUT")), (1, 2));
    assert_eq!(count(&server, "DELETE"), 1);
    let seen = server.seen();
    let last = seen.last().unwrap();
    assert_eq!(last.body.as_deref(), Some(&bytes(4 * MIB)[..]));
}

#[tokio::test]
async fn an_upload_that_never_gets_further_ends() {
    let (server, _) = keeping(|turn| turn > 2).await;
    let options = Options {
        retries: 0,
        ..chunked()
    };
    let error = push(&server.url, options, &[3 * MIB]).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
}

#[tokio::test]
async fn an_upload_that_is_lost_again_and_again_ends() {
    // It takes the first chunk each time, refuses the second, and has nothing then.
    let server = Server::start(|_, seen| match seen.line.split(' ').next().unwrap() {
        "HEAD" => reply(404),
        "PATCH" if seen.header("content-range").starts_with("0-") => reply(202)
            .header("range", format!("0-{}", MIB - 1))
            .header("location", PLACE),
        "PATCH" => reply(503),
        "GET" => reply(204).header("range", "0-0"),
        _ => reply(202).header("location", PLACE),
    })
    .await;
    let options = Options {
        retries: 2,
        ..chunked()
    };
    let error = push(&server.url, options, &[3 * MIB]).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    // The first and a refusal, and both again for each retry.
    assert_eq!(count(&server, "PATCH"), 6, "{:?}", server.lines());
}

#[tokio::test]
async fn an_upload_that_the_registry_forgets_is_sent_in_one_request() {
    // As after a restart: the next chunk finds nothing, or breaks off and is then asked for.
    for broken in [404, 502] {
        let server = Server::start(move |_, seen| match seen.line.split(' ').next().unwrap() {
            "HEAD" => reply(404),
            "PATCH" if seen.header("content-range").starts_with("0-") => reply(202)
                .header("range", format!("0-{}", MIB - 1))
                .header("location", PLACE),
            "PATCH" => refuse(broken, "BLOB_UPLOAD_INVALID", ""),
            "GET" => refuse(404, "BLOB_UPLOAD_INVALID", ""),
            "PUT" => reply(201),
            _ => reply(202).header("location", PLACE),
        })
        .await;
        push(&server.url, chunked(), &[3 * MIB]).await.unwrap();
        let last = server.seen().pop().unwrap();
        assert!(last.line.starts_with("PUT"), "{:?}", server.lines());
        assert_eq!(last.body.as_deref(), Some(&bytes(3 * MIB)[..]));
    }
}

#[tokio::test]
async fn blobs_that_come_one_after_the_other_are_each_sent_once() {
    let server = Server::start(|_, seen| match seen.line.split(' ').next().unwrap() {
        "HEAD" => reply(404),
        "POST" => reply(202).header("location", PLACE),
        _ => reply(201),
    })
    .await;
    let folder = TempDir::new().unwrap();
    let blobs = [1, 2, 1].map(|size| blob(folder.path(), &bytes(size)));
    let pushed = registry_with(&server.url, options())
        .push_stream(&repository(), futures_util::stream::iter(blobs), &nobody)
        .await
        .unwrap();
    assert_eq!((pushed.uploaded.len(), pushed.bytes), (2, 3));
}

#[tokio::test]
async fn a_large_file_that_is_not_its_blob_is_refused_and_named() {
    let (server, _) = keeping(|turn| turn == 3).await;
    let folder = TempDir::new().unwrap();
    let layer = blob(folder.path(), &bytes(5 * MIB));
    let BlobContent::File(path) = &layer.content else {
        panic!("it is in a file");
    };
    let mut other = bytes(5 * MIB);
    other[4 * MIB] ^= 1;
    fs_err::write(path, other).unwrap();
    let pushed = registry_with(&server.url, chunked())
        .push_blobs(&repository(), &[layer], &nobody)
        .await;
    let error = pushed.unwrap_err();
    assert!(matches!(error, RegistryError::Tampered { .. }), "{error}");
    assert_eq!(count(&server, "PUT"), 1);
}

#[tokio::test]
async fn small_blobs_do_not_wait_for_large_ones_and_are_asked_about_together() {
    let begun = Arc::new(Mutex::new(0));
    let (counted, gate) = (Arc::clone(&begun), Arc::new(Barrier::new(12)));
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let (counted, gate) = (Arc::clone(&counted), Arc::clone(&gate));
        async move {
            assert_eq!(request.method(), "HEAD");
            *counted.lock().unwrap() += 1;
            // Nobody is answered before all have asked.
            gate.wait().await;
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    let sizes: Vec<_> = (1..=12).collect();
    let pushed = push(&url, options(), &sizes).await.unwrap_err();
    // HEAD answers of this registry have no length of a blob.
    assert!(matches!(pushed, RegistryError::Protocol { .. }), "{pushed}");
    assert_eq!(*begun.lock().unwrap(), 12);
}
