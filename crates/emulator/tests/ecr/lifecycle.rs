//! Lifecycle policies: previewed, and carried out as the clock moves.

use oci::{Digest, media_type};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::served::{OTHER, Served, refused};

const DAY: i64 = 24 * 3600;

fn name() -> Value {
    json!({ "repositoryName": OTHER })
}

/// A body about [`OTHER`] with a policy of these rules.
fn policy(rules: Value) -> Value {
    let text = serde_json::to_string_pretty(&json!({ "rules": rules })).unwrap();
    json!({ "repositoryName": OTHER, "lifecyclePolicyText": text })
}

fn expire_after(days: u32) -> Value {
    json!([{
        "rulePriority": 1, "description": "expire what is old",
        "selection": { "tagStatus": "any", "countType": "sinceImagePushed",
                       "countUnit": "days", "countNumber": days },
        "action": { "type": "expire" },
    }])
}

async fn digests(served: &Served, filter: Value) -> Vec<String> {
    let body = json!({ "repositoryName": OTHER, "filter": filter });
    let described = served.call("DescribeImages", body).await;
    let details = described["imageDetails"].as_array().unwrap().iter();
    let mut found: Vec<String> = details
        .map(|detail| detail["imageDigest"].as_str().unwrap().to_owned())
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn what_the_preview_says_is_what_happens_when_the_clock_passes_midnight() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let old = docker.push(OTHER, "old", "one").await;
    served.advance(3 * DAY).await;
    // A login lasts half a day.
    let docker = served.administrator().await;
    let young = docker.push(OTHER, "young", "two").await;
    let digest = |manifest: &str| Digest::of(manifest.as_bytes()).to_string();

    let body = policy(expire_after(2));
    let started = served
        .call("StartLifecyclePolicyPreview", body.clone())
        .await;
    assert_eq!(started["status"], "IN_PROGRESS");
    let preview = served.call("GetLifecyclePolicyPreview", name()).await;
    assert_eq!(preview["status"], "COMPLETE");
    assert_eq!(preview["lifecyclePolicyText"], body["lifecyclePolicyText"]);
    assert_eq!(preview["summary"], json!({ "expiringImageTotalCount": 1 }));
    let results = preview["previewResults"].as_array().unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["imageDigest"], digest(&old));
    assert_eq!(results[0]["imageTags"], json!(["old"]));
    assert_eq!(results[0]["action"], json!({ "type": "EXPIRE" }));
    assert_eq!(results[0]["appliedRulePriority"], 1);
    assert_eq!(results[0]["storageClass"], "STANDARD");

    served.call("PutLifecyclePolicy", body).await;
    let kept = served.call("GetLifecyclePolicy", name()).await;
    assert_eq!(kept["lastEvaluatedAt"], Value::Null);
    assert_eq!(digests(&served, json!({})).await.len(), 2);
    served.advance(DAY).await;
    let docker = served.administrator().await;
    assert_eq!(digests(&served, json!({})).await, [digest(&young)]);
    let kept = served.call("GetLifecyclePolicy", name()).await;
    let midnight = kept["lastEvaluatedAt"].to_string();
    let (seconds, fraction) = midnight.split_once('.').unwrap();
    assert_eq!(seconds.parse::<i64>().unwrap() % DAY, 0);
    assert_eq!(fraction.trim_matches('0'), "");
    let gone = docker.get(&format!("/v2/{OTHER}/manifests/old")).await;
    assert_eq!(refused(gone).await.1, "MANIFEST_UNKNOWN");
}

