//! Conditions that only a request decides: read once as widely and once as
//! narrowly as they can turn out.

use policy::keys::{Presence, in_session};
use policy::{Condition, Context, Document, Effect};

/// How conditions are read that are not known to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// So that most is allowed.
    Widest,
    /// So that least is allowed.
    Narrowest,
}

/// Keys that the engine fills from the request itself.
const OF_THE_REQUEST: [&str; 4] = [
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalType",
    "aws:ResourceAccount",
];

/// Whether only a request decides a condition. A key that no session has is
/// known to be absent.
pub(super) fn is_open(condition: &Condition, context: &Context) -> bool {
    let key = &condition.key;
    let filled = OF_THE_REQUEST
        .iter()
        .any(|known| known.eq_ignore_ascii_case(key));
    let variable = condition.values.iter().any(|value| value.contains("${"));
    !filled && (variable || context.get(key).is_none() && in_session(key) != Presence::Never)
}

/// The document with every open condition decided in the sense of `reading`.
pub(super) fn read_as(document: &Document, reading: Reading, context: &Context) -> Document {
    let mut document = document.clone();
    document.statements.retain_mut(|statement| {
        let before = statement.conditions.len();
        statement
            .conditions
            .retain(|condition| !is_open(condition, context));
        let untouched = statement.conditions.len() == before;
        untouched || (statement.effect == Effect::Allow) == (reading == Reading::Widest)
    });
    document
}
