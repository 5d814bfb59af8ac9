//! `/metrics`, on a listener of its own: what it tells is for operators.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use tokio::time::timeout;

use super::process::Process;
use crate::app::AppState;
use crate::contact::outbox;
use crate::logging;

/// Prometheus's text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How long a scrape waits for the database.
const PATIENCE: Duration = Duration::from_secs(1);

/// Serves `/metrics`.
pub fn app(state: AppState) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(state)
}

async fn metrics(State(state): State<AppState>) -> ([(HeaderName, &'static str); 1], String) {
    let mut registry = Registry::default();
    register_requests(&mut registry, &state);
    register_resources(&mut registry, &state);
    register_build(&mut registry, &state);
    registry.register(
        "log_lines_lost",
        "Lines of the log that nobody read in time",
        ConstCounter::new(logging::lost_lines()),
    );
    // Without an answer there is no number, rather than a wrong one.
    if let Ok(Ok((waiting, given_up))) = timeout(PATIENCE, outbox::counts(&state.database)).await {
        registry.register(
            "contact_messages_waiting",
            "Messages that are still to be delivered",
            ConstGauge::new(waiting),
        );
        registry.register(
            "contact_messages_given_up",
            "Messages whose delivery was given up",
            ConstGauge::new(given_up),
        );
    }
    if let Some(process) = Process::read() {
        register_process(&mut registry, &process);
    }
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = prometheus_text::encode(&mut text, &registry);
    ([(CONTENT_TYPE, TEXT)], text)
}

fn register_requests(registry: &mut Registry, state: &AppState) {
    let operations = &state.operations;
    registry.register(
        "http_requests",
        "Requests that were answered",
        operations.metrics.requests.clone(),
    );
    registry.register(
        "http_request_duration_seconds",
        "Time from the head of a request to its answer, its body included",
        operations.metrics.durations.clone(),
    );
    registry.register(
        "http_requests_in_flight",
        "Requests that are worked on",
        gauge(operations.in_flight()),
    );
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Use {
    state: &'static str,
}

fn register_resources(registry: &mut Registry, state: &AppState) {
    let connections = state.operations.connections();
    let idle = connections.idle();
    registry.register(
        "http_connections",
        "Connections of clients, by whether a request is open",
        by_use(connections.open().saturating_sub(idle), idle),
    );
    let pool = state.database.pool();
    let idle = pool.num_idle();
    registry.register(
        "database_connections",
        "Connections to the database",
        by_use((pool.size() as usize).saturating_sub(idle), idle),
    );
}

fn by_use(busy: usize, idle: usize) -> Family<Use, Gauge> {
    let family = Family::<Use, Gauge>::default();
    for (state, count) in [("busy", busy), ("idle", idle)] {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        family.get_or_create(&Use { state }).set(count);
    }
    family
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
    commit: String,
}

fn register_build(registry: &mut Registry, state: &AppState) {
    let family = Family::<BuildLabels, Gauge>::default();
    let labels = BuildLabels {
        version: env!("CARGO_PKG_VERSION"),
        commit: state.build.commit.clone().unwrap_or_default(),
    };
    family.get_or_create(&labels).set(1);
    registry.register("build_info", "What is running; always 1", family);
}

/// The names that every Prometheus client has for these.
fn register_process(registry: &mut Registry, process: &Process) {
    registry.register(
        "process_resident_memory_bytes",
        "Memory that is resident",
        ConstGauge::new(process.resident_bytes),
    );
    registry.register(
        "process_open_fds",
        "Open files",
        ConstGauge::new(process.open_files),
    );
    registry.register(
        "process_max_fds",
        "Files that may be open",
        ConstGauge::new(process.most_open_files),
    );
    registry.register(
        "process_threads",
        "Threads",
        ConstGauge::new(process.threads),
    );
    registry.register(
        "process_cpu_seconds",
        "Time on a processor",
        ConstCounter::new(process.processor_seconds),
    );
}

fn gauge(value: usize) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
}
