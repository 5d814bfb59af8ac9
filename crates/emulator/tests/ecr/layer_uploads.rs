//! Uploads in all their forms, with ECR's deviations.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci::Digest;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

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

#[tokio::test]
async fn the_json_api_uploads_checks_and_downloads_a_layer() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let name = json!({ "repositoryName": REPOSITORY });
    let with = |extra: Value| {
        let mut body = name.clone();
        for (key, value) in extra.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    };
    let upload = served.call("InitiateLayerUpload", name.clone()).await;
    let id = upload["uploadId"].as_str().unwrap();
    let part = |first: u64, bytes: &[u8]| {
        with(json!({
            "uploadId": id, "partFirstByte": first, "partLastByte": first + bytes.len() as u64 - 1,
            "layerPartBlob": STANDARD.encode(bytes),
        }))
    };
    let first = vec![b'1'; SMALLEST_PART];
    let sent = served.call("UploadLayerPart", part(0, &first)).await;
    assert_eq!(sent["lastByteReceived"], 5_242_879);
    let (code, _) = served.refusal("UploadLayerPart", part(0, b"lay")).await;
    assert_eq!(code, "InvalidLayerPartException");
    served
        .call("UploadLayerPart", part(5_242_880, b"layer"))
        .await;
    let layer = [first, b"layer".to_vec()].concat();
    let digest = Digest::of(&layer);
    let end = with(json!({ "uploadId": id, "layerDigests": [digest] }));
    assert_eq!(
        served.call("CompleteLayerUpload", end).await["layerDigest"],
        json!(digest)
    );

    let absent = Digest::of(b"absent");
    let check = with(json!({ "layerDigests": [digest, absent, "nonsense"] }));
    let check = served.call("BatchCheckLayerAvailability", check).await;
    assert_eq!(check["layers"][0]["layerSize"], layer.len());
    assert_eq!(check["layers"][1]["layerAvailability"], "UNAVAILABLE");
    assert_eq!(check["failures"][0]["failureCode"], "InvalidLayerDigest");

    let wanted = with(json!({ "layerDigest": digest }));
    let url = served.call("GetDownloadUrlForLayer", wanted).await["downloadUrl"].clone();
    let url = url.as_str().unwrap();
    let given = served.client.get(url).send().await.unwrap();
    assert_eq!(given.bytes().await.unwrap(), layer);
    let forged = url.replace(&digest.to_string(), &absent.to_string());
    let forged = served.client.get(forged).send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    served.advance(3_601).await;
    let late = served.client.get(url).send().await.unwrap();
    assert_eq!(late.status(), StatusCode::FORBIDDEN);
}
