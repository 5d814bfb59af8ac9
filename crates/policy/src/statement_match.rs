//! One statement against one request.
//!
//! A statement applies when its principal, action, resource and every condition
//! match. All of them are always looked at, so that a report shows everything
//! that stands in the way.

use std::borrow::Cow;

use crate::condition;
use crate::decision::{Mismatch, StatementReport};
use crate::document::{ActionElement, ResourceElement, Statement};
use crate::matching::{Pattern, expand, resource_matches};
use crate::principal_match::{self, Directness};
use crate::{Context, NamedPolicy, PolicyKind, Request, Version};

/// A statement's report, with what the evaluation order needs beside it.
pub(crate) struct Judged {
    pub(crate) report: StatementReport,
    /// How directly a principal element named the caller.
    pub(crate) directness: Option<Directness>,
}

impl Judged {
    /// Whether the statement applies.
    pub(crate) fn applies(&self) -> bool {
        self.report.mismatches.is_empty()
    }
}

/// A request with the condition keys that follow from it.
pub(crate) struct Asked<'a> {
    pub(crate) request: &'a Request,
    pub(crate) context: Context,
    /// Whether a permissions boundary limits the caller.
    pub(crate) has_boundary: bool,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(request: &'a Request) -> Self {
        Self {
            request,
            context: request.complete_context(),
            has_boundary: false,
        }
    }
}

/// Judges every statement of a policy.
pub(crate) fn judge(asked: &Asked, kind: PolicyKind, policy: &NamedPolicy) -> Vec<Judged> {
    let version = policy.document.version;
    policy
        .document
        .statements
        .iter()
        .enumerate()
        .map(|(index, statement)| {
            let mut mismatches = Vec::new();
            let directness = match names_caller(kind, statement, asked) {
                Ok(directness) => directness,
                Err(mismatch) => {
                    mismatches.push(mismatch);
                    None
                }
            };
            mismatches.extend(action_mismatch(&statement.action, &asked.request.action));
            mismatches.extend(resource_mismatch(kind, statement, version, asked));
            mismatches.extend(condition_mismatches(statement, version, &asked.context));
            Judged {
                report: StatementReport {
                    kind,
                    policy: policy.name.clone(),
                    statement: statement.label(index),
                    index,
                    effect: statement.effect,
                    mismatches,
                },
                directness,
            }
        })
        .collect()
}

/// Only policies that stand at the resource have a principal element; the
/// others apply to whoever they are attached to.
fn names_caller(
    kind: PolicyKind,
    statement: &Statement,
    asked: &Asked,
) -> Result<Option<Directness>, Mismatch> {
    match kind {
        PolicyKind::Resource | PolicyKind::ResourceControl | PolicyKind::Trust => {}
        _ => return Ok(None),
    }
    let caller = &asked.request.principal;
    let (element, wanted) = match &statement.principal {
        Some(element) => {
            let found =
                principal_match::matches(element, statement.effect, caller, asked.has_boundary);
            if let Some(directness) = found {
                return Ok(Some(directness));
            }
            principal_match::listed(element)
        }
        None => ("Principal", Vec::new()),
    };
    Err(Mismatch::Principal {
        element,
        seen: caller.display_name(),
        wanted,
    })
}

fn action_mismatch(element: &ActionElement, action: &str) -> Option<Mismatch> {
    let (name, listed, negated) = match element {
        ActionElement::Action(listed) => ("Action", listed, false),
        ActionElement::NotAction(listed) => ("NotAction", listed, true),
    };
    let lower = action.to_ascii_lowercase();
    let found = listed
        .iter()
        .any(|pattern| Pattern::new(&pattern.to_ascii_lowercase()).matches(&lower));
    (found == negated).then(|| Mismatch::Action {
        element: name,
        seen: action.to_owned(),
        wanted: listed.clone(),
    })
}

fn resource_mismatch(
    kind: PolicyKind,
    statement: &Statement,
    version: Version,
    asked: &Asked,
) -> Option<Mismatch> {
    let resource = &asked.request.resource;
    let mismatch = |element, wanted: &[String]| Mismatch::Resource {
        element,
        seen: resource.clone(),
        wanted: wanted.to_vec(),
    };
    let (name, listed, negated) = match &statement.resource {
        Some(ResourceElement::Resource(listed)) => ("Resource", listed, false),
        Some(ResourceElement::NotResource(listed)) => ("NotResource", listed, true),
        // A trust policy and the policy of an ECR repository speak of the thing
        // they are attached to.
        None if matches!(kind, PolicyKind::Trust | PolicyKind::Resource) => return None,
        None => return Some(mismatch("Resource", &[])),
    };
    let found = listed.iter().any(|pattern| {
        resource_covers(&completed(pattern, kind), version, &asked.context, resource)
    });
    // A pattern whose variable has no value covers nothing (IAM User Guide,
    // "Policy variables with no value"), so a `NotResource` excludes nothing.
    (found == negated).then(|| mismatch(name, listed))
}

/// An incomplete ARN of an identity policy stands for every value of the parts
/// it lacks (IAM User Guide, "Grammar of the IAM JSON policy language"). Session
/// policies may not have any; for the other kinds nothing is documented, and
/// they cover nothing (inferred). Where a star at the end of a part runs over
/// the parts that follow, nothing is lacking (inferred).
fn completed(pattern: &str, kind: PolicyKind) -> Cow<'_, str> {
    let missing = 5_usize.saturating_sub(pattern.matches(':').count());
    let identity = matches!(kind, PolicyKind::Identity | PolicyKind::PermissionsBoundary);
    let runs_over = || pattern.split(':').any(|part| part.ends_with('*'));
    if identity && missing > 0 && pattern.starts_with("arn:") && !runs_over() {
        return Cow::Owned(format!("{pattern}{}", ":*".repeat(missing)));
    }
    Cow::Borrowed(pattern)
}

/// Variables count only behind the fifth colon (IAM User Guide, "Variables and
/// tags"); before it, and in a resource that is no ARN, `${..}` is plain text.
fn resource_covers(pattern: &str, version: Version, context: &Context, resource: &str) -> bool {
    let own_part = pattern
        .match_indices(':')
        .nth(4)
        .map_or(pattern.len(), |(at, _)| at + 1);
    let (head, tail) = pattern.split_at(own_part);
    let Some(tail) = expand(tail, version, context) else {
        return false;
    };
    let mut whole = Pattern::new(head);
    whole.append(tail.pattern);
    resource_matches(&whole, resource)
}

fn condition_mismatches(
    statement: &Statement,
    version: Version,
    context: &Context,
) -> Vec<Mismatch> {
    statement
        .conditions
        .iter()
        .filter(|condition| !condition::holds(condition, version, context))
        .map(|condition| Mismatch::Condition {
            operator: condition.operator_name.clone(),
            key: condition.key.clone(),
            seen: context.get(&condition.key).map(<[String]>::to_vec),
            wanted: condition.values.clone(),
        })
        .collect()
}
