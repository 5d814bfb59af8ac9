//! The policies of roles, users and groups: inline ones, attached ones, and the
//! boundary of roles and users.

use super::call::{Call, Context, missing, within};
use super::entity::{self, Entity, authorized, change};
use super::page::Page;
use super::{Answer, documents, policies};
use crate::error::AwsError;
use crate::store::Writer;
use crate::xml::Xml;

const LONGEST_NAME: usize = 128;
/// AWS's default quota.
const MAXIMUM_ATTACHED: usize = 10;

/// `PutRolePolicy` and its like.
pub(super) fn put<E: Entity>(call: &Call<'_>) -> Answer {
    let name = call.name("PolicyName", LONGEST_NAME)?;
    let document = documents::inline(call)?;
    change::<E>(call, Context::new(), |_, entity| {
        let (kind, owner) = (E::KIND, entity.name().to_owned());
        let inline = &mut entity.policies_mut().inline_policies;
        inline.insert(name.to_owned(), document.to_owned());
        documents::check_inline_size((kind, &owner), inline.values(), E::INLINE_LIMIT)
    })?;
    Ok(None)
}

/// `GetRolePolicy` and its like.
pub(super) fn get<E: Entity>(call: &Call<'_>) -> Answer {
    let name = call.name("PolicyName", LONGEST_NAME)?;
    let entity: E = authorized(call, Context::new())?;
    let inline = &entity.policies().inline_policies;
    let document = inline.get(name).ok_or_else(|| no_policy::<E>(name))?;
    Ok(Some(
        Xml::new()
            .text(E::NAME, entity.name())
            .text("PolicyName", name)
            .document("PolicyDocument", document),
    ))
}

/// `ListRolePolicies` and its like.
pub(super) fn list<E: Entity>(call: &Call<'_>) -> Answer {
    let entity: E = authorized(call, Context::new())?;
    let names = entity.policies().inline_policies.keys().cloned();
    let page = Page::of(call, names, Clone::clone)?;
    Ok(Some(page.ends().texts("PolicyNames", &page.items)))
}

/// `DeleteRolePolicy` and its like.
pub(super) fn delete<E: Entity>(call: &Call<'_>) -> Answer {
    let name = call.name("PolicyName", LONGEST_NAME)?;
    change::<E>(call, Context::new(), |_, entity| {
        let removed = entity.policies_mut().inline_policies.remove(name);
        removed.map(|_| ()).ok_or_else(|| no_policy::<E>(name))
    })?;
    Ok(None)
}

/// `AttachRolePolicy` and its like; one that is attached already is no error.
pub(super) fn attach<E: Entity>(call: &Call<'_>) -> Answer {
    let arn = policies::requested_arn(call)?;
    change::<E>(call, attachment_context(arn), |writer, entity| {
        if !policies::is_known(writer, call.account(), arn)? {
            return Err(missing(format!(
                "Policy {arn} does not exist or is not attachable."
            )));
        }
        let attached = &mut entity.policies_mut().attached_policies;
        attached.insert(arn.to_owned());
        let quota = format!("PoliciesPer{}", entity::capital(E::KIND));
        within(attached.len(), (&quota, MAXIMUM_ATTACHED))
    })?;
    Ok(None)
}

/// `DetachRolePolicy` and its like.
pub(super) fn detach<E: Entity>(call: &Call<'_>) -> Answer {
    let arn = policies::requested_arn(call)?;
    change::<E>(call, attachment_context(arn), |_, entity| {
        if entity.policies_mut().attached_policies.remove(arn) {
            return Ok(());
        }
        Err(missing(format!("Policy {arn} was not found.")))
    })?;
    Ok(None)
}

/// `ListAttachedRolePolicies` and its like.
pub(super) fn list_attached<E: Entity>(call: &Call<'_>) -> Answer {
    let prefix = call.path_prefix()?;
    let entity: E = authorized(call, Context::new())?;
    let attached = entity.policies().attached_policies.iter().cloned();
    let wanted = attached.filter(|arn| path_and_name(arn).starts_with(prefix));
    let page = Page::of(call, wanted, Clone::clone)?;
    let members = page.items.iter().map(|arn| describe_attached(arn));
    Ok(Some(page.ends().list("AttachedPolicies", members)))
}

/// `PutRolePermissionsBoundary` and that of users.
pub(super) fn put_boundary<E: Entity>(call: &Call<'_>) -> Answer {
    call.parameters.required("PermissionsBoundary")?;
    let boundary = requested_boundary(call)?;
    let context = boundary_context(boundary.as_deref());
    change::<E>(call, context, |writer, entity| {
        check_boundary(call, writer, boundary.as_deref())?;
        entity.policies_mut().permissions_boundary = boundary;
        Ok(())
    })?;
    Ok(None)
}

/// `DeleteRolePermissionsBoundary` and that of users.
pub(super) fn delete_boundary<E: Entity>(call: &Call<'_>) -> Answer {
    change::<E>(call, Context::new(), |_, entity| {
        let removed = entity.policies_mut().permissions_boundary.take();
        let sentence = || {
            let (kind, name) = (E::KIND, entity.name());
            format!("The {kind} {name} does not have a permissions boundary.")
        };
        removed.map(|_| ()).ok_or_else(|| missing(sentence()))
    })?;
    Ok(None)
}

/// The ARN in `PermissionsBoundary`.
pub(super) fn requested_boundary(call: &Call<'_>) -> Result<Option<String>, AwsError> {
    let boundary = call
        .parameters
        .optional("PermissionsBoundary", 20..=2_048)?;
    Ok(boundary.map(str::to_owned))
}

/// The condition key of a request that sets a boundary.
pub(super) fn boundary_context(arn: Option<&str>) -> Context {
    arn.into_iter()
        .map(|arn| (entity::BOUNDARY_KEY.to_owned(), arn.to_owned()))
        .collect()
}

/// Refuses a boundary that is no policy.
pub(super) fn check_boundary(
    call: &Call<'_>,
    writer: &Writer,
    arn: Option<&str>,
) -> Result<(), AwsError> {
    match arn {
        Some(arn) if !policies::is_known(writer, call.account(), arn)? => Err(missing(format!(
            "Scope ARN: {arn} does not exist or is not attachable."
        ))),
        _ => Ok(()),
    }
}

/// The element `PermissionsBoundary`, if there is one.
pub(super) fn describe_boundary(xml: Xml, arn: Option<&String>) -> Xml {
    let Some(arn) = arn else {
        return xml;
    };
    let boundary = Xml::new()
        .text("PermissionsBoundaryType", "Policy")
        .text("PermissionsBoundaryArn", arn);
    xml.element("PermissionsBoundary", &boundary)
}

/// Name and ARN of an attached policy.
pub(super) fn describe_attached(arn: &str) -> Xml {
    Xml::new()
        .text("PolicyName", arn.rsplit('/').next().unwrap_or_default())
        .text("PolicyArn", arn)
}

fn attachment_context(arn: &str) -> Context {
    vec![("iam:PolicyARN".to_owned(), arn.to_owned())]
}

/// What follows `policy` in the ARN of a policy.
fn path_and_name(arn: &str) -> &str {
    arn.split_once(":policy")
        .map_or("", |(_, path_and_name)| path_and_name)
}

fn no_policy<E: Entity>(name: &str) -> AwsError {
    missing(format!(
        "The {} policy with name {name} cannot be found.",
        E::KIND
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_policy_is_read_from_its_arn() {
        let arn = "arn:aws:iam::123456789012:policy/ci/push";
        assert_eq!(path_and_name(arn), "/ci/push");
    }
}
