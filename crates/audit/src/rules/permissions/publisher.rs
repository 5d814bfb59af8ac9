//! The role that publishes, against what a publish needs.

use policy::{ActionElement, Effect, ResourceElement};
use receipts::Fix;
use terraform::PolicyPart;

use super::super::spots;
use super::SeenStatement;
use crate::findings::{Findings, in_words, location};
use crate::permissions::{Answer, Asking, Gathered, NEEDED, TOKEN, harmless, needed};
use crate::wildcards::{has_wildcard, matches};
use crate::{Rule, Setup};

/// Both rules.
pub(super) fn check(setup: &Setup, gathered: &Gathered<'_>, findings: &mut Findings) {
    let asking = Asking::new(gathered);
    if let Some(repository) = setup.ecr_repositories.first() {
        missing(setup, (repository, true), gathered, &asking, findings);
    }
    excess(setup, gathered, &asking, findings);
}

/// What a publish to one more repository needs.
pub(super) fn check_other(
    setup: &Setup,
    repository: &str,
    gathered: &Gathered<'_>,
    findings: &mut Findings,
) {
    let asking = Asking::new(gathered);
    missing(setup, (repository, false), gathered, &asking, findings);
}

fn missing(
    setup: &Setup,
    (repository, first): (&str, bool),
    gathered: &Gathered<'_>,
    asking: &Asking<'_>,
    findings: &mut Findings,
) {
    let role = gathered.role;
    if gathered.may_allow_more() {
        return;
    }
    let lacking: Vec<&str> = needed(first)
        .filter(|action| {
            let resource = if *action == TOKEN { "*" } else { repository };
            asking.answer(action, resource) == Answer::Denied
        })
        .collect();
    let Some(first) = lacking.first() else {
        return;
    };
    let message = format!(
        "A publish to `{repository}` needs `{}`, and the role `{}` may not.",
        lacking.join("`, `"),
        role.name
    );
    let nearest = nearest(setup, gathered, &lacking);
    let bounded = taken_by_boundary(repository, gathered, &lacking);
    let (subject, place) = match &nearest {
        _ if bounded => (
            role.address.as_str(),
            Some(location(&gathered.boundary_place)),
        ),
        Some(seen) => {
            let element = if lists(seen, first) {
                "Resource"
            } else {
                "Action"
            };
            let spot = seen.spot(PolicyPart::Element(seen.index, element));
            (seen.policy.address, seen.at(spot.as_ref()))
        }
        None => (role.address.as_str(), Some(location(&role.place))),
    };
    let message = if bounded {
        format!("{message} Its policies allow it, and its permissions boundary does not.")
    } else {
        message
    };
    let fix = nearest
        .filter(|_| !bounded)
        .and_then(|seen| completed(&seen, repository, &lacking))
        .or_else(|| in_words(told(repository, &lacking)));
    findings
        .add(Rule::PermissionMissing, subject, place, message)
        .fix = fix;
}

/// Whether the permissions boundary alone stands in the way.
fn taken_by_boundary(repository: &str, gathered: &Gathered<'_>, lacking: &[&str]) -> bool {
    if gathered.boundary.is_none() {
        return false;
    }
    let asking = Asking::new(gathered).unbounded();
    lacking.iter().all(|action| {
        let resource = if *action == TOKEN { "*" } else { repository };
        asking.answer(action, resource) != Answer::Denied
    })
}

/// Whether a statement lists an action by its name.
fn lists(seen: &SeenStatement<'_>, action: &str) -> bool {
    match &seen.statement.action {
        ActionElement::Action(listed) => listed.iter().any(|one| one.eq_ignore_ascii_case(action)),
        ActionElement::NotAction(_) => false,
    }
}

fn told(repository: &str, lacking: &[&str]) -> String {
    let (login, push): (Vec<&str>, Vec<&str>) =
        lacking.iter().partition(|action| **action == TOKEN);
    let mut parts = Vec::new();
    if !push.is_empty() {
        parts.push(format!("`{}` on `{repository}`", push.join("`, `")));
    }
    if !login.is_empty() {
        parts.push(format!("`{TOKEN}` on `*`"));
    }
    format!(
        "Allow {}; a denial or a permissions boundary must not take it away.",
        parts.join(" and ")
    )
}

