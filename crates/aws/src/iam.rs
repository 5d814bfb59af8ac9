//! IAM: Query protocol, API version 2010-05-08. Only what is needed to read who
//! may assume a role.

use percent_encoding::percent_decode_str;
use roxmltree::Node;
use url::Url;

use crate::query::{form, judge, post, read, text};
use crate::transport::Operation;
use crate::{AwsError, Client, Credentials};

pub(crate) const SERVICE: &str = "IAM";
const VERSION: &str = "2010-05-08";
const GET_ROLE: Operation = Operation {
    service: SERVICE,
    name: "GetRole",
};
const GET_PROVIDER: Operation = Operation {
    service: SERVICE,
    name: "GetOpenIDConnectProvider",
};

/// A role as IAM describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFacts {
    /// Its ARN, with its path.
    pub arn: String,
    /// Its trust policy, JSON.
    pub trust_policy: String,
}

/// An identity provider for OpenID Connect as IAM describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcProviderFacts {
    /// The issuer without its scheme.
    pub url: String,
    /// The audiences that it accepts.
    pub client_ids: Vec<String>,
}

/// Where a partition's IAM is: it is one service for all regions of it.
pub(crate) struct Home {
    pub(crate) region: &'static str,
    host: &'static str,
}

/// The home of IAM as seen from a region ("AWS Identity and Access Management
/// endpoints and quotas").
pub(crate) fn home(region: Option<&str>) -> Home {
    let (region, host) = match region {
        Some(region) if region.starts_with("cn-") => {
            ("cn-north-1", "https://iam.cn-north-1.amazonaws.com.cn/")
        }
        Some(region) if region.starts_with("us-gov-") => {
            ("us-gov-west-1", "https://iam.us-gov.amazonaws.com/")
        }
        _ => ("us-east-1", "https://iam.amazonaws.com/"),
    };
    Home { region, host }
}

impl Client {
    /// The role of that name, without its path, in the account of `credentials`;
    /// `None` where there is none. Needs `iam:GetRole`.
    pub async fn role(
        &self,
        credentials: &Credentials,
        name: &str,
    ) -> Result<Option<RoleFacts>, AwsError> {
        let pairs = [("Action", GET_ROLE.name), ("RoleName", name)];
        let found = self.iam(GET_ROLE, &pairs, credentials).await?;
        let Some(answer) = found else { return Ok(None) };
        read(GET_ROLE, &answer, |result| {
            let encoded = text(result, "AssumeRolePolicyDocument")?;
            Some(RoleFacts {
                arn: text(result, "Arn")?,
                // IAM sends documents URL-encoded (RFC 3986).
                trust_policy: percent_decode_str(&encoded)
                    .decode_utf8()
                    .ok()?
                    .into_owned(),
            })
        })
        .map(Some)
    }

    /// The provider with that ARN; `None` where there is none. Needs
    /// `iam:GetOpenIDConnectProvider`.
    pub async fn oidc_provider(
        &self,
        credentials: &Credentials,
        arn: &str,
    ) -> Result<Option<OidcProviderFacts>, AwsError> {
        let pairs = [
            ("Action", GET_PROVIDER.name),
            ("OpenIDConnectProviderArn", arn),
        ];
        let found = self.iam(GET_PROVIDER, &pairs, credentials).await?;
        let Some(answer) = found else { return Ok(None) };
        read(GET_PROVIDER, &answer, |result| {
            let list = result
                .descendants()
                .find(|node| node.tag_name().name() == "ClientIDList")?;
            let members = list.children().filter(Node::is_element);
            Some(OidcProviderFacts {
                url: text(result, "Url")?,
                client_ids: members
                    .filter_map(|node| Some(node.text()?.trim().to_owned()))
                    .collect(),
            })
        })
        .map(Some)
    }

