//! Groups, and who is in them.

use super::call::{Call, Context, conflict, within};
use super::entity::{self, authorized, named};
use super::page::Page;
use super::records::{EntityPolicies, GROUPS, Group, User, entity_key};
use super::{Answer, users};
use crate::error::AwsError;
use crate::random;
use crate::store::View;
use crate::xml::Xml;

const GROUPS_OF_A_USER: usize = 10;

/// `CreateGroup`.
pub(super) fn create(call: &Call<'_>) -> Answer {
    let name = call.entity_name::<Group>()?;
    let path = call.path()?;
    let group = Group {
        name: name.to_owned(),
        path: path.to_owned(),
        arn: call.arn(&format!("group{path}{name}")),
        id: random::identifier("AGPA"),
        created: call.state.clock.now(),
        policies: EntityPolicies::default(),
    };
    call.authorize(&group.arn, Context::new())?;
    call.state
        .store
        .write(|writer| entity::create(writer, call.account(), &group))?;
    Ok(Some(Xml::new().element("Group", &describe(&group))))
}

/// `GetGroup`: the group, and a page of its users.
pub(super) fn get(call: &Call<'_>) -> Answer {
    let group: Group = authorized(call, Context::new())?;
    let users: Vec<User> = call
        .state
        .store
        .read(|reader| entity::all(reader, call.account()))?;
    let members = users
        .into_iter()
        .filter(|user| user.groups.contains(&group.name));
    let page = Page::of(call, members, |user| user.name.clone())?;
    let result = Xml::new()
        .element("Group", &describe(&group))
        .list("Users", page.items.iter().map(users::describe));
    Ok(Some(result.append(&page.ends())))
}

/// `ListGroups`.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let prefix = call.path_prefix()?;
    call.authorize(&call.arn(&format!("group{prefix}")), Context::new())?;
    let groups: Vec<Group> = call
        .state
        .store
        .read(|reader| entity::all(reader, call.account()))?;
    let wanted = groups
        .into_iter()
        .filter(|group| group.path.starts_with(prefix));
    let page = Page::of(call, wanted, |group| group.name.clone())?;
    Ok(Some(
        page.ends().list("Groups", page.items.iter().map(describe)),
    ))
}

/// `ListGroupsForUser`.
pub(super) fn list_of_user(call: &Call<'_>) -> Answer {
    let user: User = authorized(call, Context::new())?;
    let groups = call.state.store.read(|reader| {
        let found = user.groups.iter().map(|name| {
            let key = entity_key(call.account(), name);
            View::get(reader, &GROUPS, &key)
        });
        found.collect::<Result<Vec<_>, _>>()
    })?;
    let page = Page::of(call, groups.into_iter().flatten(), |group| {
        group.name.clone()
    })?;
    Ok(Some(
        page.ends().list("Groups", page.items.iter().map(describe)),
    ))
}

/// `DeleteGroup`.
pub(super) fn delete(call: &Call<'_>) -> Answer {
    entity::delete::<Group>(call, |writer, group| {
        let users: Vec<User> = entity::all(writer, call.account())?;
        if users.iter().any(|user| user.groups.contains(&group.name)) {
            let sentence = "Cannot delete entity, must remove users from group first.";
            return Err(conflict(sentence));
        }
        Ok(())
    })?;
    Ok(None)
}

/// `AddUserToGroup`; who is in it already is no error.
pub(super) fn add_user(call: &Call<'_>) -> Answer {
    let (group, user) = group_and_user(call)?;
    entity::update::<User>(call, &user, |writer, user| {
        let key = entity_key(call.account(), &group);
        if writer.get(&GROUPS, &key)?.is_none() {
            return Err(entity::gone::<Group>(&group));
        }
        user.groups.insert(group.clone());
        within(user.groups.len(), ("GroupsPerUser", GROUPS_OF_A_USER))
    })?;
    Ok(None)
}

/// `RemoveUserFromGroup`; who is not in it is no error (inferred).
pub(super) fn remove_user(call: &Call<'_>) -> Answer {
    let (group, user) = group_and_user(call)?;
    entity::update::<User>(call, &user, |_, user| {
        user.groups.remove(&group);
        Ok(())
    })?;
    Ok(None)
}

/// The resource of both operations is the group (Service Authorization
/// Reference).
fn group_and_user(call: &Call<'_>) -> Result<(String, String), AwsError> {
    let user = call.entity_name::<User>()?.to_owned();
    let name = call.entity_name::<Group>()?;
    let group = named::<Group>(call, name, Context::new())?;
    Ok((group.name, user))
}

/// A group.
pub(super) fn describe(group: &Group) -> Xml {
    Xml::new()
        .text("Path", &group.path)
        .text("GroupName", &group.name)
        .text("GroupId", &group.id)
        .text("Arn", &group.arn)
        .time("CreateDate", group.created)
}
