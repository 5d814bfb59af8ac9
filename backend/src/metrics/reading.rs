//! Every figure as it is now, under the names that it has in Prometheus and those of
//! OpenTelemetry's conventions (<https://opentelemetry.io/docs/specs/semconv/>).

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;

use super::process::Process;
use super::{Answered, Durations, NO_ROUTE};
use crate::app::AppState;
use crate::contact::outbox;
use crate::logging;

/// How long is waited for the database.
const PATIENCE: Duration = Duration::from_secs(1);

/// The figures of one moment.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Since when is counted.
    #[cfg_attr(
        not(feature = "otlp"),
        expect(dead_code, reason = "Prometheus has none")
    )]
    pub(crate) since: Timestamp,
    pub(crate) metrics: Vec<Metric>,
}

/// A name in each of the two worlds; what has none is not told there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) prometheus: Option<&'static str>,
    pub(crate) otlp: Option<&'static str>,
}

/// One figure, for each combination of labels.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) name: Name,
    /// What it is, in a line.
    pub(crate) about: &'static str,
    /// As in UCUM: `s`, `By`, `{request}`.
    #[cfg_attr(
        not(feature = "otlp"),
        expect(dead_code, reason = "Prometheus has none")
    )]
    pub(crate) unit: &'static str,
    pub(crate) points: Points,
}

#[derive(Debug)]
pub(crate) enum Points {
    /// What only grows.
    Counts(Vec<Point<f64>>),
    /// What goes up and down.
    Levels(Vec<Point<f64>>),
    /// What is spread.
    Durations(Vec<Point<Durations>>),
}

#[derive(Debug)]
pub(crate) struct Point<T> {
    pub(crate) labels: Vec<(Name, Label)>,
    pub(crate) value: T,
}

/// The value of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Label {
    Text(String),
    Number(i64),
}

const fn name(prometheus: &'static str, otlp: &'static str) -> Name {
    Name {
        prometheus: Some(prometheus),
        otlp: Some(otlp),
    }
}

const fn only_prometheus(name: &'static str) -> Name {
    Name {
        prometheus: Some(name),
        otlp: None,
    }
}

const fn only_otlp(name: &'static str) -> Name {
    Name {
        prometheus: None,
        otlp: Some(name),
    }
}

fn text(value: &str) -> Label {
    Label::Text(value.to_owned())
}

/// Reads all of them.
pub(crate) async fn read(state: &AppState) -> Reading {
    let mut metrics = requests(state);
    metrics.extend(connections(state));
    metrics.push(build(state));
    metrics.push(Metric {
        name: name("log_lines_lost_total", "log.lines.lost"),
        about: "Lines of the log that nobody read in time",
        unit: "{line}",
        points: Points::Counts(vec![one(number(logging::lost_lines()))]),
    });
    // Without an answer there is no number, rather than a wrong one.
    if let Ok(Ok((waiting, given_up))) = timeout(PATIENCE, outbox::counts(&state.database)).await {
        metrics.push(level(
            name("contact_messages_waiting", "contact.messages.waiting"),
            "Messages that are still to be delivered",
            "{message}",
            number(waiting),
        ));
        metrics.push(level(
            name("contact_messages_given_up", "contact.messages.given_up"),
            "Messages whose delivery was given up",
            "{message}",
            number(given_up),
        ));
    }
    metrics.extend(Process::read().iter().flat_map(process));
    Reading {
        since: state.started_at,
        metrics,
    }
}

fn requests(state: &AppState) -> Vec<Metric> {
    let operations = &state.operations;
    let all = operations.metrics.durations().clone();
    let scheme = state.site.scheme();
    let counts = all.iter().map(|(answered, durations)| Point {
        labels: labels(answered, scheme),
        value: number(durations.count()),
    });
    let requests = Metric {
        name: only_prometheus("http_requests_total"),
        about: "Requests that were answered",
        unit: "{request}",
        points: Points::Counts(counts.collect()),
    };
    let durations = all.into_iter().map(|(answered, value)| Point {
        labels: labels(&answered, scheme),
        value,
    });
    let durations = Metric {
        name: name(
            "http_request_duration_seconds",
            "http.server.request.duration",
        ),
        about: "Time from the head of a request to its answer, its body included",
        unit: "s",
        points: Points::Durations(durations.collect()),
    };
    let in_flight = level(
        name("http_requests_in_flight", "http.server.active_requests"),
        "Requests that are worked on",
        "{request}",
        number(operations.in_flight()),
    );
    vec![requests, durations, in_flight]
}

