//! What roles used, against what their policies allow.
//!
//! The calls come from a trail that notes every permission that was asked for,
//! with the statements that gave it.

mod allowed;
mod sample;
mod smallest;

use std::collections::BTreeMap;

use jiff::Timestamp;
use receipts::{DeniedPermission, RoleUsage, UsageReport, UsedPermission};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What roles did and may do.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Activity {
    /// Every role that there is, with its policies.
    pub roles: Vec<RolePolicies>,
    /// What sessions of roles asked for, counted.
    pub calls: Vec<Calls>,
}

/// A role and its policies.
#[derive(Debug, Clone, Deserialize)]
pub struct RolePolicies {
    /// ARN.
    pub role: String,
    /// Identity policies.
    pub policies: Vec<Policy>,
}

/// A policy as it is written.
#[derive(Debug, Clone, Deserialize)]
pub struct Policy {
    /// Name or ARN.
    pub name: String,
    /// The document.
    pub document: String,
}

/// Calls that were decided alike.
#[derive(Debug, Clone, Deserialize)]
pub struct Calls {
    /// ARN of the role.
    pub role: String,
    /// Such as `ecr:PutImage`.
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
    /// The answer.
    pub outcome: Outcome,
    /// The statements of identity policies that allow it, where one is needed.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// Why it is denied.
    pub reason: Option<String>,
    /// How often.
    pub count: u64,
    /// When last.
    pub last: Timestamp,
}

/// An answer of the policy engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Some policy allows it.
    Allowed,
    /// A policy denies it.
    ExplicitlyDenied,
    /// No policy allows it.
    ImplicitlyDenied,
}

/// A statement that allows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Grant {
    /// Name or ARN of its policy.
    pub policy: String,
    /// Its `Sid`, or `Statement[0]` by position.
    pub statement: String,
    /// Its conditions: values by key by operator.
    #[serde(default)]
    pub conditions: Map<String, Value>,
}

/// The usage of every role that exists or called, in the order of their ARNs.
/// `since` is what the calls were chosen by.
pub fn usage(activity: &Activity, since: Option<Timestamp>) -> UsageReport {
    let mut roles: BTreeMap<&str, &[Policy]> = BTreeMap::new();
    for calls in &activity.calls {
        roles.insert(&calls.role, &[]);
    }
    for role in &activity.roles {
        roles.insert(&role.role, &role.policies);
    }
    UsageReport {
        since: since.map(|since| since.to_string()),
        roles: roles
            .into_iter()
            .map(|(role, policies)| of_role(role, policies, &activity.calls))
            .collect(),
    }
}

fn of_role(role: &str, policies: &[Policy], calls: &[Calls]) -> RoleUsage {
    let own: Vec<&Calls> = calls.iter().filter(|calls| calls.role == role).collect();
    let (allowed, denied): (Vec<&Calls>, Vec<&Calls>) = own
        .into_iter()
        .partition(|calls| calls.outcome == Outcome::Allowed);
    let (unused, unreadable) = allowed::unused(policies, &allowed);
    RoleUsage {
        role: role.to_owned(),
        used: used(&allowed),
        unused,
        denied: refused(&denied),
        unreadable,
        smallest_policy: smallest::policy(&allowed),
    }
}

fn used(allowed: &[&Calls]) -> Vec<UsedPermission> {
    let mut used: BTreeMap<(&str, &str), UsedPermission> = BTreeMap::new();
    for calls in allowed {
        let permission = used
            .entry((&calls.action, &calls.resource))
            .or_insert_with(|| UsedPermission {
                action: calls.action.clone(),
                resource: calls.resource.clone(),
                count: 0,
                last: String::new(),
                allowed_by: Vec::new(),
            });
        permission.count += calls.count;
        permission.last = permission.last.clone().max(calls.last.to_string());
        for grant in &calls.grants {
            let statement = format!("{}: {}", grant.policy, grant.statement);
            if !permission.allowed_by.contains(&statement) {
                permission.allowed_by.push(statement);
            }
        }
    }
    used.into_values().collect()
}

fn refused(denied: &[&Calls]) -> Vec<DeniedPermission> {
    let mut refused: BTreeMap<(&str, &str, &str), DeniedPermission> = BTreeMap::new();
    for calls in denied {
        let reason = calls.reason.as_deref().unwrap_or_default();
        let permission = refused
            .entry((&calls.action, &calls.resource, reason))
            .or_insert_with(|| DeniedPermission {
                action: calls.action.clone(),
                resource: calls.resource.clone(),
                count: 0,
                last: String::new(),
                reason: reason.to_owned(),
            });
        permission.count += calls.count;
        permission.last = permission.last.clone().max(calls.last.to_string());
    }
    refused.into_values().collect()
}

#[cfg(test)]
mod tests;
