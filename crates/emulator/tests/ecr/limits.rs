//! Foreign input that no client of good will sends.

use std::io::Write as _;
use std::net::TcpStream;

use oci::Digest;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::served::{OTHER, REPOSITORY, Served, header, refused};

#[tokio::test]
async fn odd_names_and_climbing_paths_touch_nothing() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    for path in [
        "/v2/%2e%2e%2f%2e%2e/manifests/v1",
        "/v2/App/manifests/v1",
        "/v2/portfolio/backend/blobs/sha256:..%2f..%2fstate.redb",
        "/v2/portfolio/backend/blobs/uploads/..%2f..%2fstate.redb",
        "/v2/portfolio/backend/manifests/%00",
    ] {
        let answer = docker.get(path).await;
        assert!(
            answer.status().is_client_error(),
            "{path}: {}",
            answer.status()
        );
        refused(answer).await;
    }
    let (status, code, message) = refused(docker.get("/v2/none/manifests/v1").await).await;
    assert_eq!((status, code.as_str()), (404, "NAME_UNKNOWN"));
    assert_eq!(
        message,
        "The repository with name 'none' does not exist in the registry with id '123456789012'"
    );
}

#[tokio::test]
async fn a_manifest_beyond_four_mebibytes_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let body = " ".repeat(4 * 1024 * 1024 + 1);
    let (status, code, _) = refused(docker.put_manifest(REPOSITORY, "v1", &body).await).await;
    assert_eq!((status, code.as_str()), (413, "SIZE_INVALID"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_breaks_off_is_forgotten_and_the_upload_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let start = format!("/v2/{REPOSITORY}/blobs/uploads/");
    let started = docker.request(Method::POST, &start).send().await.unwrap();
    let place = header(&started, "location");
    let path = place.strip_prefix(&served.base).unwrap();
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\ncontent-length: 100\r\n\r\nlost",
        served.host(),
        docker.login
    );
    let mut broken = TcpStream::connect(served.host()).unwrap();
    broken.write_all(head.as_bytes()).unwrap();
    drop(broken);
    // The broken request may hold the upload, or come to hold it; it lets go when
    // it sees the end of its connection.
    let when_free = async |method: Method, path: &str, body: &'static str| loop {
        let request = docker.request(method.clone(), path).body(body);
        let answer = request.send().await.unwrap();
        if answer.status() != StatusCode::CONFLICT {
            break answer;
        }
    };
    let sent = when_free(Method::PATCH, &place, "kept").await;
    assert_eq!(sent.status(), StatusCode::CREATED);
    let end = format!("{place}?digest={}", Digest::of(b"kept"));
    let ended = when_free(Method::PUT, &end, "").await;
    assert_eq!(ended.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn an_image_has_a_thousand_tags_at_most() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let manifest = docker.push(OTHER, "v0", "one").await;
    let put = |number: usize| {
        let body = json!({
            "repositoryName": OTHER, "imageManifest": manifest, "imageTag": format!("v{number}"),
        });
        served.call_as(&served.administrator, "PutImage", body)
    };
    for hundred in 0..10 {
        let numbers = (hundred * 100).max(1)..(hundred + 1) * 100;
        for (status, answer) in futures_util::future::join_all(numbers.map(put)).await {
            assert_eq!(status, 200, "{answer}");
        }
    }
    let (_, answer) = put(1_000).await;
    assert_eq!(answer["__type"], "LimitExceededException");
    // A tag that moves away makes room.
    docker.push(OTHER, "v7", "two").await;
    assert_eq!(put(1_000).await.0, 200);
}
