//! The policy simulator.

use serde_json::json;

use crate::served::{ACCOUNT, Served};

const POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "ecr:*",
      "Resource": "*",
      "Condition": { "StringEquals": { "aws:RequestedRegion": "eu-west-1" } }
    },
    { "Effect": "Deny", "Action": "ecr:DeleteRepository", "Resource": "*" }
  ]
}"#;

#[tokio::test]
async fn a_policy_is_tried_on_actions_with_the_statements_that_decide() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let mut parameters = vec![
        ("PolicyInputList.member.1", POLICY),
        ("ActionNames.member.1", "ecr:PutImage"),
        ("ActionNames.member.2", "ecr:DeleteRepository"),
        ("ActionNames.member.3", "s3:GetObject"),
    ];
    let answer = served.iam("SimulateCustomPolicy", &parameters).await;
    assert_eq!(
        answer.all("EvalDecision"),
        ["implicitDeny", "explicitDeny", "implicitDeny"]
    );
    assert!(
        answer
            .xml
            .contains("<MissingContextValues><member>aws:RequestedRegion</member>")
    );
    parameters.extend([
        (
            "ContextEntries.member.1.ContextKeyName",
            "aws:RequestedRegion",
        ),
        ("ContextEntries.member.1.ContextKeyType", "string"),
        (
            "ContextEntries.member.1.ContextKeyValues.member.1",
            "eu-west-1",
        ),
    ]);
    let answer = served.iam("SimulateCustomPolicy", &parameters).await;
    assert_eq!(
        answer.all("EvalDecision"),
        ["allowed", "explicitDeny", "implicitDeny"]
    );
    assert_eq!(answer.all("EvalResourceName"), ["*", "*", "*"]);
    assert_eq!(
        answer.all("SourcePolicyId"),
        ["PolicyInputList.1", "PolicyInputList.1"]
    );
    assert_eq!(answer.all("Line"), ["4", "9", "10", "10"]);
    let bad = [
        ("PolicyInputList.member.1", "{"),
        ("ActionNames.member.1", "ecr:PutImage"),
    ];
    let answer = served
        .call(&served.root, "iam", "SimulateCustomPolicy", &bad)
        .await;
    answer.is_refused(400, "InvalidInput", "PolicyInputList.1: ");
    let keys = [("PolicyInputList.member.1", POLICY)];
    let keys = served.iam("GetContextKeysForCustomPolicy", &keys).await;
    assert_eq!(keys.all("member"), ["aws:RequestedRegion"]);
}

#[tokio::test]
async fn what_a_role_may_do_is_what_the_simulator_says() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let trust = json!({
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") },
    });
    let role = served.role("worker", trust).await;
    let repository = format!("arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/app");
    served.allow("worker", "ecr:PutImage", &repository).await;
    let boundary = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ecr:Get*","Resource":"*"}}"#;
    let parameters = [
        ("PolicySourceArn", role.as_str()),
        ("ActionNames.member.1", "ecr:PutImage"),
        ("ResourceArns.member.1", repository.as_str()),
        (
            "ResourceArns.member.2",
            "arn:aws:ecr:eu-west-1:1:repository/b",
        ),
    ];
    let answer = served.iam("SimulatePrincipalPolicy", &parameters).await;
    assert_eq!(answer.all("EvalDecision"), ["allowed", "implicitDeny"]);
    let mut bounded = parameters.to_vec();
    bounded.push(("PermissionsBoundaryPolicyInputList.member.1", boundary));
    let answer = served.iam("SimulatePrincipalPolicy", &bounded).await;
    assert_eq!(answer.all("EvalDecision"), ["implicitDeny", "implicitDeny"]);
    assert_eq!(
        answer.all("AllowedByPermissionsBoundary"),
        ["false", "false"]
    );
    let gone = role.replace("worker", "gone");
    let parameters = [
        ("PolicySourceArn", gone.as_str()),
        ("ActionNames.member.1", "ecr:PutImage"),
    ];
    let answer = served
        .call(&served.root, "iam", "SimulatePrincipalPolicy", &parameters)
        .await;
    answer.is_refused(404, "NoSuchEntity", &gone);
}

#[tokio::test]
async fn every_action_on_every_resource_comes_by_pages() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let mut parameters = vec![
        ("PolicyInputList.member.1", POLICY),
        ("ActionNames.member.1", "ecr:PutImage"),
        ("ActionNames.member.2", "s3:GetObject"),
        ("ResourceArns.member.1", "arn:aws:s3:::a"),
        ("ResourceArns.member.2", "arn:aws:s3:::b"),
        ("ResourceArns.member.3", "arn:aws:s3:::c"),
        ("MaxItems", "4"),
    ];
    let first = served.iam("SimulateCustomPolicy", &parameters).await;
    assert_eq!(first.text("IsTruncated"), "true");
    let marker = first.text("Marker");
    parameters.push(("Marker", marker.as_str()));
    let last = served.iam("SimulateCustomPolicy", &parameters).await;
    assert_eq!(last.text("IsTruncated"), "false");
    let seen = [first, last].map(|page| {
        let pairs = page.all("EvalActionName").into_iter();
        pairs.zip(page.all("EvalResourceName")).collect::<Vec<_>>()
    });
    assert_eq!((seen[0].len(), seen[1].len()), (4, 2));
    let wanted = ["ecr:PutImage", "s3:GetObject"].map(|action| {
        ["a", "b", "c"].map(|name| (action.to_owned(), format!("arn:aws:s3:::{name}")))
    });
    assert_eq!(seen.concat(), wanted.concat());
    let long = "x".repeat(131_073);
    let long = [
        ("PolicyInputList.member.1", long.as_str()),
        ("ActionNames.member.1", "ecr:PutImage"),
    ];
    let answer = served
        .call(&served.root, "iam", "SimulateCustomPolicy", &long)
        .await;
    answer.is_refused(400, "ValidationError", "less than or equal to 131072");
}
