//! Proofs of trust policies: in words, and what `check` makes of them beside the
//! workflows of a repository.

mod intent;
mod words;

use policy::keys::GITHUB_ISSUER;
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::123456789012:role/publisher";
const PROVIDER: &str =
    "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
const NAME_FORM: &str = "repo:acme/portfolio:ref:refs/heads/main";
const IMMUTABLE_FORM: &str = "repo:acme@1234567/portfolio@7654321:ref:refs/heads/main";

/// Operator, key and values of a condition.
type Conditions<'a> = &'a [(&'a str, &'a str, &'a [&'a str])];

fn statement(effect: &str, conditions: Conditions) -> Value {
    let mut block = json!({});
    for (operator, key, values) in conditions {
        let key = if key.contains(':') {
            (*key).to_owned()
        } else {
            format!("{GITHUB_ISSUER}:{key}")
        };
        block[*operator][key] = json!(values);
    }
    json!({"Effect": effect, "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": block})
}

fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}
