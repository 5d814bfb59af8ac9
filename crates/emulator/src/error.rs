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

    /// A parameter breaks its constraint (IAM and STS API Reference, "Common
    /// Errors": `ValidationError`).
    pub(crate) fn validation(name: &str, constraint: &str) -> Self {
        Self::invalid(
            "ValidationError",
            format!(
                "1 validation error detected: Value at '{name}' failed to satisfy constraint: {constraint}"
            ),
        )
    }
}

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
