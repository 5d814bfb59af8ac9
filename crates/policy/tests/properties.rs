//! What must hold for every policy, whatever it says.

use policy::{
    Context, Decision, Document, NamedPolicy, Policies, Principal, Request, evaluate,
    evaluate_trust,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

const ACCOUNT: &str = "123456789012";
const ROLE: &str = "arn:aws:iam::123456789012:role/publisher";
const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/publisher/run";

const PRINCIPALS: &[&str] = &[
    r#""Principal":"*","#,
    r#""Principal":{"AWS":"123456789012"},"#,
    r#""Principal":{"AWS":"arn:aws:iam::123456789012:role/publisher"},"#,
    r#""Principal":{"AWS":"arn:aws:sts::123456789012:assumed-role/publisher/run"},"#,
    r#""NotPrincipal":{"AWS":"arn:aws:iam::123456789012:user/other"},"#,
    "",
];
const ACTIONS: &[&str] = &[
    r#""Action":"*""#,
    r#""Action":"ecr:Put*""#,
    r#""Action":["s3:*","ecr:GetAuthorizationToken"]"#,
    r#""NotAction":"iam:*""#,
];
const RESOURCES: &[&str] = &[
    r#","Resource":"*""#,
    r#","Resource":"arn:aws:ecr:*:*:repository/${aws:PrincipalTag/team}""#,
    r#","NotResource":"arn:aws:ecr:*""#,
    "",
];
const CONDITIONS: &[&str] = &[
    "",
    r#","Condition":{"StringEquals":{"k":"a"}}"#,
    r#","Condition":{"StringNotLike":{"k":"a*"}}"#,
    r#","Condition":{"ForAllValues:StringEquals":{"k":["a","b"]}}"#,
    r#","Condition":{"Null":{"k":"true"}}"#,
    r#","Condition":{"StringEquals":{"k":["b","a"],"l":["x","y"]},"StringNotLike":{"k":["b*","c"]}}"#,
    r#","Condition":{"ForAnyValue:StringLike":{"l":["y","x*"]},"StringEqualsIfExists":{"k":["a"],"l":["x"]}}"#,
];

/// The fields of a statement without its effect.
fn body() -> impl Strategy<Value = String> {
    (
        select(PRINCIPALS),
        select(ACTIONS),
        select(RESOURCES),
        select(CONDITIONS),
    )
        .prop_map(|(principal, action, resource, condition)| {
            format!("{principal}{action}{resource}{condition}")
        })
}

fn effect_and_body() -> impl Strategy<Value = String> {
    (prop_oneof![3 => Just("Allow"), 1 => Just("Deny")], body())
        .prop_map(|(effect, body)| statement(effect, &body))
}

fn statement(effect: &str, body: &str) -> String {
    format!(r#"{{"Effect":"{effect}",{body}}}"#)
}

fn statements() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(effect_and_body(), 1..4)
}

/// Statements per kind of policy, in the order of [`policies`].
type Texts = [Option<Vec<String>>; 6];

fn texts() -> impl Strategy<Value = Texts> {
    let maybe = || prop::option::weighted(0.4, statements());
    (
        statements().prop_map(Some),
        maybe(),
        maybe(),
        maybe(),
        maybe(),
        maybe(),
    )
        .prop_map(<[_; 6]>::from)
}

fn named(statements: &[String]) -> NamedPolicy {
    let json = format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        statements.join(",")
    );
    NamedPolicy {
        name: "generated".to_owned(),
        document: Document::parse(&json).expect("generated from valid parts"),
    }
}

fn policies(texts: &Texts) -> Policies {
    let [
        identity,
        resource,
        session,
        boundary,
        service,
        resource_control,
    ] = texts.each_ref().map(|text| text.as_deref().map(named));
    Policies {
        registry: None,
        identity: identity.into_iter().collect(),
        resource,
        session: session.map(|one| vec![one]),
        boundary,
        service_control: service.into_iter().map(|one| vec![one]).collect(),
        resource_control: resource_control.into_iter().map(|one| vec![one]).collect(),
    }
}

