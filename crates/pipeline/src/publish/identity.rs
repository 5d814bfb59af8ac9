//! From a GitHub token, or a laptop's credentials, to a registry login.

use aws::{AssumeRole, AwsError, Client, Credentials, RegistryAuthorization};
use receipts::Identity;

use super::{IdentityPlan, PublishFailure, PublishPlan};

/// The audience that IAM's provider for GitHub lists.
const AUDIENCE: &str = "sts.amazonaws.com";

/// Long enough for any push, short enough to be of little use to a thief: the
/// default of `AssumeRoleWithWebIdentity`.
const SESSION_SECONDS: u32 = 3600;

/// An identity that AWS vouched for, with the registry it may talk to.
pub(super) struct Login {
    pub(super) identity: Identity,
    pub(super) authorization: RegistryAuthorization,
}

impl Login {
    /// The registry's host and port, as it stands in image references.
    pub(super) fn host(&self) -> String {
        let endpoint = &self.authorization.endpoint;
        let host = endpoint.host_str().unwrap_or_default();
        endpoint
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

impl PublishPlan {
    pub(super) async fn login(&self, client: &Client) -> Result<Login, PublishFailure> {
        let (credentials, source, subject) = self.credentials(client).await?;
        let failed = |step| move |source| PublishFailure::Aws { step, source };
        let caller = client
            .caller_identity(&credentials)
            .await
            .map_err(failed("asking AWS whose credentials these are"))?;
        if caller.account != self.account {
            return Err(PublishFailure::WrongAccount {
                expected: self.account.clone(),
                found: caller.account,
                arn: caller.arn,
            });
        }
        let authorization = client
            .registry_authorization(&credentials)
            .await
            .map_err(failed("asking ECR for the registry's authorization"))?;
        let identity = Identity {
            arn: caller.arn,
            account: caller.account,
            source: source.to_owned(),
            subject,
        };
        Ok(Login {
            identity,
            authorization,
        })
    }

    async fn credentials(
        &self,
        client: &Client,
    ) -> Result<(Credentials, &'static str, Option<String>), PublishFailure> {
        let IdentityPlan::Github { role, session_name } = &self.identity else {
            let (credentials, source) = client
                .credentials()
                .await
                .map_err(PublishFailure::NoCredentials)?;
            return Ok((credentials, source, None));
        };
        let token = client
            .github_token(AUDIENCE)
            .await
            .map_err(PublishFailure::NoToken)?;
        let request = AssumeRole {
            role_arn: role,
            session_name,
            token: &token,
            duration_seconds: SESSION_SECONDS,
        };
        let refused = |source: AwsError| PublishFailure::Refused {
            role: role.clone(),
            claims: token.claims(),
            source,
        };
        let session = client
            .assume_role_with_web_identity(&request)
            .await
            .map_err(refused)?;
        Ok((session.credentials, "GitHub OIDC", Some(session.subject)))
    }
}
