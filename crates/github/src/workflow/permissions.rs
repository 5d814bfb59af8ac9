//! The `permissions` key.

use std::collections::BTreeMap;

use super::WorkflowError;
use super::node::{Content, Node};

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

    /// Whether a job with these can ask GitHub for an identity.
    pub fn give_identity(&self) -> bool {
        self.of("id-token") == Access::Write
    }

    pub(super) fn read(node: &Node) -> Result<Self, WorkflowError> {
        match &node.content {
            Content::Text(text) if text == "read-all" => Ok(Self::ReadAll),
            Content::Text(text) if text == "write-all" => Ok(Self::WriteAll),
            Content::Map(fields) => fields
                .iter()
                .map(|(scope, access)| Ok((scope.value.clone(), access_of(scope, access)?)))
                .collect::<Result<_, _>>()
                .map(Self::Scopes),
            _ => {
                Err(node.wrong("`permissions` must be `read-all`, `write-all` or a map of scopes"))
            }
        }
    }
}

fn access_of(scope: &str, access: &Node) -> Result<Access, WorkflowError> {
    match access.scalar().as_deref() {
        Some("none") => Ok(Access::None),
        Some("read") => Ok(Access::Read),
        Some("write") => Ok(Access::Write),
        _ => Err(access.wrong(format!(
            "permission `{scope}` must be `read`, `write` or `none`"
        ))),
    }
}
