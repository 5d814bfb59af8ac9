//! The callers of a role as rows.

use receipts::{Answer, CallerAccess, RoleAccess, Standing};

/// One row.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// The form that decides.
    pub(super) access: &'a CallerAccess,
    pub(super) subjects: Vec<&'a str>,
    /// The one form of its subject that it fares so with.
    pub(super) only_form: Option<&'a str>,
    /// Whether it gets in by its other form.
    pub(super) other_form_gets_in: bool,
}

/// How a caller fared, against how it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// In or out, as intended.
    AsIntended,
    /// In, and no job is known that needs it.
    Unclear,
    /// The files do not decide it.
    Unknown,
    /// Out in one of its forms, in with the other.
    KeptOut,
    /// In, and should be out.
    GetsIn,
}

/// The two subject forms of one caller are one row where they fare the same. Of
/// an intruder, the form that gets furthest is shown: it has the choice.
pub(super) fn rows(role: &RoleAccess) -> Vec<Row<'_>> {
    let forms = role.callers.chunk_by(same_caller);
    forms.flat_map(rows_of).collect()
}

fn rows_of(forms: &[CallerAccess]) -> Vec<Row<'_>> {
    let Some(first) = forms.first() else {
        return Vec::new();
    };
    if forms.iter().all(|form| answers(form) == answers(first)) {
        return vec![Row {
            access: first,
            subjects: forms.iter().map(|form| form.subject.as_str()).collect(),
            only_form: None,
            other_form_gets_in: false,
        }];
    }
    let gets_in = forms.iter().any(|form| form.assume.answer == Answer::Yes);
    let mut rows: Vec<Row<'_>> = forms
        .iter()
        .map(|form| Row {
            access: form,
            subjects: vec![&form.subject],
            only_form: Some(&form.form),
            other_form_gets_in: gets_in && form.assume.answer != Answer::Yes,
        })
        .collect();
    if first.standing == Standing::Intruder {
        rows.sort_by_key(|row| std::cmp::Reverse(answers(row.access)));
        rows.truncate(1);
    }
    rows
}

fn same_caller(left: &CallerAccess, right: &CallerAccess) -> bool {
    (&left.caller, &left.jobs) == (&right.caller, &right.jobs)
}

/// Push, pull and delete, and the repositories of which that holds.
type OnRepositories<'a> = ([Answer; 3], &'a [String]);

/// All that is shown but for the reasons.
fn answers(access: &CallerAccess) -> (Answer, Vec<OnRepositories<'_>>) {
    let sessions = access.sessions.iter();
    let sessions = sessions.map(|session| (session.answers(), &*session.repositories));
    (access.assume.answer, sessions.collect())
}

/// How one form of a caller fared.
pub(super) fn outcome(access: &CallerAccess) -> Outcome {
    match (access.standing, access.assume.answer) {
        (_, Answer::Unknown) => Outcome::Unknown,
        (Standing::Intruder, Answer::Yes) => Outcome::GetsIn,
        (Standing::Intended, Answer::No) => Outcome::KeptOut,
        (Standing::Unclear, Answer::Yes) => Outcome::Unclear,
        (Standing::Intended, Answer::Yes)
        | (Standing::Intruder | Standing::Unclear, Answer::No) => Outcome::AsIntended,
    }
}

/// The callers of `role` that fared so, each once. A caller that is meant to get
/// in is kept out when no form of it gets in.
pub(super) fn who(role: &RoleAccess, wanted: Outcome) -> Vec<&CallerAccess> {
    let mut found: Vec<&CallerAccess> = Vec::new();
    for access in role
        .callers
        .iter()
        .filter(|access| outcome(access) == wanted)
    {
        let gets_in = || {
            role.callers
                .iter()
                .any(|other| same_caller(other, access) && other.assume.answer == Answer::Yes)
        };
        let seen = found.last().is_some_and(|last| same_caller(last, access));
        if !seen && (wanted != Outcome::KeptOut || !gets_in()) {
            found.push(access);
        }
    }
    found
}

/// The worst that happened at `role`.
pub(super) fn worst(role: &RoleAccess) -> Outcome {
    let of_callers = [
        Outcome::GetsIn,
        Outcome::KeptOut,
        Outcome::Unknown,
        Outcome::Unclear,
    ]
    .into_iter()
    .find(|outcome| !who(role, *outcome).is_empty())
    .unwrap_or(Outcome::AsIntended);
    if role.unknown.is_some() {
        of_callers.max(Outcome::Unknown)
    } else {
        of_callers
    }
}

/// The first caller that is kept out by the form which new and renamed
/// repositories mint, and gets in by the other.
pub(super) fn only_by_name(role: &RoleAccess) -> Option<&CallerAccess> {
    role.callers
        .chunk_by(same_caller)
        .filter(|forms| forms.iter().any(|form| form.assume.answer == Answer::Yes))
        .flatten()
        .find(|form| outcome(form) == Outcome::KeptOut && form.form == "immutable")
}
