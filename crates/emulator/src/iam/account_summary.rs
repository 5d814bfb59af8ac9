//! `GetAccountSummary`: how much there is, and how much there may be.

use super::Answer;
use super::call::{Call, Context};
use super::entity::Entity;
use super::policy_uses::Entities;
use super::records::{Group, POLICIES, PROVIDERS, Role, User, policy_prefix, provider_prefix};
use crate::store::StoreError;
use crate::xml::Xml;

/// What is not kept here (devices, certificates) is none.
pub(super) fn get(call: &Call<'_>) -> Answer {
    call.authorize("*", Context::new())?;
    let account = call.account();
    let (entities, policies, providers) = call.state.store.read(|reader| {
        Ok::<_, StoreError>((
            Entities::of(reader, account)?,
            reader.list(&POLICIES, &policy_prefix(account))?,
            reader.list(&PROVIDERS, &provider_prefix(account))?,
        ))
    })?;
    let versions: usize = policies
        .iter()
        .map(|(_, policy)| policy.versions.len())
        .sum();
    let numbers = [
        ("Users", entities.users.len()),
        ("UsersQuota", User::QUOTA.1),
        ("Groups", entities.groups.len()),
        ("GroupsQuota", Group::QUOTA.1),
        ("Roles", entities.roles.len()),
        ("RolesQuota", Role::QUOTA.1),
        ("Policies", policies.len()),
        ("PoliciesQuota", 1_500),
        ("PolicySizeQuota", 6_144),
        ("PolicyVersionsInUse", versions),
        ("VersionsPerPolicyQuota", 5),
        ("Providers", providers.len()),
        ("AccessKeysPerUserQuota", 2),
        ("AttachedPoliciesPerGroupQuota", 10),
        ("AttachedPoliciesPerRoleQuota", 10),
        ("AttachedPoliciesPerUserQuota", 10),
        ("GroupsPerUserQuota", 10),
        ("AssumeRolePolicySizeQuota", 2_048),
        ("GroupPolicySizeQuota", Group::INLINE_LIMIT),
        ("RolePolicySizeQuota", Role::INLINE_LIMIT),
        ("UserPolicySizeQuota", User::INLINE_LIMIT),
        ("MFADevices", 0),
        ("MFADevicesInUse", 0),
        ("AccountMFAEnabled", 0),
        ("AccountAccessKeysPresent", 1),
        ("ServerCertificates", 0),
        ("InstanceProfiles", 0),
    ];
    let entries = numbers.iter().fold(Xml::new(), |map, (key, value)| {
        map.element("entry", &Xml::new().text("key", key).text("value", value))
    });
    Ok(Some(Xml::new().element("SummaryMap", &entries)))
}
