//! What an `if` says about the runs that pass it.
//!
//! Only what a word can say is understood: `==` and `!=` of `github.ref`,
//! `github.ref_name`, `github.ref_type` and `github.event_name` with a text,
//! `startsWith(github.ref, 'refs/tags/..')`, and `&&` of those. Everything else
//! is taken to hold, so that a run that may happen is never left out.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/expressions>

use super::{RefShape, RunShape};
use crate::filter;

/// One comparison of a condition.
#[derive(Debug, PartialEq, Eq)]
enum Test<'a> {
    Event { name: &'a str, equal: bool },
    Ref { name: &'a str, equal: bool },
    RefName { name: &'a str, equal: bool },
    Tag { equal: bool, prefix: &'a str },
}

/// The shapes that `condition` lets through, narrowed to what passes.
pub(super) fn narrowed(shapes: Vec<RunShape>, condition: Option<&str>) -> Vec<RunShape> {
    let Some(condition) = condition else {
        return shapes;
    };
    let mut shapes = shapes;
    for test in tests(condition) {
        shapes = shapes
            .into_iter()
            .flat_map(|shape| test.narrow(shape))
            .collect();
    }
    shapes
}

/// Whether a run that follows one for a pull request of a stranger
/// (`workflow_run`) may pass. What tests the event or the repository of that
/// run and is not understood is taken to keep it out.
pub(crate) fn lets_strangers_through(condition: Option<&str>) -> bool {
    const EVENT: &str = "github.event.workflow_run.event";
    const REPOSITORY: &str = "github.event.workflow_run.head_repository";
    let condition = condition.unwrap_or_default();
    let about_the_run = |text: &str| text.contains(EVENT) || text.contains(REPOSITORY);
    let conjuncts = conjuncts(expression(condition)).unwrap_or_else(|| vec![condition]);
    let keeps_out = |conjunct: &&str| match comparison(conjunct) {
        Some((what, event, equal)) if is(what, EVENT) => equal != event.starts_with("pull_request"),
        _ => about_the_run(conjunct),
    };
    !conjuncts.iter().any(keeps_out)
}

fn expression(condition: &str) -> &str {
    let condition = condition.trim();
    condition
        .strip_prefix("${{")
        .and_then(|rest| rest.strip_suffix("}}"))
        .unwrap_or(condition)
}

fn tests(condition: &str) -> Vec<Test<'_>> {
    let expression = expression(condition);
    // Outside of `${{ }}` the rest of a text is text, not logic.
    if expression.contains("${{") {
        return Vec::new();
    }
    match conjuncts(expression) {
        Some(conjuncts) => conjuncts.into_iter().filter_map(test).collect(),
        None => Vec::new(),
    }
}

/// The parts between the outermost `&&`; `None` where there is an outermost `||`.
fn conjuncts(expression: &str) -> Option<Vec<&str>> {
    let bytes = expression.as_bytes();
    let (mut parts, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0_usize, false);
    for (at, byte) in bytes.iter().enumerate() {
        let twice = bytes.get(at + 1) == Some(byte);
        match byte {
            b'\'' => quoted = !quoted,
            _ if quoted => {}
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b'|' if depth == 0 && twice => return None,
            b'&' if depth == 0 && twice => {
                parts.push(expression.get(start..at)?);
                start = at + 2;
            }
            _ => {}
        }
    }
    parts.push(expression.get(start..)?);
    (!quoted && depth == 0).then_some(parts)
}

fn test(conjunct: &str) -> Option<Test<'_>> {
    let conjunct = conjunct.trim();
    if let Some(arguments) = call(conjunct, "startsWith") {
        let (what, text) = arguments.split_once(',')?;
        let prefix = quoted(text.trim())?.strip_prefix("refs/tags/")?;
        return is(what, "github.ref").then_some(Test::Tag {
            equal: true,
            prefix,
        });
    }
    let (what, name, equal) = comparison(conjunct)?;
    if is(what, "github.event_name") {
        Some(Test::Event { name, equal })
    } else if is(what, "github.ref") {
        Some(Test::Ref { name, equal })
    } else if is(what, "github.ref_name") {
        Some(Test::RefName { name, equal })
    } else if is(what, "github.ref_type") {
        let equal = (name == "tag") == equal;
        (name == "tag" || name == "branch").then_some(Test::Tag { equal, prefix: "" })
    } else {
        None
    }
}

/// What is compared, with which text, and whether it must be equal.
fn comparison(conjunct: &str) -> Option<(&str, &str, bool)> {
    let (left, right, equal) = match (conjunct.split_once("=="), conjunct.split_once("!=")) {
        (Some((left, right)), None) => (left, right, true),
        (None, Some((left, right))) => (left, right, false),
        _ => return None,
    };
    match (quoted(left.trim()), quoted(right.trim())) {
        (None, Some(name)) => Some((left, name, equal)),
        (Some(name), None) => Some((right, name, equal)),
        _ => None,
    }
}

fn call<'a>(text: &'a str, function: &str) -> Option<&'a str> {
    let name = text.get(..function.len())?;
    let rest = text.get(function.len()..)?.trim();
    let arguments = rest.strip_prefix('(')?.strip_suffix(')')?;
    name.eq_ignore_ascii_case(function).then_some(arguments)
}

