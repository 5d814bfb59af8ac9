//! A line of the log: an object of JSON.

use std::fmt;

use serde::ser::{SerializeMap, Serializer as _};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::timestamp::Clock;

use super::embedded_metrics;

/// Writes events as lines. The form of `tracing-subscriber` itself parses the span's fields
/// anew for each line: a fifth of what an answer from memory takes.
pub(super) struct Line {
    /// Of the metrics that CloudWatch takes from the lines of requests.
    pub(super) namespace: Option<String>,
    pub(super) clock: Clock,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    /// `N` writes the fields of a span as an object of JSON, as `JsonFields` does.
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = self.object(event).map_err(|_| fmt::Error)?;
        // The outermost span is the request's.
        let request = context.event_scope().and_then(Iterator::last);
        if let Some(request) = request
            && let Some(fields) = request.extensions().get::<FormattedFields<N>>()
        {
            line.truncate(line.len() - "}".len());
            line.extend([b",\"span\":", fields.as_bytes(), b"}"].concat());
        }
        line.push(b'\n');
        writer.write_str(std::str::from_utf8(&line).map_err(|_| fmt::Error)?)
    }
}

impl Line {
    /// What is known of an event without its span.
    fn object(&self, event: &Event<'_>) -> serde_json::Result<Vec<u8>> {
        let now = (self.clock)();
        let mut line = Vec::with_capacity(512);
        let mut serializer = serde_json::Serializer::new(&mut line);
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("timestamp", &format_args!("{now:.6}"))?;
        members.serialize_entry("level", event.metadata().level().as_str())?;
        let mut fields = tracing_serde::SerdeMapVisitor::new(members);
        event.record(&mut fields);
        let mut members = fields.take_serializer()?;
        members.serialize_entry("target", event.metadata().target())?;
        let metrics = self.namespace.as_deref().and_then(|namespace| {
            embedded_metrics::members(event, namespace, now.as_millisecond())
        });
        for (name, value) in metrics.unwrap_or_default() {
            members.serialize_entry(&name, &value)?;
        }
        members.end()?;
        Ok(line)
    }
}
