//! A decision in one sentence for people.

use crate::sentence::kind_name;
use crate::{Decision, Effect, Mismatch, Outcome, PolicyKind, StatementReport};

/// The sentence; it names the statement that decided, or the nearest one.
pub(crate) fn sentence(decision: &Decision) -> String {
    match decision.outcome {
        Outcome::Allowed => match applying(decision, Effect::Allow) {
            Some(report) => format!("{} allows it.", name(report)),
            None => "The root user of the account may do everything in it.".to_owned(),
        },
        Outcome::ExplicitlyDenied => match applying(decision, Effect::Deny) {
            Some(report) => format!("{} denies it.", name(report)),
            None => "A statement denies it.".to_owned(),
        },
        Outcome::ImplicitlyDenied => implicit(decision),
    }
}

fn applying(decision: &Decision, effect: Effect) -> Option<&StatementReport> {
    of_kind(decision, effect).find(|report| report.mismatches.is_empty())
}

fn of_kind(decision: &Decision, effect: Effect) -> impl Iterator<Item = &StatementReport> {
    decision
        .statements
        .iter()
        .filter(move |report| report.effect == effect && Some(report.kind) == decision.by)
}

fn name(report: &StatementReport) -> String {
    let kind = kind_name(report.kind);
    format!(
        "Statement `{}` of the {kind} `{}`",
        report.statement, report.policy
    )
}

fn implicit(decision: &Decision) -> String {
    let kind = decision.by.map_or("policy", kind_name);
    // Of several levels one may allow and another not.
    let nearest = of_kind(decision, Effect::Allow)
        .filter(|report| !report.mismatches.is_empty())
        .min_by_key(|report| distance(report));
    let Some(report) = nearest else {
        return format!("No {kind} that applies has a statement that allows anything.");
    };
    let causes: Vec<String> = report.mismatches.iter().map(cause).collect();
    let refusal = match decision.by {
        Some(PolicyKind::Trust) => "The trust policy does not allow it".to_owned(),
        _ => format!("No {kind} allows it"),
    };
    format!(
        "{refusal}; nearest is {}, but {}.",
        lower_first(&name(report)),
        causes.join(", and ")
    )
}

/// A statement about another action is farther off than one for another
/// caller, that one than another resource, and a failed condition is nearest.
fn distance(report: &StatementReport) -> usize {
    report
        .mismatches
        .iter()
        .map(|mismatch| match mismatch {
            Mismatch::Action { .. } => 1_000_000,
            Mismatch::Principal { .. } => 10_000,
            Mismatch::Resource { .. } => 100,
            Mismatch::Condition { .. } => 1,
        })
        .sum()
}

fn cause(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::Principal {
            element,
            seen,
            wanted,
        } => element_cause(element, seen, "the caller is", wanted),
        Mismatch::Action {
            element,
            seen,
            wanted,
        } => element_cause(element, seen, "the action is", wanted),
        Mismatch::Resource {
            element,
            seen,
            wanted,
        } => element_cause(element, seen, "the resource is", wanted),
        Mismatch::Condition {
            operator,
            key,
            seen,
            wanted,
        } => {
            let seen = match seen.as_deref() {
                None => "the request does not carry that key".to_owned(),
                Some([]) => "the request carries that key without a value".to_owned(),
                Some(values) => format!("the request has {}", list(values)),
            };
            format!("`{operator}` on `{key}` wants {} and {seen}", list(wanted))
        }
    }
}

fn element_cause(element: &str, seen: &str, subject: &str, wanted: &[String]) -> String {
    match (element.strip_prefix("Not"), wanted) {
        (_, []) => format!("it has no `{element}` and {subject} `{seen}`"),
        (Some(_), _) => format!(
            "its `{element}` excludes {} and {subject} `{seen}`",
            list(wanted)
        ),
        (None, _) => format!("its `{element}` is {} and {subject} `{seen}`", list(wanted)),
    }
}

fn list(values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
    quoted.join(" or ")
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}
