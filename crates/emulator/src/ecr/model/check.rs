//! A body against the input of its operation.
//!
//! First the types of everything (`SerializationException`), then constraints
//! in the order of the model (`InvalidParameterException`); the first violation
//! is the answer. Members that the model does not know are passed over, and
//! `null` is as good as absent: both as in other AWS services (inferred).

use serde_json::{Map, Value};

use super::super::EcrError;
use super::pattern::matches;
use super::shape::{List, Member, Shape, Text, Voice};

type Object = Map<String, Value>;

/// Refuses a body that the service model refuses.
pub(in crate::ecr) fn check(body: &Value, input: &[Member]) -> Result<(), EcrError> {
    let Value::Object(body) = body else {
        let message = "Start of structure or map expected";
        return Err(EcrError::client("SerializationException", message));
    };
    types_of(body, input).map_err(|message| EcrError::client("SerializationException", message))?;
    members(body, input, "")
}

/// The names of the members that are not bytes: what a trail can show.
pub(in crate::ecr) fn without_bytes(input: &[Member]) -> Vec<&'static str> {
    input
        .iter()
        .filter(|member| !matches!(member.shape, Shape::Bytes(_)))
        .map(|member| member.name)
        .collect()
}

fn present<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

fn types_of(object: &Object, members: &[Member]) -> Result<(), String> {
    members
        .iter()
        .filter_map(|member| Some((present(object, member.name)?, &member.shape)))
        .try_for_each(|(value, shape)| type_of(value, shape))
}

/// Sentences of the framework as other services that use it answer them
/// (inferred for ECR).
fn type_of(value: &Value, shape: &Shape) -> Result<(), String> {
    match (value, shape) {
        (Value::String(_), Shape::Text(_) | Shape::Choice(_) | Shape::Bytes(_))
        | (Value::Bool(_), Shape::Flag) => Ok(()),
        (Value::Number(number), Shape::Number { .. }) if number.is_i64() => Ok(()),
        (Value::Object(object), Shape::Structure(members)) => types_of(object, members),
        (Value::Array(elements), Shape::List(list)) => elements
            .iter()
            .filter(|element| !element.is_null())
            .try_for_each(|element| type_of(element, list.member)),
        (_, Shape::List(_)) => Err("Expected list or null".to_owned()),
        (_, Shape::Structure(_)) => Err("Expected structure or null".to_owned()),
        (Value::Object(_), _) => {
            Err("Start of structure or map found where not expected.".to_owned())
        }
        (Value::Array(_), _) => Err("Start of list found where not expected".to_owned()),
        (value, shape) => Err(format!(
            "{} cannot be converted to {}",
            token(value),
            type_name(shape)
        )),
    }
}

fn token(value: &Value) -> &'static str {
    match value {
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        _ => "STRING_VALUE",
    }
}

fn type_name(shape: &Shape) -> &'static str {
    match shape {
        Shape::Number { .. } => "Long",
        Shape::Flag => "Boolean",
        Shape::Bytes(_) => "Blob",
        _ => "String",
    }
}

/// `path` is that of the structure, with a point at its end.
fn members(object: &Object, members: &[Member], path: &str) -> Result<(), EcrError> {
    for member in members {
        let path = format!("{path}{}", decapitalized(member.name));
        match present(object, member.name) {
            Some(value) => constraint(value, &member.shape, &path)?,
            None if member.required => return Err(violated(&member.shape, &path, "not be null")),
            None => {}
        }
    }
    Ok(())
}

fn constraint(value: &Value, shape: &Shape, path: &str) -> Result<(), EcrError> {
    let broken = match (value, shape) {
        (Value::Object(object), Shape::Structure(inner)) => {
            return members(object, inner, &format!("{path}."));
        }
        (Value::Array(elements), Shape::List(list)) => return elements_of(elements, list, path),
        (Value::String(encoded), Shape::Bytes(most)) if encoded.len() / 4 * 3 > most + 2 => {
            Some(format!("have length less than or equal to {most}"))
        }
        _ => demands(shape)
            .into_iter()
            .find(|demand| !demand.is_met(value, shape))
            .map(|demand| demand.sentence()),
    };
    match broken {
        Some(demand) => Err(violated(shape, path, &demand)),
        None => Ok(()),
    }
}

