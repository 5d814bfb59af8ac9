//! The workflow "push": blobs mounted from another repository.

use emulator::RegistryBehaviour;
use oci::{Descriptor, Digest, media_type};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::served::{REPOSITORY, header};
use crate::side::{NAME, Side, with_headers};

const LOCATION: [(&str, &str); 1] = [("location", "location")];

/// Asks for a blob of `NAME` in `REPOSITORY`.
async fn mount(side: &Side, digest: &Digest, from: &str) -> Response {
    let path = format!("/v2/{REPOSITORY}/blobs/uploads/?mount={digest}{from}");
    side.send(Method::POST, &path).await
}

#[tokio::test]
async fn the_specification_mounts_what_is_there_and_ecr_nothing_unless_asked_to() {
    for side in Side::both().await {
        for (name, from) in [
            ("mount from a repository", format!("&from={NAME}")),
            ("mount from anywhere", String::new()),
        ] {
            let blob = side.push_blob(name.as_bytes()).await;
            let answer = mount(&side, &blob.digest, &from).await;
            side.expect(name, &with_headers(&answer, &LOCATION));
            if answer.status() == StatusCode::CREATED {
                let digest = header(&answer, "docker-content-digest");
                assert_eq!(digest, blob.digest.to_string());
                let pulled = side.get(&header(&answer, "location")).await;
                assert_eq!(pulled.bytes().await.unwrap(), name.as_bytes());
            }
        }
        let absent = Digest::of(b"absent");
        for from in [
            String::new(),
            format!("&from={NAME}"),
            "&from=unknown".to_owned(),
        ] {
            let answer = mount(&side, &absent, &from).await;
            let seen = with_headers(&answer, &LOCATION);
            side.expect("mount of what is not there", &seen);
        }
        let answer = mount(&side, &absent, "&from=../etc").await;
        side.expect_answer("mount from no name", answer).await;
    }
}

/// The setting of an account that turns mounting on.
async fn enable(side: &Side) {
    let setting = json!({ "name": "BLOB_MOUNTING", "value": "ENABLED" });
    side.served.call("PutAccountSetting", setting).await;
}

#[tokio::test]
async fn ecr_mounts_when_asked_to_what_a_manifest_refers_to() {
    let side = Side::start(RegistryBehaviour::Ecr).await;
    enable(&side).await;
    let blob = side.push_blob(b"layer").await;
    let from = format!("&from={NAME}");
    let unreferenced = mount(&side, &blob.digest, &from).await;
    assert_eq!(unreferenced.status(), 202);
    side.push_manifest("v1", json!({ "layers": [blob] })).await;
    assert_eq!(mount(&side, &blob.digest, "").await.status(), 202);
    assert_eq!(mount(&side, &blob.digest, &from).await.status(), 201);
    let path = format!("/v2/{REPOSITORY}/blobs/{}", blob.digest);
    assert_eq!(side.get(&path).await.text().await.unwrap(), "layer");
}

#[tokio::test]
async fn ecr_mounts_only_between_repositories_that_are_encrypted_alike() {
    let side = Side::start(RegistryBehaviour::Ecr).await;
    enable(&side).await;
    let blob = side.push_blob(b"layer").await;
    side.push_manifest("v1", json!({ "layers": [blob] })).await;
    let repository = json!({
        "repositoryName": "secret",
        "encryptionConfiguration": { "encryptionType": "KMS" },
    });
    side.served.call("CreateRepository", repository).await;
    let path = format!(
        "/v2/secret/blobs/uploads/?mount={}&from={NAME}",
        blob.digest
    );
    assert_eq!(side.send(Method::POST, &path).await.status(), 202);
}

/// A policy that keeps `GetDownloadUrlForLayer` from everybody.
fn unreadable() -> Value {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": "ecr:GetDownloadUrlForLayer",
        }],
    });
    json!({ "repositoryName": NAME, "policyText": policy.to_string(), "force": true })
}

#[tokio::test]
async fn nothing_is_mounted_that_the_caller_may_not_read() {
    for side in Side::both().await {
        enable(&side).await;
        let blob = side.push_blob(b"layer").await;
        side.push_manifest("v1", json!({ "layers": [blob] })).await;
        side.served.call("SetRepositoryPolicy", unreadable()).await;
        for from in [format!("&from={NAME}"), String::new()] {
            let answer = mount(&side, &blob.digest, &from).await;
            let seen = with_headers(&answer, &LOCATION);
            side.expect("mount of what the caller may not read", &seen);
        }
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type::MANIFEST, "layers": [],
            "config": Descriptor::new(media_type::CONFIG, blob.digest, blob.size),
        });
        let path = format!("/v2/{REPOSITORY}/manifests/v1");
        let put = side.request(Method::PUT, &path);
        let put = put.header("content-type", media_type::MANIFEST);
        let put = put.body(manifest.to_string()).send().await.unwrap();
        side.expect_answer("manifest without its blobs", put).await;
    }
}
