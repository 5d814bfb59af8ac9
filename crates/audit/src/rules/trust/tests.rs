use receipts::Finding;
use serde_json::{Value, json};

use super::super::testing::{self, PROVIDER, changed, ids, only};
use crate::findings::Findings;
use crate::jobs::identity_jobs;
use crate::{Rule, Setup};

const SUB: &str = "token.actions.githubusercontent.com:sub";
const AUD: &str = "token.actions.githubusercontent.com:aud";
const NAME: &str = "repo:acme/portfolio:ref:refs/heads/main";
const IDS: &str = "repo:acme@11/portfolio@22:ref:refs/heads/main";

const PROVIDER_BLOCK: &str = "resource \"aws_iam_openid_connect_provider\" \"github\" {\n  \
    url = \"https://token.actions.githubusercontent.com\"\n  client_id_list = [\"sts.amazonaws.com\"]\n}\n";

fn check(setup: &Setup, findings: &mut Findings) {
    super::check(setup, &identity_jobs(setup), findings);
}

/// An Allow for the provider with these conditions and the right audience.
fn allow(conditions: &Value) -> Value {
    let mut all = json!({"StringEquals": {AUD: "sts.amazonaws.com"}});
    for (operator, keys) in conditions.as_object().unwrap() {
        for (key, values) in keys.as_object().unwrap() {
            let key = if key.contains([':', '.']) {
                key.clone()
            } else {
                format!("token.actions.githubusercontent.com:{key}")
            };
            all[operator][key] = values.clone();
        }
    }
    json!({
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": all,
    })
}

/// A root with the publisher, its trust policy as a heredoc.
fn setup(statements: &[Value]) -> Setup {
    with_provider(PROVIDER_BLOCK, statements)
}

fn with_provider(provider: &str, statements: &[Value]) -> Setup {
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    testing::setup(&format!(
        "{provider}resource \"aws_iam_role\" \"publisher\" {{\n  name = \"publisher\"\n  assume_role_policy = <<EOT\n{policy:#}\nEOT\n}}\n"
    ))
}

fn found(statements: &[Value]) -> Vec<Finding> {
    testing::found(check, &setup(statements))
}

fn of_conditions(conditions: Value) -> Vec<Finding> {
    found(&[allow(&conditions)])
}

#[test]
fn both_forms_of_one_branch_are_sound() {
    assert_eq!(
        ids(&of_conditions(
            json!({"StringEquals": {"sub": [NAME, IDS]}})
        )),
        [""; 0]
    );
}

#[test]
fn a_policy_without_subject_is_found_unless_something_else_limits_it() {
    let findings = of_conditions(json!({}));
    let finding = only(&findings, Rule::TrustWithoutSubject);
    assert!(finding.message.contains("every repository on GitHub"));
    let fix = finding.fix.as_ref().unwrap();
    assert!(
        fix.summary.contains(NAME) && fix.summary.contains(IDS),
        "{fix:?}"
    );
    // IAM refuses it as well.
    only(&findings, Rule::TrustRejectedByIam);
    for claim in ["repository_id", "repository_owner_id"] {
        let findings = of_conditions(json!({"StringEquals": {claim: "22"}}));
        assert!(!ids(&findings).contains(&"trust-without-subject"));
    }
    let denied = json!({
        "Effect": "Deny", "Principal": {"Federated": PROVIDER}, "Action": "sts:*",
        "Condition": {"StringNotEquals": {"token.actions.githubusercontent.com:repository_id": "22"}},
    });
    let findings = found(&[
        allow(&json!({"StringLike": {"sub": "*:ref:refs/heads/main"}})),
        denied,
    ]);
    assert_eq!(ids(&findings), [""; 0]);
}

