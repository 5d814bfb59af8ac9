//! The log: JSON, one object a line, on standard output.

use std::fmt;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::SetGlobalDefaultError;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::timestamp::Clock;

mod embedded_metrics;
#[cfg(test)]
mod tests;

/// Sends everything up to `level`, and every panic, to the log from here on. With a
/// `namespace`, CloudWatch takes metrics from the lines of requests.
///
/// # Errors
/// If the process has a log already.
pub fn start(
    level: LevelFilter,
    namespace: Option<String>,
    clock: Clock,
) -> Result<(), SetGlobalDefaultError> {
    let subscriber = tracing_subscriber::fmt()
        .fmt_fields(JsonFields::new())
        .event_format(Line::new(namespace, clock))
        .with_max_level(level)
        .finish();
    tracing::subscriber::set_global_default(subscriber)?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or_default();
        tracing::error!(place, message, "panicked");
    }));
    Ok(())
}

/// Writes events as lines.
struct Line {
    object: Format<Json>,
    namespace: Option<String>,
    clock: Clock,
}

impl Line {
    fn new(namespace: Option<String>, clock: Clock) -> Self {
        let object = tracing_subscriber::fmt::format()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false);
        Self {
            object,
            namespace,
            clock,
        }
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    Format<Json>: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let members = self.namespace.as_deref().and_then(|namespace| {
            let now = (self.clock)().as_millisecond();
            embedded_metrics::members(event, namespace, now)
        });
        if let Some(members) = members {
            let mut line = String::new();
            let object = Writer::new(&mut line);
            self.object.format_event(context, object, event)?;
            // Two objects with members become one.
            let rest = line.strip_prefix('{').ok_or(fmt::Error)?;
            let members = members.to_string();
            let members = members.strip_suffix('}').ok_or(fmt::Error)?;
            return write!(writer, "{members},{rest}");
        }
        self.object.format_event(context, writer, event)
    }
}
