//! What must hold for every document that can be parsed, whatever is in it:
//! order does not matter, every question has an answer, and places point at
//! what they name.

use policy::{
    Context, Decision, Document, NamedPolicy, Place, Policies, Principal, Request, Step, evaluate,
    evaluate_assume_role, evaluate_trust,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const ACCOUNT: &str = "123456789012";
const ROLE: &str = "arn:aws:iam::123456789012:role/publisher";
const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/publisher/run";
const REPOSITORY: &str = "arn:aws:ecr:eu-west-1:123456789012:repository/team/api";

const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "DateGreaterThan",
    "DateNotEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnLike",
    "ArnNotEquals",
    "Null",
];
const KEYS: &[&str] = &[
    "k:one",
    "K:Two",
    "aws:PrincipalTag/team",
    "aws:PrincipalArn",
];
const VALUES: &[&str] = &[
    "a",
    "*",
    "a?",
    "",
    "10",
    "-2.5",
    "2026-10-05",
    "true",
    "10.0.0.0/8",
    "::1",
    "QQ==",
    ROLE,
    "arn:aws:iam::*:role/*",
    "${k:one}",
    "${k:none, 'a'}",
    "${*}",
    "${",
    "é\"\\\n",
];

fn values() -> impl Strategy<Value = Value> {
    let one = prop_oneof![
        4 => select(VALUES).prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
    ];
    prop_oneof![
        one.clone(),
        prop::collection::vec(one, 0..4).prop_map(Value::from)
    ]
}

fn operator() -> impl Strategy<Value = String> {
    let quantifier = select(vec!["", "", "ForAllValues:", "ForAnyValue:"]);
    (quantifier, select(OPERATORS), any::<bool>()).prop_map(|(quantifier, name, if_exists)| match (
        name, if_exists,
    ) {
        ("Null", _) => name.to_owned(),
        (_, true) => format!("{quantifier}{name}IfExists"),
        (_, false) => format!("{quantifier}{name}"),
    })
}

fn conditions() -> impl Strategy<Value = Value> {
    let keys = prop::collection::btree_map(select(KEYS).prop_map(str::to_owned), values(), 0..3);
    prop::collection::btree_map(operator(), keys, 0..3).prop_map(|map| json!(map))
}

fn list(choices: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::collection::vec(select(choices), 1..4).prop_map(Value::from)
}

fn statement() -> impl Strategy<Value = Value> {
    let principal = prop_oneof![
        Just(json!("*")),
        list(&["*", ACCOUNT, ROLE, SESSION, "444455556666"]).prop_map(|all| json!({ "AWS": all })),
        Just(json!({ "Service": "lambda.amazonaws.com", "AWS": [SESSION, ACCOUNT] })),
    ];
    (
        select(vec!["Allow", "Allow", "Deny"]),
        (select(vec!["Principal", "NotPrincipal"]), principal),
        (
            select(vec!["Action", "Action", "NotAction"]),
            list(&["*", "ecr:*", "ECR:put?mage", "s3:Get*"]),
        ),
        (
            select(vec!["Resource", "Resource", "NotResource"]),
            list(&[
                "*",
                REPOSITORY,
                "arn:aws:ecr",
                "arn:aws:ecr:*:*:repository/${k:one}/*",
            ]),
        ),
        conditions(),
    )
        .prop_map(|(effect, principal, action, resource, conditions)| {
            let mut statement = Map::new();
            statement.insert("Effect".into(), effect.into());
            statement.insert(principal.0.into(), principal.1);
            statement.insert(action.0.into(), action.1);
            statement.insert(resource.0.into(), resource.1);
            statement.insert("Condition".into(), conditions);
            Value::Object(statement)
        })
}

fn policy() -> impl Strategy<Value = Value> {
    let version = select(vec!["2012-10-17", "2012-10-17", "2008-10-17"]);
    (version, prop::collection::vec(statement(), 1..4))
        .prop_map(|(version, statements)| json!({"Version": version, "Statement": statements}))
}

fn request() -> impl Strategy<Value = Request> {
    let principal = select(vec![
        Principal::Anonymous,
        Principal::AccountRoot {
            account: ACCOUNT.into(),
        },
        Principal::Service {
            name: "lambda.amazonaws.com".into(),
        },
        Principal::AssumedRole {
            account: ACCOUNT.into(),
            role_arn: ROLE.into(),
            session_arn: SESSION.into(),
        },
    ]);
    let context = prop::collection::btree_map(
        select(KEYS),
        prop::collection::vec(select(VALUES).prop_map(str::to_owned), 0..3),
        0..3,
    );
    (principal, context, select(vec![ACCOUNT, "210987654321"])).prop_map(
        |(principal, keys, account)| {
            let mut context = Context::new();
            for (key, values) in keys {
                context.insert_many(key, values);
            }
            Request {
                principal,
                action: "ecr:PutImage".into(),
                resource: REPOSITORY.into(),
                resource_account: account.into(),
                context,
            }
        },
    )
}