#[test]
fn a_subject_by_name_only_is_found_and_the_other_form_added() {
    let findings = of_conditions(json!({"StringEquals": {"sub": NAME}}));
    let finding = only(&findings, Rule::TrustNameOnly);
    let added = format!("[\"{NAME}\", \"{IDS}\"]");
    assert!(
        changed(finding)[1].ends_with(&added),
        "{:?}",
        changed(finding)
    );
    // In a list it becomes one more line.
    let findings = of_conditions(json!({"StringLike": {"sub": [NAME]}}));
    let finding = only(&findings, Rule::TrustNameOnly);
    assert_eq!(
        changed(finding),
        [
            format!("-\"{NAME}\""),
            format!("+\"{NAME}\","),
            format!("+\"{IDS}\"")
        ]
    );
    // Wildcards that reach over the ids, and the other form in another statement.
    for other in ["repo:acme*/portfolio:*", "repo:*", "repo:acme@11/*"] {
        let other = allow(&json!({"StringLike": {"sub": other}}));
        let findings = found(&[allow(&json!({"StringEquals": {"sub": NAME}})), other]);
        assert!(!ids(&findings).contains(&"trust-name-only"), "{findings:?}");
    }
}

#[test]
fn stars_for_ids_are_found_and_the_ids_written() {
    let value = "repo:acme@*/portfolio@*:ref:refs/heads/main";
    let findings = of_conditions(json!({"StringLike": {"sub": [NAME, value]}}));
    let finding = only(&findings, Rule::TrustIgnoresIds);
    assert_eq!(
        changed(finding),
        [format!("-\"{value}\""), format!("+\"{IDS}\"")]
    );
    let by_id = json!({"StringLike": {"sub": value}, "StringEquals": {"repository_id": "22"}});
    assert!(!ids(&of_conditions(by_id)).contains(&"trust-ignores-ids"));
}

#[test]
fn a_literal_star_is_found_and_what_the_job_needs_written() {
    let findings = of_conditions(json!({"StringEquals": {"sub": ["repo:acme/portfolio:*", IDS]}}));
    let finding = only(&findings, Rule::TrustLiteralStar);
    assert_eq!(
        changed(finding),
        [
            "-\"repo:acme/portfolio:*\",".to_owned(),
            format!("+\"{NAME}\",")
        ]
    );
    let like = of_conditions(json!({"StringLike": {"sub": ["repo:acme/portfolio:*", IDS]}}));
    assert!(!ids(&like).contains(&"trust-literal-star"));
    // A star that cannot have meant the job's branch is only told.
    let findings =
        of_conditions(json!({"StringEquals": {"sub": ["repo:acme/portfolio:environment:*", IDS]}}));
    let finding = only(&findings, Rule::TrustLiteralStar);
    assert_eq!(finding.fix.as_ref().unwrap().diff, None);
}

#[test]
fn a_key_that_is_never_filled_is_found_with_the_one_that_was_meant() {
    for (key, meant) in [
        ("sup", Some("sub")),
        ("repositoryid", Some("repository_id")),
        (
            "https://token.actions.githubusercontent.com:sub",
            Some("sub"),
        ),
        ("token.actions.githubusercontent.com/acme:ref", Some("ref")),
        ("repository_owner", None),
        ("event_name", None),
        ("aws:PrincipalTag/team", None),
    ] {
        let findings = of_conditions(json!({"StringEquals": {"sub": [NAME, IDS], key: "x"}}));
        let finding = only(&findings, Rule::TrustKeyNeverFilled);
        assert!(
            finding.message.contains("admits nobody"),
            "{}",
            finding.message
        );
        match meant {
            Some(meant) => {
                let right = format!("token.actions.githubusercontent.com:{meant}");
                assert!(changed(finding)[1].contains(&right), "{finding:?}");
            }
            None => assert_eq!(finding.fix.as_ref().unwrap().diff, None, "{key}"),
        }
    }
    for key in [
        "ref",
        "environment",
        "aws:SourceIp",
        "sts:RoleSessionName",
        "Actor_Id",
    ] {
        let findings =
            of_conditions(json!({"StringLike": {key: "x"}, "StringEquals": {"sub": [NAME, IDS]}}));
        assert!(!ids(&findings).contains(&"trust-key-never-filled"), "{key}");
    }
}

