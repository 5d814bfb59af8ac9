//! The workflow "pull".

use oci::{Algorithm, Digest, media_type};
use reqwest::Method;
use serde_json::json;

use crate::served::header;
use crate::side::{NAME, Side, with_headers};

const DESCRIBED: [(&str, &str); 3] = [
    ("content-type", "type"),
    ("content-length", "length"),
    ("docker-content-digest", "digest"),
];

#[tokio::test]
async fn blobs_are_looked_up_and_pulled() {
    for side in Side::both().await {
        let missing = format!("/v2/{NAME}/blobs/{}", Digest::of(b"missing"));
        let answer = side.get(&missing).await;
        side.expect_answer("blob that is not there", answer).await;
        assert_eq!(side.send(Method::HEAD, &missing).await.status(), 404);
        for content in [b"some content".as_slice(), b"", b"{}"] {
            let blob = side.push_blob(content).await;
            let path = format!("/v2/{NAME}/blobs/{}", blob.digest);
            let head = side.send(Method::HEAD, &path).await;
            assert_eq!(header(&head, "content-length"), blob.size.to_string());
            assert_eq!(
                header(&head, "docker-content-digest"),
                blob.digest.to_string()
            );
            let seen = with_headers(&head, &DESCRIBED[1..]);
            side.expect("HEAD of a blob", &seen);
            assert_eq!(head.bytes().await.unwrap(), b"".as_slice());
            let pulled = side.get(&path).await;
            assert_eq!(header(&pulled, "content-length"), blob.size.to_string());
            assert_eq!(pulled.bytes().await.unwrap(), content);
        }
    }
}

#[tokio::test]
async fn ecr_gives_blobs_from_another_address() {
    for side in Side::both().await {
        let blob = side.push_blob(b"content").await;
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let path = format!("{}/v2/{NAME}/blobs/{}", side.served.base, blob.digest);
        let request = client.build().unwrap().get(path);
        let login = side.served.log_in(&side.served.administrator).await;
        let answer = request.header("authorization", login).send().await;
        side.expect_answer("GET of a blob", answer.unwrap()).await;
    }
}

