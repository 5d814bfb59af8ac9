//! The Security Token Service: Query protocol, API version 2011-06-15.

use jiff::Timestamp;

use crate::query::{form, judge, post, read, text};
use crate::transport::Operation;
use crate::{AwsError, Client, Credentials, WebIdentityToken};

const ASSUME_ROLE: Operation = Operation {
    service: "STS",
    name: "AssumeRoleWithWebIdentity",
};
const CALLER_IDENTITY: Operation = Operation {
    service: "STS",
    name: "GetCallerIdentity",
};
const VERSION: &str = "2011-06-15";

/// What AssumeRoleWithWebIdentity needs.
#[derive(Debug)]
pub struct AssumeRole<'a> {
    /// The whole ARN of the role.
    pub role_arn: &'a str,
    /// 2 to 64 characters of `[\w+=,.@-]`; see [`crate::session_name`].
    pub session_name: &'a str,
    /// The token that proves who asks.
    pub token: &'a WebIdentityToken,
    /// How long the session lasts, in seconds: 900 up to the role's own limit.
    pub duration_seconds: u32,
}

/// An assumed role.
#[derive(Debug, Clone)]
pub struct Session {
    /// The keys of the session, with their end.
    pub credentials: Credentials,
    /// `arn:aws:sts::<account>:assumed-role/<role>/<session name>`.
    pub assumed_role_arn: String,
    /// The token's subject, as STS verified it; empty where STS sends none.
    pub subject: String,
    /// The token's audience, as STS verified it; empty where STS sends none.
    pub audience: String,
}

/// Who the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The ARN of the user or the assumed role.
    pub arn: String,
    /// The twelve digits of the account.
    pub account: String,
    /// The unique id; `AROA...:<session name>` for an assumed role.
    pub user_id: String,
}

impl Client {
    /// Exchanges a web identity for a session of a role. Not signed: the token is
    /// the proof. A denial is returned at once; only what AWS calls temporary is
    /// tried again.
    pub async fn assume_role_with_web_identity(
        &self,
        request: &AssumeRole<'_>,
    ) -> Result<Session, AwsError> {
        let form = form(&[
            ("Action", ASSUME_ROLE.name),
            ("RoleArn", request.role_arn),
            ("RoleSessionName", request.session_name),
            ("WebIdentityToken", request.token.secret().expose()),
            ("DurationSeconds", &request.duration_seconds.to_string()),
            ("Version", VERSION),
        ]);
        let request_to_send = self.sts_request(form).await?;
        let answer = self
            .patience
            .retry(async || {
                let answer = self
                    .transport
                    .send(ASSUME_ROLE, request_to_send.clone(), self.patience.request)
                    .await?;
                judge(ASSUME_ROLE, answer)
            })
            .await
            .map_err(|error| error.without(&[request.token.secret()]))?;
        read(ASSUME_ROLE, &answer, |result| {
            Some(Session {
                credentials: Credentials {
                    access_key_id: text(result, "AccessKeyId")?,
                    secret_access_key: crate::Secret::new(text(result, "SecretAccessKey")?),
                    session_token: Some(crate::Secret::new(text(result, "SessionToken")?)),
                    expires_at: Some(text(result, "Expiration")?.parse::<Timestamp>().ok()?),
                },
                assumed_role_arn: text(result, "Arn")?,
                subject: text(result, "SubjectFromWebIdentityToken").unwrap_or_default(),
                audience: text(result, "Audience").unwrap_or_default(),
            })
        })
    }

    /// Asks AWS who `credentials` belong to. Needs no permission.
    pub async fn caller_identity(
        &self,
        credentials: &Credentials,
    ) -> Result<CallerIdentity, AwsError> {
        let request = self
            .sts_request(form(&[
                ("Action", CALLER_IDENTITY.name),
                ("Version", VERSION),
            ]))
            .await?;
        let answer = self
            .send_signed(CALLER_IDENTITY, &request, credentials, |answer| {
                judge(CALLER_IDENTITY, answer)
            })
            .await?;
        read(CALLER_IDENTITY, &answer, |result| {
            Some(CallerIdentity {
                arn: text(result, "Arn")?,
                account: text(result, "Account")?,
                user_id: text(result, "UserId")?,
            })
        })
    }

    async fn sts_request(&self, form: String) -> Result<http::Request<Vec<u8>>, AwsError> {
        let endpoint = self
            .endpoint(self.settings.sts_endpoint.as_ref(), "sts")
            .await?;
        post(&endpoint, form, "STS endpoint")
    }
}

#[cfg(test)]
pub(crate) use tests::SAMPLE;
#[cfg(test)]
mod tests;
