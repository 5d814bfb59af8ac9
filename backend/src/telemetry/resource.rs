//! Who sends: the attributes that all spans and metrics have in common.

use std::collections::BTreeMap;

use super::protobuf::{Message, Value, attribute};
use crate::config::{self, Build};
use crate::identifier;

/// This process. What is configured outweighs what it knows of itself.
pub(super) fn resource(config: &config::Telemetry, build: &Build) -> Message {
    let mut attributes = BTreeMap::from([
        ("service.name", "backend".to_owned()),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        // Two processes must not be taken for one whose counts jump.
        ("service.instance.id", identifier::random()),
    ]);
    if let Some(commit) = &build.commit {
        attributes.insert("vcs.ref.head.revision", commit.clone());
    }
    for (name, value) in &config.attributes.0 {
        attributes.insert(name, value.clone());
    }
    if let Some(name) = &config.service_name {
        attributes.insert("service.name", name.clone());
    }
    let attributes = attributes
        .into_iter()
        .map(|(name, value)| attribute(name, &Value::Text(value)));
    Message::default().messages(1, attributes)
}

/// The message that spans or metrics are sent in: below who sends them, and what made them
/// (`InstrumentationScope`). The fields have the same numbers in both.
pub(super) fn request(resource: &Message, items: impl IntoIterator<Item = Message>) -> Message {
    let scope = Message::default()
        .text(1, env!("CARGO_PKG_NAME"))
        .text(2, env!("CARGO_PKG_VERSION"));
    let of_scope = Message::default().message(1, &scope).messages(2, items);
    let of_resource = Message::default()
        .message(1, resource)
        .message(2, &of_scope);
    Message::default().message(1, &of_resource)
}
