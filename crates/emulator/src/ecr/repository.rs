//! Repositories: created, described, deleted.

use std::collections::BTreeMap;

use oci::RepositoryName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::changes::Changes;
use super::mutability::Mutability;
use super::parameters::{Page, RepositoryParameters, epoch, parse, repository_name};
use super::records::{Encryption, REPOSITORIES, Repository, registry_prefix, repository_key};
use super::repository_settings::{ExclusionFilter, Scanning, exclusions_json, patterns};
use super::resource_tags::{Tag, checked_tags, request_context};
use super::{Call, EcrError, Registry, limits};
use crate::authorize::Target;
use crate::store::View as _;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    tags: Option<Vec<Tag>>,
    image_tag_mutability: Option<String>,
    image_tag_mutability_exclusion_filters: Option<Vec<ExclusionFilter>>,
    image_scanning_configuration: Option<Scanning>,
    encryption_configuration: Option<Encryption>,
}

/// `CreateRepository`.
pub(super) fn create(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: CreateParameters = parse(body)?;
    let name = parameters.repository.name()?;
    let tags = checked_tags(&BTreeMap::new(), &parameters.tags.unwrap_or_default())?;
    authorize_creation(call, &name, &tags)?;
    let setting = parameters.image_tag_mutability.as_deref();
    let filters = parameters.image_tag_mutability_exclusion_filters;
    let repository = Repository {
        created: call.state.clock.now(),
        mutability: Mutability::new(
            setting.unwrap_or("MUTABLE"),
            filters.as_deref().map(patterns),
        )?,
        scan_on_push: parameters
            .image_scanning_configuration
            .and_then(|scanning| scanning.scan_on_push)
            .unwrap_or(false),
        encryption: checked_encryption(call.registry, parameters.encryption_configuration)?,
        lifecycle: None,
        policy: None,
        tags,
        name,
    };
    call.state.store.write(|writer| {
        let name = &repository.name;
        let key = repository_key(call.registry, name);
        if writer.get(&REPOSITORIES, &key)?.is_some() {
            return Err(EcrError::client(
                "RepositoryAlreadyExistsException",
                format!(
                    "The repository with name '{name}' already exists in the registry with id '{}'",
                    call.account()
                ),
            ));
        }
        let present = writer.count(&REPOSITORIES, &registry_prefix(call.registry))?;
        limits::REPOSITORIES_PER_REGISTRY.allow_one_more(present)?;
        Ok(writer.put(&REPOSITORIES, &key, &repository)?)
    })?;
    Ok(json!({ "repository": to_json(call, &repository) }))
}

/// `ecr:CreateRepository`, and `ecr:TagResource` when there are tags.
fn authorize_creation(
    call: Call<'_>,
    name: &RepositoryName,
    tags: &BTreeMap<String, String>,
) -> Result<(), EcrError> {
    let actions: &[&str] = if tags.is_empty() {
        &["ecr:CreateRepository"]
    } else {
        &["ecr:CreateRepository", "ecr:TagResource"]
    };
    for action in actions {
        call.decide(&Target {
            context: request_context(tags),
            ..call.target(action, call.repository_arn(name.as_str()))
        })?;
    }
    Ok(())
}

