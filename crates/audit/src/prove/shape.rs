//! The shapes of runs and what each writes into its claims.
//!
//! Grammar of the subject: <https://docs.github.com/en/actions/reference/security/oidc>.
//! Each shape writes its claims from the same variables in one order: owner, its
//! id, name, its id, and what the run is about. The lengths that GitHub admits
//! are not looked at, so a shape is rather too wide than too narrow.

use github::SubjectForm;
use policy::language::{Clause, Pattern, Script, Step, Writing};

use super::customised::{self, Head};
use super::grammar::{BRANCH, DIGITS, FREE, Grammar, NAMES, OWNERS};
use super::text::{
    ENVIRONMENT, MORE, NAME, OWNER, OWNER_ID, REF, REPOSITORY, REPOSITORY_ID, SEGMENT, SUBJECT,
    VALUE,
};

/// What the subject says behind the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A branch.
    Branch,
    /// A tag.
    Tag,
    /// A pull request.
    PullRequest,
    /// An environment.
    Environment,
    /// What the repository's owner has set.
    Customised,
    /// One of the above, and more that the repository's owner has set.
    Continued,
}

impl Kind {
    /// Whether the subject is one that nobody has customised.
    pub(super) fn is_usual(self) -> bool {
        Self::USUAL.contains(&self)
    }

    /// The kinds of a subject that nobody has customised.
    pub(super) const USUAL: [Self; 4] = [
        Self::Branch,
        Self::Tag,
        Self::PullRequest,
        Self::Environment,
    ];
}

/// One shape of runs.
#[derive(Debug)]
pub(super) struct Shape {
    /// Its place among all shapes.
    pub(super) number: usize,
    /// The form of the subject.
    pub(super) form: SubjectForm,
    /// What the subject says.
    pub(super) kind: Kind,
    pub(super) script: Script,
    /// What GitHub's own rules demand of the texts.
    pub(super) demands: Vec<(usize, Clause)>,
}

/// Every shape, the usual ones first.
pub(super) fn all(grammar: &Grammar) -> Vec<Shape> {
    let forms = [SubjectForm::Name, SubjectForm::Immutable];
    let mut shapes = Vec::new();
    for form in forms {
        shapes.extend(Kind::USUAL.map(|kind| usual(grammar, form, kind)));
    }
    for in_environment in [false, true] {
        for form in forms {
            for head in Head::REPOSITORY {
                shapes.push(custom(grammar, form, head, in_environment));
            }
        }
        for head in Head::OTHERS {
            shapes.push(custom(grammar, SubjectForm::Name, head, in_environment));
        }
    }
    for (number, shape) in shapes.iter_mut().enumerate() {
        shape.number = number;
    }
    shapes
}

fn literal(text: usize, literal: &'static str) -> Step {
    Step::Literal { text, literal }
}

fn variable(alphabet: policy::language::Alphabet, texts: &[usize]) -> Step {
    let plain = texts.iter().map(|text| (*text, Writing::Plain));
    Step::Variable {
        alphabet,
        writes: plain.collect(),
    }
}

/// The repository, into its claims and those `also` where they belong.
fn repository(form: SubjectForm, head: Head) -> Vec<Step> {
    let mut steps = Vec::new();
    let immutable = form == SubjectForm::Immutable;
    let whole = Head::REPOSITORY.contains(&head) || head == Head::RepositoryClaim;
    let with = |texts: &[usize], also: bool| -> Vec<usize> {
        // The subject first: it is what most policies ask about.
        let subject = also.then_some(SUBJECT);
        subject.into_iter().chain(texts.iter().copied()).collect()
    };
    let id = |own: usize, also: bool| -> Vec<usize> {
        let mut texts = with(&[own], also || (immutable && whole));
        texts.extend(immutable.then_some(SEGMENT));
        texts
    };
    let mark = |steps: &mut Vec<Step>, mark: &'static str, wanted: bool| {
        if wanted {
            steps.push(literal(SEGMENT, mark));
            if whole {
                steps.push(literal(SUBJECT, mark));
            }
        }
    };
    let in_owner = whole || head == Head::Owner;
    steps.push(variable(
        OWNERS,
        &with(&[REPOSITORY, OWNER, SEGMENT], in_owner),
    ));
    mark(&mut steps, "@", immutable);
    steps.push(variable(DIGITS, &id(OWNER_ID, head == Head::OwnerId)));
    steps.push(literal(REPOSITORY, "/"));
    mark(&mut steps, "/", true);
    steps.push(variable(NAMES, &with(&[REPOSITORY, NAME, SEGMENT], whole)));
    mark(&mut steps, "@", immutable);
    let ends_id = head == Head::RepositoryId;
    steps.push(variable(DIGITS, &id(REPOSITORY_ID, ends_id)));
    steps
}

