//! The rehearsal: the publisher gets in, nobody else does, and a hole in the
//! Terraform is found.

use serde_json::Value;

use crate::harness::{Project, both, json_of, longshore};

fn rehearse(project: &Project, code: i32) -> Value {
    let output = longshore(project.path())
        .args(["rehearse", "--format", "json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", both(&output));
    json_of(&output)
}

fn attempt<'a>(receipt: &'a Value, caller: &str) -> &'a Value {
    let attempts = receipt["attempts"].as_array().unwrap();
    attempts
        .iter()
        .find(|attempt| attempt["caller"] == caller)
        .unwrap()
}

#[test]
fn the_publisher_gets_in_and_everyone_else_is_refused_with_a_reason() {
    let receipt = rehearse(&Project::hello(), 0);
    assert_eq!(receipt["passed"], true);
    assert_eq!(receipt["job"], "publish");
    assert_eq!(receipt["unknowns"], serde_json::json!([]));
    let attempts = receipt["attempts"].as_array().unwrap();
    let (publishers, intruders): (Vec<_>, Vec<_>) = attempts
        .iter()
        .partition(|attempt| attempt["caller"] == "publisher");
    assert_eq!((publishers.len(), intruders.len()), (2, 8));
    for publisher in publishers {
        assert_eq!(
            (&publisher["may_assume"], &publisher["may_push"]),
            (&Value::Bool(true), &Value::Bool(true))
        );
    }
    for intruder in intruders {
        assert_eq!(intruder["may_assume"], false, "{intruder}");
        assert!(
            intruder["reason"].as_str().unwrap().len() > 20,
            "{intruder}"
        );
    }
    let reason = attempt(&receipt, "pull request")["reason"]
        .as_str()
        .unwrap();
    assert!(
        reason.contains(":pull_request") && reason.contains("refs/heads/main"),
        "{reason}"
    );
}

#[test]
fn a_trust_policy_that_lets_pull_requests_in_fails_the_rehearsal() {
    let project = Project::hello();
    let trust = "infra/modules/github-oidc/main.tf";
    project.edit(trust, "\"StringEquals\"", "\"StringLike\"");
    project.edit(trust, ":${local.context}", ":*");
    project.commit();
    let receipt = rehearse(&project, 1);
    assert_eq!(receipt["passed"], false);
    assert_eq!(attempt(&receipt, "pull request")["verdict"], "got-in");
    assert_eq!(attempt(&receipt, "pull request")["may_push"], true);
    assert_eq!(
        attempt(&receipt, "stranger's repository")["verdict"],
        "as-intended"
    );
}

#[test]
fn a_terraform_root_for_another_repository_keeps_the_publisher_out() {
    let project = Project::hello();
    project.edit("longshore.toml", "acme/portfolio", "acme/renamed");
    project.commit();
    let receipt = rehearse(&project, 1);
    assert_eq!(receipt["images"]["hello"]["publish"], Value::Null);
    assert_eq!(receipt["problem"]["code"], "E021");
    assert_eq!(attempt(&receipt, "publisher")["verdict"], "kept-out");
}

#[test]
fn a_role_without_a_push_permission_is_named_with_the_action() {
    let project = Project::hello();
    let file = "infra/modules/github-oidc/main.tf";
    project.edit(file, "\"ecr:PutImage\",", "");
    project.commit();
    let receipt = rehearse(&project, 1);
    assert_eq!(receipt["problem"]["code"], "E031", "{receipt:#}");
    let causes = receipt["problem"]["causes"].to_string();
    assert!(causes.contains("ecr:PutImage"), "{causes}");
}
