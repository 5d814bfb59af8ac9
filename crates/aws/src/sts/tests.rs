use super::*;
use crate::testing::{Server, client};

pub(crate) const SAMPLE: &str = r#"<?xml version="1.0"?>
<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>repo:acme/api:ref:refs/heads/main</SubjectFromWebIdentityToken>
    <Audience>sts.amazonaws.com</Audience>
    <AssumedRoleUser>
      <Arn>arn:aws:sts::123456789012:assumed-role/publisher/longshore-1-1</Arn>
      <AssumedRoleId>AROAEXAMPLE:longshore-1-1</AssumedRoleId>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIASAMPLE</AccessKeyId>
      <SecretAccessKey>hunter2</SecretAccessKey>
      <SessionToken>hunter3</SessionToken>
      <Expiration>2026-01-02T04:04:05Z</Expiration>
    </Credentials>
    <Provider>https://token.actions.githubusercontent.com</Provider>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>"#;

fn error_body(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
         <Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>6c1e</RequestId></ErrorResponse>"
    )
}

async fn assume(sts: &Server) -> Result<Session, AwsError> {
    client(&[("AWS_ENDPOINT_URL", &sts.url)])
        .assume_role_with_web_identity(&AssumeRole {
            role_arn: "arn:aws:iam::123456789012:role/publisher",
            session_name: "longshore-1-1",
            token: &WebIdentityToken::new("head.body.sign".to_owned()),
            duration_seconds: 900,
        })
        .await
}

async fn whoami(sts: &Server) -> Result<CallerIdentity, AwsError> {
    client(&[("AWS_ENDPOINT_URL", &sts.url), ("AWS_REGION", "eu-west-1")])
        .caller_identity(&Credentials::new(
            "ASIASAMPLE",
            "hunter2",
            Some("hunter3".to_owned()),
        ))
        .await
}

#[tokio::test]
async fn a_token_becomes_a_session_by_an_unsigned_form() {
    let sts = Server::always(200, SAMPLE).await;
    let session = assume(&sts).await.unwrap();
    assert_eq!(session.credentials.access_key_id, "ASIASAMPLE");
    assert_eq!(session.credentials.secret_access_key.expose(), "hunter2");
    assert_eq!(
        session.credentials.session_token.as_ref().unwrap().expose(),
        "hunter3"
    );
    assert_eq!(
        session.assumed_role_arn,
        "arn:aws:sts::123456789012:assumed-role/publisher/longshore-1-1"
    );
    assert_eq!(session.subject, "repo:acme/api:ref:refs/heads/main");
    assert!(!format!("{session:?}").contains("hunter"));
    let seen = &sts.seen()[0];
    assert_eq!(seen.header("authorization"), "");
    assert_eq!(
        seen.body,
        "Action=AssumeRoleWithWebIdentity\
         &RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fpublisher\
         &RoleSessionName=longshore-1-1&WebIdentityToken=head.body.sign\
         &DurationSeconds=900&Version=2011-06-15"
    );
}

#[tokio::test]
async fn a_denial_is_returned_at_once() {
    let message = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
    let sts = Server::always(403, &error_body("AccessDenied", message)).await;
    let error = assume(&sts).await.unwrap_err();
    assert!(error.is_denial() && !error.is_retryable());
    assert_eq!(
        error.to_string(),
        "STS AssumeRoleWithWebIdentity answered AccessDenied (HTTP 403, request id 6c1e): \
         Not authorized to perform sts:AssumeRoleWithWebIdentity"
    );
    assert_eq!(sts.seen().len(), 1);
}

#[tokio::test]
async fn a_wrong_audience_is_final_and_a_verification_key_out_of_reach_is_not() {
    let sts = Server::always(
        400,
        &error_body("InvalidIdentityToken", "Incorrect token audience"),
    )
    .await;
    assume(&sts).await.unwrap_err();
    assert_eq!(sts.seen().len(), 1);

    let sts = Server::start(|turn, _| match turn {
        0 => (
            400,
            error_body(
                "InvalidIdentityToken",
                "Couldn't retrieve verification key from your identity provider,  please",
            ),
        ),
        1 => (503, "upstream connect error".to_owned()),
        2 => (400, error_body("Throttling", "Rate exceeded")),
        _ => (200, SAMPLE.to_owned()),
    })
    .await;
    assume(&sts).await.unwrap();
    assert_eq!(sts.seen().len(), 4);
}