/// The encryption that ECR reports for what was asked for.
pub(super) fn checked_encryption(
    registry: &Registry,
    encryption: Option<Encryption>,
) -> Result<Encryption, EcrError> {
    let mut encryption = encryption.unwrap_or_default();
    match encryption.encryption_type.as_str() {
        "AES256" if encryption.kms_key.is_some() => Err(EcrError::parameter(
            "encryptionConfiguration",
            "kmsKey can only be given with the encryptionType KMS or KMS_DSSE",
        )),
        "AES256" => Ok(encryption),
        "KMS" | "KMS_DSSE" => {
            // ECR reports the key that it took: the managed one when none was
            // named. There is no KMS here, so the managed key is its alias.
            encryption.kms_key.get_or_insert_with(|| {
                format!(
                    "arn:aws:kms:{}:{}:alias/aws/ecr",
                    registry.region, registry.account
                )
            });
            Ok(encryption)
        }
        _ => Err(EcrError::parameter(
            "encryptionConfiguration.encryptionType",
            "Member must satisfy enum value set: [AES256, KMS, KMS_DSSE]",
        )),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeParameters {
    repository_names: Option<Vec<String>>,
    #[serde(flatten)]
    page: Page,
}

/// `DescribeRepositories`: those named, or all of the registry by pages.
pub(super) fn describe(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    const ACTION: &str = "ecr:DescribeRepositories";
    let parameters: DescribeParameters = parse(body)?;
    if let Some(names) = &parameters.repository_names {
        let mut repositories = Vec::with_capacity(names.len());
        for name in names {
            let name = repository_name(name)?;
            let repository = call.repository(&[ACTION], &name)?;
            repositories.push(to_json(call, &repository));
        }
        return Ok(json!({ "repositories": repositories }));
    }
    let limit = parameters.page.limit(100);
    let mut repositories = page(call, &parameters.page.after()?, limit + 1)?;
    let name = |repository: &Repository| repository.name.to_string();
    let token = Page::end(&mut repositories, limit, name);
    let mut answer = json!({
        "repositories": repositories
            .iter()
            .map(|repository| to_json(call, repository))
            .collect::<Vec<_>>(),
    });
    if let Some(token) = token {
        answer["nextToken"] = json!(token);
    }
    Ok(answer)
}

/// The repositories of the registry, by name, at most `limit` after `after`, if
/// the caller may list them.
pub(crate) fn page(call: Call<'_>, after: &str, limit: usize) -> Result<Vec<Repository>, EcrError> {
    call.decide(&call.target("ecr:DescribeRepositories", call.repository_arn("*")))?;
    let prefix = registry_prefix(call.registry);
    let after = format!("{prefix}{after}");
    let listed = call
        .state
        .store
        .read::<_, EcrError>(|reader| Ok(reader.page(&REPOSITORIES, &prefix, &after, limit)?))?;
    Ok(listed
        .into_iter()
        .map(|(_, repository)| repository)
        .collect())
}

#[derive(Deserialize)]
struct DeleteParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    force: Option<bool>,
}

/// `DeleteRepository`.
pub(super) fn delete(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: DeleteParameters = parse(body)?;
    let name = parameters.repository.name()?;
    let repository = call.repository(&["ecr:DeleteRepository"], &name)?;
    call.state.store.write(|writer| {
        let changes = Changes::new(writer, call.registry, &name);
        if changes.images()? > 0 && parameters.force != Some(true) {
            return Err(EcrError::client(
                "RepositoryNotEmptyException",
                format!(
                    "The repository with name '{name}' in registry with id '{}' cannot be deleted \
                     because it still contains images",
                    call.account()
                ),
            ));
        }
        changes.remove_all()?;
        Ok(writer.remove(&REPOSITORIES, &repository_key(call.registry, &name))?)
    })?;
    Ok(json!({ "repository": to_json(call, &repository) }))
}

fn to_json(call: Call<'_>, repository: &Repository) -> Value {
    let mut json = json!({
        "repositoryArn": call.repository_arn(repository.name.as_str()),
        "registryId": call.account(),
        "repositoryName": repository.name,
        "repositoryUri": call.repository_uri(&repository.name),
        "createdAt": epoch(repository.created),
        "imageTagMutability": repository.mutability.setting,
        "imageScanningConfiguration": { "scanOnPush": repository.scan_on_push },
        "encryptionConfiguration": repository.encryption,
    });
    if let Some(filters) = exclusions_json(&repository.mutability) {
        json["imageTagMutabilityExclusionFilters"] = filters;
    }
    json
}
