//! What IAM rejects when a policy is written.

use policy::{Document, Finding, validate_identity, validate_trust};

fn document(statements: &str) -> Document {
    Document::parse(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#
    ))
    .expect("the statements below can be parsed")
}

fn messages(findings: Vec<Finding>) -> Vec<String> {
    findings
        .into_iter()
        .map(|finding| finding.message)
        .collect()
}

const HOST: &str = "token.actions.githubusercontent.com";

fn github(issuer: &str, condition: &str) -> Vec<String> {
    messages(validate_trust(&document(&format!(
        r#"{{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
        "Principal":{{"Federated":"arn:aws:iam::123456789012:oidc-provider/{issuer}"}},
        "Condition":{condition}}}"#
    ))))
}

#[test]
fn a_bound_subject_passes_in_either_case_and_form() {
    for condition in [
        format!(r#"{{"StringEquals":{{"{HOST}:sub":"repo:o/r:ref:refs/heads/main"}}}}"#),
        format!(
            r#"{{"StringLike":{{"{}:SUB":["repo:o/r:*"]}}}}"#,
            HOST.to_uppercase()
        ),
    ] {
        assert_eq!(github(HOST, &condition), [""; 0], "{condition}");
    }
}

#[test]
fn an_unbound_subject_of_github_is_refused() {
    for condition in [
        "{}".to_owned(),
        format!(r#"{{"StringEquals":{{"{HOST}:aud":"sts.amazonaws.com"}}}}"#),
        format!(r#"{{"StringLike":{{"{HOST}:sub":"*"}}}}"#),
        format!(r#"{{"StringLike":{{"{HOST}:sub":["repo:o/r:*","?*"]}}}}"#),
        format!(r#"{{"StringLike":{{"{HOST}:sub":""}}}}"#),
        format!(r#"{{"StringLike":{{"{HOST}:sub":[]}}}}"#),
        format!(r#"{{"Null":{{"{HOST}:sub":"false"}}}}"#),
    ] {
        let found = github(HOST, &condition);
        assert_eq!(found.len(), 1, "{condition}");
        assert!(found[0].contains("token.actions.githubusercontent.com:sub"));
    }
}

#[test]
fn issuers_that_aws_does_not_list_as_shared_need_no_key() {
    assert_eq!(github(&format!("{HOST}/acme"), "{}").len(), 0);
    assert_eq!(github("idp.example.com", "{}").len(), 0);
    assert_eq!(github(&format!("{HOST}.example.com"), "{}").len(), 0);
}

#[test]
fn a_trust_policy_has_a_principal_no_resource_and_only_sts_actions() {
    let cases = [
        (
            r#"{"Effect":"Allow","Action":"sts:AssumeRole"}"#,
            "Missing required field Principal",
        ),
        (
            r#"{"Effect":"Deny","Action":"sts:AssumeRole","NotPrincipal":{"AWS":"123456789012"}}"#,
            "Has prohibited field NotPrincipal",
        ),
        (
            r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Resource":"*"}"#,
            "Has prohibited field Resource",
        ),
        (
            r#"{"Effect":"Allow","Action":"ecr:PutImage","Principal":"*"}"#,
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            r#"{"Effect":"Allow","Action":"sts:AssumeRole",
                "Principal":{"AWS":"arn:aws:iam::123456789012:role/*"}}"#,
            "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:role/*\"",
        ),
    ];
    for (statement, wanted) in cases {
        assert_eq!(messages(validate_trust(&document(statement))), [wanted]);
    }
}

#[test]
fn an_identity_policy_has_a_resource_and_no_principal() {
    let ok = r#"{"Sid":"A","Effect":"Allow","Action":["ecr:*","*"],"NotResource":"arn:aws:ecr:*"}"#;
    assert_eq!(validate_identity(&document(ok)), []);
    assert_eq!(
        messages(validate_identity(&document(
            r#"{"Effect":"Allow","Action":"PutImage","Principal":"*"}"#
        ))),
        [
            "Policy document should not specify a principal.",
            "Policy statement must contain resources.",
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ]
    );
}

#[test]
fn a_resource_of_an_identity_policy_is_an_arn_or_a_star() {
    let statement = r#"{"Effect":"Allow","Action":"ecr:*","Resource":["*","repository/api"]}"#;
    assert_eq!(
        messages(validate_identity(&document(statement))),
        [r#"Resource repository/api must be in ARN format or "*"."#]
    );
}

#[test]
fn a_repeated_sid_is_reported_at_its_statement() {
    let one = r#"{"Sid":"A","Effect":"Allow","Action":"ecr:*","Resource":"*"}"#;
    let findings = validate_identity(&document(&format!("{one},{one}")));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].statement, "A");
}
