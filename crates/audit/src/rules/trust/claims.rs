//! What the values of claims are worth: stars that are none, names that change
//! hands, workflows without a ref.

use policy::{Condition, Effect, Family};

use super::values::{self, binds, is_positive, takes_wildcards};
use super::{SeenStatement, spots, subject};
use crate::Rule;
use crate::findings::{Findings, in_words};
use crate::wildcards::{has_wildcard, matches};

/// A star or question mark that is compared as such.
pub(super) fn literal_star(seen: &SeenStatement<'_>, findings: &mut Findings) {
    let conditions = seen.statement.conditions.iter();
    let exact = conditions.filter(|condition| {
        matches!(
            condition.operator.comparison.family,
            Family::StringEquals { .. }
        ) && seen.claim(condition).is_some()
    });
    for condition in exact {
        for value in condition.values.iter().filter(|value| has_wildcard(value)) {
            let spot = seen.value_spot(condition, value);
            let message = format!(
                "`{}` takes the wildcard in `{value}` literally: {}.",
                condition.operator_name,
                effect(seen, condition)
            );
            let fix = match whole_subject(seen, condition, value) {
                Some(whole) => {
                    let summary = format!("Write the whole subject: `{whole}`.");
                    spots::rewrite(seen.trust.root, &spot, &whole, summary)
                }
                None => in_words(
                    "Write the whole value. Where a pattern is meant, use `StringLike` and read what else it covers.",
                ),
            };
            findings
                .add(
                    Rule::TrustLiteralStar,
                    seen.trust.subject(),
                    spots::at(&spot),
                    message,
                )
                .fix = fix;
        }
    }
}

/// What a value that never matches does to the statement.
fn effect(seen: &SeenStatement<'_>, condition: &Condition) -> &'static str {
    let negated = condition.operator.comparison.negated;
    match (seen.statement.effect, negated, condition.values.len()) {
        (Effect::Allow, false, 1) => "no token has a star there, so the statement admits nobody",
        (_, false, _) => "no token has a star there, so this value never matches",
        (_, true, _) => "no token has a star there, so this value takes nobody out",
    }
}

/// The value with its star replaced by what the jobs that use the role need.
fn whole_subject(seen: &SeenStatement<'_>, condition: &Condition, value: &str) -> Option<String> {
    if seen.claim(condition) != Some("sub") || condition.operator.comparison.negated {
        return None;
    }
    let pattern = values::subject(value)?;
    let named = [Some(pattern.owner), Some(pattern.name)];
    let ids = [pattern.owner_id, pattern.id];
    if named
        .iter()
        .chain(&ids)
        .flatten()
        .any(|part| has_wildcard(part))
    {
        return None;
    }
    let context = subject::needed_context(seen)?;
    let written = pattern.context.written();
    let repository = value.strip_suffix(&written)?;
    // Only what the star was meant to cover.
    matches(&written, &context).then(|| format!("{repository}{context}"))
}

/// Names that their holders can change or give up.
const MUTABLE: [(&str, &str, &str); 3] = [
    (
        "actor",
        "actor_id",
        "an account can be renamed, and its name registered by another",
    ),
    (
        "repository",
        "repository_id",
        "a repository can be renamed or moved, and its name taken by another",
    ),
    (
        "workflow",
        "job_workflow_ref",
        "it is a line of the workflow file, which every branch can write",
    ),
];

/// A condition on a name where an id would do.
pub(super) fn mutable(seen: &SeenStatement<'_>, findings: &mut Findings) {
    for (claim, instead, why) in MUTABLE {
        if seen.on(instead).any(binds) || claim == "repository" && subject_has_ids(seen) {
            continue;
        }
        for condition in seen.on(claim).filter(|condition| is_positive(condition)) {
            let message = format!(
                "{} rests on `{claim}` being `{}`, a name that does not stay with its holder: {why}.",
                seen.name(),
                condition.values.join("` or `")
            );
            let spot = seen.key_spot(condition);
            findings
                .add(
                    Rule::TrustOnMutableClaim,
                    seen.trust.subject(),
                    spots::at(&spot),
                    message,
                )
                .fix = match own_id(seen, condition, claim) {
                Some(id) => in_words(format!(
                    "Compare `{}:{instead}` with `{id}` instead.",
                    seen.issuer
                )),
                None => in_words(format!("Compare `{}:{instead}` instead.", seen.issuer)),
            };
        }
    }
}

/// Whether every value of `:sub` has the ids of its repository.
fn subject_has_ids(seen: &SeenStatement<'_>) -> bool {
    let id = |id: Option<&str>| id.is_some_and(|id| !has_wildcard(id));
    let mut values = seen
        .on("sub")
        .filter(|condition| is_positive(condition))
        .flat_map(|condition| &condition.values)
        .peekable();
    values.peek().is_some()
        && values.all(|value| {
            values::subject(value).is_some_and(|subject| id(subject.owner_id) && id(subject.id))
        })
}

/// The id of this repository, if that is what the condition names.
fn own_id<'s>(seen: &SeenStatement<'s>, condition: &Condition, claim: &str) -> Option<&'s str> {
    let own = seen.trust.setup.repository.as_ref()?;
    let name = format!("{}/{}", own.owner, own.name);
    let this = claim == "repository" && condition.values == [name];
    own.id.as_deref().filter(|_| this)
}

/// A reusable workflow at whatever ref.
pub(super) fn floating_workflow(seen: &SeenStatement<'_>, findings: &mut Findings) {
    let positive = |condition: &&Condition| is_positive(condition);
    for condition in seen.on("job_workflow_ref").filter(positive) {
        for value in &condition.values {
            let (path, at) = value.split_once('@').unwrap_or((value, ""));
            let floats = takes_wildcards(condition) && (at.is_empty() || has_wildcard(at));
            // Without `@` and without a wildcard nothing ever matches.
            let never = !takes_wildcards(condition) && at.is_empty();
            if !floats && !never {
                continue;
            }
            let what = if never {
                "names no ref, and GitHub always writes one, so it never matches"
            } else {
                "leaves the ref open: whoever can push a branch there decides what runs with the role"
            };
            let message = format!("The workflow `{value}` {what}.");
            findings
                .add(
                    Rule::TrustOnFloatingWorkflow,
                    seen.trust.subject(),
                    spots::at(&seen.value_spot(condition, value)),
                    message,
                )
                .fix = in_words(format!(
                "Name the ref that callers use, for example `{}@refs/heads/main` on a protected branch, or a commit.",
                path.trim_end_matches(['*', '?'])
            ));
        }
    }
}
