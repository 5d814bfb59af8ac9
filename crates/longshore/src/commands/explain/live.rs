//! The role as AWS holds it now.

use audit::explain::{ProviderFacts, Providers, RoleArn};
use aws::{AwsError, Client, Credentials};
use receipts::{Problem, ProblemCode};
use serde_json::{Map, Value};

use super::caller::ANY_REGION;
use super::role::{self, Found, Policy};
use super::{needed, not_explained};
use crate::arguments::Explain;
use crate::commands::publish::client;
use crate::project::Project;
use crate::settings::Settings;

/// Asks IAM for the role and for the provider of the token's issuer.
pub(super) async fn find(
    arguments: &Explain,
    project: Result<&Project, &Problem>,
    claims: &Map<String, Value>,
    settings: &Settings,
) -> Result<Found, Problem> {
    let client = client(&settings.environment, ANY_REGION).map_err(not_explained)?;
    let (credentials, _) = client.credentials().await.map_err(|error| {
        Problem::new(
            ProblemCode::NoIdentity,
            "nothing was explained: no AWS credentials were found",
        )
        .caused_by(&error)
        .hint("log in with `aws sso login` or `aws configure`, or leave `--live` out")
    })?;
    let identity = client
        .caller_identity(&credentials)
        .await
        .map_err(|error| failed(&error))?;
    let role = role_arn(arguments, project, &identity.account)?;
    let account = RoleArn::parse(&role).map_or("", |role| role.account);
    if account != identity.account {
        return Err(Problem::new(
            ProblemCode::WrongAccount,
            "nothing was explained: the credentials belong to another AWS account than the role",
        )
        .fact("role", role.as_str())
        .fact("credentials of", identity.account)
        .hint("use credentials of the role's account, or correct the twelve digits in its ARN"));
    }
    let policy = policy(&client, &credentials, &role).await?;
    Ok(Found {
        providers: providers(&client, &credentials, &role, claims).await,
        role,
        policy,
    })
}

fn role_arn(
    arguments: &Explain,
    project: Result<&Project, &Problem>,
    account: &str,
) -> Result<String, Problem> {
    match &arguments.role {
        Some(role) if role.starts_with("arn:") => role::checked(role),
        Some(name) => role::checked(&format!("arn:aws:iam::{account}:role/{name}")),
        None => {
            let project = needed(project)?;
            let resources = project.resources().map_err(not_explained)?;
            project.role(resources.as_ref()).map_err(not_explained)
        }
    }
}

async fn policy(client: &Client, credentials: &Credentials, role: &str) -> Result<Policy, Problem> {
    let Some(RoleArn { account, name, .. }) = RoleArn::parse(role) else {
        return Ok(Policy::None("AWS".to_owned()));
    };
    let found = client
        .role(credentials, name)
        .await
        .map_err(|error| failed(&error))?;
    Ok(match found {
        Some(found) if found.arn == role => Policy::Live(found.trust_policy),
        // IAM finds a role by its name, STS only by its whole ARN.
        Some(found) => Policy::None(format!("account {account}, which has `{}`,", found.arn)),
        None => Policy::None(format!("account {account}")),
    })
}

/// `None` where the credentials may not look.
async fn providers(
    client: &Client,
    credentials: &Credentials,
    role: &str,
    claims: &Map<String, Value>,
) -> Option<Providers> {
    let host = claims.get("iss")?.as_str()?.strip_prefix("https://")?;
    let RoleArn {
        partition, account, ..
    } = RoleArn::parse(role)?;
    let arn = format!("arn:{partition}:iam::{account}:oidc-provider/{host}");
    let found = client.oidc_provider(credentials, &arn).await.ok()?;
    let list = found.map(|found| ProviderFacts {
        arn,
        url: found.url,
        client_ids: found.client_ids,
    });
    Some(Providers {
        known_from: format!("account {account}"),
        list: list.into_iter().collect(),
        complete: true,
    })
}

fn failed(error: &AwsError) -> Problem {
    Problem::new(
        ProblemCode::AwsFailed,
        "nothing was explained: AWS did not answer as needed",
    )
    .caused_by(error)
    .hint("the credentials need `iam:GetRole` and `iam:GetOpenIDConnectProvider`")
    .hint("without them, leave `--live` out: the trust policy is then read from Terraform")
}
