//! The trust policy of a role.

use crate::statement_match::{Asked, judge};
use crate::{Decision, NamedPolicy, Outcome, PolicyKind, Request, evaluate};

/// Decides by the trust policy alone, as for `sts:AssumeRoleWithWebIdentity`,
/// whose caller has no identity policy. For `sts:AssumeRole` by a user or role
/// the caller's identity policies must allow it too when the trust policy names
/// only its account, or another account is concerned: ask [`crate::evaluate`].
///
/// The request's resource is the role's ARN; a trust policy has no `Resource`.
pub fn evaluate_trust(request: &Request, trust: &NamedPolicy) -> Decision {
    let judged = judge(&Asked::new(request), PolicyKind::Trust, trust);
    let outcome = if evaluate::denies(&judged) {
        Outcome::ExplicitlyDenied
    } else if evaluate::allows(&judged) {
        Outcome::Allowed
    } else {
        Outcome::ImplicitlyDenied
    };
    Decision {
        outcome,
        by: Some(PolicyKind::Trust),
        statements: judged.into_iter().map(|judged| judged.report).collect(),
    }
}
