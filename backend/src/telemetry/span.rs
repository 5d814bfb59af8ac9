//! A span, and the message that spans are sent in (`ExportTraceServiceRequest`,
//! <https://github.com/open-telemetry/opentelemetry-proto>).

use std::time::Duration;

use jiff::Timestamp;

use super::protobuf::{Message, Value, attribute};
use super::resource::request;

/// Something that was done, in its trace.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    pub(super) trace_id: u128,
    pub(super) id: u64,
    pub(super) parent: Option<u64>,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) end: Timestamp,
    pub(super) duration: Duration,
    pub(super) attributes: Vec<(&'static str, Value)>,
    pub(super) failed: bool,
}

/// On which side of what it was. The numbers are those of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It answered.
    Server = 2,
    /// It asked.
    Client = 3,
}

/// `STATUS_CODE_ERROR`.
const ERROR: u64 = 2;

/// All of them in one message.
pub(super) fn message(resource: &Message, spans: &[Span]) -> Message {
    request(resource, spans.iter().map(Span::message))
}

impl Span {
    fn message(&self) -> Message {
        let mut message = Message::default()
            .bytes(1, &self.trace_id.to_be_bytes())
            .bytes(2, &self.id.to_be_bytes());
        if let Some(parent) = self.parent {
            message = message.bytes(4, &parent.to_be_bytes());
        }
        let attributes = self.attributes.iter();
        let duration = self.duration.as_nanos().try_into().unwrap_or(u64::MAX);
        message = message
            .text(5, &self.name)
            .number(6, self.kind as u64)
            .fixed(7, nanoseconds(self.end).saturating_sub(duration))
            .fixed(8, nanoseconds(self.end))
            .messages(9, attributes.map(|(name, value)| attribute(name, value)));
        if self.failed {
            message = message.message(15, &Message::default().number(3, ERROR));
        }
        message
    }
}

/// Since 1970-01-01.
pub(super) fn nanoseconds(time: Timestamp) -> u64 {
    time.as_nanosecond().try_into().unwrap_or_default()
}