fn request() -> impl Strategy<Value = Request> {
    let principal = select(vec![
        Principal::Anonymous,
        Principal::AccountRoot {
            account: ACCOUNT.into(),
        },
        Principal::AssumedRole {
            account: ACCOUNT.into(),
            role_arn: ROLE.into(),
            session_arn: SESSION.into(),
        },
    ]);
    let values = prop::option::of(prop::collection::vec(select(vec!["a", "b", "x"]), 0..3));
    let accounts = select(vec![ACCOUNT, "210987654321"]);
    let other = prop::option::of(select(vec!["x", "xx", "z"]));
    (principal, accounts, values, other).prop_map(|(principal, account, values, other)| {
        let mut context = Context::new();
        if let Some(other) = other {
            context.insert("l", other);
        }
        if let Some(values) = values {
            context.insert_many("k", values.into_iter().map(str::to_owned).collect());
        }
        Request {
            principal,
            action: "ecr:PutImage".into(),
            resource: format!("arn:aws:ecr:eu-west-1:{account}:repository/api"),
            resource_account: account.into(),
            context,
        }
    })
}

/// Every policy that is there with one statement more.
fn with(texts: &Texts, at: Index, statement: &str) -> Texts {
    let mut texts = texts.clone();
    let present: Vec<usize> = (0..6).filter(|kind| texts[*kind].is_some()).collect();
    let kind = present[at.index(present.len())];
    texts[kind]
        .get_or_insert_default()
        .push(statement.to_owned());
    texts
}

fn backwards(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().rev().map(backwards).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().rev();
            Value::Object(
                fields
                    .map(|(name, value)| (name.clone(), backwards(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

fn decide(request: &Request, texts: &Texts) -> Decision {
    evaluate(request, &policies(texts))
}

proptest! {
    #[test]
    fn one_deny_more_never_allows_more(
        request in request(), texts in texts(), at in any::<Index>(), body in body(),
    ) {
        let more = with(&texts, at, &statement("Deny", &body));
        prop_assert!(
            decide(&request, &texts).is_allowed() || !decide(&request, &more).is_allowed()
        );
    }

    #[test]
    fn one_allow_more_never_denies_more(
        request in request(), texts in texts(), at in any::<Index>(), body in body(),
    ) {
        let more = with(&texts, at, &statement("Allow", &body));
        prop_assert!(
            !decide(&request, &texts).is_allowed() || decide(&request, &more).is_allowed()
        );
    }

    /// Every list and every object of a policy the other way round.
    #[test]
    fn the_order_of_statements_keys_and_values_does_not_matter(
        request in request(), texts in texts(),
    ) {
        let backwards = texts.clone().map(|kind| {
            let of_kind = |statements: Vec<String>| {
                let statements = statements.iter().rev();
                let read = statements.map(|text| serde_json::from_str(text).unwrap());
                read.map(|statement: Value| backwards(&statement).to_string())
                    .collect::<Vec<_>>()
            };
            kind.map(of_kind)
        });
        let (one, other) = (decide(&request, &texts), decide(&request, &backwards));
        prop_assert_eq!((one.outcome, one.by), (other.outcome, other.by));
    }

    #[test]
    fn every_decision_has_a_sentence(request in request(), texts in texts()) {
        let decision = decide(&request, &texts);
        prop_assert!(decision.reason().ends_with('.'));
        prop_assert!(decision.denial_sentence(&request).contains("ecr:PutImage"));
    }

    #[test]
    fn a_trust_policy_follows_the_same_monotony(
        request in request(), texts in statements(), body in body(),
    ) {
        let before = evaluate_trust(&request, &named(&texts)).is_allowed();
        let with = |effect: &str| {
            let mut more = texts.clone();
            more.push(statement(effect, &body));
            evaluate_trust(&request, &named(&more)).is_allowed()
        };
        prop_assert!(before || !with("Deny"));
        prop_assert!(!before || with("Allow"));
    }

    #[test]
    fn the_parser_never_panics_on_text(text in ".*") {
        let _ = Document::parse(&text);
    }

    #[test]
    fn the_parser_never_panics_on_json_made_of_policy_words(
        words in prop::collection::vec(select(vec![
            "{", "}", "[", "]", ",", ":", "\"Statement\"", "\"Effect\"", "\"Allow\"",
            "\"Action\"", "\"Principal\"", "\"AWS\"", "\"*\"", "\"Condition\"",
            "\"StringEquals\"", "\"k\"", "1", "-1e400", "null", "true",
        ]), 0..40),
    ) {
        let _ = Document::parse(&words.concat());
    }
}
