//! `GetAccountSetting` and `PutAccountSetting`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::parameters::parse;
use super::registry_settings::RegistrySettings;
use super::{Call, EcrError};

/// The settings with the values that AWS takes today, the default first.
/// `CLAIR` and the policy scope `V1` are of the past (service model).
const SETTINGS: [(&str, &[&str]); 3] = [
    ("BASIC_SCAN_TYPE_VERSION", &["AWS_NATIVE"]),
    ("REGISTRY_POLICY_SCOPE", &["V2"]),
    (BLOB_MOUNTING, &["DISABLED", "ENABLED"]),
];

const BLOB_MOUNTING: &str = "BLOB_MOUNTING";

#[derive(Deserialize)]
struct Parameters {
    name: String,
    value: Option<String>,
}

/// `GetAccountSetting`.
pub(super) fn get(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let Parameters { name, .. } = parse(body)?;
    call.authorize("ecr:GetAccountSetting")?;
    let values = values_of(&name)?;
    let is_on = name == BLOB_MOUNTING && RegistrySettings::read(call)?.blob_mounting;
    Ok(json!({ "name": name, "value": values[usize::from(is_on)] }))
}

/// `PutAccountSetting`.
pub(super) fn put(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let Parameters { name, value } = parse(body)?;
    call.authorize("ecr:PutAccountSetting")?;
    let values = values_of(&name)?;
    let value = value.unwrap_or_default();
    if !values.contains(&value.as_str()) {
        return Err(not_in("value", values));
    }
    if name == BLOB_MOUNTING {
        RegistrySettings::update(call, |settings| {
            settings.blob_mounting = value == "ENABLED";
            Ok(())
        })?;
    }
    Ok(json!({ "name": name, "value": value }))
}

fn values_of(name: &str) -> Result<&'static [&'static str], EcrError> {
    let names = SETTINGS.map(|(name, _)| name);
    let found = SETTINGS.into_iter().find(|(known, _)| *known == name);
    found
        .map(|(_, values)| values)
        .ok_or_else(|| not_in("name", &names))
}

/// Inferred sentence, in the shape of the known ones.
fn not_in(parameter: &str, values: &[&str]) -> EcrError {
    EcrError::parameter(
        parameter,
        &format!(
            "Member must satisfy enum value set: [{}]",
            values.join(", ")
        ),
    )
}
