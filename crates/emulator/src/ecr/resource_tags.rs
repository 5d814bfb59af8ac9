//! Tags of repositories (not of images): `aws:ResourceTag` in policies.

use std::collections::BTreeMap;

use oci::RepositoryName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::parameters::parse;
use super::{Call, EcrError, Registry, is_account};

/// One tag on the wire. The capitals are the API's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    value: String,
}

/// AWS's limit per resource.
const MAXIMUM_TAGS: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    resource_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

/// `ListTagsForResource`.
pub(super) fn list(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    let (registry, name) = resource(call, &parameters.resource_arn)?;
    let call = Call {
        registry: &registry,
        ..call
    };
    let repository = call.repository(&["ecr:ListTagsForResource"], &name)?;
    Ok(json!({ "tags": to_tags(&repository.tags) }))
}

/// `TagResource`.
pub(super) fn tag(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    let (registry, name) = resource(call, &parameters.resource_arn)?;
    let call = Call {
        registry: &registry,
        ..call
    };
    let added = checked_tags(&BTreeMap::new(), &parameters.tags)?;
    call.repository_with(&["ecr:TagResource"], &name, &request_context(&added))?;
    call.update(&name, |repository| {
        repository.tags = checked_tags(&repository.tags, &parameters.tags)?;
        Ok(())
    })?;
    Ok(json!({}))
}

/// `UntagResource`.
pub(super) fn untag(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    let (registry, name) = resource(call, &parameters.resource_arn)?;
    let call = Call {
        registry: &registry,
        ..call
    };
    let keys = parameters.tag_keys;
    let context: Vec<_> = keys
        .iter()
        .map(|key| ("aws:TagKeys".to_owned(), key.clone()))
        .collect();
    call.repository_with(&["ecr:UntagResource"], &name, &context)?;
    call.update(&name, |repository| {
        repository.tags.retain(|key, _| !keys.contains(key));
        Ok(())
    })?;
    Ok(json!({}))
}

/// `old` with `new` added, within AWS's limits.
pub(super) fn checked_tags(
    old: &BTreeMap<String, String>,
    new: &[Tag],
) -> Result<BTreeMap<String, String>, EcrError> {
    let mut tags = old.clone();
    for Tag { key, value } in new {
        let (key_length, value_length) = (key.chars().count(), value.chars().count());
        if !(1..=128).contains(&key_length) || value_length > 256 || key.starts_with("aws:") {
            // Known sentence.
            return Err(EcrError::client(
                "InvalidTagParameterException",
                "Tag parameters are invalid",
            ));
        }
        tags.insert(key.clone(), value.clone());
    }
    if tags.len() > MAXIMUM_TAGS {
        // The sentence is the service model's.
        return Err(EcrError::client(
            "TooManyTagsException",
            format!(
                "The list of tags on the repository is over the limit. The maximum number of tags \
                 that can be applied to a repository is {MAXIMUM_TAGS}."
            ),
        ));
    }
    Ok(tags)
}

/// Tags as the API writes them.
pub(super) fn to_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    let to_tag = |(key, value): (&String, &String)| Tag {
        key: key.clone(),
        value: value.clone(),
    };
    tags.iter().map(to_tag).collect()
}

/// The condition keys of a request that sets `tags`.
pub(super) fn request_context(tags: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let mut context = Vec::with_capacity(tags.len() * 2);
    for (key, value) in tags {
        context.push((format!("aws:RequestTag/{key}"), value.clone()));
        context.push(("aws:TagKeys".to_owned(), key.clone()));
    }
    context
}

/// Registry and repository of a `resourceArn`, which is of the region that is
/// asked.
fn resource(call: Call<'_>, arn: &str) -> Result<(Registry, RepositoryName), EcrError> {
    let region = &call.registry.region;
    arn.strip_prefix(&format!("arn:aws:ecr:{region}:"))
        .and_then(|rest| rest.split_once(":repository/"))
        .filter(|(account, _)| is_account(account))
        .and_then(|(account, name)| Some((Registry::new(account, region), name.parse().ok()?)))
        .ok_or_else(|| EcrError::parameter("resourceArn", "Invalid ARN"))
}
