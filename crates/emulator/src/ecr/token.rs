//! `GetAuthorizationToken`: the password for the registry.

use serde::Deserialize;
use serde_json::{Value, json};

use super::parameters::{epoch, parse};
use super::{Call, EcrError, Registry};
use crate::authorize::Target;
use crate::login;
use crate::state::State;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    registry_ids: Option<Vec<String>>,
}

/// One token per registry asked for. As in AWS each of them opens every registry
/// of the region that the caller may use; at the emulator's own address, which
/// names no registry, it opens the one that it was asked for.
pub(super) fn get_authorization_token(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    // Only an identity policy can allow it: no registry is asked for.
    call.decide(&Target::new(
        "ecr:GetAuthorizationToken",
        "*",
        call.account(),
    ))?;
    let accounts = parameters
        .registry_ids
        .unwrap_or_else(|| vec![call.account().to_owned()]);
    let mut data = Vec::with_capacity(accounts.len());
    for account in &accounts {
        let registry = Registry::new(account, &call.registry.region);
        let (token, expires) = login::issue(call.state, call.caller, &registry)?;
        data.push(json!({
            "authorizationToken": token,
            "expiresAt": epoch(expires),
            "proxyEndpoint": proxy_endpoint(call.state, &registry),
        }));
    }
    Ok(json!({ "authorizationData": data }))
}

/// The address of a registry, with the scheme.
fn proxy_endpoint(state: &State, registry: &Registry) -> String {
    let base = &state.base_url;
    let scheme = base.split_once("://").map_or("http", |(scheme, _)| scheme);
    format!("{scheme}://{}", registry.host(&state.settings, base))
}
