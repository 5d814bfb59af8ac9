//! Keys that are never there, and conditions that hold for everyone.

use policy::keys::{self, CLAIM_KEYS, Presence, is_carried_but_not_exported, issuer_and_claim};
use policy::{Condition, Effect, Family, Quantifier};
use receipts::Fix;

use super::values::{holds_without_key, is_of_texts, is_positive, takes_wildcards};
use super::{SeenStatement, spots};
use crate::Rule;
use crate::findings::{Findings, in_words};
use crate::wildcards::only_wildcards;

/// Both rules for every condition of a statement.
pub(super) fn check(seen: &SeenStatement<'_>, findings: &mut Findings) {
    for condition in &seen.statement.conditions {
        // No key of AWS has a scheme.
        let presence = if condition.key.contains("://") {
            Presence::Never
        } else {
            keys::at_web_identity_of(seen.issuer, &condition.key)
        };
        if presence == Presence::Never {
            never_filled(seen, condition, findings);
        }
        if seen.statement.effect == Effect::Allow
            && let Some(why) = vacuous(seen, condition, presence)
        {
            report_vacuous(seen, condition, &why, findings);
        }
    }
}

fn never_filled(seen: &SeenStatement<'_>, condition: &Condition, findings: &mut Findings) {
    let key = &condition.key;
    let why = why_never(seen.issuer, key);
    let spot = seen.key_spot(condition);
    let holds = holds_without_key(condition);
    let effect = match (seen.statement.effect, holds) {
        (Effect::Allow, true) => "so the condition holds for everyone and protects nothing",
        (Effect::Allow, false) => "so the condition never holds and the statement admits nobody",
        (Effect::Deny, true) => "so the condition always holds and the statement denies everyone",
        (Effect::Deny, false) => "so the condition never holds and the statement denies nobody",
    };
    let fix: Option<Fix> = match nearest(seen.issuer, key) {
        Some(other) => spots::rewrite(
            seen.trust.root,
            &spot,
            &other,
            format!("Compare `{other}` instead."),
        ),
        None => in_words(instead(seen.issuer, key)),
    };
    findings
        .add(
            Rule::TrustKeyNeverFilled,
            seen.trust.subject(),
            spots::at(&spot),
            format!("AWS never fills `{key}` here: {why}, {effect}."),
        )
        .fix = fix;
}

/// Why a key is absent.
fn why_never(issuer: &str, key: &str) -> String {
    let Some((other, claim)) = issuer_and_claim(key.trim_start_matches("https://")) else {
        return "a call without AWS credentials does not have it".to_owned();
    };
    if key.starts_with("https://") {
        return "keys begin with the issuer's host, without `https://`".to_owned();
    }
    if !other.eq_ignore_ascii_case(issuer) {
        return format!("the keys of this provider begin with `{issuer}:`");
    }
    if is_carried_but_not_exported(claim) {
        return format!("GitHub's token carries `{claim}`, and AWS does not export it");
    }
    if CLAIM_KEYS
        .iter()
        .any(|known| known.name.eq_ignore_ascii_case(claim))
    {
        return format!("GitHub's token does not carry `{claim}`");
    }
    format!("there is no claim `{claim}`")
}

/// A key that is there and that was probably meant.
fn nearest(issuer: &str, key: &str) -> Option<String> {
    let (other, claim) = issuer_and_claim(key.trim_start_matches("https://"))?;
    let claim = claim.to_ascii_lowercase();
    let exists = |name: &str| {
        CLAIM_KEYS
            .iter()
            .any(|key| key.name == name && key.of_github != Presence::Never)
    };
    let wrong_issuer = !other.eq_ignore_ascii_case(issuer) || key.starts_with("https://");
    if wrong_issuer && exists(&claim) {
        return Some(format!("{issuer}:{claim}"));
    }
    if is_carried_but_not_exported(&claim) {
        return None;
    }
    let mut near: Vec<(usize, &str)> = CLAIM_KEYS
        .iter()
        .filter(|key| key.of_github != Presence::Never)
        .map(|key| (distance(&claim, key.name), key.name))
        .collect();
    near.sort_unstable();
    let (distance, name) = near.first()?;
    (*distance * 3 <= name.len().max(3)).then(|| format!("{issuer}:{name}"))
}

