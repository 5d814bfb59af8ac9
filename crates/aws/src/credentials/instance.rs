//! The metadata service of EC2 instances, version 2 only: version 1 gives
//! credentials to whoever can make the instance send a GET.

use std::time::Duration;

use url::Url;

use super::CredentialDocument;
use crate::transport::{Answer, Operation};
use crate::{AwsError, Client, Credentials};

const GET_CREDENTIALS: Operation = Operation {
    service: "instance metadata service",
    name: "GetCredentials",
};
/// Away from EC2 nothing answers: a laptop must not wait long to learn that.
const PATIENCE: Duration = Duration::from_secs(1);
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

impl Client {
    /// Asks for the credentials of the instance's role; never tried twice.
    pub(super) async fn instance_credentials(&self, url: &Url) -> Result<Credentials, AwsError> {
        let token = self
            .metadata(
                http::Request::put(at(url, "/latest/api/token"))
                    .header("x-aws-ec2-metadata-token-ttl-seconds", "300"),
            )
            .await?;
        let token = text(token)?;
        let get = |path: &str| {
            http::Request::get(at(url, path)).header("x-aws-ec2-metadata-token", &token)
        };
        let roles = text(self.metadata(get(ROLES)).await?)?;
        let role = roles
            .lines()
            .next()
            .filter(|role| !role.is_empty())
            .ok_or_else(|| GET_CREDENTIALS.malformed("no role is attached to the instance"))?;
        let answer = self.metadata(get(&format!("{ROLES}{role}"))).await?;
        CredentialDocument::parse(&answer.body)
            .ok_or_else(|| GET_CREDENTIALS.malformed("not credentials as JSON"))
    }

    async fn metadata(&self, request: http::request::Builder) -> Result<Answer, AwsError> {
        let request = request
            .body(Vec::new())
            .map_err(|error| GET_CREDENTIALS.malformed(error.to_string()))?;
        let answer = self
            .transport
            .send(GET_CREDENTIALS, request, PATIENCE)
            .await?;
        if answer.status.is_success() {
            Ok(answer)
        } else {
            Err(answer.into_error(GET_CREDENTIALS, None, None, None))
        }
    }
}

fn at(url: &Url, path: &str) -> String {
    format!("{}{path}", url.as_str().trim_end_matches('/'))
}

fn text(answer: Answer) -> Result<String, AwsError> {
    String::from_utf8(answer.body).map_err(|_| GET_CREDENTIALS.malformed("not UTF-8"))
}
