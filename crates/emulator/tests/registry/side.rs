//! One registry of either behaviour, and a client of it.

use std::path::Path;

use emulator::RegistryBehaviour;
use oci::{Descriptor, Digest, media_type};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::cases::case;
use crate::served::{OTHER, Served, header};

/// The repository that most cases use; its tags are mutable.
pub(crate) const NAME: &str = OTHER;

/// A registry, logged in to as administrator.
pub(crate) struct Side {
    pub(crate) served: Served,
    behaviour: RegistryBehaviour,
    login: String,
    data: tempfile::TempDir,
}

impl Side {
    /// One registry of each behaviour.
    pub(crate) async fn both() -> [Self; 2] {
        [
            Self::start(RegistryBehaviour::Specification).await,
            Self::start(RegistryBehaviour::Ecr).await,
        ]
    }

    pub(crate) async fn start(behaviour: RegistryBehaviour) -> Self {
        let data = tempfile::tempdir().unwrap();
        let served = Served::start_as(data.path(), vec![], behaviour).await;
        let login = served.log_in(&served.administrator).await;
        Self {
            served,
            behaviour,
            login,
            data,
        }
    }

    /// The value of the header `Authorization`.
    pub(crate) fn login(&self) -> &str {
        &self.login
    }

    /// The emulator's folder.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    pub(crate) fn is_ecr(&self) -> bool {
        self.behaviour == RegistryBehaviour::Ecr
    }

    /// Compares what was seen with the table.
    pub(crate) fn expect(&self, name: &str, seen: &str) {
        let case = case(name);
        let expected = match &case.ecr {
            Some(ecr) if self.is_ecr() => ecr.answer,
            _ => case.specification,
        };
        assert_eq!(seen, expected, "{name}, {:?}", self.behaviour);
    }

    /// As `expect`, for an answer that is a status, and a code if it is refused.
    pub(crate) async fn expect_answer(&self, name: &str, answer: Response) {
        let seen = seen(answer).await;
        self.expect(name, &seen);
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.served.base)
        };
        let request = self.served.client.request(method, url);
        request.header("authorization", &self.login)
    }

    pub(crate) async fn send(&self, method: Method, path: &str) -> Response {
        self.request(method, path).send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path).await
    }

    /// The address of a new upload.
    pub(crate) async fn begin(&self) -> String {
        let path = format!("/v2/{NAME}/blobs/uploads/");
        let begun = self.send(Method::POST, &path).await;
        assert_eq!(begun.status(), 202);
        header(&begun, "location")
    }

    /// A chunk of an upload, at its place.
    pub(crate) async fn chunk(&self, upload: &str, range: &str, bytes: &[u8]) -> Response {
        let request = self.request(Method::PATCH, upload);
        let request = request.header("content-range", range);
        request.body(bytes.to_vec()).send().await.unwrap()
    }

    /// The end of an upload.
    pub(crate) async fn end(&self, upload: &str, digest: &Digest, bytes: &[u8]) -> Response {
        let path = format!("{upload}?digest={digest}");
        let request = self.request(Method::PUT, &path);
        request.body(bytes.to_vec()).send().await.unwrap()
    }

    /// Puts a blob where the cases look for it.
    pub(crate) async fn push_blob(&self, bytes: &[u8]) -> Descriptor {
        let (upload, digest) = (self.begin().await, Digest::of(bytes));
        assert_eq!(self.end(&upload, &digest, bytes).await.status(), 201);
        Descriptor::of("application/octet-stream", bytes)
    }

    pub(crate) async fn put(&self, reference: &str, kind: &str, manifest: &str) -> Response {
        let path = format!("/v2/{NAME}/manifests/{reference}");
        let request = self.request(Method::PUT, &path);
        let request = request.header("content-type", kind);
        request.body(manifest.to_owned()).send().await.unwrap()
    }

    /// Puts a manifest with some members of its own, and returns its text.
    pub(crate) async fn push_manifest(&self, reference: &str, members: Value) -> String {
        let config = self.push_blob(b"{}").await;
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type::MANIFEST,
            "config": Descriptor { media_type: media_type::CONFIG.to_owned(), ..config },
            "layers": [],
        });
        for (name, value) in members.as_object().unwrap() {
            manifest[name] = value.clone();
        }
        let manifest = manifest.to_string();
        let put = self.put(reference, media_type::MANIFEST, &manifest).await;
        assert_eq!(put.status(), 201, "{}", put.text().await.unwrap());
        manifest
    }

    /// Puts an index of manifests, and returns its text.
    pub(crate) async fn push_index(&self, reference: &str, children: &[&str]) -> String {
        let children: Vec<Descriptor> = children.iter().map(|child| describe(child)).collect();
        let index = json!({
            "schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": children,
        })
        .to_string();
        let put = self.put(reference, media_type::INDEX, &index).await;
        assert_eq!(put.status(), 201, "{}", put.text().await.unwrap());
        index
    }
}

/// The descriptor of a manifest or index by its own word.
pub(crate) fn describe(manifest: &str) -> Descriptor {
    let parsed: Value = serde_json::from_str(manifest).unwrap();
    Descriptor::of(parsed["mediaType"].as_str().unwrap(), manifest.as_bytes())
}

/// The status of an answer, and the code of a refusal.
pub(crate) async fn seen(answer: Response) -> String {
    let status = answer.status();
    let text = answer.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    match body["errors"][0]["code"].as_str() {
        Some(code) if !status.is_success() => format!("{} {code}", status.as_u16()),
        _ => status.as_u16().to_string(),
    }
}

/// The status, and which of some headers there are: `201, location, digest`.
pub(crate) fn with_headers(answer: &Response, headers: &[(&str, &str)]) -> String {
    let mut seen = answer.status().as_u16().to_string();
    for (name, shown) in headers {
        if answer.headers().contains_key(*name) {
            seen.push_str(", ");
            seen.push_str(shown);
        }
    }
    seen
}
