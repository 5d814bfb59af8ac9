//! Customer managed policies. AWS's own cannot be asked for or changed.

use std::collections::BTreeMap;

use super::call::{Call, Context, conflict, exists, missing};
use super::records::{
    ManagedPolicy, Origin, POLICIES, PolicyVersion, ROLES, Role, policy_prefix, role_prefix,
};
use super::{Answer, documents, managed, tags};
use crate::error::AwsError;
use crate::random;
use crate::store::{StoreError, Writer};
use crate::xml::Xml;

const LONGEST_NAME: usize = 128;

/// `CreatePolicy`. Names that differ in case only are the same to AWS, whatever
/// their paths.
pub(super) fn create(call: &Call<'_>) -> Answer {
    let policy = requested(call)?;
    call.authorize(&policy.arn, tags::request_context(&policy.tags))?;
    call.state.store.write(|writer| {
        let same =
            |(_, other): &(String, ManagedPolicy)| other.name.eq_ignore_ascii_case(&policy.name);
        let prefix = policy_prefix(call.account());
        if writer.list(&POLICIES, &prefix)?.iter().any(same) {
            return Err(exists(format!(
                "A policy called {} already exists. Duplicate names are not allowed.",
                policy.name
            )));
        }
        writer.put(&POLICIES, &policy.arn, &policy)?;
        Ok(())
    })?;
    Ok(Some(Xml::new().element("Policy", &describe(&policy, &[]))))
}

fn requested(call: &Call<'_>) -> Result<ManagedPolicy, AwsError> {
    let name = call.name("PolicyName", LONGEST_NAME)?;
    let path = call.path()?;
    let now = call.state.clock.now();
    let version = PolicyVersion {
        document: documents::managed(call)?.to_owned(),
        created: now,
    };
    Ok(ManagedPolicy {
        name: name.to_owned(),
        path: path.to_owned(),
        arn: call.arn(&format!("policy{path}{name}")),
        id: random::identifier("ANPA"),
        created: now,
        updated: now,
        origin: Origin::Call,
        description: call.description()?,
        versions: BTreeMap::from([(1, version)]),
        default_version: 1,
        last_version: 1,
        tags: tags::requested(call)?,
    })
}

/// `GetPolicy`.
pub(super) fn get(call: &Call<'_>) -> Answer {
    let policy = authorized(call, Context::new())?;
    let prefix = role_prefix(call.account());
    let roles = call
        .state
        .store
        .read(|reader| reader.list(&ROLES, &prefix))?;
    Ok(Some(
        Xml::new().element("Policy", &describe(&policy, &roles)),
    ))
}

/// `DeletePolicy`.
pub(super) fn delete(call: &Call<'_>) -> Answer {
    let arn = authorized(call, Context::new())?.arn;
    call.state.store.write(|writer| {
        let policy = writer.get(&POLICIES, &arn)?.ok_or_else(|| gone(&arn))?;
        let uses = Uses::of(&arn, &writer.list(&ROLES, &role_prefix(call.account()))?);
        if uses.attachments + uses.boundaries > 0 {
            return Err(conflict("Cannot delete a policy attached to entities."));
        }
        if policy.versions.len() > 1 {
            return Err(conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
            ));
        }
        writer.remove(&POLICIES, &arn)?;
        Ok(None)
    })
}

/// `TagPolicy`.
pub(super) fn tag(call: &Call<'_>) -> Answer {
    let added = tags::requested(call)?;
    change(call, tags::request_context(&added), |policy| {
        tags::add(&mut policy.tags, added)
    })?;
    Ok(None)
}

/// `UntagPolicy`.
pub(super) fn untag(call: &Call<'_>) -> Answer {
    let keys = tags::requested_keys(call)?;
    change(call, tags::key_context(keys.iter().copied()), |policy| {
        tags::remove(&mut policy.tags, &keys);
        Ok(())
    })?;
    Ok(None)
}

/// The ARN in `PolicyArn`.
pub(super) fn requested_arn<'a>(call: &'a Call<'_>) -> Result<&'a str, AwsError> {
    call.parameters.bounded("PolicyArn", 20..=2_048)
}

/// The policy that the request names, if the caller may do this to it.
pub(super) fn authorized(call: &Call<'_>, mut context: Context) -> Result<ManagedPolicy, AwsError> {
    let arn = requested_arn(call)?;
    let found = call.state.store.read(|reader| reader.get(&POLICIES, arn))?;
    if let Some(policy) = &found {
        context.extend(tags::resource_context(&policy.tags));
    }
    call.authorize(arn, context)?;
    found.ok_or_else(|| gone(arn))
}

/// Changes the policy that the request names and returns what it became.
pub(super) fn change(
    call: &Call<'_>,
    context: Context,
    work: impl FnOnce(&mut ManagedPolicy) -> Result<(), AwsError>,
) -> Result<ManagedPolicy, AwsError> {
    let arn = authorized(call, context)?.arn;
    call.state.store.write(|writer| {
        let mut policy = writer.get(&POLICIES, &arn)?.ok_or_else(|| gone(&arn))?;
        work(&mut policy)?;
        writer.put(&POLICIES, &arn, &policy)?;
        Ok(policy)
    })
}

/// Whether there is a policy `arn` for the account: its own or one of AWS's.
pub(super) fn is_known(writer: &Writer, account: &str, arn: &str) -> Result<bool, StoreError> {
    let own = arn.starts_with(&policy_prefix(account));
    Ok(managed::of_aws(arn).is_some() || (own && writer.get(&POLICIES, arn)?.is_some()))
}

fn gone(arn: &str) -> AwsError {
    missing(format!("Policy {arn} was not found."))
}

/// How many roles use a policy.
#[derive(Debug, PartialEq, Eq)]
struct Uses {
    attachments: usize,
    boundaries: usize,
}

impl Uses {
    fn of(arn: &str, roles: &[(String, Role)]) -> Self {
        let attached = |(_, role): &&(String, Role)| role.attached_policies.contains(arn);
        let bounded =
            |(_, role): &&(String, Role)| role.permissions_boundary.as_deref() == Some(arn);
        Self {
            attachments: roles.iter().filter(attached).count(),
            boundaries: roles.iter().filter(bounded).count(),
        }
    }
}

fn describe(policy: &ManagedPolicy, roles: &[(String, Role)]) -> Xml {
    let uses = Uses::of(&policy.arn, roles);
    let xml = Xml::new()
        .text("PolicyName", &policy.name)
        .text("PolicyId", &policy.id)
        .text("Arn", &policy.arn)
        .text("Path", &policy.path)
        .text("DefaultVersionId", format!("v{}", policy.default_version))
        .text("AttachmentCount", uses.attachments)
        .text("PermissionsBoundaryUsageCount", uses.boundaries)
        .text("IsAttachable", true)
        .optional("Description", policy.description.as_ref())
        .time("CreateDate", policy.created)
        .time("UpdateDate", policy.updated);
    tags::describe(xml, &policy.tags)
}
