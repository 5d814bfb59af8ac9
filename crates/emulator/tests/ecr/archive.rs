//! The archive: what is in it is described and not pulled.

use oci::Digest;
use serde_json::{Value, json};

use crate::served::{OTHER, Served, refused};

fn move_to(class: &str) -> Value {
    json!({ "repositoryName": OTHER, "imageId": { "imageTag": "v1" }, "targetStorageClass": class })
}

async fn status(served: &Served) -> Value {
    let body = json!({ "repositoryName": OTHER, "imageIds": [{ "imageTag": "v1" }] });
    served.call("DescribeImages", body).await["imageDetails"][0].clone()
}

#[tokio::test]
async fn an_archived_image_cannot_be_pulled_until_it_is_restored() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let manifest = docker.push(OTHER, "v1", "layer").await;
    let digest = Digest::of(manifest.as_bytes()).to_string();
    let archived = served
        .call("UpdateImageStorageClass", move_to("ARCHIVE"))
        .await;
    assert_eq!(archived["imageStatus"], "ARCHIVED");
    assert_eq!(
        archived["imageId"],
        json!({ "imageDigest": digest, "imageTag": "v1" })
    );
    let detail = status(&served).await;
    assert_eq!(detail["imageStatus"], "ARCHIVED");
    assert!(detail["lastArchivedAt"].is_number());

    let pulled = docker.get(&format!("/v2/{OTHER}/manifests/v1")).await;
    assert_eq!(refused(pulled).await.0, 404);
    let ids = json!({ "repositoryName": OTHER, "imageIds": [{ "imageTag": "v1" }] });
    let got = served.call("BatchGetImage", ids).await;
    assert_eq!(got["failures"][0]["failureCode"], "ImageInaccessible");
    let layer = Digest::of(b"layer");
    let checked = json!({ "repositoryName": OTHER, "layerDigests": [layer] });
    let checked = served.call("BatchCheckLayerAvailability", checked).await;
    assert_eq!(checked["layers"][0]["layerAvailability"], "ARCHIVED");
    let listed = served
        .call("ListImages", json!({ "repositoryName": OTHER }))
        .await;
    assert_eq!(listed["imageIds"], json!([]));
    let all = json!({ "repositoryName": OTHER, "filter": { "imageStatus": "ANY" } });
    let listed = served.call("ListImages", all).await;
    assert_eq!(listed["imageIds"].as_array().unwrap().len(), 1);
    let (code, _) = served
        .refusal("UpdateImageStorageClass", move_to("ARCHIVE"))
        .await;
    assert_eq!(code, "ImageStorageClassUpdateNotSupportedException");
    let scan = json!({ "repositoryName": OTHER, "imageId": { "imageTag": "v1" } });
    let (code, _) = served.refusal("StartImageScan", scan).await;
    assert_eq!(code, "ImageArchivedException");

    let restoring = served
        .call("UpdateImageStorageClass", move_to("STANDARD"))
        .await;
    assert_eq!(restoring["imageStatus"], "ACTIVATING");
    served.advance(3_600).await;
    let detail = status(&served).await;
    assert_eq!(detail["imageStatus"], "ACTIVE");
    assert!(detail["lastActivatedAt"].is_number());
    let pulled = docker.get(&format!("/v2/{OTHER}/manifests/v1")).await;
    assert_eq!(pulled.text().await.unwrap(), manifest);
}

#[tokio::test]
async fn a_push_restores_an_archived_image_at_once() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let manifest = docker.push(OTHER, "v1", "layer").await;
    served
        .call("UpdateImageStorageClass", move_to("ARCHIVE"))
        .await;
    let put = json!({ "repositoryName": OTHER, "imageManifest": manifest, "imageTag": "v1" });
    served.call("PutImage", put.clone()).await;
    assert_eq!(status(&served).await["imageStatus"], "ACTIVE");
    let (code, _) = served.refusal("PutImage", put).await;
    assert_eq!(code, "ImageAlreadyExistsException");
}
