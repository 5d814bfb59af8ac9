//! Principals whose pulls leave no trace in `lastRecordedPullTime` (User Guide,
//! "Pull-time update exclusions").

use policy::Principal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::parameters::{Page, epoch, parse};
use super::registry_settings::RegistrySettings;
use super::{Call, EcrError, limits};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    principal_arn: String,
}

/// `RegisterPullTimeUpdateExclusion`.
pub(super) fn register(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let Parameters { principal_arn } = parse(body)?;
    call.authorize("ecr:RegisterPullTimeUpdateExclusion")?;
    let now = call.state.clock.now();
    RegistrySettings::update(call, |settings| {
        let exclusions = &mut settings.pull_time_exclusions;
        if exclusions.contains_key(&principal_arn) {
            return Err(EcrError::client(
                "ExclusionAlreadyExistsException",
                format!(
                    "The pull time update exclusion for the principal '{principal_arn}' already \
                     exists in the registry with id '{}'",
                    call.account()
                ),
            ));
        }
        limits::PULL_TIME_EXCLUSIONS.allow_one_more(exclusions.len())?;
        exclusions.insert(principal_arn.clone(), now);
        Ok(())
    })?;
    Ok(json!({ "principalArn": principal_arn, "createdAt": epoch(now) }))
}

/// `DeregisterPullTimeUpdateExclusion`.
pub(super) fn deregister(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let Parameters { principal_arn } = parse(body)?;
    call.authorize("ecr:DeregisterPullTimeUpdateExclusion")?;
    let removed = RegistrySettings::update(call, |settings| {
        Ok(settings.pull_time_exclusions.remove(&principal_arn))
    })?;
    match removed {
        Some(_) => Ok(json!({ "principalArn": principal_arn })),
        None => Err(EcrError::client(
            "ExclusionNotFoundException",
            format!(
                "The pull time update exclusion for the principal '{principal_arn}' does not exist \
                 in the registry with id '{}'",
                call.account()
            ),
        )),
    }
}

/// `ListPullTimeUpdateExclusions`.
pub(super) fn list(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let page: Page = parse(body)?;
    call.authorize("ecr:ListPullTimeUpdateExclusions")?;
    let settings = RegistrySettings::read(call)?;
    let all = settings.pull_time_exclusions.into_keys().collect();
    let (exclusions, token) = page.cut(all, Clone::clone, 100)?;
    let mut answer = json!({ "pullTimeUpdateExclusions": exclusions });
    if let Some(token) = token {
        answer["nextToken"] = json!(token);
    }
    Ok(answer)
}

/// Whether a pull by the caller is to be recorded. The sessions of a role count
/// as the role.
pub(super) fn is_recorded(call: Call<'_>) -> Result<bool, EcrError> {
    let (Principal::User { arn, .. } | Principal::AssumedRole { role_arn: arn, .. }) =
        &call.caller.principal
    else {
        return Ok(true);
    };
    let settings = RegistrySettings::read(call)?;
    Ok(!settings.pull_time_exclusions.contains_key(arn))
}
