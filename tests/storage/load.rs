//! Many large layers at once, in bounded memory.
//!
//! `LONGSHORE_LOAD_CLIENTS=64 LONGSHORE_LOAD_MIB=500` makes it the long run.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use oci::{Digest, Hasher};

use super::{REPOSITORY, command, project, setting};
use crate::harness::Emulator;

/// What the process may grow by while clients push and pull, in bytes: beyond a
/// share for each client.
const FIXED: u64 = 32 << 20;
/// Frames that wait for the disk and the hash, or pieces that wait for the
/// network, and the buffers of the connection.
const EACH: u64 = 3 << 20;

/// The most memory that a process has had resident, in bytes.
pub(crate) fn peak_memory(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib: u64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kib * 1024
}

/// The layer of one client, a MiB at a time, made as it is read: no two clients
/// have the same, and nobody holds one in memory.
fn pieces(client: u64, mebibytes: u64) -> impl Iterator<Item = Bytes> {
    let mut piece = vec![0x5a; 1 << 20];
    (0..mebibytes).map(move |number| {
        piece[..8].copy_from_slice(&client.to_le_bytes());
        piece[8..16].copy_from_slice(&number.to_le_bytes());
        Bytes::from(piece.clone())
    })
}

fn digest(client: u64, mebibytes: u64) -> Digest {
    let mut hasher = Hasher::default();
    pieces(client, mebibytes).for_each(|piece| hasher.update(&piece));
    hasher.finish()
}

struct Target {
    url: String,
    password: String,
    http: reqwest::Client,
}

impl Target {
    async fn push(&self, client: u64, mebibytes: u64, digest: Digest) {
        let begin = format!("{}/v2/{REPOSITORY}/blobs/uploads/", self.url);
        let begin = self
            .http
            .post(begin)
            .basic_auth("AWS", Some(&self.password));
        let begun = begin.send().await.unwrap().error_for_status().unwrap();
        let place = begun.headers()["location"].to_str().unwrap();
        let body = stream::iter(pieces(client, mebibytes).map(Ok::<_, std::io::Error>));
        let put = self.http.put(format!("{place}?digest={digest}"));
        let put = put.basic_auth("AWS", Some(&self.password));
        let put = put.body(reqwest::Body::wrap_stream(body)).send().await;
        let answer = put.unwrap();
        assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
    }

    async fn pull(&self, digest: Digest) {
        let url = format!("{}/v2/{REPOSITORY}/blobs/{digest}", self.url);
        let get = self.http.get(url).basic_auth("AWS", Some(&self.password));
        let mut answer = get.send().await.unwrap().error_for_status().unwrap();
        let mut hasher = Hasher::default();
        while let Some(piece) = answer.chunk().await.unwrap() {
            hasher.update(&piece);
        }
        assert_eq!(hasher.finish(), digest);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_layers_of_many_clients_pass_in_bounded_memory() {
    let clients = setting("LONGSHORE_LOAD_CLIENTS", 8);
    let mebibytes = setting("LONGSHORE_LOAD_MIB", 48);
    let project = project();
    let emulator = Emulator::launch(&mut command(project.path()));
    let target = Arc::new(Target {
        url: emulator.url.clone(),
        password: emulator.registry_reader().await.password,
        http: reqwest::Client::new(),
    });
    // Before the first push, which must not wait in its middle for hashes of others.
    let digests: Vec<Digest> = (0..clients)
        .map(|client| digest(client, mebibytes))
        .collect();
    let before = peak_memory(emulator.id());
    let begun = std::time::Instant::now();
    let pushes: Vec<_> = (0..clients)
        .zip(digests.clone())
        .map(|(client, digest)| {
            let target = Arc::clone(&target);
            tokio::spawn(async move { target.push(client, mebibytes, digest).await })
        })
        .collect();
    for push in pushes {
        push.await.unwrap();
    }
    let (pushed, push_time) = (peak_memory(emulator.id()), begun.elapsed());
    let begun = std::time::Instant::now();
    let pulls: Vec<_> = digests
        .into_iter()
        .map(|digest| {
            let target = Arc::clone(&target);
            tokio::spawn(async move { target.pull(digest).await })
        })
        .collect();
    for pull in pulls {
        pull.await.unwrap();
    }
    let pulled = peak_memory(emulator.id());
    let (all, mib) = (clients * mebibytes, |bytes: u64| bytes >> 20);
    println!(
        "{clients} clients, {mebibytes} MiB each: pushed in {push_time:?}, pulled in {:?}; \
         peak memory {} MiB at rest, {} MiB after the pushes, {} MiB after the pulls",
        begun.elapsed(),
        mib(before),
        mib(pushed),
        mib(pulled),
    );
    let bound = FIXED + clients * EACH;
    assert!(bound < all << 20, "the layers are too small to tell");
    assert!(pulled - before < bound, "more than {} MiB", mib(bound));
}
