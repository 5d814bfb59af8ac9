//! What has policies: roles, users and groups, under one set of rules.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::{Call, Context, conflict, exists, missing, within};
use super::records::{
    EntityPolicies, GROUPS, Group, ROLES, Role, Tags, USERS, User, entity_key, entity_prefix,
};
use super::tags;
use crate::error::AwsError;
use crate::store::{StoreError, Table, View, Writer};

/// The condition key of a boundary.
pub(super) const BOUNDARY_KEY: &str = "iam:PermissionsBoundary";

/// A role, a user or a group.
pub(super) trait Entity: Serialize + DeserializeOwned + Clone + 'static {
    /// Its records, by account and name.
    const TABLE: Table<Self>;
    /// The word in sentences and ARNs: `role`.
    const KIND: &'static str;
    /// The parameter that names it, and the element.
    const NAME: &'static str;
    /// The longest name, in characters.
    const LONGEST_NAME: usize;
    /// How many an account has (IAM User Guide, "IAM and AWS STS quotas").
    const QUOTA: (&'static str, usize);
    /// Characters of its inline policies together, without white space.
    const INLINE_LIMIT: usize;

    fn name(&self) -> &str;
    fn path(&self) -> &str;
    fn arn(&self) -> &str;
    fn policies(&self) -> &EntityPolicies;
    fn policies_mut(&mut self) -> &mut EntityPolicies;
    /// Groups have none.
    fn tags(&self) -> Option<&Tags>;
}

