//! Managed policies: the customer's, and AWS's own, which cannot be changed.

use std::collections::BTreeMap;

use super::call::{Call, Context, conflict, exists, missing, within};
use super::page::Page;
use super::policy_uses::{Entities, usage_filter};
use super::records::{ManagedPolicy, Origin, POLICIES, PolicyVersion, policy_prefix};
use super::{Answer, documents, entity_tags, managed, tags};
use crate::error::AwsError;
use crate::random;
use crate::store::{StoreError, Writer};
use crate::xml::Xml;

const LONGEST_NAME: usize = 128;
const QUOTA: (&str, usize) = ("PoliciesPerAccount", 1_500);

/// `CreatePolicy`. Names that differ in case only are the same to AWS, whatever
/// their paths.
pub(super) fn create(call: &Call<'_>) -> Answer {
    let policy = requested(call)?;
    call.authorize(&policy.arn, tags::request_context(&policy.tags))?;
    call.state.store.write(|writer| {
        let others = writer.list(&POLICIES, &policy_prefix(call.account()))?;
        let same =
            |(_, other): &(String, ManagedPolicy)| other.name.eq_ignore_ascii_case(&policy.name);
        if others.iter().any(same) {
            return Err(exists(format!(
                "A policy called {} already exists. Duplicate names are not allowed.",
                policy.name
            )));
        }
        within(others.len() + 1, QUOTA)?;
        writer.put(&POLICIES, &policy.arn, &policy)?;
        Ok(())
    })?;
    let described = tags::describe(describe(&policy, (0, 0)), &policy.tags);
    Ok(Some(Xml::new().element("Policy", &described)))
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
    let entities = call
        .state
        .store
        .read(|reader| Entities::of(reader, call.account()))?;
    let xml = describe(&policy, entities.count(&policy.arn));
    let xml = xml.optional("Description", policy.description.as_ref());
    let xml = tags::describe(xml, &policy.tags);
    Ok(Some(Xml::new().element("Policy", &xml)))
}

/// `ListPolicies`, which leaves out descriptions and tags.
pub(super) fn list(call: &Call<'_>) -> Answer {
    let prefix = call.path_prefix()?;
    let scope = call.parameters.one_of("Scope", &["All", "AWS", "Local"])?;
    let usage = usage_filter(call)?;
    let only_attached = call.parameters.flag("OnlyAttached")?;
    call.authorize(&call.arn("policy/*"), Context::new())?;
    let (own, entities) = call.state.store.read(|reader| {
        let own = reader.list(&POLICIES, &policy_prefix(call.account()))?;
        Ok::<_, StoreError>((own, Entities::of(reader, call.account())?))
    })?;
    let own = own
        .into_iter()
        .map(|(_, policy)| policy)
        .filter(|_| scope != Some("AWS"));
    let all = own.chain(
        managed::records_of_aws()
            .into_iter()
            .filter(|_| scope != Some("Local")),
    );
    let wanted = all.filter(|policy| {
        let (attached, bounded) = entities.count(&policy.arn);
        let used = match usage {
            Some("PermissionsBoundary") => bounded > 0,
            Some(_) => attached > 0,
            None => true,
        };
        policy.path.starts_with(prefix) && used && (attached > 0 || !only_attached)
    });
    let page = Page::of(call, wanted, |policy| policy.arn.clone())?;
    let members = page
        .items
        .iter()
        .map(|policy| describe(policy, entities.count(&policy.arn)));
    Ok(Some(page.ends().list("Policies", members)))
}

/// `ListPolicyTags`.
pub(super) fn list_tags(call: &Call<'_>) -> Answer {
    let policy = authorized(call, Context::new())?;
    entity_tags::listed(call, &policy.tags)
}

/// `DeletePolicy`.
pub(super) fn delete(call: &Call<'_>) -> Answer {
    let arn = authorized_change(call, Context::new())?.arn;
    call.state.store.write(|writer| {
        let policy = writer.get(&POLICIES, &arn)?.ok_or_else(|| gone(&arn))?;
        if Entities::of(writer, call.account())?.count(&arn) != (0, 0) {
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
    let found = match managed::record_of_aws(arn) {
        Some(policy) => Some(policy),
        None => call.state.store.read(|reader| reader.get(&POLICIES, arn))?,
    };
    if let Some(policy) = &found {
        context.extend(tags::resource_context(&policy.tags));
    }
    call.authorize(arn, context)?;
    found.ok_or_else(|| gone(arn))
}

/// As `authorized`, for a change: nobody changes what is AWS's.
fn authorized_change(call: &Call<'_>, context: Context) -> Result<ManagedPolicy, AwsError> {
    let arn = requested_arn(call)?;
    if arn.starts_with("arn:aws:iam::aws:") {
        let (who, action) = (call.caller.arn(), call.action);
        return Err(AwsError::new(
            403,
            "AccessDenied",
            format!(
                "User: {who} is not authorized to perform: iam:{action} on resource: policy {arn}"
            ),
        ));
    }
    authorized(call, context)
}

/// Changes the policy that the request names and returns what it became.
pub(super) fn change(
    call: &Call<'_>,
    context: Context,
    work: impl FnOnce(&mut ManagedPolicy) -> Result<(), AwsError>,
) -> Result<ManagedPolicy, AwsError> {
    let arn = authorized_change(call, context)?.arn;
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

/// A policy without its description and its tags; how many attach it, and how
/// many have it as boundary.
pub(super) fn describe(policy: &ManagedPolicy, (attached, bounded): (usize, usize)) -> Xml {
    Xml::new()
        .text("PolicyName", &policy.name)
        .text("PolicyId", &policy.id)
        .text("Arn", &policy.arn)
        .text("Path", &policy.path)
        .text("DefaultVersionId", format!("v{}", policy.default_version))
        .text("AttachmentCount", attached)
        .text("PermissionsBoundaryUsageCount", bounded)
        .text("IsAttachable", true)
        .time("CreateDate", policy.created)
        .time("UpdateDate", policy.updated)
}
