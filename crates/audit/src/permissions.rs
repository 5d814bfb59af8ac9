//! What the session of a role may do, compared with what a publish needs.

mod actions;
mod asking;
mod gather;
mod inventory;
mod managed;

use std::collections::BTreeSet;

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
    let own = setup.ecr_repositories.first().map(String::as_str);
    of_account(
        setup,
        &Gathered::new(inventory, root, role, own),
        &mut found,
    );
    for repository in &setup.ecr_repositories {
        let gathered = Gathered::new(inventory, root, role, Some(repository));
        of_repository(repository, &gathered, &mut found);
    }
    let mut seen = BTreeSet::new();
    found
        .prevented_by
        .retain(|reason| seen.insert(reason.clone()));
    found
}

/// What is asked about no repository of the setup: the login, what ECR does for the whole
/// account, other repositories, and what policies list of other services.
fn of_account(setup: &Setup, gathered: &Gathered<'_>, found: &mut Permissions) {
    let asking = Asking::new(gathered);
    found.prevented_by.extend(gathered.unknowns.clone());
    if !setup.ecr_repositories.is_empty() {
        need(TOKEN, "*", (gathered, &asking), found);
    }
    let mut others = gathered.named_repositories();
    others.retain(|other| !setup.ecr_repositories.contains(other));
    let beside = setup.ecr_repositories.first().and_then(|own| sibling(own));
    for action in ECR_ACTIONS {
        let mut allowed = |resource: &str, what: &str| {
            if asking.answer(action.name, resource) != Answer::Denied {
                found.excess.push(format!("{} on {what}", action.name));
            }
        };
        match action.level {
            Level::Registry if !NEEDED.contains(&action.name) => allowed("*", "*"),
            Level::Registry => {}
            Level::Repository => {
                for other in &others {
                    allowed(other, other);
                }
                if let Some(beside) = &beside {
                    allowed(beside, "other repositories");
                }
            }
        }
    }
    found.excess.extend(gathered.of_other_services());
}

/// What is asked about one repository of the setup.
fn of_repository(repository: &str, gathered: &Gathered<'_>, found: &mut Permissions) {
    let asking = Asking::new(gathered);
    found.prevented_by.extend(gathered.unknowns.clone());
    for action in needed(false) {
        need(action, repository, (gathered, &asking), found);
    }
    for action in ECR_ACTIONS {
        let counts = action.level == Level::Repository && !NEEDED.contains(&action.name);
        if counts && asking.answer(action.name, repository) != Answer::Denied {
            found
                .excess
                .push(format!("{} on {repository}", action.name));
        }
    }
}

/// An action that a publish needs.
fn need(
    action: &str,
    resource: &str,
    (gathered, asking): (&Gathered<'_>, &Asking<'_>),
    found: &mut Permissions,
) {
    match asking.answer(action, resource) {
        Answer::Allowed => {}
        Answer::Denied if gathered.may_allow_more() => {}
        Answer::Denied => found.missing.push(format!("{action} on {resource}")),
        Answer::Depends(keys) => found.prevented_by.push(format!(
            "Whether {action} is allowed on {resource} depends on {keys}."
        )),
    }
}

/// A repository that nobody has made, beside another: what is allowed there is
/// allowed by a wildcard.
fn sibling(repository: &str) -> Option<String> {
    let (registry, _) = repository.split_once(":repository/")?;
    Some(format!("{registry}:repository/zz/any-other-repository"))
}

#[cfg(test)]
mod tests;
