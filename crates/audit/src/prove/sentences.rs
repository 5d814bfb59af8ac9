//! Who is admitted, in words. The words follow from the set, not from how the
//! policy is written: names are listed by finding one caller after another until
//! no other is left, and "any" is said only where nobody is left out.

use github::SubjectForm;
use policy::language::{Clause, Undecided};

use super::ask::{Ask, Values};
use super::caller::{Caller, Callers, Wanted};
use super::conditions;
use super::shape::{Kind, Shape, is};
use super::text::{OWNER, REPOSITORY, SEGMENT, VALUE};

/// Runs of which repositories a sentence is about.
struct Scope {
    form: SubjectForm,
    wanted: Vec<Wanted>,
    /// `acme/api`, or `any repository of acme`.
    every: String,
    /// `repositories of acme`, where it is about more than one.
    some: Option<String>,
}

/// One sentence for each kind of caller of the set, without a full stop.
pub(super) fn sentences(ask: &Ask, callers: &Callers) -> Result<Vec<String>, Undecided> {
    let alone = [callers];
    let ask = &Ask {
        callers: &alone,
        ..*ask
    };
    let mut sentences = Vec::new();
    let mut says_any_run = false;
    let mut says_usual = false;
    for form in [SubjectForm::Name, SubjectForm::Immutable] {
        for scope in scopes(ask, form)? {
            let form = form_of(ask, &scope)?;
            for (kind, words) in runs(ask, &scope)? {
                says_any_run = says_any_run || kind.is_none();
                says_usual = true;
                let conditions = conditions::words(callers, kind, scope.form, ask.budget)?;
                sentences.push(format!("{words}, in the {form}{conditions}"));
            }
        }
    }
    // More claims behind a subject that is admitted already are no other run.
    let customised = |shape: &Shape| {
        shape.kind == Kind::Customised || (shape.kind == Kind::Continued && !says_usual)
    };
    if !says_any_run && let Some((caller, _)) = ask.find(customised, &[])? {
        let kind = Some(Kind::Customised);
        let conditions = conditions::words(callers, kind, caller.form, ask.budget)?;
        sentences.push(format!(
            "runs whose subject their repository has customised, such as `{}`{conditions}",
            caller.subject()
        ));
    }
    Ok(sentences)
}

fn usual(form: SubjectForm) -> impl Fn(&Shape) -> bool + Copy {
    move |shape| shape.form == form && shape.kind.is_usual()
}

fn of(form: SubjectForm, kind: Kind) -> impl Fn(&Shape) -> bool + Copy {
    move |shape| shape.form == form && shape.kind == kind
}

/// The repositories that are admitted, one by one, or by their owners, or all.
fn scopes(ask: &Ask, form: SubjectForm) -> Result<Vec<Scope>, Undecided> {
    let repositories = ask.values(REPOSITORY, usual(form), &[])?;
    if let Values::Few(repositories) = repositories {
        return Ok(repositories
            .into_iter()
            .map(|repository| Scope {
                form,
                wanted: vec![is(REPOSITORY, &repository)],
                every: repository,
                some: None,
            })
            .collect());
    }
    Ok(match ask.values(OWNER, usual(form), &[])? {
        Values::Few(owners) => owners
            .into_iter()
            .map(|owner| Scope {
                form,
                wanted: vec![is(OWNER, &owner)],
                every: format!("any repository of {owner}"),
                some: Some(format!("repositories of {owner}")),
            })
            .collect(),
        Values::Many => vec![Scope {
            form,
            wanted: Vec::new(),
            every: "any repository on GitHub".to_owned(),
            some: Some("repositories on GitHub".to_owned()),
        }],
    })
}

/// `name form`, or `immutable form with the ids ..`.
fn form_of(ask: &Ask, scope: &Scope) -> Result<String, Undecided> {
    if scope.form == SubjectForm::Name || scope.some.is_some() {
        return Ok(format!("{} form", scope.form));
    }
    Ok(
        match ask.values(SEGMENT, usual(scope.form), &scope.wanted)? {
            Values::Few(segments) => format!("immutable form as {}", list(&segments)),
            Values::Many => "immutable form whatever the ids".to_owned(),
        },
    )
}

