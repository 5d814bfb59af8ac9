//! Identity providers, roles and policies.

use std::collections::BTreeMap;

use super::tags::tags;
use super::{AwsResources, ManagedPolicy, OidcProvider, Omission, Role, text};
use crate::root::{Resource, Root};

/// What a session lasts at most unless configured: an hour (the provider's and
/// IAM's default).
const SESSION: u32 = 3600;

pub(super) fn collect(root: &Root, found: &mut AwsResources) {
    for resource in root.of_kind("aws_iam_openid_connect_provider") {
        match oidc_provider(resource) {
            Ok(mut provider) => {
                provider.tags = tags(root, resource, found);
                found.oidc_providers.push(provider);
            }
            Err(omission) => found.leave_out(resource, omission),
        }
    }
    for resource in root.of_kind("aws_iam_role") {
        match role(resource) {
            Ok(mut role) => {
                role.tags = tags(root, resource, found);
                found.roles.push(role);
            }
            Err(omission) => found.leave_out(resource, omission),
        }
    }
    for resource in root.of_kind("aws_iam_policy") {
        match managed_policy(resource) {
            Ok(policy) => found.policies.push(policy),
            Err(omission) => found.leave_out(resource, omission),
        }
    }
    let attach: [(&str, Attach); 3] = [
        ("aws_iam_role_policy", inline_policy),
        ("aws_iam_role_policy_attachment", attachment),
        ("aws_iam_policy_attachment", attachments),
    ];
    for (kind, attach) in attach {
        for resource in root.of_kind(kind) {
            if let Err(omission) = attach(resource, &mut found.roles) {
                found.leave_out(resource, omission);
            }
        }
    }
}

/// Adds what a resource attaches to the roles it names.
type Attach = fn(&Resource, &mut [Role]) -> Result<(), Omission>;

fn oidc_provider(resource: &Resource) -> Result<OidcProvider, Omission> {
    Ok(OidcProvider {
        arn: resource.text("arn")?,
        url: resource.text("url")?,
        client_ids: resource.texts("client_id_list")?,
        thumbprints: resource.texts("thumbprint_list")?,
        tags: BTreeMap::new(),
    })
}

fn role(resource: &Resource) -> Result<Role, Omission> {
    let max_session_duration = match resource.optional("max_session_duration")? {
        None => SESSION,
        Some(value) => value
            .to_index()
            .and_then(|seconds| u32::try_from(seconds).ok())
            .ok_or_else(|| {
                (
                    "max_session_duration".to_owned(),
                    "it is no duration".to_owned(),
                )
            })?,
    };
    let mut inline_policies = BTreeMap::new();
    for block in resource.blocks("inline_policy")? {
        // An empty block means: no inline policies.
        if let (Some(name), Some(policy)) = (block.get("name"), block.get("policy")) {
            inline_policies.insert(text("inline_policy", name)?, text("inline_policy", policy)?);
        }
    }
    Ok(Role {
        arn: resource.text("arn")?,
        name: resource.text("name")?,
        path: resource
            .optional_text("path")?
            .unwrap_or_else(|| "/".to_owned()),
        trust_policy: resource.text("assume_role_policy")?,
        max_session_duration,
        description: resource.optional_text("description")?,
        inline_policies,
        attached_policies: resource.texts("managed_policy_arns")?,
        permissions_boundary: resource.optional_text("permissions_boundary")?,
        tags: BTreeMap::new(),
        place: resource.place.clone(),
    })
}

fn managed_policy(resource: &Resource) -> Result<ManagedPolicy, Omission> {
    Ok(ManagedPolicy {
        arn: resource.text("arn")?,
        name: resource.text("name")?,
        path: resource
            .optional_text("path")?
            .unwrap_or_else(|| "/".to_owned()),
        document: resource.text("policy")?,
    })
}

fn inline_policy(resource: &Resource, roles: &mut [Role]) -> Result<(), Omission> {
    let (role, name) = (resource.text("role")?, resource.text("name")?);
    let policy = resource.text("policy")?;
    named(roles, &role)?.inline_policies.insert(name, policy);
    Ok(())
}

fn attachment(resource: &Resource, roles: &mut [Role]) -> Result<(), Omission> {
    let (role, arn) = (resource.text("role")?, resource.text("policy_arn")?);
    attach(named(roles, &role)?, &arn);
    Ok(())
}

fn attachments(resource: &Resource, roles: &mut [Role]) -> Result<(), Omission> {
    let arn = resource.text("policy_arn")?;
    for role in resource.texts("roles")? {
        attach(named(roles, &role)?, &arn);
    }
    Ok(())
}

fn attach(role: &mut Role, arn: &str) {
    if !role
        .attached_policies
        .iter()
        .any(|attached| attached == arn)
    {
        role.attached_policies.push(arn.to_owned());
    }
}

fn named<'r>(roles: &'r mut [Role], name: &str) -> Result<&'r mut Role, Omission> {
    roles
        .iter_mut()
        .find(|role| role.name == name)
        .ok_or_else(|| {
            (
                "role".to_owned(),
                format!("the role {name} is not among the known roles of this root"),
            )
        })
}
