//! AWS's order of evaluation.
//!
//! Source: IAM User Guide, "How AWS enforcement code logic evaluates requests
//! to allow or deny access" and "Cross-account policy evaluation logic". An
//! explicit Deny anywhere decides. Otherwise each kind of policy in force must
//! allow; inside one account a resource policy can stand in for the identity
//! policies, and, when it names the caller directly, for the boundary and
//! session policies too.

use crate::principal_match::Directness;
use crate::statement_match::{Asked, Judged, judge};
use crate::{Decision, Effect, NamedPolicy, Outcome, Policies, PolicyKind, Principal, Request};

/// Decides one request under the policies that apply to it.
pub fn evaluate(request: &Request, policies: &Policies) -> Decision {
    let at_resource = AtResource {
        kind: PolicyKind::Resource,
        policy: policies.resource.as_ref(),
        beside: policies.registry.as_ref(),
        alone_decides: false,
    };
    decide(request, policies, &at_resource)
}

/// The policy that stands at the resource.
pub(crate) struct AtResource<'a> {
    pub(crate) kind: PolicyKind,
    pub(crate) policy: Option<&'a NamedPolicy>,
    /// One more that has the same say.
    pub(crate) beside: Option<&'a NamedPolicy>,
    /// Whether nothing else can stand in for its Allow, as with trust policies.
    pub(crate) alone_decides: bool,
}

pub(crate) fn decide(request: &Request, policies: &Policies, resource: &AtResource) -> Decision {
    let evidence = Evidence::gather(request, policies, resource);
    let (outcome, by) = match evidence.denied_by(resource.kind) {
        Some(kind) => (Outcome::ExplicitlyDenied, kind),
        None => match evidence.allowed_by(request, resource) {
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
    resource_control: Vec<Vec<Judged>>,
    service_control: Vec<Vec<Judged>>,
    resource: Vec<Judged>,
    identity: Vec<Judged>,
    boundary: Option<Vec<Judged>>,
    session: Option<Vec<Judged>>,
}

impl Evidence {
    fn gather(request: &Request, policies: &Policies, resource: &AtResource) -> Self {
        let asked = Asked {
            has_boundary: policies.boundary.is_some(),
            ..Asked::new(request)
        };
        let judge_all = |kind, list: &[NamedPolicy]| -> Vec<Judged> {
            list.iter()
                .flat_map(|policy| judge(&asked, kind, policy))
                .collect()
        };
        let judge_levels = |kind, levels: &[Vec<NamedPolicy>]| -> Vec<Vec<Judged>> {
            levels.iter().map(|level| judge_all(kind, level)).collect()
        };
        let resource_control =
            judge_levels(PolicyKind::ResourceControl, &policies.resource_control);
        let resource = resource
            .policy
            .into_iter()
            .chain(resource.beside)
            .flat_map(|policy| judge(&asked, resource.kind, policy))
            .collect();
        // A caller without an account has nothing that limits it from its side.
        if request.principal.account().is_none() {
            return Self {
                resource_control,
                service_control: Vec::new(),
                resource,
                identity: Vec::new(),
                boundary: None,
                session: None,
            };
        }
        Self {
            resource_control,
            service_control: judge_levels(PolicyKind::ServiceControl, &policies.service_control),
            resource,
            identity: judge_all(PolicyKind::Identity, &policies.identity),
            boundary: policies
                .boundary
                .as_ref()
                .map(|policy| judge(&asked, PolicyKind::PermissionsBoundary, policy)),
            session: policies
                .session
                .as_deref()
                .map(|list| judge_all(PolicyKind::Session, list)),
        }
    }

    /// The first kind with a Deny that applies. AWS names only one; which is
    /// not documented, the order of evaluation is inferred.
    fn denied_by(&self, resource_kind: PolicyKind) -> Option<PolicyKind> {
        let boundary = self.boundary.as_deref().unwrap_or_default();
        let session = self.session.as_deref().unwrap_or_default();
        let in_order = [
            (
                PolicyKind::ResourceControl,
                self.resource_control.as_slice(),
            ),
            (PolicyKind::ServiceControl, &self.service_control),
        ];
        let control = in_order
            .into_iter()
            .find(|(_, levels)| levels.iter().any(|level| denies(level)))
            .map(|(kind, _)| kind);
        control.or_else(|| {
            [
                (resource_kind, self.resource.as_slice()),
                (PolicyKind::Identity, &self.identity),
                (PolicyKind::PermissionsBoundary, boundary),
                (PolicyKind::Session, session),
            ]
            .into_iter()
            .find(|(_, judged)| denies(judged))
            .map(|(kind, _)| kind)
        })
    }

    /// The kind that allows, or else the one whose Allow is missing.
    fn allowed_by(
        &self,
        request: &Request,
        resource: &AtResource,
    ) -> Result<PolicyKind, PolicyKind> {
        let principal = &request.principal;
        every_level_allows(&self.resource_control, PolicyKind::ResourceControl)?;
        every_level_allows(&self.service_control, PolicyKind::ServiceControl)?;
        let granted = self.granted_by_resource();
        let same_account = principal.account() == Some(request.resource_account.as_str());
        if granted.is_none() && (resource.alone_decides || !same_account) {
            return Err(resource.kind);
        }
        if principal.account().is_none() || (same_account && granted == Some(Directness::Itself)) {
            return Ok(resource.kind);
        }
        let by = if same_account && granted == Some(Directness::Role) {
            resource.kind
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

    fn into_reports(self) -> Vec<crate::StatementReport> {
        let levels = self
            .resource_control
            .into_iter()
            .chain(self.service_control);
        let last = self.boundary.into_iter().chain(self.session);
        levels
            .chain([self.resource, self.identity])
            .chain(last)
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

fn every_level_allows(levels: &[Vec<Judged>], kind: PolicyKind) -> Result<(), PolicyKind> {
    levels
        .iter()
        .try_for_each(|level| must_allow(Some(level), kind))
}
