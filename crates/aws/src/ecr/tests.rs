use super::*;
use crate::testing::{Server, client};

async fn authorize(ecr: &Server) -> Result<RegistryAuthorization, AwsError> {
    client(&[
        ("AWS_ENDPOINT_URL_ECR", &ecr.url),
        ("AWS_REGION", "eu-west-1"),
    ])
    .registry_authorization(&Credentials::new("ASIASAMPLE", "hunter2", None))
    .await
}

fn body(token: &str, endpoint: &str) -> String {
    format!(
        r#"{{"authorizationData":[{{"authorizationToken":"{}","expiresAt":1.7673e9,
            "proxyEndpoint":"{endpoint}"}}]}}"#,
        STANDARD.encode(token)
    )
}

#[tokio::test]
async fn the_login_is_split_at_the_first_colon() {
    let ecr = Server::always(
        200,
        &body("AWS:pass:word", "https://1.dkr.ecr.r.amazonaws.com"),
    )
    .await;
    let login = authorize(&ecr).await.unwrap();
    assert_eq!(login.username, "AWS");
    assert_eq!(login.password.expose(), "pass:word");
    assert_eq!(
        login.endpoint.as_str(),
        "https://1.dkr.ecr.r.amazonaws.com/"
    );
    assert_eq!(login.expires_at.as_second(), 1_767_300_000);
    assert!(!format!("{login:?}").contains("pass:word"));
    let seen = &ecr.seen()[0];
    assert_eq!(seen.body, "{}");
    assert_eq!(
        seen.header("x-amz-target"),
        "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"
    );
    assert!(
        seen.header("authorization")
            .contains("/eu-west-1/ecr/aws4_request")
    );
}

#[tokio::test]
async fn plain_http_is_for_this_machine_only() {
    let near = Server::always(200, &body("AWS:p", "http://127.0.0.1:5000")).await;
    assert_eq!(authorize(&near).await.unwrap().endpoint.port(), Some(5000));
    for endpoint in [
        "http://registry.example",
        "ftp://127.0.0.1",
        "registry.example",
    ] {
        let far = Server::always(200, &body("AWS:p", endpoint)).await;
        let error = authorize(&far).await.unwrap_err();
        assert!(error.to_string().contains("proxyEndpoint"), "{error}");
    }
}

#[tokio::test]
async fn answers_that_are_not_a_login_are_malformed_and_quote_no_token() {
    let no_colon = body("hunter2", "https://a.example");
    let bodies = [
        no_colon.as_str(),
        "",
        "{}",
        r#"{"authorizationData":[]}"#,
        r#"{"authorizationData":[{"authorizationToken":"hunter2","expiresAt":"hunter2"}]}"#,
        r#"{"authorizationData":[{"authorizationToken":"%","expiresAt":1,"proxyEndpoint":""}]}"#,
    ];
    for body in bodies {
        let error = authorize(&Server::always(200, body).await)
            .await
            .unwrap_err();
        assert!(matches!(error, AwsError::Malformed { .. }), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn the_code_is_found_behind_its_namespace_and_a_denial_is_not_repeated() {
    let ecr = Server::always(
        400,
        r#"{"__type":"com.amazonaws.ecr#AccessDeniedException","Message":"not authorized"}"#,
    )
    .await;
    let error = authorize(&ecr).await.unwrap_err();
    assert!(error.is_denial());
    assert_eq!(
        error.to_string(),
        "ECR GetAuthorizationToken answered AccessDeniedException (HTTP 400, request id \
         request-1): not authorized"
    );
    assert_eq!(ecr.seen().len(), 1);
}

#[tokio::test]
async fn a_server_error_is_tried_again() {
    let ecr = Server::start(|turn, _| match turn {
        0 => (
            500,
            r#"{"__type":"ServerException","message":"oops"}"#.to_owned(),
        ),
        _ => (200, body("AWS:p", "https://a.example")),
    })
    .await;
    authorize(&ecr).await.unwrap();
    assert_eq!(ecr.seen().len(), 2);
}
