//! Tokens of GitHub, and tokens that only look like it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::served::{ACCOUNT, SECOND_ACCOUNT, Served};
use crate::web_tokens::{Forger, confused, parts, public_der, unsigned};

const SUBJECT: &str = "repo:acme/api:ref:refs/heads/main";
const BAD_SIGNATURE: &str = "The ID Token signature is invalid";
const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";

/// A role for GitHub's pushes to main, and its ARN.
async fn publisher(served: &Served) -> String {
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

async fn good_token(served: &Served) -> String {
    served.token(json!({ "sub": SUBJECT })).await
}

async fn github_keys(served: &Served) -> Value {
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

/// Tokens that say what `good` says, and whose signature is not its issuer's:
/// each with what is wrong and the sentence.
fn forgeries(good: &str, keys: &Value) -> Vec<(&'static str, String, &'static str)> {
    let (header, claims, signature) = parts(good);
    let kid = header["kid"].as_str().unwrap();
    let forger = Forger::new();
    let signed_as = |alg: &str, signature: &str| {
        let header = json!({ "alg": alg, "typ": "JWT", "kid": kid });
        format!("{}.{signature}", unsigned(&header, &claims))
    };
    let mut embedded = header.clone();
    embedded["jwk"] = forger.key_set(kid)["keys"][0].clone();
    embedded["jku"] = json!("http://127.0.0.1:1/keys");
    let (other_kid, no_kid) = (
        json!({ "alg": "RS256", "kid": "x" }),
        json!({ "alg": "RS256" }),
    );
    let mut all = vec![
        ("alg none", signed_as("none", ""), BAD_SIGNATURE),
        ("alg None", signed_as("None", ""), BAD_SIGNATURE),
        (
            "alg none, signed",
            signed_as("none", &signature),
            BAD_SIGNATURE,
        ),
        (
            "another algorithm",
            signed_as("RS512", &signature),
            BAD_SIGNATURE,
        ),
        (
            "an elliptic one",
            signed_as("ES256", &signature),
            BAD_SIGNATURE,
        ),
        ("no signature", signed_as("RS256", ""), BAD_SIGNATURE),
        ("another key", forger.sign(&header, &claims), BAD_SIGNATURE),
        (
            "its own key",
            forger.sign(&embedded, &claims),
            BAD_SIGNATURE,
        ),
        ("another kid", forger.sign(&other_kid, &claims), NO_KEY),
        ("no kid", forger.sign(&no_kid, &claims), NO_KEY),
    ];
    let altered = format!("{}.{signature}", unsigned(&header, &with_more(&claims)));
    all.push(("another payload", altered, BAD_SIGNATURE));
    let der = public_der(keys);
    let begin = "-----BEGIN PUBLIC KEY-----";
    let pem = format!(
        "{begin}\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&der)
    );
    let set = keys.to_string();
    for public in [&der, pem.as_bytes(), set.as_bytes()] {
        all.push((
            "key confusion",
            confused(kid, &claims, public),
            BAD_SIGNATURE,
        ));
    }
    all
}

/// The claims, and one that was not signed.
fn with_more(claims: &Value) -> Value {
    let mut more = claims.clone();
    more["repository"] = json!("acme/api");
    more
}

#[tokio::test]
async fn a_token_that_the_issuer_did_not_sign_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let role = publisher(&served).await;
    let good = good_token(&served).await;
    let keys = github_keys(&served).await;
    for (what, token, sentence) in forgeries(&good, &keys) {
        println!("{what}");
        let answer = served.exchange(&role, &token, &[]).await;
        answer.is_refused(400, "InvalidIdentityToken", sentence);
    }
    served.exchange(&role, &good, &[]).await.good();
}

#[tokio::test]
async fn a_token_for_others_or_of_others_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let role = publisher(&served).await;
    let elsewhere = role.replace(ACCOUNT, SECOND_ACCOUNT);
    let good = good_token(&served).await;
    let no_provider = "No OpenIDConnect provider found in your account for ";
    let answer = served.exchange(&elsewhere, &good, &[]).await;
    answer.is_refused(400, "InvalidIdentityToken", no_provider);
    for (claims, sentence) in [
        (
            json!({ "aud": "https://github.com/acme" }),
            "Incorrect token audience",
        ),
        (json!({ "azp": "somebody" }), "Incorrect token audience"),
        (json!({ "aud": ["a", "b"] }), "Incorrect token audience"),
        (json!({ "iss": "https://evil.example" }), no_provider),
        (
            json!({ "iss": "https://token.actions.githubusercontent.com/" }),
            no_provider,
        ),
        (
            json!({ "iss": "https://token.actions.githubusercontent.com/acme" }),
            no_provider,
        ),
        (
            json!({ "iss": "http://token.actions.githubusercontent.com" }),
            no_provider,
        ),
    ] {
        let mut claims = claims;
        claims["sub"] = json!(SUBJECT);
        let token = served.token(claims.clone()).await;
        println!("{claims}");
        let answer = served.exchange(&role, &token, &[]).await;
        answer.is_refused(400, "InvalidIdentityToken", sentence);
    }
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
async fn a_token_out_of_its_time_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let role = publisher(&served).await;
    let now = served.now().await.as_second();
    for (claims, code, sentence) in [
        (
            json!({ "exp": now - 1 }),
            "ExpiredTokenException",
            "Token expired: current date/time ",
        ),
        (
            json!({ "exp": now + 900, "nbf": now + 600 }),
            "InvalidIdentityToken",
            "Token not yet valid",
        ),
        (
            json!({ "exp": now + 900, "iat": now + 600 }),
            "InvalidIdentityToken",
            "Token not yet valid",
        ),
        (
            json!({ "exp": "soon" }),
            "InvalidIdentityToken",
            "Missing a required claim: exp",
        ),
        (
            json!({ "iat": 1.5 }),
            "InvalidIdentityToken",
            "Missing a required claim: iat",
        ),
    ] {
        let mut claims = claims;
        claims["sub"] = json!(SUBJECT);
        let token = served.token(claims).await;
        let answer = served.exchange(&role, &token, &[]).await;
        answer.is_refused(400, code, sentence);
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
async fn what_is_no_token_is_refused_and_slows_nobody() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let role = publisher(&served).await;
    let good = good_token(&served).await;
    let deep = URL_SAFE_NO_PAD.encode("[".repeat(12_000));
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"x"}"#);
    let long_subject = served.token(json!({ "sub": "s".repeat(256) })).await;
    let attacks = [
        ("a.b.c".to_owned(), "InvalidIdentityToken"),
        ("....".to_owned(), "InvalidIdentityToken"),
        (format!("{header}.{deep}.x"), "InvalidIdentityToken"),
        (format!("{good}.{good}"), "InvalidIdentityToken"),
        (
            format!("{header}.{}.", URL_SAFE_NO_PAD.encode("[]")),
            "InvalidIdentityToken",
        ),
        (long_subject, "InvalidIdentityToken"),
        ("x".repeat(20_001), "ValidationError"),
        ("abc".to_owned(), "ValidationError"),
        (String::new(), "ValidationError"),
    ];
    let attack = async |token: &str, code: &str| {
        let (status, found, sentence) = served.exchange(&role, token, &[]).await.refusal();
        assert_eq!((status, found.as_str()), (400, code), "{sentence}");
        assert!(token.is_empty() || !sentence.contains(token), "{sentence}");
    };
    let flood = async {
        for _ in 0..20 {
            let sent = attacks.iter().map(|(token, code)| attack(token, code));
            futures_util::future::join_all(sent).await;
        }
    };
    let meanwhile = async {
        for _ in 0..20 {
            served.exchange(&role, &good, &[]).await.good();
        }
    };
    let both = async { tokio::join!(flood, meanwhile) };
    let limit = std::time::Duration::from_mins(1);
    tokio::time::timeout(limit, both).await.unwrap();
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
