//! The smallest policy document that would have sufficed: every action and
//! resource that an identity policy had to allow, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::sample::covers;
use super::{Calls, Grant};

/// An action on a resource under conditions, which are kept as text so that they
/// compare.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Permission {
    action: String,
    resource: String,
    /// Empty for none.
    conditions: String,
}

/// The document; `None` where nothing needed an identity policy.
pub(super) fn policy(allowed: &[&Calls]) -> Option<Value> {
    let needed = needed(allowed);
    let permissions = irredundant(&needed);
    if permissions.is_empty() {
        return None;
    }
    // Resources with the same actions under the same conditions share a statement.
    let mut actions: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for permission in &permissions {
        actions
            .entry((&permission.conditions, &permission.resource))
            .or_default()
            .insert(&permission.action);
    }
    let mut resources: BTreeMap<(&str, BTreeSet<&str>), BTreeSet<&str>> = BTreeMap::new();
    for ((conditions, resource), actions) in actions {
        resources
            .entry((conditions, actions))
            .or_default()
            .insert(resource);
    }
    let statements: Vec<Value> = resources
        .into_iter()
        .map(|((conditions, actions), resources)| statement(conditions, &actions, &resources))
        .collect();
    Some(json!({ "Version": "2012-10-17", "Statement": statements }))
}

fn statement(conditions: &str, actions: &BTreeSet<&str>, resources: &BTreeSet<&str>) -> Value {
    let mut statement = json!({
        "Effect": "Allow",
        "Action": one_or_many(actions),
        "Resource": one_or_many(resources),
    });
    if !conditions.is_empty() {
        statement["Condition"] = serde_json::from_str(conditions).unwrap_or_default();
    }
    statement
}

/// As Terraform's `aws_iam_policy_document` writes lists.
fn one_or_many(texts: &BTreeSet<&str>) -> Value {
    match texts.first() {
        Some(one) if texts.len() == 1 => json!(one),
        _ => json!(texts),
    }
}

/// What the calls needed, each under the fewest conditions.
fn needed(allowed: &[&Calls]) -> BTreeSet<Permission> {
    // By action and resource: for each kind of call, the conditions under which
    // it was allowed.
    let mut kinds: BTreeMap<(&str, &str), BTreeSet<BTreeSet<String>>> = BTreeMap::new();
    for calls in allowed.iter().filter(|calls| !calls.grants.is_empty()) {
        let conditions = calls.grants.iter().map(conditions).collect();
        kinds
            .entry((&calls.action, &calls.resource))
            .or_default()
            .insert(conditions);
    }
    let mut permissions = BTreeSet::new();
    for ((action, resource), kinds) in kinds {
        for conditions in fewest(&kinds) {
            permissions.insert(Permission {
                action: action.to_owned(),
                resource: resource.to_owned(),
                conditions,
            });
        }
    }
    permissions
}

/// The conditions as text, with sorted names: empty where there are none.
fn conditions(grant: &Grant) -> String {
    if grant.conditions.is_empty() {
        return String::new();
    }
    let sorted: BTreeMap<&String, BTreeMap<&String, &Value>> = grant
        .conditions
        .iter()
        .map(|(operator, keys)| {
            let keys = keys.as_object().into_iter().flat_map(Map::iter);
            (operator, keys.collect())
        })
        .collect();
    json!(sorted).to_string()
}

/// The fewest conditions that allow every kind of call. None at all where every
/// kind, or a kind that nothing else allows, was allowed without.
fn fewest(kinds: &BTreeSet<BTreeSet<String>>) -> BTreeSet<String> {
    let in_all = |candidate: &&String| kinds.iter().all(|kind| kind.contains(*candidate));
    let first = kinds.iter().flatten().filter(in_all).min();
    if let Some(one) = first {
        return BTreeSet::from([one.clone()]);
    }
    if kinds.iter().any(|kind| kind.contains("")) {
        return BTreeSet::from([String::new()]);
    }
    // Each time those that allow most of what is left, the first of equals; then
    // without those that the later ones made needless.
    let mut left: Vec<&BTreeSet<String>> = kinds.iter().collect();
    let mut chosen: BTreeSet<String> = BTreeSet::new();
    while !left.is_empty() {
        let counted =
            |candidate: &String| left.iter().filter(|kind| kind.contains(candidate)).count();
        let candidates: BTreeSet<&String> = left.iter().copied().flatten().collect();
        let best = candidates
            .into_iter()
            .rev()
            .max_by_key(|candidate| counted(candidate))
            .cloned();
        let Some(best) = best else { break };
        left.retain(|kind| !kind.contains(&best));
        chosen.insert(best);
    }
    for candidate in chosen.clone() {
        let others: BTreeSet<&String> =
            chosen.iter().filter(|other| **other != candidate).collect();
        let is_needless = kinds
            .iter()
            .all(|kind| others.iter().any(|other| kind.contains(*other)));
        if is_needless {
            chosen.remove(&candidate);
        }
    }
    chosen
}

/// Without what another permission allows already: `repository/*`, which the
/// list of all repositories needs, covers each of them.
fn irredundant(permissions: &BTreeSet<Permission>) -> Vec<&Permission> {
    let is_covered = |permission: &Permission| {
        permissions.iter().any(|other| {
            other != permission
                && other.action == permission.action
                && (other.conditions.is_empty() || other.conditions == permission.conditions)
                && covers(
                    &json!({ "Action": other.action, "Resource": other.resource }),
                    &permission.action,
                    &permission.resource,
                )
        })
    };
    permissions
        .iter()
        .filter(|permission| !is_covered(permission))
        .collect()
}
