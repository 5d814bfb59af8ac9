use std::io;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::request_log::TARGET;

/// What was written to the log.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a lock").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The lines of an answer and of something else, inside of a request.
fn lines(namespace: Option<&str>) -> Vec<Value> {
    let written = Written::default();
    let clock = || "2026-01-31T09:30:00.123Z".parse().expect("a time");
    let subscriber = tracing_subscriber::fmt()
        .fmt_fields(JsonFields::new())
        .event_format(Line {
            namespace: namespace.map(str::to_owned),
            clock,
        })
        .with_writer(written.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let _request = tracing::info_span!("request", request_id = "id", trace_id = "t").entered();
        let milliseconds = 1.5;
        tracing::info!(target: TARGET, path = "/\"{}", status = 404_u16, milliseconds, "answered");
        tracing::info!(status = 500_u16, milliseconds, "something else");
    });
    let bytes = written.0.lock().expect("a lock");
    let text = std::str::from_utf8(&bytes).expect("text");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn a_line_has_the_names_of_its_request_and_its_trace() {
    for line in lines(None) {
        assert_eq!(line["span"]["request_id"], "id");
        assert_eq!(line["span"]["trace_id"], "t");
        assert_eq!(line["level"], "INFO");
        assert!(line.get("_aws").is_none());
    }
}

#[test]
fn the_line_of_an_answer_is_one_that_cloudwatch_takes_metrics_from() {
    let [answered, other] = &lines(Some("Portfolio"))[..] else {
        panic!("two lines")
    };
    assert!(other.get("_aws").is_none());
    assert_eq!(answered["message"], "answered");
    assert_eq!(answered["path"], "/\"{}");
    assert_eq!(answered["span"]["request_id"], "id");

    // The rules of the format's specification, one by one.
    let aws = &answered["_aws"];
    assert_eq!(aws["Timestamp"], 1_769_851_800_123_i64);
    let directives = aws["CloudWatchMetrics"].as_array().expect("directives");
    assert_eq!(directives.len(), 1);
    assert_eq!(directives[0]["Namespace"], "Portfolio");
    for set in directives[0]["Dimensions"].as_array().expect("dimensions") {
        let set = set.as_array().expect("a set");
        assert!(set.len() <= 30);
        for dimension in set {
            let name = dimension.as_str().expect("a name");
            assert!(
                answered[name].is_string(),
                "{name} is no member with a text"
            );
        }
    }
    let metrics = directives[0]["Metrics"].as_array().expect("metrics");
    assert!((1..=100).contains(&metrics.len()));
    for metric in metrics {
        let name = metric["Name"].as_str().expect("a name");
        assert!(
            answered[name].is_number(),
            "{name} is no member with a number"
        );
        let unit = metric["Unit"].as_str().expect("a unit");
        assert!(["Count", "Milliseconds"].contains(&unit));
    }
    assert_eq!(answered["Requests"], 1);
    assert_eq!(answered["Http4xx"], 1);
    assert_eq!(answered["Http5xx"], 0);
    assert_eq!(answered["LatencyMs"], 1.5);
}
