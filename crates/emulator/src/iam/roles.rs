//! Roles: their making, their trust policy, their tags, their end.

use std::collections::{BTreeMap, BTreeSet};

use super::call::{Call, Context, conflict, exists, missing};
use super::records::{Origin, ROLES, Role, role_prefix};
use super::{Answer, documents, policies, tags};
use crate::error::AwsError;
use crate::random;
use crate::xml::Xml;

const DEFAULT_SESSION_SECONDS: i64 = 3_600;
const LONGEST_SESSION_SECONDS: i64 = 43_200;
const LONGEST_NAME: usize = 64;
const BOUNDARY_KEY: &str = "iam:PermissionsBoundary";

/// `CreateRole`. Names that differ in case only are the same to AWS.
pub(super) fn create(call: &Call<'_>) -> Answer {
    let role = requested(call)?;
    let mut context = tags::request_context(&role.tags);
    if let Some(boundary) = &role.permissions_boundary {
        context.push((BOUNDARY_KEY.to_owned(), boundary.clone()));
    }
    call.authorize(&role.arn, context)?;
    call.state.store.write(|writer| {
        let same = |(_, other): &(String, Role)| other.name.eq_ignore_ascii_case(&role.name);
        let prefix = role_prefix(call.account());
        if writer.list(&ROLES, &prefix)?.iter().any(same) {
            return Err(exists(format!(
                "Role with name {} already exists.",
                role.name
            )));
        }
        if let Some(boundary) = &role.permissions_boundary {
            check_boundary(
                policies::is_known(writer, call.account(), boundary)?,
                boundary,
            )?;
        }
        writer.put(&ROLES, &call.role_key(&role.name), &role)?;
        Ok(())
    })?;
    Ok(Some(Xml::new().element("Role", &describe_fully(&role))))
}

fn requested(call: &Call<'_>) -> Result<Role, AwsError> {
    let name = call.name("RoleName", LONGEST_NAME)?;
    let path = call.path()?;
    Ok(Role {
        name: name.to_owned(),
        path: path.to_owned(),
        arn: call.arn(&format!("role{path}{name}")),
        id: random::identifier("AROA"),
        created: call.state.clock.now(),
        origin: Origin::Call,
        trust_policy: documents::trust(call, "AssumeRolePolicyDocument")?.to_owned(),
        description: call.description()?,
        max_session_duration: session_duration(call)?.unwrap_or(DEFAULT_SESSION_SECONDS),
        inline_policies: BTreeMap::new(),
        attached_policies: BTreeSet::new(),
        permissions_boundary: match call.parameters.get("PermissionsBoundary") {
            Some(_) => Some(requested_boundary(call)?.to_owned()),
            None => None,
        },
        tags: tags::requested(call)?,
    })
}

/// `GetRole`.
pub(super) fn get(call: &Call<'_>) -> Answer {
    let role = authorized(call, Context::new())?;
    Ok(Some(Xml::new().element("Role", &describe_fully(&role))))
}

/// `ListRoles`, which leaves out boundaries and tags.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let prefix = call.parameters.get("PathPrefix").unwrap_or("/");
    call.authorize(&call.arn(&format!("role{prefix}")), Context::new())?;
    let prefix_of_keys = role_prefix(call.account());
    let roles = call
        .state
        .store
        .read(|reader| reader.list(&ROLES, &prefix_of_keys))?;
    let members = roles
        .iter()
        .filter(|(_, role)| role.path.starts_with(prefix))
        .map(|(_, role)| describe(role));
    Ok(Some(complete().list("Roles", members)))
}

/// `UpdateRole`: what is not given stays as it is (inferred).
pub(super) fn update(call: &Call<'_>) -> Answer {
    let duration = session_duration(call)?;
    let description = call.description()?;
    let has_description = call.parameters.get("Description").is_some();
    change(call, Context::new(), |role| {
        if has_description {
            role.description = description;
        }
        role.max_session_duration = duration.unwrap_or(role.max_session_duration);
        Ok(())
    })?;
    Ok(Some(Xml::new()))
}

/// `UpdateRoleDescription`.
pub(super) fn update_description(call: &Call<'_>) -> Answer {
    let description = call.description()?;
    let role = change(call, Context::new(), |role| {
        role.description = description;
        Ok(())
    })?;
    Ok(Some(Xml::new().element("Role", &describe_fully(&role))))
}

/// `UpdateAssumeRolePolicy`.
pub(super) fn update_trust_policy(call: &Call<'_>) -> Answer {
    let document = documents::trust(call, "PolicyDocument")?;
    change(call, Context::new(), |role| {
        document.clone_into(&mut role.trust_policy);
        Ok(())
    })?;
    Ok(None)
}

/// `DeleteRole`.
pub(super) fn delete(call: &Call<'_>) -> Answer {
    let name = authorized(call, Context::new())?.name;
    let key = call.role_key(&name);
    call.state.store.write(|writer| {
        let role = writer.get(&ROLES, &key)?.ok_or_else(|| gone(&name))?;
        if !role.attached_policies.is_empty() {
            return Err(conflict(
                "Cannot delete entity, must detach all policies first.",
            ));
        }
        if !role.inline_policies.is_empty() {
            return Err(conflict(
                "Cannot delete entity, must delete policies first.",
            ));
        }
        writer.remove(&ROLES, &key)?;
        Ok(None)
    })
}