    async fn iam(
        &self,
        operation: Operation,
        pairs: &[(&str, &str)],
        credentials: &Credentials,
    ) -> Result<Option<crate::transport::Answer>, AwsError> {
        let pairs: Vec<_> = pairs
            .iter()
            .copied()
            .chain([("Version", VERSION)])
            .collect();
        let endpoint = if let Some(url) = &self.settings.iam_endpoint {
            url.clone()
        } else {
            let region = self.region().await.ok();
            Url::parse(home(region.as_deref()).host).map_err(|error| AwsError::Setting {
                what: "IAM endpoint",
                reason: error.to_string(),
            })?
        };
        let request = post(&endpoint, form(&pairs), "IAM endpoint")?;
        let sent = self
            .send_signed(operation, &request, credentials, |answer| {
                judge(operation, answer)
            })
            .await;
        match sent {
            Ok(answer) => Ok(Some(answer)),
            Err(AwsError::Service(error)) if error.code.as_deref() == Some("NoSuchEntity") => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Server, client};

    fn answer(operation: &str, result: &str) -> String {
        format!(
            "<{operation}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <{operation}Result>{result}</{operation}Result></{operation}Response>"
        )
    }

    fn keys() -> Credentials {
        Credentials::new("AKIAEXAMPLE", "hunter2", None)
    }

    async fn missing() -> Server {
        let body = "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>no</Message></Error>\
                    <RequestId>r</RequestId></ErrorResponse>";
        Server::always(404, body).await
    }

    #[tokio::test]
    async fn a_role_comes_with_its_decoded_trust_policy() {
        let role = "<Role><Arn>arn:aws:iam::123456789012:role/ci/p</Arn>\
                    <AssumeRolePolicyDocument>%7B%22a%2Bb%22%3A%20%22%C3%A9%22%7D\
                    </AssumeRolePolicyDocument></Role>";
        let iam = Server::always(200, &answer("GetRole", role)).await;
        let client = client(&[("AWS_ENDPOINT_URL_IAM", &iam.url)]);
        let found = client.role(&keys(), "p").await.unwrap().unwrap();
        assert_eq!(found.trust_policy, "{\"a+b\": \"é\"}");
        assert_eq!(found.arn, "arn:aws:iam::123456789012:role/ci/p");
        let seen = &iam.seen()[0];
        assert_eq!(seen.body, "Action=GetRole&RoleName=p&Version=2010-05-08");
        assert!(
            seen.header("authorization")
                .contains("/us-east-1/iam/aws4_request")
        );
    }

    #[tokio::test]
    async fn a_provider_comes_with_its_audiences() {
        let provider = "<Url>issuer.example</Url><ClientIDList><member>a</member>\
                        <member>b</member></ClientIDList>";
        let iam = Server::always(200, &answer("GetOpenIDConnectProvider", provider)).await;
        let client = client(&[("AWS_ENDPOINT_URL", &iam.url)]);
        let found = client.oidc_provider(&keys(), "arn").await.unwrap().unwrap();
        assert_eq!(found.client_ids, ["a", "b"]);
    }

    #[tokio::test]
    async fn what_is_not_there_is_no_error() {
        let iam = missing().await;
        let client = client(&[("AWS_ENDPOINT_URL", &iam.url)]);
        assert_eq!(client.role(&keys(), "p").await.unwrap(), None);
        assert_eq!(client.oidc_provider(&keys(), "a").await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_denial_is_an_error() {
        let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>\
                    <RequestId>r</RequestId></ErrorResponse>";
        let iam = Server::always(403, body).await;
        let client = client(&[("AWS_ENDPOINT_URL", &iam.url)]);
        assert!(client.role(&keys(), "p").await.unwrap_err().is_denial());
    }

    #[test]
    fn iam_is_at_home_in_one_region_of_each_partition() {
        for (region, host) in [
            (None, "iam.amazonaws.com"),
            (Some("eu-west-1"), "iam.amazonaws.com"),
            (Some("cn-northwest-1"), "iam.cn-north-1.amazonaws.com.cn"),
            (Some("us-gov-east-1"), "iam.us-gov.amazonaws.com"),
        ] {
            assert_eq!(home(region).host, format!("https://{host}/"));
        }
    }
}
