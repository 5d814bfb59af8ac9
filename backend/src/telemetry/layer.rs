//! Spans out of what the log is told: a request when it was answered, a statement when
//! the database has done it, a message when it was delivered or not. Each of them says how
//! long it took, and in which trace it was.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::protobuf::Value;
use super::queue::Queue;
use super::span::{Kind, Span};
use crate::config::Sampling;
use crate::contact::outbox;
use crate::identifier::unique;
use crate::logging::Traces;
use crate::metrics::{NO_ROUTE, known_method};
use crate::request_log;
use crate::timestamp::Clock;

/// What `sqlx` tells of every statement.
const QUERY: &str = "sqlx::query";

struct Spans {
    queue: Arc<Queue>,
    sampling: Sampling,
    /// The name of the database.
    product: &'static str,
    /// The scheme of the address where people find the service.
    scheme: &'static str,
    clock: Clock,
}

/// Where in a trace that is sent something happens.
#[derive(Clone, Copy)]
struct Place {
    trace_id: u128,
    id: u64,
    parent: Option<u64>,
}

/// The layer, and what it wants to be told.
pub(super) fn traces(
    queue: Arc<Queue>,
    sampling: Sampling,
    product: &'static str,
    scheme: &'static str,
    clock: Clock,
) -> Traces {
    let spans = Spans {
        queue,
        sampling,
        product,
        scheme,
        clock,
    };
    let filter = FilterFn::new(|metadata| {
        metadata.is_span()
            || [request_log::TARGET, outbox::TARGET, QUERY].contains(&metadata.target())
    });
    spans
        .with_filter(filter.with_max_level_hint(LevelFilter::DEBUG))
        .boxed()
}

impl<S> Layer<S> for Spans
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let (Some(span), Some(place)) = (context.span(id), self.place(&fields)) {
            span.extensions_mut().insert(place);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // A span between may have no trace of its own.
        let mut around = context.event_scope(event).into_iter().flatten();
        let place = around.find_map(|span| span.extensions().get::<Place>().copied());
        let Some(place) = place else { return };
        let now = (self.clock)();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let span = match event.metadata().target() {
            request_log::TARGET => self.request(place, now, &fields),
            outbox::TARGET => delivery(place, now, &fields),
            _ => self.statement(place, now, &fields),
        };
        if let Some(span) = span {
            self.queue.push(span);
        }
    }
}

impl Spans {
    /// The place of a span that has a trace, if that is sent.
    fn place(&self, fields: &Fields) -> Option<Place> {
        let trace_id = u128::from_str_radix(fields.text("trace_id")?, 16).ok()?;
        let parent = fields.text("parent_id");
        let is_sent = self.sampling.takes(trace_id, fields.truth("sampled"));
        is_sent.then(|| Place {
            trace_id,
            id: new_id(),
            parent: parent.and_then(|id| u64::from_str_radix(id, 16).ok()),
        })
    }

    /// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span>
    fn request(&self, place: Place, now: Timestamp, fields: &Fields) -> Option<Span> {
        let method = known_method(fields.text("method")?);
        let route = fields.text("route").filter(|route| *route != NO_ROUTE);
        let status = fields.number("status")?;
        let mut attributes = vec![
            ("http.request.method", text(method)),
            ("http.response.status_code", Value::Number(status)),
            ("url.path", text(fields.text("path")?)),
            ("url.scheme", text(self.scheme)),
        ];
        let name = match route {
            Some(route) => format!("{method} {route}"),
            None => method.to_owned(),
        };
        attributes.extend(route.map(|route| ("http.route", text(route))));
        let failed = status >= 500;
        if failed {
            attributes.push(("error.type", text(&status.to_string())));
        }
        Some(Span {
            name,
            kind: Kind::Server,
            attributes,
            failed,
            ..place.span(now, fields.seconds("milliseconds")? / 1000.0)
        })
    }

    /// <https://opentelemetry.io/docs/specs/semconv/database/database-spans/>. Its text has
    /// placeholders: the values are not in it.
    fn statement(&self, place: Place, now: Timestamp, fields: &Fields) -> Option<Span> {
        let summary = fields.text("summary")?;
        let whole = fields.text("db.statement").map(str::trim);
        let whole = whole.filter(|statement| !statement.is_empty());
        let inner = Place {
            id: new_id(),
            parent: Some(place.id),
            ..place
        };
        Some(Span {
            name: summary.to_owned(),
            kind: Kind::Client,
            attributes: vec![
                ("db.system.name", text(self.product)),
                ("db.query.text", text(whole.unwrap_or(summary))),
            ],
            ..inner.span(now, fields.seconds("elapsed_secs")?)
        })
    }
}

/// A trace of its own: the request that brought the message was answered before.
fn delivery(place: Place, now: Timestamp, fields: &Fields) -> Option<Span> {
    let error = fields.text("error");
    Some(Span {
        name: "deliver a message".to_owned(),
        kind: Kind::Client,
        attributes: error
            .map(|_| ("error.type", text("_OTHER")))
            .into_iter()
            .collect(),
        failed: error.is_some(),
        ..place.span(now, fields.seconds("milliseconds")? / 1000.0)
    })
}

impl Place {
    /// What ended now here.
    fn span(self, now: Timestamp, seconds: f64) -> Span {
        Span {
            trace_id: self.trace_id,
            id: self.id,
            parent: self.parent,
            name: String::new(),
            kind: Kind::Client,
            end: now,
            duration: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
            attributes: Vec::new(),
            failed: false,
        }
    }
}

fn new_id() -> u64 {
    // Zero is no id.
    unique().max(1)
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// The fields of an event or of a span.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, FieldValue>);

enum FieldValue {
    Text(String),
    Number(i64),
    Seconds(f64),
    Truth(bool),
}

impl Fields {
    fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            FieldValue::Text(text) => Some(text),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<i64> {
        match self.0.get(name)? {
            FieldValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn seconds(&self, name: &str) -> Option<f64> {
        match self.0.get(name)? {
            FieldValue::Seconds(seconds) => Some(*seconds),
            _ => None,
        }
    }

    fn truth(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            FieldValue::Truth(truth) => Some(*truth),
            _ => None,
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        let value = FieldValue::Text(value.to_owned());
        self.0.insert(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let value = FieldValue::Number(value.try_into().unwrap_or(i64::MAX));
        self.0.insert(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name(), FieldValue::Seconds(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name(), FieldValue::Truth(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = FieldValue::Text(format!("{value:?}"));
        self.0.insert(field.name(), value);
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn a_statement_is_below_its_request_whatever_is_between() {
        let queue = Arc::new(Queue::default());
        let sampling = Sampling::default();
        let layer = traces(queue.clone(), sampling, "sqlite", "http", || {
            Timestamp::UNIX_EPOCH
        });
        tracing::subscriber::with_default(Registry::default().with(layer), || {
            let _request = tracing::info_span!("request", trace_id = "2a").entered();
            let _between = tracing::info_span!("between").entered();
            tracing::debug!(target: QUERY, summary = "SELECT", elapsed_secs = 0.5);
            tracing::info!(
                target: request_log::TARGET,
                method = "GET",
                status = 200_u64,
                path = "/",
                milliseconds = 1000.0
            );
        });
        let [statement, request] = &queue.take()[..] else {
            panic!("two spans")
        };
        assert_eq!((statement.trace_id, request.trace_id), (0x2a, 0x2a));
        assert_eq!(statement.parent, Some(request.id));
    }
}
