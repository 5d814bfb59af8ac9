//! The workflow "content management": what is deleted, and what stays.

use oci::Digest;
use reqwest::Method;
use serde_json::json;

use crate::side::{NAME, Side, describe, seen};

#[tokio::test]
async fn a_manifest_goes_with_its_tags() {
    for side in Side::both().await {
        let manifest = side.push_manifest("v1", json!({})).await;
        side.push_manifest("v2", json!({})).await;
        let path = format!("/v2/{NAME}/manifests/{}", Digest::of(manifest.as_bytes()));
        let deleted = side.send(Method::DELETE, &path).await;
        side.expect_answer("DELETE of a manifest", deleted).await;
        for reference in [path.as_str(), "v1", "v2"] {
            let reference = reference.rsplit('/').next().unwrap();
            let path = format!("/v2/{NAME}/manifests/{reference}");
            let answer = side.get(&path).await;
            side.expect_answer("manifest that is not there", answer)
                .await;
        }
        let again = side.send(Method::DELETE, &path).await;
        side.expect_answer("manifest that is not there", again)
            .await;
        let blob = format!("/v2/{NAME}/blobs/{}", Digest::of(b"{}"));
        assert_eq!(side.get(&blob).await.status(), 200);
    }
}

#[tokio::test]
async fn a_tag_goes_and_its_manifest_stays_unless_it_was_ecr_s_last() {
    for side in Side::both().await {
        let manifest = side.push_manifest("v1", json!({})).await;
        side.push_manifest("v2", json!({})).await;
        let path = format!("/v2/{NAME}/manifests/{}", Digest::of(manifest.as_bytes()));
        for (tag, rest) in [("v1", json!(["v2"])), ("v2", json!([]))] {
            assert_eq!(side.get(&path).await.status(), 200);
            let tag = format!("/v2/{NAME}/manifests/{tag}");
            let deleted = side.send(Method::DELETE, &tag).await;
            side.expect_answer("DELETE of a tag", deleted).await;
            assert_eq!(side.send(Method::HEAD, &tag).await.status(), 404);
            let tags = side.get(&format!("/v2/{NAME}/tags/list")).await;
            let tags: serde_json::Value = tags.json().await.unwrap();
            assert_eq!(tags["tags"], rest);
        }
        let status = side.get(&path).await.status().as_u16().to_string();
        side.expect("manifest whose last tag was deleted", &status);
    }
}

#[tokio::test]
async fn what_an_index_lists_stays_in_ecr() {
    for side in Side::both().await {
        let child = side.push_manifest("child", json!({})).await;
        side.push_index("index", &[&child]).await;
        let path = format!("/v2/{NAME}/manifests/{}", describe(&child).digest);
        let answer = side.send(Method::DELETE, &path).await;
        side.expect_answer("DELETE of a manifest that an index lists", answer)
            .await;
    }
}

#[tokio::test]
async fn a_blob_is_deleted_by_the_specification_only() {
    for side in Side::both().await {
        let blob = side.push_blob(b"content").await;
        let path = format!("/v2/{NAME}/blobs/{}", blob.digest);
        let answer = side.send(Method::DELETE, &path).await;
        side.expect_answer("DELETE of a blob", answer).await;
        let is_there = side.get(&path).await.status() == 200;
        assert_eq!(is_there, side.is_ecr());
        if !side.is_ecr() {
            let again = side.send(Method::DELETE, &path).await;
            assert_eq!(seen(again).await, "404 BLOB_UNKNOWN");
        }
    }
}
