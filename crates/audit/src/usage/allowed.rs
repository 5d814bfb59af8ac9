//! What policies allow and nobody used, statement by statement, pattern by
//! pattern.

use policy::{ActionElement, Document, Effect, ResourceElement, Statement};
use receipts::UnusedPermission;
use serde_json::{Map, Value, json};

use super::sample::{covers, without_variables};
use super::{Calls, Policy};
use crate::permissions::{ECR_ACTIONS, Level};

/// What nobody used, and the policies that cannot be read.
pub(super) fn unused(
    policies: &[Policy],
    allowed: &[&Calls],
) -> (Vec<UnusedPermission>, Vec<String>) {
    let (mut unused, mut unreadable) = (Vec::new(), Vec::new());
    for policy in policies {
        match Document::parse(&policy.document) {
            Ok(document) => {
                let statements = document.statements.iter().enumerate();
                for (index, statement) in statements {
                    let seen = Seen {
                        policy,
                        label: label(statement, index),
                        conditions: conditions(statement),
                        allowed,
                    };
                    unused.extend(seen.unused(statement));
                }
            }
            Err(error) => unreadable.push(format!("{}: {error}", policy.name)),
        }
    }
    (unused, unreadable)
}

fn label(statement: &Statement, index: usize) -> String {
    let sid = statement.sid.clone();
    sid.unwrap_or_else(|| format!("Statement[{index}]"))
}

/// The conditions as the trail notes them.
fn conditions(statement: &Statement) -> Map<String, Value> {
    let mut all = Map::new();
    for condition in &statement.conditions {
        let keys = all
            .entry(condition.operator_name.clone())
            .or_insert_with(|| json!({}));
        keys[&condition.key] = json!(condition.values);
    }
    all
}

/// A statement and what was used.
struct Seen<'a> {
    policy: &'a Policy,
    label: String,
    conditions: Map<String, Value>,
    allowed: &'a [&'a Calls],
}

impl Seen<'_> {
    fn unused(&self, statement: &Statement) -> Vec<UnusedPermission> {
        if statement.effect == Effect::Deny {
            return Vec::new();
        }
        let mut unused = Vec::new();
        for (action, action_element) in actions(&statement.action) {
            for (resource, resource_element) in resources(statement.resource.as_ref()) {
                let mut elements = action_element.clone();
                elements.extend(resource_element);
                let never = self.never(&action, &Value::from(elements));
                if !never.is_empty() {
                    unused.push(UnusedPermission {
                        policy: self.policy.name.clone(),
                        statement: self.label.clone(),
                        action: action.clone(),
                        resource,
                        never,
                    });
                }
            }
        }
        unused
    }

    /// The actions under the pattern `action` that nobody used through these
    /// elements.
    fn never(&self, action: &str, elements: &Value) -> Vec<String> {
        let used: Vec<&str> = self
            .allowed
            .iter()
            .filter(|calls| self.gave(calls) && covers(elements, &calls.action, &calls.resource))
            .map(|calls| calls.action.as_str())
            .collect();
        let is_used = |name: &str| used.iter().any(|used| used.eq_ignore_ascii_case(name));
        if !is_pattern(action) {
            let never = Some(action.to_owned()).filter(|_| used.is_empty());
            return never.into_iter().collect();
        }
        // A policy gives the actions of the registry with `*` only.
        let known = ECR_ACTIONS.iter().filter(|known| match known.level {
            Level::Registry => covers(elements, known.name, "*"),
            Level::Repository => covers_some(elements, known.name),
        });
        let mut never: Vec<String> = known
            .map(|known| known.name.to_owned())
            .filter(|name| !is_used(name))
            .collect();
        let is_of_ecr = action.to_ascii_lowercase().starts_with("ecr:");
        let has_others = used.iter().any(|used| !used.starts_with("ecr:"));
        if !is_of_ecr && !has_others {
            never.push(action.to_owned());
        }
        never
    }

    /// Whether a statement like this one allowed the calls.
    fn gave(&self, calls: &Calls) -> bool {
        calls
            .grants
            .iter()
            .any(|grant| grant.policy == self.policy.name && grant.conditions == self.conditions)
    }
}

/// Whether the elements allow `action` on anything: on their own resource, as
/// far as that is one.
fn covers_some(elements: &Value, action: &str) -> bool {
    let resource = elements["Resource"].as_str().unwrap_or("*");
    covers(elements, action, resource)
}

fn is_pattern(action: &str) -> bool {
    action.contains(['*', '?']) || action.starts_with("NotAction")
}

/// Each action as it is shown, and as an element of its own.
fn actions(element: &ActionElement) -> Vec<(String, Map<String, Value>)> {
    match element {
        ActionElement::Action(actions) => actions
            .iter()
            .map(|action| (action.clone(), member("Action", json!(action))))
            .collect(),
        ActionElement::NotAction(actions) => {
            let shown = format!("NotAction {}", actions.join(", "));
            vec![(shown, member("NotAction", json!(actions)))]
        }
    }
}

/// Each resource as it is shown, and as an element of its own.
fn resources(element: Option<&ResourceElement>) -> Vec<(String, Map<String, Value>)> {
    match element {
        None => vec![("*".to_owned(), member("Resource", json!("*")))],
        Some(ResourceElement::Resource(resources)) => resources
            .iter()
            .map(|resource| {
                let pattern = json!(without_variables(resource));
                (resource.clone(), member("Resource", pattern))
            })
            .collect(),
        Some(ResourceElement::NotResource(resources)) => {
            let shown = format!("NotResource {}", resources.join(", "));
            vec![(shown, member("NotResource", json!(resources)))]
        }
    }
}

fn member(name: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value)])
}
