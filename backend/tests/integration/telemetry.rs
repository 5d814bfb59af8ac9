//! Traces and metrics, as a collector gets them from the real process.

use std::io::Write;
use std::process::Command;

use opentelemetry_proto::tonic::metrics::v1::AggregationTemporality;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use crate::collector::{Collector, attributes};
use crate::metrics::get;
use crate::postgres::on_each_program;
use crate::process::{Running, answer, backend, directory};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Sends everything soon.
fn sending_to<'a>(command: &'a mut Command, collector: &Collector) -> &'a mut Command {
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .env("OTEL_BSP_SCHEDULE_DELAY", "50")
        .env("OTEL_METRIC_EXPORT_INTERVAL", "50")
}

/// Asks for a path within a trace.
fn ask(running: &Running, path: &str, traceparent: &str) -> String {
    let mut connection = running.connect();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nTraceparent: {traceparent}\r\nX-Forwarded-For: 203.0.113.77\r\nConnection: close\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).expect("a request");
    answer(connection)
}

fn sampled() -> String {
    format!("00-{TRACE}-{PARENT}-01")
}

fn stop(running: &mut Running) {
    running.signal("TERM");
    assert_eq!(running.child.wait().expect("its end").code(), Some(0));
}

#[test]
fn a_request_is_a_span_of_the_callers_trace_and_the_statements_are_below_it() {
    let directory = directory();
    on_each_program(directory.path(), |program| {
        let collector = Collector::start();
        let mut running = Running::start(sending_to(&mut program(), &collector));
        ask(&running, "/api/v1/projects/longshore?q=secret", &sampled());
        let line = running.wait_for_line("answered");
        assert_eq!(line["span"]["trace_id"], TRACE);

        let name = "GET /api/v1/projects/{slug}";
        let spans = collector.spans_until(name);
        let server = spans.iter().find(|span| span.name == name);
        let server = server.expect("the span of the request");
        assert_eq!(hex::encode(&server.trace_id), TRACE);
        assert_eq!(hex::encode(&server.parent_span_id), PARENT);
        assert_eq!(server.kind(), SpanKind::Server);
        assert!(server.end_time_unix_nano > server.start_time_unix_nano);
        assert_eq!(server.status, None);
        let about = attributes(&server.attributes);
        assert_eq!(about["http.request.method"], "GET");
        assert_eq!(about["http.route"], "/api/v1/projects/{slug}");
        assert_eq!(
            about["http.response.status_code"],
            line["status"].to_string()
        );
        assert_eq!(about["url.path"], "/api/v1/projects/longshore");
        assert_eq!(about["url.scheme"], "http");

        let below: Vec<&Span> = spans.iter().filter(|span| span.name != name).collect();
        let is_ours = |span: &&Span| attributes(&span.attributes)["db.query.text"].contains("$1");
        // A connection may have been made for it too.
        assert!(below.iter().any(is_ours), "{below:?}");
        for statement in below {
            assert_eq!(statement.trace_id, server.trace_id);
            assert_eq!(statement.parent_span_id, server.span_id);
            assert_ne!(statement.span_id, server.span_id);
            assert_eq!(statement.kind(), SpanKind::Client);
            assert!(statement.start_time_unix_nano >= server.start_time_unix_nano);
            let about = attributes(&statement.attributes);
            let product = &about["db.system.name"];
            assert!(["sqlite", "postgresql"].contains(&product.as_str()));
        }
        let all = format!("{spans:?}");
        for secret in ["secret", "203.0.113.77", "127.0.0.1"] {
            assert!(!all.contains(secret), "{secret} is in {all}");
        }
        stop(&mut running);
    });
}

#[test]
fn an_error_of_ours_is_marked_and_a_request_without_a_caller_has_a_trace_of_its_own() {
    let directory = directory();
    let collector = Collector::start();
    let mut command = backend(directory.path());
    command.env("PORTFOLIO_STOP_DELAY", "1");
    let mut running = Running::start(sending_to(&mut command, &collector));
    ask(&running, "/unknown", "");
    let trace_id = running.wait_for_line("answered")["span"]["trace_id"].clone();
    let spans = collector.spans_until("GET");
    let unknown = spans.iter().find(|span| span.name == "GET");
    let unknown = unknown.expect("its span");
    assert_eq!(hex::encode(&unknown.trace_id), trace_id);
    assert!(unknown.parent_span_id.is_empty());
    assert_eq!(unknown.status, None, "404 is the fault of who asks");
    assert!(!attributes(&unknown.attributes).contains_key("http.route"));

    running.signal("TERM");
    while !ask(&running, "/readyz", "").starts_with("HTTP/1.1 503") {}
    let failed = |span: &Span| attributes(&span.attributes).get("error.type").cloned();
    loop {
        let spans = collector.spans_until("GET /readyz");
        let Some(span) = spans.into_iter().find(|span| failed(span).is_some()) else {
            continue;
        };
        assert_eq!(failed(&span).as_deref(), Some("503"));
        assert_eq!(span.status.expect("a status").code(), StatusCode::Error);
        break;
    }
    assert_eq!(running.child.wait().expect("its end").code(), Some(0));
}

