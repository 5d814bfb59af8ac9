//! Figures for operators, kept once: Prometheus reads them, and a collector of
//! OpenTelemetry is sent the same. A label's values are bounded: a request is counted
//! under the template of its route, never under its path.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use exposition::app;

mod exposition;
mod process;
pub(crate) mod reading;

/// The upper bounds of the classes of durations, in seconds: from an answer out of
/// memory to the request timeout.
pub(crate) const BOUNDS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Methods that have names; all others are `_OTHER`, as in OpenTelemetry's conventions.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

/// What stands for every path that matches no route.
pub(crate) const NO_ROUTE: &str = "none";

/// The requests that were answered.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    durations: Mutex<BTreeMap<Answered, Durations>>,
}

/// What is told apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

/// How long requests took.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Durations {
    /// How many were at most as long as each bound and longer than the one before; the
    /// last ones were longer than all.
    pub(crate) counts: [u64; BOUNDS.len() + 1],
    /// All together, in seconds.
    pub(crate) sum: f64,
}

impl Durations {
    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Metrics {
    /// Counts an answer. `route` is a template, or what stands for all paths that
    /// match none.
    pub(crate) fn count(&self, method: &str, route: &str, status: u16, duration: Duration) {
        let answered = Answered {
            method: known_method(method),
            route: route.to_owned(),
            status,
        };
        let seconds = duration.as_secs_f64();
        let class = BOUNDS.partition_point(|bound| *bound < seconds);
        let mut all = self.durations();
        let durations = all.entry(answered).or_default();
        durations.counts[class] += 1;
        durations.sum += seconds;
    }

    fn durations(&self) -> MutexGuard<'_, BTreeMap<Answered, Durations>> {
        // The worst that a panic leaves is a request that was not counted.
        self.durations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name under which requests of this method are counted.
pub(crate) fn known_method(method: &str) -> &'static str {
    let known = METHODS.into_iter().find(|known| *known == method);
    known.unwrap_or("_OTHER")
}
