//! Runs that stand for all runs of a kind.

use github::{CallerKind, Event};

use crate::filter::cover;
use crate::jobs::{EnvironmentUse, RefShape, RunShape};
use crate::{Setup, jobs};

/// Branches that patterns are tried on where they give no name themselves.
const BRANCHES: [&str; 4] = ["main", "master", "develop", "feature/x"];
/// The same for tags.
const TAGS: [&str; 4] = ["v1.0.0", "1.0.0", "v1", "release-1.0.0"];

/// One run with its name.
pub(super) struct Example {
    /// In words, with the pattern that it stands for.
    pub(super) caller: String,
    pub(super) event: Event,
    pub(super) environment: Option<String>,
    /// Why nothing can be told of it.
    pub(super) unknown: Option<String>,
    /// Why a refusal of it may be wrong.
    pub(super) doubt: Option<String>,
}

/// The name of the default branch: the workflows do not say it, but most start
/// on pushes to it.
pub(super) struct DefaultBranch {
    name: String,
    known: bool,
}

impl DefaultBranch {
    pub(super) fn of(setup: &Setup) -> Self {
        let pushed: Vec<&str> = jobs::readable(setup)
            .filter_map(|(_, workflow)| workflow.triggers.push())
            .flat_map(|push| &push.branches)
            .map(String::as_str)
            .collect();
        let found = BRANCHES[..2].iter().find(|name| pushed.contains(name));
        Self {
            name: found.map_or("main", |name| name).to_owned(),
            known: found.is_some(),
        }
    }

    pub(super) fn git_ref(&self) -> String {
        format!("refs/heads/{}", self.name)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// One run for each branch or tag that `shape` names, and one for each pattern.
pub(super) fn examples(shape: &RunShape, default: &DefaultBranch) -> Vec<Example> {
    let verb = verb(&shape.event);
    let mut examples = match &shape.refs {
        RefShape::Branches(patterns) => named(patterns, "heads", &BRANCHES, |name| match name {
            None => format!("{verb} any branch"),
            Some(name) => format!("{verb} {name}"),
        }),
        RefShape::Tags(patterns) => {
            let verb = verb.replace("push to", "push of");
            named(patterns, "tags", &TAGS, |name| match name {
                None => format!("{verb} any tag"),
                Some(name) => format!("{verb} tag {name}"),
            })
        }
        RefShape::DefaultBranch | RefShape::Any => {
            let mut one = example(format!("{verb} {}", default.name), push(&default.git_ref()));
            one.doubt = (!default.known).then(|| {
                "The name of the default branch is not in these files; `main` was tried.".to_owned()
            });
            vec![one]
        }
        RefShape::PullRequest => vec![example("pull request".to_owned(), pull_request())],
    };
    for example in &mut examples {
        in_environment(example, shape.environment.as_ref());
    }
    examples
}

fn named(
    patterns: &[String],
    kind: &str,
    fallbacks: &[&str],
    caller: impl Fn(Option<&str>) -> String,
) -> Vec<Example> {
    let event = |name: &str| push(&format!("refs/{kind}/{name}"));
    if patterns.is_empty() {
        return vec![example(caller(None), event(fallbacks[0]))];
    }
    patterns
        .iter()
        .filter(|pattern| !pattern.starts_with('!'))
        .map(|pattern| {
            let filled = filled(pattern);
            let mut names = std::iter::once(filled.as_str()).chain(fallbacks.iter().copied());
            let covered =
                |name: &&str| cover(std::slice::from_ref(pattern), name) && cover(patterns, name);
            let found = names.find(covered);
            let plain = filled == pattern.replace('\\', "");
            let shown = if plain { &filled } else { pattern };
            let mut example = example(caller(Some(shown)), event(found.unwrap_or(&filled)));
            example.unknown = found
                .is_none()
                .then(|| format!("No name was found that the pattern `{pattern}` covers."));
            example
        })
        .collect()
}

fn example(caller: String, event: Event) -> Example {
    Example {
        caller,
        event,
        environment: None,
        unknown: None,
        doubt: None,
    }
}

fn in_environment(example: &mut Example, environment: Option<&EnvironmentUse>) {
    match environment {
        None => {}
        Some(EnvironmentUse::Named(name)) => {
            example.caller.push_str(" in environment ");
            example.caller.push_str(name);
            example.environment = Some(name.clone());
        }
        Some(EnvironmentUse::Unknown(expression)) => {
            example.caller.push_str(" in an environment");
            example.environment = Some(expression.clone());
            example.unknown = Some(format!(
                "The job's environment is `{expression}`, which only GitHub can evaluate."
            ));
        }
    }
}

/// A name that `pattern` covers, if its wildcards are simple.
fn filled(pattern: &str) -> String {
    let mut name = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => name.extend(chars.next()),
            '*' => {
                while chars.next_if_eq(&'*').is_some() {}
                name.push('1');
            }
            '[' => {
                name.extend(chars.next());
                for char in chars.by_ref() {
                    if char == ']' {
                        break;
                    }
                }
            }
            '?' | '+' => {}
            char => name.push(char),
        }
    }
    name
}

