//! What `longshore emulator usage` answers.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// What roles used of what they may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UsageReport {
    /// Only calls from this time on were counted; `None` for all that are kept.
    pub since: Option<String>,
    /// By ARN.
    pub roles: Vec<RoleUsage>,
}

/// One role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RoleUsage {
    /// ARN of the role.
    pub role: String,
    /// What its sessions were allowed and did.
    pub used: Vec<UsedPermission>,
    /// What its policies allow and nobody did.
    pub unused: Vec<UnusedPermission>,
    /// What its sessions tried in vain.
    pub denied: Vec<DeniedPermission>,
    /// Policies that cannot be read, with the reason.
    pub unreadable: Vec<String>,
    /// The smallest policy document that would have sufficed; `None` where none
    /// was needed.
    pub smallest_policy: Option<Value>,
}

/// A permission that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UsedPermission {
    /// Such as `ecr:PutImage`.
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
    /// How often.
    pub count: u64,
    /// When last, in UTC.
    pub last: String,
    /// The statements of the role's policies that allow it, `push: Statement[0]`.
    /// None where the resource's own policy allows it.
    pub allowed_by: Vec<String>,
}

/// A permission that was never used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnusedPermission {
    /// Name or ARN of the policy that gives it.
    pub policy: String,
    /// `Sid` of the statement, or `Statement[0]` by position.
    pub statement: String,
    /// The action as the policy writes it.
    pub action: String,
    /// The resource as the policy writes it.
    pub resource: String,
    /// What of it was never used: the actions of ECR that a pattern covers, and
    /// the pattern itself where it covers other services too.
    pub never: Vec<String>,
}

/// A permission that was asked for in vain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeniedPermission {
    /// Such as `ecr:PutImage`.
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
    /// How often.
    pub count: u64,
    /// When last, in UTC.
    pub last: String,
    /// Why, which AWS does not say.
    pub reason: String,
}
