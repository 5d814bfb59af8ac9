//! What the session of a role may do, compared with what a publish needs.

mod actions;
mod gather;

use policy::keys::{Presence, in_session};
use policy::{Condition, Context, Policies, Principal, Request, evaluate};
use terraform::Role;

use crate::Setup;
use crate::reading::{Reading, is_of_the_request};

pub(crate) use actions::{ECR_ACTIONS, Level, NEEDED, TOKEN, harmless};
pub(crate) use gather::{Gathered, SeenPolicy};

/// What a role may do beside what a publish needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Permissions {
    /// Actions that a publish needs and that nothing allows, with the resource.
    pub(crate) missing: Vec<String>,
    /// What may be done and is not needed, with the resource.
    pub(crate) excess: Vec<String>,
    /// Why this is not certain.
    pub(crate) prevented_by: Vec<String>,
}

/// Compares the permissions of a role with what a publish to the repository of
/// the setup needs; without a repository nothing can be missing.
pub(crate) fn permissions(setup: &Setup, role: &Role) -> Permissions {
    let gathered = Gathered::new(setup, role);
    let mut found = Permissions {
        prevented_by: gathered.prevented_by.clone(),
        ..Permissions::default()
    };
    let asking = Asking::new(setup, role, &gathered);
    if let Some(repository) = &setup.ecr_repository {
        for action in NEEDED {
            let resource = if action == TOKEN { "*" } else { repository };
            match asking.answer(action, resource) {
                Answer::Allowed => {}
                Answer::Denied if gathered.may_allow_more() => {}
                Answer::Denied => found.missing.push(format!("{action} on {resource}")),
                Answer::Depends(keys) => found.prevented_by.push(format!(
                    "Whether {action} is allowed on {resource} depends on {keys}."
                )),
            }
        }
    }
    found.excess = excess(setup, &gathered, &asking);
    found
}

/// Everything that may be done and is not needed: the actions of ECR on this
/// repository and on others, and what policies list of other services.
fn excess(setup: &Setup, gathered: &Gathered<'_>, asking: &Asking<'_>) -> Vec<String> {
    let mut excess = Vec::new();
    let repository = setup.ecr_repository.as_deref();
    let mut others = gathered.named_repositories();
    others.retain(|other| Some(other.as_str()) != repository);
    if let Some(sibling) = repository.and_then(sibling) {
        others.push(sibling);
    }
    for action in ECR_ACTIONS {
        let needed = NEEDED.contains(&action.name);
        let may = |resource: &str| asking.answer(action.name, resource) != Answer::Denied;
        match (action.level, repository) {
            (Level::Registry, _) if !needed && may("*") => {
                excess.push(format!("{} on *", action.name));
            }
            (Level::Repository, Some(own)) if !needed && may(own) => {
                excess.push(format!("{} on {own}", action.name));
            }
            _ => {}
        }
        for other in others.iter().filter(|_| action.level == Level::Repository) {
            if may(other) {
                let what = if repository.and_then(sibling).as_ref() == Some(other) {
                    "other repositories"
                } else {
                    other
                };
                excess.push(format!("{} on {what}", action.name));
            }
        }
    }
    excess.extend(gathered.of_other_services());
    excess
}

/// A repository that nobody has made, beside another: what is allowed there is
/// allowed by a wildcard.
fn sibling(repository: &str) -> Option<String> {
    let (registry, _) = repository.split_once(":repository/")?;
    Some(format!("{registry}:repository/zz/any-other-repository"))
}

/// Whether only a request decides a condition. A key that no session has is
/// known to be absent.
fn is_open(condition: &Condition, context: &Context) -> bool {
    let key = &condition.key;
    let variable = condition.values.iter().any(|value| value.contains("${"));
    let absent = context.get(key).is_none() && in_session(key) != Presence::Never;
    !is_of_the_request(key) && (variable || absent)
}

/// Whether an action is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Whatever is not known.
    Allowed,
    /// Whatever is not known.
    Denied,
    /// On conditions about these keys.
    Depends(String),
}

/// The session of a role, asking.
pub(crate) struct Asking<'a> {
    role: &'a Role,
    context: Context,
    /// Elsewhere, and on the repository whose own policy has a say.
    widest: [Policies; 2],
    narrowest: [Policies; 2],
    keys: String,
}

impl<'a> Asking<'a> {
    pub(crate) fn new(setup: &Setup, role: &'a Role, gathered: &Gathered<'_>) -> Self {
        let mut context = Context::new();
        context.insert("aws:SecureTransport", "true");
        context.insert("aws:PrincipalIsAWSService", "false");
        context.insert("aws:ViaAWSService", "false");
        for (key, value) in &role.tags {
            context.insert(&format!("aws:PrincipalTag/{key}"), value.clone());
        }
        let region = setup.ecr_repository.as_deref();
        if let Some(region) = region.and_then(|arn| arn.split(':').nth(3)) {
            context.insert("aws:RequestedRegion", region);
        }
        let keys = gathered.open_keys(&context);
        Self {
            role,
            widest: with_and_without(gathered.policies(Reading::Widest, &context)),
            narrowest: with_and_without(gathered.policies(Reading::Narrowest, &context)),
            context,
            keys: keys.join(", "),
        }
    }

    /// The same without the permissions boundary.
    pub(crate) fn unbounded(setup: &Setup, role: &'a Role, gathered: &Gathered<'_>) -> Self {
        let mut asking = Self::new(setup, role, gathered);
        let all = asking.widest.iter_mut().chain(&mut asking.narrowest);
        all.for_each(|policies| policies.boundary = None);
        asking
    }

    /// Whether the session may do it.
    pub(crate) fn answer(&self, action: &str, resource: &str) -> Answer {
        let account = self.role.arn.split(':').nth(4).unwrap_or_default();
        let owner = resource.split(':').nth(4).unwrap_or(account);
        let request = Request {
            principal: Principal::AssumedRole {
                account: account.to_owned(),
                role_arn: self.role.arn.clone(),
                session_arn: format!("arn:aws:sts::{account}:assumed-role/{}/any", self.role.name),
            },
            action: action.to_owned(),
            resource: resource.to_owned(),
            resource_account: owner.to_owned(),
            context: self.context.clone(),
        };
        // The repository's own policy speaks of that repository only.
        let allowed = |[elsewhere, own]: &[Policies; 2]| {
            let policy = own.resource.as_ref();
            let there = policy.is_some_and(|policy| policy.name == resource);
            evaluate(&request, if there { own } else { elsewhere }).is_allowed()
        };
        match (allowed(&self.widest), allowed(&self.narrowest)) {
            (_, true) => Answer::Allowed,
            (false, false) => Answer::Denied,
            (true, false) => Answer::Depends(self.keys.clone()),
        }
    }
}

/// The policies where a repository's own has no say, and where it has.
fn with_and_without(own: Policies) -> [Policies; 2] {
    let mut elsewhere = own.clone();
    elsewhere.resource = None;
    [elsewhere, own]
}

#[cfg(test)]
mod tests;
