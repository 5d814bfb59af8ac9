//! An answer of AWS that is not success.

use serde_json::{Map, Value};

use crate::authorize::Denied;
use crate::store::StoreError;

/// A code and a sentence as AWS gives them, with the HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct AwsError {
    /// HTTP status.
    pub(crate) status: u16,
    /// Such as `NoSuchEntity`.
    pub(crate) code: &'static str,
    /// AWS's sentence.
    pub(crate) message: String,
    /// What the error says beside its sentence, in services that speak JSON.
    pub(crate) members: Map<String, Value>,
}

impl AwsError {
    /// An error with any status.
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            members: Map::new(),
        }
    }

    /// The request itself is wrong: status 400.
    pub(crate) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// There is no such operation in this version of a service.
    pub(crate) fn no_operation(action: &str, version: Option<&str>) -> Self {
        let version = version.unwrap_or("NO_VERSION_SPECIFIED");
        Self::invalid(
            "InvalidAction",
            format!("Could not find operation {action} for version {version}"),
        )
    }

    /// A parameter breaks its constraint (IAM and STS API Reference, "Common
    /// Errors": `ValidationError`). AWS repeats the value, unless it is a secret
    /// or a structure.
    pub(crate) fn validation(name: &str, value: Option<&str>, constraint: &str) -> Self {
        let value = match value {
            Some(value) => format!(" '{value}'"),
            None if constraint == NOT_NULL => " null".to_owned(),
            None => String::new(),
        };
        Self::invalid(
            VALIDATION,
            format!(
                "{ONE_VIOLATION}Value{value} at '{name}' failed to satisfy constraint: {constraint}"
            ),
        )
    }

    /// The first of `errors`, or one that names them all where they are broken
    /// constraints.
    pub(crate) fn together(errors: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let first = errors.next()?;
        let Some(violation) = first.violation() else {
            return Some(first);
        };
        let others: Vec<Self> = errors.collect();
        let mut violations = vec![violation];
        violations.extend(others.iter().filter_map(Self::violation));
        if violations.len() == 1 {
            return Some(first);
        }
        let (count, all) = (violations.len(), violations.join("; "));
        let message = format!("{count} validation errors detected: {all}");
        Some(Self::invalid(VALIDATION, message))
    }

    fn violation(&self) -> Option<&str> {
        self.message.strip_prefix(ONE_VIOLATION)
    }
}

/// AWS's code for a parameter that is not what it should be.
const VALIDATION: &str = "ValidationError";
const ONE_VIOLATION: &str = "1 validation error detected: ";
/// The constraint that a parameter which is missing breaks.
pub(crate) const NOT_NULL: &str = "Member must not be null";

impl From<Denied> for AwsError {
    fn from(denied: Denied) -> Self {
        Self::new(403, "AccessDenied", denied.sentence)
    }
}

impl From<StoreError> for AwsError {
    fn from(error: StoreError) -> Self {
        Self::new(500, "InternalFailure", error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_are_named_together_and_other_errors_one_by_one() {
        let short = AwsError::validation("a", Some("x"), "Member must be longer");
        let gone = AwsError::validation("b", None, NOT_NULL);
        let both = AwsError::together([short.clone(), gone.clone()]).unwrap();
        assert_eq!(
            both.message,
            "2 validation errors detected: Value 'x' at 'a' failed to satisfy constraint: Member \
             must be longer; Value null at 'b' failed to satisfy constraint: Member must not be null"
        );
        let other = AwsError::invalid("Other", "other");
        assert_eq!(
            AwsError::together([other.clone(), gone]),
            Some(other.clone())
        );
        assert_eq!(AwsError::together([short.clone(), other]), Some(short));
    }
}
