//! The resources of a Terraform root become records when the emulator starts.
//!
//! What an earlier start took from Terraform gives way to what the root says
//! now; what API calls made stays. Repositories keep their images.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::ecr::{self, Registry};
use crate::emulator::EmulatorError;
use crate::iam::records::{
    EntityPolicies, ManagedPolicy, Origin, POLICIES, PROVIDERS, PolicyVersion, Provider, ROLES,
    Role, entity_key,
};
use crate::random;
use crate::settings::Settings;
use crate::store::Writer;

/// Writes the resources of `settings` in the transaction of `writer`.
pub(crate) fn seed(
    writer: &Writer,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), EmulatorError> {
    let Some(resources) = &settings.resources else {
        return Ok(());
    };
    let known = forget(writer)?;
    for provider in &resources.oidc_providers {
        let known = known.providers.get(&provider.arn);
        let record = provider_record(provider, known, now);
        writer.put(&PROVIDERS, &provider.arn, &record)?;
    }
    for policy in &resources.policies {
        let known = known.policies.get(&policy.arn);
        let record = policy_record(policy, known, now);
        writer.put(&POLICIES, &policy.arn, &record)?;
    }
    for role in &resources.roles {
        let known = known.roles.get(&role.name);
        let key = entity_key(&settings.account, &role.name);
        writer.put(&ROLES, &key, &role_record(role, known, now))?;
    }
    let registry = Registry::default_of(settings);
    for repository in &resources.repositories {
        ecr::seed(writer, &registry, repository, now).map_err(|error| EmulatorError::Resource {
            name: repository.name.clone(),
            reason: error.to_string(),
        })?;
    }
    Ok(())
}

/// What Terraform made before, by ARN or name.
#[derive(Default)]
struct Known {
    providers: BTreeMap<String, Provider>,
    policies: BTreeMap<String, ManagedPolicy>,
    roles: BTreeMap<String, Role>,
}

/// Removes what Terraform made before, and returns it: what comes back keeps its
/// id and its dates, so that a role's sessions go on.
fn forget(writer: &Writer) -> Result<Known, EmulatorError> {
    let mut known = Known::default();
    for (arn, provider) in writer.list(&PROVIDERS, "")? {
        if provider.origin == Origin::Terraform {
            writer.remove(&PROVIDERS, &arn)?;
            known.providers.insert(arn, provider);
        }
    }
    for (arn, policy) in writer.list(&POLICIES, "")? {
        if policy.origin == Origin::Terraform {
            writer.remove(&POLICIES, &arn)?;
            known.policies.insert(arn, policy);
        }
    }
    for (key, role) in writer.list(&ROLES, "")? {
        if role.origin == Origin::Terraform {
            writer.remove(&ROLES, &key)?;
            known.roles.insert(role.name.clone(), role);
        }
    }
    Ok(known)
}

fn provider_record(
    provider: &terraform::OidcProvider,
    known: Option<&Provider>,
    now: Timestamp,
) -> Provider {
    Provider {
        arn: provider.arn.clone(),
        url: provider.url.clone(),
        client_ids: provider.client_ids.iter().cloned().collect(),
        thumbprints: provider.thumbprints.clone(),
        created: known.map_or(now, |known| known.created),
        origin: Origin::Terraform,
        tags: provider.tags.clone(),
    }
}

fn policy_record(
    policy: &terraform::ManagedPolicy,
    known: Option<&ManagedPolicy>,
    now: Timestamp,
) -> ManagedPolicy {
    let is_unchanged = |known: &&ManagedPolicy| {
        let version = known.versions.get(&known.default_version);
        version.is_some_and(|version| version.document == policy.document)
    };
    if let Some(unchanged) = known.filter(is_unchanged) {
        return unchanged.clone();
    }
    let version = PolicyVersion {
        document: policy.document.clone(),
        created: now,
    };
    ManagedPolicy {
        name: policy.name.clone(),
        path: policy.path.clone(),
        arn: policy.arn.clone(),
        id: known.map_or_else(|| random::identifier("ANPA"), |known| known.id.clone()),
        created: known.map_or(now, |known| known.created),
        updated: now,
        origin: Origin::Terraform,
        description: None,
        versions: BTreeMap::from([(1, version)]),
        default_version: 1,
        last_version: 1,
        tags: BTreeMap::new(),
    }
}

fn role_record(role: &terraform::Role, known: Option<&Role>, now: Timestamp) -> Role {
    Role {
        name: role.name.clone(),
        path: role.path.clone(),
        arn: role.arn.clone(),
        id: known.map_or_else(|| random::identifier("AROA"), |known| known.id.clone()),
        created: known.map_or(now, |known| known.created),
        origin: Origin::Terraform,
        trust_policy: role.trust_policy.clone(),
        // Terraform names its roles by reference: they are as they are now.
        trusted_ids: BTreeMap::new(),
        description: role.description.clone(),
        max_session_duration: i64::from(role.max_session_duration),
        policies: EntityPolicies {
            inline_policies: role.inline_policies.clone(),
            attached_policies: role.attached_policies.iter().cloned().collect(),
            permissions_boundary: role.permissions_boundary.clone(),
        },
        tags: role.tags.clone(),
    }
}
