//! The search over what GitHub mints against the evaluation of single tokens.

use github::{Event, Minting, Repository, Run, SubjectForm, Visibility, claims};
use policy::keys::{GITHUB_ISSUER, web_identity_context};
use policy::{Document, NamedPolicy, Principal, Request, evaluate_trust};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::caller::Wanted;
use super::shape::is;
use super::text::TIED_CLAIMS;
use super::{Mint, Trust, examples};

const ROLE: &str = "arn:aws:iam::123456789012:role/publisher";
const PROVIDER: &str =
    "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";

const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringLike",
    "StringLike",
    "StringNotLike",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "ForAllValues:StringLike",
    "ForAnyValue:StringLike",
    "StringLikeIfExists",
    "Null",
];

/// Keys with values that nearly match.
const KEYS: &[(&str, &[&str])] = &[
    (
        "sub",
        &[
            "repo:acme/api:ref:refs/heads/main",
            "repo:acme@1/api@2:ref:refs/heads/main",
            "repo:acme/api:*",
            "repo:acme@1/*",
            "repo:acme*",
            "repo:acme/*:environment:prod",
            "*:pull_request",
            "*:ref:refs/heads/*",
            "repo:ACME/api:environment:Prod%3Av1",
            "repo:acme/ap?:*",
            "*",
        ],
    ),
    ("repository", &["acme/api", "acme/*", "*/api", "evil/api"]),
    ("repository_id", &["2", "3", "*"]),
    ("repository_owner_id", &["1", "9"]),
    (
        "ref",
        &[
            "refs/heads/main",
            "refs/heads/*",
            "refs/pull/*",
            "refs/tags/v*",
        ],
    ),
    ("environment", &["prod", "Prod:v1", "p*", "true"]),
    ("aud", &["sts.amazonaws.com", "other"]),
];

fn statement() -> impl Strategy<Value = Value> {
    let condition = (select(OPERATORS), select(KEYS)).prop_flat_map(|(operator, (key, values))| {
        let values = match operator {
            "Null" => vec!["true", "false"],
            _ => values.to_vec(),
        };
        let count = values.len().min(3);
        let values = prop::sample::subsequence(values, 1..=count);
        (Just(operator), Just(key), values)
    });
    let effect = select(vec!["Allow", "Allow", "Allow", "Deny"]);
    (effect, prop::collection::vec(condition, 0..4)).prop_map(|(effect, conditions)| {
        let mut block = json!({});
        for (operator, key, values) in conditions {
            block[operator][format!("{GITHUB_ISSUER}:{key}")] = json!(values);
        }
        json!({"Effect": effect, "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": block})
    })
}

fn run() -> impl Strategy<Value = Run> {
    let repository = (
        select(vec!["acme", "acme-x", "evil"]),
        select(vec!["1", "9"]),
        select(vec!["api", "app", "web"]),
        select(vec!["2", "3"]),
    )
        .prop_map(|(owner, owner_id, name, id)| Repository {
            owner: owner.into(),
            owner_id: owner_id.into(),
            name: name.into(),
            id: id.into(),
            visibility: Visibility::Private,
        });
    let refs = select(vec![
        "refs/heads/main",
        "refs/heads/x/y",
        "refs/tags/v1",
        "",
    ]);
    let environment = prop::option::of(select(vec!["prod", "Prod:v1", "preview"]));
    (repository, refs, environment).prop_map(|(repository, git_ref, environment)| Run {
        repository,
        event: if git_ref.is_empty() {
            Event::PullRequest {
                number: 7,
                head: "x".into(),
                base: "main".into(),
                from_fork: false,
            }
        } else {
            Event::Push {
                git_ref: git_ref.into(),
            }
        },
        environment: environment.map(str::to_owned),
        workflow: "publish".into(),
        workflow_path: ".github/workflows/publish.yml".into(),
        actor: "ada".into(),
        actor_id: "33".into(),
        sha: "0".repeat(40),
        run_id: 1,
        run_number: 1,
        run_attempt: 1,
    })
}

fn token(run: &Run, form: SubjectForm) -> Map<String, Value> {
    claims(
        run,
        &Minting {
            issuer: github::ISSUER.into(),
            audience: Some(github::AWS_AUDIENCE.into()),
            form,
            issued_at: 0,
            token_id: "id".into(),
        },
    )
}

