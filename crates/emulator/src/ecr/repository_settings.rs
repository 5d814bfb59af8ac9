//! Settings of a repository: tag mutability and scanning.

use serde::Deserialize;
use serde_json::{Value, json};

use super::mutability::Mutability;
use super::parameters::{RepositoryParameters, parse};
use super::{Call, EcrError};

/// One of `imageTagMutabilityExclusionFilters`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExclusionFilter {
    filter: String,
}

/// `imageScanningConfiguration`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Scanning {
    pub(super) scan_on_push: Option<bool>,
}

/// The patterns of `filters`, which are all wildcards.
pub(super) fn patterns(filters: &[ExclusionFilter]) -> Vec<String> {
    filters.iter().map(|filter| filter.filter.clone()).collect()
}

/// The filters as the API writes them; `None` when there are none.
pub(super) fn exclusions_json(mutability: &Mutability) -> Option<Value> {
    let filters: Vec<Value> = mutability
        .exclusions
        .iter()
        .map(|filter| json!({ "filterType": "WILDCARD", "filter": filter }))
        .collect();
    (!filters.is_empty()).then(|| Value::from(filters))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MutabilityParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    image_tag_mutability: String,
    image_tag_mutability_exclusion_filters: Option<Vec<ExclusionFilter>>,
}

/// `PutImageTagMutability`.
pub(super) fn put_tag_mutability(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: MutabilityParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:PutImageTagMutability"], &name)?;
    let exclusions = parameters.image_tag_mutability_exclusion_filters;
    let mutability = Mutability::new(
        &parameters.image_tag_mutability,
        exclusions.as_deref().map(patterns),
    )?;
    let repository = call.update(&name, |repository| {
        repository.mutability = mutability;
        Ok(())
    })?;
    let mut answer = json!({
        "registryId": call.account(),
        "repositoryName": name,
        "imageTagMutability": repository.mutability.setting,
    });
    if let Some(filters) = exclusions_json(&repository.mutability) {
        answer["imageTagMutabilityExclusionFilters"] = filters;
    }
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScanningParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    image_scanning_configuration: Scanning,
}

/// `PutImageScanningConfiguration`. The setting is kept; nothing is scanned.
pub(super) fn put_scanning(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: ScanningParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:PutImageScanningConfiguration"], &name)?;
    let scanning = parameters.image_scanning_configuration;
    let scan_on_push = scanning.scan_on_push.unwrap_or(false);
    call.update(&name, |repository| {
        repository.scan_on_push = scan_on_push;
        Ok(())
    })?;
    Ok(json!({
        "registryId": call.account(),
        "repositoryName": name,
        "imageScanningConfiguration": { "scanOnPush": scan_on_push },
    }))
}
