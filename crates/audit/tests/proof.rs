//! Proofs of trust policies: who is admitted in words, and that every word and
//! every example agrees with the evaluation.

use audit::{Trust, prove_trust};
use policy::Document;
use policy::keys::GITHUB_ISSUER;
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::123456789012:role/publisher";
const PROVIDER: &str =
    "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";

fn statement(effect: &str, conditions: &[(&str, &str, &[&str])]) -> Value {
    let mut block = json!({});
    for (operator, key, values) in conditions {
        block[*operator][format!("{GITHUB_ISSUER}:{key}")] = json!(values);
    }
    json!({"Effect": effect, "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": block})
}

fn trust(statements: &[Value]) -> Trust {
    let json = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    Trust::of(ROLE, Document::parse(&json).unwrap(), &[])
        .unwrap()
        .unwrap()
}

fn admitted(statements: &[Value]) -> Vec<String> {
    prove_trust(&trust(statements)).unwrap()
}

fn by_subject(operator: &str, subjects: &[&str]) -> Vec<String> {
    admitted(&[statement("Allow", &[(operator, "sub", subjects)])])
}

#[test]
fn print() {
    let show = |statements: &[Value]| {
        let start = std::time::Instant::now();
        let words = admitted(statements);
        println!("--- {:?}\n  {}", start.elapsed(), words.join("\n  "));
    };
    let one = |operator: &str, subjects: &[&str]| {
        show(&[statement("Allow", &[(operator, "sub", subjects)])])
    };
    one(
        "StringEquals",
        &[
            "repo:acme/portfolio:ref:refs/heads/main",
            "repo:acme@1234567/portfolio@7654321:ref:refs/heads/main",
        ],
    );
    one("StringLike", &["repo:acme/portfolio:*"]);
    one("StringLike", &["repo:acme/*"]);
    one("StringLike", &["repo:acme*"]);
    one("StringLike", &["repo:*"]);
    one("StringLike", &["*"]);
    one(
        "StringLike",
        &["repo:acme@*/portfolio@*:ref:refs/heads/main"],
    );
    one(
        "StringLike",
        &["repo:acme/portfolio:ref:refs/heads/release/*"],
    );
    one("StringLike", &["repo:acme/portfolio:environment:prod*"]);
    one("StringLike", &["repo:acme/*:ref:refs/heads/main"]);
    one("StringLike", &["repo:acme/app-*:ref:refs/heads/main"]);
    one("StringNotLike", &["*:pull_request"]);
    one("StringLike", &["repository_owner:acme*"]);
    one(
        "StringEquals",
        &[
            "repo:acme/portfolio:environment:Prod%3AV1",
            "repo:acme/portfolio:pull_request",
        ],
    );
    show(&[statement(
        "Allow",
        &[
            ("StringLike", "sub", &["repo:acme/portfolio:*"]),
            ("StringEquals", "environment", &["prod"]),
            ("StringLike", "ref", &["refs/heads/*"]),
        ],
    )]);
    show(&[statement(
        "Allow",
        &[
            ("StringEquals", "repository", &["acme/portfolio"]),
            ("StringLike", "sub", &["*"]),
        ],
    )]);
    show(&[statement(
        "Allow",
        &[
            ("StringEquals", "repository_id", &["7654321"]),
            ("StringLike", "sub", &["repo:*:ref:refs/heads/main"]),
        ],
    )]);
    show(&[
        statement(
            "Allow",
            &[("StringLike", "sub", &["repo:acme/portfolio:*"])],
        ),
        statement("Deny", &[("StringLike", "sub", &["*:pull_request"])]),
        statement("Deny", &[("StringNotEquals", "actor", &["ada"])]),
    ]);
}
