//! A client of the registry that tells a broken connection from a refusal.

use oci::{Descriptor, Digest, media_type};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::json;

use super::REPOSITORY;

/// Why a request has no answer that counts: the emulator is gone.
#[derive(Debug)]
pub(super) struct Gone;

impl From<reqwest::Error> for Gone {
    fn from(_: reqwest::Error) -> Self {
        Self
    }
}

/// A logged-in client.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) url: String,
    pub(super) password: String,
    pub(super) http: reqwest::Client,
}

impl Client {
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/v2/{REPOSITORY}/{path}", self.url)
        };
        let request = self.http.request(method, url);
        request.basic_auth("AWS", Some(&self.password))
    }

    async fn send(&self, request: RequestBuilder, status: u16) -> Result<Response, Gone> {
        let answer = request.send().await?;
        if answer.status().as_u16() == status {
            return Ok(answer);
        }
        let (found, url) = (answer.status(), answer.url().clone());
        panic!("{url}: {found}: {}", answer.text().await?)
    }

    pub(super) async fn holds(&self, digest: &Digest) -> Result<bool, Gone> {
        let request = self.request(Method::HEAD, &format!("blobs/{digest}"));
        Ok(request.send().await?.status().is_success())
    }

    /// Uploads `bytes`, as a chunk of their own or with the end of the upload.
    pub(super) async fn upload(&self, bytes: Vec<u8>, chunked: bool) -> Result<Digest, Gone> {
        let begin = self.request(Method::POST, "blobs/uploads/");
        let mut place = location(&self.send(begin, 202).await?);
        let digest = Digest::of(&bytes);
        let mut rest = bytes;
        if chunked {
            let chunk = std::mem::take(&mut rest);
            let patch = self.request(Method::PATCH, &place).body(chunk);
            place = location(&self.send(patch, 201).await?);
        }
        let end = self.request(Method::PUT, &format!("{place}?digest={digest}"));
        self.send(end.body(rest), 201).await?;
        Ok(digest)
    }

    pub(super) async fn put_manifest(&self, reference: &str, body: &str) -> Result<(), Gone> {
        let put = self.request(Method::PUT, &format!("manifests/{reference}"));
        let put = put.header("content-type", media_type::MANIFEST);
        self.send(put.body(body.to_owned()), 201).await.map(drop)
    }

    pub(super) async fn delete_manifest(&self, digest: &Digest) -> Result<(), Gone> {
        let delete = self.request(Method::DELETE, &format!("manifests/{digest}"));
        self.send(delete, 202).await.map(drop)
    }

    /// Status and bytes of a manifest or a blob.
    pub(super) async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let request = self.request(Method::GET, path);
        let request = request.header("accept", media_type::MANIFEST);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.bytes().await.unwrap().to_vec())
    }

    /// All tags, page by page.
    pub(super) async fn tags(&self) -> Vec<String> {
        let mut tags: Vec<String> = Vec::new();
        loop {
            let last = tags.last().cloned().unwrap_or_default();
            let (_, bytes) = self.get(&format!("tags/list?n=1000&last={last}")).await;
            let page: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            let page = page["tags"].as_array().unwrap();
            let text = |tag: &serde_json::Value| tag.as_str().unwrap().to_owned();
            tags.extend(page.iter().map(text));
            if page.len() < 1000 {
                return tags;
            }
        }
    }
}

fn location(answer: &Response) -> String {
    let location = answer.headers().get("location").unwrap();
    location.to_str().unwrap().to_owned()
}

/// A manifest of these blobs, the first of which is the configuration.
pub(super) fn manifest(blobs: &[(Digest, usize)], note: &str) -> String {
    let descriptor =
        |kind: &str, (digest, size): &(Digest, usize)| Descriptor::new(kind, *digest, *size as u64);
    let layers = blobs[1..].iter();
    json!({
        "schemaVersion": 2,
        "mediaType": media_type::MANIFEST,
        "config": descriptor(media_type::CONFIG, &blobs[0]),
        "layers": layers.map(|blob| descriptor(media_type::LAYER_GZIP, blob)).collect::<Vec<_>>(),
        "annotations": { "note": note },
    })
    .to_string()
}
