//! Identity providers, roles and policies.

use std::collections::BTreeMap;

use super::tags::tags;
use super::{AwsResources, Declaration, ManagedPolicy, OidcProvider, Omission, Role, text};
use crate::computed::is_made_up;
use crate::origin::Origin;
use crate::root::{Resource, Root};
use crate::value::Value;

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
            Err(omission) => {
                found.leave_out(resource, omission);
                found
                    .partial_roles
                    .extend(partial_role(&root.account, resource));
            }
        }
    }
    let represented = root.representatives.iter();
    for resource in represented.filter(|resource| resource.kind == "aws_iam_role") {
        found
            .partial_roles
            .extend(partial_role(&root.account, resource));
    }
    for resource in root.of_kind("aws_iam_policy") {
        match managed_policy(resource) {
            Ok(policy) => found.policies.push(policy),
            Err(omission) => found.leave_out(resource, omission),
        }
    }
    let mut roles = std::mem::take(&mut found.roles);
    roles.append(&mut found.partial_roles);
    let attach: [(&str, Attach); 3] = [
        ("aws_iam_role_policy", inline_policy),
        ("aws_iam_role_policy_attachment", attachment),
        ("aws_iam_policy_attachment", attachments),
    ];
    for (kind, attach) in attach {
        for resource in root.of_kind(kind) {
            if let Err(omission) = attach(resource, &mut roles) {
                found.leave_out(resource, omission);
            }
        }
    }
    (found.partial_roles, found.roles) = roles.into_iter().partition(|role| role.is_partial);
}

/// Adds what a resource attaches to the roles it names.
type Attach = fn(&Resource, &mut [Role]) -> Result<(), Omission>;

fn oidc_provider(resource: &Resource) -> Result<OidcProvider, Omission> {
    Ok(OidcProvider {
        address: resource.address.clone(),
        place: resource.place.clone(),
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
    let attached_policies = resource.texts("managed_policy_arns")?;
    let attached = |arn: &String| (arn.clone(), resource.declaration(""));
    let mut role = Role {
        address: resource.address.clone(),
        arn: resource.text("arn")?,
        name: resource.text("name")?,
        path: resource
            .optional_text("path")?
            .unwrap_or_else(|| "/".to_owned()),
        trust_policy: resource.text("assume_role_policy")?,
        trust_origin: resource.declaration("assume_role_policy").document,
        max_session_duration,
        description: resource.optional_text("description")?,
        attachments: attached_policies.iter().map(attached).collect(),
        attached_policies,
        permissions_boundary: resource.optional_text("permissions_boundary")?,
        place: resource.place.clone(),
        ..Role::default()
    };
    if is_made_up(&role.name) {
        return Err((
            "name".to_owned(),
            "the name is made up when it is applied".to_owned(),
        ));
    }
    add_inline_blocks(resource, &mut role)?;
    Ok(role)
}

/// A role as far as it is known; `None` where its trust policy is not.
fn partial_role(account: &str, resource: &Resource) -> Option<Role> {
    let known = |name: &str| resource.optional_text(name).ok().flatten();
    let name = known("name").unwrap_or_else(|| resource.address.clone());
    let seconds = resource.optional("max_session_duration").ok().flatten();
    let seconds = seconds.and_then(Value::to_index);
    let mut role = Role {
        address: resource.address.clone(),
        arn: known("arn").unwrap_or_else(|| format!("arn:aws:iam::{account}:role/{name}")),
        name,
        path: known("path").unwrap_or_else(|| "/".to_owned()),
        trust_policy: known("assume_role_policy")?,
        trust_origin: resource.declaration("assume_role_policy").document,
        max_session_duration: seconds
            .and_then(|seconds| u32::try_from(seconds).ok())
            .unwrap_or(SESSION),
        description: known("description"),
        attached_policies: resource.texts("managed_policy_arns").unwrap_or_default(),
        permissions_boundary: known("permissions_boundary"),
        place: resource.place.clone(),
        is_partial: true,
        ..Role::default()
    };
    let declared = resource.declaration("");
    let attached = role.attached_policies.iter();
    role.attachments = attached
        .map(|arn| (arn.clone(), declared.clone()))
        .collect();
    // Those that are known; that there may be others is true of the whole role.
    let _ = add_inline_blocks(resource, &mut role);
    Some(role)
}

/// The policies of the role's own `inline_policy` blocks.
fn add_inline_blocks(resource: &Resource, role: &mut Role) -> Result<(), Omission> {
    for (index, block) in resource.blocks("inline_policy")?.iter().enumerate() {
        // An empty block means: no inline policies.
        let (Some(name), Some(policy)) = (block.get("name"), block.get("policy")) else {
            continue;
        };
        let name = text("inline_policy", name)?;
        let block = resource.block_origin("inline_policy", index);
        let declaration = Declaration {
            address: resource.address.clone(),
            place: block.map_or_else(|| resource.place.clone(), Origin::place),
            document: block
                .and_then(|block| block.get("policy"))
                .cloned()
                .unwrap_or_default(),
        };
        role.inline_declarations.insert(name.clone(), declaration);
        role.inline_policies
            .insert(name, text("inline_policy", policy)?);
    }
    Ok(())
}

fn managed_policy(resource: &Resource) -> Result<ManagedPolicy, Omission> {
    Ok(ManagedPolicy {
        declaration: resource.declaration("policy"),
        arn: resource.text("arn")?,
        name: resource.text("name")?,
        path: resource
            .optional_text("path")?
            .unwrap_or_else(|| "/".to_owned()),
        document: resource.text("policy")?,
    })
}

/// A policy is no less in force because its name is not known; until then it goes by
/// its address.
fn inline_policy(resource: &Resource, roles: &mut [Role]) -> Result<(), Omission> {
    let (role, policy) = (resource.text("role")?, resource.text("policy")?);
    let name = resource.text("name");
    let name = name.unwrap_or_else(|_| resource.address.clone());
    let role = named(roles, &role)?;
    role.inline_declarations
        .insert(name.clone(), resource.declaration("policy"));
    role.inline_policies.insert(name, policy);
    Ok(())
}

fn attachment(resource: &Resource, roles: &mut [Role]) -> Result<(), Omission> {
    let (role, arn) = (resource.text("role")?, resource.text("policy_arn")?);
    attach(named(roles, &role)?, &arn, resource);
    Ok(())
}

fn attachments(resource: &Resource, roles: &mut [Role]) -> Result<(), Omission> {
    let arn = resource.text("policy_arn")?;
    for role in resource.texts("roles")? {
        attach(named(roles, &role)?, &arn, resource);
    }
    Ok(())
}

fn attach(role: &mut Role, arn: &str, resource: &Resource) {
    role.attachments
        .insert(arn.to_owned(), resource.declaration(""));
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
