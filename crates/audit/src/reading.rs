//! Policies whose conditions only a request decides: read once as widely and
//! once as narrowly as they can turn out. What holds both ways is an answer.

use policy::{Condition, Document, Effect};

/// How to read what is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// So that most is allowed.
    Widest,
    /// So that least is allowed.
    Narrowest,
}

/// Whether the engine fills the key from the request itself.
pub(crate) fn is_of_the_request(key: &str) -> bool {
    const OF_THE_REQUEST: [&str; 4] = [
        "aws:PrincipalArn",
        "aws:PrincipalAccount",
        "aws:PrincipalType",
        "aws:ResourceAccount",
    ];
    OF_THE_REQUEST
        .iter()
        .any(|known| known.eq_ignore_ascii_case(key))
}

/// The keys of the conditions that are open, each once.
pub(crate) fn open_keys<'d>(
    documents: impl Iterator<Item = &'d Document>,
    is_open: impl Fn(&Condition) -> bool,
) -> Vec<String> {
    let mut open: Vec<String> = documents
        .flat_map(|document| &document.statements)
        .flat_map(|statement| &statement.conditions)
        .filter(|condition| is_open(condition))
        .map(|condition| condition.key.clone())
        .collect();
    open.sort();
    open.dedup();
    open
}

/// The document with every open condition decided in the sense of `reading`.
pub(crate) fn read_as(
    document: &Document,
    is_open: impl Fn(&Condition) -> bool,
    reading: Reading,
) -> Document {
    let mut document = document.clone();
    document.statements.retain_mut(|statement| {
        let before = statement.conditions.len();
        statement.conditions.retain(|condition| !is_open(condition));
        let untouched = statement.conditions.len() == before;
        untouched || (statement.effect == Effect::Allow) == (reading == Reading::Widest)
    });
    document
}
