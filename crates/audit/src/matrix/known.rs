//! Decisions where not everything is known: only what holds under both readings
//! of the policies is an answer.

use policy::keys::{Presence, issuer_and_claim};
use policy::{Condition, Context, Decision};
use receipts::{Access, Answer};

use crate::reading::{Reading, is_of_the_request};

/// Claims that name a person: a token shows one of many.
const PERSONS: [&str; 2] = ["actor", "actor_id"];

/// Claims that are open where the token does not show them.
const ELSEWHERE: [&str; 2] = ["job_workflow_ref", "enterprise_id"];

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
    /// Whether the value of its key is known only when the request is made. All
    /// other claims of a token are known, and known to be absent.
    pub(super) fn leave_open(&self, condition: &Condition) -> bool {
        let key = &condition.key;
        if let Some((_, claim)) = issuer_and_claim(key) {
            let is = |name: &&str| name.eq_ignore_ascii_case(claim);
            return PERSONS.iter().any(is)
                || (ELSEWHERE.iter().any(is) && self.context.get(key).is_none());
        }
        let filled = self.in_session && is_of_the_request(key);
        !filled && self.context.get(key).is_none() && (self.presence)(key) != Presence::Never
    }
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