impl Entity for Role {
    const TABLE: Table<Self> = ROLES;
    const KIND: &'static str = "role";
    const NAME: &'static str = "RoleName";
    const LONGEST_NAME: usize = 64;
    const QUOTA: (&'static str, usize) = ("RolesPerAccount", 1_000);
    const INLINE_LIMIT: usize = 10_240;

    fn name(&self) -> &str {
        &self.name
    }
    fn path(&self) -> &str {
        &self.path
    }
    fn arn(&self) -> &str {
        &self.arn
    }
    fn policies(&self) -> &EntityPolicies {
        &self.policies
    }
    fn policies_mut(&mut self) -> &mut EntityPolicies {
        &mut self.policies
    }
    fn tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}

impl Entity for User {
    const TABLE: Table<Self> = USERS;
    const KIND: &'static str = "user";
    const NAME: &'static str = "UserName";
    const LONGEST_NAME: usize = 64;
    const QUOTA: (&'static str, usize) = ("UsersPerAccount", 5_000);
    const INLINE_LIMIT: usize = 2_048;

    fn name(&self) -> &str {
        &self.name
    }
    fn path(&self) -> &str {
        &self.path
    }
    fn arn(&self) -> &str {
        &self.arn
    }
    fn policies(&self) -> &EntityPolicies {
        &self.policies
    }
    fn policies_mut(&mut self) -> &mut EntityPolicies {
        &mut self.policies
    }
    fn tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }
}

impl Entity for Group {
    const TABLE: Table<Self> = GROUPS;
    const KIND: &'static str = "group";
    const NAME: &'static str = "GroupName";
    const LONGEST_NAME: usize = 128;
    const QUOTA: (&'static str, usize) = ("GroupsPerAccount", 300);
    const INLINE_LIMIT: usize = 5_120;

    fn name(&self) -> &str {
        &self.name
    }
    fn path(&self) -> &str {
        &self.path
    }
    fn arn(&self) -> &str {
        &self.arn
    }
    fn policies(&self) -> &EntityPolicies {
        &self.policies
    }
    fn policies_mut(&mut self) -> &mut EntityPolicies {
        &mut self.policies
    }
    fn tags(&self) -> Option<&Tags> {
        None
    }
}

/// All entities of a kind in an account, by name.
pub(super) fn all<E: Entity>(records: &impl View, account: &str) -> Result<Vec<E>, StoreError> {
    let listed = records.list(&E::TABLE, &entity_prefix(account))?;
    Ok(listed.into_iter().map(|(_, entity)| entity).collect())
}

/// Stores a new entity. Names that differ in case only are the same to AWS,
/// whatever their paths.
pub(super) fn create<E: Entity>(
    writer: &Writer,
    account: &str,
    entity: &E,
) -> Result<(), AwsError> {
    let others = writer.list(&E::TABLE, &entity_prefix(account))?;
    let same = |(_, other): &(String, E)| other.name().eq_ignore_ascii_case(entity.name());
    if others.iter().any(same) {
        let name = entity.name();
        return Err(exists(format!(
            "{} with name {name} already exists.",
            capital(E::KIND)
        )));
    }
    within(others.len() + 1, E::QUOTA)?;
    writer.put(&E::TABLE, &entity_key(account, entity.name()), entity)?;
    Ok(())
}

/// The entity that the request names, if the caller may do this to it. One that
/// is not there is asked for as one without a path.
pub(super) fn authorized<E: Entity>(call: &Call<'_>, context: Context) -> Result<E, AwsError> {
    named(call, call.entity_name::<E>()?, context)
}

/// As `authorized`, by its name.
pub(super) fn named<E: Entity>(
    call: &Call<'_>,
    name: &str,
    mut context: Context,
) -> Result<E, AwsError> {
    let key = entity_key(call.account(), name);
    let found = call
        .state
        .store
        .read(|reader| reader.get(&E::TABLE, &key))?;
    let Some(entity): Option<E> = found else {
        call.authorize(&call.arn(&format!("{}/{name}", E::KIND)), context)?;
        return Err(gone::<E>(name));
    };
    if let Some(tags) = entity.tags() {
        context.extend(tags::resource_context(tags));
    }
    let asks_for_boundary = context.iter().any(|(key, _)| key == BOUNDARY_KEY);
    if let (Some(boundary), false) = (&entity.policies().permissions_boundary, asks_for_boundary) {
        context.push((BOUNDARY_KEY.to_owned(), boundary.clone()));
    }
    call.authorize(entity.arn(), context)?;
    Ok(entity)
}

/// Changes the entity that the request names and returns what it became.
pub(super) fn change<E: Entity>(
    call: &Call<'_>,
    context: Context,
    work: impl FnOnce(&Writer, &mut E) -> Result<(), AwsError>,
) -> Result<E, AwsError> {
    let entity: E = authorized(call, context)?;
    update(call, entity.name(), work)
}

/// Changes an entity for a caller that has been authorized.
pub(super) fn update<E: Entity>(
    call: &Call<'_>,
    name: &str,
    work: impl FnOnce(&Writer, &mut E) -> Result<(), AwsError>,
) -> Result<E, AwsError> {
    let key = entity_key(call.account(), name);
    call.state.store.write(|writer| {
        let found = writer.get(&E::TABLE, &key)?;
        let mut entity: E = found.ok_or_else(|| gone::<E>(name))?;
        work(writer, &mut entity)?;
        writer.put(&E::TABLE, &key, &entity)?;
        Ok(entity)
    })
}

/// Removes the entity that the request names, once nothing hangs on it.
pub(super) fn delete<E: Entity>(
    call: &Call<'_>,
    check: impl FnOnce(&Writer, &E) -> Result<(), AwsError>,
) -> Result<(), AwsError> {
    let entity: E = authorized(call, Context::new())?;
    let key = entity_key(call.account(), entity.name());
    call.state.store.write(|writer| {
        let found = writer.get(&E::TABLE, &key)?;
        let entity: E = found.ok_or_else(|| gone::<E>(entity.name()))?;
        if !entity.policies().attached_policies.is_empty() {
            let sentence = "Cannot delete entity, must detach all policies first.";
            return Err(conflict(sentence));
        }
        if !entity.policies().inline_policies.is_empty() {
            let sentence = "Cannot delete entity, must delete policies first.";
            return Err(conflict(sentence));
        }
        check(writer, &entity)?;
        writer.remove(&E::TABLE, &key)?;
        Ok(())
    })
}

/// There is no such entity.
pub(super) fn gone<E: Entity>(name: &str) -> AwsError {
    missing(format!("The {} with name {name} cannot be found.", E::KIND))
}

/// A word with a capital.
pub(super) fn capital(word: &str) -> String {
    let mut characters = word.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
