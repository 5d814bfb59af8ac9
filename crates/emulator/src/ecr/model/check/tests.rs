use proptest::prelude::*;
use serde_json::json;

use super::super::inputs::*;
use super::*;

fn refusal(input: &[Member], body: Value) -> (&'static str, String) {
    let error = check(&body, input).unwrap_err();
    (error.code, error.message)
}

fn constraint_of(input: &[Member], body: Value) -> (String, String) {
    let (code, message) = refusal(input, body);
    assert_eq!(code, "InvalidParameterException", "{message}");
    let rest = message.strip_prefix("Invalid parameter at '").unwrap();
    let (name, rest) = rest
        .split_once("' failed to satisfy constraint: '")
        .unwrap();
    (name.to_owned(), rest.strip_suffix('\'').unwrap().to_owned())
}

/// The sentences in public reports of ECR's refusals.
#[test]
fn known_sentences_about_numbers_and_lengths() {
    let many: Vec<Value> = (0..101).map(|_| json!({ "imageTag": "v1" })).collect();
    for (input, member, value, constraint) in [
        (
            LIST_IMAGES,
            "maxResults",
            json!(1001),
            "Member must have value less than or equal to 1000",
        ),
        (
            PUT_LIFECYCLE_POLICY,
            "lifecyclePolicyText",
            json!(""),
            "Member must have length greater than or equal to 100",
        ),
        (
            BATCH_DELETE_IMAGE,
            "imageIds",
            json!(many),
            "Member must have length less than or equal to 100",
        ),
        (
            BATCH_GET_IMAGE,
            "imageIds",
            json!([]),
            "Member must have length greater than or equal to 1",
        ),
        (
            CREATE_REPOSITORY,
            "imageTagMutability",
            json!("SOMETIMES"),
            "Member must satisfy enum value set: [IMMUTABLE, MUTABLE, MUTABLE_WITH_EXCLUSION, \
             IMMUTABLE_WITH_EXCLUSION]",
        ),
    ] {
        let found = constraint_of(
            input,
            json!({ "repositoryName": "team/web", member: value }),
        );
        assert_eq!(found, (member.to_owned(), constraint.to_owned()));
    }
}

#[test]
fn known_sentences_about_patterns_and_what_is_missing() {
    let name_pattern = "must satisfy regular expression \
        '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*'";
    for (input, body, member, constraint) in [
        (
            GET_AUTHORIZATION_TOKEN,
            json!({ "registryIds": ["1234"] }),
            "registryIds",
            "Member must satisfy constraint: [Member must satisfy regular expression pattern: \
             [0-9]{12}]",
        ),
        (
            PUT_IMAGE_TAG_MUTABILITY,
            json!({ "repositoryName": "team/web" }),
            "imageTagMutability",
            "Member must not be null",
        ),
        (
            CREATE_REPOSITORY,
            json!({ "repositoryName": "Bad_Name!" }),
            "repositoryName",
            name_pattern,
        ),
        (
            DESCRIBE_REPOSITORIES,
            json!({ "repositoryNames": ["host/a:b"] }),
            "repositoryName",
            name_pattern,
        ),
        (
            TAG_RESOURCE,
            json!({ "resourceArn": "x", "tags": [{ "Key": "a", "Value": "" }, { "Value": "b" }] }),
            "tags.2.member.key",
            "Member must not be null",
        ),
    ] {
        let found = constraint_of(input, body);
        assert_eq!(found, (member.to_owned(), constraint.to_owned()));
    }
}

#[test]
fn wrong_types_are_told_before_constraints() {
    for (input, body, sentence) in [
        (
            CREATE_REPOSITORY,
            json!({ "repositoryName": 3 }),
            "NUMBER_VALUE cannot be converted to String",
        ),
        (
            DELETE_REPOSITORY,
            json!({ "repositoryName": "!", "force": "yes" }),
            "STRING_VALUE cannot be converted to Boolean",
        ),
        (
            LIST_IMAGES,
            json!({ "repositoryName": "a", "maxResults": 1.5 }),
            "DECIMAL_VALUE cannot be converted to Long",
        ),
        (
            BATCH_GET_IMAGE,
            json!({ "repositoryName": "aa", "imageIds": "all" }),
            "Expected list or null",
        ),
        (
            BATCH_GET_IMAGE,
            json!({ "repositoryName": "aa", "imageIds": ["v1"] }),
            "Expected structure or null",
        ),
        (
            BATCH_GET_IMAGE,
            json!({ "repositoryName": {}, "imageIds": [] }),
            "Start of structure or map found where not expected.",
        ),
    ] {
        let found = refusal(input, body);
        assert_eq!(found, ("SerializationException", sentence.to_owned()));
    }
}

#[test]
fn unknown_members_and_nulls_are_passed_over() {
    let body = json!({ "repositoryName": "aa", "registryId": null, "surprise": [1, {}] });
    check(&body, ONE_REPOSITORY).unwrap();
    let (name, constraint) = constraint_of(ONE_REPOSITORY, json!({ "repositoryName": null }));
    assert_eq!(
        (name.as_str(), constraint.as_str()),
        ("repositoryName", "must not be null")
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::from),
        Just(json!("team/web")),
    ];
    let name = prop::sample::select(vec![
        "repositoryName",
        "registryId",
        "imageIds",
        "imageTag",
        "tags",
        "Key",
        "rules",
        "filter",
        "maxResults",
    ]);
    scalar.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..5).prop_map(|members| {
                let members = members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value));
                Value::Object(members.collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_body_is_accepted_or_refused_with_a_code_of_aws(body in any_json()) {
        for input in [
            ONE_REPOSITORY, CREATE_REPOSITORY, CREATE_TEMPLATE, BATCH_GET_IMAGE, TAG_RESOURCE,
            DESCRIBE_IMAGES, PUT_REGISTRY_SCANNING_CONFIGURATION, PUT_SIGNING_CONFIGURATION,
        ] {
            if let Err(error) = check(&body, input) {
                prop_assert!(
                    ["SerializationException", "InvalidParameterException"].contains(&error.code)
                );
            }
        }
    }
}
