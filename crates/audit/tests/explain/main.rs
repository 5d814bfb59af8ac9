//! Why a caller is refused: every kind of near miss, and the change it leads to.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod checks;
mod fixes;
mod policies;
mod subjects;

use audit::OwnRepository;
use audit::explain::{
    Answer, Evidence, MissKind, ProviderFacts, Providers, Question, Source, Trust, explain,
};
use receipts::{CheckResult, Explanation};
use serde_json::{Map, Value, json};

const HOST: &str = "token.actions.githubusercontent.com";
const ROLE: &str = "arn:aws:iam::123456789012:role/publisher";
const PROVIDER: &str =
    "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
const IMMUTABLE: &str = "repo:acme@11/api@22:ref:refs/heads/main";
const BY_NAME: &str = "repo:acme/api:ref:refs/heads/main";

/// The claims of a push to main, with others in their place.
fn claims(changes: Value) -> Map<String, Value> {
    let mut claims = json!({
        "iss": format!("https://{HOST}"), "aud": "sts.amazonaws.com", "sub": IMMUTABLE,
        "repository": "acme/api", "repository_id": "22", "repository_owner": "acme",
        "repository_owner_id": "11", "ref": "refs/heads/main", "event_name": "push",
        "actor": "ada", "workflow": "publish", "iat": 1000, "nbf": 400, "exp": 1300,
        "job_workflow_ref": "acme/api/.github/workflows/publish.yml@refs/heads/main",
    });
    let all = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    all.clone()
}

fn subject(sub: &str) -> Map<String, Value> {
    claims(json!({ "sub": sub }))
}

/// A policy whose one statement has this condition; `:x` stands for the key of
/// GitHub's issuer.
fn policy(condition: Value) -> String {
    let statement = json!({
        "Sid": "GitHub", "Effect": "Allow", "Principal": { "Federated": PROVIDER },
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition,
    });
    whole(vec![statement])
}

fn whole(statements: Vec<Value>) -> String {
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    let text = serde_json::to_string_pretty(&document).unwrap();
    text.replace("\"~:", &format!("\"{HOST}:"))
}

fn equals(sub: &[&str]) -> String {
    policy(json!({ "StringEquals": { "~:aud": "sts.amazonaws.com", "~:sub": sub } }))
}

fn question(claims: Map<String, Value>, policy: String) -> Question<'static> {
    Question {
        caller: "a push to main".to_owned(),
        claims,
        evidence: Evidence::Described,
        signature: None,
        role: ROLE.to_owned(),
        trust: Trust::Policy {
            text: policy,
            source: Source::File {
                path: "trust.json".to_owned(),
            },
        },
        providers: Some(Providers {
            known_from: "the account".to_owned(),
            list: vec![ProviderFacts {
                arn: PROVIDER.to_owned(),
                url: HOST.to_owned(),
                client_ids: vec!["sts.amazonaws.com".to_owned()],
            }],
            complete: true,
        }),
        answer: None,
        session_name: None,
        repository: None,
    }
}

fn ask(claims: Map<String, Value>, policy: String) -> Explanation {
    explain(&question(claims, policy))
}

/// Refused with that kind; gives the sentence, the fix in words and its diff.
#[track_caller]
fn refused(explanation: &Explanation, kind: MissKind) -> (String, String, String) {
    assert!(!explanation.admitted, "{explanation:#?}");
    let miss = explanation.nearest_miss.as_ref().unwrap();
    assert_eq!(miss.kind, kind.id(), "{explanation:#?}");
    let fix = explanation.fix.clone().unwrap();
    (
        miss.sentence.clone(),
        fix.summary,
        fix.diff.unwrap_or_default(),
    )
}

fn result(explanation: &Explanation, check: &str) -> CheckResult {
    let found = explanation.checks.iter().find(|found| found.name == check);
    found.unwrap().result
}
