//! What the session of a role may do, compared with what a publish needs.

mod actions;
mod asking;
mod gather;
mod inventory;
mod managed;

use terraform::Role;

use crate::{Setup, TerraformRoot};

pub(crate) use actions::{ECR_ACTIONS, Level, NEEDED, TOKEN, changes_images, harmless, needed};
pub(crate) use asking::{Answer, Asking};
pub(crate) use gather::{Gathered, SeenPolicy};
pub(crate) use inventory::Inventory;

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

/// Compares the permissions of a role with what a publish to the repositories of
/// the setup needs; without a repository nothing can be missing.
pub(crate) fn permissions(
    setup: &Setup,
    inventory: &Inventory<'_>,
    (root, role): (&TerraformRoot, &Role),
) -> Permissions {
    let mut found = Permissions::default();
    let own = setup.ecr_repositories.iter().map(|own| Some(own.as_str()));
    let mut own: Vec<_> = own.collect();
    if own.is_empty() {
        own.push(None);
    }
    for (place, own) in own.into_iter().enumerate() {
        let gathered = Gathered::new(inventory, root, role, own);
        let asking = Asking::new(&gathered);
        let mut of = Permissions {
            prevented_by: gathered.unknowns.clone(),
            missing: Vec::new(),
            excess: excess(setup, (own, place == 0), &gathered, &asking),
        };
        if let Some(repository) = own {
            missing(repository, place == 0, (&gathered, &asking), &mut of);
        }
        found.missing.extend(of.missing);
        found.excess.extend(of.excess);
        for reason in of.prevented_by {
            if !found.prevented_by.contains(&reason) {
                found.prevented_by.push(reason);
            }
        }
    }
    found
}

/// What a publish to one repository needs; what is about none only where this is the
/// first.
fn missing(
    repository: &str,
    first: bool,
    (gathered, asking): (&Gathered<'_>, &Asking<'_>),
    found: &mut Permissions,
) {
    for action in needed(first) {
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

/// Everything that may be done and is not needed: the actions of ECR on this
/// repository, and where it is the first, on others, and what policies list of other
/// services.
fn excess(
    setup: &Setup,
    (repository, first): (Option<&str>, bool),
    gathered: &Gathered<'_>,
    asking: &Asking<'_>,
) -> Vec<String> {
    let mut excess = Vec::new();
    let mut others = gathered.named_repositories();
    others.retain(|other| !setup.ecr_repositories.contains(other));
    if let Some(sibling) = repository.and_then(sibling) {
        others.push(sibling);
    }
    if !first {
        others.clear();
    }
    for action in ECR_ACTIONS {
        let needed = NEEDED.contains(&action.name);
        let may = |resource: &str| asking.answer(action.name, resource) != Answer::Denied;
        match (action.level, repository) {
            (Level::Registry, _) if first && !needed && may("*") => {
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
    if first {
        excess.extend(gathered.of_other_services());
    }
    excess
}

/// A repository that nobody has made, beside another: what is allowed there is
/// allowed by a wildcard.
fn sibling(repository: &str) -> Option<String> {
    let (registry, _) = repository.split_once(":repository/")?;
    Some(format!("{registry}:repository/zz/any-other-repository"))
}

#[cfg(test)]
mod tests;