fn is(text: &str, name: &str) -> bool {
    text.trim().eq_ignore_ascii_case(name)
}

/// The text between single quotes; one with a quote in it is not understood.
fn quoted(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    (!inner.contains('\'')).then_some(inner)
}

impl Test<'_> {
    fn narrow(&self, shape: RunShape) -> Vec<RunShape> {
        match self {
            Self::Event { name, equal } => {
                let keep = shape.event.eq_ignore_ascii_case(name) == *equal;
                if keep { vec![shape] } else { Vec::new() }
            }
            Self::Ref { name, equal } => {
                let refs = match (
                    name.strip_prefix("refs/heads/"),
                    name.strip_prefix("refs/tags/"),
                ) {
                    (Some(branch), _) => narrow_names(&shape.refs, Some(branch), None, *equal),
                    (_, Some(tag)) => narrow_names(&shape.refs, None, Some(tag), *equal),
                    _ => vec![shape.refs.clone()],
                };
                with_refs(&shape, refs)
            }
            Self::RefName { name, equal } => {
                let refs = narrow_names(&shape.refs, Some(name), Some(name), *equal);
                with_refs(&shape, refs)
            }
            Self::Tag { equal, prefix } => {
                let refs = narrow_kind(&shape.refs, *equal, prefix);
                with_refs(&shape, refs)
            }
        }
    }
}

fn with_refs(shape: &RunShape, refs: Vec<RefShape>) -> Vec<RunShape> {
    refs.into_iter()
        .map(|refs| RunShape {
            refs,
            ..shape.clone()
        })
        .collect()
}

/// The refs that are, or are not, the branch or the tag of that name.
fn narrow_names(
    refs: &RefShape,
    branch: Option<&str>,
    tag: Option<&str>,
    equal: bool,
) -> Vec<RefShape> {
    match refs {
        RefShape::Branches(patterns) => narrow_patterns(patterns, branch, equal)
            .map(RefShape::Branches)
            .into_iter()
            .collect(),
        RefShape::Tags(patterns) => narrow_patterns(patterns, tag, equal)
            .map(RefShape::Tags)
            .into_iter()
            .collect(),
        RefShape::Any => [
            narrow_patterns(&[], branch, equal).map(RefShape::Branches),
            narrow_patterns(&[], tag, equal).map(RefShape::Tags),
        ]
        .into_iter()
        .flatten()
        .collect(),
        RefShape::DefaultBranch if equal => branch
            .map(|branch| RefShape::Branches(vec![filter::literal(branch)]))
            .into_iter()
            .collect(),
        // Its ref is that of the merge, which is no branch and no tag.
        RefShape::PullRequest if equal => Vec::new(),
        RefShape::DefaultBranch | RefShape::PullRequest => vec![refs.clone()],
    }
}

fn narrow_patterns(patterns: &[String], name: Option<&str>, equal: bool) -> Option<Vec<String>> {
    let Some(name) = name else {
        return (!equal).then(|| patterns.to_vec());
    };
    if equal {
        // The comparison ignores letter case, the filter does not: its spelling
        // is the one that the ref has.
        let own = patterns
            .iter()
            .find(|pattern| pattern.eq_ignore_ascii_case(name));
        return filter::cover(patterns, name)
            .then(|| vec![own.cloned().unwrap_or_else(|| filter::literal(name))]);
    }
    let mut patterns = patterns.to_vec();
    if patterns.is_empty() {
        patterns.push("**".to_owned());
    }
    patterns.push(format!("!{}", filter::literal(name)));
    Some(patterns)
}

/// The refs that are tags (that begin with `prefix`), or that are none.
fn narrow_kind(refs: &RefShape, tag: bool, prefix: &str) -> Vec<RefShape> {
    match (refs, tag) {
        (RefShape::Any, true) if prefix.is_empty() => vec![RefShape::Tags(Vec::new())],
        (RefShape::Any, true) => {
            let pattern = format!("{}**", filter::literal(prefix));
            vec![RefShape::Tags(vec![pattern])]
        }
        (RefShape::Any, false) => vec![RefShape::Branches(Vec::new())],
        (RefShape::Tags(_), true)
        | (RefShape::Branches(_) | RefShape::DefaultBranch | RefShape::PullRequest, false) => {
            vec![refs.clone()]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
