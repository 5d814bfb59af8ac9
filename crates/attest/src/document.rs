//! A JSON document with long lists, written one element at a time: as a tree of values it
//! would be many times as large as its text.

use std::fmt::Write as _;

use oci::Digest;
use serde_json::Value;

/// The text so far, without its last brace.
pub(crate) struct Document(String);

impl Document {
    /// A document with the fields of `head`, an object that has some.
    pub(crate) fn new(head: &Value) -> Self {
        let mut text = head.to_string();
        text.pop();
        Self(text)
    }

    pub(crate) fn field(&mut self, name: &str, value: &Value) {
        self.name(name);
        let _ = write!(self.0, "{value}");
    }

    pub(crate) fn list(&mut self, name: &str, elements: impl Iterator<Item = Value>) {
        self.name(name);
        self.0.push('[');
        for (place, element) in elements.enumerate() {
            if place > 0 {
                self.0.push(',');
            }
            let _ = write!(self.0, "{element}");
        }
        self.0.push(']');
    }

    fn name(&mut self, name: &str) {
        let _ = write!(self.0, ",{}:", Value::from(name));
    }

    /// A UUID (version 8, RFC 9562: custom) that follows from the content: two documents
    /// are the same exactly if they say the same.
    pub(crate) fn uuid(&self) -> String {
        let digest = Digest::of(self.0.as_bytes()).hex();
        format!(
            "{}-{}-8{}-8{}-{}",
            &digest[..8],
            &digest[8..12],
            &digest[13..16],
            &digest[17..20],
            &digest[20..32]
        )
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.0.push('}');
        self.0.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_the_document_as_a_tree() {
        let mut document = Document::new(&json!({"a": {"b": 1}}));
        document.list("none", [].into_iter());
        document.list("some", [json!({"x": "\"\n"}), json!(2)].into_iter());
        document.field("z\"", &json!([null]));
        let read: Value = serde_json::from_slice(&document.finish()).unwrap();
        let tree = json!({
            "a": {"b": 1}, "none": [], "some": [{"x": "\"\n"}, 2], "z\"": [null],
        });
        assert_eq!(read, tree);
    }
}
