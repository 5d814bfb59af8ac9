//! Type constraints of variables, and the conversions they ask for.

use std::collections::BTreeMap;

use hcl_edit::expr::{Expression, FuncCall, ObjectKey};

use crate::value::{Evaluated, Value, failure};

/// Converts a value to the type that a variable declares. `evaluate` gives the
/// value of a default inside of `optional(..)`.
pub(crate) fn convert(
    value: Value,
    constraint: &Expression,
    evaluate: &dyn Fn(&Expression) -> Value,
) -> Evaluated {
    if matches!(value, Value::Unknown(_) | Value::Null) {
        return Ok(value);
    }
    match constraint {
        Expression::Variable(name) => convert_to_primitive(value, name.as_str()),
        Expression::FuncCall(call) => convert_to_compound(value, call, evaluate),
        Expression::Parenthesis(inner) => convert(value, inner.inner(), evaluate),
        _ => Ok(Value::Unknown(
            "its type constraint is not understood".to_owned(),
        )),
    }
}

/// Whether a variable's values are sets, whose `for` sees no positions.
pub(crate) fn is_set(constraint: &Expression) -> bool {
    matches!(constraint, Expression::FuncCall(call) if call.name.name.as_str() == "set")
}

fn convert_to_primitive(value: Value, name: &str) -> Evaluated {
    let kind = value.kind();
    let converted = match name {
        "any" => Some(value),
        "string" => value.to_text().map(Value::String),
        "number" => value.to_number().map(Value::number),
        "bool" => value.to_bool().map(Value::Bool),
        "list" => Some(list(value, &Ok)?),
        "set" => Some(set(value)?),
        "map" => Some(map(value, &Ok)?),
        _ => Some(Value::Unknown(format!("the type {name} is not understood"))),
    };
    converted.map_or_else(|| failure(format!("a {name} is required, not {kind}")), Ok)
}

fn convert_to_compound(
    value: Value,
    call: &FuncCall,
    evaluate: &dyn Fn(&Expression) -> Value,
) -> Evaluated {
    let Some(inner) = call.args.get(0) else {
        return Ok(Value::Unknown(
            "its type constraint is not understood".to_owned(),
        ));
    };
    let element = |value| convert(value, inner, evaluate);
    match (call.name.name.as_str(), inner) {
        ("list", _) => list(value, &element),
        ("set", _) => set(list(value, &element)?),
        ("map", _) => map(value, &element),
        ("object", Expression::Object(_)) => object(value, inner, evaluate),
        ("tuple", Expression::Array(types)) => match value {
            Value::List(items) if items.len() == types.len() => Ok(Value::List(
                items
                    .into_iter()
                    .zip(types)
                    .map(|(item, constraint)| convert(item, constraint, evaluate))
                    .collect::<Result<_, _>>()?,
            )),
            other => failure(format!(
                "a tuple of {} is required, not {}",
                types.len(),
                other.kind()
            )),
        },
        (name, _) => Ok(Value::Unknown(format!("the type {name} is not understood"))),
    }
}

fn list(value: Value, element: &dyn Fn(Value) -> Evaluated) -> Evaluated {
    match value {
        Value::List(items) => Ok(Value::List(
            items.into_iter().map(element).collect::<Result<_, _>>()?,
        )),
        other => failure(format!("a list is required, not {}", other.kind())),
    }
}

fn map(value: Value, element: &dyn Fn(Value) -> Evaluated) -> Evaluated {
    match value {
        Value::Object(entries) => Ok(Value::Object(
            entries
                .into_iter()
                .map(|(key, value)| Ok((key, element(value)?)))
                .collect::<Result<_, _>>()?,
        )),
        other => failure(format!("a map is required, not {}", other.kind())),
    }
}

/// The elements once each and in order. Only sets of one primitive type have an
/// order that the configuration decides.
pub(crate) fn set(value: Value) -> Evaluated {
    if let Some(reason) = value.unknown_reason() {
        return Ok(Value::Unknown(reason.to_owned()));
    }
    let Value::List(items) = value else {
        return failure(format!("a set is required, not {}", value.kind()));
    };
    let mut items = unify(items);
    if items.iter().all(|item| item.as_str().is_some()) {
        items.sort_by(|left, right| left.as_str().cmp(&right.as_str()));
        items.dedup();
        return Ok(Value::List(items));
    }
    if items.len() == 1 {
        return Ok(Value::List(items));
    }
    Ok(Value::Unknown(
        "the order of a set of anything but strings is not evaluated".to_owned(),
    ))
}

