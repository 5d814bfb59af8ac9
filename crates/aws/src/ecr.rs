//! The control plane of Amazon ECR: JSON 1.1 protocol, API version 2015-09-21.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::json_protocol::JsonCall;
use crate::transport::{Operation, is_loopback};
use crate::{AwsError, Client, Credentials, Secret};

const GET_AUTHORIZATION: Operation = Operation {
    service: "ECR",
    name: "GetAuthorizationToken",
};

/// How to log in to the registry of an account and region.
#[derive(Debug, Clone)]
pub struct RegistryAuthorization {
    /// Where the registry is; `https`, unless it is on this machine.
    pub endpoint: Url,
    /// `AWS`, always.
    pub username: String,
    /// Opaque; never contains a `:`-separated user name.
    pub password: Secret,
    /// When it stops working: twelve hours on, or when the session ends.
    pub expires_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorizationAnswer {
    authorization_data: Vec<AuthorizationData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorizationData {
    authorization_token: String,
    /// Seconds since the epoch, with a fraction.
    expires_at: f64,
    proxy_endpoint: String,
}

impl Client {
    /// A login for the registry of the credentials' account, in the region.
    pub async fn registry_authorization(
        &self,
        credentials: &Credentials,
    ) -> Result<RegistryAuthorization, AwsError> {
        let endpoint = self
            .endpoint(self.settings.ecr_endpoint.as_ref(), "api.ecr")
            .await?;
        let call = JsonCall {
            operation: GET_AUTHORIZATION,
            target: "AmazonEC2ContainerRegistry_V20150921",
            endpoint,
            body: json!({}),
        };
        let answer = self.call_json(call, credentials).await?;
        // The parser's own message could quote the token.
        let data = serde_json::from_slice::<AuthorizationAnswer>(&answer.body)
            .ok()
            .and_then(|answer| answer.authorization_data.into_iter().next())
            .ok_or_else(|| GET_AUTHORIZATION.malformed("its JSON has no `authorizationData`"))?;
        authorization(&data).map_err(|reason| GET_AUTHORIZATION.malformed(reason))
    }
}

fn authorization(data: &AuthorizationData) -> Result<RegistryAuthorization, &'static str> {
    let decoded = STANDARD
        .decode(&data.authorization_token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or("the token is not base64 text")?;
    let (username, password) = decoded
        .split_once(':')
        .ok_or("the token is not a user and a password")?;
    let endpoint = Url::parse(&data.proxy_endpoint).map_err(|_| "`proxyEndpoint` is not a URL")?;
    let safe =
        endpoint.scheme() == "https" || endpoint.scheme() == "http" && is_loopback(&endpoint);
    if !safe {
        return Err("`proxyEndpoint` would carry the password over an unprotected connection");
    }
    Ok(RegistryAuthorization {
        endpoint,
        username: username.to_owned(),
        password: Secret::new(password),
        expires_at: timestamp(data.expires_at).ok_or("`expiresAt` is not a time")?,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, and jiff refuses what lies outside its range"
)]
fn timestamp(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_millisecond((seconds * 1000.0) as i64).ok()
}

#[cfg(test)]
mod tests;
