//! The policies of roles: inline ones and attached ones.

use super::call::{Call, Context, limit, missing};
use super::records::ROLES;
use super::{Answer, documents, policies, roles};
use crate::error::AwsError;
use crate::xml::Xml;

const LONGEST_NAME: usize = 128;
/// AWS's default quota.
const MAXIMUM_ATTACHED: usize = 10;

/// `PutRolePolicy`.
pub(super) fn put(call: &Call<'_>) -> Answer {
    let name = call.name("PolicyName", LONGEST_NAME)?;
    let document = documents::inline(call)?;
    roles::change(call, Context::new(), |role| {
        role.inline_policies
            .insert(name.to_owned(), document.to_owned());
        documents::check_inline_size(&role.name, role.inline_policies.values())
    })?;
    Ok(None)
}

/// `GetRolePolicy`.
pub(super) fn get(call: &Call<'_>) -> Answer {
    let name = call.name("PolicyName", LONGEST_NAME)?;
    let role = roles::authorized(call, Context::new())?;
    let document = role.inline_policies.get(name).ok_or_else(|| gone(name))?;
    Ok(Some(
        Xml::new()
            .text("RoleName", &role.name)
            .text("PolicyName", name)
            .document("PolicyDocument", document),
    ))
}

/// `ListRolePolicies`.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let role = roles::authorized(call, Context::new())?;
    let names = role.inline_policies.keys();
    Ok(Some(roles::complete().texts("PolicyNames", names)))
}

/// `DeleteRolePolicy`.
pub(super) fn delete(call: &Call<'_>) -> Answer {
    let name = call.name("PolicyName", LONGEST_NAME)?;
    roles::change(call, Context::new(), |role| {
        match role.inline_policies.remove(name) {
            Some(_) => Ok(()),
            None => Err(gone(name)),
        }
    })?;
    Ok(None)
}

/// `AttachRolePolicy`; one that is attached already is no error.
pub(super) fn attach(call: &Call<'_>) -> Answer {
    let arn = policies::requested_arn(call)?;
    let name = roles::authorized(call, attachment_context(arn))?.name;
    let key = call.role_key(&name);
    call.state.store.write(|writer| {
        let mut role = writer
            .get(&ROLES, &key)?
            .ok_or_else(|| roles::gone(&name))?;
        if !policies::is_known(writer, call.account(), arn)? {
            return Err(missing(format!(
                "Policy {arn} does not exist or is not attachable."
            )));
        }
        role.attached_policies.insert(arn.to_owned());
        if role.attached_policies.len() > MAXIMUM_ATTACHED {
            return Err(limit(format!(
                "Cannot exceed quota for PoliciesPerRole: {MAXIMUM_ATTACHED}"
            )));
        }
        writer.put(&ROLES, &key, &role)?;
        Ok(None)
    })
}

/// `DetachRolePolicy`.
pub(super) fn detach(call: &Call<'_>) -> Answer {
    let arn = policies::requested_arn(call)?;
    roles::change(call, attachment_context(arn), |role| {
        if role.attached_policies.remove(arn) {
            return Ok(());
        }
        Err(missing(format!("Policy {arn} was not found.")))
    })?;
    Ok(None)
}

/// `ListAttachedRolePolicies`.
pub(super) fn list_attached(call: &Call<'_>) -> Answer {
    let role = roles::authorized(call, Context::new())?;
    let prefix = call.parameters.get("PathPrefix").unwrap_or("/");
    let members = role
        .attached_policies
        .iter()
        .filter(|arn| path_and_name(arn).starts_with(prefix))
        .map(|arn| {
            Xml::new()
                .text("PolicyName", arn.rsplit('/').next().unwrap_or_default())
                .text("PolicyArn", arn)
        });
    Ok(Some(roles::complete().list("AttachedPolicies", members)))
}

fn attachment_context(arn: &str) -> Context {
    vec![("iam:PolicyARN".to_owned(), arn.to_owned())]
}

/// What follows `policy` in the ARN of a policy.
fn path_and_name(arn: &str) -> &str {
    arn.split_once(":policy")
        .map_or("", |(_, path_and_name)| path_and_name)
}

fn gone(name: &str) -> AwsError {
    missing(format!("The role policy with name {name} cannot be found."))
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
