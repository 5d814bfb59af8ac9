//! Repositories that exist because a Terraform configuration says so.

use jiff::Timestamp;
use oci::RepositoryName;

use super::mutability::Mutability;
use super::parameters::repository_name;
use super::records::{Encryption, LifecyclePolicy, REPOSITORIES, Repository, repository_key};
use super::repository::checked_encryption;
use super::{EcrError, Registry, lifecycle, repository_policies};
use crate::store::Writer;

/// Creates the repository that `wanted` describes, or gives the one of that
/// name these settings. Its images stay. What ECR would refuse is refused.
pub(crate) fn seed(
    writer: &Writer,
    registry: &Registry,
    wanted: &terraform::EcrRepository,
    now: Timestamp,
) -> Result<(), EcrError> {
    let name: RepositoryName = repository_name(&wanted.name)?;
    if let Some(policy) = &wanted.policy {
        repository_policies::check_policy(policy)?;
    }
    if let Some(policy) = &wanted.lifecycle_policy {
        lifecycle::validate(policy)?;
    }
    let encryption = Encryption {
        encryption_type: wanted.encryption_type.clone(),
        kms_key: wanted.kms_key.clone(),
    };
    let key = repository_key(registry, &name);
    let old: Option<Repository> = writer.get(&REPOSITORIES, &key)?;
    let created = old.as_ref().map_or(now, |old| old.created);
    // The same policy goes on from its last evaluation.
    let old_policy = old.and_then(|old| old.lifecycle);
    let lifecycle = wanted.lifecycle_policy.clone().map(|text| {
        old_policy
            .filter(|old| old.text == text)
            .unwrap_or_else(|| LifecyclePolicy::new(text, now))
    });
    let repository = Repository {
        created,
        mutability: Mutability::new(&wanted.mutability, Some(wanted.exclusion_filters.clone()))?,
        scan_on_push: wanted.scan_on_push,
        encryption: checked_encryption(registry, Some(encryption))?,
        lifecycle,
        policy: wanted.policy.clone(),
        tags: wanted.tags.clone(),
        name,
    };
    Ok(writer.put(&REPOSITORIES, &key, &repository)?)
}
