//! Uploads to registries that fail, lie, wander off or stand still.

use std::sync::Mutex;
use std::time::Duration;

use oci::{Digest, ErrorCode};
use registry::{Event, Options, Pushed, RegistryError, Step};
use tempfile::TempDir;

use crate::scripted::{Reply, Seen, Server, refuse, reply};
use crate::{blob, nobody, options, registry, registry_with, repository};

pub(crate) const PLACE: &str = "/v2/acme/api/blobs/uploads/1";

async fn push(url: &str) -> Result<Pushed, RegistryError> {
    let folder = TempDir::new().unwrap();
    let layer = blob(folder.path(), b"layer");
    registry(url)
        .push_blobs(&repository(), &[layer], &nobody)
        .await
}

/// The plain answers; `None` for the PUT, which is the test's.
fn plain(seen: &Seen) -> Option<Reply> {
    match seen.line.split(' ').next().unwrap() {
        "HEAD" => Some(reply(404)),
        "POST" => Some(reply(202).header("location", PLACE)),
        _ => None,
    }
}

pub(crate) fn count(server: &Server, method: &str) -> usize {
    server
        .lines()
        .iter()
        .filter(|line| line.starts_with(method))
        .count()
}

#[tokio::test]
async fn an_outage_is_tried_again_with_a_new_upload() {
    let server = Server::start(|turn, seen| {
        plain(seen).unwrap_or_else(|| if turn < 7 { reply(500) } else { reply(201) })
    })
    .await;
    let folder = TempDir::new().unwrap();
    let layer = blob(folder.path(), b"layer");
    let retries = Mutex::new(0);
    let watch = |event| {
        if matches!(event, Event::Retrying { .. }) {
            *retries.lock().unwrap() += 1;
        }
    };
    let client = registry(&server.url);
    client
        .push_blobs(&repository(), &[layer], &watch)
        .await
        .unwrap();
    // HEAD, (POST, PUT 500), (HEAD, POST, PUT 500), (HEAD, POST, PUT 201)
    assert_eq!((count(&server, "POST"), count(&server, "PUT")), (3, 3));
    assert_eq!(*retries.lock().unwrap(), 2);
}

#[tokio::test]
async fn an_upload_whose_answer_was_lost_is_not_sent_again() {
    let server = Server::start(|turn, seen| match plain(seen) {
        Some(_) if turn == 3 => reply(200).header("content-length", 5),
        Some(answer) => answer,
        None => reply(502),
    })
    .await;
    push(&server.url).await.unwrap();
    assert_eq!(count(&server, "PUT"), 1);
}

#[tokio::test]
async fn an_outage_without_end_ends() {
    let server = Server::start(|_, _| reply(503)).await;
    let error = push(&server.url).await.unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(server.lines().len(), 4);
}

