//! Replication, which does not take place: a configuration without rules is
//! accepted, one with rules is refused.

use serde::Deserialize;
use serde_json::{Value, json};

use super::image_queries::one_image;
use super::parameters::parse;
use super::{Call, EcrError};

/// `DescribeRegistry`.
pub(super) fn describe_registry(call: Call<'_>, _: Value) -> Result<Value, EcrError> {
    call.authorize("ecr:DescribeRegistry")?;
    Ok(json!({
        "registryId": call.account(),
        "replicationConfiguration": { "rules": [] },
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    replication_configuration: Configuration,
}

#[derive(Deserialize)]
struct Configuration {
    rules: Vec<Value>,
}

/// `PutReplicationConfiguration`.
pub(super) fn put(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    call.authorize("ecr:PutReplicationConfiguration")?;
    if !parameters.replication_configuration.rules.is_empty() {
        return Err(EcrError::disabled(
            call,
            "the emulator does not replicate: a replication configuration cannot have rules",
        ));
    }
    Ok(json!({ "replicationConfiguration": { "rules": [] } }))
}

/// `DescribeImageReplicationStatus`: there is no destination.
pub(super) fn status(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let (name, _, image) = one_image(call, "ecr:DescribeImageReplicationStatus", body)?;
    Ok(json!({
        "repositoryName": name,
        "imageId": image.to_json(),
        "replicationStatuses": [],
    }))
}
