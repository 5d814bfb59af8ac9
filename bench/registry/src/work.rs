//! What is measured: each row is one kind of work, done by the same code against
//! both registries.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::client::{Connection, Registry};
use crate::content::{Bytes, Image};
use crate::server::Server;

pub const REPOSITORY: &str = "bench";
/// Connections that Docker opens for one image.
const DOCKER: usize = 5;
pub const CLIENTS: usize = 64;
/// How often what takes some ten milliseconds is done for one measurement.
const TIMES: usize = 10;

/// How much is done.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Bytes of the large layer.
    pub large: usize,
    /// Bytes of each of the 100 small ones.
    pub small: usize,
    /// Bytes of each of the four layers that each of 64 clients pushes.
    pub shared: usize,
    /// Manifests that 64 clients push together.
    pub manifests: usize,
    /// Repetitions of what takes about a millisecond.
    pub repetitions: usize,
}

/// What one piece of work took.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Cost {
    pub seconds: f64,
    /// Seconds of the registry's process on a processor.
    pub processor: f64,
}

impl Cost {
    pub const UNKNOWN: Self = Self {
        seconds: f64::INFINITY,
        processor: f64::INFINITY,
    };

    /// The lower of each.
    pub fn best(self, other: Self) -> Self {
        Self {
            seconds: self.seconds.min(other.seconds),
            processor: self.processor.min(other.processor),
        }
    }

    fn of_one(self, among: usize) -> Self {
        Self {
            seconds: self.seconds / among as f64,
            processor: self.processor / among as f64,
        }
    }
}

/// The rows, in the order of `round`.
pub const ROWS: [&str; 9] = [
    "push-large",
    "pull-large",
    "push-small",
    "pull-small",
    "push-again",
    "pull-again",
    "push-clients",
    "pull-clients",
    "manifests",
];

/// Does everything once.
pub fn round(server: &Server, bytes: &mut Bytes, sizes: &Sizes) -> [Cost; ROWS.len()] {
    let registry = &server.registry();
    let cost = |run: &dyn Fn()| cost(server, run);

    let large = bytes.image(1, sizes.large);
    settle();
    let push_large = cost(&|| push(registry, &large, "large", 1));
    let pull_large = cost(&|| pull(registry, &large, "large", 1));
    drop(large);

    let small = bytes.image(100, sizes.small);
    let again = |run: &dyn Fn()| cost(&|| (0..TIMES).for_each(|_| run())).of_one(TIMES);
    settle();
    let push_small = cost(&|| push(registry, &small, "small", DOCKER));
    let pull_small = again(&|| pull(registry, &small, "small", DOCKER));
    let push_again = again(&|| push(registry, &small, "small", DOCKER));
    let pull_again = cost(&|| {
        let mut connection = Connection::open(registry).expect("a connection");
        for _ in 0..sizes.repetitions {
            connection.pull_manifest(REPOSITORY, "small");
        }
    });

    let images: Vec<Image> = (0..CLIENTS).map(|_| bytes.image(4, sizes.shared)).collect();
    settle();
    let push_clients = cost(&|| push_as_clients(registry, &images));
    let pull_clients = cost(&|| pull_as_clients(registry, &images));
    drop(images);
    settle();
    [
        push_large,
        pull_large,
        push_small,
        pull_small,
        push_again,
        pull_again.of_one(sizes.repetitions),
        push_clients,
        pull_clients,
        manifests(server, registry, &small, sizes.manifests),
    ]
}

/// Something that is acknowledged just before a kill.
pub fn push_a_little(server: &Server, bytes: &mut Bytes) {
    push(&server.registry(), &bytes.image(4, 1 << 10), "little", 1);
}

/// Waits until the disk has everything, so that it is not still busy with what
/// came before.
pub fn settle() {
    let _ = std::process::Command::new("sync").status();
}

fn cost(server: &Server, run: &dyn Fn()) -> Cost {
    let (begun, before) = (Instant::now(), server.processor());
    run();
    Cost {
        seconds: begun.elapsed().as_secs_f64(),
        processor: server.processor() - before,
    }
}

fn push(registry: &Registry, image: &Image, tag: &str, connections: usize) {
    over_blobs(registry, image, connections, |connection, blob| {
        connection.push_blob(REPOSITORY, &image.blobs[blob]);
    });
    let mut connection = Connection::open(registry).expect("a connection");
    connection.push_manifest(REPOSITORY, tag, image.manifest.as_bytes());
}

fn pull(registry: &Registry, image: &Image, tag: &str, connections: usize) {
    let mut connection = Connection::open(registry).expect("a connection");
    connection.pull_manifest(REPOSITORY, tag);
    over_blobs(registry, image, connections, |connection, blob| {
        let size = connection.pull_blob(REPOSITORY, &image.blobs[blob].digest);
        assert_eq!(size, image.blobs[blob].bytes.len() as u64);
    });
}

/// Works through the blobs of an image on several connections.
fn over_blobs(
    registry: &Registry,
    image: &Image,
    connections: usize,
    work: impl Fn(&mut Connection, usize) + Sync,
) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..connections.min(image.blobs.len()) {
            scope.spawn(|| {
                let mut connection = Connection::open(registry).expect("a connection");
                loop {
                    let blob = next.fetch_add(1, Ordering::Relaxed);
                    if blob >= image.blobs.len() {
                        return;
                    }
                    work(&mut connection, blob);
                }
            });
        }
    });
}

fn push_as_clients(registry: &Registry, images: &[Image]) {
    clients(registry, |number, connection| {
        let image = &images[number];
        for blob in &image.blobs {
            connection.push_blob(REPOSITORY, blob);
        }
        let tag = format!("client-{number}");
        connection.push_manifest(REPOSITORY, &tag, image.manifest.as_bytes());
    });
}

fn pull_as_clients(registry: &Registry, images: &[Image]) {
    clients(registry, |number, connection| {
        connection.pull_manifest(REPOSITORY, &format!("client-{number}"));
        for blob in &images[number].blobs {
            connection.pull_blob(REPOSITORY, &blob.digest);
        }
    });
}

/// Works as 64 clients at once, each on its own connection.
fn clients(registry: &Registry, work: impl Fn(usize, &mut Connection) + Sync) {
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let work = &work;
            scope.spawn(move || {
                let mut connection = Connection::open(registry).expect("a connection");
                work(number, &mut connection);
            });
        }
    });
}

/// One manifest, with its own digest and tag, while 64 clients push them.
fn manifests(server: &Server, registry: &Registry, image: &Image, total: usize) -> Cost {
    let next = AtomicUsize::new(0);
    let variants: Vec<String> = (0..total).map(|number| image.variant(number)).collect();
    let all = cost(server, &|| {
        clients(registry, |_, connection| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(manifest) = variants.get(number) else {
                    return;
                };
                let tag = format!("manifest-{number}");
                connection.push_manifest(REPOSITORY, &tag, manifest.as_bytes());
            }
        });
    });
    all.of_one(total)
}