fn elements_of(elements: &[Value], list: &List, path: &str) -> Result<(), EcrError> {
    let shape = Shape::List(*list);
    if elements.len() < list.least {
        let demand = format!("have length greater than or equal to {}", list.least);
        return Err(violated(&shape, path, &demand));
    }
    if elements.len() > list.most {
        let demand = format!("have length less than or equal to {}", list.most);
        return Err(violated(&shape, path, &demand));
    }
    for (index, element) in elements.iter().enumerate() {
        let path_of_element = format!("{path}.{}.member", index + 1);
        let checked = match list.member {
            // Nothing is a list without elements that are something.
            _ if element.is_null() => Err(violated(list.member, &path_of_element, "not be null")),
            Shape::Structure(_) | Shape::List(_) => {
                constraint(element, list.member, &path_of_element)
            }
            Shape::Text(Text {
                voice: Voice::Service(_),
                ..
            }) => constraint(element, list.member, &path_of_element),
            scalar if constraint(element, scalar, path).is_ok() => Ok(()),
            // All that is demanded of an element is told at its list.
            scalar => {
                let all: Vec<String> = demands(scalar)
                    .iter()
                    .map(|demand| format!("Member must {}", demand.sentence()))
                    .collect();
                let demand = format!("satisfy constraint: [{}]", all.join(", "));
                Err(violated(&shape, path, &demand))
            }
        };
        checked?;
    }
    Ok(())
}

/// One constraint of a scalar.
enum Demand {
    Most(usize),
    Least(usize),
    Pattern(&'static str, Voice),
    AtMost(i64),
    AtLeast(i64),
    OneOf(&'static [&'static str]),
}

fn demands(shape: &Shape) -> Vec<Demand> {
    match *shape {
        Shape::Text(text) => [
            (text.most < usize::MAX).then_some(Demand::Most(text.most)),
            (text.least > 0).then_some(Demand::Least(text.least)),
            text.pattern
                .map(|pattern| Demand::Pattern(pattern, text.voice)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        Shape::Number { least, most } => [
            (most < i64::MAX).then_some(Demand::AtMost(most)),
            Some(Demand::AtLeast(least)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        Shape::Choice(values) => vec![Demand::OneOf(values)],
        _ => Vec::new(),
    }
}

impl Demand {
    fn is_met(&self, value: &Value, shape: &Shape) -> bool {
        let text = value.as_str().unwrap_or_default();
        let number = value.as_i64().unwrap_or_default();
        debug_assert!(!matches!(shape, Shape::Structure(_) | Shape::List(_)));
        match self {
            Self::Most(most) => text.chars().count() <= *most,
            Self::Least(least) => text.chars().count() >= *least,
            Self::Pattern(pattern, _) => matches(pattern, text),
            Self::AtMost(most) => number <= *most,
            Self::AtLeast(least) => number >= *least,
            Self::OneOf(values) => values.contains(&text),
        }
    }

    /// What follows `must`.
    fn sentence(&self) -> String {
        match self {
            Self::Most(most) => format!("have length less than or equal to {most}"),
            Self::Least(least) => format!("have length greater than or equal to {least}"),
            Self::Pattern(pattern, Voice::Service(_)) => {
                format!("satisfy regular expression '{pattern}'")
            }
            Self::Pattern(pattern, Voice::Framework) => {
                format!("satisfy regular expression pattern: {pattern}")
            }
            Self::AtMost(most) => format!("have value less than or equal to {most}"),
            Self::AtLeast(least) => format!("have value greater than or equal to {least}"),
            Self::OneOf(values) => format!("satisfy enum value set: [{}]", values.join(", ")),
        }
    }
}

fn violated(shape: &Shape, path: &str, demand: &str) -> EcrError {
    match shape {
        Shape::Text(Text {
            voice: Voice::Service(name),
            ..
        }) => EcrError::parameter(name, &format!("must {demand}")),
        _ => EcrError::parameter(path, &format!("Member must {demand}")),
    }
}

/// Paths write the first letter small: `tags.2.member.key`.
fn decapitalized(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| {
        format!("{}{}", first.to_lowercase(), characters.as_str())
    })
}

#[cfg(test)]
mod tests;
