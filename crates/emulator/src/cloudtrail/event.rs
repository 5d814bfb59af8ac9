//! An event as `LookupEvents` lists it.

use serde_json::{Map, Value, json};

use crate::trail::Found;

/// The event, with the record as CloudTrail would have written it.
pub(super) fn listed(found: &Found) -> Value {
    let parts = &found.parts;
    let resources: Vec<Value> = parts
        .resources()
        .into_iter()
        .map(|resource| json!({ "ResourceType": resource.kind, "ResourceName": resource.name }))
        .collect();
    let mut event = json!({
        "EventId": parts.event_id,
        "EventName": parts.event_name,
        "ReadOnly": parts.read_only.to_string(),
        "EventTime": parts.event_time.as_second(),
        "EventSource": parts.event_source,
        "Resources": resources,
        "CloudTrailEvent": record(&found.line),
    });
    if let Some(key) = parts.access_key_id() {
        event["AccessKeyId"] = json!(key);
    }
    if let Some(name) = parts.user_name() {
        event["Username"] = json!(name);
    }
    event
}

/// The record without what the emulator puts beside it.
fn record(line: &[u8]) -> String {
    let mut members: Map<String, Value> = serde_json::from_slice(line).unwrap_or_default();
    members.shift_remove("longshore");
    Value::from(members).to_string()
}
