//! Pull through cache. No upstream can be reached from here, so no rule is
//! accepted, and calls about rules answer that there is none.

use serde::Deserialize;
use serde_json::{Value, json};

use super::parameters::parse;
use super::{Call, EcrError};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    ecr_repository_prefix: Option<String>,
    ecr_repository_prefixes: Option<Vec<String>>,
}

/// `CreatePullThroughCacheRule`, with AWS's answer for an upstream that it does
/// not support.
pub(super) fn create(call: Call<'_>, _: Value) -> Result<Value, EcrError> {
    call.authorize("ecr:CreatePullThroughCacheRule")?;
    call.note
        .because("the emulator reaches no upstream registry".to_owned());
    Err(EcrError::client(
        "UnsupportedUpstreamRegistryException",
        "The specified upstream registry isn't supported.",
    ))
}

/// `DescribePullThroughCacheRules`.
pub(super) fn describe(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    call.authorize("ecr:DescribePullThroughCacheRules")?;
    match parameters.ecr_repository_prefixes.as_deref() {
        Some([prefix, ..]) => Err(not_found(call, prefix)),
        _ => Ok(json!({ "pullThroughCacheRules": [] })),
    }
}

/// `DeletePullThroughCacheRule`.
pub(super) fn delete(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    about_one(call, "ecr:DeletePullThroughCacheRule", body)
}

/// `UpdatePullThroughCacheRule`.
pub(super) fn update(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    about_one(call, "ecr:UpdatePullThroughCacheRule", body)
}

/// `ValidatePullThroughCacheRule`.
pub(super) fn validate(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    about_one(call, "ecr:ValidatePullThroughCacheRule", body)
}

fn about_one(call: Call<'_>, action: &str, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    call.authorize(action)?;
    let prefix = parameters.ecr_repository_prefix.unwrap_or_default();
    Err(not_found(call, &prefix))
}

/// Inferred sentence.
fn not_found(call: Call<'_>, prefix: &str) -> EcrError {
    EcrError::client(
        "PullThroughCacheRuleNotFoundException",
        format!(
            "The pull through cache rule with prefix '{prefix}' does not exist in the registry \
             with id '{}'",
            call.account()
        ),
    )
}
