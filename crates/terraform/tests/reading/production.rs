//! The root that this repository is published with, end to end.

use serde_json::{Value as Json, json};

use crate::{ACCOUNT, infra, read};

fn parsed(document: &str) -> Json {
    serde_json::from_str(document).unwrap()
}

#[test]
fn nothing_that_matters_is_unknown_in_the_production_root() {
    let root = read(&infra().join("production"));
    assert_eq!(root.aws().unknowns, []);
    assert_eq!(root.region.as_deref(), Some("eu-west-1"));
}

#[test]
fn the_publisher_trusts_both_subject_forms_of_one_branch_and_nothing_else() {
    let resources = read(&infra().join("production")).aws();
    let [role] = resources.roles.as_slice() else {
        panic!("{:?}", resources.roles)
    };
    assert_eq!(
        role.arn,
        format!("arn:aws:iam::{ACCOUNT}:role/portfolio-publisher")
    );
    assert_eq!(role.max_session_duration, 3600);
    let provider =
        format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
    let expected = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "GitHubActions",
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": { "Federated": provider },
            "Condition": { "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": [
                    "repo:acme/portfolio:ref:refs/heads/main",
                    "repo:acme@1234567/portfolio@7654321:ref:refs/heads/main",
                ],
            } },
        }],
    });
    assert_eq!(parsed(&role.trust_policy), expected);
    let [oidc] = resources.oidc_providers.as_slice() else {
        panic!()
    };
    assert_eq!(
        (oidc.arn.as_str(), oidc.url.as_str()),
        (provider.as_str(), "token.actions.githubusercontent.com")
    );
    assert_eq!(oidc.client_ids, ["sts.amazonaws.com"]);
}

#[test]
fn the_publisher_pushes_to_exactly_one_repository() {
    let resources = read(&infra().join("production")).aws();
    let policies = &resources.roles[0].inline_policies;
    assert_eq!(policies.keys().collect::<Vec<_>>(), ["push"]);
    let statements = parsed(&policies["push"])["Statement"].clone();
    assert_eq!(statements[0]["Action"], "ecr:GetAuthorizationToken");
    assert_eq!(statements[0]["Resource"], "*");
    assert_eq!(
        statements[1]["Resource"],
        format!("arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/portfolio/backend")
    );
    assert_eq!(statements.as_array().unwrap().len(), 2);
}

#[test]
fn the_repository_is_immutable_except_latest_scanned_and_encrypted() {
    let resources = read(&infra().join("production")).aws();
    let [repository] = resources.repositories.as_slice() else {
        panic!()
    };
    assert_eq!(repository.name, "portfolio/backend");
    assert_eq!(repository.mutability, "IMMUTABLE_WITH_EXCLUSION");
    assert_eq!(repository.exclusion_filters, ["latest"]);
    assert!(repository.scan_on_push);
    assert_eq!(
        (repository.encryption_type.as_str(), &repository.kms_key),
        ("AES256", &None)
    );
    assert_eq!(repository.tags["project"], "portfolio");
    let rules = parsed(repository.lifecycle_policy.as_deref().unwrap())["rules"].clone();
    assert_eq!(rules[0]["selection"]["tagStatus"], "tagged");
    assert_eq!(rules[0]["selection"]["countType"], "imageCountMoreThan");
    assert_eq!(rules.as_array().map(Vec::len), Some(1));
    assert!(repository.place.file.ends_with("modules/registry/main.tf"));
}

#[test]
fn outputs_of_the_production_root_are_known() {
    let root = read(&infra().join("production"));
    assert_eq!(
        root.outputs["repository_url"].as_str(),
        Some(format!("{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/portfolio/backend").as_str())
    );
    assert!(
        root.outputs
            .values()
            .all(|value| value.unknown_reason().is_none())
    );
}
