use policy::{Document, validate_identity};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const ROLE: &str = "arn:aws:iam::123456789012:role/publisher";
const APP: &str = "arn:aws:ecr:eu-west-1:123456789012:repository/app";
const WEB: &str = "arn:aws:ecr:eu-west-1:123456789012:repository/web";

fn activity(document: &Value, calls: &Value) -> Activity {
    let policy = json!({ "name": "push", "document": document.to_string() });
    let roles = json!([{ "role": ROLE, "policies": [policy], "boundary": null }]);
    serde_json::from_value(json!({ "roles": roles, "calls": calls })).unwrap()
}

/// Calls that the policy `push` allows, each under one set of conditions.
fn allowed(action: &str, resource: &str, conditions: &[Value]) -> Value {
    let grants: Vec<Value> = conditions
        .iter()
        .map(|conditions| json!({ "policy": "push", "statement": "Statement[0]", "conditions": conditions }))
        .collect();
    json!({
        "role": ROLE, "action": action, "resource": resource, "outcome": "allowed",
        "by": "identity", "grants": grants, "count": 2, "last": "2026-11-24T04:00:00Z",
    })
}

fn of_publisher(document: &Value, calls: &Value) -> RoleUsage {
    let report = usage(&activity(document, calls), None);
    assert_eq!(report.roles.len(), 1);
    report.roles[0].clone()
}

fn everything() -> Value {
    json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } })
}

#[test]
fn used_unused_and_denied_are_told_apart() {
    let document = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": ["ecr:PutImage", "ecr:Batch*"], "Resource": [APP, WEB] },
        { "Sid": "Login", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*" },
        { "Effect": "Deny", "Action": "ecr:DeleteRepository", "Resource": "*" },
    ]});
    let denied = json!({
        "role": ROLE, "action": "ecr:ListImages", "resource": APP, "outcome": "implicitly_denied",
        "by": "identity", "reason": "nothing allows it", "count": 3, "last": "2026-11-24T04:00:00Z",
    });
    let calls = json!([
        allowed("ecr:PutImage", APP, &[json!({})]),
        allowed("ecr:BatchGetImage", APP, &[json!({})]),
        denied,
    ]);
    let usage = of_publisher(&document, &calls);
    let used: Vec<(&str, u64)> = usage
        .used
        .iter()
        .map(|used| (used.action.as_str(), used.count))
        .collect();
    assert_eq!(used, [("ecr:BatchGetImage", 2), ("ecr:PutImage", 2)]);
    assert_eq!(usage.used[0].allowed_by, ["push: Statement[0]"]);
    let batch = [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchDeleteImage",
        "ecr:BatchGetRepositoryScanningConfiguration",
        "ecr:BatchImportUpstreamImage",
    ];
    let unused: Vec<(&str, &str, &str, Vec<&str>)> = usage
        .unused
        .iter()
        .map(|unused| {
            let never = unused.never.iter().map(String::as_str).collect();
            (
                unused.statement.as_str(),
                unused.action.as_str(),
                unused.resource.as_str(),
                never,
            )
        })
        .collect();
    let all_batch = [batch[0], batch[1], "ecr:BatchGetImage", batch[2], batch[3]];
    assert_eq!(
        unused,
        [
            ("Statement[0]", "ecr:PutImage", WEB, vec!["ecr:PutImage"]),
            ("Statement[0]", "ecr:Batch*", APP, batch.to_vec()),
            ("Statement[0]", "ecr:Batch*", WEB, all_batch.to_vec()),
            (
                "Login",
                "ecr:GetAuthorizationToken",
                "*",
                vec!["ecr:GetAuthorizationToken"]
            ),
        ]
    );
    assert_eq!(usage.denied[0].reason, "nothing allows it");
    assert_eq!(usage.denied[0].count, 3);
}

#[test]
fn a_pattern_over_all_services_keeps_what_is_not_of_ecr() {
    let calls = json!([allowed("ecr:PutImage", APP, &[json!({})])]);
    let usage = of_publisher(&everything(), &calls);
    let never = &usage.unused[0].never;
    assert!(!never.contains(&"ecr:PutImage".to_owned()));
    assert!(never.contains(&"ecr:DeleteRepository".to_owned()));
    assert_eq!(never.last().unwrap(), "*");
}

