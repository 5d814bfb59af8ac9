//! Functions that convert between types.

use super::take;
use crate::types;
use crate::value::{Evaluated, Value, failure};

/// Converts anything but null, which converts to null of each type.
fn converted(arguments: Vec<Value>, convert: impl FnOnce(&Value) -> Option<Value>) -> Evaluated {
    let [value] = take(arguments)?;
    match (&value, convert(&value)) {
        (Value::Null, _) => Ok(Value::Null),
        (_, Some(converted)) => Ok(converted),
        (_, None) => failure(format!("{} cannot be converted", value.kind())),
    }
}

pub(super) fn to_string(arguments: Vec<Value>) -> Evaluated {
    converted(arguments, |value| value.to_text().map(Value::String))
}

pub(super) fn to_number(arguments: Vec<Value>) -> Evaluated {
    converted(arguments, |value| value.to_number().map(Value::number))
}

pub(super) fn to_bool(arguments: Vec<Value>) -> Evaluated {
    converted(arguments, |value| value.to_bool().map(Value::Bool))
}

pub(super) fn to_list(arguments: Vec<Value>) -> Evaluated {
    let [value] = take(arguments)?;
    match value {
        Value::Null => Ok(Value::Null),
        Value::List(items) => Ok(Value::List(types::unify(items))),
        other => failure(format!("{} cannot be converted", other.kind())),
    }
}

pub(super) fn to_set(arguments: Vec<Value>) -> Evaluated {
    let [value] = take(arguments)?;
    if value == Value::Null {
        Ok(value)
    } else {
        types::set(value)
    }
}

pub(super) fn to_map(arguments: Vec<Value>) -> Evaluated {
    let [value] = take(arguments)?;
    match value {
        Value::Null => Ok(Value::Null),
        Value::Object(entries) => {
            let values = types::unify(entries.values().cloned().collect());
            Ok(Value::Object(entries.into_keys().zip(values).collect()))
        }
        other => failure(format!("{} cannot be converted", other.kind())),
    }
}

/// `sensitive` and `nonsensitive`, which only change what Terraform prints.
pub(super) fn unchanged(arguments: Vec<Value>) -> Evaluated {
    let [value] = take(arguments)?;
    Ok(value)
}
