//! Roles: their making, their trust policy, their end.

use super::call::{Call, Context};
use super::entity::{self, authorized, change};
use super::entity_policies::{
    boundary_context, check_boundary, describe_boundary, requested_boundary,
};
use super::page::Page;
use super::records::{EntityPolicies, Origin, Role};
use super::{Answer, documents, tags, trust};
use crate::error::AwsError;
use crate::random;
use crate::xml::Xml;

const DEFAULT_SESSION_SECONDS: i64 = 3_600;
const LONGEST_SESSION_SECONDS: i64 = 43_200;

/// `CreateRole`.
pub(super) fn create(call: &Call<'_>) -> Answer {
    let mut role = requested(call)?;
    let mut context = tags::request_context(&role.tags);
    let boundary = role.policies.permissions_boundary.clone();
    context.extend(boundary_context(boundary.as_deref()));
    call.authorize(&role.arn, context)?;
    let role = call.state.store.write(|writer| {
        check_boundary(call, writer, boundary.as_deref())?;
        role.trusted_ids = trust::ids(writer, &role.trust_policy)?;
        entity::create(writer, call.account(), &role)?;
        Ok::<_, AwsError>(role)
    })?;
    Ok(Some(described(&role, &role.trust_policy)))
}

fn requested(call: &Call<'_>) -> Result<Role, AwsError> {
    let name = call.entity_name::<Role>()?;
    let path = call.path()?;
    Ok(Role {
        name: name.to_owned(),
        path: path.to_owned(),
        arn: call.arn(&format!("role{path}{name}")),
        id: random::identifier("AROA"),
        created: call.state.clock.now(),
        origin: Origin::Call,
        trust_policy: documents::trust(call, "AssumeRolePolicyDocument")?.to_owned(),
        trusted_ids: trust::no_ids(),
        description: call.description()?,
        max_session_duration: session_duration(call)?.unwrap_or(DEFAULT_SESSION_SECONDS),
        policies: EntityPolicies {
            permissions_boundary: requested_boundary(call)?,
            ..EntityPolicies::default()
        },
        tags: tags::requested(call)?,
    })
}

/// `GetRole`.
pub(super) fn get(call: &Call<'_>) -> Answer {
    let role: Role = authorized(call, Context::new())?;
    let trust = trust_of(call, &role)?;
    Ok(Some(described(&role, &trust)))
}

/// `ListRoles`, which leaves out boundaries and tags.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let prefix = call.path_prefix()?;
    call.authorize(&call.arn(&format!("role{prefix}")), Context::new())?;
    let roles: Vec<Role> = call
        .state
        .store
        .read(|reader| entity::all(reader, call.account()))?;
    let wanted = roles
        .into_iter()
        .filter(|role| role.path.starts_with(prefix));
    let page = Page::of(call, wanted, |role| role.name.clone())?;
    let mut members = Vec::with_capacity(page.items.len());
    for role in &page.items {
        members.push(describe(role, &trust_of(call, role)?));
    }
    Ok(Some(page.ends().list("Roles", members)))
}

/// `UpdateRole`: what is not given stays as it is (inferred).
pub(super) fn update(call: &Call<'_>) -> Answer {
    let duration = session_duration(call)?;
    let description = call.description()?;
    let has_description = call.parameters.get("Description").is_some();
    change::<Role>(call, Context::new(), |_, role| {
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
    let role = change::<Role>(call, Context::new(), |_, role| {
        role.description = description;
        Ok(())
    })?;
    let trust = trust_of(call, &role)?;
    Ok(Some(described(&role, &trust)))
}

/// `UpdateAssumeRolePolicy`.
pub(super) fn update_trust_policy(call: &Call<'_>) -> Answer {
    let document = documents::trust(call, "PolicyDocument")?;
    change::<Role>(call, Context::new(), |writer, role| {
        role.trusted_ids = trust::ids(writer, document)?;
        document.clone_into(&mut role.trust_policy);
        Ok(())
    })?;
    Ok(None)
}

/// `DeleteRole`.
pub(super) fn delete(call: &Call<'_>) -> Answer {
    entity::delete::<Role>(call, |_, _| Ok(()))?;
    Ok(None)
}

/// `ListInstanceProfilesForRole`: the account has no instance profiles.
pub(super) fn list_instance_profiles(call: &Call<'_>) -> Answer {
    authorized::<Role>(call, Context::new())?;
    let none = Page::of(call, Vec::<String>::new(), Clone::clone)?;
    Ok(Some(none.ends().list("InstanceProfiles", [])))
}

fn session_duration(call: &Call<'_>) -> Result<Option<i64>, AwsError> {
    call.parameters.number(
        "MaxSessionDuration",
        DEFAULT_SESSION_SECONDS..=LONGEST_SESSION_SECONDS,
    )
}

fn trust_of(call: &Call<'_>, role: &Role) -> Result<String, AwsError> {
    Ok(call
        .state
        .store
        .read(|reader| trust::policy(reader, role))?)
}

/// A role without its boundary and its tags.
pub(super) fn describe(role: &Role, trust_policy: &str) -> Xml {
    Xml::new()
        .text("Path", &role.path)
        .text("RoleName", &role.name)
        .text("RoleId", &role.id)
        .text("Arn", &role.arn)
        .time("CreateDate", role.created)
        .document("AssumeRolePolicyDocument", trust_policy)
        .optional("Description", role.description.as_ref())
        .text("MaxSessionDuration", role.max_session_duration)
}

fn described(role: &Role, trust_policy: &str) -> Xml {
    let boundary = role.policies.permissions_boundary.as_ref();
    let xml = describe_boundary(describe(role, trust_policy), boundary);
    Xml::new().element("Role", &tags::describe(xml, &role.tags))
}
