//! One statement at a time: wildcards, `Not..`, the login, keys that no session
//! has.

use policy::keys::{Presence, in_session, is_carried_but_not_exported, issuer_and_claim};
use policy::{ActionElement, Effect, ResourceElement};
use terraform::PolicyPart;

use super::super::spots;
use super::SeenStatement;
use crate::Rule;
use crate::findings::{Findings, in_words};
use crate::permissions::{ECR_ACTIONS, Level, NEEDED, TOKEN};
use crate::wildcards::{has_wildcard, matches};

/// All rules about one statement.
pub(super) fn check(seen: &SeenStatement<'_>, findings: &mut Findings) {
    keys(seen, findings);
    if seen.statement.effect == Effect::Deny {
        return;
    }
    allow_with_not(seen, findings);
    wildcard_actions(seen, findings);
    wildcard_resources(seen, findings);
    token_on_repository(seen, findings);
}

/// The patterns of `Action`.
fn actions<'a>(seen: &SeenStatement<'a>) -> &'a [String] {
    match &seen.statement.action {
        ActionElement::Action(actions) => actions,
        ActionElement::NotAction(_) => &[],
    }
}

/// The patterns of `Resource`.
fn resources<'a>(seen: &SeenStatement<'a>) -> &'a [String] {
    match &seen.statement.resource {
        Some(ResourceElement::Resource(resources)) => resources,
        _ => &[],
    }
}

fn allow_with_not(seen: &SeenStatement<'_>, findings: &mut Findings) {
    let not_action = matches!(&seen.statement.action, ActionElement::NotAction(_));
    let not_resource = matches!(
        &seen.statement.resource,
        Some(ResourceElement::NotResource(_))
    );
    for (is_there, element) in [(not_action, "NotAction"), (not_resource, "NotResource")] {
        if !is_there {
            continue;
        }
        let spot = seen.spot(PolicyPart::Element(seen.index, element));
        let message = format!(
            "{} allows by `{element}`: everything that it does not list, and whatever AWS adds.",
            seen.name()
        );
        findings
            .add(
                Rule::PermissionAllowWithNot,
                seen.policy.address,
                seen.at(spot.as_ref()),
                message,
            )
            .fix = in_words(format!(
            "List what is needed under `{}`.",
            element.trim_start_matches("Not")
        ));
    }
}

/// Whether a pattern of actions covers only what shows or lists things.
fn only_shows(pattern: &str) -> bool {
    let lower = pattern.to_ascii_lowercase();
    let verb = lower.split_once(':').map_or("", |(_, verb)| verb);
    verb.starts_with("describe") || verb.starts_with("list")
}

fn wildcard_actions(seen: &SeenStatement<'_>, findings: &mut Findings) {
    for action in actions(seen) {
        if !has_wildcard(action) || only_shows(action) {
            continue;
        }
        let spot = seen.element_value("Action", action);
        let message = format!("{} allows `{action}`{}.", seen.name(), covered(action));
        let fix = if seen.policy.origin.is_none() {
            format!(
                "Attach a policy of your own that names `{}` on the repository, and `{TOKEN}` on `*`.",
                push_actions().join("`, `")
            )
        } else if action.to_ascii_lowercase().starts_with("ecr:") || action == "*" {
            format!(
                "Name the actions. A push needs `{}`, and `{TOKEN}` on `*`.",
                push_actions().join("`, `")
            )
        } else {
            "Name the actions that are needed.".to_owned()
        };
        findings
            .add(
                Rule::PermissionWildcardAction,
                seen.policy.address,
                seen.at(spot.as_ref()),
                message,
            )
            .fix = in_words(fix);
    }
}

/// What a push needs on the repository.
fn push_actions() -> Vec<&'static str> {
    NEEDED
        .into_iter()
        .filter(|action| *action != TOKEN)
        .collect()
}

/// What a pattern covers that a publish does not need, as the rest of a sentence.
fn covered(pattern: &str) -> String {
    /// As many as fit a sentence.
    const NAMED: usize = 3;
    if pattern == "*" {
        return ": every action of every service".to_owned();
    }
    let lower = pattern.to_ascii_lowercase();
    let unwanted: Vec<&str> = ECR_ACTIONS
        .iter()
        .map(|action| action.name)
        .filter(|name| !NEEDED.contains(name) && !crate::permissions::harmless(name))
        .filter(|name| matches(&lower, &name.to_ascii_lowercase()))
        .collect();
    match unwanted.len() {
        0 => ", and with it whatever AWS adds under that name".to_owned(),
        count if count <= NAMED => format!(", also `{}`", unwanted.join("`, `")),
        count => format!(
            ", also `{}` and {} others that change things",
            unwanted[..NAMED].join("`, `"),
            count - NAMED
        ),
    }
}

/// Actions of other services that can be limited to a resource and that make a
/// difference (Service Authorization Reference). Not a whole list: of what is
/// not here, nothing is said.
const LIMITABLE: [&str; 16] = [
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "ecs:RunTask",
    "ecs:UpdateService",
    "iam:AttachRolePolicy",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "kms:Decrypt",
    "lambda:UpdateFunctionCode",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:PutObject",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
    "ssm:SendCommand",
    "sts:AssumeRole",
];

