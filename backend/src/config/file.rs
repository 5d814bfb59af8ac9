//! The configuration file: TOML, one key a setting, no tables.

use std::path::Path;

use toml::{Table, Value};

use super::mistake::Mistake;

/// The keys of the file, each with its value in the form that a variable has: a
/// list is its elements with commas between them. `None` is a value of a kind that
/// no setting has.
pub(super) fn read(path: &Path) -> Result<Vec<(String, Option<String>)>, Mistake> {
    let text =
        fs_err::read_to_string(path).map_err(|error| Mistake::Unreadable(error.to_string()))?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or_default();
        Mistake::Syntax {
            path: path.to_owned(),
            line: 1 + before.matches('\n').count(),
            complaint: error.message().replace('\n', ", "),
        }
    })?;
    Ok(table
        .into_iter()
        .map(|(key, value)| (key, plain(&value)))
        .collect())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Datetime(time) => Some(time.to_string()),
        Value::Array(values) => {
            let elements: Option<Vec<_>> = values
                .iter()
                .map(|value| value.as_str().filter(|text| !text.contains(',')))
                .collect();
            Some(elements?.join(","))
        }
        Value::Float(_) | Value::Table(_) => None,
    }
}
