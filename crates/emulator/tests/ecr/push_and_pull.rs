//! The cycle of a push and a pull, and what the registry refuses in it.

use oci::{Descriptor, Digest, media_type};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::served::{OTHER, REPOSITORY, Served, header, manifest, refused};

#[tokio::test]
async fn what_is_pushed_is_pulled_by_tag_and_by_digest() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let pushed = docker.push(REPOSITORY, "v1", "layer one").await;
    let digest = Digest::of(pushed.as_bytes());

    for reference in ["v1".to_owned(), digest.to_string()] {
        let path = format!("/v2/{REPOSITORY}/manifests/{reference}");
        let head = docker.request(Method::HEAD, &path).send().await.unwrap();
        assert_eq!(head.status(), StatusCode::OK);
        assert_eq!(header(&head, "content-length"), pushed.len().to_string());
        assert_eq!(header(&head, "docker-content-digest"), digest.to_string());
        let pulled = docker.get(&path).await;
        assert_eq!(header(&pulled, "content-type"), media_type::MANIFEST);
        assert_eq!(header(&pulled, "docker-content-digest"), "");
        assert_eq!(
            header(&pulled, "docker-distribution-api-version"),
            "registry/2.0"
        );
        assert_eq!(pulled.text().await.unwrap(), pushed);
    }
    let layer = format!("/v2/{REPOSITORY}/blobs/{}", Digest::of(b"layer one"));
    let head = docker.request(Method::HEAD, &layer).send().await.unwrap();
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(header(&head, "content-length"), "9");
    let part = docker
        .request(Method::GET, &layer)
        .header("range", "bytes=6-")
        .send();
    let part = part.await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(header(&part, "content-range"), "bytes 6-8/9");
    assert_eq!(part.text().await.unwrap(), "one");
    assert_eq!(docker.get(&layer).await.text().await.unwrap(), "layer one");
}

#[tokio::test]
async fn tags_are_immutable_even_for_the_same_image_and_latest_moves() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let first = docker.push(REPOSITORY, "v1", "one").await;
    docker.push(REPOSITORY, "latest", "one").await;
    let second = docker.push(REPOSITORY, "latest", "two").await;

    for manifest in [&first, &second] {
        let answer = refused(docker.put_manifest(REPOSITORY, "v1", manifest).await).await;
        let sentence = format!(
            "The image tag 'v1' already exists in the '{REPOSITORY}' repository and cannot be \
             overwritten because the repository is immutable."
        );
        assert_eq!(answer, (400, "TAG_INVALID".to_owned(), sentence));
    }
    let latest = docker
        .get(&format!("/v2/{REPOSITORY}/manifests/latest"))
        .await;
    assert_eq!(latest.text().await.unwrap(), second);
    let v1 = docker.get(&format!("/v2/{REPOSITORY}/manifests/v1")).await;
    assert_eq!(v1.text().await.unwrap(), first);
}

#[tokio::test]
async fn a_manifest_may_only_name_what_its_own_repository_holds() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    docker.push(OTHER, "v1", "elsewhere").await;
    let config = docker.upload(REPOSITORY, b"{}").await;
    let foreign = Descriptor::of(media_type::LAYER_GZIP, b"elsewhere");
    let digest = foreign.digest;

    let body = manifest(config.clone(), &foreign);
    let answer = refused(docker.put_manifest(REPOSITORY, "v1", &body).await).await;
    let sentence = format!(
        "Layers with digests '[{digest}]' required for pushing image into repository with name \
         '{REPOSITORY}' in the registry with id '123456789012' do not exist"
    );
    assert_eq!(answer, (404, "MANIFEST_BLOB_UNKNOWN".to_owned(), sentence));
    let blob = docker
        .get(&format!("/v2/{REPOSITORY}/blobs/{digest}"))
        .await;
    assert_eq!(blob.status(), StatusCode::NOT_FOUND);

    docker.upload(REPOSITORY, b"elsewhere").await;
    let wrong_size = Descriptor { size: 3, ..foreign };
    let body = manifest(config, &wrong_size);
    let (status, code, _) = refused(docker.put_manifest(REPOSITORY, "v1", &body).await).await;
    assert_eq!((status, code.as_str()), (405, "UNSUPPORTED"));
    let tag = docker.get(&format!("/v2/{REPOSITORY}/manifests/v1")).await;
    assert_eq!(tag.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn bad_manifests_are_refused_as_ecr_refuses_them() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let answer = refused(
        docker
            .put_manifest(REPOSITORY, "v1", "{\"schemaVersion\":")
            .await,
    )
    .await;
    let sentence = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid \
                    JSON syntax'";
    assert_eq!(answer, (405, "UNSUPPORTED".to_owned(), sentence.to_owned()));

    let pushed = docker.push(REPOSITORY, "v1", "one").await;
    let other = Digest::of(b"other").to_string();
    let answer = docker.put_manifest(REPOSITORY, &other, &pushed).await;
    let (status, code, _) = refused(answer).await;
    assert_eq!((status, code.as_str()), (400, "DIGEST_INVALID"));

    let path = format!(
        "/v2/{REPOSITORY}/manifests/{}",
        Digest::of(pushed.as_bytes())
    );
    let deleted = docker.request(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::ACCEPTED);
    assert_eq!(docker.get(&path).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn referrers_are_listed_under_their_subject() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let image = docker.push(REPOSITORY, "v1", "one").await;
    let subject = Descriptor::of(media_type::MANIFEST, image.as_bytes());
    let empty = docker.upload(REPOSITORY, b"{}").await;
    let referrer = json!({
        "schemaVersion": 2, "mediaType": media_type::MANIFEST, "config": empty,
        "artifactType": "application/spdx+json", "layers": [empty], "subject": subject,
    })
    .to_string();
    let digest = Digest::of(referrer.as_bytes()).to_string();
    let put = docker.put_manifest(REPOSITORY, &digest, &referrer).await;
    assert_eq!(header(&put, "oci-subject"), subject.digest.to_string());

    let path = format!("/v2/{REPOSITORY}/referrers/{}", subject.digest);
    let all: Value = docker.get(&path).await.json().await.unwrap();
    assert_eq!(all["manifests"][0]["digest"], digest.as_str());
    assert_eq!(all["manifests"][0]["artifactType"], "application/spdx+json");
    let filtered = docker.get(&format!("{path}?artifactType=text/plain")).await;
    assert_eq!(header(&filtered, "oci-filters-applied"), "artifactType");
    let filtered: Value = filtered.json().await.unwrap();
    assert_eq!(filtered["manifests"], json!([]));
    let body = json!({
        "repositoryName": REPOSITORY,
        "subjectId": { "imageDigest": subject.digest },
    });
    let listed = served.call("ListImageReferrers", body).await;
    assert_eq!(listed["referrers"][0]["digest"], digest.as_str());
}

#[tokio::test]
async fn tags_and_repositories_are_listed_by_pages() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    for tag in ["a", "b", "c"] {
        docker.push(OTHER, tag, "one").await;
    }
    let mut path = format!("/v2/{OTHER}/tags/list?n=2");
    let mut tags = Vec::new();
    loop {
        let page = docker.get(&path).await;
        let link = header(&page, "link");
        let body: Value = page.json().await.unwrap();
        tags.extend(body["tags"].as_array().unwrap().clone());
        match link.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            Some((next, _)) => next.clone_into(&mut path),
            None => break,
        }
    }
    assert_eq!(tags, ["a", "b", "c"]);
    let catalog: Value = docker.get("/v2/_catalog").await.json().await.unwrap();
    assert_eq!(catalog["repositories"], json!([OTHER, REPOSITORY]));
}