/// `TagRole`.
pub(super) fn tag(call: &Call<'_>) -> Answer {
    let added = tags::requested(call)?;
    change(call, tags::request_context(&added), |role| {
        tags::add(&mut role.tags, added)
    })?;
    Ok(None)
}

/// `UntagRole`.
pub(super) fn untag(call: &Call<'_>) -> Answer {
    let keys = tags::requested_keys(call)?;
    change(call, tags::key_context(keys.iter().copied()), |role| {
        tags::remove(&mut role.tags, &keys);
        Ok(())
    })?;
    Ok(None)
}

/// `ListRoleTags`.
pub(super) fn list_tags(call: &Call<'_>) -> Answer {
    let role = authorized(call, Context::new())?;
    Ok(Some(tags::describe(complete(), &role.tags)))
}

/// `PutRolePermissionsBoundary`.
pub(super) fn put_boundary(call: &Call<'_>) -> Answer {
    let boundary = requested_boundary(call)?;
    let context = vec![(BOUNDARY_KEY.to_owned(), boundary.to_owned())];
    let name = authorized(call, context)?.name;
    let key = call.role_key(&name);
    call.state.store.write(|writer| {
        let mut role = writer.get(&ROLES, &key)?.ok_or_else(|| gone(&name))?;
        check_boundary(
            policies::is_known(writer, call.account(), boundary)?,
            boundary,
        )?;
        role.permissions_boundary = Some(boundary.to_owned());
        writer.put(&ROLES, &key, &role)?;
        Ok(None)
    })
}

/// `DeleteRolePermissionsBoundary`.
pub(super) fn delete_boundary(call: &Call<'_>) -> Answer {
    change(call, Context::new(), |role| {
        match role.permissions_boundary.take() {
            Some(_) => Ok(()),
            None => Err(missing(format!(
                "The role {} does not have a permissions boundary.",
                role.name
            ))),
        }
    })?;
    Ok(None)
}

/// `ListInstanceProfilesForRole`: the account has no instance profiles.
pub(super) fn list_instance_profiles(call: &Call<'_>) -> Answer {
    authorized(call, Context::new())?;
    Ok(Some(complete().list("InstanceProfiles", [])))
}

/// The role that the request names, if the caller may do this to it. A role
/// that is not there is asked for as one without a path.
pub(super) fn authorized(call: &Call<'_>, mut context: Context) -> Result<Role, AwsError> {
    let name = call.name("RoleName", LONGEST_NAME)?;
    let key = call.role_key(name);
    let found = call.state.store.read(|reader| reader.get(&ROLES, &key))?;
    let Some(role) = found else {
        call.authorize(&call.arn(&format!("role/{name}")), context)?;
        return Err(gone(name));
    };
    context.extend(tags::resource_context(&role.tags));
    let asks_for_boundary = context.iter().any(|(key, _)| key == BOUNDARY_KEY);
    if let (Some(boundary), false) = (&role.permissions_boundary, asks_for_boundary) {
        context.push((BOUNDARY_KEY.to_owned(), boundary.clone()));
    }
    call.authorize(&role.arn, context)?;
    Ok(role)
}

/// Changes the role that the request names and returns what it became.
pub(super) fn change(
    call: &Call<'_>,
    context: Context,
    work: impl FnOnce(&mut Role) -> Result<(), AwsError>,
) -> Result<Role, AwsError> {
    let name = authorized(call, context)?.name;
    let key = call.role_key(&name);
    call.state.store.write(|writer| {
        let mut role = writer.get(&ROLES, &key)?.ok_or_else(|| gone(&name))?;
        work(&mut role)?;
        writer.put(&ROLES, &key, &role)?;
        Ok(role)
    })
}

/// There is no role `name`.
pub(super) fn gone(name: &str) -> AwsError {
    missing(format!("The role with name {name} cannot be found."))
}

/// A list that is not cut short.
pub(super) fn complete() -> Xml {
    Xml::new().text("IsTruncated", false)
}

fn session_duration(call: &Call<'_>) -> Result<Option<i64>, AwsError> {
    call.parameters.number(
        "MaxSessionDuration",
        DEFAULT_SESSION_SECONDS..=LONGEST_SESSION_SECONDS,
    )
}

fn requested_boundary<'a>(call: &'a Call<'_>) -> Result<&'a str, AwsError> {
    call.parameters.bounded("PermissionsBoundary", 20..=2_048)
}

fn check_boundary(is_known: bool, arn: &str) -> Result<(), AwsError> {
    if is_known {
        return Ok(());
    }
    Err(missing(format!(
        "Scope ARN: {arn} does not exist or is not attachable."
    )))
}

fn describe(role: &Role) -> Xml {
    Xml::new()
        .text("Path", &role.path)
        .text("RoleName", &role.name)
        .text("RoleId", &role.id)
        .text("Arn", &role.arn)
        .time("CreateDate", role.created)
        .document("AssumeRolePolicyDocument", &role.trust_policy)
        .optional("Description", role.description.as_ref())
        .text("MaxSessionDuration", role.max_session_duration)
}

fn describe_fully(role: &Role) -> Xml {
    let xml = describe(role);
    let xml = match &role.permissions_boundary {
        Some(arn) => xml.element(
            "PermissionsBoundary",
            &Xml::new()
                .text("PermissionsBoundaryType", "Policy")
                .text("PermissionsBoundaryArn", arn),
        ),
        None => xml,
    };
    tags::describe(xml, &role.tags)
}
