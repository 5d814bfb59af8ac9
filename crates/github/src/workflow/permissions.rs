//! The `permissions` key.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// How far a scope reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Not at all.
    None,
    /// Reading.
    Read,
    /// Reading and writing; for `id-token`, asking for an identity.
    Write,
}

/// What a job's token may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permissions {
    /// `read-all`.
    ReadAll,
    /// `write-all`.
    WriteAll,
    /// Scope by scope; what is not named is none.
    Scopes(BTreeMap<String, Access>),
}

impl Permissions {
    /// The access to `scope`.
    pub fn of(&self, scope: &str) -> Access {
        match self {
            Self::ReadAll => Access::Read,
            Self::WriteAll => Access::Write,
            Self::Scopes(scopes) => scopes.get(scope).copied().unwrap_or(Access::None),
        }
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;

        match Value::deserialize(deserializer)? {
            Value::String(text) if text == "read-all" => Ok(Self::ReadAll),
            Value::String(text) if text == "write-all" => Ok(Self::WriteAll),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(scope, access)| {
                    let access = match access.as_str() {
                        Some("none") => Access::None,
                        Some("read") => Access::Read,
                        Some("write") => Access::Write,
                        _ => {
                            return Err(D::Error::custom(format!(
                                "permission `{scope}` must be `read`, `write` or `none`"
                            )));
                        }
                    };
                    Ok((scope, access))
                })
                .collect::<Result<_, _>>()
                .map(Self::Scopes),
            _ => Err(D::Error::custom(
                "permissions must be `read-all`, `write-all` or a map of scopes",
            )),
        }
    }
}
