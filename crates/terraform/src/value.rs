//! What an expression is worth, as far as it can be known without a plan.
//!
//! A value is never guessed: where the configuration alone does not decide, it
//! is [`Value::Unknown`] with the reason.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Number;

/// The key under which an object that is not known in full (a resource, whose
/// provider adds attributes) keeps the reason why a missing attribute is not an
/// error. No identifier of HCL can be equal to it.
const REST: &str = "\0rest";

/// What a value weighs besides its text and its elements.
pub(crate) const VALUE_WEIGHT: usize = 64;

/// A value of the Terraform language. Lists, tuples and sets are all lists here,
/// maps and objects all objects; the elements of a set are sorted.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`: as if the argument were not set.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(String),
    /// A list, tuple or set.
    List(Vec<Value>),
    /// A map or object.
    Object(BTreeMap<String, Value>),
    /// Not to be known from the configuration, for this reason.
    Unknown(String),
}

/// An expression that Terraform itself would refuse, with the reason. Differs
/// from [`Value::Unknown`] in what `try` and `can` make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) String);

/// What evaluation gives.
pub(crate) type Evaluated = Result<Value, Failure>;

/// A failure with a formatted reason.
pub(crate) fn failure<T>(reason: impl Into<String>) -> Result<T, Failure> {
    Err(Failure(reason.into()))
}

impl Value {
    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The reason of the first unknown anywhere inside, if there is one.
    pub fn unknown_reason(&self) -> Option<&str> {
        match self {
            Self::Unknown(reason) => Some(reason),
            Self::List(items) => items.iter().find_map(Self::unknown_reason),
            Self::Object(entries) => entries.values().find_map(Self::unknown_reason),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => None,
        }
    }

    /// An object whose other attributes are not known, for `reason`.
    pub(crate) fn partial(mut entries: BTreeMap<String, Self>, reason: String) -> Self {
        entries.insert(REST.to_owned(), Self::Unknown(reason));
        Self::Object(entries)
    }

    /// Why an attribute that `entries` does not hold may still exist.
    pub(crate) fn rest(entries: &BTreeMap<String, Self>) -> Option<&Self> {
        entries.get(REST)
    }

    /// The value without the marks of objects that are not known in full: what
    /// is shown outside of this crate.
    pub(crate) fn published(self) -> Self {
        match self {
            Self::List(items) => Self::List(items.into_iter().map(Self::published).collect()),
            Self::Object(mut entries) => {
                entries.remove(REST);
                Self::Object(
                    entries
                        .into_iter()
                        .map(|(key, value)| (key, value.published()))
                        .collect(),
                )
            }
            other => other,
        }
    }

    /// Roughly how much memory the value takes, in bytes.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::String(text) | Self::Unknown(text) => VALUE_WEIGHT + text.len(),
            Self::List(items) => items
                .iter()
                .fold(VALUE_WEIGHT, |sum, item| sum + item.weight()),
            Self::Object(entries) => entries.iter().fold(VALUE_WEIGHT, |sum, (key, value)| {
                sum + key.len() + value.weight()
            }),
            Self::Null | Self::Bool(_) | Self::Number(_) => VALUE_WEIGHT,
        }
    }

    /// What kind of value it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
            Self::Unknown(_) => "an unknown",
        }
    }

    /// A number, if it is exact: Terraform's numbers have 512 bits, and one that
    /// a float had to round would print other digits.
    pub(crate) fn number(number: Number) -> Self {
        let number = normal(number);
        let text = number.to_string();
        let digits = text.chars().filter(char::is_ascii_digit).count();
        if number.is_f64() && (text.contains('e') || digits > 15) {
            return Self::Unknown("the number is not exact as a float".to_owned());
        }
        Self::Number(number)
    }

    /// As text, by Terraform's conversion; `None` for what has none.
    pub(crate) fn to_text(&self) -> Option<String> {
        match self {
            Self::String(text) => Some(text.clone()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// As a number, by Terraform's conversion.
    pub(crate) fn to_number(&self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(number.clone()),
            Self::String(text) => serde_json::from_str(text).ok().map(normal),
            _ => None,
        }
    }

    /// As a bool, by Terraform's conversion.
    pub(crate) fn to_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::String(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// As an index or a count: a whole number of zero or more.
    pub(crate) fn to_index(&self) -> Option<usize> {
        let number = self.to_number()?;
        usize::try_from(whole(&number)?).ok()
    }

    /// The object's or list's elements by key, as `for` and `for_each` see them.
    pub(crate) fn entries(&self) -> Result<Vec<(Self, Self)>, Failure> {
        match self {
            Self::List(items) => Ok(items
                .iter()
                .enumerate()
                .map(|(index, item)| (Self::from(index), item.clone()))
                .collect()),
            Self::Object(entries) => Ok(entries
                .iter()
                .map(|(key, value)| (Self::String(key.clone()), value.clone()))
                .collect()),
            other => failure(format!("cannot iterate over {}", other.kind())),
        }
    }

    /// Reads JSON's values, all of which Terraform has too.
    pub(crate) fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => Self::number(number.clone()),
            serde_json::Value::String(text) => Self::String(text.clone()),
            serde_json::Value::Array(items) => {
                Self::List(items.iter().map(Self::from_json).collect())
            }
            serde_json::Value::Object(entries) => Self::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), Self::from_json(value)))
                    .collect(),
            ),
        }
    }

    /// As JSON; `Err` holds the reason of an unknown inside.
    pub(crate) fn to_json(&self) -> Result<serde_json::Value, String> {
        Ok(match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Number(number) => serde_json::Value::Number(number.clone()),
            Self::String(text) => text.clone().into(),
            Self::List(items) => {
                serde_json::Value::Array(items.iter().map(Self::to_json).collect::<Result<_, _>>()?)
            }
            Self::Object(entries) => serde_json::Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), value.to_json()?)))
                    .collect::<Result<_, String>>()?,
            ),
            Self::Unknown(reason) => return Err(reason.clone()),
        })
    }
}

/// The number as an integer, if it is one.
pub(crate) fn whole(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}

/// The number written as an integer where it is one: Terraform has one type of
/// number, in which `1.0` is `1`.
pub(crate) fn normal(number: Number) -> Number {
    // Up to 2^53 a float is exactly the integer that it prints.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT => {
            format!("{float:.0}")
                .parse::<i64>()
                .map_or(number, Number::from)
        }
        _ => number,
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(Number::from(number))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<Failure> for Value {
    /// Outside of `try` and `can`, what Terraform would refuse is not known.
    fn from(failure: Failure) -> Self {
        Self::Unknown(failure.0)
    }
}
