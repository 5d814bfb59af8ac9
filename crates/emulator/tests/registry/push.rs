//! The workflow "push": blobs.

use oci::Digest;
use reqwest::Method;

use crate::served::header;
use crate::side::{NAME, Side, with_headers};

const LOCATION: [(&str, &str); 1] = [("location", "location")];

/// The blob is there, where the answer says.
async fn is_pulled(side: &Side, answer: &reqwest::Response, content: &[u8]) {
    let digest = Digest::of(content).to_string();
    assert_eq!(header(answer, "docker-content-digest"), digest);
    let pulled = side.get(&header(answer, "location")).await;
    assert_eq!(pulled.bytes().await.unwrap(), content);
}

#[tokio::test]
async fn a_blob_comes_in_one_post_or_in_post_and_put() {
    for side in Side::both().await {
        for content in [b"content".as_slice(), b""] {
            let digest = Digest::of(content);
            let path = format!("/v2/{NAME}/blobs/uploads/?digest={digest}");
            let request = side.request(Method::POST, &path).body(content.to_vec());
            let posted = request.send().await.unwrap();
            side.expect("blob in one POST", &with_headers(&posted, &LOCATION));
            is_pulled(&side, &posted, content).await;
            let put = side.end(&side.begin().await, &digest, content).await;
            side.expect("blob in POST and PUT", &with_headers(&put, &LOCATION));
            is_pulled(&side, &put, content).await;
        }
    }
}

#[tokio::test]
async fn a_blob_comes_as_a_stream() {
    for side in Side::both().await {
        let upload = side.begin().await;
        let pieces = ["one", "two"].map(|piece| Ok::<_, std::io::Error>(piece.as_bytes()));
        let stream = futures_util::stream::iter(pieces);
        let request = side.request(Method::PATCH, &upload);
        let body = reqwest::Body::wrap_stream(stream);
        let sent = request.body(body).send().await.unwrap();
        side.expect("chunk", &with_headers(&sent, &LOCATION));
        let digest = Digest::of(b"onetwo");
        let ended = side.end(&header(&sent, "location"), &digest, b"").await;
        assert_eq!(ended.status(), 201);
        is_pulled(&side, &ended, b"onetwo").await;
        let again = side.get(&upload).await;
        side.expect_answer("upload after its end", again).await;
    }
}

#[tokio::test]
async fn a_blob_comes_in_chunks_and_says_how_far_it_is() {
    const LARGE: usize = 5 * 1024 * 1024;
    let first = vec![b'1'; LARGE];
    for side in Side::both().await {
        let upload = side.begin().await;
        let sent = side.chunk(&upload, "0-5242879", &first).await;
        side.expect("chunk", &with_headers(&sent, &LOCATION));
        assert_eq!(header(&sent, "range"), "0-5242879");
        for range in ["0-5242879", "5242881-5242890"] {
            let wrong = side.chunk(&upload, range, b"0123456789").await;
            let status = wrong.status().as_u16().to_string();
            side.expect("chunk out of order", &status);
        }
        let short = side.chunk(&upload, "5242880-5242889", b"short").await;
        let name = "chunk that is not as long as its range";
        side.expect_answer(name, short).await;
        let next = side.chunk(&upload, "5242880-5242889", b"0123456789").await;
        let range = header(&next, "range");
        side.expect("range after the second chunk", &range);
        let status = side.get(&header(&next, "location")).await;
        assert_eq!(status.status(), 204);
        assert_eq!(header(&status, "range"), range);
        let whole = [first.as_slice(), b"0123456789"].concat();
        let ended = side.end(&upload, &Digest::of(&whole), b"").await;
        assert_eq!(ended.status(), 201);
        is_pulled(&side, &ended, &whole).await;
    }
}

#[tokio::test]
async fn the_last_chunk_may_come_with_the_put_and_only_it_may_be_small() {
    for side in Side::both().await {
        let upload = side.begin().await;
        side.chunk(&upload, "0-2", b"one").await;
        let digest = Digest::of(b"onetwo");
        let wrong = side.request(Method::PUT, &format!("{upload}?digest={digest}"));
        let wrong = wrong.header("content-range", "0-2").body("two");
        assert_eq!(wrong.send().await.unwrap().status(), 416);
        let last = side.request(Method::PUT, &format!("{upload}?digest={digest}"));
        let last = last.header("content-range", "3-5").body("two");
        let ended = last.send().await.unwrap();
        side.expect_answer("chunks below 5 MiB", ended).await;
        let blob = format!("/v2/{NAME}/blobs/{digest}");
        let is_there = side.get(&blob).await.status() == 200;
        assert_eq!(is_there, !side.is_ecr());
    }
}

#[tokio::test]
async fn an_upload_is_given_up() {
    for side in Side::both().await {
        let upload = side.begin().await;
        side.chunk(&upload, "0-2", b"one").await;
        let gone = side.send(Method::DELETE, &upload).await;
        side.expect_answer("upload given up", gone).await;
        let again = side.end(&upload, &Digest::of(b"one"), b"").await;
        side.expect_answer("upload after its end", again).await;
    }
}
