//! AWS's order of evaluation.
//!
//! Source: IAM User Guide, "Policy evaluation logic" (single account and
//! cross-account). An explicit Deny anywhere decides. Otherwise each kind of
//! policy in force must allow; inside one account a resource policy can stand
//! in for the identity policies, and, when it names the caller directly, for
//! the boundary and session policies too.

use crate::principal_match::Directness;
use crate::statement_match::{Asked, Judged, judge};
use crate::{Decision, Effect, NamedPolicy, Outcome, Policies, PolicyKind, Principal, Request};

/// Decides one request under the policies that apply to it.
pub fn evaluate(request: &Request, policies: &Policies) -> Decision {
    let evidence = Evidence::gather(&Asked::new(request), policies);
    let (outcome, by) = match evidence.denied_by() {
        Some(kind) => (Outcome::ExplicitlyDenied, kind),
        None => match evidence.allowed_by(&request.principal, &request.resource_account) {
            Ok(kind) => (Outcome::Allowed, kind),
            Err(missing) => (Outcome::ImplicitlyDenied, missing),
        },
    };
    Decision {
        outcome,
        by: Some(by),
        statements: evidence.into_reports(),
    }
}

/// Whether a Deny statement applies.
pub(crate) fn denies(judged: &[Judged]) -> bool {
    applying(judged, Effect::Deny).next().is_some()
}

/// Whether an Allow statement applies.
pub(crate) fn allows(judged: &[Judged]) -> bool {
    applying(judged, Effect::Allow).next().is_some()
}

fn applying(judged: &[Judged], effect: Effect) -> impl Iterator<Item = &Judged> {
    judged
        .iter()
        .filter(move |judged| judged.report.effect == effect && judged.applies())
}

/// Every statement judged, by kind of policy; `None` for kinds not in force.
struct Evidence {
    service_control: Option<Vec<Judged>>,
    resource_control: Option<Vec<Judged>>,
    resource: Vec<Judged>,
    identity: Vec<Judged>,
    boundary: Option<Vec<Judged>>,
    session: Option<Vec<Judged>>,
}

impl Evidence {
    fn gather(asked: &Asked, policies: &Policies) -> Self {
        let judge_all = |kind, list: &[NamedPolicy]| -> Vec<Judged> {
            list.iter()
                .flat_map(|policy| judge(asked, kind, policy))
                .collect()
        };
        // A caller without an account has nothing that limits it from its side.
        let has_account = asked.request.principal.account().is_some();
        let limiting = |kind, list: Option<&[NamedPolicy]>| {
            list.filter(|_| has_account)
                .map(|list| judge_all(kind, list))
        };
        let identity = if has_account {
            judge_all(PolicyKind::Identity, &policies.identity)
        } else {
            Vec::new()
        };
        Self {
            service_control: limiting(
                PolicyKind::ServiceControl,
                policies.service_control.as_deref(),
            ),
            resource_control: policies
                .resource_control
                .as_deref()
                .map(|list| judge_all(PolicyKind::ResourceControl, list)),
            resource: judge_all(PolicyKind::Resource, policies.resource.as_slice()),
            identity,
            boundary: limiting(
                PolicyKind::PermissionsBoundary,
                policies.boundary.as_ref().map(std::slice::from_ref),
            ),
            session: limiting(PolicyKind::Session, policies.session.as_deref()),
        }
    }

    /// The first kind that holds an applying Deny. When several do, AWS names
    /// one; which is not documented, this order is inferred.
    fn denied_by(&self) -> Option<PolicyKind> {
        self.in_order()
            .into_iter()
            .find(|(_, judged)| denies(judged))
            .map(|(kind, _)| kind)
    }

    /// The kind that allows, or else the one whose Allow is missing.
    fn allowed_by(
        &self,
        principal: &Principal,
        resource_account: &str,
    ) -> Result<PolicyKind, PolicyKind> {
        must_allow(self.service_control.as_deref(), PolicyKind::ServiceControl)?;
        must_allow(
            self.resource_control.as_deref(),
            PolicyKind::ResourceControl,
        )?;
        let granted = self.granted_by_resource();
        let same_account = principal.account() == Some(resource_account);
        if !same_account && granted.is_none() {
            return Err(PolicyKind::Resource);
        }
        if principal.account().is_none() || (same_account && granted == Some(Directness::Itself)) {
            return granted
                .map(|_| PolicyKind::Resource)
                .ok_or(PolicyKind::Resource);
        }
        let by = if same_account && granted >= Some(Directness::RoleOrEveryone) {
            PolicyKind::Resource
        } else {
            // The root user has every permission of its account.
            if !matches!(principal, Principal::AccountRoot { .. }) {
                must_allow(Some(&self.identity), PolicyKind::Identity)?;
            }
            PolicyKind::Identity
        };
        must_allow(self.boundary.as_deref(), PolicyKind::PermissionsBoundary)?;
        must_allow(self.session.as_deref(), PolicyKind::Session)?;
        Ok(by)
    }

    /// The most direct grant of the resource policy.
    fn granted_by_resource(&self) -> Option<Directness> {
        applying(&self.resource, Effect::Allow)
            .filter_map(|judged| judged.directness)
            .max()
    }

    fn in_order(&self) -> [(PolicyKind, &[Judged]); 6] {
        [
            (
                PolicyKind::ServiceControl,
                self.service_control.as_deref().unwrap_or_default(),
            ),
            (
                PolicyKind::ResourceControl,
                self.resource_control.as_deref().unwrap_or_default(),
            ),
            (PolicyKind::Resource, &self.resource),
            (PolicyKind::Identity, &self.identity),
            (
                PolicyKind::PermissionsBoundary,
                self.boundary.as_deref().unwrap_or_default(),
            ),
            (
                PolicyKind::Session,
                self.session.as_deref().unwrap_or_default(),
            ),
        ]
    }

    fn into_reports(self) -> Vec<crate::StatementReport> {
        let limits = [self.service_control, self.resource_control];
        let last = [self.boundary, self.session];
        limits
            .into_iter()
            .flatten()
            .chain([self.resource, self.identity])
            .chain(last.into_iter().flatten())
            .flatten()
            .map(|judged| judged.report)
            .collect()
    }
}

/// A kind that is in force must allow.
fn must_allow(judged: Option<&[Judged]>, kind: PolicyKind) -> Result<(), PolicyKind> {
    match judged {
        Some(judged) if !allows(judged) => Err(kind),
        _ => Ok(()),
    }
}
