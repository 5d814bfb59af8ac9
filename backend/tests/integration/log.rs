//! The log of the real process, before somebody who reads it, and before nobody.

use std::io::{Read, Write};

use serde_json::Value;

use crate::metrics::get;
use crate::process::{Running, backend, directory};

/// Requests that are sent before the first answer is read.
const BATCH: usize = 100;
/// Requests whose lines are more than what waits for a reader: 700 bytes each.
const TOO_MANY: usize = 6000;

/// Sends requests with long lines in the log; all are answered.
fn ask(running: &Running, requests: usize) {
    let mut connection = running.connect();
    let (path, id) = ("\"".repeat(190), "i".repeat(64));
    let request = format!("HEAD /{path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: {id}\r\n\r\n");
    let batch = request.repeat(BATCH);
    for _ in 0..requests / BATCH {
        connection.write_all(batch.as_bytes()).expect("requests");
        let mut answers = String::new();
        while answers.matches("\r\n\r\n").count() < BATCH {
            let mut bytes = [0; 16 * 1024];
            let length = connection.read(&mut bytes).expect("answers");
            assert_ne!(length, 0, "it hung up");
            answers.push_str(std::str::from_utf8(&bytes[..length]).expect("text"));
        }
    }
}

#[test]
fn a_reader_who_stalls_stops_no_request_and_is_told_what_he_missed() {
    let directory = directory();
    let mut command = backend(directory.path());
    command.env("PORTFOLIO_METRICS_LISTEN", "127.0.0.1:0");
    let mut running = Running::start(&mut command);
    let metrics = running.wait_for_line("serving metrics")["address"].clone();
    ask(&running, TOO_MANY);

    let scrape = get(metrics.as_str().expect("an address"), "/metrics");
    let mut samples = scrape.lines();
    let lost = samples.find_map(|line| line.strip_prefix("log_lines_lost_total "));
    let lost: u64 = lost.expect("a sample").parse().expect("a number");
    assert!(lost > 0, "everything found room");
    let mut told = 0;
    // More than once where the log's thread came too late for a moment.
    while told < lost {
        let line = running.wait_for_line("lines of the log were lost: nobody read them in time");
        assert_eq!(line["level"], "WARN");
        told += line["lines"].as_u64().expect("a number");
    }

    ask(&running, BATCH);
    running.wait_for_line("answered");
    running.signal("TERM");
    running.wait_for_line("stopped");
    assert_eq!(running.child.wait().expect("its end").code(), Some(0));
}

#[test]
fn a_reader_who_stalls_does_not_keep_it_from_stopping() {
    let directory = directory();
    let mut running = Running::start(&mut backend(directory.path()));
    ask(&running, TOO_MANY);
    running.signal("TERM");
    assert_eq!(running.child.wait().expect("its end").code(), Some(0));
}

#[test]
fn nothing_is_lost_when_it_stops() {
    let directory = directory();
    let mut running = Running::start(&mut backend(directory.path()));
    ask(&running, 2 * BATCH);
    running.signal("TERM");
    let lines: Vec<Value> = running
        .log
        .by_ref()
        .map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"))
        .collect();
    let answered = lines.iter().filter(|line| line["message"] == "answered");
    assert_eq!(answered.count(), 2 * BATCH);
    assert_eq!(lines.last().expect("a line")["message"], "stopped");
}