/// The same policy with every list and every object the other way round.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().rev().map(reversed).collect(),
        Value::Object(entries) => entries
            .iter()
            .rev()
            .map(|(name, value)| (name.clone(), reversed(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn named(policy: &Value) -> NamedPolicy {
    NamedPolicy {
        name: "generated".to_owned(),
        document: Document::parse(&policy.to_string()).expect("generated from valid parts"),
    }
}

/// The same policies in every part: alone as trust policy, as trust policy of a
/// limited caller, and as every kind at once.
fn decisions(request: &Request, one: &Value, other: &Value) -> [Decision; 3] {
    let policies = Policies {
        identity: vec![named(one)],
        resource: Some(named(other)),
        registry: Some(named(one)),
        session: Some(vec![named(one), named(other)]),
        boundary: Some(named(other)),
        service_control: vec![vec![named(one)], vec![named(other), named(one)]],
        resource_control: vec![vec![named(other), named(one)]],
    };
    [
        evaluate_trust(request, &named(one)),
        evaluate_assume_role(request, &named(one), &policies),
        evaluate(request, &policies),
    ]
}

/// What stands at every path of a JSON value, with the path.
fn parts(value: &Value, path: &mut Vec<Step>, found: &mut Vec<(Vec<Step>, Value)>) {
    found.push((path.clone(), value.clone()));
    let children: Vec<(Step, &Value)> = match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (index.into(), item))
            .collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(name, value)| (name.as_str().into(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (step, child) in children {
        path.push(step);
        parts(child, path, found);
        path.pop();
    }
}

/// The byte at a line and column, counted from the top.
fn byte_at(text: &str, place: Place) -> usize {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(place.line - 1)
        .map(str::len)
        .sum();
    let before: usize = text[line_start..]
        .chars()
        .take(place.column - 1)
        .map(char::len_utf8)
        .sum();
    line_start + before
}

proptest! {
    #[test]
    fn order_of_statements_keys_and_values_does_not_matter(
        request in request(), one in policy(), other in policy(),
    ) {
        let before = decisions(&request, &one, &other);
        let after = decisions(&request, &reversed(&one), &reversed(&other));
        for (before, after) in before.iter().zip(&after) {
            prop_assert_eq!((before.outcome, before.by), (after.outcome, after.by));
        }
    }

    #[test]
    fn every_question_has_an_answer_and_a_sentence(
        request in request(), one in policy(), other in policy(),
    ) {
        for decision in decisions(&request, &one, &other) {
            prop_assert!(decision.by.is_some());
            prop_assert!(decision.reason().ends_with('.'));
            prop_assert!(!decision.reason().contains("but ."));
        }
    }

    #[test]
    fn an_assumed_role_needs_its_trust_policy(
        request in request(), trust in policy(), other in policy(),
    ) {
        let [alone, limited, _] = decisions(&request, &trust, &other);
        prop_assert!(alone.is_allowed() || !limited.is_allowed());
    }

    #[test]
    fn a_place_holds_the_text_of_its_value(policy in policy(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&policy).expect("a value is JSON") } else { policy.to_string() };
        let (document, places) = Document::parse_located(&text).expect("generated from valid parts");
        prop_assert_eq!(document, named(&policy).document);
        let mut found = Vec::new();
        parts(&policy, &mut Vec::new(), &mut found);
        for (path, value) in found {
            let place = places.at(&path).expect("every part has a place");
            let piece = &text[place.start..place.end];
            prop_assert_eq!(byte_at(&text, place), place.start);
            prop_assert_eq!(value.is_string(), piece.starts_with('"'));
            prop_assert_eq!(serde_json::from_str::<Value>(piece).expect("a part is JSON"), value);
            if let Some(name) = places.name_at(&path) {
                let piece = &text[name.start..name.end];
                let read = serde_json::from_str::<String>(piece).expect("a name is JSON");
                prop_assert_eq!(path.last(), Some(&Step::Name(read)));
            }
        }
    }

    #[test]
    fn the_reader_takes_what_serde_json_takes_and_nothing_else(
        text in "[\\[\\]{}\",:0-9a-fnrtux\\\\. eE+-]{0,12}",
    ) {
        let wrapped = format!(
            r#"{{"Statement":{{"Effect":"Deny","Action":"*","Condition":{{"StringEquals":{{"k":{text}}}}}}}}}"#
        );
        let is_json = serde_json::from_str::<Value>(&wrapped).is_ok();
        let ours = Document::parse(&wrapped);
        let not_json = matches!(&ours, Err(error) if matches!(error.fault, policy::Fault::Json(_)));
        // A repeated key is JSON for serde_json, and a number may be too large for it.
        prop_assert!(is_json != not_json || text.contains('"') || text.contains(['e', 'E']), "{ours:?}");
    }

    #[test]
    fn a_fault_stands_where_it_says(policy in policy(), at in any::<prop::sample::Index>()) {
        let text = policy.to_string();
        let cut: String = text.chars().take(at.index(text.chars().count())).collect();
        let error = Document::parse(&cut).expect_err("a part of a policy is none");
        prop_assert!(error.place.start <= cut.len());
        prop_assert_eq!(byte_at(&cut, error.place), error.place.start);
    }
}
