//! Lines of the log that CloudWatch reads as metrics too: the embedded metric format,
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//!
//! Only the line of an answered request is one. It has one dimension, whose value never
//! changes: CloudWatch bills every combination of values as a metric of its own.

use std::fmt;

use serde_json::{Map, Value, json};
use tracing::Event;
use tracing::field::{Field, Visit};

use crate::request_log;

/// The metrics, each with its unit.
const METRICS: [(&str, &str); 4] = [
    ("Requests", "Count"),
    ("Http4xx", "Count"),
    ("Http5xx", "Count"),
    ("LatencyMs", "Milliseconds"),
];

/// What such a line has beside its other members; nothing for any other event.
/// `milliseconds` is the time since 1970-01-01.
pub(super) fn members(
    event: &Event<'_>,
    namespace: &str,
    milliseconds: i64,
) -> Option<Map<String, Value>> {
    if event.metadata().target() != request_log::TARGET {
        return None;
    }
    let mut answer = Answer::default();
    event.record(&mut answer);
    let metrics: Vec<_> = METRICS
        .map(|(name, unit)| json!({ "Name": name, "Unit": unit }))
        .into();
    let mut members = Map::new();
    members.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": milliseconds,
            "CloudWatchMetrics": [
                { "Namespace": namespace, "Dimensions": [["Service"]], "Metrics": metrics },
            ],
        }),
    );
    let class = answer.status? / 100;
    let values = [
        ("Service", json!("backend")),
        ("Requests", json!(1)),
        ("Http4xx", json!(u8::from(class == 4))),
        ("Http5xx", json!(u8::from(class == 5))),
        ("LatencyMs", json!(answer.milliseconds?)),
    ];
    members.extend(values.map(|(name, value)| (name.to_owned(), value)));
    Some(members)
}

#[derive(Default)]
struct Answer {
    status: Option<u64>,
    milliseconds: Option<f64>,
}

impl Visit for Answer {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "status" {
            self.status = Some(value);
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "milliseconds" {
            self.milliseconds = Some(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
