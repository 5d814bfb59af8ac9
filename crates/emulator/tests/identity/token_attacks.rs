//! Tokens that open nothing, whoever sends them and how often: each test is a
//! line of `docs/attacks.md`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::bystander::beside;
use crate::served::{ACCOUNT, Served};
use crate::tokens::{SUBJECT, github_keys, good_token, publisher};
use crate::web_tokens::{Forger, confused, parts, public_der, unsigned};

const BAD_SIGNATURE: &str = "The ID Token signature is invalid";
const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";
const INVALID: &str = "InvalidIdentityToken";

/// An emulator with a role for GitHub, and a good token for it.
struct Target {
    served: Served,
    role: String,
    good: String,
    _data: tempfile::TempDir,
}

impl Target {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let served = Served::start(data.path()).await;
        Self {
            role: publisher(&served).await,
            good: good_token(&served).await,
            served,
            _data: data,
        }
    }

    /// A token of GitHub with these claims beside the good ones.
    async fn minted(&self, mut claims: Value) -> String {
        claims["sub"] = json!(SUBJECT);
        self.served.token(claims).await
    }

    /// Tokens are refused with a code and a sentence that does not repeat them,
    /// while a good one is taken.
    async fn refuses(&self, tokens: &[String], code: &str, sentence: &str) {
        let attack = async || {
            for token in tokens {
                let answer = self.served.exchange(&self.role, token, &[]).await;
                answer.is_refused(400, code, sentence);
                assert!(token.is_empty() || !answer.xml.contains(token));
            }
        };
        let bystander = async || {
            let answer = self.served.exchange(&self.role, &self.good, &[]).await;
            answer.good();
        };
        beside(attack, bystander).await;
    }
}

/// A header of `good`, with another algorithm, and its claims.
fn under(good: &str, algorithm: &str) -> String {
    let (mut header, claims, _) = parts(good);
    header["alg"] = json!(algorithm);
    unsigned(&header, &claims)
}

#[tokio::test]
async fn a_token_of_the_algorithm_none_is_refused() {
    let target = Target::start().await;
    let (_, _, signature) = parts(&target.good);
    let tokens = [
        format!("{}.", under(&target.good, "none")),
        format!("{}.", under(&target.good, "None")),
        format!("{}.", under(&target.good, "NONE")),
        format!("{}.", under(&target.good, "")),
        format!("{}.{signature}", under(&target.good, "none")),
    ];
    target.refuses(&tokens, INVALID, BAD_SIGNATURE).await;
}

#[tokio::test]
async fn a_token_whose_secret_is_the_public_key_is_refused() {
    let target = Target::start().await;
    let keys = github_keys(&target.served).await;
    let (header, claims, _) = parts(&target.good);
    let der = public_der(&keys);
    let begin = "-----BEGIN PUBLIC KEY-----";
    let pem = format!(
        "{begin}\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&der)
    );
    let set = keys.to_string();
    let kid = header["kid"].as_str().unwrap();
    let tokens = [&der, pem.as_bytes(), set.as_bytes()].map(|key| confused(kid, &claims, key));
    target.refuses(&tokens, INVALID, BAD_SIGNATURE).await;
}

#[tokio::test]
async fn a_token_signed_with_another_key_is_refused() {
    let target = Target::start().await;
    let forger = Forger::new();
    let (header, claims, signature) = parts(&target.good);
    let mut own_key = header.clone();
    own_key["jwk"] = forger.key_set(header["kid"].as_str().unwrap())["keys"][0].clone();
    own_key["jku"] = json!("http://127.0.0.1:1/keys");
    own_key["x5u"] = json!("http://127.0.0.1:1/chain");
    let mut more = claims.clone();
    more["repository"] = json!("acme/api");
    let tokens = [
        forger.sign(&header, &claims),
        forger.sign(&own_key, &claims),
        format!("{}.{signature}", unsigned(&header, &more)),
        format!("{}.{signature}", under(&target.good, "RS512")),
        format!("{}.{signature}", under(&target.good, "ES256")),
    ];
    target.refuses(&tokens, INVALID, BAD_SIGNATURE).await;
}

#[tokio::test]
async fn a_token_of_another_issuer_is_refused() {
    let target = Target::start().await;
    let mut tokens = Vec::new();
    for issuer in [
        "https://evil.example",
        "https://token.actions.githubusercontent.com/",
        "https://token.actions.githubusercontent.com/acme",
        "https://token.actions.githubusercontent.com.evil.example",
        "https://token.actions.githubusercontent.com@evil.example",
        "http://token.actions.githubusercontent.com",
    ] {
        tokens.push(target.minted(json!({ "iss": issuer })).await);
    }
    let sentence = "No OpenIDConnect provider found in your account for ";
    target.refuses(&tokens, INVALID, sentence).await;
}

#[tokio::test]
async fn a_token_for_another_audience_is_refused() {
    let target = Target::start().await;
    let mut tokens = Vec::new();
    for claims in [
        json!({ "aud": "https://github.com/acme" }),
        json!({ "aud": "STS.amazonaws.com" }),
        json!({ "aud": "sts.amazonaws.com.evil.example" }),
        json!({ "aud": ["a", "b"] }),
        json!({ "azp": "somebody" }),
    ] {
        tokens.push(target.minted(claims).await);
    }
    let sentence = "Incorrect token audience";
    target.refuses(&tokens, INVALID, sentence).await;
}