#[test]
fn it_is_the_sampler_that_says_which_traces_are_sent() {
    let directory = directory();
    let not_sampled = format!("00-{TRACE}-{PARENT}-00");
    for (sampler, follows) in [("parentbased_always_on", true), ("always_on", false)] {
        let collector = Collector::start();
        let mut command = backend(directory.path());
        command.env("OTEL_TRACES_SAMPLER", sampler);
        let mut running = Running::start(sending_to(&mut command, &collector));
        ask(&running, "/version", &not_sampled);
        ask(&running, "/healthz", &sampled());
        let spans = collector.spans_until("GET /healthz");
        let sent = spans.iter().any(|span| span.name == "GET /version");
        assert_eq!(sent, !follows, "{sampler}");
        stop(&mut running);
    }
}

#[test]
fn metrics_are_those_that_prometheus_reads() {
    let directory = directory();
    let collector = Collector::start();
    let mut command = backend(directory.path());
    command
        .env("PORTFOLIO_METRICS_LISTEN", "127.0.0.1:0")
        .env("PORTFOLIO_COMMIT", "0123456789abcdef")
        .env("OTEL_SERVICE_NAME", "portfolio")
        .env("OTEL_RESOURCE_ATTRIBUTES", "team=a%20b,service.name=no");
    let mut running = Running::start(sending_to(&mut command, &collector));
    let address = running.wait_for_line("serving metrics")["address"].clone();
    for path in ["/version", "/version", "/unknown"] {
        ask(&running, path, "");
    }
    let scrape = get(address.as_str().expect("an address"), "/metrics");
    stop(&mut running);

    let (resource, metrics) = collector.all("/v1/metrics").last().expect("some").metrics();
    assert_eq!(resource["service.name"], "portfolio");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(resource["vcs.ref.head.revision"], "0123456789abcdef");
    assert_eq!(resource["team"], "a b");
    assert_eq!(resource["service.instance.id"].len(), 32);
    for name in [
        "http.server.active_requests",
        "http.server.open_connections",
        "db.client.connection.count",
        "contact.messages.waiting",
        "log.lines.lost",
        "process.memory.usage",
        "process.cpu.time",
    ] {
        assert!(metrics.contains_key(name), "{name} is missing");
    }
    assert!(!metrics.contains_key("build_info"));

    let durations = &metrics["http.server.request.duration"];
    assert_eq!(durations.unit, "s");
    let Some(Data::Histogram(histogram)) = &durations.data else {
        panic!("{durations:?}")
    };
    assert_eq!(
        histogram.aggregation_temporality(),
        AggregationTemporality::Cumulative
    );
    let mut points = histogram.data_points.iter();
    let point = points.find(|point| {
        let attributes = attributes(&point.attributes);
        attributes
            .get("http.route")
            .is_some_and(|route| route == "/version")
    });
    let point = point.expect("the requests of a route");
    let about = attributes(&point.attributes);
    assert_eq!(about["http.request.method"], "GET");
    assert_eq!(about["http.response.status_code"], "200");
    assert_eq!((point.count, point.bucket_counts.iter().sum()), (2, 2_u64));
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    assert!(point.start_time_unix_nano < point.time_unix_nano);
    let sum = point.sum.expect("a sum");
    let labels = r#"{method="GET",status="200",route="/version"}"#;
    let line = format!("http_request_duration_seconds_sum{labels} {sum}\n");
    assert!(scrape.contains(&line), "{line} is not in {scrape}");
}

#[test]
fn a_delivery_is_a_trace_of_its_own() {
    let directory = directory();
    let collector = Collector::start();
    let mut command = backend(directory.path());
    let delivery = format!("file:{}", directory.path().join("none/mail").display());
    command.env("PORTFOLIO_CONTACT_DELIVERY", delivery);
    let mut running = Running::start(sending_to(&mut command, &collector));
    let message = r#"{"name": "Ada", "email": "ada@example.com", "message": "hi"}"#;
    let mut connection = running.connect();
    let request = format!(
        "POST /api/v1/contact HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{message}",
        message.len()
    );
    connection.write_all(request.as_bytes()).expect("a request");
    let line = running.wait_for_line("a message was not delivered");
    let spans = collector.spans_until("deliver a message");
    let delivery = spans.iter().find(|span| span.name == "deliver a message");
    let delivery = delivery.expect("its span");
    assert_eq!(hex::encode(&delivery.trace_id), line["span"]["trace_id"]);
    let status = delivery.status.as_ref().expect("a status");
    assert_eq!(status.code(), StatusCode::Error);
    stop(&mut running);
}
