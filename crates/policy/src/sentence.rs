//! The texts in which AWS refuses (IAM User Guide, "Troubleshoot access denied
//! error messages").

use crate::{Decision, Effect, Outcome, PolicyKind, Principal, Request};

/// AWS's text for a denial. STS gives no detail at all about a web identity.
pub(crate) fn denial(decision: &Decision, request: &Request) -> String {
    let action = &request.action;
    if matches!(request.principal, Principal::Federated { .. }) {
        return format!("Not authorized to perform {action}");
    }
    let who = request.principal.display_name();
    let refused = format!(
        "User: {who} is not authorized to perform: {action} on resource: {}",
        request.resource
    );
    match (decision.outcome, decision.by) {
        (Outcome::ImplicitlyDenied, Some(kind)) if kind != PolicyKind::Trust => {
            let policy = kind_name(kind);
            format!("{refused} because no {policy} allows the {action} action")
        }
        (Outcome::ExplicitlyDenied, Some(kind)) if kind != PolicyKind::Trust => {
            let article = match kind {
                PolicyKind::Identity => "an",
                _ => "a",
            };
            let policy = kind_name(kind);
            let arn = denying_policy_arn(decision, kind);
            format!("{refused} with an explicit deny in {article} {policy}{arn}")
        }
        // A trust policy is not named in AWS's text (inferred for AssumeRole).
        _ => refused,
    }
}

/// How AWS's texts name a kind of policy.
pub(crate) fn kind_name(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Identity => "identity-based policy",
        PolicyKind::Resource => "resource-based policy",
        PolicyKind::Session => "session policy",
        PolicyKind::PermissionsBoundary => "permissions boundary",
        PolicyKind::ServiceControl => "service control policy",
        PolicyKind::ResourceControl => "resource control policy",
        PolicyKind::Trust => "trust policy",
    }
}

/// `: ARN` of the policy that denies; a name that is no ARN stays unsaid.
fn denying_policy_arn(decision: &Decision, kind: PolicyKind) -> String {
    decision
        .statements
        .iter()
        .find(|report| {
            report.kind == kind && report.effect == Effect::Deny && report.mismatches.is_empty()
        })
        .filter(|report| report.policy.starts_with("arn:"))
        .map(|report| format!(": {}", report.policy))
        .unwrap_or_default()
}
