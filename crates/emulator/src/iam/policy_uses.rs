//! Who uses a managed policy: by attachment, and as a boundary.

use super::call::{Call, Context};
use super::entity::{self, Entity};
use super::page::Page;
use super::records::{EntityPolicies, Group, Role, User};
use super::{Answer, policies};
use crate::error::AwsError;
use crate::store::{StoreError, View};
use crate::xml::Xml;

/// All that has policies in an account.
pub(super) struct Entities {
    pub(super) roles: Vec<Role>,
    pub(super) users: Vec<User>,
    pub(super) groups: Vec<Group>,
}

impl Entities {
    /// Those of an account.
    pub(super) fn of(records: &impl View, account: &str) -> Result<Self, StoreError> {
        Ok(Self {
            roles: entity::all(records, account)?,
            users: entity::all(records, account)?,
            groups: entity::all(records, account)?,
        })
    }

    /// How many attach the policy `arn`, and how many have it as boundary.
    pub(super) fn count(&self, arn: &str) -> (usize, usize) {
        let attached = |policies: &&EntityPolicies| policies.attached_policies.contains(arn);
        let bounded =
            |policies: &&EntityPolicies| policies.permissions_boundary.as_deref() == Some(arn);
        (
            self.policies().filter(attached).count(),
            self.policies().filter(bounded).count(),
        )
    }

    fn policies(&self) -> impl Iterator<Item = &EntityPolicies> {
        let roles = self.roles.iter().map(Entity::policies);
        let users = self.users.iter().map(Entity::policies);
        roles
            .chain(users)
            .chain(self.groups.iter().map(Entity::policies))
    }
}

/// One that uses a policy.
struct Using {
    /// With a capital.
    kind: String,
    name: String,
    id: String,
}

/// `ListEntitiesForPolicy`.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let prefix = call.path_prefix()?;
    let usage = usage_filter(call)?;
    let kinds = [
        "User",
        "Role",
        "Group",
        "LocalManagedPolicy",
        "AWSManagedPolicy",
    ];
    let wanted = call.parameters.one_of("EntityFilter", &kinds)?;
    let arn = policies::authorized(call, Context::new())?.arn;
    let entities = call
        .state
        .store
        .read(|reader| Entities::of(reader, call.account()))?;
    let uses = |policies: &EntityPolicies| {
        let bounded = policies.permissions_boundary.as_deref() == Some(arn.as_str());
        let attached = policies.attached_policies.contains(&arn);
        match usage {
            None => bounded || attached,
            Some("PermissionsBoundary") => bounded,
            Some(_) => attached,
        }
    };
    let mut found = Vec::new();
    collect(
        &mut found,
        &entities.groups,
        |group| &group.id,
        (prefix, &uses),
    );
    collect(
        &mut found,
        &entities.users,
        |user| &user.id,
        (prefix, &uses),
    );
    collect(
        &mut found,
        &entities.roles,
        |role| &role.id,
        (prefix, &uses),
    );
    found.retain(|user| wanted.is_none_or(|wanted| wanted == user.kind));
    let page = Page::of(call, found, |user| format!("{}/{}", user.kind, user.name))?;
    let of_kind = |kind: &str| {
        let of_kind = page.items.iter().filter(|user| user.kind == kind);
        let members = of_kind.map(|user| {
            Xml::new()
                .text(&format!("{kind}Name"), &user.name)
                .text(&format!("{kind}Id"), &user.id)
        });
        members.collect::<Vec<_>>()
    };
    let result = page
        .ends()
        .list("PolicyGroups", of_kind("Group"))
        .list("PolicyUsers", of_kind("User"))
        .list("PolicyRoles", of_kind("Role"));
    Ok(Some(result))
}

/// Which kind of use is asked for: `PermissionsPolicy` or
/// `PermissionsBoundary`.
pub(super) fn usage_filter<'a>(call: &'a Call<'_>) -> Result<Option<&'a str>, AwsError> {
    let kinds = ["PermissionsPolicy", "PermissionsBoundary"];
    call.parameters.one_of("PolicyUsageFilter", &kinds)
}

fn collect<E: Entity>(
    found: &mut Vec<Using>,
    entities: &[E],
    id: fn(&E) -> &String,
    (prefix, uses): (&str, &dyn Fn(&EntityPolicies) -> bool),
) {
    let kind = entity::capital(E::KIND);
    let users = entities.iter().filter(|entity| uses(entity.policies()));
    let users = users.filter(|entity| entity.path().starts_with(prefix));
    found.extend(users.map(|entity| Using {
        kind: kind.clone(),
        name: entity.name().to_owned(),
        id: id(entity).clone(),
    }));
}
