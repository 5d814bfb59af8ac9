//! Managed signing. AWS Signer is not emulated, so no image is ever signed
//! here: a configuration without rules is kept, one with rules is refused.

use serde::Deserialize;
use serde_json::{Value, json};

use super::image_queries::one_image;
use super::parameters::parse;
use super::registry_settings::RegistrySettings;
use super::{Call, EcrError};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    signing_configuration: Configuration,
}

#[derive(Deserialize)]
struct Configuration {
    rules: Vec<Value>,
}

/// `PutSigningConfiguration`.
pub(super) fn put(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    call.authorize("ecr:PutSigningConfiguration")?;
    if !parameters.signing_configuration.rules.is_empty() {
        return Err(EcrError::disabled(
            call,
            "AWS Signer is not emulated: a signing configuration cannot have rules",
        ));
    }
    RegistrySettings::update(call, |settings| {
        settings.signing = true;
        Ok(())
    })?;
    Ok(json!({ "signingConfiguration": { "rules": [] } }))
}

/// `GetSigningConfiguration`.
pub(super) fn get(call: Call<'_>, _: Value) -> Result<Value, EcrError> {
    call.authorize("ecr:GetSigningConfiguration")?;
    answer(call, RegistrySettings::read(call)?.signing)
}

/// `DeleteSigningConfiguration`.
pub(super) fn delete(call: Call<'_>, _: Value) -> Result<Value, EcrError> {
    call.authorize("ecr:DeleteSigningConfiguration")?;
    let was_set =
        RegistrySettings::update(call, |settings| Ok(std::mem::take(&mut settings.signing)))?;
    answer(call, was_set)
}

/// `DescribeImageSigningStatus`: no rule has ever matched.
pub(super) fn status(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let (name, _, image) = one_image(call, "ecr:DescribeImageSigningStatus", body)?;
    Ok(json!({
        "registryId": call.account(),
        "repositoryName": name,
        "imageId": image.to_json(),
        "signingStatuses": [],
    }))
}

fn answer(call: Call<'_>, is_set: bool) -> Result<Value, EcrError> {
    if !is_set {
        // Inferred sentence.
        return Err(EcrError::client(
            "SigningConfigurationNotFoundException",
            format!(
                "Signing configuration does not exist in the registry with id '{}'",
                call.account()
            ),
        ));
    }
    Ok(json!({ "registryId": call.account(), "signingConfiguration": { "rules": [] } }))
}
