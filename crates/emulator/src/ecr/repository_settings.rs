//! Settings of a repository: tag mutability and scanning.

use serde::Deserialize;
use serde_json::{Value, json};

use super::mutability::Mutability;
use super::parameters::{RepositoryParameters, parse, required};
use super::{Call, EcrError};

/// One of `imageTagMutabilityExclusionFilters`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExclusionFilter {
    filter_type: String,
    filter: String,
}

/// `imageScanningConfiguration`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Scanning {
    pub(super) scan_on_push: Option<bool>,
}

/// The patterns of `filters`, which must all be wildcards.
pub(super) fn filters(
    filters: Option<Vec<ExclusionFilter>>,
) -> Result<Option<Vec<String>>, EcrError> {
    let Some(filters) = filters else {
        return Ok(None);
    };
    if filters
        .iter()
        .any(|filter| filter.filter_type != "WILDCARD")
    {
        return Err(EcrError::parameter(
            "imageTagMutabilityExclusionFilters.filterType",
            "must satisfy enum value set: [WILDCARD]",
        ));
    }
    Ok(Some(
        filters.into_iter().map(|filter| filter.filter).collect(),
    ))
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
    image_tag_mutability: Option<String>,
    image_tag_mutability_exclusion_filters: Option<Vec<ExclusionFilter>>,
}

/// `PutImageTagMutability`.
pub(super) fn put_tag_mutability(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: MutabilityParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:PutImageTagMutability"], &name)?;
    let setting = required("imageTagMutability", parameters.image_tag_mutability)?;
    let exclusions = filters(parameters.image_tag_mutability_exclusion_filters)?;
    let mutability = Mutability::new(&setting, exclusions)?;
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
    image_scanning_configuration: Option<Scanning>,
}

/// `PutImageScanningConfiguration`. The setting is kept; nothing is scanned.
pub(super) fn put_scanning(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: ScanningParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:PutImageScanningConfiguration"], &name)?;
    let scanning = required(
        "imageScanningConfiguration",
        parameters.image_scanning_configuration,
    )?;
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
