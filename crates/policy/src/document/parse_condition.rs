//! The `Condition` block: operator, then key, then values.

use super::json::Json;
use super::parse::{object, wrong_type};
use super::{Condition, ParseError};
use crate::condition::Operator;

/// Reads the whole block, one [`Condition`] per operator and key.
pub(super) fn conditions(json: Json, path: &str) -> Result<Vec<Condition>, ParseError> {
    let mut conditions = Vec::new();
    for (operator_name, keys) in object(json, path)? {
        let path = format!("{path}.{operator_name}");
        let Some(operator) = Operator::parse(&operator_name) else {
            return Err(ParseError::UnknownOperator { path });
        };
        for (key, value) in object(keys, &path)? {
            conditions.push(Condition {
                operator,
                operator_name: operator_name.clone(),
                values: values(value, &format!("{path}.{key}"))?,
                key,
            });
        }
    }
    Ok(conditions)
}

/// One value or a list. Numbers and booleans become text, as IAM compares text.
fn values(json: Json, path: &str) -> Result<Vec<String>, ParseError> {
    match json {
        Json::List(items) => items
            .into_iter()
            .enumerate()
            .map(|(index, item)| value(item, &format!("{path}[{index}]")))
            .collect(),
        single => Ok(vec![value(single, path)?]),
    }
}

fn value(json: Json, path: &str) -> Result<String, ParseError> {
    match json {
        Json::Text(text) | Json::Number(text) => Ok(text),
        Json::Bool(value) => Ok(value.to_string()),
        other => Err(wrong_type(&other, path, "a string, a number or a boolean")),
    }
}