/// An action that could be limited to one resource, if the statement allows one.
fn limitable(seen: &SeenStatement<'_>) -> Option<String> {
    if let ActionElement::NotAction(_) = &seen.statement.action {
        return Some("what it does not list".to_owned());
    }
    let ecr = ECR_ACTIONS
        .iter()
        .filter(|action| action.level == Level::Repository)
        .map(|action| action.name);
    let known: Vec<&str> = ecr.chain(LIMITABLE).collect();
    actions(seen).iter().find_map(|pattern| {
        let lower = pattern.to_ascii_lowercase();
        known
            .iter()
            .any(|name| matches(&lower, &name.to_ascii_lowercase()))
            .then(|| format!("`{pattern}`"))
    })
}

fn wildcard_resources(seen: &SeenStatement<'_>, findings: &mut Findings) {
    let Some(action) = limitable(seen) else {
        return;
    };
    for resource in resources(seen) {
        let Some(reach) = reach(resource) else {
            continue;
        };
        let spot = seen.element_value("Resource", resource);
        let message = format!(
            "{} allows {action} on `{resource}`, which is {reach}.",
            seen.name()
        );
        let ecr_only = actions(seen).iter().all(|action| {
            action.to_ascii_lowercase().starts_with("ecr:")
                && !matches(&action.to_ascii_lowercase(), &TOKEN.to_ascii_lowercase())
        });
        let fix = match (
            seen.setup.ecr_repositories.as_slice(),
            seen.policy.root,
            &spot,
        ) {
            ([own], Some(root), Some(spot)) if ecr_only => spots::rewrite(
                root,
                spot,
                own,
                format!("Name the repository: `{own}`, best by a reference to its block."),
            ),
            ([own], _, _) => in_words(format!(
                "Name the repository, `{own}`, in a statement of its own; only `{TOKEN}` has no resource and stays on `*`."
            )),
            ([_, ..], _, _) => in_words(format!(
                "Name the repositories, `{}`, in a statement of their own; only `{TOKEN}` has no resource and stays on `*`.",
                seen.setup.ecr_repositories.join("`, `")
            )),
            ([], _, _) => in_words("Name the resource that is meant."),
        };
        findings
            .add(
                Rule::PermissionWildcardResource,
                seen.policy.address,
                seen.at(spot.as_ref()),
                message,
            )
            .fix = fix;
    }
}

/// What a pattern of resources covers, if it is too much.
fn reach(resource: &str) -> Option<&'static str> {
    if matches!(resource, "*" | "arn:*" | "arn:aws:*") {
        return Some("everything");
    }
    let mut parts = resource.splitn(6, ':');
    let service = parts.nth(2)?;
    let rest = parts.nth(2)?;
    if service != "ecr" {
        return (rest == "*").then_some("everything of the service");
    }
    let name = rest.strip_prefix("repository/").unwrap_or(rest);
    let first = name.split('/').next().unwrap_or_default();
    if first == "*" {
        Some("every repository")
    } else {
        has_wildcard(name).then_some("more than one repository")
    }
}

fn token_on_repository(seen: &SeenStatement<'_>, findings: &mut Findings) {
    let Some(action) = actions(seen)
        .iter()
        .find(|action| action.eq_ignore_ascii_case(TOKEN))
    else {
        return;
    };
    let listed = resources(seen);
    if listed.is_empty() || listed.iter().any(|resource| matches(resource, "*")) {
        return;
    }
    let spot = seen.element_value("Action", action);
    let message = format!(
        "{} allows `{TOKEN}` on `{}`, where it has no effect: the login is for the whole registry and has no resource.",
        seen.name(),
        listed.join("`, `")
    );
    let only = actions(seen).len() == 1 && listed.len() == 1;
    let resource = listed
        .first()
        .and_then(|resource| seen.element_value("Resource", resource));
    let summary = format!("Allow `{TOKEN}` on `*`, in a statement of its own.");
    let fix = match (seen.policy.root, resource) {
        (Some(root), Some(resource)) if only => spots::rewrite(root, &resource, "*", summary),
        _ => in_words(summary),
    };
    findings
        .add(
            Rule::PermissionTokenOnRepository,
            seen.policy.address,
            seen.at(spot.as_ref()),
            message,
        )
        .fix = fix;
}

/// Conditions on what is in no session.
fn keys(seen: &SeenStatement<'_>, findings: &mut Findings) {
    for condition in &seen.statement.conditions {
        let key = &condition.key;
        if in_session(key) != Presence::Never {
            continue;
        }
        let (operator, index) = (&condition.operator_name, seen.index);
        let spot = seen.spot(PolicyPart::Key(index, operator, key));
        let why = match issuer_and_claim(key) {
            Some((_, claim)) if is_carried_but_not_exported(claim) => {
                "AWS does not export that claim at all"
            }
            Some(_) => "of GitHub's claims a session keeps only `aud` and `sub`",
            None => "sessions of a role do not have it",
        };
        let message = format!(
            "{} tests `{key}`, which is never there: {why}.",
            seen.name()
        );
        let fix = match issuer_and_claim(key) {
            Some((issuer, _)) => {
                format!("Test the claim in the trust policy, or compare `{issuer}:sub` here.")
            }
            None => "Take the condition out, or compare a key that a session has.".to_owned(),
        };
        findings
            .add(
                Rule::PermissionKeyNeverFilled,
                seen.policy.address,
                seen.at(spot.as_ref()),
                message,
            )
            .fix = in_words(fix);
    }
}
