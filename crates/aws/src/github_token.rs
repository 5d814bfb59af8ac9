//! How a job asks GitHub for its identity: the request-URL protocol that
//! `actions/toolkit` implements (`packages/core/src/oidc-utils.ts`).

use http::header::{ACCEPT, AUTHORIZATION};
use serde::Deserialize;

use crate::transport::Operation;
use crate::{AwsError, Client, WebIdentityToken};

const GET_TOKEN: Operation = Operation {
    service: "GitHub",
    name: "GetIdToken",
};

#[derive(Deserialize)]
struct TokenAnswer {
    value: Option<String>,
}

impl Client {
    /// Asks GitHub for a token for `audience`: `sts.amazonaws.com`, usually.
    ///
    /// Works only in a job with `permissions: id-token: write`.
    pub async fn github_token(&self, audience: &str) -> Result<WebIdentityToken, AwsError> {
        let service = &self.settings.github;
        let mut url = service.url.clone().ok_or(AwsError::NoGithubToken {
            missing: "ACTIONS_ID_TOKEN_REQUEST_URL",
        })?;
        let bearer = service.token.as_ref().ok_or(AwsError::NoGithubToken {
            missing: "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        })?;
        // The URL already has a query; the audience is one more pair of it.
        url.query_pairs_mut().append_pair("audience", audience);
        self.patience
            .retry(async || {
                let request = http::Request::get(url.as_str())
                    .header(AUTHORIZATION, format!("Bearer {}", bearer.expose()))
                    .header(ACCEPT, "application/json")
                    .body(Vec::new())
                    .map_err(|error| AwsError::Setting {
                        what: "GitHub token service",
                        reason: error.to_string(),
                    })?;
                let answer = self
                    .transport
                    .send(GET_TOKEN, request, self.patience.request)
                    .await?;
                if !answer.status.is_success() {
                    return Err(answer.into_error(GET_TOKEN, None, None, None));
                }
                serde_json::from_slice::<TokenAnswer>(&answer.body)
                    .ok()
                    .and_then(|answer| answer.value)
                    .filter(|value| !value.is_empty())
                    .map(WebIdentityToken::new)
                    .ok_or_else(|| GET_TOKEN.malformed("its JSON has no `value`"))
            })
            .await
            .map_err(|error| error.without(&[bearer]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Server, client};

    async fn token(service: &Server) -> Result<WebIdentityToken, AwsError> {
        client(&[
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                &format!("{}/idtoken?api-version=2.0", service.url),
            ),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hunter2"),
        ])
        .github_token("sts.amazonaws.com/a&b")
        .await
    }

    #[tokio::test]
    async fn the_audience_joins_the_query_and_the_job_proves_itself() {
        let service = Server::always(200, r#"{"count":1,"value":"a.b.c"}"#).await;
        assert_eq!(token(&service).await.unwrap().secret().expose(), "a.b.c");
        let seen = &service.seen()[0];
        assert_eq!(
            seen.uri.to_string(),
            "/idtoken?api-version=2.0&audience=sts.amazonaws.com%2Fa%26b"
        );
        assert_eq!(seen.header("authorization"), "Bearer hunter2");
    }

    #[tokio::test]
    async fn a_job_without_the_permission_is_told_so() {
        let error = client(&[]).github_token("a").await.unwrap_err();
        assert!(
            error.to_string().contains("`permissions: id-token: write`"),
            "{error}"
        );
        let error = client(&[("ACTIONS_ID_TOKEN_REQUEST_URL", "https://a.example/?b=c")])
            .github_token("a")
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_refusal_is_final_and_hides_the_request_token() {
        let service = Server::always(401, "bad token hunter2").await;
        let error = token(&service).await.unwrap_err();
        assert!(error.is_denial());
        assert!(error.to_string().ends_with("bad token ***"), "{error}");
        assert_eq!(service.seen().len(), 1);
    }

    #[tokio::test]
    async fn an_answer_without_a_token_is_malformed() {
        for body in ["", "{}", r#"{"value":""}"#, r#"{"value":7}"#] {
            let error = token(&Server::always(200, body).await).await.unwrap_err();
            assert!(matches!(error, AwsError::Malformed { .. }), "{error}");
        }
    }

    #[tokio::test]
    async fn an_outage_is_tried_again() {
        let service = Server::start(|turn, _| match turn {
            0 => (502, String::new()),
            _ => (200, r#"{"value":"a.b.c"}"#.to_owned()),
        })
        .await;
        token(&service).await.unwrap();
        assert_eq!(service.seen().len(), 2);
    }
}
