//! `longshore emulator` beside Debian's `docker-registry`: the same work, by the
//! same client, on the same disk, in one run. See ../README.md.

mod client;
mod content;
mod page;
mod probe;
mod server;
mod work;

use std::time::Duration;

use content::Bytes;
use probe::Limits;
use serde::{Deserialize, Serialize};
use server::{Kind, Server};
use work::{Cost, ROWS, Sizes, settle};

const KINDS: [Kind; 2] = [Kind::Longshore, Kind::Docker];
/// How often each kind of start is measured.
const STARTS: usize = 5;

/// What was measured in one run, or in several of the same sizes.
#[derive(Serialize, Deserialize)]
pub struct Report {
    pub sizes: Sizes,
    pub limits: Limits,
    pub registries: Vec<Results>,
}

impl Report {
    fn add(&mut self, earlier: Self) {
        self.limits = self.limits.best(earlier.limits);
        for (results, earlier) in self.registries.iter_mut().zip(earlier.registries) {
            results.add(earlier);
        }
    }
}

/// What is known about one registry.
#[derive(Serialize, Deserialize)]
pub struct Results {
    pub kind: Kind,
    pub rounds: Vec<[Cost; ROWS.len()]>,
    /// On an empty directory.
    pub first_start: Duration,
    /// On the data of the last round, after an orderly end.
    pub start: Duration,
    /// The same after a push and SIGKILL.
    pub start_after_kill: Duration,
    /// Memory when nothing was asked yet, and at the peak, in bytes.
    pub idle_memory: u64,
    pub peak_memory: u64,
}

impl Results {
    fn none(kind: Kind) -> Self {
        Self {
            kind,
            rounds: Vec::new(),
            first_start: Duration::MAX,
            start: Duration::MAX,
            start_after_kill: Duration::MAX,
            idle_memory: u64::MAX,
            peak_memory: 0,
        }
    }

    fn add(&mut self, earlier: Self) {
        self.rounds.extend(earlier.rounds);
        self.first_start = self.first_start.min(earlier.first_start);
        self.start = self.start.min(earlier.start);
        self.start_after_kill = self.start_after_kill.min(earlier.start_after_kill);
        self.idle_memory = self.idle_memory.min(earlier.idle_memory);
        self.peak_memory = self.peak_memory.max(earlier.peak_memory);
    }

    /// The best of each row.
    pub fn best(&self) -> [Cost; ROWS.len()] {
        std::array::from_fn(|row| {
            let costs = self.rounds.iter().map(|round| round[row]);
            costs.fold(Cost::UNKNOWN, Cost::best)
        })
    }
}

/// `registry-bench LONGSHORE DOCKER-REGISTRY DIRECTORY ROUNDS RESULTS [quick]`
///
/// What RESULTS has of the same sizes counts too, so that a run can be made in
/// several parts.
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, longshore, docker, directory, rounds, file, rest @ ..] = arguments.as_slice() else {
        panic!("see bench/registry/run");
    };
    let rounds: usize = rounds.parse().expect("a number of rounds");
    let sizes = sizes(rest.iter().any(|word| word == "quick"));
    std::fs::create_dir_all(directory).expect("a directory");
    // The registries work in directories of their own.
    let absolute = |path: &String| std::fs::canonicalize(path).expect("it exists");
    let directory = absolute(directory);
    let limits = probe::measure(&directory, sizes.large);
    let programs = [longshore, docker].map(absolute);
    let mut servers: Vec<Server> = KINDS
        .iter()
        .zip(&programs)
        .map(|(kind, program)| Server::new(*kind, program, &directory))
        .collect();
    let registries = measure(&mut servers, rounds, &sizes);
    let mut report = Report {
        sizes,
        limits,
        registries,
    };
    let earlier = std::fs::read(file).ok();
    let earlier = earlier.and_then(|bytes| serde_json::from_slice::<Report>(&bytes).ok());
    if let Some(earlier) = earlier.filter(|earlier| earlier.sizes == report.sizes) {
        report.add(earlier);
    }
    let raw = serde_json::to_string_pretty(&report).expect("JSON");
    std::fs::write(file, raw + "\n").expect("a file for the results");
    print!("{}", page::tables(&report));
}

fn sizes(quick: bool) -> Sizes {
    if quick {
        return Sizes {
            large: 128 << 20,
            small: 64 << 10,
            shared: 1 << 20,
            manifests: 3_200,
            repetitions: 500,
        };
    }
    Sizes {
        large: 512 << 20,
        small: 64 << 10,
        shared: 2 << 20,
        manifests: 6_400,
        repetitions: 2_000,
    }
}

/// The registries take turns, so that what disturbs the machine disturbs both.
fn measure(servers: &mut [Server], rounds: usize, sizes: &Sizes) -> Vec<Results> {
    let mut bytes = Bytes::new();
    let mut results: Vec<Results> = KINDS.map(Results::none).into();
    for _ in 0..rounds {
        for (server, result) in servers.iter_mut().zip(&mut results) {
            server.clear();
            settle();
            result.first_start = server.start().min(result.first_start);
            result.idle_memory = server.peak_memory().min(result.idle_memory);
            let round = work::round(server, &mut bytes, sizes);
            result.rounds.push(round);
            result.peak_memory = server.peak_memory().max(result.peak_memory);
            server.stop();
        }
    }
    for _ in 0..STARTS {
        for (server, result) in servers.iter_mut().zip(&mut results) {
            result.start = server.start().min(result.start);
            work::push_a_little(server, &mut bytes);
            server.kill();
            result.start_after_kill = server.start().min(result.start_after_kill);
            server.stop();
        }
    }
    servers.iter().for_each(Server::clear);
    results
}
