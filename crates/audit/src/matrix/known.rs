//! Decisions where not everything is known: only what holds under both readings
//! of the policies is an answer.

use policy::Decision;
use receipts::{Access, Answer};

use crate::reading::Reading;

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
