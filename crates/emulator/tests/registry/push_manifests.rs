//! The workflow "push": manifests of every kind.

use oci::{Descriptor, Digest, media_type};
use serde_json::{Value, json};

use crate::served::{REPOSITORY, header};
use crate::side::{NAME, Side, describe, with_headers};

/// What the suite pushes: members that make a manifest one of its kind.
fn kinds(layer: &Descriptor) -> Vec<Value> {
    let empty = json!({
        "mediaType": "application/vnd.oci.empty.v1+json", "size": 2,
        "digest": Digest::of(b"{}"), "data": "e30=",
    });
    let large: serde_json::Map<_, _> = (0..390)
        .map(|number| {
            (
                format!("large-annotation-{number}"),
                "A".repeat(10_000).into(),
            )
        })
        .collect();
    let elsewhere = json!({
        "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "digest": Digest::of(b"elsewhere"), "size": 123_456,
        "urls": ["https://store.example.com/blob"],
    });
    vec![
        json!({ "layers": [layer, layer] }),
        json!({ "layers": [] }),
        json!({ "annotations": large }),
        json!({ "config": empty, "artifactType": "application/vnd.example.v1", "layers": [layer] }),
        json!({ "config": empty, "artifactType": "application/vnd.example.v1", "layers": [empty] }),
        json!({ "layers": [elsewhere, layer] }),
        json!({ "org.example.custom": { "any": ["thing"] }, "layers": [layer] }),
        json!({ "config": { "mediaType": "application/vnd.unknown", "size": 2, "digest": Digest::of(b"{}") } }),
    ]
}

#[tokio::test]
async fn manifests_of_every_kind_are_stored_by_digest_and_by_tag() {
    const HEADERS: [(&str, &str); 2] = [
        ("location", "location"),
        ("docker-content-digest", "digest"),
    ];
    for side in Side::both().await {
        let layer = side.push_blob(b"layer").await;
        let mut last = String::new();
        for kind in kinds(&layer) {
            last = side.push_manifest("kind", kind).await;
            let digest = Digest::of(last.as_bytes()).to_string();
            let put = side.put(&digest, media_type::MANIFEST, &last).await;
            side.expect("manifest", &with_headers(&put, &HEADERS));
            assert_eq!(header(&put, "docker-content-digest"), digest);
            for reference in ["kind", &digest] {
                let pulled = side.get(&format!("/v2/{NAME}/manifests/{reference}")).await;
                assert_eq!(pulled.text().await.unwrap(), last);
            }
        }
        let index = side.push_index("index", &[&last]).await;
        let nested = side.push_index("nested", &[&index, &last]).await;
        side.push_index("empty", &[]).await;
        let pulled = side.get(&format!("/v2/{NAME}/manifests/nested")).await;
        assert_eq!(header(&pulled, "content-type"), media_type::INDEX);
        assert_eq!(pulled.text().await.unwrap(), nested);
    }
}

#[tokio::test]
async fn a_manifest_whose_subject_is_not_there_yet_is_stored() {
    for side in Side::both().await {
        let subject = Descriptor::of(media_type::MANIFEST, b"not there yet");
        let config = side.push_blob(b"{}").await;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type::MANIFEST, "config": config,
            "layers": [], "subject": subject,
        })
        .to_string();
        let put = side.put("early", media_type::MANIFEST, &manifest).await;
        assert_eq!(put.status(), 201);
        assert_eq!(header(&put, "oci-subject"), subject.digest.to_string());
    }
}

#[tokio::test]
async fn bad_manifests_are_refused_and_nothing_is_stored() {
    let other = Descriptor::of(media_type::LAYER_GZIP, b"other");
    for side in Side::both().await {
        let good = side.push_manifest("good", json!({})).await;
        let config = describe(&good);
        let wrong_type = json!({
            "schemaVersion": 2, "mediaType": media_type::INDEX, "config": config, "layers": [],
        })
        .to_string();
        for (kind, manifest) in [
            (media_type::MANIFEST, "{\"schemaVersion\":"),
            (media_type::MANIFEST, ""),
            (media_type::MANIFEST, "{}"),
            (media_type::MANIFEST, "[]"),
            (media_type::INDEX, &good),
            (media_type::MANIFEST, &wrong_type),
            ("text/plain", &good),
        ] {
            let answer = side.put("bad", kind, manifest).await;
            side.expect_answer("manifest that is none", answer).await;
        }
        let foreign = Digest::of(b"other").to_string();
        for (reference, name) in [
            (foreign.as_str(), "manifest with a wrong digest"),
            ("sha256:baddigeststring", "digest that is none"),
        ] {
            let answer = side.put(reference, media_type::MANIFEST, &good).await;
            side.expect_answer(name, answer).await;
        }
        let mut without: Value = serde_json::from_str(&good).unwrap();
        without["layers"] = json!([other]);
        let without = without.to_string();
        let answer = side.put("bad", media_type::MANIFEST, &without).await;
        side.expect_answer("manifest without its blobs", answer)
            .await;
        let answer = side.get(&format!("/v2/{NAME}/manifests/bad")).await;
        side.expect_answer("manifest that is not there", answer)
            .await;
    }
}

#[tokio::test]
async fn ecr_takes_no_media_types_with_parameters() {
    for side in Side::both().await {
        let config = side.push_blob(b"{}").await;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type::MANIFEST, "config": config, "layers": [],
            "artifactType": "application/vnd.dev.sigstore.bundle+json;version=0.2",
        })
        .to_string();
        let answer = side.put("bundle", media_type::MANIFEST, &manifest).await;
        side.expect_answer("media type with a parameter", answer)
            .await;
    }
}

#[tokio::test]
async fn tags_of_an_immutable_repository_are_locked_in_ecr() {
    for side in Side::both().await {
        let config = b"{}".to_vec();
        let digest = Digest::of(&config);
        let path = format!("/v2/{REPOSITORY}/blobs/uploads/?digest={digest}");
        let request = side.request(reqwest::Method::POST, &path).body(config);
        assert_eq!(request.send().await.unwrap().status(), 201);
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type::MANIFEST, "layers": [],
            "config": Descriptor::of(media_type::CONFIG, b"{}"),
        })
        .to_string();
        let put = async || {
            let path = format!("/v2/{REPOSITORY}/manifests/v1");
            let request = side.request(reqwest::Method::PUT, &path);
            let request = request.header("content-type", media_type::MANIFEST);
            request.body(manifest.clone()).send().await.unwrap()
        };
        assert_eq!(put().await.status(), 201);
        side.expect_answer("tag put again in an immutable repository", put().await)
            .await;
    }
}