#[tokio::test]
async fn a_token_that_has_expired_is_refused() {
    let target = Target::start().await;
    let now = target.served.now().await.as_second();
    let mut tokens = Vec::new();
    for expiry in [now - 1, 0, i64::MIN] {
        tokens.push(target.minted(json!({ "exp": expiry })).await);
    }
    let sentence = "Token expired: current date/time ";
    target
        .refuses(&tokens, "ExpiredTokenException", sentence)
        .await;
}

#[tokio::test]
async fn a_token_that_is_not_valid_yet_is_refused() {
    let target = Target::start().await;
    let now = target.served.now().await.as_second();
    let (later, end) = (now + 1_800, now + 3_600);
    let tokens = [
        target.minted(json!({ "exp": end, "nbf": later })).await,
        target.minted(json!({ "exp": end, "iat": later })).await,
    ];
    let sentence = "Token not yet valid";
    target.refuses(&tokens, INVALID, sentence).await;
}

/// An issuer with two keys, of which the second one's holder signs.
#[tokio::test]
async fn a_token_under_the_kid_of_another_key_is_refused() {
    let target = Target::start().await;
    let issuer = "https://gitlab.example";
    let (first, second) = (Forger::new(), Forger::new());
    let mut keys = first.key_set("1");
    let added = second.key_set("2")["keys"][0].clone();
    keys["keys"].as_array_mut().unwrap().push(added);
    let registered = json!({ "issuer": issuer, "jwks": keys });
    target.served.control("issuers", registered).await;
    target.served.provider(issuer, "sts").await;
    let trust = json!({
        "Effect": "Allow",
        "Principal": { "Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.example") },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringEquals": { "gitlab.example:sub": "project:1" } },
    });
    let role = target.served.role("deployer", trust).await;
    let now = target.served.now().await.as_second();
    let claims = json!({
        "iss": issuer, "aud": "sts", "sub": "project:1", "iat": now, "exp": now + 600,
    });
    let kid = |kid: &str| json!({ "alg": "RS256", "kid": kid });
    let good = second.sign(&kid("2"), &claims);
    let target = Target {
        role,
        good,
        ..target
    };
    let tokens = [
        second.sign(&kid("1"), &claims),
        first.sign(&kid("2"), &claims),
    ];
    target.refuses(&tokens, INVALID, BAD_SIGNATURE).await;
    let tokens = ["3", "", "../../etc/passwd", "' or 1=1"];
    let mut tokens = tokens.map(|name| second.sign(&kid(name), &claims)).to_vec();
    tokens.push(second.sign(&json!({ "alg": "RS256" }), &claims));
    target.refuses(&tokens, INVALID, NO_KEY).await;
    let list = json!({ "alg": "RS256", "kid": ["2"] });
    let list = [second.sign(&list, &claims)];
    target.refuses(&list, INVALID, "not a valid JWT").await;
}

#[tokio::test]
async fn a_token_whose_signature_was_taken_away_is_refused() {
    let target = Target::start().await;
    let (message, signature) = target.good.rsplit_once('.').unwrap();
    let half = &signature[..signature.len() / 2];
    let tokens = [format!("{message}."), format!("{message}.{half}")];
    target.refuses(&tokens, INVALID, BAD_SIGNATURE).await;
    target.refuses(&[message.to_owned()], INVALID, "").await;
}

#[tokio::test]
async fn an_oversized_token_is_refused() {
    let target = Target::start().await;
    let long = [
        "x".repeat(20_001),
        format!("{}.{}", target.good, "A".repeat(900_000)),
    ];
    let sentence = "less than or equal to 20000";
    target.refuses(&long, "ValidationError", sentence).await;
    let subject = json!({ "sub": "s".repeat(256) });
    let subject = target.served.token(subject).await;
    target.refuses(&[subject], INVALID, "").await;
}

#[tokio::test]
async fn a_malformed_token_is_refused() {
    let target = Target::start().await;
    let good = &target.good;
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let header = encoded(r#"{"alg":"RS256","kid":"x"}"#);
    let deep = encoded(&"[".repeat(12_000));
    let (_, claims, signature) = parts(good);
    let twice = claims
        .to_string()
        .replacen('{', r#"{"sub":"x","sub":"y","#, 1);
    let tokens = [
        "a.b.c".to_owned(),
        "....".to_owned(),
        format!("{good}.{good}"),
        format!("{header}.{deep}.x"),
        format!("{}.{}.x", encoded(&"{".repeat(7_000)), encoded("{}")),
        format!("{header}.{}.", encoded("[]")),
        format!("{header}.{}.{signature}", encoded(&twice)),
        format!("{header}.{}.", encoded("{\"sub\":\"\u{0}\"}")),
        format!("{header}.{}.", encoded("\u{feff}{}")),
        format!("{}.{}", encoded("{}"), encoded("{}")),
        good.replace('.', ".."),
        format!(" {good}"),
        format!("{good}=="),
    ];
    target.refuses(&tokens, INVALID, "").await;
    let short = ["xyz".to_owned(), String::new()];
    target.refuses(&short, "ValidationError", "").await;
}
