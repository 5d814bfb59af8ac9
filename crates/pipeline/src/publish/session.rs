//! From a GitHub token, a laptop's credentials or a login that Docker keeps, to a
//! registry that lets us in.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::{AssumeRole, AwsError, Client, Credentials, RegistryAuthorization, WebIdentityToken};
use receipts::Identity;
use registry::{Options, Password, Registry, RegistryError, Renew};
use url::Url;

use super::{Destination, IdentityPlan, PublishFailure};

/// The audience that IAM's provider for GitHub lists.
const AUDIENCE: &str = "sts.amazonaws.com";

/// Long enough for any push, short enough to be of little use to a thief: the
/// default of `AssumeRoleWithWebIdentity`.
const SESSION_SECONDS: u32 = 3600;

/// A registry, and who we are there.
pub(super) struct Session {
    pub(super) identity: Identity,
    /// The registry's host and port, as they stand in image references.
    pub(super) host: String,
    pub(super) registry: Registry,
    pub(super) client: Arc<Client>,
    /// Those of the identity in AWS, as they were when the session was opened; none at
    /// a registry that is not ECR.
    pub(super) credentials: Option<Credentials>,
    /// What the token of the run says, where a run publishes.
    pub(super) claims: Option<BTreeMap<String, String>>,
}

/// Somebody whom the registry lets in.
struct Login {
    identity: Identity,
    host: String,
    endpoint: Url,
    /// What the registry is shown.
    shown: Option<registry::Credentials>,
    credentials: Option<Credentials>,
    claims: Option<BTreeMap<String, String>>,
}

impl Destination {
    /// Logs in. Whatever expires while the session is used is renewed.
    pub(super) async fn open(&self, client: &Arc<Client>) -> Result<Session, PublishFailure> {
        let login = self.login(client).await?;
        let is_somebody = login.shown.is_some();
        let registry = Registry::new(login.endpoint, login.shown, Options::default())
            .map_err(self.failed("connecting", 0))?;
        let (destination, own) = (self.clone(), Arc::clone(client));
        let renew: Renew = Box::new(move || {
            let (destination, client) = (destination.clone(), Arc::clone(&own));
            Box::pin(async move {
                let login = destination.login(&client).await?;
                login
                    .shown
                    .ok_or_else(|| "nobody is logged in any more".into())
            })
        });
        Ok(Session {
            identity: login.identity,
            host: login.host,
            registry: if is_somebody {
                registry.renewed_by(renew)
            } else {
                registry
            },
            client: Arc::clone(client),
            credentials: login.credentials,
            claims: login.claims,
        })
    }

    /// What the registry is shown, and where that is.
    pub(super) async fn shown(
        &self,
        client: &Client,
    ) -> Result<(Url, Option<registry::Credentials>), PublishFailure> {
        let login = self.login(client).await?;
        Ok((login.endpoint, login.shown))
    }

    async fn login(&self, client: &Client) -> Result<Login, PublishFailure> {
        match &self.identity {
            IdentityPlan::Github {
                account,
                role,
                session_name,
            } => {
                let (token, session) = assume(client, role, session_name).await?;
                let subject = Some(session.subject);
                let arn = session.assumed_role_arn;
                let identity = identity(account, arn, "GitHub OIDC", subject)?;
                let authorization = authorize(client, &session.credentials).await?;
                let claims = Some(token.claims());
                Ok(Login::of(
                    authorization,
                    identity,
                    session.credentials,
                    claims,
                ))
            }
            IdentityPlan::Chain { account } => {
                let (credentials, source) = client
                    .credentials()
                    .await
                    .map_err(PublishFailure::NoCredentials)?;
                let whose = async {
                    let caller = client
                        .caller_identity(&credentials)
                        .await
                        .map_err(failed("asking AWS whose credentials these are"))?;
                    identity(account, caller.arn, source, None)
                };
                let (identity, authorization) =
                    tokio::try_join!(whose, authorize(client, &credentials))?;
                Ok(Login::of(authorization, identity, credentials, None))
            }
            IdentityPlan::Login { registry, logins } => {
                let kept = registry.login(logins).await?;
                Ok(Login {
                    identity: kept.identity,
                    host: registry.host.clone(),
                    endpoint: registry.endpoint.clone(),
                    shown: kept.credentials,
                    credentials: None,
                    claims: None,
                })
            }
        }
    }
}

impl Login {
    /// Somebody whom ECR lets in.
    fn of(
        authorization: RegistryAuthorization,
        identity: Identity,
        keys: Credentials,
        claims: Option<BTreeMap<String, String>>,
    ) -> Self {
        let shown = Some(credentials(&authorization));
        let endpoint = authorization.endpoint;
        let host = endpoint.host_str().unwrap_or_default();
        let host = endpoint
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Self {
            identity,
            host,
            endpoint,
            shown,
            credentials: Some(keys),
            claims,
        }
    }
}

fn failed(step: &'static str) -> impl Fn(AwsError) -> PublishFailure {
    move |source| PublishFailure::Aws { step, source }
}

async fn authorize(
    client: &Client,
    credentials: &Credentials,
) -> Result<RegistryAuthorization, PublishFailure> {
    let authorization = client.registry_authorization(credentials).await;
    authorization.map_err(failed("asking ECR for the registry's authorization"))
}

/// The token of the run, exchanged for the role.
async fn assume(
    client: &Client,
    role: &str,
    session_name: &str,
) -> Result<(WebIdentityToken, aws::Session), PublishFailure> {
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
    let session = client.assume_role_with_web_identity(&request).await;
    let session = session.map_err(|source| PublishFailure::Refused {
        role: role.to_owned(),
        claims: token.claims(),
        source,
    })?;
    Ok((token, session))
}

/// The identity of `arn`, if it is one of the account that was asked for.
fn identity(
    expected: &str,
    arn: String,
    source: &str,
    subject: Option<String>,
) -> Result<Identity, PublishFailure> {
    let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
    if account != expected {
        return Err(PublishFailure::WrongAccount {
            expected: expected.to_owned(),
            found: account,
            arn,
        });
    }
    Ok(Identity {
        principal: arn,
        account: Some(account),
        source: source.to_owned(),
        subject,
    })
}

/// What a registry is shown of ECR's answer.
pub(super) fn credentials(authorization: &RegistryAuthorization) -> registry::Credentials {
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