/// The one type of a list's elements: with a string among primitives, all are.
pub(crate) fn unify(items: Vec<Value>) -> Vec<Value> {
    let primitive =
        |item: &Value| matches!(item, Value::Bool(_) | Value::Number(_) | Value::String(_));
    let mixed = items
        .windows(2)
        .any(|pair| pair[0].kind() != pair[1].kind());
    if mixed && items.iter().all(primitive) {
        items
            .iter()
            .filter_map(Value::to_text)
            .map(Value::String)
            .collect()
    } else {
        items
    }
}

fn object(value: Value, types: &Expression, evaluate: &dyn Fn(&Expression) -> Value) -> Evaluated {
    let (Value::Object(mut given), Expression::Object(types)) = (value, types) else {
        return failure("an object is required");
    };
    let mut converted = BTreeMap::new();
    for (key, constraint) in types {
        let name = match key {
            ObjectKey::Ident(name) => name.as_str().to_owned(),
            ObjectKey::Expression(Expression::String(name)) => name.value().clone(),
            ObjectKey::Expression(_) => {
                return Ok(Value::Unknown(
                    "its type constraint is not understood".to_owned(),
                ));
            }
        };
        let (constraint, optional, default) = optional(constraint.expr());
        let value = match given.remove(&name) {
            Some(Value::Null) | None if optional => default.map_or(Value::Null, evaluate),
            Some(value) => value,
            None => return failure(format!("the attribute {name} is required")),
        };
        converted.insert(name, convert(value, constraint, evaluate)?);
    }
    Ok(Value::Object(converted))
}

/// Takes `optional(type, default)` apart.
fn optional(constraint: &Expression) -> (&Expression, bool, Option<&Expression>) {
    match constraint {
        Expression::FuncCall(call) if call.name.name.as_str() == "optional" => (
            call.args.get(0).unwrap_or(constraint),
            true,
            call.args.get(1),
        ),
        _ => (constraint, false, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(value: &str, constraint: &str) -> Evaluated {
        let value = Value::from_json(&serde_json::from_str(value).unwrap());
        let literal = |expression: &Expression| {
            Value::from_json(&serde_json::from_str(&expression.to_string()).unwrap())
        };
        convert(value, &constraint.parse().unwrap(), &literal)
    }

    #[test]
    fn primitives_are_converted_as_terraform_converts_them() {
        assert_eq!(converted("12", "string"), Ok(Value::from("12")));
        assert_eq!(converted("\"12\"", "number"), Ok(Value::from(12)));
        assert_eq!(converted("\"true\"", "bool"), Ok(Value::Bool(true)));
        assert!(converted("\"x\"", "number").is_err());
        assert!(converted("[1]", "string").is_err());
    }

    #[test]
    fn optional_attributes_take_their_default_and_extra_ones_are_dropped() {
        let value = converted(
            r#"{"name": "a", "extra": 1}"#,
            r"object({ name = string, size = optional(number, 3), note = optional(string) })",
        );
        let expected = r#"{"name": "a", "size": 3, "note": null}"#;
        assert_eq!(
            value,
            Ok(Value::from_json(&serde_json::from_str(expected).unwrap()))
        );
        assert!(converted("{}", "object({ name = string })").is_err());
    }

    #[test]
    fn sets_are_sorted_and_hold_each_element_once() {
        let value = converted(r#"["b", "a", "b"]"#, "set(string)");
        assert_eq!(value, Ok(Value::List(vec!["a".into(), "b".into()])));
    }

    #[test]
    fn a_type_that_is_not_understood_makes_the_value_unknown() {
        assert!(matches!(converted("1", "wrong"), Ok(Value::Unknown(_))));
        assert!(matches!(
            converted("[1]", "wrong(string)"),
            Ok(Value::Unknown(_))
        ));
    }
}
