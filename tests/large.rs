//! Layers of any size through a push whose memory does not grow with them.
//!
//! `LONGSHORE_PUSH_MIB=20480` makes it the long run.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use futures_util::StreamExt as _;
use oci::{Digest, Hasher};
use serde_json::{Value, json};

use crate::harness::{Project, longshore};
use crate::storage::{peak_memory, setting};

/// What a push may take, in bytes, whatever the layers are: docs/images.md states it.
const BOUND: u64 = 64 << 20;
const LAYERS: u64 = 8;
const PLACE: &str = "/v2/large/blobs/uploads/";

/// A registry that hashes what arrives, and keeps nothing of it.
#[derive(Default)]
struct Hashing {
    uploads: Mutex<HashMap<String, (Hasher, u64)>>,
    received: Mutex<u64>,
    /// The publish, and the most memory that it had when it wrote the first manifest.
    publish: Mutex<(Option<u32>, Option<u64>)>,
    manifests: Mutex<HashMap<String, Bytes>>,
}

impl Hashing {
    fn measure(&self) {
        let mut publish = self.publish.lock().unwrap();
        publish.1 = publish.1.or(publish.0.map(peak_memory));
    }
}

async fn answer(State(registry): State<Arc<Hashing>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default();
    let digest = query
        .strip_prefix("digest=")
        .map(|text| text.replace("%3A", ":"));
    let response = Response::builder();
    let response = match parts.method {
        Method::POST => {
            let number = registry.uploads.lock().unwrap().len();
            let place = format!("{PLACE}{number}");
            registry
                .uploads
                .lock()
                .unwrap()
                .insert(place.clone(), (Hasher::default(), 0));
            response.status(202).header("location", place)
        }
        Method::PUT if path.contains("/manifests/") => {
            registry.measure();
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let digest = Digest::of(&bytes).to_string();
            registry.manifests.lock().unwrap().insert(path, bytes);
            let response = response.status(201).header("docker-content-digest", digest);
            return response
                .header("oci-subject", "listed")
                .body(Body::empty())
                .unwrap();
        }
        Method::PUT | Method::PATCH => {
            let upload = registry.uploads.lock().unwrap().get(&path).cloned();
            let (mut hasher, mut bytes) = upload.unwrap();
            let mut frames = body.into_data_stream();
            while let Some(frame) = frames.next().await {
                let frame = frame.unwrap();
                hasher.update(&frame);
                bytes += frame.len() as u64;
                *registry.received.lock().unwrap() += frame.len() as u64;
            }
            let known = (hasher.clone(), bytes);
            registry.uploads.lock().unwrap().insert(path.clone(), known);
            match digest {
                None => response
                    .status(202)
                    .header("location", path)
                    .header("range", format!("0-{}", bytes - 1)),
                Some(digest) if hasher.finish().to_string() == digest => response.status(201),
                Some(_) => response.status(400),
            }
        }
        _ => response.status(StatusCode::NOT_FOUND),
    };
    response.body(Body::empty()).unwrap()
}

/// Puts sparse files of different lengths in the place of the layers of a layout, and
/// gives its digest and the length of them all.
fn swell(layout: &Path, mebibytes: u64) -> (String, u64) {
    let read =
        |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let blobs = layout.join("blobs/sha256");
    let mut index = read(&layout.join("index.json"));
    let digest = index["manifests"][0]["digest"].as_str().unwrap().to_owned();
    let mut manifest = read(&blobs.join(digest.trim_start_matches("sha256:")));
    let zeros = vec![0; 1 << 20];
    let (mut hasher, mut layers, mut total) = (Hasher::default(), Vec::new(), 0);
    for _ in 0..mebibytes / LAYERS {
        hasher.update(&zeros);
    }
    for number in 0..LAYERS {
        // The zeros of the one before, and one more.
        hasher.update(&[0]);
        let size = ((mebibytes / LAYERS) << 20) + number + 1;
        let digest = hasher.clone().finish();
        File::create(blobs.join(digest.hex()))
            .unwrap()
            .set_len(size)
            .unwrap();
        let kind = "application/vnd.oci.image.layer.v1.tar";
        layers.push(json!({"mediaType": kind, "digest": digest.to_string(), "size": size}));
        total += size;
    }
    manifest["layers"] = Value::Array(layers);
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let digest = Digest::of(&bytes);
    std::fs::write(blobs.join(digest.hex()), &bytes).unwrap();
    index["manifests"][0]["digest"] = digest.to_string().into();
    index["manifests"][0]["size"] = bytes.len().into();
    std::fs::write(layout.join("index.json"), index.to_string()).unwrap();
    (digest.to_string(), total)
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_of_any_size_are_pushed_in_bounded_memory() {
    let mebibytes = setting("LONGSHORE_PUSH_MIB", 1040);
    let (project, _) = Project::built();
    let (digest, total) = swell(&project.layout(), mebibytes);
    let registry: Arc<Hashing> = Arc::default();
    let app = axum::Router::new()
        .fallback(answer)
        .with_state(Arc::clone(&registry));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let begun = std::time::Instant::now();
    let mut command: Command = longshore(project.path());
    command.args([
        "publish",
        "--digest",
        &digest,
        "--to",
        &format!("{host}/large"),
        "--layout",
    ]);
    let mut child = command.arg(project.layout()).spawn().unwrap();
    registry.publish.lock().unwrap().0 = Some(child.id());
    let status = tokio::task::spawn_blocking(move || child.wait())
        .await
        .unwrap();
    assert!(status.unwrap().success());
    let peak = registry.publish.lock().unwrap().1.unwrap();
    let received = *registry.received.lock().unwrap();
    println!(
        "{received} bytes in {:?}: at most {} MiB",
        begun.elapsed(),
        peak >> 20
    );
    assert!(received >= total, "{received} of {total}");
    let tagged = registry
        .manifests
        .lock()
        .unwrap()
        .keys()
        .any(|path| path.ends_with("/latest"));
    assert!(tagged, "no tag was set");
    assert!(peak <= BOUND, "{peak} bytes");
}
