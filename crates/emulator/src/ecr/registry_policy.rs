//! The policy of a registry (User Guide, "Private registry permissions"): it
//! has a say in every request, beside the repository's own.

use policy::{Document, ResourceElement};
use serde::Deserialize;
use serde_json::{Value, json};

use super::parameters::parse;
use super::registry_settings::RegistrySettings;
use super::{Call, EcrError};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    policy_text: String,
}

/// `PutRegistryPolicy`.
pub(super) fn put(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let Parameters { policy_text } = parse(body)?;
    call.authorize("ecr:PutRegistryPolicy")?;
    check_policy(&policy_text)?;
    RegistrySettings::update(call, |settings| {
        settings.policy = Some(policy_text.clone());
        Ok(())
    })?;
    Ok(answer(call, &policy_text))
}

/// `GetRegistryPolicy`.
pub(super) fn get(call: Call<'_>, _: Value) -> Result<Value, EcrError> {
    call.authorize("ecr:GetRegistryPolicy")?;
    match RegistrySettings::read(call)?.policy {
        Some(text) => Ok(answer(call, &text)),
        None => Err(not_found(call)),
    }
}

/// `DeleteRegistryPolicy`.
pub(super) fn delete(call: Call<'_>, _: Value) -> Result<Value, EcrError> {
    call.authorize("ecr:DeleteRegistryPolicy")?;
    let removed = RegistrySettings::update(call, |settings| Ok(settings.policy.take()))?;
    match removed {
        Some(text) => Ok(answer(call, &text)),
        None => Err(not_found(call)),
    }
}

/// A registry policy names principals and resources; ECR has one sentence for
/// whatever else is sent.
fn check_policy(text: &str) -> Result<(), EcrError> {
    let is_sound = Document::parse(text).is_ok_and(|document| {
        document.statements.iter().all(|statement| {
            statement.principal.is_some()
                && matches!(statement.resource, Some(ResourceElement::Resource(_)))
        })
    });
    if is_sound {
        Ok(())
    } else {
        Err(EcrError::parameter(
            "PolicyText",
            "Invalid registry policy provided",
        ))
    }
}

fn answer(call: Call<'_>, text: &str) -> Value {
    json!({ "registryId": call.account(), "policyText": text })
}

fn not_found(call: Call<'_>) -> EcrError {
    EcrError::client(
        "RegistryPolicyNotFoundException",
        format!(
            "Registry policy does not exist in the registry with id '{}'",
            call.account()
        ),
    )
}