/// What to compare in place of a claim that AWS does not export.
fn instead(issuer: &str, key: &str) -> String {
    let claim = key.rsplit(':').next().unwrap_or(key).to_ascii_lowercase();
    let other = match claim.as_str() {
        "repository_owner" => "repository_owner_id",
        "workflow_ref" | "workflow_sha" | "job_workflow_sha" => "job_workflow_ref",
        "base_ref" | "head_ref" | "ref_type" | "sha" => "ref",
        "enterprise" => "enterprise_id",
        _ => {
            return format!(
                "Compare a key that AWS fills, such as `{issuer}:sub` or `{issuer}:ref`, or put the claim into the subject by GitHub's customisation."
            );
        }
    };
    format!("Compare `{issuer}:{other}`, which AWS fills.")
}

/// How many letters two names differ in (Levenshtein). Both are short.
fn distance(left: &str, right: &str) -> usize {
    /// Longer names are none of a claim.
    const LONGEST: usize = 64;
    if left.len() > LONGEST {
        return usize::MAX / 4;
    }
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, a) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        for (column, b) in right.chars().enumerate() {
            let above = row.get(column + 1).copied().unwrap_or_default();
            let next = (diagonal + usize::from(a != b))
                .min(before + 1)
                .min(above + 1);
            if let Some(cell) = row.get_mut(column) {
                *cell = before;
            }
            diagonal = above;
            before = next;
        }
        if let Some(last) = row.last_mut() {
            *last = before;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Why a condition holds for everyone, if it does.
fn vacuous(seen: &SeenStatement<'_>, condition: &Condition, presence: Presence) -> Option<String> {
    let operator = condition.operator;
    let name = &condition.operator_name;
    let claim = seen.claim(condition);
    if presence == Presence::Never && holds_without_key(condition) {
        return Some(format!(
            "`{name}` holds where the key is absent, and it always is"
        ));
    }
    if operator.comparison.family == Family::Null && presence == Presence::Always {
        let absent = |value: &String| value.eq_ignore_ascii_case("false");
        return condition
            .values
            .iter()
            .any(absent)
            .then(|| "every token has the key".to_owned());
    }
    if takes_wildcards(condition)
        && is_positive(condition)
        && presence == Presence::Always
        && condition.values.iter().any(|value| only_wildcards(value))
    {
        return Some("a value that is only wildcards matches everything".to_owned());
    }
    if claim == Some("sub") && operator.quantifier == Some(Quantifier::ForAllValues) {
        return Some(
            "`ForAllValues` also holds where there is no value: that GitHub's tokens always have a subject is all that protects the role"
                .to_owned(),
        );
    }
    let only_negated = claim == Some("sub")
        && is_of_texts(condition)
        && operator.comparison.negated
        && !seen.on("sub").any(is_positive);
    only_negated.then(|| {
        format!("`{name}` holds for every subject but those listed, so also for those of all other repositories on GitHub")
    })
}

fn report_vacuous(
    seen: &SeenStatement<'_>,
    condition: &Condition,
    why: &str,
    findings: &mut Findings,
) {
    let spot = seen.operator_spot(condition);
    let key = &condition.key;
    let message = format!("The condition on `{key}` protects nothing: {why}.");
    let fix = if condition.operator.quantifier == Some(Quantifier::ForAllValues)
        && seen.claim(condition).is_some()
        && !condition.values.iter().any(|value| only_wildcards(value))
        && alone(seen, condition)
    {
        let plain = condition
            .operator_name
            .split_once(':')
            .map_or(condition.operator_name.as_str(), |(_, plain)| plain);
        spots::rewrite(
            seen.trust.root,
            &spot,
            plain,
            format!("Use `{plain}`: the key has one value."),
        )
    } else {
        in_words("Use `StringEquals` on a key that is always there, or take the condition out.")
    };
    findings
        .add(
            Rule::TrustVacuousCondition,
            seen.trust.subject(),
            spots::at(&spot),
            message,
        )
        .fix = fix;
}

/// Whether no other condition stands under the same operator, which a change of
/// the operator would change too.
fn alone(seen: &SeenStatement<'_>, condition: &Condition) -> bool {
    let same = |other: &&Condition| other.operator_name == condition.operator_name;
    let conditions = &seen.statement.conditions;
    let block = seen.operator_spot(condition).range;
    conditions
        .iter()
        .filter(same)
        .all(|other| std::ptr::eq(other, condition) || seen.operator_spot(other).range != block)
}
