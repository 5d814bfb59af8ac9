//! Rules that IAM enforces when a policy is written, by kind of policy.
//!
//! The messages of the structural rules are IAM's as users quote them; that of
//! the subject rule is ours, because AWS's text is not published.

use std::collections::HashSet;

use serde::Serialize;

use crate::condition::Family;
use crate::document::{
    ActionElement, Document, Effect, PrincipalElement, PrincipalSet, PrincipalType,
    ResourceElement, Statement,
};
use crate::keys::GITHUB_ISSUER;

/// Something for which IAM answers `MalformedPolicyDocument`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is wrong.
    pub message: String,
    /// `Sid`, or `Statement[0]` by position.
    pub statement: String,
}

/// What IAM rejects in a trust policy at `CreateRole` and
/// `UpdateAssumeRolePolicy`. Roles written before a rule came into force keep
/// working, which is why evaluation does not ask for it.
pub fn validate_trust(document: &Document) -> Vec<Finding> {
    findings(document, |statement| {
        let mut messages = Vec::new();
        match &statement.principal {
            None => messages.push("Missing required field Principal".to_owned()),
            Some(PrincipalElement::NotPrincipal(_)) => {
                messages.push("Has prohibited field NotPrincipal".to_owned());
            }
            Some(PrincipalElement::Principal(set)) => {
                messages.extend(partial_wildcards(set));
                messages.extend(unbound_github_issuers(statement, set));
            }
        }
        if statement.resource.is_some() {
            messages.push("Has prohibited field Resource".to_owned());
        }
        if !only_sts(&statement.action) {
            messages.push("AssumeRole policy may only specify STS AssumeRole actions.".to_owned());
        }
        messages
    })
}

/// What IAM rejects in an identity policy.
pub fn validate_identity(document: &Document) -> Vec<Finding> {
    findings(document, |statement| {
        let mut messages = Vec::new();
        if statement.principal.is_some() {
            messages.push("Policy document should not specify a principal.".to_owned());
        }
        match &statement.resource {
            None => messages.push("Policy statement must contain resources.".to_owned()),
            Some(
                ResourceElement::Resource(resources) | ResourceElement::NotResource(resources),
            ) => messages.extend(
                resources
                    .iter()
                    .filter(|resource| *resource != "*" && !resource.starts_with("arn:"))
                    .map(|resource| format!("Resource {resource} must be in ARN format or \"*\".")),
            ),
        }
        let (ActionElement::Action(actions) | ActionElement::NotAction(actions)) =
            &statement.action;
        if actions
            .iter()
            .any(|action| action != "*" && !action.contains(':'))
        {
            messages.push(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
                    .to_owned(),
            );
        }
        messages
    })
}

fn findings(document: &Document, check: fn(&Statement) -> Vec<String>) -> Vec<Finding> {
    let mut sids = HashSet::new();
    let mut findings = Vec::new();
    for (index, statement) in document.statements.iter().enumerate() {
        let mut messages = check(statement);
        if let Some(sid) = &statement.sid
            && !sids.insert(sid)
        {
            messages.push("Statement IDs (SID) in a single policy must be unique.".to_owned());
        }
        findings.extend(messages.into_iter().map(|message| Finding {
            message,
            statement: statement.label(index),
        }));
    }
    findings
}

fn only_sts(element: &ActionElement) -> bool {
    match element {
        ActionElement::Action(actions) => actions
            .iter()
            .all(|action| action.to_ascii_lowercase().starts_with("sts:")),
        ActionElement::NotAction(_) => false,
    }
}

/// A principal is exact or `*`; a wildcard inside an ARN is refused.
fn partial_wildcards(set: &PrincipalSet) -> Vec<String> {
    entries(set, PrincipalType::Aws)
        .filter(|value| *value != "*" && value.contains(['*', '?']))
        .map(|value| format!("Invalid principal in policy: \"AWS\":\"{value}\""))
        .collect()
}

/// GitHub's issuer serves everyone's workflows, so an Allow for it must bind
/// `:sub` to something that is not only wildcards (IAM User Guide, "Identity
/// provider controls for shared OIDC providers"). Which operators count is not
/// published; inferred: any that compares values.
fn unbound_github_issuers(statement: &Statement, set: &PrincipalSet) -> Vec<String> {
    if statement.effect == Effect::Deny {
        return Vec::new();
    }
    entries(set, PrincipalType::Federated)
        .filter_map(|arn| arn.split_once(":oidc-provider/"))
        .map(|(_, issuer)| issuer)
        .filter(|issuer| is_github(issuer))
        .map(|issuer| format!("{issuer}:sub"))
        .filter(|key| !binds(statement, key))
        .map(|key| {
            format!(
                "the condition must compare {key} with a value that is not only wildcards, \
                 because the issuer is shared by all its users"
            )
        })
        .collect()
}

fn is_github(issuer: &str) -> bool {
    issuer
        .strip_prefix(GITHUB_ISSUER)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn binds(statement: &Statement, key: &str) -> bool {
    statement.conditions.iter().any(|condition| {
        condition.key.eq_ignore_ascii_case(key)
            && condition.operator.comparison.family != Family::Null
            && !condition.values.is_empty()
            && condition
                .values
                .iter()
                .all(|value| value.contains(|char| !matches!(char, '*' | '?')))
    })
}

fn entries(set: &PrincipalSet, kind: PrincipalType) -> impl Iterator<Item = &str> {
    let listed: &[_] = match set {
        PrincipalSet::Everyone => &[],
        PrincipalSet::Listed(entries) => entries,
    };
    listed
        .iter()
        .filter(move |entry| entry.kind == kind)
        .map(|entry| entry.value.as_str())
}
