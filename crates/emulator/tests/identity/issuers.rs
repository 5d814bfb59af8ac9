//! Issuers that are not GitHub's.

use serde_json::json;

use crate::served::{ACCOUNT, Served};
use crate::web_tokens::Forger;

const ISSUER: &str = "https://gitlab.example";

async fn role(served: &Served) -> String {
    served.provider(ISSUER, "sts").await;
    let trust = json!({
        "Effect": "Allow",
        "Principal": { "Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.example") },
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
        "Condition": { "StringEquals": { "gitlab.example:sub": "project:1" } },
    });
    served.role("deployer", trust).await
}

#[tokio::test]
async fn keys_that_were_not_registered_cannot_be_had() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let role = role(&served).await;
    let (forger, now) = (Forger::new(), served.now().await.as_second());
    let claims = json!({
        "iss": ISSUER, "aud": "sts", "sub": "project:1", "iat": now, "exp": now + 60,
    });
    let token = forger.sign(&json!({ "alg": "RS256", "kid": "1" }), &claims);
    let answer = served.exchange(&role, &token, &[]).await;
    answer.is_refused(
        400,
        "InvalidIdentityToken",
        "Couldn't retrieve verification key",
    );

    let keys = json!({ "issuer": ISSUER, "jwks": forger.key_set("1") });
    served.control("issuers", keys).await;
    served.exchange(&role, &token, &[]).await.good();

    let other = json!({ "issuer": ISSUER, "jwks": Forger::new().key_set("1") });
    served.control("issuers", other).await;
    let answer = served.exchange(&role, &token, &[]).await;
    answer.is_refused(
        400,
        "InvalidIdentityToken",
        "The ID Token signature is invalid",
    );

    let mut many = forger.key_set("1");
    let key = many["keys"][0].clone();
    many["keys"] = json!(vec![key; 101]);
    served
        .control("issuers", json!({ "issuer": ISSUER, "jwks": many }))
        .await;
    let answer = served.exchange(&role, &token, &[]).await;
    answer.is_refused(400, "InvalidIdentityToken", "more than 100 RSA or EC keys");
}

#[tokio::test]
async fn tags_in_a_token_stay_with_the_session() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let role = role(&served).await;
    let condition = json!({ "StringEquals": { "aws:PrincipalTag/team": "web" } });
    let statement = json!({
        "Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*", "Condition": condition,
    });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let parameters = [
        ("RoleName", "deployer"),
        ("PolicyName", "tagged"),
        ("PolicyDocument", policy.as_str()),
    ];
    served.iam("PutRolePolicy", &parameters).await;
    let (forger, now) = (Forger::new(), served.now().await.as_second());
    let keys = json!({ "issuer": ISSUER, "jwks": forger.key_set("1") });
    served.control("issuers", keys).await;
    for (team, status) in [("web", 200), ("ops", 403)] {
        let claims = json!({
            "iss": ISSUER, "aud": "sts", "sub": "project:1", "iat": now, "exp": now + 60,
            "https://aws.amazon.com/tags": { "principal_tags": { "team": [team] } },
        });
        let token = forger.sign(&json!({ "alg": "RS256", "kid": "1" }), &claims);
        let keys = served.exchange(&role, &token, &[]).await.good().keys();
        let answer = served.call(&keys, "iam", "ListRoles", &[]).await;
        assert_eq!(answer.status, status, "{team}: {}", answer.xml);
    }
}
