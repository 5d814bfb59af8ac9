//! `GetAuthorizationToken`: the password for the registry.

use serde::Deserialize;
use serde_json::{Value, json};

use super::parameters::{RepositoryParameters, count, epoch, parse};
use super::{Call, EcrError};
use crate::login;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    registry_ids: Option<Vec<String>>,
}

/// One token per registry asked for, each the same: there is one registry, and
/// AWS's tokens open every registry that the caller may use.
pub(super) fn get_authorization_token(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    call.authorize("ecr:GetAuthorizationToken", "*".to_owned())?;
    let registries = parameters
        .registry_ids
        .unwrap_or_else(|| vec![call.account().to_owned()]);
    count("registryIds", &registries, 10)?;
    for registry in &registries {
        let named = RepositoryParameters {
            registry_id: Some(registry.clone()),
            repository_name: None,
        };
        named.registry()?;
    }
    let (token, expires) = login::issue(call.state, call.caller)?;
    let data: Vec<Value> = registries
        .iter()
        .map(|_| {
            json!({
                "authorizationToken": token,
                "expiresAt": epoch(expires),
                "proxyEndpoint": call.state.base_url,
            })
        })
        .collect();
    Ok(json!({ "authorizationData": data }))
}
