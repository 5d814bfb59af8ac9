//! Policies whose conditions only a request decides: read once as widely and
//! once as narrowly as they can turn out. What holds both ways is an answer.

use policy::keys::{Presence, at_web_identity, in_session, issuer_and_claim};
use policy::{Condition, Context, Document, Effect};

/// How to read what is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// So that most is allowed.
    Widest,
    /// So that least is allowed.
    Narrowest,
}

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
pub(crate) struct Keys<'a> {
    /// Those with a known value.
    context: &'a Context,
    /// Whether it is the request of a session, whose principal the engine knows.
    in_session: bool,
}

impl<'a> Keys<'a> {
    /// Of the call by which a token becomes a session; all of the token's claims
    /// are in the context.
    pub(crate) fn of_web_identity(context: &'a Context) -> Self {
        Self {
            context,
            in_session: false,
        }
    }

    /// Of a call in a session.
    pub(crate) fn of_session(context: &'a Context) -> Self {
        Self {
            context,
            in_session: true,
        }
    }

    /// Whether a condition can be decided only when the request is made.
    pub(crate) fn leave_open(&self, condition: &Condition) -> bool {
        let values = condition.values.iter().map(String::as_str);
        self.is_open(&condition.key) || values.flat_map(variables).any(|key| self.is_open(key))
    }

    fn is_open(&self, key: &str) -> bool {
        if self.in_session
            && OF_THE_REQUEST
                .iter()
                .any(|own| own.eq_ignore_ascii_case(key))
        {
            return false;
        }
        let absent = self.context.get(key).is_none();
        match issuer_and_claim(key) {
            // All other claims of a token are known, and known to be absent.
            Some((_, claim)) if !self.in_session => {
                let is = |name: &&str| name.eq_ignore_ascii_case(claim);
                PERSONS.iter().any(is) || (ELSEWHERE.iter().any(is) && absent)
            }
            _ if self.in_session => absent && in_session(key) != Presence::Never,
            _ => absent && at_web_identity(key) != Presence::Never,
        }
    }
}

/// The keys of the policy variables in a text.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let opened = text.split("${").skip(1);
    let names = opened.filter_map(|rest| Some(rest.split_once('}')?.0));
    names
        .map(|name| name.split(',').next().unwrap_or(name).trim())
        .filter(|name| !matches!(*name, "*" | "?" | "$"))
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
