//! The `on` key.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The events that start a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triggers {
    /// Event name to its configuration as it stands in the file.
    events: BTreeMap<String, Value>,
}

/// The filters of a `push` trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PushTrigger {
    /// Branch patterns; empty with empty `tags` means every push.
    pub branches: Vec<String>,
    /// Tag patterns.
    pub tags: Vec<String>,
}

impl Triggers {
    /// Whether `event` starts the workflow.
    pub fn has(&self, event: &str) -> bool {
        self.events.contains_key(event)
    }

    /// The `push` trigger, if there is one.
    pub fn push(&self) -> Option<PushTrigger> {
        let configuration = self.events.get("push")?.clone();
        Some(serde_json::from_value(configuration).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Triggers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        let events: BTreeMap<String, Value> = match Value::deserialize(deserializer)? {
            Value::String(event) => [(event, Value::Null)].into(),
            Value::Array(list) => list
                .into_iter()
                .map(|event| match event {
                    Value::String(event) => Ok((event, Value::Null)),
                    _ => Err(D::Error::custom("an event in `on` is not a text")),
                })
                .collect::<Result<_, _>>()?,
            Value::Object(map) => map.into_iter().collect(),
            _ => return Err(D::Error::custom("`on` must be a text, a list or a map")),
        };
        if let Some(push) = events.get("push").filter(|push| !push.is_null()) {
            PushTrigger::deserialize(push)
                .map_err(|error| D::Error::custom(format!("`push`: {error}")))?;
        }
        Ok(Self { events })
    }
}