#[test]
fn conditions_that_hold_for_everyone_are_found() {
    for (operator, key, value) in [
        ("ForAllValues:StringEquals", "iss", "https://x"),
        ("StringEqualsIfExists", "event_name", "push"),
        ("StringNotEquals", "event_name", "pull_request"),
        ("StringLike", "actor", "*"),
    ] {
        let findings =
            of_conditions(json!({"StringEquals": {"sub": [NAME, IDS]}, operator: {key: value}}));
        only(&findings, Rule::TrustVacuousCondition);
    }
    let findings =
        of_conditions(json!({"Null": {"sub": "false"}, "StringEquals": {"sub": [NAME, IDS]}}));
    only(&findings, Rule::TrustVacuousCondition);
    let findings = of_conditions(json!({"ForAllValues:StringEquals": {"sub": [NAME, IDS]}}));
    let finding = only(&findings, Rule::TrustVacuousCondition);
    assert_eq!(
        changed(finding),
        ["-\"ForAllValues:StringEquals\": {", "+\"StringEquals\": {"]
    );
    let findings = of_conditions(json!({"StringNotLike": {"sub": "*:pull_request"}}));
    only(&findings, Rule::TrustVacuousCondition);
    for (operator, key, value) in [
        ("StringEqualsIfExists", "environment", "production"),
        ("StringLike", "environment", "*"),
        ("StringNotLike", "sub", "*:pull_request"),
    ] {
        let findings =
            of_conditions(json!({"StringEquals": {"sub": [NAME, IDS]}, operator: {key: value}}));
        assert!(
            !ids(&findings).contains(&"trust-vacuous-condition"),
            "{operator} {key}"
        );
    }
}

#[test]
fn other_letter_case_is_found_and_respelt() {
    let value = "repo:Acme@11/Portfolio@22:ref:refs/heads/main";
    let findings = of_conditions(json!({"StringEquals": {"sub": [NAME, value]}}));
    let finding = only(&findings, Rule::TrustWrongCase);
    assert_eq!(changed(finding)[1], format!("+\"{IDS}\""));
    for (operator, value) in [
        ("StringEqualsIgnoreCase", value),
        ("StringEquals", "repo:acme/other:ref:refs/heads/main"),
        ("StringEquals", "repo:ACME2/portfolio:ref:refs/heads/main"),
    ] {
        let findings = of_conditions(json!({operator: {"sub": value}}));
        assert!(!ids(&findings).contains(&"trust-wrong-case"), "{value}");
    }
}

#[test]
fn an_environment_is_noted_unless_the_ref_is_compared_too() {
    let value = "repo:acme@11/portfolio@22:environment:production";
    let findings = of_conditions(json!({"StringEquals": {"sub": value}}));
    assert!(
        only(&findings, Rule::TrustReliesOnEnvironment)
            .message
            .contains("`production`")
    );
    let findings = of_conditions(json!({"StringEquals": {"sub": value, "ref": "refs/heads/main"}}));
    assert_eq!(ids(&findings), [""; 0]);
}

#[test]
fn names_that_change_hands_are_found_unless_an_id_stands_beside_them() {
    let sub = "repo:acme/portfolio:ref:refs/heads/main";
    for (claim, id) in [
        ("actor", "actor_id"),
        ("repository", "repository_id"),
        ("workflow", "job_workflow_ref"),
    ] {
        let findings =
            of_conditions(json!({"StringEquals": {"sub": sub, claim: "acme/portfolio"}}));
        let finding = only(&findings, Rule::TrustOnMutableClaim);
        assert!(finding.fix.as_ref().unwrap().summary.contains(id));
        let findings = of_conditions(json!({"StringEquals": {"sub": sub, claim: "x", id: "a@b"}}));
        assert!(
            !ids(&findings).contains(&"trust-on-mutable-claim"),
            "{claim}"
        );
    }
    let findings =
        of_conditions(json!({"StringEquals": {"sub": IDS, "repository": "acme/portfolio"}}));
    assert_eq!(ids(&findings), [""; 0]);
}