fn verb(event: &str) -> String {
    match event {
        "push" => "push to".to_owned(),
        "workflow_dispatch" => "started by hand on".to_owned(),
        "schedule" => "schedule on".to_owned(),
        other => format!("{other} on"),
    }
}

pub(super) fn push(git_ref: &str) -> Event {
    Event::Push {
        git_ref: git_ref.to_owned(),
    }
}

fn pull_request() -> Event {
    Event::PullRequest {
        number: 7,
        head: "feature".to_owned(),
        base: "main".to_owned(),
        from_fork: false,
    }
}

/// Whether a job starts on `git_ref` without an environment, so that who calls
/// from there is no intruder.
pub(super) fn is_asked_for(shapes: &[&RunShape], kind: CallerKind, git_ref: &str) -> bool {
    shapes
        .iter()
        .filter(|shape| shape.environment.is_none())
        .any(|shape| match (kind, &shape.refs) {
            (CallerKind::PullRequest, RefShape::PullRequest) => true,
            (CallerKind::OtherBranch, RefShape::Branches(patterns)) => git_ref
                .strip_prefix("refs/heads/")
                .is_some_and(|name| cover(patterns, name)),
            (CallerKind::Tag, RefShape::Tags(patterns)) => git_ref
                .strip_prefix("refs/tags/")
                .is_some_and(|name| cover(patterns, name)),
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(patterns: &[&str]) -> Vec<(String, String, bool)> {
        let shape = RunShape {
            event: "push".to_owned(),
            environment: None,
            refs: RefShape::Tags(patterns.iter().map(|text| (*text).to_owned()).collect()),
        };
        let default = DefaultBranch::of(&Setup::default());
        examples(&shape, &default)
            .into_iter()
            .map(|one| (one.caller, one.event.git_ref(), one.unknown.is_none()))
            .collect()
    }

    #[test]
    fn every_pattern_is_shown_as_written_and_tried_with_a_name_that_it_covers() {
        for (pattern, git_ref) in [
            ("v*", "refs/tags/v1"),
            ("v[0-9]+.[0-9]+", "refs/tags/v0.0"),
            ("release/**", "refs/tags/release/1"),
            ("v1", "refs/tags/v1"),
        ] {
            let expected = (format!("push of tag {pattern}"), git_ref.to_owned(), true);
            assert_eq!(tags(&[pattern]), [expected]);
        }
        assert_eq!(tags(&[])[0].0, "push of any tag");
    }

    #[test]
    fn what_another_pattern_takes_out_is_not_tried() {
        let examples = tags(&["v*", "!v1"]);
        assert_eq!(examples.len(), 1);
        assert_eq!(examples[0].1, "refs/tags/v1.0.0");
        assert!(!tags(&["v*", "!v*"])[0].2);
    }
}
