//! What the machine can do at all, measured in the same run as the registries.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Instant;

use oci::{Digest, Hasher};
use serde::{Deserialize, Serialize};

const CHUNK: usize = 1 << 20;

/// The limits, in bytes or operations per second.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Limits {
    /// SHA-256 on one core.
    pub hash: f64,
    /// Writing a file and syncing it.
    pub disk: f64,
    /// Reading a file that the system has in memory.
    pub cache: f64,
    /// One connection over loopback, thrown away at the other end.
    pub loopback: f64,
    /// Appends of 4 KiB, each synced.
    pub syncs: f64,
}

impl Limits {
    /// The higher of each.
    pub fn best(self, other: Self) -> Self {
        Self {
            hash: self.hash.max(other.hash),
            disk: self.disk.max(other.disk),
            cache: self.cache.max(other.cache),
            loopback: self.loopback.max(other.loopback),
            syncs: self.syncs.max(other.syncs),
        }
    }
}

/// Measures on the disk of `directory`, the best of three.
pub fn measure(directory: &Path, size: usize) -> Limits {
    let best = |run: &dyn Fn() -> f64| (0..3).map(|_| run()).fold(0.0, f64::max);
    let bytes = vec![0x5a; CHUNK];
    let chunks = size / CHUNK;
    let file = directory.join("probe");
    let limits = Limits {
        hash: best(&|| rate(size, || hash(&bytes, chunks))),
        disk: best(&|| rate(size, || write(&file, &bytes, chunks))),
        cache: best(&|| rate(size, || read(&file))),
        loopback: best(&|| rate(size, || send(&bytes, chunks))),
        syncs: best(&|| rate(500, || append(&file, 500))),
    };
    fs::remove_file(file).expect("the probe's file");
    limits
}

fn rate(amount: usize, run: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    run();
    amount as f64 / begun.elapsed().as_secs_f64()
}

fn hash(bytes: &[u8], chunks: usize) {
    let mut hasher = Hasher::default();
    for _ in 0..chunks {
        hasher.update(bytes);
    }
    assert_ne!(hasher.finish(), Digest::of(b""));
}

fn write(path: &Path, bytes: &[u8], chunks: usize) {
    let _ = fs::remove_file(path);
    let mut file = File::create(path).expect("a file");
    for _ in 0..chunks {
        file.write_all(bytes).expect("space");
    }
    file.sync_all().expect("a disk");
}

fn read(path: &Path) {
    let mut file = File::open(path).expect("the file");
    let mut buffer = vec![0; CHUNK];
    while file.read(&mut buffer).expect("a disk") > 0 {}
}

fn send(bytes: &[u8], chunks: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a port");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut buffer = vec![0; 256 * 1024];
            while stream.read(&mut buffer).expect("loopback") > 0 {}
        });
        let mut stream = TcpStream::connect(address).expect("a connection");
        for _ in 0..chunks {
            stream.write_all(bytes).expect("loopback");
        }
    });
}

fn append(path: &Path, times: usize) {
    let mut file = File::options().append(true).open(path).expect("the file");
    for _ in 0..times {
        file.write_all(&[0; 4096]).expect("space");
        file.sync_data().expect("a disk");
    }
}
