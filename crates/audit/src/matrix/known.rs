//! Decisions where not everything is known: the policies are read once as widely
//! and once as narrowly as they could turn out, and only what holds both ways is
//! an answer.

use policy::keys::{Presence, issuer_and_claim};
use policy::{Context, Decision, Document, Effect};
use receipts::{Access, Answer};

/// Claims that name a person: a token shows one of many.
const PERSONS: [&str; 2] = ["actor", "actor_id"];

/// Claims that are open where the token does not show them.
const ELSEWHERE: [&str; 2] = ["job_workflow_ref", "enterprise_id"];

/// Keys that the engine fills from the request itself.
const OF_THE_REQUEST: [&str; 4] = [
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalType",
    "aws:ResourceAccount",
];

/// What is known of the condition keys of a request.
pub(super) struct Keys<'a> {
    /// Those with a known value.
    pub(super) context: &'a Context,
    /// Whether AWS fills the others in such a request.
    pub(super) presence: fn(&str) -> Presence,
    /// Whether it is the request of a session, whose principal the engine knows.
    pub(super) in_session: bool,
}

impl Keys<'_> {
    /// Whether the value of `key` is known only when the request is made. All
    /// other claims of a token are known, and known to be absent.
    fn is_open(&self, key: &str) -> bool {
        let is = |name: &&str| name.eq_ignore_ascii_case(key);
        if let Some((_, claim)) = issuer_and_claim(key) {
            let is = |name: &&str| name.eq_ignore_ascii_case(claim);
            return PERSONS.iter().any(is)
                || (ELSEWHERE.iter().any(is) && self.context.get(key).is_none());
        }
        let filled = self.in_session && OF_THE_REQUEST.iter().any(is);
        !filled && self.context.get(key).is_none() && (self.presence)(key) != Presence::Never
    }
}

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
pub(super) fn open_keys(document: &Document, keys: &Keys<'_>) -> Vec<String> {
    let mut open: Vec<String> = document
        .statements
        .iter()
        .flat_map(|statement| &statement.conditions)
        .filter(|condition| keys.is_open(&condition.key))
        .map(|condition| condition.key.clone())
        .collect();
    open.sort();
    open.dedup();
    open
}

/// `document` with every test of an open key decided in the sense of `reading`.
pub(super) fn read_as(document: &Document, keys: &Keys<'_>, reading: Reading) -> Document {
    let mut document = document.clone();
    document.statements.retain_mut(|statement| {
        let before = statement.conditions.len();
        statement
            .conditions
            .retain(|condition| !keys.is_open(&condition.key));
        let untouched = statement.conditions.len() == before;
        untouched || (statement.effect == Effect::Allow) == (reading == Reading::Widest)
    });
    document
}