#[tokio::test]
async fn a_preview_is_filtered_paged_and_of_the_repository_itself() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let missing = served.refusal("GetLifecyclePolicyPreview", name()).await;
    assert_eq!(missing.0, "LifecyclePolicyPreviewNotFoundException");
    let missing = served.refusal("StartLifecyclePolicyPreview", name()).await;
    assert_eq!(missing.0, "LifecyclePolicyNotFoundException");
    docker.push(OTHER, "a", "one").await;
    docker.push(OTHER, "b", "two").await;
    // The tag moves, so the second image has none.
    docker.push(OTHER, "b", "three").await;
    served.advance(3 * DAY).await;
    served
        .call("PutLifecyclePolicy", policy(expire_after(1)))
        .await;
    served.call("StartLifecyclePolicyPreview", name()).await;
    let preview = |extra: Value| {
        let mut body = name();
        for (key, value) in extra.as_object().unwrap() {
            body[key] = value.clone();
        }
        served.call("GetLifecyclePolicyPreview", body)
    };
    let count = |preview: &Value| preview["previewResults"].as_array().unwrap().len();
    let untagged = preview(json!({ "filter": { "tagStatus": "UNTAGGED" } })).await;
    assert_eq!(count(&untagged), 1);
    assert_eq!(untagged["summary"]["expiringImageTotalCount"], 3);
    let named = preview(json!({ "imageIds": [{ "imageTag": "b" }, { "imageTag": "z" }] })).await;
    assert_eq!(count(&named), 1);
    let first = preview(json!({ "maxResults": 2 })).await;
    assert_eq!(count(&first), 2);
    let rest = preview(json!({ "maxResults": 2, "nextToken": first["nextToken"] })).await;
    assert_eq!((count(&rest), &rest["nextToken"]), (1, &Value::Null));
    let both = json!({ "repositoryName": OTHER, "imageIds": [{ "imageTag": "a" }],
                       "maxResults": 1 });
    let refusal = served.refusal("GetLifecyclePolicyPreview", both).await;
    assert_eq!(refusal.0, "InvalidParameterException");
}

#[tokio::test]
async fn a_year_archives_what_nobody_pulls_and_then_expires_it() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    docker.push(OTHER, "forgotten", "one").await;
    let rules = json!([
        { "rulePriority": 1,
          "selection": { "tagStatus": "any", "countType": "sinceImagePulled",
                         "countUnit": "days", "countNumber": 30 },
          "action": { "type": "transition", "targetStorageClass": "archive" } },
        { "rulePriority": 2,
          "selection": { "tagStatus": "any", "storageClass": "archive",
                         "countType": "sinceImageTransitioned",
                         "countUnit": "days", "countNumber": 90 },
          "action": { "type": "expire" } },
    ]);
    served.call("PutLifecyclePolicy", policy(rules)).await;
    served.advance(20 * DAY).await;
    let docker = served.administrator().await;
    let pulled = docker
        .get(&format!("/v2/{OTHER}/manifests/forgotten"))
        .await;
    assert_eq!(pulled.status(), StatusCode::OK);
    served.advance(20 * DAY).await;
    assert_eq!(digests(&served, json!({})).await.len(), 1);
    served.advance(20 * DAY).await;
    assert_eq!(digests(&served, json!({})).await.len(), 0);
    let archived = json!({ "imageStatus": "ARCHIVED" });
    assert_eq!(digests(&served, archived.clone()).await.len(), 1);
    served.advance(100 * DAY).await;
    assert_eq!(digests(&served, archived).await.len(), 0);
}

#[tokio::test]
async fn an_artifact_goes_when_its_subject_went_and_the_control_evaluates_at_once() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let subject = docker.push(OTHER, "v1", "one").await;
    let empty = docker.upload(OTHER, b"{}").await;
    let artifact = json!({
        "schemaVersion": 2, "mediaType": media_type::MANIFEST,
        "artifactType": "application/vnd.example.signature",
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": empty.digest,
                    "size": empty.size },
        "layers": [{ "mediaType": "application/vnd.oci.empty.v1+json", "digest": empty.digest,
                     "size": empty.size }],
        "subject": { "mediaType": media_type::MANIFEST,
                     "digest": Digest::of(subject.as_bytes()), "size": subject.len() },
    })
    .to_string();
    let reference = Digest::of(artifact.as_bytes()).to_string();
    let put = docker.put_manifest(OTHER, &reference, &artifact).await;
    assert_eq!(put.status(), StatusCode::CREATED);
    // Untagged artifacts are not what a rule for untagged images selects.
    let untagged = json!([{
        "rulePriority": 1,
        "selection": { "tagStatus": "untagged", "countType": "imageCountMoreThan",
                       "countNumber": 1 },
        "action": { "type": "expire" },
    }]);
    served.call("PutLifecyclePolicy", policy(untagged)).await;
    let run = || async {
        let url = format!("{}/_longshore/lifecycle", served.base);
        let answer = served
            .client
            .request(Method::POST, url)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json::<Value>().await.unwrap()
    };
    assert_eq!(run().await, json!({ "images": [] }));
    let delete = json!({ "repositoryName": OTHER, "imageIds": [{ "imageTag": "v1" }] });
    served.call("BatchDeleteImage", delete).await;
    let done = run().await;
    assert_eq!(done["images"][0]["digest"], reference);
    assert_eq!(done["images"][0]["action"], "expired");
    assert_eq!(
        digests(&served, json!({ "imageStatus": "ANY" }))
            .await
            .len(),
        0
    );
}