/// The statement that allows most of what a publish needs.
fn nearest<'a>(
    setup: &'a Setup,
    gathered: &'a Gathered<'a>,
    lacking: &[&str],
) -> Option<SeenStatement<'a>> {
    let mut best: Option<(usize, SeenStatement<'a>)> = None;
    for policy in &gathered.identity {
        let Some(document) = &policy.document else {
            continue;
        };
        for (index, statement) in document.statements.iter().enumerate() {
            let ActionElement::Action(listed) = &statement.action else {
                continue;
            };
            if statement.effect == Effect::Deny {
                continue;
            }
            let lists = |needed: &&&str| listed.iter().any(|one| one.eq_ignore_ascii_case(needed));
            // One that lists what is lacking allows it elsewhere: it is nearer
            // than one that lists the rest.
            let score = NEEDED.iter().filter(lists).count()
                + NEEDED.len() * lacking.iter().filter(lists).count();
            if score > best.as_ref().map_or(0, |(best, _)| *best) {
                let seen = SeenStatement {
                    setup,
                    policy,
                    index,
                    statement,
                };
                best = Some((score, seen));
            }
        }
    }
    best.map(|(_, seen)| seen)
}

/// The statement with the actions that it lacks, where it is already about the
/// repository and has no condition.
fn completed(seen: &SeenStatement<'_>, repository: &str, lacking: &[&str]) -> Option<Fix> {
    let (ActionElement::Action(listed), Some(ResourceElement::Resource(resources))) =
        (&seen.statement.action, &seen.statement.resource)
    else {
        return None;
    };
    let about = resources.iter().any(|one| matches(one, repository));
    let lists = |action: &&str| listed.iter().any(|one| one.eq_ignore_ascii_case(action));
    if !about || !seen.statement.conditions.is_empty() || lacking.iter().any(lists) {
        return None;
    }
    if lacking.contains(&TOKEN) && !resources.iter().any(|one| matches(one, "*")) {
        return None;
    }
    let list = seen.spot(PolicyPart::Element(seen.index, "Action"))?;
    let last = listed
        .iter()
        .filter_map(|action| seen.element_value("Action", action))
        .max_by_key(|spot| spot.range.start)?;
    let root = seen.policy.root?;
    let summary = format!("Add `{}`.", lacking.join("`, `"));
    spots::add_values(root, (&list, &last), lacking, summary)
}

/// Actions that are listed one by one and that a publish does not need. What a
/// wildcard covers is the business of other rules.
fn excess(setup: &Setup, gathered: &Gathered<'_>, asking: &Asking<'_>, findings: &mut Findings) {
    for policy in &gathered.identity {
        let Some(document) = &policy.document else {
            continue;
        };
        for (index, statement) in document.statements.iter().enumerate() {
            let ActionElement::Action(actions) = &statement.action else {
                continue;
            };
            if statement.effect == Effect::Deny {
                continue;
            }
            let seen = SeenStatement {
                setup,
                policy,
                index,
                statement,
            };
            let unneeded = actions
                .iter()
                .filter(|action| !has_wildcard(action) && !harmless(action));
            for action in unneeded {
                if let Some(resource) = effective(&seen, action, asking) {
                    report_excess(&seen, (action, &resource), findings);
                }
            }
        }
    }
}

/// A resource on which the statement's action is not taken away again.
fn effective(seen: &SeenStatement<'_>, action: &str, asking: &Asking<'_>) -> Option<String> {
    let Some(ResourceElement::Resource(resources)) = &seen.statement.resource else {
        return Some("everything that it does not list".to_owned());
    };
    let example = |resource: &String| resource.replace(['*', '?'], "x");
    let found = resources.iter().find(|resource| {
        let asked = if *resource == "*" {
            "*".to_owned()
        } else {
            example(resource)
        };
        asking.answer(action, &asked) != Answer::Denied
    });
    found.cloned()
}

fn report_excess(
    seen: &SeenStatement<'_>,
    (action, resource): (&str, &str),
    findings: &mut Findings,
) {
    let spot = seen.element_value("Action", action);
    let message = format!(
        "{} allows `{action}` on `{resource}`, which a publish does not need.",
        seen.name()
    );
    let summary = format!("Take `{action}` out, or give it to another role.");
    let list = seen.spot(PolicyPart::Element(seen.index, "Action"));
    let fix = match (seen.policy.root, list, &spot) {
        (Some(root), Some(list), Some(spot)) => spots::remove_value(root, (&list, spot), summary),
        _ => in_words(summary),
    };
    findings
        .add(
            Rule::PermissionExcess,
            seen.policy.address,
            seen.at(spot.as_ref()),
            message,
        )
        .fix = fix;
}
