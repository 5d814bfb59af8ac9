//! Layers through the JSON API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci::{Digest, media_type};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::served::{OTHER, REPOSITORY, Served};

const MEBIBYTE: usize = 1024 * 1024;

/// A body about [`REPOSITORY`] with further members.
fn with(extra: Value) -> Value {
    let mut body = extra;
    body["repositoryName"] = json!(REPOSITORY);
    body
}

fn part(id: &str, first: u64, bytes: &[u8]) -> Value {
    with(json!({
        "uploadId": id, "partFirstByte": first, "partLastByte": first + bytes.len() as u64 - 1,
        "layerPartBlob": STANDARD.encode(bytes),
    }))
}

async fn begin(served: &Served) -> String {
    let upload = served.call("InitiateLayerUpload", with(json!({}))).await;
    assert_eq!(upload["partSize"], 10_485_760);
    upload["uploadId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_layer_comes_in_parts_that_follow_each_other() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let id = begin(&served).await;
    let first = vec![b'a'; 5 * MEBIBYTE];
    let sent = served.call("UploadLayerPart", part(&id, 0, &first)).await;
    assert_eq!(sent["lastByteReceived"], 5 * MEBIBYTE - 1);
    let (status, answer) = served
        .call_as(
            &served.administrator,
            "UploadLayerPart",
            part(&id, 0, &first),
        )
        .await;
    assert_eq!(
        (status, &answer["__type"]),
        (400, &json!("InvalidLayerPartException"))
    );
    assert_eq!(answer["registryId"], "123456789012");
    assert_eq!(answer["repositoryName"], REPOSITORY);
    assert_eq!(answer["uploadId"], id);
    assert_eq!(answer["lastValidByteReceived"], 5 * MEBIBYTE - 1);
    served
        .call("UploadLayerPart", part(&id, 5 << 20, b"end"))
        .await;
    let digest = Digest::of(&[first.as_slice(), b"end"].concat());
    let end = |id: &str| with(json!({ "uploadId": id, "layerDigests": [digest] }));
    let ended = served.call("CompleteLayerUpload", end(&id)).await;
    assert_eq!(ended["layerDigest"], json!(digest));
    let (code, _) = served.refusal("CompleteLayerUpload", end(&id)).await;
    assert_eq!(code, "UploadNotFoundException");

    let again = begin(&served).await;
    let whole = [first.as_slice(), b"end"].concat();
    served
        .call("UploadLayerPart", part(&again, 0, &whole))
        .await;
    let (code, _) = served.refusal("CompleteLayerUpload", end(&again)).await;
    assert_eq!(code, "LayerAlreadyExistsException");
}

#[tokio::test]
async fn what_is_no_whole_layer_is_refused_with_the_exceptions_of_the_model() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let digest = Digest::of(b"layer");
    let end = |id: &str| with(json!({ "uploadId": id, "layerDigests": [digest] }));
    let id = begin(&served).await;
    let (code, _) = served.refusal("CompleteLayerUpload", end(&id)).await;
    assert_eq!(code, "EmptyUploadException");
    served.call("UploadLayerPart", part(&id, 0, b"lay")).await;
    served.call("UploadLayerPart", part(&id, 3, b"er")).await;
    let (code, message) = served.refusal("CompleteLayerUpload", end(&id)).await;
    assert_eq!(code, "LayerPartTooSmallException");
    assert_eq!(
        message,
        "All layer parts except the last part should be at least 5MB"
    );

    let id = begin(&served).await;
    served.call("UploadLayerPart", part(&id, 0, b"other")).await;
    let (code, _) = served.refusal("CompleteLayerUpload", end(&id)).await;
    assert_eq!(code, "InvalidLayerException");

    let huge = with(json!({
        "uploadId": id, "partFirstByte": 0, "partLastByte": 20_971_520,
        "layerPartBlob": STANDARD.encode(vec![0; 20_971_521 + 3]),
    }));
    let (code, message) = served.refusal("UploadLayerPart", huge).await;
    assert_eq!(code, "InvalidParameterException");
    assert!(
        message.contains("less than or equal to 20971520"),
        "{message}"
    );
    let mut elsewhere = part(&id, 0, b"x");
    elsewhere["repositoryName"] = json!(OTHER);
    let (code, _) = served.refusal("UploadLayerPart", elsewhere).await;
    assert_eq!(code, "UploadNotFoundException");
}

#[tokio::test]
async fn layers_are_checked_and_downloaded_once_an_image_has_them() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let config = docker.upload(REPOSITORY, b"{}").await;
    let layer = docker.upload(REPOSITORY, b"layer").await;
    let (digest, absent) = (layer.digest, Digest::of(b"absent"));
    let check = with(json!({ "layerDigests": [digest, absent, "nonsense", ""] }));
    let check = served.call("BatchCheckLayerAvailability", check).await;
    assert_eq!(check["layers"][0]["layerAvailability"], "AVAILABLE");
    assert_eq!(check["layers"][0]["layerSize"], 5);
    assert_eq!(check["layers"][1]["layerAvailability"], "UNAVAILABLE");
    assert_eq!(check["failures"][0]["failureCode"], "InvalidLayerDigest");
    assert_eq!(check["failures"][1]["failureCode"], "MissingLayerDigest");

    let wanted = with(json!({ "layerDigest": digest }));
    let refused = served
        .refusal("GetDownloadUrlForLayer", wanted.clone())
        .await;
    assert_eq!(refused.0, "LayerInaccessibleException");
    let missing = with(json!({ "layerDigest": absent }));
    let refused = served.refusal("GetDownloadUrlForLayer", missing).await;
    assert_eq!(refused.0, "LayersNotFoundException");

    let manifest = crate::served::manifest(config, &layer);
    assert!(manifest.contains(media_type::MANIFEST));
    let put = docker.put_manifest(REPOSITORY, "v1", &manifest).await;
    assert_eq!(put.status(), StatusCode::CREATED);
    let given = served.call("GetDownloadUrlForLayer", wanted).await;
    let url = given["downloadUrl"].as_str().unwrap();
    let given = served.client.get(url).send().await.unwrap();
    assert_eq!(given.text().await.unwrap(), "layer");
    let forged = url.replace(&digest.to_string(), &absent.to_string());
    let forged = served.client.get(forged).send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    served.advance(3_601).await;
    let late = served.client.get(url).send().await.unwrap();
    assert_eq!(late.status(), StatusCode::FORBIDDEN);
}
