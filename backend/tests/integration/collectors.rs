//! Collectors that are down, slow, or no collectors: the service goes on.

use std::io::Write;
use std::net::TcpListener;

use crate::collector::Collector;
use crate::process::{Running, answer, backend, directory};
#[cfg(feature = "tls")]
use {
    crate::authority::Authority,
    crate::collector::{self, Received},
    std::sync::mpsc::{Receiver, channel},
};

const WARNING: &str = "the collector does not take telemetry; the log says when it does again";
const RECOVERY: &str = "the collector takes telemetry again";

/// Sends spans soon, and no metrics.
fn start(directory: &std::path::Path, endpoint: &str) -> Running {
    let mut command = backend(directory);
    command
        .env(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            format!("{endpoint}/v1/traces"),
        )
        .env("OTEL_BSP_SCHEDULE_DELAY", "20")
        .env("PORTFOLIO_STOP_TIMEOUT", "1");
    Running::start(&mut command)
}

fn ask(running: &Running) {
    let mut connection = running.connect();
    connection
        .write_all(b"GET /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .expect("a request");
    let answer = answer(connection);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

/// Stops it. Returns how many lines of the rest of the log have this message.
fn stop(running: &mut Running, message: &str) -> usize {
    running.signal("TERM");
    let lines = running.log.by_ref().map(|line| line.expect("a line"));
    let count = lines.filter(|line| line.contains(message)).count();
    assert_eq!(running.child.wait().expect("its end").code(), Some(0));
    count
}

#[test]
fn what_a_collector_missed_while_it_was_down_is_sent_when_it_is_back() {
    let directory = directory();
    let taken = TcpListener::bind("127.0.0.1:0").expect("an address");
    let address = taken.local_addr().expect("an address").to_string();
    drop(taken);
    let mut running = start(directory.path(), &format!("http://{address}"));
    ask(&running);
    let warning = running.wait_for_line(WARNING);
    assert_eq!(warning["signal"], "traces");
    let reason = warning["reason"].as_str().expect("a reason");
    assert!(reason.contains("Connection refused"), "{reason}");
    ask(&running);

    let collector = Collector::on(&address, Vec::new());
    let recovery = running.wait_for_line(RECOVERY);
    assert_eq!(recovery["lost"], 0);
    assert_eq!(stop(&mut running, WARNING), 0, "it was told more than once");
    let requests = collector.all("/v1/traces");
    let spans: usize = requests.iter().map(|it| it.spans().1.len()).sum();
    assert_eq!(spans, 2);
}

#[test]
fn a_collector_that_never_answers_slows_nothing_and_stops_no_stop() {
    let directory = directory();
    let silent = TcpListener::bind("127.0.0.1:0").expect("an address");
    let address = silent.local_addr().expect("an address");
    let mut running = start(directory.path(), &format!("http://{address}"));
    for _ in 0..20 {
        ask(&running);
    }
    let _asked = silent.accept().expect("an attempt");
    ask(&running);
    stop(&mut running, "");
}

#[test]
fn nonsense_is_tried_again_a_refusal_is_not_and_both_are_told_once() {
    let directory = directory();
    let refusal = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 11\r\n\r\nno such key";
    // Protocol Buffers: one span was refused, and why.
    let part = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n\n\t\u{8}\u{1}\u{12}\u{5}stale";
    for (answers, reason, spans) in [
        (vec!["lorem ipsum\r\n\r\n"], "it does not answer in HTTP", 2),
        (
            vec!["HTTP/1.1 503 No\r\nretry-after: 0\r\n\r\n"],
            "it answered 503",
            2,
        ),
        // Redirections are not followed: the headers are for this collector.
        (
            vec!["HTTP/1.1 307 A\r\nlocation: /\r\n\r\n"],
            "it answered 307",
            1,
        ),
        (
            vec![refusal],
            "it answered 401 Unauthorized: no such key",
            1,
        ),
        (vec![part], "it refused 1 of what it was sent: stale", 1),
        // What cannot be read is no refusal.
        (
            vec![
                refusal,
                "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nnonsense!",
            ],
            "401",
            1,
        ),
    ] {
        let collector = Collector::on("127.0.0.1:0", answers);
        let mut running = start(directory.path(), &format!("http://{}", collector.address));
        ask(&running);
        let warning = running.wait_for_line(WARNING);
        let said = warning["reason"].as_str().expect("a reason");
        assert!(said.contains(reason), "{said}");
        let first = collector.next("/v1/traces");
        ask(&running);
        let recovery = running.wait_for_line(RECOVERY);
        assert_eq!(recovery["lost"], 2 - spans, "{reason}");
        assert_eq!(stop(&mut running, WARNING), 0);
        let later: usize = collector
            .all("/v1/traces")
            .iter()
            .map(|it| it.spans().1.len())
            .sum();
        assert_eq!((first.spans().1.len(), later), (1, spans), "{reason}");
    }
}

#[test]
fn what_waits_is_sent_before_it_stops_with_headers_that_nobody_else_sees() {
    let directory = directory();
    let collector = Collector::start();
    let command = || {
        let mut command = backend(directory.path());
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url() + "/")
            .env(
                "OTEL_EXPORTER_OTLP_HEADERS",
                "Authorization=Bearer%20hunter2",
            )
            .env("OTEL_BSP_SCHEDULE_DELAY", "3600000")
            .env("PORTFOLIO_LOG", "debug");
        command
    };
    let checked = command().args(["config", "check"]).output();
    let shown = String::from_utf8(checked.expect("a process").stdout).expect("text");
    assert!(shown.contains("otlp-headers = \"***\""), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");

    let mut running = Running::start(&mut command());
    ask(&running);
    assert_eq!(stop(&mut running, "hunter2"), 0);
    let requests = [collector.next("/v1/traces"), collector.next("/v1/metrics")];
    for request in &requests {
        assert_eq!(request.headers["authorization"], "Bearer hunter2");
        assert_eq!(request.headers["content-type"], "application/x-protobuf");
        assert_eq!(request.headers["host"], collector.address);
    }
    let (resource, spans) = requests[0].spans();
    assert_eq!(resource["service.name"], "backend");
    assert_eq!(spans.len(), 1);
    assert!(
        requests[1]
            .metrics()
            .1
            .contains_key("http.server.request.duration")
    );
}

#[test]
fn nothing_is_sent_where_it_is_disabled() {
    let directory = directory();
    let collector = Collector::start();
    let mut command = backend(directory.path());
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .env("OTEL_SDK_DISABLED", "true");
    let mut running = Running::start(&mut command);
    ask(&running);
    stop(&mut running, "");
    assert!(collector.all("/v1/traces").is_empty());
}

#[test]
fn a_signal_may_be_off_the_other_has_headers_of_its_own_and_what_is_unknown_is_told() {
    let directory = directory();
    let collector = Collector::start();
    let mut command = backend(directory.path());
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=common,x-team=a")
        .env("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-key=own")
        .env("OTEL_METRICS_EXPORTER", "none")
        .env("OTEL_TRACES_SAMPLER", "xray");
    let mut running = Running::spawn(&mut command);
    let warning = running.wait_for_line("a variable is ignored: the default counts");
    let reason = warning["reason"].as_str().expect("a reason");
    assert!(
        reason.starts_with("OTEL_TRACES_SAMPLER must be "),
        "{reason}"
    );
    let listening = running.wait_for_line("listening");
    listening["address"]
        .as_str()
        .expect("an address")
        .clone_into(&mut running.address);
    ask(&running);
    stop(&mut running, "");
    let traces = collector.next("/v1/traces");
    assert_eq!(traces.headers["x-key"], "own");
    assert!(!traces.headers.contains_key("x-team"));
    assert!(collector.all("/v1/metrics").is_empty());
}

/// A collector that this authority vouches for, as `localhost`: its port, and what it gets.
#[cfg(feature = "tls")]
fn encrypted(authority: &Authority) -> (u16, Receiver<Received>) {
    let config = authority.identity("localhost").config();
    let listener = TcpListener::bind("127.0.0.1:0").expect("an address");
    let port = listener.local_addr().expect("an address").port();
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let session = rustls::ServerConnection::new(config.clone()).expect("a session");
            let stream = rustls::StreamOwned::new(session, stream.expect("a connection"));
            // One that does not trust it hangs up.
            let _ = collector::serve(stream, collector::TAKEN, &sender);
        }
    });
    (port, requests)
}

