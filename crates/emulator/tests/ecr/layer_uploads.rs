//! Uploads in all their forms, with ECR's deviations.

use oci::Digest;
use reqwest::{Method, StatusCode};

use crate::served::{OTHER, REPOSITORY, Served, header, refused};

/// The fewest bytes of a part that is not the last.
const SMALLEST_PART: usize = 5 * 1024 * 1024;

fn uploads_on_disk(data: &tempfile::TempDir) -> usize {
    fs_err::read_dir(data.path().join("state/uploads"))
        .unwrap()
        .count()
}

#[tokio::test]
async fn the_range_stands_still_at_the_first_chunk_and_a_resent_chunk_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let start = format!("/v2/{REPOSITORY}/blobs/uploads/");
    let started = docker.request(Method::POST, &start).send().await.unwrap();
    let place = header(&started, "location");
    assert!(place.starts_with("http://"), "{place}");
    let first = "1".repeat(SMALLEST_PART);
    for (range, chunk) in [("0-5242879", &*first), ("5242880-5242885", "second")] {
        let patch = docker
            .request(Method::PATCH, &place)
            .header("content-range", range);
        let sent = patch.body(chunk.to_owned()).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::CREATED);
        assert_eq!(header(&sent, "range"), "0-5242879");
    }
    let again = docker
        .request(Method::PATCH, &place)
        .header("content-range", "5242880-5242885");
    let again = again.body("second").send().await.unwrap();
    assert_eq!(again.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let status = docker.get(&place).await;
    assert_eq!(
        (status.status(), header(&status, "range")),
        (StatusCode::NO_CONTENT, "0-5242879".to_owned())
    );
    let whole = format!("{first}second");
    let end = format!("{place}?digest={}", Digest::of(whole.as_bytes()));
    let ended = docker.request(Method::PUT, &end).send().await.unwrap();
    assert_eq!(ended.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_wrong_digest_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let digest = Digest::of(b"announced");
    let path = format!("/v2/{REPOSITORY}/blobs/uploads/?digest={digest}");
    let sent = docker
        .request(Method::POST, &path)
        .body("others")
        .send()
        .await
        .unwrap();
    let sentence = "None of the provided layer digests match the calculated layer digest";
    let expected = (400, "BLOB_UPLOAD_INVALID".to_owned(), sentence.to_owned());
    assert_eq!(refused(sent).await, expected);
    assert_eq!(uploads_on_disk(&data), 0);
    for bytes in [b"announced".as_slice(), b"others"] {
        let blob = format!("/v2/{REPOSITORY}/blobs/{}", Digest::of(bytes));
        assert_eq!(docker.get(&blob).await.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_blob_may_come_in_one_request_and_a_mount_falls_back_to_an_upload() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let digest = Digest::of(b"whole");
    let path = format!("/v2/{OTHER}/blobs/uploads/?digest={digest}");
    let sent = docker
        .request(Method::POST, &path)
        .body("whole")
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), StatusCode::CREATED);

    let mount = format!("/v2/{REPOSITORY}/blobs/uploads/?mount={digest}&from={OTHER}");
    let mounted = docker.request(Method::POST, &mount).send().await.unwrap();
    assert_eq!(mounted.status(), StatusCode::ACCEPTED);
    let place = header(&mounted, "location");
    let cancelled = docker.request(Method::DELETE, &place).send().await.unwrap();
    assert_eq!(cancelled.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        refused(docker.get(&place).await).await.1,
        "BLOB_UPLOAD_UNKNOWN"
    );
    assert_eq!(uploads_on_disk(&data), 0);
}

#[tokio::test]
async fn an_upload_is_unknown_under_another_repository() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let start = format!("/v2/{REPOSITORY}/blobs/uploads/");
    let started = docker.request(Method::POST, &start).send().await.unwrap();
    let place = header(&started, "location").replace(REPOSITORY, OTHER);
    let patch = docker
        .request(Method::PATCH, &place)
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(refused(patch).await.1, "BLOB_UPLOAD_UNKNOWN");
}
