//! The change that would admit the caller, where that is wanted: as a diff where
//! the part that changes is written as itself, otherwise in words.

use receipts::Fix;

use super::miss::{Change, Remedy, list};
use super::nearest::Nearest;
use super::scene::Scene;
use super::spot::{self, Part, Spot};
use super::subject_miss::PULL_REQUEST;
use crate::diff;
use crate::subject::{Context, Subject};
use crate::wildcards::has_wildcard;

/// The fix of a miss.
pub(super) fn fix(scene: &Scene, nearest: &Nearest) -> Option<Fix> {
    let (reason, change) = match &nearest.miss.remedy {
        Remedy::Words(words) => {
            return Some(Fix {
                summary: words.clone(),
                diff: None,
            });
        }
        Remedy::Change(reason, change) => (reason, change),
    };
    if lists_the_caller(change)
        && let Some(summary) = keeps_out(scene, nearest)
    {
        return Some(Fix {
            summary,
            diff: None,
        });
    }
    let diff = nearest
        .statement
        .and_then(|statement| changed(scene, statement, change));
    Some(Fix {
        summary: format!("{reason}: {}", in_words(change)),
        diff: diff.filter(|diff| !diff.is_empty()),
    })
}

/// Whether a change puts the caller's own values into the policy.
fn lists_the_caller(change: &Change) -> bool {
    matches!(
        change,
        Change::AddValues { .. } | Change::ReplaceValue { .. }
    )
}

/// Why a caller is to stay out, whatever it was that stood in its way: nobody
/// should copy a change that lets pull requests or somebody else in.
fn keeps_out(scene: &Scene, nearest: &Nearest) -> Option<String> {
    let question = scene.question;
    let subject = question.claim("sub").and_then(Subject::parse);
    let of_pull_request = subject.is_some_and(|subject| subject.context == Context::PullRequest)
        || question
            .claim("ref")
            .is_some_and(|git_ref| git_ref.starts_with("refs/pull/"));
    if of_pull_request {
        return Some(PULL_REQUEST.to_owned());
    }
    let subject = subject?;
    let wanted = nearest.miss.wanted.as_deref().and_then(Subject::parse);
    let (owner, name, id) = match (&question.repository, wanted) {
        (Some(own), _) => (own.owner.as_str(), own.name.as_str(), own.id.as_deref()),
        // The policy's own words say whom it is for.
        (None, Some(wanted)) => (wanted.owner, "*", None),
        (None, None) => {
            // Whom a lone wildcard was meant for, nobody can tell.
            let wildcard = nearest.miss.wanted.as_deref().is_some_and(has_wildcard);
            return wildcard.then(|| "list the exact subjects of your own runs".to_owned());
        }
    };
    let same = |seen: &str, wanted: &str| {
        let (seen, wanted) = (seen.to_lowercase(), wanted.to_lowercase());
        seen == wanted || wanted == "*"
    };
    let seen_id = subject.id.map(str::to_owned);
    let seen_id = seen_id.or_else(|| scene.claim_text("repository_id"));
    let other_id = id.zip(seen_id).is_some_and(|(own, seen)| own != seen);
    let own = same(subject.owner, owner) && owner != "*" && same(subject.name, name) && !other_id;
    (!own).then(|| {
        format!(
            "keep it refused: `{}/{}` is not the repository that this role is for",
            subject.owner, subject.name
        )
    })
}

/// What to change, by the names in the policy.
fn in_words(change: &Change) -> String {
    match change {
        Change::AddValues {
            operator,
            key,
            values,
        } => format!("add {} to `{operator}` on `{key}`", both(values)),
        Change::ReplaceValue {
            operator,
            key,
            old,
            values,
        } => format!(
            "write {} for `{old}` under `{operator}` on `{key}`",
            both(values)
        ),
        Change::ReplaceKey { key, new, .. } => format!("`{new}` for `{key}`"),
        Change::ReplaceAction { old, new } | Change::ReplacePrincipal { old, new } => {
            format!("`{new}` for `{old}`")
        }
    }
}

fn both(values: &[String]) -> String {
    match values {
        [one, two] => format!("`{one}` and `{two}`"),
        values => list(values),
    }
}

