//! Functions of lists, maps and sets.

use std::collections::BTreeMap;

use super::{list, take, text};
use crate::operation::equal;
use crate::types::unify;
use crate::value::{Evaluated, Failure, Value, failure};

type Entries = BTreeMap<String, Value>;

/// A map argument that is known in full.
fn map(value: Value) -> Result<Result<Entries, Value>, Failure> {
    match value {
        Value::Object(entries) => Ok(match Value::rest(&entries) {
            Some(rest) => Err(rest.clone()),
            None => Ok(entries),
        }),
        other => failure(format!("a map is required, not {}", other.kind())),
    }
}

pub(super) fn length(arguments: Vec<Value>) -> Evaluated {
    let [value] = take(arguments)?;
    match value {
        Value::List(items) => Ok(Value::from(items.len())),
        // Terraform counts grapheme clusters; for ASCII they are the bytes.
        Value::String(text) if text.is_ascii() && !text.contains('\r') => {
            Ok(Value::from(text.len()))
        }
        Value::String(_) => Ok(Value::Unknown(
            "the length of such a text is not evaluated".into(),
        )),
        Value::Object(_) => Ok(match map(value)? {
            Ok(entries) => Value::from(entries.len()),
            Err(rest) => rest,
        }),
        other => failure(format!("{} has no length", other.kind())),
    }
}

pub(super) fn keys(arguments: Vec<Value>) -> Evaluated {
    let [value] = take(arguments)?;
    Ok(match map(value)? {
        Ok(entries) => Value::List(entries.into_keys().map(Value::String).collect()),
        Err(rest) => rest,
    })
}

pub(super) fn values(arguments: Vec<Value>) -> Evaluated {
    let [value] = take(arguments)?;
    Ok(match map(value)? {
        Ok(entries) => Value::List(entries.into_values().collect()),
        Err(rest) => rest,
    })
}

pub(super) fn lookup(mut arguments: Vec<Value>) -> Evaluated {
    let default = if arguments.len() == 3 {
        arguments.pop()
    } else {
        None
    };
    let [value, key] = take(arguments)?;
    let key = text(&key)?;
    let Value::Object(mut entries) = value else {
        return failure(format!("a map is required, not {}", value.kind()));
    };
    match (entries.remove(&key), Value::rest(&entries), default) {
        (Some(value), _, _) => Ok(value),
        (None, Some(rest), _) => Ok(rest.clone()),
        (None, None, Some(default)) => Ok(default),
        (None, None, None) => failure(format!("the map has no key {key:?}")),
    }
}

pub(super) fn merge(arguments: Vec<Value>) -> Evaluated {
    let mut merged = Entries::new();
    for argument in arguments {
        if argument == Value::Null {
            continue;
        }
        match map(argument)? {
            Ok(entries) => merged.extend(entries),
            Err(rest) => return Ok(rest),
        }
    }
    Ok(Value::Object(merged))
}

pub(super) fn zipmap(arguments: Vec<Value>) -> Evaluated {
    let [keys, values] = take(arguments)?;
    let (keys, values) = (list(keys)?, list(values)?);
    if keys.len() != values.len() {
        return failure("there are not as many values as keys");
    }
    let mut entries = Entries::new();
    for (key, value) in keys.into_iter().zip(values) {
        match key {
            Value::Unknown(_) => return Ok(key),
            key => entries.insert(text(&key)?, value),
        };
    }
    Ok(Value::Object(entries))
}

pub(super) fn concat(arguments: Vec<Value>) -> Evaluated {
    let mut joined = Vec::new();
    for argument in arguments {
        joined.extend(list(argument)?);
    }
    Ok(Value::List(joined))
}

pub(super) fn element(arguments: Vec<Value>) -> Evaluated {
    let [items, index] = take(arguments)?;
    let mut items = list(items)?;
    match (index.to_index(), items.len()) {
        (_, 0) => failure("the list is empty"),
        (Some(index), length) => Ok(items.swap_remove(index % length)),
        (None, _) => failure("the index is not a whole number of zero or more"),
    }
}

pub(super) fn one(arguments: Vec<Value>) -> Evaluated {
    let [items] = take(arguments)?;
    let items = match items {
        Value::Null => Vec::new(),
        items => list(items)?,
    };
    match <[Value; 1]>::try_from(items) {
        Ok([only]) => Ok(only),
        Err(items) if items.is_empty() => Ok(Value::Null),
        Err(items) => failure(format!("the list has {} elements", items.len())),
    }
}

pub(super) fn coalesce(arguments: Vec<Value>) -> Evaluated {
    let absent = |value: &Value| *value == Value::Null || value.as_str() == Some("");
    match unify(arguments).into_iter().find(|value| !absent(value)) {
        Some(value) => Ok(value),
        None => failure("all arguments are null or empty"),
    }
}

pub(super) fn compact(arguments: Vec<Value>) -> Evaluated {
    let [items] = take(arguments)?;
    let mut kept = Vec::new();
    for item in list(items)? {
        match item {
            Value::Null => {}
            item => {
                let text = text(&item)?;
                if !text.is_empty() {
                    kept.push(Value::String(text));
                }
            }
        }
    }
    Ok(Value::List(kept))
}

pub(super) fn contains(arguments: Vec<Value>) -> Evaluated {
    let [items, value] = take(arguments)?;
    let mut items = list(items)?;
    // The elements of a list have one type, and the value is converted to it.
    items.push(value);
    let mut items = unify(items);
    let value = items.pop().unwrap_or(Value::Null);
    let mut unknown = None;
    for item in &items {
        match equal(item, &value) {
            Value::Bool(true) => return Ok(Value::Bool(true)),
            Value::Bool(false) => {}
            maybe => unknown = Some(maybe),
        }
    }
    Ok(unknown.unwrap_or(Value::Bool(false)))
}

pub(super) fn distinct(arguments: Vec<Value>) -> Evaluated {
    let [items] = take(arguments)?;
    let mut kept: Vec<Value> = Vec::new();
    for item in unify(list(items)?) {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    Ok(Value::List(kept))
}

pub(super) fn flatten(arguments: Vec<Value>) -> Evaluated {
    fn add(items: Vec<Value>, flat: &mut Vec<Value>) {
        for item in items {
            match item {
                Value::List(inner) => add(inner, flat),
                other => flat.push(other),
            }
        }
    }
    let [items] = take(arguments)?;
    let mut flat = Vec::new();
    add(list(items)?, &mut flat);
    Ok(Value::List(flat))
}

pub(super) fn sort(arguments: Vec<Value>) -> Evaluated {
    let [items] = take(arguments)?;
    let mut texts = list(items)?
        .iter()
        .map(text)
        .collect::<Result<Vec<String>, Failure>>()?;
    texts.sort();
    Ok(Value::List(texts.into_iter().map(Value::String).collect()))
}

pub(super) fn all_true(arguments: Vec<Value>) -> Evaluated {
    let [items] = take(arguments)?;
    Ok(Value::Bool(
        list(items)?.iter().all(|item| item.to_bool() == Some(true)),
    ))
}

pub(super) fn any_true(arguments: Vec<Value>) -> Evaluated {
    let [items] = take(arguments)?;
    Ok(Value::Bool(
        list(items)?.iter().any(|item| item.to_bool() == Some(true)),
    ))
}
