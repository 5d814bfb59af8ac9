//! The smallest policy, tried out on the emulator that it was read from.

use std::collections::BTreeMap;

use audit::usage::usage;
use proptest::prelude::*;
use serde_json::{Value, json};
use terraform::Role;

use crate::denials::{ROLE, assume, role};
use crate::served::{ACCOUNT, OTHER, REGION, REPOSITORY, Served};
use crate::signing::Keys;

/// A call of ECR's API.
type Call = (&'static str, Value);

/// Every call that the test knows; what they are answered does not matter, only
/// whether they are let through.
fn calls() -> Vec<Call> {
    let digest = oci::Digest::of(b"x").to_string();
    let mut calls = vec![
        ("GetAuthorizationToken", json!({})),
        ("DescribeRegistry", json!({})),
    ];
    for name in [REPOSITORY, OTHER] {
        let arn = format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}");
        let image = json!([{ "imageTag": "v1" }]);
        calls.extend([
            ("ListImages", json!({ "repositoryName": name })),
            ("DescribeImages", json!({ "repositoryName": name })),
            ("DescribeRepositories", json!({ "repositoryNames": [name] })),
            (
                "BatchGetImage",
                json!({ "repositoryName": name, "imageIds": image }),
            ),
            ("InitiateLayerUpload", json!({ "repositoryName": name })),
            (
                "PutImage",
                json!({ "repositoryName": name, "imageManifest": "{}" }),
            ),
            ("ListTagsForResource", json!({ "resourceArn": arn })),
            (
                "BatchCheckLayerAvailability",
                json!({ "repositoryName": name, "layerDigests": [digest] }),
            ),
        ]);
    }
    calls
}

/// A role that may do more than anybody uses, part of it under a condition.
fn generous() -> Role {
    let all = format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*");
    let team = json!({ "StringEquals": { "aws:ResourceTag/team": "${aws:PrincipalTag/team}" } });
    let login = ["ecr:GetAuthorizationToken", "ecr:DescribeRegistry"];
    let document = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": login, "Resource": "*" },
        { "Effect": "Allow", "Action": "ecr:*", "Resource": all, "Condition": team },
        { "Effect": "Allow", "Action": "ecr:List*", "Resource": all },
        { "Effect": "Deny", "Action": "ecr:DeleteRepository", "Resource": "*" },
    ]});
    Role {
        inline_policies: BTreeMap::from([("push".to_owned(), document.to_string())]),
        tags: BTreeMap::from([("team".to_owned(), "web".to_owned())]),
        ..role(&[])
    }
}

async fn is_denied(served: &Served, keys: &Keys, (operation, body): &Call) -> bool {
    let (_, answer) = served.call_as(keys, operation, body.clone()).await;
    answer["__type"] == "AccessDeniedException"
}

async fn denied<'a>(served: &Served, keys: &Keys, calls: &'a [Call]) -> Vec<&'a Call> {
    let mut denied = Vec::new();
    for call in calls {
        if is_denied(served, keys, call).await {
            denied.push(call);
        }
    }
    denied
}

/// Gives the role this policy in place of all others.
async fn put_policy(served: &Served, document: &Value) {
    let text = document.to_string();
    let statements = document["Statement"].as_array().unwrap();
    let parameters = [
        (
            "Action",
            if statements.is_empty() {
                "DeleteRolePolicy"
            } else {
                "PutRolePolicy"
            },
        ),
        ("Version", "2010-05-08"),
        ("RoleName", ROLE),
        ("PolicyName", "push"),
        ("PolicyDocument", &text),
    ];
    served.query("iam", &parameters).await;
}

async fn smallest_policy(served: &Served) -> Value {
    let url = format!("{}/_longshore/activity", served.base);
    let activity = served.client.get(url).send().await.unwrap();
    let activity = activity.json().await.unwrap();
    let report = usage(&activity, None);
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}");
    let role = report.roles.iter().find(|role| role.role == arn).unwrap();
    role.smallest_policy.clone().unwrap()
}

/// Every document that lacks one action of one statement.
fn with_one_action_less(document: &Value) -> Vec<Value> {
    let statements = document["Statement"].as_array().unwrap();
    let mut all = Vec::new();
    for (position, statement) in statements.iter().enumerate() {
        let actions = match &statement["Action"] {
            Value::Array(actions) => actions.clone(),
            one => vec![one.clone()],
        };
        for removed in 0..actions.len() {
            let mut less = document.clone();
            if actions.len() == 1 {
                less["Statement"].as_array_mut().unwrap().remove(position);
            } else {
                let mut left = actions.clone();
                left.remove(removed);
                less["Statement"][position]["Action"] = json!(left);
            }
            all.push(less);
        }
    }
    all
}

async fn the_smallest_policy_suffices_and_nothing_in_it_is_too_much(
    chosen: &[Call],
    rest: &[Call],
) {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![generous()]).await;
    let session = assume(&served, ROLE).await;
    assert_eq!(denied(&served, &session, chosen).await, Vec::<&Call>::new());

    let smallest = smallest_policy(&served).await;
    put_policy(&served, &smallest).await;
    assert_eq!(denied(&served, &session, chosen).await, Vec::<&Call>::new());
    let let_through = denied(&served, &session, rest).await.len();
    assert_eq!(
        let_through,
        rest.len(),
        "more than was used is allowed by {smallest}"
    );
    for less in with_one_action_less(&smallest) {
        put_policy(&served, &less).await;
        let denied = denied(&served, &session, chosen).await;
        assert!(!denied.is_empty(), "{less} suffices as well as {smallest}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn whatever_was_called_the_smallest_policy_is_exact(
        chosen in proptest::sample::subsequence(calls(), 1..=calls().len())
    ) {
        let rest: Vec<Call> = calls()
            .into_iter()
            .filter(|call| !chosen.contains(call))
            .collect();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(the_smallest_policy_suffices_and_nothing_in_it_is_too_much(&chosen, &rest));
    }
}
