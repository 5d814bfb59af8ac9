//! Credentials, and where a laptop or a runner keeps them.

mod container;
mod instance;
mod process;
pub(crate) mod profile;

use jiff::Timestamp;
use serde::Deserialize;

use crate::settings::WebIdentitySource;
use crate::{AssumeRole, AwsError, Client, Secret, WebIdentityToken};

/// The keys that sign a call. `Debug` shows the key's id and nothing else of it.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// `AKIA...` of a user, `ASIA...` of a session.
    pub access_key_id: String,
    /// What signs.
    pub secret_access_key: Secret,
    /// Comes with keys that end.
    pub session_token: Option<Secret>,
    /// When they end, where their source says so.
    pub expires_at: Option<Timestamp>,
}

impl Credentials {
    /// Keys whose end is not known.
    pub fn new(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
        session_token: Option<String>,
    ) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: Secret::new(secret_access_key),
            session_token: session_token.map(Secret::new),
            expires_at: None,
        }
    }

    pub(crate) fn secrets(&self) -> Vec<&Secret> {
        std::iter::once(&self.secret_access_key)
            .chain(&self.session_token)
            .collect()
    }
}

/// Credentials as processes, containers and instances hand them out.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CredentialDocument {
    access_key_id: String,
    secret_access_key: String,
    /// `SessionToken` of processes; the services call it `Token`.
    #[serde(alias = "Token")]
    session_token: Option<String>,
    expiration: Option<Timestamp>,
}

impl CredentialDocument {
    /// `None` for what is not such a document; the parser's own message could
    /// quote a key, so it is dropped.
    fn parse(body: &[u8]) -> Option<Credentials> {
        let document: Self = serde_json::from_slice(body).ok()?;
        Some(Credentials {
            expires_at: document.expiration,
            ..Credentials::new(
                document.access_key_id,
                document.secret_access_key,
                document.session_token,
            )
        })
    }
}

impl Client {
    /// Walks the standard chain and says where it found the credentials:
    /// environment variables, a web identity token file, the profile, the
    /// container's service, the instance's.
    ///
    /// A source that is configured and fails is an error, not a reason to go on:
    /// the next one could be somebody else's account.
    pub async fn credentials(&self) -> Result<(Credentials, &'static str), AwsError> {
        let settings = &self.settings;
        if let Some(keys) = &settings.static_keys {
            return Ok((keys.clone(), "environment variables"));
        }
        if let Some(source) = &settings.web_identity {
            let found = self.exchange_token_file(source).await?;
            return Ok((found, "web identity token file"));
        }
        let profile = &settings.profile;
        if let Some(found) = self.profile_credentials(profile).await? {
            return Ok((found, "profile"));
        }
        if let Some(source) = &settings.container {
            let found = self.container_credentials(source).await?;
            return Ok((found, "container credential service"));
        }
        let instance = match &settings.instance_metadata {
            None => "instance metadata is switched off".to_owned(),
            Some(url) => match self.instance_credentials(url).await {
                Ok(found) => return Ok((found, "instance metadata service")),
                Err(error) => format!("instance metadata: {error}"),
            },
        };
        Err(AwsError::NoCredentials {
            tried: vec![
                "environment: `AWS_ACCESS_KEY_ID` is not set".to_owned(),
                "web identity: `AWS_WEB_IDENTITY_TOKEN_FILE` is not set".to_owned(),
                format!(
                    "profile `{}`: not there, or without credentials",
                    profile.name
                ),
                "container: `AWS_CONTAINER_CREDENTIALS_*_URI` is not set".to_owned(),
                instance,
            ],
        })
    }

    async fn exchange_token_file(
        &self,
        source: &WebIdentitySource,
    ) -> Result<Credentials, AwsError> {
        let token = read_text(&source.token_file).await?;
        let session = self
            .assume_role_with_web_identity(&AssumeRole {
                role_arn: &source.role_arn,
                session_name: &source.session_name,
                token: &WebIdentityToken::new(token.trim().to_owned()),
                duration_seconds: 3600,
            })
            .await?;
        Ok(session.credentials)
    }
}

async fn read_text(path: &std::path::Path) -> Result<String, AwsError> {
    tokio::fs::read_to_string(path)
        .await
        .map_err(|source| AwsError::File {
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests;
