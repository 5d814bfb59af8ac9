//! The client: settings, a clock, and a way to send.

use jiff::Timestamp;
use url::Url;

use crate::credentials::profile;
use crate::iam;
use crate::settings::checked_region;
use crate::signing::{Scope, sign};
use crate::transport::{Answer, Operation, Patience, Transport};
use crate::{AwsError, Credentials, Settings};

/// Calls AWS, and the services around it that give out identities.
pub struct Client {
    pub(crate) settings: Settings,
    pub(crate) transport: Transport,
    pub(crate) patience: Patience,
    clock: fn() -> Timestamp,
}

impl Client {
    /// A client for `settings`; `clock` dates the signatures. Sends nothing yet.
    pub fn new(settings: Settings, clock: fn() -> Timestamp) -> Result<Self, AwsError> {
        Ok(Self {
            settings,
            transport: Transport::new()?,
            patience: Patience::USUAL,
            clock,
        })
    }

    /// The region: of the environment or the configuration, else of the profile.
    pub(crate) async fn region(&self) -> Result<String, AwsError> {
        if let Some(region) = &self.settings.region {
            return Ok(region.clone());
        }
        let region = profile::read(&self.settings.profile)
            .await?
            .and_then(|mut values| values.remove("region"))
            .ok_or(AwsError::NoRegion)?;
        checked_region(region).map_err(|error| AwsError::Setting {
            what: "AWS region",
            reason: error.to_string(),
        })
    }

    /// The endpoint of a service: the configured one, else AWS's in the region.
    pub(crate) async fn endpoint(
        &self,
        configured: Option<&Url>,
        host: &str,
    ) -> Result<Url, AwsError> {
        if let Some(url) = configured {
            return Ok(url.clone());
        }
        let region = self.region().await?;
        let partition = if region.starts_with("cn-") { ".cn" } else { "" };
        Url::parse(&format!(
            "https://{host}.{region}.amazonaws.com{partition}/"
        ))
        .map_err(|error| AwsError::Setting {
            what: "AWS region",
            reason: error.to_string(),
        })
    }

    /// Signs and sends, again and again while that helps: each try with a fresh date.
    pub(crate) async fn send_signed(
        &self,
        operation: Operation,
        request: &http::Request<Vec<u8>>,
        credentials: &Credentials,
        judge: impl Fn(Answer) -> Result<Answer, AwsError>,
    ) -> Result<Answer, AwsError> {
        let region = match operation.service {
            iam::SERVICE => iam::home(self.region().await.ok().as_deref())
                .region
                .to_owned(),
            _ => self.region().await?,
        };
        // AWS signs by the service's short name in lower case.
        let signing_name = operation.service.to_ascii_lowercase();
        self.patience
            .retry(async || {
                let mut request = request.clone();
                let scope = Scope {
                    service: &signing_name,
                    region: &region,
                    time: (self.clock)(),
                };
                sign(&mut request, credentials, &scope)?;
                let answer = self
                    .transport
                    .send(operation, request, self.patience.request)
                    .await?;
                judge(answer)
            })
            .await
            .map_err(|error| error.without(&credentials.secrets()))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::client;
    use crate::{AssumeRole, Credentials, WebIdentityToken};

    fn may_move_between_threads(_: impl Send) {}

    #[test]
    fn every_call_may_run_on_any_thread() {
        let client = client(&[]);
        let keys = Credentials::new("A", "s", None);
        let token = WebIdentityToken::new(String::new());
        may_move_between_threads(client.github_token("a"));
        may_move_between_threads(client.caller_identity(&keys));
        may_move_between_threads(client.registry_authorization(&keys));
        may_move_between_threads(client.credentials());
        may_move_between_threads(client.assume_role_with_web_identity(&AssumeRole {
            role_arn: "",
            session_name: "",
            token: &token,
            duration_seconds: 900,
        }));
    }
}
