//! The callers of a role as rows: the two subject forms of one caller are one
//! row where they fare the same.

use receipts::{Answer, CallerAccess, RoleAccess, Standing};

/// One row.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// Of the first form.
    pub(super) access: &'a CallerAccess,
    pub(super) subjects: Vec<&'a str>,
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

pub(super) fn rows(role: &RoleAccess) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for access in &role.callers {
        let same = rows
            .last_mut()
            .filter(|row| fares_the_same(row.access, access));
        match same {
            Some(row) => row.subjects.push(&access.subject),
            None => rows.push(Row {
                access,
                subjects: vec![&access.subject],
            }),
        }
    }
    rows
}

fn fares_the_same(left: &CallerAccess, right: &CallerAccess) -> bool {
    same_caller(left, right) && answers(left) == answers(right)
}

fn same_caller(left: &CallerAccess, right: &CallerAccess) -> bool {
    (&left.caller, &left.jobs) == (&right.caller, &right.jobs)
}

fn answers(access: &CallerAccess) -> (Answer, Option<[Answer; 3]>) {
    let session = access.session.as_ref();
    (
        access.assume.answer,
        session.map(|session| {
            [&session.push, &session.pull, &session.delete].map(|access| access.answer)
        }),
    )
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
