//! Decisions where not everything is known: the policies are read once as widely
//! and once as narrowly as they could turn out, and only what holds both ways is
//! an answer.

use policy::{Context, Decision, Document, Effect};
use receipts::{Access, Answer};

/// Condition keys of a request that depend on the machine, the moment or the
/// person, which no file decides.
const OPEN_KEYS: [&str; 21] = [
    "aws:currenttime",
    "aws:epochtime",
    "aws:multifactorauthage",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:referer",
    "aws:requestedregion",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "aws:sourceip",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:tokenissuetime",
    "aws:useragent",
    "aws:userid",
    "aws:viaawsservice",
    "aws:vpcsourceip",
    "sts:durationseconds",
    "sts:rolesessionname",
    "sts:sourceidentity",
];

/// Claims that name a person: a token shows one of many.
const PERSONS: [&str; 2] = [":actor", ":actor_id"];

/// A claim that is open where the token does not show it.
const CALLED_WORKFLOW: &str = ":job_workflow_ref";

/// How to read what is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As what allows most.
    Widest,
    /// As what allows least.
    Narrowest,
}

/// The answer of `decide` under both readings. `unknowns` says what makes them
/// differ; where it is empty they cannot.
pub(super) fn access(unknowns: &[String], decide: impl Fn(Reading) -> Decision) -> Access {
    let widest = decide(Reading::Widest);
    if unknowns.is_empty() {
        return known(&widest);
    }
    if !widest.is_allowed() {
        return known(&widest);
    }
    let narrowest = decide(Reading::Narrowest);
    if narrowest.is_allowed() {
        return known(&narrowest);
    }
    Access {
        answer: Answer::Unknown,
        reason: unknowns.join(" "),
    }
}

fn known(decision: &Decision) -> Access {
    Access {
        answer: if decision.is_allowed() {
            Answer::Yes
        } else {
            Answer::No
        },
        reason: decision.reason(),
    }
}

/// The keys that `document` tests and nobody can know before the request.
pub(super) fn open_keys(document: &Document, context: &Context) -> Vec<String> {
    let mut keys: Vec<String> = document
        .statements
        .iter()
        .flat_map(|statement| &statement.conditions)
        .filter(|condition| is_open(&condition.key, context))
        .map(|condition| condition.key.clone())
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// `document` with every test of an open key decided in the sense of `reading`.
pub(super) fn read_as(document: &Document, context: &Context, reading: Reading) -> Document {
    let mut document = document.clone();
    document.statements.retain_mut(|statement| {
        let before = statement.conditions.len();
        statement
            .conditions
            .retain(|condition| !is_open(&condition.key, context));
        let untouched = statement.conditions.len() == before;
        untouched || (statement.effect == Effect::Allow) == (reading == Reading::Widest)
    });
    document
}

fn is_open(key: &str, context: &Context) -> bool {
    let key = key.to_ascii_lowercase();
    PERSONS.iter().any(|claim| key.ends_with(claim))
        || (context.get(&key).is_none()
            && (OPEN_KEYS.contains(&key.as_str()) || key.ends_with(CALLED_WORKFLOW)))
}
