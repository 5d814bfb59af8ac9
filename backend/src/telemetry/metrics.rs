//! The message that metrics are sent in (`ExportMetricsServiceRequest`,
//! <https://github.com/open-telemetry/opentelemetry-proto>).

use jiff::Timestamp;

use super::protobuf::{Message, Value, attribute};
use super::resource::request;
use super::span::nanoseconds;
use crate::metrics::reading::{Label, Metric, Name, Point, Points, Reading};
use crate::metrics::{BOUNDS, Durations};

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`: everything since the start.
const CUMULATIVE: u64 = 2;

/// From when to when is counted.
#[derive(Clone, Copy)]
struct Span {
    start: u64,
    end: u64,
}

/// All of them in one message.
pub(super) fn message(resource: &Message, reading: &Reading, now: Timestamp) -> Message {
    let span = Span {
        start: nanoseconds(reading.since),
        end: nanoseconds(now),
    };
    let metrics = reading.metrics.iter();
    request(
        resource,
        metrics.filter_map(|metric| metric_message(metric, span)),
    )
}

fn metric_message(metric: &Metric, span: Span) -> Option<Message> {
    let message = Message::default()
        .text(1, metric.name.otlp?)
        .text(2, metric.about)
        .text(3, metric.unit);
    let sum = |points: &[Point<f64>], is_monotonic: bool| {
        Message::default()
            .messages(1, points.iter().map(|point| number_point(point, span)))
            .number(2, CUMULATIVE)
            .number(3, is_monotonic.into())
    };
    Some(match &metric.points {
        Points::Counts(points) => message.message(7, &sum(points, true)),
        Points::Levels(points) => message.message(7, &sum(points, false)),
        Points::Durations(points) => {
            let points = points.iter().map(|point| durations_point(point, span));
            let histogram = Message::default().messages(1, points);
            message.message(9, &histogram.number(2, CUMULATIVE))
        }
    })
}

fn number_point(point: &Point<f64>, span: Span) -> Message {
    Message::default()
        .fixed(2, span.start)
        .fixed(3, span.end)
        .double(4, point.value)
        .messages(7, attributes(&point.labels))
}

fn durations_point(point: &Point<Durations>, span: Span) -> Message {
    let counts = point.value.counts.map(u64::to_le_bytes);
    let bounds = BOUNDS.map(f64::to_le_bytes);
    Message::default()
        .fixed(2, span.start)
        .fixed(3, span.end)
        .fixed(4, point.value.count())
        .double(5, point.value.sum)
        .bytes(6, counts.as_flattened())
        .bytes(7, bounds.as_flattened())
        .messages(9, attributes(&point.labels))
}

fn attributes(labels: &[(Name, Label)]) -> impl Iterator<Item = Message> {
    labels.iter().filter_map(|(name, label)| {
        let value = match label {
            Label::Text(text) => Value::Text(text.clone()),
            Label::Number(number) => Value::Number(*number),
        };
        Some(attribute(name.otlp?, &value))
    })
}
