//! What Prometheus reads, read by Prometheus's own client.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process::{Running, answer, backend, directory};

/// Prints `{family: {"type": …, "samples": [[name, labels, value], …]}}`.
const PARSER: &str = r#"
import json, sys
from prometheus_client.parser import text_string_to_metric_families
families = {}
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation, family.name
    families[family.name] = {
        "type": family.type,
        "samples": [[s.name, s.labels, str(float(s.value))] for s in family.samples],
    }
print(json.dumps(families))
"#;

/// The families of a scrape; `None` with a printed reason where there is no parser.
fn parse(text: &str) -> Option<Value> {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/ci-tools/bin/python");
    let found = [own, "python3"].into_iter().find(|python| {
        let import = Command::new(python)
            .args(["-c", "import prometheus_client"])
            .stderr(Stdio::null())
            .status();
        import.is_ok_and(|status| status.success())
    });
    let Some(python) = found else {
        assert!(
            !std::env::vars_os().any(|(name, _)| name == "CI"),
            ".ci/run must install prometheus-client"
        );
        let _ = writeln!(
            std::io::stderr(),
            "skipped: no Python has prometheus_client"
        );
        return None;
    };
    let mut parser = Command::new(python)
        .args(["-c", PARSER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a parser");
    let mut input = parser.stdin.take().expect("its input");
    input.write_all(text.as_bytes()).expect("a scrape");
    drop(input);
    let output = parser.wait_with_output().expect("its end");
    assert!(output.status.success(), "not Prometheus's format: {text}");
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

pub(crate) fn get(address: &str, path: &str) -> String {
    let mut connection = TcpStream::connect(address).expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).expect("a request");
    answer(connection)
}

/// The value of the sample that has all of these labels.
fn value(families: &Value, family: &str, name: &str, labels: &[(&str, &str)]) -> String {
    let samples = families[family]["samples"].as_array().expect("a family");
    let has_labels = |sample: &&Value| {
        sample[0] == name
            && labels
                .iter()
                .all(|(label, value)| sample[1][label] == *value)
    };
    let sample = samples.iter().find(has_labels).expect("a sample");
    sample[2].as_str().expect("a value").to_owned()
}

#[test]
fn requests_are_counted_by_route_and_the_public_listener_tells_nobody() {
    let directory = directory();
    let mut command = backend(directory.path());
    command
        .env("PORTFOLIO_METRICS_LISTEN", "127.0.0.1:0")
        .env("PORTFOLIO_COMMIT", "0123456789abcdef");
    let mut running = Running::start(&mut command);
    let line = running.wait_for_line("serving metrics");
    let metrics = line["address"].as_str().expect("an address").to_owned();

    let mut kept = running.connect();
    kept.write_all(b"GET /api/v1/projects HTTP/1.1\r\nHost: a\r\n\r\n")
        .expect("a request");
    kept.read_exact(&mut [0; 15]).expect("an answer");
    get(&running.address, "/api/v1/projects/unknown");
    for number in 0..50 {
        get(&running.address, &format!("/wp-admin/{number}?secret=1"));
    }
    assert!(get(&running.address, "/metrics").starts_with("HTTP/1.1 404"));

    let answer = get(&metrics, "/metrics");
    let (head, text) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(
        head.contains("content-type: text/plain; version=0.0.4"),
        "{head}"
    );
    assert!(
        !text.contains("wp-admin") && !text.contains("unknown"),
        "{text}"
    );
    let Some(families) = parse(text) else { return };
    let requests = |route, status| {
        let labels = [("method", "GET"), ("route", route), ("status", status)];
        value(&families, "http_requests", "http_requests_total", &labels)
    };
    assert_eq!(requests("/api/v1/projects", "200"), "1.0");
    assert_eq!(requests("/api/v1/projects/{slug}", "404"), "1.0");
    assert_eq!(requests("none", "404"), "51.0");
    let durations = "http_request_duration_seconds";
    assert_eq!(families[durations]["type"], "histogram");
    let bucket = [("route", "none"), ("le", "+Inf")];
    assert_eq!(
        value(
            &families,
            durations,
            &format!("{durations}_bucket"),
            &bucket
        ),
        "51.0"
    );
    let one = |name, labels: &[(&str, &str)]| value(&families, name, name, labels);
    // The last one before may still be on its way to its end.
    assert_ne!(one("http_connections", &[("state", "idle")]), "0.0");
    assert_eq!(one("http_requests_in_flight", &[]), "0.0");
    assert_ne!(one("database_connections", &[("state", "idle")]), "0.0");
    assert_eq!(one("contact_messages_waiting", &[]), "0.0");
    assert_eq!(one("contact_messages_given_up", &[]), "0.0");
    assert_eq!(one("build_info", &[("commit", "0123456789abcdef")]), "1.0");
    assert_ne!(one("process_resident_memory_bytes", &[]), "0.0");
    assert_ne!(one("process_open_fds", &[]), "0.0");
    assert_eq!(families["process_cpu_seconds"]["type"], "counter");
}