#[tokio::test]
async fn too_many_requests_are_tried_again_when_the_registry_says() {
    let options = Options {
        // Without `Retry-After: 0` this would take a minute.
        first_wait: Duration::from_mins(1),
        longest_wait: Duration::from_mins(1),
        ..options()
    };
    let server = Server::start(|turn, _| match turn {
        0 => refuse(429, "TOOMANYREQUESTS", "slow down").header("retry-after", 0),
        _ => reply(200),
    })
    .await;
    let folder = TempDir::new().unwrap();
    let layer = blob(folder.path(), b"");
    let client = registry_with(&server.url, options);
    client
        .push_blobs(&repository(), &[layer], &nobody)
        .await
        .unwrap();
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn a_denial_is_never_tried_again() {
    let sentence = "User: arn is not authorized to perform: ecr:InitiateLayerUpload";
    let server = Server::start(move |_, seen| {
        if seen.line.starts_with("HEAD") {
            reply(404)
        } else {
            refuse(403, "DENIED", sentence)
        }
    })
    .await;
    let error = push(&server.url).await.unwrap_err();
    assert!(error.is_denial());
    assert!(error.to_string().contains(sentence), "{error}");
    let RegistryError::Refused(refusal) = &error else {
        panic!("{error}")
    };
    assert_eq!((refusal.step, refusal.status), (Step::StartUpload, 403));
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn refusals_that_are_not_denials_are_not_tried_again_either() {
    let server = Server::start(|_, seen| {
        if seen.line.starts_with("HEAD") {
            reply(404)
        } else {
            refuse(
                404,
                "NAME_UNKNOWN",
                "The repository with name 'acme/api' does not exist",
            )
        }
    })
    .await;
    let error = push(&server.url).await.unwrap_err();
    assert!(error.has_code(&ErrorCode::NameUnknown) && !error.is_denial());
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn an_expired_login_is_told_from_a_denial() {
    let expired = "Your authorization token has expired. Reauthenticate and try again.";
    let server = Server::start(move |_, seen| {
        if seen.line.starts_with("HEAD") {
            reply(404)
        } else {
            refuse(403, "DENIED", expired)
        }
    })
    .await;
    let error = push(&server.url).await.unwrap_err();
    assert!(
        matches!(error, RegistryError::AuthorizationExpired(_)),
        "{error}"
    );
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn a_location_on_another_host_gets_the_bytes_but_not_the_login() {
    let storage = Server::start(|_, _| reply(201)).await;
    let place = format!("{}/bucket?signature=abc", storage.url);
    let server = Server::start(move |_, seen| {
        if seen.line.starts_with("HEAD") {
            reply(404)
        } else {
            reply(202).header("location", &place)
        }
    })
    .await;
    push(&server.url).await.unwrap();
    let stored = &storage.seen()[0];
    let digest = Digest::of(b"layer").to_string().replace(':', "%3A");
    assert_eq!(
        stored.line,
        format!("PUT /bucket?signature=abc&digest={digest}")
    );
    assert_eq!(stored.header("authorization"), "");
    assert_eq!(stored.body.as_deref(), Some(b"layer".as_slice()));
    assert_eq!(stored.header("content-length"), "5");
    assert!(
        server
            .seen()
            .iter()
            .all(|seen| seen.header("authorization").starts_with("Basic "))
    );
}

#[tokio::test]
async fn an_unprotected_missing_or_absurd_location_is_not_followed() {
    for location in [None, Some("http://storage.example/"), Some("http://")] {
        let server =
            Server::start(
                move |_, seen| match (seen.line.starts_with("HEAD"), location) {
                    (true, _) => reply(404),
                    (false, Some(location)) => reply(202).header("location", location),
                    (false, None) => reply(202),
                },
            )
            .await;
        let error = push(&server.url).await.unwrap_err();
        assert!(matches!(error, RegistryError::Protocol { .. }), "{error}");
        assert_eq!(server.lines().len(), 2);
    }
}

#[tokio::test]
async fn a_registry_that_states_another_digest_or_size_is_caught() {
    let server = Server::start(|_, _| reply(200).header("content-length", 4)).await;
    let error = push(&server.url).await.unwrap_err();
    assert!(error.to_string().contains("has 4 bytes, not 5"), "{error}");

    let other = Digest::of(b"other");
    let server = Server::start(move |_, seen| {
        plain(seen).unwrap_or_else(|| reply(201).header("docker-content-digest", other))
    })
    .await;
    let error = push(&server.url).await.unwrap_err();
    assert!(
        matches!(error, RegistryError::DigestMismatch { actual, .. } if actual == other),
        "{error}"
    );
    assert_eq!(count(&server, "PUT"), 1);
}

#[tokio::test]
async fn a_redirect_of_the_question_means_that_the_blob_is_there() {
    let server = Server::start(|_, _| reply(307).header("location", "https://s3.example/")).await;
    assert_eq!(push(&server.url).await.unwrap().existing.len(), 1);
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn where_a_whole_put_is_unsupported_a_patch_goes_first_and_201_is_as_good_as_202() {
    for status in [201, 202] {
        let server = Server::start(move |_, seen| {
            let is_whole = seen.body.as_ref().is_some_and(|body| !body.is_empty());
            match (seen.line.split(' ').next().unwrap(), is_whole) {
                ("PUT", true) => refuse(405, "UNSUPPORTED", "PATCH first"),
                ("PUT", false) => reply(201),
                ("PATCH", true) => reply(status).header("range", "0-0").header("location", "2"),
                _ => plain(seen).unwrap(),
            }
        })
        .await;
        push(&server.url).await.unwrap();
        let digest = Digest::of(b"layer").to_string().replace(':', "%3A");
        let lines = server.lines();
        assert_eq!(
            lines[3..5],
            [
                format!("POST {}", "/v2/acme/api/blobs/uploads/"),
                format!("PATCH {PLACE}")
            ]
        );
        assert_eq!(
            lines[5],
            format!("PUT /v2/acme/api/blobs/uploads/2?digest={digest}")
        );
        assert_eq!(lines.len(), 6);
    }
}

#[tokio::test]
async fn the_probe_starts_an_upload_and_cancels_it() {
    for status in [204, 405] {
        let server =
            Server::start(move |_, seen| plain(seen).unwrap_or_else(|| reply(status))).await;
        registry(&server.url)
            .start_and_cancel_upload(&repository())
            .await
            .unwrap();
        assert_eq!(
            server.lines(),
            [
                "POST /v2/acme/api/blobs/uploads/".to_owned(),
                format!("DELETE {PLACE}")
            ]
        );
    }
}

#[tokio::test]
async fn the_probe_of_somebody_who_may_not_push_is_denied_at_once() {
    let server = Server::start(|_, _| refuse(403, "DENIED", "no")).await;
    let error = registry(&server.url)
        .start_and_cancel_upload(&repository())
        .await
        .unwrap_err();
    assert!(error.is_denial());
    assert_eq!(server.lines().len(), 1);
}
