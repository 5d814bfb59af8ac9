//! What Prometheus reads of the service. A label's values are bounded: a request is
//! counted under the template of its route, never under its path.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

pub use exposition::app;

mod exposition;
mod process;

/// The upper bounds of the classes of durations, in seconds: from an answer out of
/// memory to the request timeout.
const DURATIONS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Methods that are counted under their names; all others are `other`.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

/// The counts of the requests.
#[derive(Debug)]
pub(crate) struct Metrics {
    requests: Family<Answered, Counter>,
    durations: Family<Asked, Histogram, fn() -> Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
        }
    }
}

impl Metrics {
    /// Counts an answer. `route` is a template, or what stands for all paths that
    /// match none.
    pub(crate) fn count(&self, method: &str, route: &str, status: u16, duration: Duration) {
        let method = METHODS
            .into_iter()
            .find(|known| *known == method)
            .unwrap_or("other");
        let asked = Asked {
            method,
            route: route.to_owned(),
        };
        self.durations
            .get_or_create(&asked)
            .observe(duration.as_secs_f64());
        let answered = Answered {
            method,
            route: asked.route,
            status,
        };
        self.requests.get_or_create(&answered).inc();
    }
}