#[test]
fn a_workflow_without_its_ref_is_found() {
    for (operator, value) in [
        ("StringLike", "acme/shared/.github/workflows/deploy.yml@*"),
        (
            "StringLike",
            "acme/shared/.github/workflows/deploy.yml@refs/heads/*",
        ),
        ("StringLike", "acme/shared/.github/workflows/*"),
        ("StringEquals", "acme/shared/.github/workflows/deploy.yml"),
    ] {
        let findings = found(&[allow(
            &json!({"StringEquals": {"sub": [NAME, IDS]}, operator: {"job_workflow_ref": value}}),
        )]);
        only(&findings, Rule::TrustOnFloatingWorkflow);
    }
    for value in [
        "a/b/.github/workflows/c.yml@refs/heads/main",
        "*/c.yml@4f1c2d3e",
    ] {
        let findings = of_conditions(
            json!({"StringEquals": {"sub": [NAME, IDS]}, "StringLike": {"job_workflow_ref": value}}),
        );
        assert_eq!(ids(&findings), [""; 0], "{value}");
    }
}

#[test]
fn audiences_that_do_not_agree_are_found_where_the_odd_one_stands() {
    let audience = |value: &str| {
        let mut statement = allow(&json!({"StringEquals": {"sub": [NAME, IDS]}}));
        statement["Condition"]["StringEquals"][AUD] = value.into();
        statement
    };
    let findings = found(&[audience("https://github.com/acme")]);
    let finding = findings
        .iter()
        .find(|finding| finding.subject == "aws_iam_role.publisher")
        .unwrap();
    assert_eq!(finding.rule, "trust-audience-mismatch");
    assert!(changed(finding)[1].contains("\"sts.amazonaws.com\""));

    let provider = PROVIDER_BLOCK.replace("sts.amazonaws.com", "https://github.com/acme");
    let statement = allow(&json!({"StringEquals": {"sub": [NAME, IDS]}}));
    let findings = testing::found(check, &with_provider(&provider, &[statement]));
    let finding = findings
        .iter()
        .find(|finding| finding.subject == "aws_iam_openid_connect_provider.github")
        .unwrap();
    assert!(changed(finding)[1].contains("[\"sts.amazonaws.com\"]"));

    // Both know another audience, and the job asks for AWS's own.
    let statement = audience("https://github.com/acme");
    let findings = testing::found(check, &with_provider(&provider, &[statement]));
    assert_eq!(
        only(&findings, Rule::TrustAudienceMismatch).subject,
        "publish.yml#publish"
    );

    let mut without = allow(&json!({"StringEquals": {"sub": [NAME, IDS]}}));
    without["Condition"] = json!({"StringEquals": {SUB: [NAME, IDS]}});
    assert_eq!(ids(&found(&[without])), ["trust-without-audience"]);
}

#[test]
fn an_action_that_no_token_is_traded_by_is_found() {
    let action = |actions: Value| {
        let mut statement = allow(&json!({"StringEquals": {"sub": [NAME, IDS]}}));
        statement["Action"] = actions;
        found(&[statement])
    };
    let findings = action("sts:AssumeRole".into());
    let finding = only(&findings, Rule::TrustWrongAction);
    assert_eq!(
        changed(finding),
        [
            "-\"Action\": \"sts:AssumeRole\",",
            "+\"Action\": \"sts:AssumeRoleWithWebIdentity\","
        ]
    );
    for fine in [
        json!("sts:*"),
        json!("STS:assumerolewithwebidentity"),
        json!(["sts:TagSession", "sts:AssumeRole*"]),
    ] {
        assert_eq!(ids(&action(fine)), [""; 0]);
    }
}

#[test]
fn everyone_as_principal_is_found_unless_callers_are_named_by_a_condition() {
    let statement = |principal: Value, action: &str, conditions: Value| json!({"Effect": "Allow", "Principal": principal, "Action": action, "Condition": conditions});
    let own = json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}});
    for (principal, action, conditions) in [
        (json!("*"), "sts:AssumeRole", json!({})),
        (
            json!({"AWS": "*"}),
            "sts:AssumeRole",
            json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        ),
        (json!("*"), "sts:AssumeRoleWithWebIdentity", own.clone()),
        (
            json!({"Federated": "*"}),
            "sts:AssumeRoleWithWebIdentity",
            json!({"StringEquals": {SUB: [NAME, IDS]}}),
        ),
    ] {
        let findings = found(&[statement(principal, action, conditions)]);
        only(&findings, Rule::TrustOpenPrincipal);
    }
    let findings = found(&[statement(json!({"AWS": "*"}), "sts:AssumeRole", own)]);
    assert!(!ids(&findings).contains(&"trust-open-principal"));
}