fn usual(grammar: &Grammar, form: SubjectForm, kind: Kind) -> Shape {
    let mut steps = vec![literal(SUBJECT, "repo:")];
    steps.extend(repository(form, Head::Repository));
    let mut demands = grammar.repository();
    match kind {
        Kind::Branch | Kind::Customised | Kind::Continued => {
            steps.push(literal(SUBJECT, ":ref:refs/heads/"));
            steps.push(literal(REF, "refs/heads/"));
            steps.push(variable(BRANCH, &[SUBJECT, REF, VALUE]));
            demands.push((VALUE, grammar.git_name.clone()));
        }
        Kind::Tag => {
            steps.push(literal(SUBJECT, ":ref:refs/tags/"));
            steps.push(literal(REF, "refs/tags/"));
            steps.push(variable(BRANCH, &[SUBJECT, REF, VALUE]));
            demands.push((VALUE, grammar.git_name.clone()));
        }
        Kind::PullRequest => {
            steps.push(literal(SUBJECT, ":pull_request"));
            steps.push(literal(REF, "refs/pull/"));
            steps.push(variable(DIGITS, &[REF, VALUE]));
            steps.push(literal(REF, "/merge"));
            demands.push((VALUE, grammar.id.clone()));
        }
        Kind::Environment => {
            steps.push(literal(SUBJECT, ":environment:"));
            steps.push(Step::Variable {
                alphabet: FREE,
                writes: vec![
                    (SUBJECT, Writing::ColonEscaped),
                    (ENVIRONMENT, Writing::Plain),
                    (VALUE, Writing::Plain),
                ],
            });
            demands.push((VALUE, grammar.environment.clone()));
            steps.push(variable(BRANCH, &[REF]));
            demands.push((REF, grammar.git_ref.clone()));
        }
    }
    Shape {
        number: 0,
        form,
        kind,
        script: Script::new(independent_last(steps)),
        demands,
    }
}

fn custom(grammar: &Grammar, form: SubjectForm, head: Head, in_environment: bool) -> Shape {
    let mut steps = vec![literal(SUBJECT, head.begin())];
    steps.extend(repository(form, head));
    let mut demands = grammar.repository();
    let tail = grammar.tail(head);
    for (text, clause) in [(VALUE, tail.first), (MORE, tail.more)] {
        if let Some(clause) = clause {
            steps.push(variable(customised::ALPHABET, &[SUBJECT, text]));
            demands.push((text, clause));
        }
    }
    steps.push(variable(BRANCH, &[REF]));
    demands.push((REF, grammar.git_ref.clone()));
    if in_environment {
        steps.push(variable(FREE, &[ENVIRONMENT]));
        demands.push((ENVIRONMENT, grammar.environment.clone()));
    }
    Shape {
        number: 0,
        form,
        kind: if head == Head::Context {
            Kind::Continued
        } else {
            Kind::Customised
        },
        script: Script::new(independent_last(steps)),
        demands,
    }
}

/// The steps with those at the end that write one text nobody else writes, as ids
/// in a subject that names no ids: what they write decides nothing else, so it is
/// looked at only where all the rest is possible.
fn independent_last(steps: Vec<Step>) -> Vec<Step> {
    let written = |text: usize| {
        let writes = steps.iter().filter(|step| match step {
            Step::Literal { text: other, .. } => *other == text,
            Step::Variable { writes, .. } => writes.iter().any(|(other, _)| *other == text),
        });
        writes.count()
    };
    let independent = |step: &Step| matches!(step, Step::Variable { writes, .. } if matches!(writes[..], [(text, _)] if written(text) == 1));
    let (last, mut first): (Vec<Step>, Vec<Step>) = steps.iter().cloned().partition(independent);
    first.extend(last);
    first
}

/// A demand that a text is this one.
pub(super) fn is(text: usize, value: &str) -> (usize, Clause) {
    (text, Clause::any_of([Pattern::literal(value)]))
}

/// A demand that a text is none of these.
pub(super) fn is_none_of<'v>(
    text: usize,
    values: impl IntoIterator<Item = &'v String>,
) -> (usize, Clause) {
    let patterns = values.into_iter().map(|value| Pattern::literal(value));
    (text, Clause::none_of(patterns))
}

/// A demand that a text is no spelling of the name: GitHub takes names of owners
/// and repositories that differ in letter case only for the same.
pub(super) fn is_other_name(text: usize, name: &str) -> (usize, Clause) {
    let spelled = Pattern::ignoring_case(name).unwrap_or_else(|| Pattern::literal(name));
    (text, Clause::none_of([spelled]))
}
