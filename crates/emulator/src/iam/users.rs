//! Users. They have access keys here, and neither passwords nor devices.

use std::collections::BTreeSet;

use policy::Principal;

use super::call::{Call, Context, conflict};
use super::entity::{self, authorized, named};
use super::entity_policies::{
    boundary_context, check_boundary, describe_boundary, requested_boundary,
};
use super::page::Page;
use super::records::{EntityPolicies, User};
use super::{Answer, access_keys, tags};
use crate::error::AwsError;
use crate::random;
use crate::xml::Xml;

/// `CreateUser`.
pub(super) fn create(call: &Call<'_>) -> Answer {
    let name = call.entity_name::<User>()?;
    let path = call.path()?;
    let boundary = requested_boundary(call)?;
    let user = User {
        name: name.to_owned(),
        path: path.to_owned(),
        arn: call.arn(&format!("user{path}{name}")),
        id: random::identifier("AIDA"),
        created: call.state.clock.now(),
        groups: BTreeSet::new(),
        policies: EntityPolicies {
            permissions_boundary: boundary.clone(),
            ..EntityPolicies::default()
        },
        tags: tags::requested(call)?,
    };
    let mut context = tags::request_context(&user.tags);
    context.extend(boundary_context(boundary.as_deref()));
    call.authorize(&user.arn, context)?;
    call.state.store.write(|writer| {
        check_boundary(call, writer, boundary.as_deref())?;
        entity::create(writer, call.account(), &user)
    })?;
    Ok(Some(described(&user)))
}

/// `GetUser`; without a name that of the caller.
pub(super) fn get(call: &Call<'_>) -> Answer {
    if let (None, Principal::AccountRoot { account }) =
        (call.parameters.get("UserName"), &call.caller.principal)
    {
        let arn = call.caller.arn();
        let root = Xml::new().text("UserId", account).text("Arn", arn);
        return Ok(Some(Xml::new().element("User", &root)));
    }
    let name = name_or_own(call)?;
    Ok(Some(described(&named::<User>(
        call,
        &name,
        Context::new(),
    )?)))
}

/// The name in `UserName`, or that of the user who calls.
pub(super) fn name_or_own(call: &Call<'_>) -> Result<String, AwsError> {
    if call.parameters.get("UserName").is_some() {
        return Ok(call.entity_name::<User>()?.to_owned());
    }
    match &call.caller.principal {
        Principal::User { arn, .. } => Ok(arn.rsplit('/').next().unwrap_or_default().to_owned()),
        _ => Err(AwsError::invalid(
            "ValidationError",
            "Must specify userName when calling with non-User credentials",
        )),
    }
}

/// `ListUsers`, which leaves out boundaries and tags.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let prefix = call.path_prefix()?;
    call.authorize(&call.arn(&format!("user{prefix}")), Context::new())?;
    let users: Vec<User> = call
        .state
        .store
        .read(|reader| entity::all(reader, call.account()))?;
    let wanted = users
        .into_iter()
        .filter(|user| user.path.starts_with(prefix));
    let page = Page::of(call, wanted, |user| user.name.clone())?;
    Ok(Some(
        page.ends().list("Users", page.items.iter().map(describe)),
    ))
}

/// `DeleteUser`.
pub(super) fn delete(call: &Call<'_>) -> Answer {
    entity::delete::<User>(call, |writer, user| {
        if !user.groups.is_empty() {
            let sentence = "Cannot delete entity, must remove users from group first.";
            return Err(conflict(sentence));
        }
        if !access_keys::of(writer, user)?.is_empty() {
            let sentence = "Cannot delete entity, must delete access keys first.";
            return Err(conflict(sentence));
        }
        Ok(())
    })?;
    Ok(None)
}

/// `ListMFADevices`: there are none.
pub(super) fn list_devices(call: &Call<'_>) -> Answer {
    let name = name_or_own(call)?;
    named::<User>(call, &name, Context::new())?;
    let none = Page::of(call, Vec::<String>::new(), Clone::clone)?;
    Ok(Some(none.ends().list("MFADevices", [])))
}

/// `GetLoginProfile`: nobody has a password.
pub(super) fn get_login_profile(call: &Call<'_>) -> Answer {
    let user: User = authorized(call, Context::new())?;
    Err(super::call::missing(format!(
        "Login Profile for User {} cannot be found.",
        user.name
    )))
}

/// A user without boundary and tags.
pub(super) fn describe(user: &User) -> Xml {
    Xml::new()
        .text("Path", &user.path)
        .text("UserName", &user.name)
        .text("UserId", &user.id)
        .text("Arn", &user.arn)
        .time("CreateDate", user.created)
}

fn described(user: &User) -> Xml {
    let boundary = user.policies.permissions_boundary.as_ref();
    let xml = describe_boundary(describe(user), boundary);
    Xml::new().element("User", &tags::describe(xml, &user.tags))
}