fn labels(answered: &Answered, scheme: &str) -> Vec<(Name, Label)> {
    let status = answered.status;
    let mut labels = vec![
        (name("method", "http.request.method"), text(answered.method)),
        (
            name("status", "http.response.status_code"),
            Label::Number(status.into()),
        ),
        (only_otlp("url.scheme"), text(scheme)),
    ];
    labels.push(if answered.route == NO_ROUTE {
        (only_prometheus("route"), text(NO_ROUTE))
    } else {
        (name("route", "http.route"), text(&answered.route))
    });
    if status >= 500 {
        labels.push((only_otlp("error.type"), text(&status.to_string())));
    }
    labels
}

fn connections(state: &AppState) -> [Metric; 2] {
    let connections = state.operations.connections();
    let pool = state.database.pool();
    let by_state = |label: Name, used: &str, all: usize, idle: usize| {
        let point = |state: &str, count| Point {
            labels: vec![(label, text(state))],
            value: number(count),
        };
        Points::Levels(vec![
            point(used, all.saturating_sub(idle)),
            point("idle", idle),
        ])
    };
    let of_clients = Metric {
        name: name("http_connections", "http.server.open_connections"),
        about: "Connections of clients, by whether a request is open",
        unit: "{connection}",
        points: by_state(
            name("state", "http.connection.state"),
            "active",
            connections.open(),
            connections.idle(),
        ),
    };
    let to_database = Metric {
        name: name("database_connections", "db.client.connection.count"),
        about: "Connections to the database",
        unit: "{connection}",
        points: by_state(
            name("state", "db.client.connection.state"),
            "used",
            pool.size() as usize,
            pool.num_idle(),
        ),
    };
    [of_clients, to_database]
}

/// OpenTelemetry has it in the resource.
fn build(state: &AppState) -> Metric {
    let commit = state.build.commit.as_deref().unwrap_or_default();
    Metric {
        name: only_prometheus("build_info"),
        about: "What is running; always 1",
        unit: "1",
        points: Points::Levels(vec![Point {
            labels: vec![
                (only_prometheus("version"), text(env!("CARGO_PKG_VERSION"))),
                (only_prometheus("commit"), text(commit)),
            ],
            value: 1.0,
        }]),
    }
}

/// The names that every Prometheus client has for these.
fn process(process: &Process) -> [Metric; 5] {
    [
        level(
            name("process_resident_memory_bytes", "process.memory.usage"),
            "Memory that is resident",
            "By",
            number(process.resident_bytes),
        ),
        level(
            name("process_open_fds", "process.unix.file_descriptor.count"),
            "Open files",
            "{file_descriptor}",
            number(process.open_files),
        ),
        level(
            only_prometheus("process_max_fds"),
            "Files that may be open",
            "{file_descriptor}",
            number(process.most_open_files),
        ),
        level(
            name("process_threads", "process.thread.count"),
            "Threads",
            "{thread}",
            number(process.threads),
        ),
        Metric {
            name: name("process_cpu_seconds_total", "process.cpu.time"),
            about: "Time on a processor",
            unit: "s",
            points: Points::Counts(vec![one(process.processor_seconds)]),
        },
    ]
}

fn level(name: Name, about: &'static str, unit: &'static str, value: f64) -> Metric {
    Metric {
        name,
        about,
        unit,
        points: Points::Levels(vec![one(value)]),
    }
}

fn one(value: f64) -> Point<f64> {
    Point {
        labels: Vec::new(),
        value,
    }
}

/// Whole up to 2^53, and close to it above.
#[expect(clippy::cast_precision_loss, reason = "both formats carry doubles")]
fn number(value: impl TryInto<i64>) -> f64 {
    value.try_into().unwrap_or(i64::MAX) as f64
}