#[test]
fn a_provider_that_is_elsewhere_is_found() {
    let named = |arn: &str| {
        let mut statement = allow(&json!({"StringEquals": {"sub": [NAME, IDS]}}));
        statement["Principal"]["Federated"] = arn.into();
        found(&[statement])
    };
    let findings = named(&PROVIDER.replace("123456789012", "999999999999"));
    let finding = only(&findings, Rule::TrustProviderElsewhere);
    assert!(changed(finding)[1].contains(PROVIDER));
    let findings = named(&format!("{PROVIDER}/acme"));
    assert!(
        only(&findings, Rule::TrustProviderElsewhere)
            .message
            .contains("do not make")
    );
    // A provider that no file here makes may belong to another root.
    let statement = allow(&json!({"StringEquals": {"sub": [NAME, IDS]}}));
    let findings = testing::found(check, &with_provider("", &[statement]));
    assert_eq!(ids(&findings), [""; 0]);
}

#[test]
fn a_url_that_is_nearly_githubs_is_found() {
    let url = |url: &str| {
        let provider = PROVIDER_BLOCK.replace("https://token.actions.githubusercontent.com", url);
        let findings = testing::found(check, &testing::setup(&provider));
        ids(&findings) == ["provider-url-never-matches"]
    };
    for wrong in [
        "https://token.actions.githubusercontent.com/",
        "https://Token.actions.githubusercontent.com",
        "https://vstoken.actions.githubusercontent.com",
        "https://github.com",
        "https://token.actions.githubusercontent.com/.well-known/openid-configuration",
    ] {
        assert!(url(wrong), "{wrong}");
    }
    for right in [
        "https://token.actions.githubusercontent.com",
        "https://token.actions.githubusercontent.com/acme-corp",
        "https://github.example.com/_services/token",
        "https://token.actions.acme.ghe.com",
        "https://gitlab.com",
    ] {
        assert!(!url(right), "{right}");
    }
}

#[test]
fn a_long_session_is_found_and_shortened() {
    let policy = json!({"Version": "2012-10-17", "Statement": [allow(&json!({"StringEquals": {"sub": [NAME, IDS]}}))]});
    let setup = testing::setup(&format!(
        "resource \"aws_iam_role\" \"publisher\" {{\n  name = \"publisher\"\n  max_session_duration = 43200\n  assume_role_policy = <<EOT\n{policy}\nEOT\n}}\n"
    ));
    let findings = testing::found(check, &setup);
    let finding = only(&findings, Rule::SessionTooLong);
    assert_eq!(
        changed(finding),
        [
            "-max_session_duration = 43200",
            "+max_session_duration = 3600"
        ]
    );
    assert_eq!(finding.location.as_ref().map(|place| place.line), Some(3));
}

#[test]
fn what_iam_refuses_is_found_at_its_place() {
    let mut statement = allow(&json!({"StringEquals": {"sub": [NAME, IDS]}}));
    statement["Resource"] = "*".into();
    let findings = found(&[statement]);
    let finding = only(&findings, Rule::TrustRejectedByIam);
    assert!(finding.message.contains("Resource"), "{}", finding.message);
    let broken = testing::setup(
        "resource \"aws_iam_role\" \"publisher\" {\n  name = \"publisher\"\n  assume_role_policy = \"{}\"\n}\n",
    );
    let findings = testing::found(check, &broken);
    only(&findings, Rule::TrustRejectedByIam);
}

#[test]
fn roles_of_others_are_left_alone() {
    let statement = json!({
        "Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole",
    });
    assert_eq!(ids(&found(&[statement])), [""; 0]);
}