#[tokio::test]
async fn failures_without_end_end_after_six_tries() {
    let sts = Server::always(500, "").await;
    let error = assume(&sts).await.unwrap_err();
    assert!(error.is_retryable() && !error.is_denial());
    assert_eq!(sts.seen().len(), 6);
}

#[tokio::test]
async fn a_token_that_sts_quotes_is_not_shown() {
    let body = error_body(
        "ValidationError",
        "Value 'head.body.sign' at 'webIdentityToken'",
    );
    let sts = Server::always(400, &body).await;
    let error = assume(&sts).await.unwrap_err().to_string();
    assert!(
        error.contains("Value '***'") && !error.contains("head.body.sign"),
        "{error}"
    );
}

#[tokio::test]
async fn answers_that_are_not_sts_are_malformed() {
    let nested = "<a>".repeat(100_000);
    for body in [
        "<html>",
        "",
        "<a/>",
        "{}",
        nested.as_str(),
        &" ".repeat(2_000_000),
    ] {
        let error = assume(&Server::always(200, body).await).await.unwrap_err();
        assert!(matches!(error, AwsError::Malformed { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let sts = Server::always(307, "").await;
    let error = assume(&sts).await.unwrap_err();
    assert!(error.to_string().contains("HTTP 307"), "{error}");
    assert_eq!(sts.seen().len(), 1);
}

#[tokio::test]
async fn nobody_listening_is_a_transport_error() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&[("AWS_ENDPOINT_URL", &url)])
        .assume_role_with_web_identity(&AssumeRole {
            role_arn: "arn:aws:iam::123456789012:role/publisher",
            session_name: "longshore-1-1",
            token: &WebIdentityToken::new("t".to_owned()),
            duration_seconds: 900,
        })
        .await
        .unwrap_err();
    assert!(matches!(error, AwsError::Transport { .. }), "{error}");
}

#[tokio::test]
async fn the_caller_is_asked_for_with_a_signature() {
    let sts = Server::always(
        200,
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn</Arn>\
         <UserId>AROA:s</UserId><Account>123456789012</Account></GetCallerIdentityResult>\
         </GetCallerIdentityResponse>",
    )
    .await;
    let identity = whoami(&sts).await.unwrap();
    assert_eq!(
        identity,
        CallerIdentity {
            arn: "arn".to_owned(),
            account: "123456789012".to_owned(),
            user_id: "AROA:s".to_owned(),
        }
    );
    let seen = &sts.seen()[0];
    assert!(seen.header("authorization").starts_with(
        "AWS4-HMAC-SHA256 Credential=ASIASAMPLE/20260102/eu-west-1/sts/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="
    ));
    assert_eq!(seen.header("x-amz-security-token"), "hunter3");
    assert_eq!(seen.body, "Action=GetCallerIdentity&Version=2011-06-15");
}

#[tokio::test]
async fn a_signature_mismatch_does_not_show_the_session_token() {
    let body = error_body("SignatureDoesNotMatch", "x-amz-security-token:hunter3");
    let error = whoami(&Server::always(403, &body).await).await.unwrap_err();
    assert!(!error.to_string().contains("hunter3"), "{error}");
}

#[tokio::test]
async fn without_a_region_or_an_endpoint_nothing_is_sent() {
    let error = client(&[])
        .caller_identity(&Credentials::new("A", "s", None))
        .await
        .unwrap_err();
    assert!(matches!(error, AwsError::NoRegion), "{error}");
}

#[tokio::test]
async fn the_endpoint_follows_the_region_and_its_partition() {
    for (region, expected) in [
        ("eu-west-1", "https://sts.eu-west-1.amazonaws.com/"),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn/"),
    ] {
        let url = client(&[("AWS_REGION", region)])
            .endpoint(None, "sts")
            .await;
        assert_eq!(url.unwrap().as_str(), expected);
    }
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut client = client(&[("AWS_ENDPOINT_URL", &url), ("AWS_REGION", "eu-west-1")]);
    client.patience.request = std::time::Duration::from_millis(20);
    let error = client
        .caller_identity(&Credentials::new("A", "s", None))
        .await
        .unwrap_err();
    assert!(error.is_retryable(), "{error}");
}
