//! ECR repositories with the policies that other resources give them.

use super::tags::tags;
use super::{AwsResources, EcrRepository, Omission, text};
use crate::root::{Resource, Root};
use crate::value::Value;

pub(super) fn collect(root: &Root, found: &mut AwsResources) {
    for resource in root.of_kind("aws_ecr_repository") {
        match at_home(root, resource).and_then(|()| repository(resource)) {
            Ok(mut repository) => {
                repository.tags = tags(root, resource, found);
                found.repositories.push(repository);
            }
            Err(omission) => found.leave_out(resource, omission),
        }
    }
    for resource in root.of_kind("aws_ecr_lifecycle_policy") {
        match policy(resource, &mut found.repositories) {
            Ok((repository, policy)) => repository.lifecycle_policy = Some(policy),
            Err(omission) => found.leave_out(resource, omission),
        }
    }
    for resource in root.of_kind("aws_ecr_repository_policy") {
        match policy(resource, &mut found.repositories) {
            Ok((repository, policy)) => {
                repository.policy = Some(policy);
                repository.policy_declaration = Some(resource.declaration("policy"));
            }
            Err(omission) => found.leave_out(resource, omission),
        }
    }
}

/// A registry belongs to one account in one region: a repository of another is
/// left out.
fn at_home(root: &Root, resource: &Resource) -> Result<(), Omission> {
    let arn = resource.text("arn")?;
    let mut parts = arn.split(':').skip(3);
    let home = (root.region.as_deref(), Some(root.account.as_str()));
    let (region, account) = (parts.next(), parts.next());
    if (region, account) == home {
        return Ok(());
    }
    let elsewhere = format!(
        "it is in the region {} of the account {}, not with the rest",
        region.unwrap_or_default(),
        account.unwrap_or_default()
    );
    Err(("arn".to_owned(), elsewhere))
}

/// The defaults are those of the provider: mutable, not scanned, AES-256.
fn repository(resource: &Resource) -> Result<EcrRepository, Omission> {
    let mutability = resource.optional_text("image_tag_mutability")?;
    let mut exclusion_filters = Vec::new();
    for block in resource.blocks("image_tag_mutability_exclusion_filter")? {
        if let Some(filter) = block.get("filter") {
            exclusion_filters.push(text("image_tag_mutability_exclusion_filter", filter)?);
        }
    }
    let scanning = resource.blocks("image_scanning_configuration")?;
    let scan_on_push = scanning.first().and_then(|block| block.get("scan_on_push"));
    let encryption = resource.blocks("encryption_configuration")?;
    let of_encryption = |name: &str| {
        encryption
            .first()
            .and_then(|block| block.get(name))
            .and_then(Value::to_text)
    };
    Ok(EcrRepository {
        address: resource.address.clone(),
        arn: resource.text("arn")?,
        name: resource.text("name")?,
        mutability: mutability.unwrap_or_else(|| "MUTABLE".to_owned()),
        exclusion_filters,
        scan_on_push: scan_on_push.and_then(Value::to_bool).unwrap_or(false),
        encryption_type: of_encryption("encryption_type").unwrap_or_else(|| "AES256".to_owned()),
        kms_key: of_encryption("kms_key"),
        place: resource.place.clone(),
        ..EcrRepository::default()
    })
}

/// The repository that a policy names, with the policy.
fn policy<'r>(
    resource: &Resource,
    repositories: &'r mut [EcrRepository],
) -> Result<(&'r mut EcrRepository, String), Omission> {
    let name = resource.text("repository")?;
    let policy = resource.text("policy")?;
    let repository = repositories
        .iter_mut()
        .find(|repository| repository.name == name);
    match repository {
        Some(repository) => Ok((repository, policy)),
        None => Err((
            "repository".to_owned(),
            format!("the repository {name} is not among the known ones of this root"),
        )),
    }
}