#[test]
#[cfg(feature = "tls")]
fn a_collector_proves_who_it_is() {
    let authority = Authority::new("ours");
    let (port, requests) = encrypted(&authority);
    let directory = directory();
    let trusted = authority.write(directory.path());
    let nobody = directory.path().join("nobody.pem").display().to_string();
    fs_err::write(&nobody, "").expect("a file");
    let (system, own) = ("SSL_CERT_FILE", "OTEL_EXPORTER_OTLP_CERTIFICATE");
    let alone = Some("there is no certificate of an authority");
    for (host, variable, file, complaint) in [
        ("127.0.0.1", system, &trusted, Some("not valid for name")),
        ("localhost", system, &trusted, None),
        ("localhost", own, &trusted, None),
        ("localhost", system, &nobody, alone),
        ("localhost", own, &nobody, alone),
    ] {
        let mut command = backend(directory.path());
        command
            .env(variable, file)
            .env(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                format!("https://{host}:{port}"),
            )
            .env("PORTFOLIO_STOP_TIMEOUT", "1");
        let mut running = Running::start(&mut command);
        ask(&running);
        assert_eq!(
            stop(&mut running, complaint.unwrap_or(WARNING)) > 0,
            complaint.is_some()
        );
    }
    let requests: Vec<_> = requests.try_iter().collect();
    let traces = requests.iter().filter(|it| it.target == "POST /v1/traces");
    let spans: Vec<_> = traces.map(|it| it.spans().1.len()).collect();
    assert_eq!(spans, [1, 1]);
}
