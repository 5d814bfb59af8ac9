//! Tokens of GitHub.

use serde_json::{Value, json};

use crate::served::{ACCOUNT, SECOND_ACCOUNT, Served};

pub(crate) const SUBJECT: &str = "repo:acme/api:ref:refs/heads/main";
/// A role for GitHub's pushes to main, and its ARN.
pub(crate) async fn publisher(served: &Served) -> String {
    served
        .provider(
            "https://token.actions.githubusercontent.com",
            "sts.amazonaws.com",
        )
        .await;
    let trust = json!({
        "Effect": "Allow",
        "Principal": { "Federated": format!(
            "arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
        ) },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringEquals": {
            "token.actions.githubusercontent.com:sub": SUBJECT,
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        } },
    });
    served.role("publisher", trust).await
}

/// A token for that role.
pub(crate) async fn good_token(served: &Served) -> String {
    served.token(json!({ "sub": SUBJECT })).await
}

/// The key set of the token issuer.
pub(crate) async fn github_keys(served: &Served) -> Value {
    let url = format!("{}/github/.well-known/jwks", served.base);
    served
        .client
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_good_token_becomes_a_session() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let role = publisher(&served).await;
    let token = good_token(&served).await;
    let answer = served.exchange(&role, &token, &[]).await.good();
    assert_eq!(answer.text("SubjectFromWebIdentityToken"), SUBJECT);
    assert_eq!(answer.text("Audience"), "sts.amazonaws.com");
    assert_eq!(
        answer.text("Provider"),
        "https://token.actions.githubusercontent.com"
    );
    let session = format!("arn:aws:sts::{ACCOUNT}:assumed-role/publisher/GitHubActions");
    assert_eq!(answer.text("Arn"), session);
    let who = served
        .call(&answer.keys(), "sts", "GetCallerIdentity", &[])
        .await
        .good();
    assert_eq!(who.text("Arn"), session);
    assert_eq!(who.text("UserId"), answer.text("AssumedRoleId"));
}

#[tokio::test]
async fn a_good_token_opens_what_trusts_it_and_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let role = publisher(&served).await;
    let elsewhere = role.replace(ACCOUNT, SECOND_ACCOUNT);
    let good = good_token(&served).await;
    let no_provider = "No OpenIDConnect provider found in your account for ";
    let answer = served.exchange(&elsewhere, &good, &[]).await;
    answer.is_refused(400, "InvalidIdentityToken", no_provider);
    let stranger = served
        .token(json!({ "sub": "repo:acme/api:pull_request" }))
        .await;
    let no_role = role.replace("publisher", "nobody");
    for (role, token) in [(&role, &stranger), (&no_role, &good)] {
        let answer = served.exchange(role, token, &[]).await;
        let sentence = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
        answer.is_refused(403, "AccessDenied", sentence);
    }
    let listed = json!({ "sub": SUBJECT, "aud": ["sts.amazonaws.com"] });
    let listed = served.token(listed).await;
    served.exchange(&role, &listed, &[]).await.good();
}

#[tokio::test]
async fn a_token_lasts_until_its_end_by_the_emulators_clock() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let role = publisher(&served).await;
    for (claims, sentence) in [
        (json!({ "exp": "soon" }), "Missing a required claim: exp"),
        (json!({ "iat": 1.5 }), "Missing a required claim: iat"),
    ] {
        let mut claims = claims;
        claims["sub"] = json!(SUBJECT);
        let token = served.token(claims).await;
        let answer = served.exchange(&role, &token, &[]).await;
        answer.is_refused(400, "InvalidIdentityToken", sentence);
    }
    let token = good_token(&served).await;
    served.advance(301).await;
    let answer = served.exchange(&role, &token, &[]).await;
    answer.is_refused(
        400,
        "ExpiredTokenException",
        " must be before the expiration date/time ",
    );
}

#[tokio::test]
async fn parameters_are_judged_first_and_together() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let parameters = [
        ("RoleArn", "short"),
        ("RoleSessionName", "a"),
        ("DurationSeconds", "60"),
    ];
    let answer = served.exchange("arn:aws:iam::1:role/x", "none", &[]).await;
    answer.is_refused(400, "ValidationError", "Request ARN is invalid");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/x");
    let answer = served
        .exchange(&role, "none", &[("DurationSeconds", "43201")])
        .await;
    answer.is_refused(
        400,
        "ValidationError",
        "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200",
    );
    let answer = served
        .call(&served.root, "sts", "AssumeRole", &parameters)
        .await;
    answer.is_refused(
        400,
        "ValidationError",
        "3 validation errors detected: Value 'short' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20; Value 'a' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2; Value '60' at 'durationSeconds'",
    );
    let answer = served
        .assume(&served.root, &role, &[("RoleSessionName2", "x")])
        .await;
    answer.is_refused(
        403,
        "AccessDenied",
        "Roles may not be assumed by root accounts.",
    );
}
