//! The trust policy of a role.

use crate::evaluate::{AtResource, decide};
use crate::statement_match::{Asked, judge};
use crate::{Decision, NamedPolicy, Outcome, Policies, PolicyKind, Request, evaluate};

/// Decides by the trust policy alone, as for `sts:AssumeRoleWithWebIdentity`,
/// whose caller has no identity policy. Where more policies have a say, as for
/// `sts:AssumeRole` by a user or role, ask [`evaluate_assume_role`].
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

/// Decides whether a caller may assume a role, from the trust policy and
/// everything that limits the caller or the role's account. `policies.resource`
/// is not looked at: the trust policy is the role's policy.
///
/// The trust policy must allow by itself, unlike other resource policies. In
/// the role's account it is enough when it names the caller directly, and where
/// it names only the account, the caller's identity policies must allow too.
/// Across accounts they always must (IAM User Guide, "How AWS enforcement code
/// logic evaluates requests" and "Cross account resource access in IAM").
pub fn evaluate_assume_role(
    request: &Request,
    trust: &NamedPolicy,
    policies: &Policies,
) -> Decision {
    let role = AtResource {
        kind: PolicyKind::Trust,
        policy: Some(trust),
        beside: None,
        alone_decides: true,
    };
    decide(request, policies, &role)
}