/// The diff of the file in which the policy is written.
fn changed(scene: &Scene, statement: usize, change: &Change) -> Option<String> {
    let (spot, replacement) = match change {
        Change::AddValues {
            operator,
            key,
            values,
        } => {
            let spot = spot::spot(scene, statement, Part::Values(operator, key))?;
            let replacement = with_added(&spot, values)?;
            (spot, replacement)
        }
        Change::ReplaceValue {
            operator,
            key,
            old,
            values,
        } => {
            let one = spot::spot(scene, statement, Part::Value(operator, key, old))?;
            if let [value] = values.as_slice() {
                let replacement = one.written(value)?;
                (one, replacement)
            } else {
                let all = spot::spot(scene, statement, Part::Values(operator, key))?;
                let replacement = with_replaced(&all, &one, values)?;
                (all, replacement)
            }
        }
        Change::ReplaceKey { operator, key, new } => {
            replaced(spot::spot(scene, statement, Part::Key(operator, key))?, new)?
        }
        Change::ReplaceAction { old, new } => {
            replaced(spot::spot(scene, statement, Part::Action(old))?, new)?
        }
        Change::ReplacePrincipal { old, new } => {
            replaced(spot::spot(scene, statement, Part::Principal(old))?, new)?
        }
    };
    Some(diff::replace_lines(
        &spot.file,
        spot.file_text,
        spot.range,
        &replacement,
    ))
}

fn replaced<'a>(spot: Spot<'a>, new: &str) -> Option<(Spot<'a>, String)> {
    let replacement = spot.written(new)?;
    Some((spot, replacement))
}

/// The list with more values at its end; a single value becomes a list.
fn with_added(spot: &Spot, values: &[String]) -> Option<String> {
    let new: Vec<String> = values
        .iter()
        .map(|value| spot.written(value))
        .collect::<Option<_>>()?;
    if new.is_empty() {
        return None;
    }
    let text = spot.text();
    if text.starts_with('"') {
        let indentation = indentation(spot.file_text, spot.range.start);
        let mut items = vec![text.to_owned()];
        items.extend(new);
        return Some(in_lines(&items, &indentation));
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    // A list that is computed, or whose end is a comment, is left to people.
    let last_line = inner.trim_end().lines().next_back().unwrap_or_default();
    if inner.trim_start().starts_with("for ") || last_line.contains('#') || last_line.contains("//")
    {
        return None;
    }
    let body = inner.trim_end();
    let (body, trailing_comma) = match body.strip_suffix(',') {
        Some(body) => (body, ","),
        None => (body, ""),
    };
    if body.is_empty() {
        return Some(format!("[{}]", new.join(", ")));
    }
    let end = spot.range.start + 1 + body.len();
    let separator = if body.contains('\n') {
        format!(",\n{}", indentation(spot.file_text, end))
    } else {
        ", ".to_owned()
    };
    let tail = &inner[inner.trim_end().len()..];
    let new = new.join(&separator);
    Some(format!("[{body}{separator}{new}{trailing_comma}{tail}]"))
}

/// The list, or single value, with others in the place of one.
fn with_replaced(all: &Spot, one: &Spot, values: &[String]) -> Option<String> {
    let new: Vec<String> = values
        .iter()
        .map(|value| one.written(value))
        .collect::<Option<_>>()?;
    let before = all.file_text.get(all.range.start..one.range.start)?;
    let after = all.file_text.get(one.range.end..all.range.end)?;
    if before.is_empty() && after.is_empty() {
        return Some(in_lines(&new, &indentation(all.file_text, all.range.start)));
    }
    let separator = if before.contains('\n') {
        format!(",\n{}", indentation(one.file_text, one.range.start))
    } else {
        ", ".to_owned()
    };
    if new.is_empty() {
        return None;
    }
    Some(format!("{before}{}{after}", new.join(&separator)))
}

/// A list with each item on a line of its own, below a line with `indentation`.
fn in_lines(items: &[String], indentation: &str) -> String {
    let separator = format!(",\n{indentation}  ");
    let items = items.join(&separator);
    format!("[\n{indentation}  {items}\n{indentation}]")
}

/// The white space that the line of a byte begins with.
fn indentation(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    text[start..]
        .chars()
        .take_while(|char| matches!(char, ' ' | '\t'))
        .collect()
}
