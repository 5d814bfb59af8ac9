//! From a GitHub token, or a laptop's credentials, to a registry that lets us in.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::{AssumeRole, AwsError, Client, Credentials, RegistryAuthorization};
use receipts::Identity;
use registry::{Options, Password, Registry, RegistryError, Renew};

use super::{Destination, IdentityPlan, PublishFailure};

/// The audience that IAM's provider for GitHub lists.
const AUDIENCE: &str = "sts.amazonaws.com";

/// Long enough for any push, short enough to be of little use to a thief: the
/// default of `AssumeRoleWithWebIdentity`.
const SESSION_SECONDS: u32 = 3600;

/// A registry, and the identity that AWS vouched for there.
pub(super) struct Session {
    pub(super) identity: Identity,
    /// The registry's host and port, as they stand in image references.
    pub(super) host: String,
    pub(super) registry: Registry,
    pub(super) client: Arc<Client>,
    /// Of the identity, as they were when the session was opened.
    pub(super) credentials: Credentials,
    /// What the token of the run says, where a run publishes.
    pub(super) claims: Option<BTreeMap<String, String>>,
}

/// Somebody whom the registry lets in.
struct Login {
    identity: Identity,
    credentials: Credentials,
    claims: Option<BTreeMap<String, String>>,
    authorization: RegistryAuthorization,
}

/// Credentials, and whose they are.
struct Principal {
    credentials: Credentials,
    identity: Identity,
    claims: BTreeMap<String, String>,
}

impl Destination {
    /// Logs in. Whatever expires while the session is used is renewed.
    pub(super) async fn open(&self, client: &Arc<Client>) -> Result<Session, PublishFailure> {
        let Login {
            identity,
            credentials: keys,
            claims,
            authorization,
        } = self.login(client).await?;
        let endpoint = &authorization.endpoint;
        let host = endpoint.host_str().unwrap_or_default();
        let host = endpoint
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let registry = connect(&authorization).map_err(self.failed("connecting", 0))?;
        let (destination, own) = (self.clone(), Arc::clone(client));
        let renew: Renew = Box::new(move || {
            let (destination, client) = (destination.clone(), Arc::clone(&own));
            Box::pin(async move {
                let login = destination.login(&client).await?;
                Ok(credentials(&login.authorization))
            })
        });
        Ok(Session {
            identity,
            host,
            registry: registry.renewed_by(renew),
            client: Arc::clone(client),
            credentials: keys,
            claims,
        })
    }

    async fn login(&self, client: &Client) -> Result<Login, PublishFailure> {
        let failed = |step| move |source| PublishFailure::Aws { step, source };
        let authorize = async |credentials: &Credentials| {
            client
                .registry_authorization(credentials)
                .await
                .map_err(failed("asking ECR for the registry's authorization"))
        };
        let IdentityPlan::Github { role, session_name } = &self.identity else {
            let (credentials, source) = client
                .credentials()
                .await
                .map_err(PublishFailure::NoCredentials)?;
            let whose = async {
                let caller = client
                    .caller_identity(&credentials)
                    .await
                    .map_err(failed("asking AWS whose credentials these are"))?;
                self.identity(caller.arn, source, None)
            };
            let (identity, authorization) = tokio::try_join!(whose, authorize(&credentials))?;
            return Ok(Login {
                identity,
                credentials,
                claims: None,
                authorization,
            });
        };
        let principal = self.assume(client, role, session_name).await?;
        let authorization = authorize(&principal.credentials).await?;
        Ok(Login {
            identity: principal.identity,
            credentials: principal.credentials,
            claims: Some(principal.claims),
            authorization,
        })
    }

    async fn assume(
        &self,
        client: &Client,
        role: &str,
        session_name: &str,
    ) -> Result<Principal, PublishFailure> {
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
            role: role.to_owned(),
            claims: token.claims(),
            source,
        };
        let session = client
            .assume_role_with_web_identity(&request)
            .await
            .map_err(refused)?;
        let subject = Some(session.subject);
        Ok(Principal {
            credentials: session.credentials,
            identity: self.identity(session.assumed_role_arn, "GitHub OIDC", subject)?,
            claims: token.claims(),
        })
    }

    /// The identity of `arn`, if it is one of the account that was asked for.
    fn identity(
        &self,
        arn: String,
        source: &str,
        subject: Option<String>,
    ) -> Result<Identity, PublishFailure> {
        let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
        if account != self.account {
            return Err(PublishFailure::WrongAccount {
                expected: self.account.clone(),
                found: account,
                arn,
            });
        }
        Ok(Identity {
            arn,
            account,
            source: source.to_owned(),
            subject,
        })
    }
}

fn credentials(authorization: &RegistryAuthorization) -> registry::Credentials {
    registry::Credentials {
        username: authorization.username.clone(),
        password: Password::new(authorization.password.expose()),
    }
}

/// A client of the registry that ECR authorized us for.
pub fn connect(authorization: &RegistryAuthorization) -> Result<Registry, RegistryError> {
    Registry::new(
        authorization.endpoint.clone(),
        Some(credentials(authorization)),
        Options::default(),
    )
}
