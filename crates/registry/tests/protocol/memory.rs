//! A registry that keeps to the protocol, in memory: the happy path.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use oci::Digest;

use crate::scripted::{Reply, Seen, Server, refuse, reply};

#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    /// By tag and by digest: media type and bytes.
    pub(crate) manifests: BTreeMap<String, (String, Vec<u8>)>,
}

pub(crate) struct Memory {
    pub(crate) server: Server,
    pub(crate) contents: Arc<Mutex<Contents>>,
}

impl Memory {
    pub(crate) async fn start() -> Self {
        let contents: Arc<Mutex<Contents>> = Arc::default();
        let shared = Arc::clone(&contents);
        let server = Server::start(move |_, seen| {
            let (method, target) = seen.line.split_once(' ').unwrap();
            let path = target.strip_prefix("/v2/acme/api/").unwrap_or_default();
            answer(&mut shared.lock().unwrap(), method, path, seen)
        })
        .await;
        Self { server, contents }
    }
}

fn answer(contents: &mut Contents, method: &str, path: &str, seen: &Seen) -> Reply {
    let body = seen.body.clone().unwrap_or_default();
    if seen.header("authorization") != "Basic QVdTOmh1bnRlcjI=" {
        return refuse(401, "UNAUTHORIZED", "log in");
    }
    match (method, path.split_once('/').unwrap_or((path, ""))) {
        ("POST", ("blobs", "uploads/")) => {
            reply(202).header("location", "/v2/acme/api/blobs/uploads/1?_state=signed")
        }
        ("PUT", ("blobs", rest)) => {
            let query = rest
                .strip_prefix("uploads/1?_state=signed&digest=")
                .unwrap();
            let digest = query.replace("%3A", ":");
            if seen.body.is_none() || Digest::of(&body).to_string() != digest {
                return refuse(400, "DIGEST_INVALID", "other bytes");
            }
            contents.blobs.insert(digest.clone(), body);
            reply(201).header("docker-content-digest", digest)
        }
        ("HEAD", ("blobs", digest)) => match contents.blobs.get(digest) {
            Some(bytes) => reply(200).header("content-length", bytes.len()),
            None => reply(404),
        },
        ("PUT", ("manifests", name)) => {
            let digest = Digest::of(&body).to_string();
            let stored = (seen.header("content-type").to_owned(), body);
            contents.manifests.insert(name.to_owned(), stored.clone());
            contents.manifests.insert(digest.clone(), stored);
            reply(201).header("docker-content-digest", digest)
        }
        ("GET" | "HEAD", ("manifests", name)) => match contents.manifests.get(name) {
            Some((kind, bytes)) => {
                let text = if method == "GET" {
                    str::from_utf8(bytes).unwrap()
                } else {
                    ""
                };
                reply(200)
                    .header("content-type", kind)
                    .header("content-length", bytes.len())
                    .header("docker-content-digest", Digest::of(bytes))
                    .body(text)
            }
            None => refuse(404, "MANIFEST_UNKNOWN", ""),
        },
        _ => refuse(405, "UNSUPPORTED", path),
    }
}