fn document(statements: &[Value]) -> Document {
    let json = json!({"Version": "2012-10-17", "Statement": statements});
    Document::parse(&json.to_string()).unwrap()
}

fn evaluated(document: &Document, claims: &Map<String, Value>) -> bool {
    let request = Request {
        principal: Principal::Federated {
            provider_arn: PROVIDER.into(),
        },
        action: "sts:AssumeRoleWithWebIdentity".into(),
        resource: ROLE.into(),
        resource_account: "123456789012".into(),
        context: web_identity_context(GITHUB_ISSUER, claims),
    };
    let trust = NamedPolicy {
        name: "trust".into(),
        document: document.clone(),
    };
    evaluate_trust(&request, &trust).is_allowed()
}

/// Whether the search over everything that GitHub mints comes upon this token.
fn is_found(mint: &Mint, trust: &Trust, claims: &Map<String, Value>) -> bool {
    let wanted: Vec<Wanted> = TIED_CLAIMS
        .iter()
        .filter_map(|(claim, text)| Some(is(*text, claims.get(*claim)?.as_str()?)))
        .collect();
    let callers = trust.callers_for(Some(github::AWS_AUDIENCE)).unwrap();
    let ask = Ask {
        mint,
        callers: &callers,
        budget: &trust.budget,
    };
    let has_environment = claims.contains_key("environment");
    let shapes = |shape: &super::shape::Shape| {
        shape.kind.is_usual() && shape.script.writes(super::text::ENVIRONMENT) == has_environment
    };
    ask.find(shapes, &wanted).unwrap().is_some()
}

thread_local! {
    static MINT: Mint = Mint::new();
}

proptest! {
    // Times four runs in two forms: more than ten thousand evaluations.
    #![proptest_config(ProptestConfig { cases: 1_300, ..ProptestConfig::default() })]

    #[test]
    fn a_proof_and_the_evaluation_of_tokens_never_disagree(
        statements in prop::collection::vec(statement(), 1..4),
        runs in prop::collection::vec(run(), 4),
    ) {
        let document = document(&statements);
        let Some(trust) = Trust::of(ROLE, document.clone(), &[]).unwrap() else {
            return Ok(());
        };
        for run in &runs {
            for form in [SubjectForm::Name, SubjectForm::Immutable] {
                let claims = token(run, form);
                let wanted = evaluated(&document, &claims);
                prop_assert_eq!(trust.admits(&claims).unwrap(), wanted);
                let found = MINT.with(|mint| is_found(mint, &trust, &claims));
                prop_assert_eq!(found, wanted, "{:?}", claims);
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn every_example_is_admitted_by_the_evaluation(
        statements in prop::collection::vec(statement(), 1..4),
    ) {
        let document = document(&statements);
        let Some(trust) = Trust::of(ROLE, document.clone(), &[]).unwrap() else {
            return Ok(());
        };
        for example in examples(&trust).unwrap() {
            let claims: Map<String, Value> = example
                .claims
                .iter()
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect();
            prop_assert!(evaluated(&document, &claims), "{:?}", claims);
        }
    }

    #[test]
    fn the_order_of_statements_and_values_does_not_change_the_sentences(
        statements in prop::collection::vec(statement(), 1..3),
    ) {
        let reversed: Vec<Value> = statements.iter().rev().map(reversed_values).collect();
        let [one, other] = [statements, reversed].map(|statements| {
            Trust::of(ROLE, document(&statements), &[])
                .unwrap()
                .map(|trust| MINT.with(|mint| super::admitted(mint, &trust).unwrap()))
        });
        prop_assert_eq!(one, other);
    }
}

fn reversed_values(statement: &Value) -> Value {
    let mut statement = statement.clone();
    if let Some(operators) = statement["Condition"].as_object_mut() {
        let reversed: Map<String, Value> = operators
            .iter()
            .rev()
            .map(|(operator, keys)| {
                let keys = keys.as_object().unwrap().iter().rev().map(|(key, values)| {
                    let values: Vec<Value> =
                        values.as_array().unwrap().iter().rev().cloned().collect();
                    (key.clone(), Value::Array(values))
                });
                (operator.clone(), Value::Object(keys.collect()))
            })
            .collect();
        *operators = reversed;
    }
    statement
}
