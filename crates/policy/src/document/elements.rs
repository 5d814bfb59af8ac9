//! The elements of a statement.

use serde::Serialize;

use crate::condition::Operator;

/// What a matching statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Allows, unless something denies.
    Allow,
    /// Denies, whatever allows.
    Deny,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Statement id.
    pub sid: Option<String>,
    /// Allow or deny.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`; absent in identity policies.
    pub principal: Option<PrincipalElement>,
    /// `Action` or `NotAction`.
    pub action: ActionElement,
    /// `Resource` or `NotResource`; absent in trust policies and in policies
    /// of ECR repositories.
    pub resource: Option<ResourceElement>,
    /// Conditions, one per operator and key; all must hold.
    pub conditions: Vec<Condition>,
}

impl Statement {
    /// `Sid`, or `Statement[0]` for the statement at that index.
    pub(crate) fn label(&self, index: usize) -> String {
        self.sid
            .clone()
            .unwrap_or_else(|| format!("Statement[{index}]"))
    }
}

/// `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalElement {
    /// The listed principals.
    Principal(PrincipalSet),
    /// Everyone but the listed principals.
    NotPrincipal(PrincipalSet),
}

/// The value of a principal element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalSet {
    /// `"*"`.
    Everyone,
    /// `{"AWS": .., "Federated": ..}`, flattened in the order written.
    Listed(Vec<PrincipalEntry>),
}

/// One listed principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalEntry {
    /// The name it stands under.
    pub kind: PrincipalType,
    /// ARN, account id, service name, provider or `*`.
    pub value: String,
}

/// The names a principal may stand under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalType {
    /// Accounts, users, roles and role sessions.
    Aws,
    /// Identity providers.
    Federated,
    /// AWS services.
    Service,
    /// S3's canonical users.
    CanonicalUser,
}

/// `Action` or `NotAction`, with patterns as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionElement {
    /// The listed actions.
    Action(Vec<String>),
    /// Every action but the listed ones.
    NotAction(Vec<String>),
}

/// `Resource` or `NotResource`, with patterns as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceElement {
    /// The listed resources.
    Resource(Vec<String>),
    /// Every resource but the listed ones.
    NotResource(Vec<String>),
}

/// One key under one operator, with the values wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The comparison.
    pub operator: Operator,
    /// The operator as written, such as `ForAnyValue:StringLike`.
    pub operator_name: String,
    /// The condition key as written; its case does not matter.
    pub key: String,
    /// Values as text, numbers and booleans included.
    pub values: Vec<String>,
}
