//! Images through the JSON API.

use oci::{Digest, media_type};
use reqwest::Method;
use serde_json::json;

use crate::served::{OTHER, REPOSITORY, Served, refused};

#[tokio::test]
async fn images_are_described_listed_fetched_and_deleted() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let manifest = docker.push(OTHER, "v1", "one").await;
    docker.push(OTHER, "v1-again", "one").await;
    docker.push(OTHER, "v2", "two").await;
    let digest = Digest::of(manifest.as_bytes()).to_string();
    let name = json!({ "repositoryName": OTHER });

    let described = served.call("DescribeImages", name.clone()).await;
    let details = described["imageDetails"].as_array().unwrap();
    let detail = details
        .iter()
        .find(|detail| detail["imageDigest"] == digest.as_str())
        .unwrap();
    assert_eq!(detail["imageTags"], json!(["v1", "v1-again"]));
    assert_eq!(detail["imageSizeInBytes"], 5);
    assert_eq!(detail["imageManifestMediaType"], media_type::MANIFEST);
    assert_eq!(detail["artifactMediaType"], media_type::CONFIG);
    let listed = served.call("ListImages", name.clone()).await;
    assert_eq!(listed["imageIds"].as_array().unwrap().len(), 3);

    let ids = json!([{ "imageTag": "v1" }, { "imageTag": "none" }, {}]);
    let got = json!({ "repositoryName": OTHER, "imageIds": ids });
    let got = served.call("BatchGetImage", got).await;
    assert_eq!(got["images"][0]["imageManifest"], manifest.as_str());
    assert_eq!(got["failures"][0]["failureCode"], "ImageNotFound");
    assert_eq!(got["failures"][1]["failureCode"], "MissingDigestAndTag");

    let delete = json!({ "repositoryName": OTHER, "imageIds": [{ "imageTag": "v1" }] });
    let deleted = served.call("BatchDeleteImage", delete).await;
    assert_eq!(
        deleted["imageIds"],
        json!([{ "imageDigest": digest, "imageTag": "v1" }])
    );
    let delete = json!({ "repositoryName": OTHER, "imageIds": [{ "imageDigest": digest }] });
    served.call("BatchDeleteImage", delete).await;
    let (_, code, _) = refused(docker.get(&format!("/v2/{OTHER}/manifests/v1-again")).await).await;
    assert_eq!(code, "MANIFEST_UNKNOWN");

    let (code, _) = served.refusal("DeleteRepository", name).await;
    assert_eq!(code, "RepositoryNotEmptyException");
    let forced = json!({ "repositoryName": OTHER, "force": true });
    served.call("DeleteRepository", forced).await;
    served
        .call("CreateRepository", json!({ "repositoryName": OTHER }))
        .await;
    let blob = format!("/v2/{OTHER}/blobs/{}", Digest::of(b"two"));
    assert_eq!(docker.get(&blob).await.status(), 404);
}

#[tokio::test]
async fn put_image_refuses_what_changes_nothing_and_what_moves_a_locked_tag() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let first = docker.push(REPOSITORY, "v1", "one").await;
    let second = docker.push(REPOSITORY, "v2", "two").await;
    let put = |manifest: &str, tag: &str| json!({ "repositoryName": REPOSITORY, "imageManifest": manifest, "imageTag": tag });
    let digest = Digest::of(first.as_bytes());
    let (code, message) = served.refusal("PutImage", put(&first, "v1")).await;
    assert_eq!(code, "ImageAlreadyExistsException");
    assert_eq!(
        message,
        format!(
            "Image with digest '{digest}' and tag 'v1' already exists in the repository with name \
             '{REPOSITORY}' in registry with id '123456789012'"
        )
    );
    let (code, _) = served.refusal("PutImage", put(&second, "v1")).await;
    assert_eq!(code, "ImageTagAlreadyExistsException");
    let retagged = served.call("PutImage", put(&first, "v3")).await;
    assert_eq!(
        retagged["image"]["imageId"]["imageDigest"],
        digest.to_string()
    );
}

#[tokio::test]
async fn an_index_needs_its_images_and_protects_them() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let image = docker.push(REPOSITORY, "v1-amd64", "one").await;
    let digest = Digest::of(image.as_bytes());
    let index = |digest: Digest, size: usize| {
        json!({
            "schemaVersion": 2, "mediaType": media_type::INDEX,
            "manifests": [{ "mediaType": media_type::MANIFEST, "digest": digest, "size": size }],
        })
        .to_string()
    };
    let put = |body: String| {
        let path = format!("/v2/{REPOSITORY}/manifests/v1");
        let request = docker
            .request(Method::PUT, &path)
            .header("content-type", media_type::INDEX);
        request.body(body).send()
    };
    let absent = put(index(Digest::of(b"absent"), 6)).await.unwrap();
    let (status, code, message) = refused(absent).await;
    assert_eq!((status, code.as_str()), (404, "MANIFEST_BLOB_UNKNOWN"));
    assert!(message.starts_with("Images with digests '["), "{message}");
    assert_eq!(put(index(digest, image.len())).await.unwrap().status(), 201);

    let delete = json!({ "repositoryName": REPOSITORY, "imageIds": [{ "imageDigest": digest }] });
    let kept = served.call("BatchDeleteImage", delete).await;
    assert_eq!(
        kept["failures"][0]["failureCode"],
        "ImageReferencedByManifestList"
    );
    let body = json!({ "repositoryName": REPOSITORY, "imageIds": [{ "imageTag": "v1" }] });
    let described = served.call("DescribeImages", body).await;
    assert_eq!(described["imageDetails"][0]["imageSizeInBytes"], 5);
}

#[tokio::test]
async fn a_manifest_asked_for_by_tag_is_translated_for_those_who_need_it() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let manifest = docker.push(OTHER, "v1", "one").await;
    let digest = Digest::of(manifest.as_bytes());
    let get = |id: serde_json::Value| {
        let body = json!({ "repositoryName": OTHER, "imageIds": [id],
                           "acceptedMediaTypes": [media_type::DOCKER_MANIFEST] });
        served.call("BatchGetImage", body)
    };
    let by_tag = get(json!({ "imageTag": "v1" })).await;
    let image = &by_tag["images"][0];
    assert_eq!(image["imageManifestMediaType"], media_type::DOCKER_MANIFEST);
    let translated = image["imageManifest"].as_str().unwrap();
    assert!(
        translated.contains("vnd.docker.image.rootfs.diff.tar.gzip"),
        "{translated}"
    );
    let by_digest = get(json!({ "imageDigest": digest })).await;
    assert_eq!(by_digest["images"][0]["imageManifest"], manifest.as_str());
}