/// The admitted runs of a scope; `None` as kind stands for all of them.
fn runs(ask: &Ask, scope: &Scope) -> Result<Vec<(Option<Kind>, String)>, Undecided> {
    if ask.covers(usual(scope.form), &scope.wanted)? {
        return Ok(vec![(None, format!("any run of {}", scope.every))]);
    }
    let mut said = Vec::new();
    for kind in Kind::USUAL {
        if let Some((caller, callers)) = ask.find(of(scope.form, kind), &scope.wanted)? {
            let words = runs_of_kind(ask, scope, &caller, callers)?;
            said.push((Some(kind), words));
        }
    }
    Ok(said)
}

fn runs_of_kind(
    ask: &Ask,
    scope: &Scope,
    caller: &Caller,
    callers: &Callers,
) -> Result<String, Undecided> {
    let shapes = of(scope.form, caller.kind);
    let matching = || matching(caller, callers);
    if ask.covers(shapes, &scope.wanted)? {
        return Ok(of_any_value(caller.kind, &scope.every));
    }
    let values = match caller.kind {
        Kind::PullRequest => Values::Many,
        _ => ask.values(VALUE, shapes, &scope.wanted)?,
    };
    let Values::Few(values) = values else {
        let place = scope.some.as_ref().unwrap_or(&scope.every);
        return Ok(format!(
            "{}{}",
            of_some_values(caller.kind, place),
            matching()
        ));
    };
    let Some(some) = &scope.some else {
        return Ok(of_values(caller.kind, &list(&values), &scope.every));
    };
    for value in &values {
        let mut wanted = scope.wanted.clone();
        wanted.push(is(VALUE, value));
        if !ask.covers(shapes, &wanted)? {
            let words = of_values(caller.kind, &list(&values), some);
            return Ok(format!("{words}{}", matching()));
        }
    }
    Ok(of_values(caller.kind, &list(&values), &scope.every))
}

fn of_values(kind: Kind, values: &str, place: &str) -> String {
    match kind {
        Kind::Branch => format!("pushes to {values} of {place}"),
        Kind::Tag => format!("pushes of the tag {values} of {place}"),
        Kind::PullRequest | Kind::Customised | Kind::Continued => of_any_value(kind, place),
        Kind::Environment => format!("runs of {place} in the environment {values}"),
    }
}

fn of_any_value(kind: Kind, place: &str) -> String {
    match kind {
        Kind::Branch => format!("pushes to every branch of {place}"),
        Kind::Tag => format!("pushes of every tag of {place}"),
        Kind::PullRequest => format!("pull requests of {place}"),
        Kind::Environment => format!("runs of {place} in any environment"),
        Kind::Customised | Kind::Continued => format!("runs of {place} under a customised subject"),
    }
}

fn of_some_values(kind: Kind, place: &str) -> String {
    match kind {
        Kind::Branch => format!("pushes to branches of {place}"),
        Kind::Tag => format!("pushes of tags of {place}"),
        Kind::PullRequest => format!("pull requests of {place}"),
        Kind::Environment => format!("runs of {place} in environments"),
        Kind::Customised | Kind::Continued => of_any_value(kind, place),
    }
}

/// The patterns of the subject that the example matches, and the example.
fn matching(caller: &Caller, callers: &Callers) -> String {
    let subject = caller.subject();
    let language = callers.key("sub").and_then(|set| set.present.as_ref());
    let clauses = language.map_or(&[][..], policy::language::Language::clauses);
    let positive = clauses.iter().filter(|clause| !clause.negated);
    let mut patterns: Vec<String> = positive
        .flat_map(|clause| clause.union.patterns())
        .filter(|pattern| Clause::any_of([(*pattern).clone()]).contains(subject) == Ok(true))
        .map(|pattern| format!("`{pattern}`"))
        .collect();
    // Statements in another order are the same policy.
    patterns.sort();
    patterns.dedup();
    if patterns.is_empty() {
        return format!(", though not all, such as `{subject}`");
    }
    format!(
        " whose subject matches {}, such as `{subject}`",
        patterns.join(" and ")
    )
}

fn list(values: &[String]) -> String {
    match values {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
