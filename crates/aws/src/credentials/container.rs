//! The credential service of ECS tasks and EKS pods (SDKs and Tools reference
//! guide, "Container credential provider").

use http::header::AUTHORIZATION;

use super::{CredentialDocument, read_text};
use crate::settings::ContainerSource;
use crate::transport::{Operation, is_loopback, is_metadata_service};
use crate::{AwsError, Client, Credentials, Secret};

const GET_CREDENTIALS: Operation = Operation {
    service: "container credential service",
    name: "GetCredentials",
};

impl Client {
    /// Asks the container's service. The token may go over plain HTTP only to
    /// this machine or to the addresses that AWS reserves for the service.
    pub(super) async fn container_credentials(
        &self,
        source: &ContainerSource,
    ) -> Result<Credentials, AwsError> {
        let url = &source.url;
        if url.scheme() != "https" && !is_loopback(url) && !is_metadata_service(url) {
            return Err(AwsError::Setting {
                what: "container credential service",
                reason: "over plain http, its host must be this machine or one of AWS's own"
                    .to_owned(),
            });
        }
        let authorization = match &source.authorization_file {
            Some(file) => Some(Secret::new(read_text(file).await?.trim())),
            None => source.authorization.clone(),
        };
        let mut request = http::Request::get(url.as_str());
        if let Some(token) = &authorization {
            request = request.header(AUTHORIZATION, token.expose());
        }
        let request = request
            .body(Vec::new())
            .map_err(|error| AwsError::Setting {
                what: "container credential service",
                reason: error.to_string(),
            })?;
        self.patience
            .retry(async || {
                let answer = self
                    .transport
                    .send(GET_CREDENTIALS, request.clone(), self.patience.request)
                    .await?;
                if !answer.status.is_success() {
                    return Err(answer.into_error(GET_CREDENTIALS, None, None, None));
                }
                CredentialDocument::parse(&answer.body)
                    .ok_or_else(|| GET_CREDENTIALS.malformed("not credentials as JSON"))
            })
            .await
            .map_err(|error| error.without(&authorization.iter().collect::<Vec<_>>()))
    }
}