#[test]
fn resources_with_the_same_actions_share_a_statement() {
    let none = [json!({})];
    let calls = json!([
        allowed("ecr:PutImage", WEB, &none),
        allowed("ecr:PutImage", APP, &none),
        allowed("ecr:BatchGetImage", APP, &none),
        allowed("ecr:BatchGetImage", WEB, &none),
        allowed("ecr:GetAuthorizationToken", "*", &none),
    ]);
    assert_eq!(
        of_publisher(&everything(), &calls).smallest_policy.unwrap(),
        json!({ "Version": "2012-10-17", "Statement": [
            {
                "Effect": "Allow",
                "Action": ["ecr:BatchGetImage", "ecr:PutImage"],
                "Resource": [APP, WEB],
            },
            { "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*" },
        ]})
    );
}

#[test]
fn conditions_are_kept_where_nothing_allowed_without_them() {
    let team = json!({ "StringEquals": { "aws:ResourceTag/team": ["web"] } });
    let calls = json!([
        allowed("ecr:PutImage", APP, std::slice::from_ref(&team)),
        allowed("ecr:ListImages", APP, &[team.clone(), json!({})]),
    ]);
    assert_eq!(
        of_publisher(&everything(), &calls).smallest_policy.unwrap()["Statement"],
        json!([
            { "Effect": "Allow", "Action": "ecr:ListImages", "Resource": APP },
            { "Effect": "Allow", "Action": "ecr:PutImage", "Resource": APP, "Condition": team },
        ])
    );
}

#[test]
fn what_the_resource_allows_and_what_a_wider_resource_covers_is_left_out() {
    let all = "arn:aws:ecr:eu-west-1:123456789012:repository/*";
    let calls = json!([
        allowed("ecr:DescribeRepositories", all, &[json!({})]),
        allowed("ecr:DescribeRepositories", APP, &[json!({})]),
        allowed("ecr:PutImage", APP, &[]),
    ]);
    assert_eq!(
        of_publisher(&everything(), &calls).smallest_policy.unwrap()["Statement"],
        json!([{ "Effect": "Allow", "Action": "ecr:DescribeRepositories", "Resource": all }])
    );
    let calls = json!([allowed("ecr:PutImage", APP, &[])]);
    assert_eq!(of_publisher(&everything(), &calls).smallest_policy, None);
}

#[test]
fn a_role_that_is_gone_and_a_policy_that_cannot_be_read_are_shown() {
    let mut activity = activity(&json!("no policy"), &json!([]));
    activity.calls = serde_json::from_value(json!([allowed("ecr:PutImage", APP, &[])])).unwrap();
    activity.calls[0].role = "arn:aws:iam::123456789012:role/gone".to_owned();
    let report = usage(&activity, Some("2026-11-24T04:00:00Z".parse().unwrap()));
    assert_eq!(report.since.as_deref(), Some("2026-11-24T04:00:00Z"));
    assert_eq!(report.roles[0].role, "arn:aws:iam::123456789012:role/gone");
    assert!(report.roles[1].unreadable[0].starts_with("push: "));
}

proptest! {
    #[test]
    fn any_smallest_policy_is_valid_and_the_same_whatever_the_order(
        picks in proptest::collection::vec((0..3_usize, 0..3_usize, 1..8_usize), 1..12),
        turn in any::<prop::sample::Index>(),
    ) {
        let actions = ["ecr:PutImage", "ecr:ListImages", "ecr:TagResource"];
        let resources = [APP, WEB, "*"];
        let conditions = [
            json!({}),
            json!({ "StringEquals": { "aws:ResourceTag/team": ["web"] } }),
            json!({ "Bool": { "aws:SecureTransport": ["false"] } }),
        ];
        let mut calls: Vec<Value> = picks
            .iter()
            .map(|(action, resource, chosen)| {
                let chosen: Vec<Value> = (0..3)
                    .filter(|bit| chosen & (1 << bit) != 0)
                    .map(|bit| conditions[bit].clone())
                    .collect();
                allowed(actions[*action], resources[*resource], &chosen)
            })
            .collect();
        let first = of_publisher(&everything(), &json!(calls)).smallest_policy.unwrap();
        let document = Document::parse(&first.to_string()).unwrap();
        prop_assert_eq!(validate_identity(&document), vec![]);
        let middle = turn.index(calls.len());
        calls.rotate_left(middle);
        let turned = of_publisher(&everything(), &json!(calls)).smallest_policy.unwrap();
        prop_assert_eq!(first, turned);
    }
}