#[tokio::test]
async fn parts_of_blobs_are_pulled() {
    let content: Vec<u8> = (0..2048_u32).map(|number| (number % 251) as u8).collect();
    for side in Side::both().await {
        let blob = side.push_blob(&content).await;
        let path = format!("/v2/{NAME}/blobs/{}", blob.digest);
        for (range, first, last) in [
            ("bytes=500-1499", 500, 1499),
            ("bytes=500-", 500, 2047),
            ("bytes=-500", 1548, 2047),
            ("bytes=2000-5000", 2000, 2047),
        ] {
            let request = side.request(Method::GET, &path).header("range", range);
            let part = request.send().await.unwrap();
            assert_eq!(part.status(), 206, "{range}");
            let expected = format!("bytes {first}-{last}/2048");
            assert_eq!(header(&part, "content-range"), expected);
            assert_eq!(part.bytes().await.unwrap(), content[first..=last]);
        }
        for range in ["bytes=500-0", "bytes=5000-10000"] {
            let request = side.request(Method::GET, &path).header("range", range);
            assert_eq!(request.send().await.unwrap().status(), 416, "{range}");
        }
        let stale = side
            .request(Method::GET, &path)
            .header("range", "bytes=0-0");
        let stale = stale.header("if-range", "\"sha256:other\"").send().await;
        assert_eq!(stale.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn manifests_are_looked_up_and_pulled_by_tag_and_digest() {
    for side in Side::both().await {
        let missing = Digest::of(b"missing").to_string();
        for reference in ["missing", &missing] {
            let path = format!("/v2/{NAME}/manifests/{reference}");
            let answer = side.get(&path).await;
            side.expect_answer("manifest that is not there", answer)
                .await;
            assert_eq!(side.send(Method::HEAD, &path).await.status(), 404);
        }
        let pushed = side.push_manifest("v1", json!({})).await;
        let digest = Digest::of(pushed.as_bytes()).to_string();
        for reference in ["v1", &digest] {
            let path = format!("/v2/{NAME}/manifests/{reference}");
            let head = side.send(Method::HEAD, &path).await;
            assert_eq!(header(&head, "content-type"), media_type::MANIFEST);
            assert_eq!(header(&head, "content-length"), pushed.len().to_string());
            assert_eq!(header(&head, "docker-content-digest"), digest);
            side.expect("HEAD of a manifest", &with_headers(&head, &DESCRIBED));
            assert_eq!(head.bytes().await.unwrap(), b"".as_slice());
            let pulled = side.get(&path).await;
            side.expect("GET of a manifest", &with_headers(&pulled, &DESCRIBED));
            assert_eq!(pulled.text().await.unwrap(), pushed);
        }
    }
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    for side in Side::both().await {
        let manifest = side.push_manifest("v1", json!({})).await;
        let manifest = Digest::of(manifest.as_bytes());
        let blob = Digest::of(b"{}");
        for (path, digest) in [
            (format!("/v2/{NAME}/manifests/v1"), manifest),
            (format!("/v2/{NAME}/blobs/{blob}"), blob),
        ] {
            let first = side.get(&path).await;
            assert_eq!(header(&first, "etag"), format!("\"{digest}\""));
            for (method, tags) in [
                (Method::GET, format!("\"{digest}\"")),
                (Method::HEAD, format!("\"other\", W/\"{digest}\"")),
            ] {
                let request = side.request(method, &path).header("if-none-match", tags);
                let again = request.send().await.unwrap();
                side.expect_answer("content that the client has", again)
                    .await;
            }
            let request = side.request(Method::GET, &path);
            let other = request.header("if-none-match", "\"other\"").send().await;
            assert_eq!(other.unwrap().status(), 200);
        }
    }
}

#[tokio::test]
async fn digests_that_are_none_are_refused() {
    for side in Side::both().await {
        for path in [
            "manifests/sha256:baddigeststring",
            "blobs/sha256:00",
            "blobs/md5:00",
        ] {
            let answer = side.get(&format!("/v2/{NAME}/{path}")).await;
            side.expect_answer("digest that is none", answer).await;
        }
    }
}

#[tokio::test]
async fn sha512_is_the_specification_s() {
    for side in Side::both().await {
        let digest = Digest::with(Algorithm::Sha512, b"content");
        let ended = side.end(&side.begin().await, &digest, b"content").await;
        side.expect_answer("SHA-512", ended).await;
        if side.is_ecr() {
            continue;
        }
        let pulled = side.get(&format!("/v2/{NAME}/blobs/{digest}")).await;
        assert_eq!(pulled.text().await.unwrap(), "content");
        let config = side.push_blob(b"{}").await;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type::MANIFEST, "config": config,
            "layers": [{ "mediaType": "text/plain", "digest": digest, "size": 7 }],
        })
        .to_string();
        let name = Digest::with(Algorithm::Sha512, manifest.as_bytes()).to_string();
        let put = side.put(&name, media_type::MANIFEST, &manifest).await;
        assert_eq!(put.status(), 201);
        assert_eq!(header(&put, "docker-content-digest"), name);
        let pulled = side.get(&format!("/v2/{NAME}/manifests/{name}")).await;
        assert_eq!(header(&pulled, "docker-content-digest"), name);
        assert_eq!(pulled.text().await.unwrap(), manifest);
    }
}

#[tokio::test]
async fn nobody_pulls_without_a_login() {
    for side in Side::both().await {
        let url = format!("{}/v2/", side.served.base);
        let answer = side.served.client.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 401);
        let challenge = header(&answer, "www-authenticate");
        assert!(challenge.starts_with("Basic realm="), "{challenge}");
        let body = answer.text().await.unwrap();
        if side.is_ecr() {
            assert_eq!(body, "Not Authorized\n");
        } else {
            assert!(body.contains("UNAUTHORIZED"), "{body}");
        }
        assert_eq!(side.get("/v2/").await.status(), 200);
    }
}
