//! One example per rule of the grammar.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn rule(priority: u64, selection: &Value, action: &Value) -> Value {
    json!({ "rulePriority": priority, "selection": selection, "action": action })
}

fn counted(status: &str) -> Value {
    json!({ "tagStatus": status, "countType": "imageCountMoreThan", "countNumber": 5 })
}

fn expire() -> Value {
    json!({ "type": "expire" })
}

fn failure(rules: &[Value]) -> String {
    let error = validate(&json!({ "rules": rules }).to_string()).unwrap_err();
    assert_eq!(error.code, "InvalidParameterException");
    error
        .message
        .strip_prefix(
            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: \
             'Lifecycle policy validation failure: ",
        )
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap()
        .to_owned()
}

#[test]
fn the_examples_of_the_user_guide_are_accepted() {
    let policy = json!({ "rules": [
        { "rulePriority": 1, "description": "old and untagged", "action": expire(),
          "selection": { "tagStatus": "untagged", "countType": "sinceImagePushed",
                         "countUnit": "days", "countNumber": 14 } },
        rule(2, &json!({ "tagStatus": "tagged", "tagPatternList": ["prod*"],
                         "countType": "imageCountMoreThan", "countNumber": 1 }), &expire()),
        rule(3, &json!({ "tagStatus": "tagged", "tagPrefixList": ["v"],
                         "countType": "sinceImagePulled", "countUnit": "days",
                         "countNumber": 30 }),
             &json!({ "type": "transition", "targetStorageClass": "archive" })),
        rule(9, &counted("any"), &expire()),
    ]});
    validate(&policy.to_string()).unwrap();
}

#[test]
fn what_is_no_policy_is_answered_with_the_known_sentence() {
    for text in ["", "not json", "[]", "\"rules\""] {
        let error = validate(text).unwrap_err();
        assert_eq!(
            error.message,
            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: \
             'Lifecycle policy validation failure: Could not map policyString into \
             LifecyclePolicy.'"
        );
    }
}

#[test]
fn two_untagged_rules_are_answered_with_the_known_sentence() {
    let rules = [
        rule(1, &counted("untagged"), &expire()),
        rule(2, &counted("untagged"), &expire()),
    ];
    assert_eq!(
        failure(&rules),
        "Only one rule can select Untagged images per storage class."
    );
}

#[test]
fn a_null_target_class_matches_no_schema() {
    let action = json!({ "type": "expire", "targetStorageClass": null });
    assert_eq!(
        failure(&[rule(1, &counted("any"), &action)]),
        "instance failed to match exactly one schema (matched 0 out of 2)"
    );
}

#[test]
fn shapes_are_checked() {
    let unknown =
        json!({ "rulePriority": 1, "selection": counted("any"), "action": expire(), "x": 1 });
    let missing = json!({ "rulePriority": 1, "selection": counted("any") });
    for (rules, message) in [
        (vec![], "array is too short"),
        (
            vec![missing],
            r#"object has missing required properties (["action"])"#,
        ),
        (vec![unknown], r#"not allowed by the schema: ["x"]"#),
        (vec![json!(3)], "instance type (integer) does not match"),
        (
            vec![rule(0, &counted("any"), &expire())],
            "numeric instance is lower than the required minimum (minimum: 1, found: 0)",
        ),
        (
            vec![rule(1, &counted("some"), &expire())],
            r#"instance value ("some") not found in enum (possible values: ["tagged","untagged","any"])"#,
        ),
        (
            vec![rule(1, &counted("tagged"), &expire())],
            "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.",
        ),
        (
            vec![rule(
                1,
                &json!({ "tagStatus": "untagged", "tagPrefixList": ["v"],
                "countType": "imageCountMoreThan", "countNumber": 1 }),
                &expire(),
            )],
            "instance failed to match exactly one schema",
        ),
    ] {
        let failure = failure(&rules);
        assert!(failure.contains(message), "{failure}");
    }
}

#[test]
fn rules_are_checked_against_their_count_type_and_each_other() {
    let selection = |kind: &str, unit: bool, number: u64| {
        let mut selection = json!({ "tagStatus": "any", "countType": kind, "countNumber": number });
        if unit {
            selection["countUnit"] = json!("days");
        }
        selection
    };
    for (rules, message) in [
        (
            vec![rule(1, &selection("sinceImagePushed", false, 1), &expire())],
            "countUnit is required",
        ),
        (
            vec![rule(
                1,
                &selection("imageCountMoreThan", true, 1),
                &expire(),
            )],
            "countUnit is not allowed",
        ),
        (
            vec![rule(1, &selection("sinceImagePulled", true, 1), &expire())],
            "only allowed with the action transition",
        ),
        (
            vec![
                rule(1, &counted("any"), &expire()),
                rule(2, &counted("untagged"), &expire()),
            ],
            "Rule for tagStatus=ANY must have the lowest priority per storage class",
        ),
        (
            vec![
                rule(1, &counted("untagged"), &expire()),
                rule(1, &counted("any"), &expire()),
            ],
            "More than one rule has the priority 1.",
        ),
    ] {
        let failure = failure(&rules);
        assert!(failure.contains(message), "{failure}");
    }
}

proptest! {
    #[test]
    fn any_text_is_accepted_or_refused_without_panic(text: String, number: i64) {
        let _ = validate(&text);
        let _ = validate(&format!(r#"{{"rules":[{{"rulePriority":{number}}}]}}"#));
    }
}
