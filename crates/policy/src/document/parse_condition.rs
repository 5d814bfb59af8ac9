//! The `Condition` block: operator, then key, then values.

use super::error::Failure;
use super::json::{Json, Node};
use super::parse::{fault, object, wrong_type};
use super::{Condition, Fault};
use crate::condition::Operator;

/// Reads the whole block, one [`Condition`] per operator and key.
pub(super) fn conditions(node: &Node) -> Result<Vec<Condition>, Failure> {
    let mut conditions = Vec::new();
    for operator_entry in object(node, "an object of operators")? {
        let Some(operator) = Operator::parse(&operator_entry.name) else {
            return Err(fault(operator_entry.name_place, Fault::UnknownOperator));
        };
        for entry in object(&operator_entry.value, "an object of condition keys")? {
            conditions.push(Condition {
                operator,
                operator_name: operator_entry.name.clone(),
                key: entry.name.clone(),
                values: values(&entry.value)?,
            });
        }
    }
    Ok(conditions)
}

/// One value or a list. Numbers and booleans become text, as IAM compares text.
fn values(node: &Node) -> Result<Vec<String>, Failure> {
    match &node.value {
        Json::List(items) => items.iter().map(value).collect(),
        _ => Ok(vec![value(node)?]),
    }
}

fn value(node: &Node) -> Result<String, Failure> {
    match &node.value {
        Json::Text(text) | Json::Number(text) => Ok(text.clone()),
        Json::Bool(value) => Ok(value.to_string()),
        _ => Err(wrong_type(node, "a string, a number or a boolean")),
    }
}
