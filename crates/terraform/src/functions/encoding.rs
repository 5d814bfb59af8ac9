//! Functions to and from JSON.

use super::{take, text};
use crate::evaluate::bounded_text;
use crate::value::{Evaluated, Value, failure};

/// Keys in order, no spaces, and the characters that HTML minds escaped, as
/// Terraform writes JSON.
pub(super) fn json_encode(arguments: Vec<Value>) -> Evaluated {
    let [value] = take(arguments)?;
    let json = match value.to_json() {
        Ok(json) => json.to_string(),
        Err(reason) => return Ok(Value::Unknown(reason)),
    };
    let escaped = escaped(&json);
    bounded_text(escaped.len(), || escaped)
}

/// JSON text with the characters that HTML minds escaped, as Go writes it.
pub(crate) fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

pub(super) fn json_decode(arguments: Vec<Value>) -> Evaluated {
    let [json] = take(arguments)?;
    match serde_json::from_str(&text(&json)?) {
        Ok(json) => Ok(Value::from_json(&json)),
        Err(error) => failure(error.to_string()),
    }
}
