//! JSON that keeps the order of keys and where everything stands, and rejects
//! repeated keys, which `serde_json::Value` would silently merge.

use super::Place;

/// A JSON value with its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Json,
}

/// A JSON value; numbers are kept as written because conditions compare text.
#[derive(Debug)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Entry>),
}

/// A name and its value in an object.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) name_place: Place,
    pub(super) value: Node,
}

impl Node {
    /// Name of the type, for messages.
    pub(super) fn type_name(&self) -> &'static str {
        match self.value {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::Text(_) => "a string",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
        }
    }
}

/// The second of two entries with the same name.
pub(super) fn repeated(entries: &[Entry]) -> Option<&Entry> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    // Stable, so that entries with one name stay in the order written.
    sorted.sort_by(|left, right| left.name.cmp(&right.name));
    sorted
        .windows(2)
        .find(|pair| pair[0].name == pair[1].name)
        .map(|pair| pair[1])
}
