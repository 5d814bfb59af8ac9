//! Patterns as languages, and trust policies as sets of callers: both must say
//! of every text and every token what the plain definition says.

use policy::admission::{Admission, FederatedRole};
use policy::keys::{GITHUB_ISSUER, web_identity_context};
use policy::language::{
    Alphabet, Budget, Characters, Clause, Language, Pattern, Repeat, Script, Step, Token,
    Undecided, Writing, search,
};
use policy::{Context, Document, NamedPolicy, Principal, Request, evaluate_trust};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const ROLE: &str = "arn:aws:iam::123456789012:role/publisher";
const PROVIDER: &str =
    "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";

fn like(text: &str) -> Pattern {
    Pattern::wildcards(text)
}

fn all_of(clauses: &[Clause]) -> Language {
    clauses.iter().cloned().fold(Language::all(), Language::and)
}

#[expect(clippy::unwrap_used, reason = "a test says how it failed")]
fn shortest(clauses: &[Clause]) -> Option<String> {
    all_of(clauses)
        .shortest(Alphabet::Any, &Budget::default())
        .unwrap()
}

/// Every text over `ab:` of at most six characters, shortest first.
fn short_texts() -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut from = 0;
    for _ in 0..6 {
        let to = texts.len();
        for at in from..to {
            for char in ['a', 'b', ':'] {
                texts.push(format!("{}{char}", texts[at]));
            }
        }
        from = to;
    }
    texts
}

fn token() -> impl Strategy<Value = Token> {
    let characters = select(vec![
        Characters::Only('a'),
        Characters::Only('b'),
        Characters::OneOf(vec!['a', 'b']),
        Characters::AllBut(':'),
        Characters::Any,
    ]);
    let repeat = select(vec![
        Repeat::Once,
        Repeat::Once,
        Repeat::Optional,
        Repeat::Run,
    ]);
    (characters, repeat).prop_map(|(characters, repeat)| Token { characters, repeat })
}

fn clause() -> impl Strategy<Value = (Clause, Vec<Vec<Token>>)> {
    let pattern = prop::collection::vec(token(), 0..5);
    (prop::collection::vec(pattern, 0..3), any::<bool>()).prop_map(|(patterns, negated)| {
        let clause = Clause {
            negated,
            ..Clause::any_of(patterns.iter().cloned().map(Pattern::new))
        };
        (clause, patterns)
    })
}

/// The definition, exponential and plainly right.
fn matches(tokens: &[Token], text: &[char]) -> bool {
    let Some((token, rest)) = tokens.split_first() else {
        return text.is_empty();
    };
    let takes = text
        .first()
        .is_some_and(|char| token.characters.contain(*char));
    match token.repeat {
        Repeat::Once => takes && matches(rest, &text[1..]),
        Repeat::Optional => matches(rest, text) || (takes && matches(rest, &text[1..])),
        Repeat::Run => matches(rest, text) || (takes && matches(tokens, &text[1..])),
    }
}

fn defined(clauses: &[(Clause, Vec<Vec<Token>>)], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    clauses.iter().all(|(clause, patterns)| {
        patterns.iter().any(|tokens| matches(tokens, &text)) != clause.negated
    })
}

proptest! {
    #[test]
    fn a_language_holds_what_its_definition_holds(
        clauses in prop::collection::vec(clause(), 1..4), text in "[ab:x]{0,7}",
    ) {
        let language = all_of(&clauses.iter().map(|(clause, _)| clause.clone()).collect::<Vec<_>>());
        prop_assert_eq!(language.contains(&text).unwrap(), defined(&clauses, &text));
    }

    #[test]
    fn the_shortest_member_is_the_one_that_brute_force_finds(
        clauses in prop::collection::vec(clause(), 1..4),
    ) {
        let language = all_of(&clauses.iter().map(|(clause, _)| clause.clone()).collect::<Vec<_>>());
        let found = language.shortest(Alphabet::Of("ab:"), &Budget::default()).unwrap();
        let brute = short_texts().into_iter().find(|text| defined(&clauses, text));
        match (&found, &brute) {
            (Some(found), Some(brute)) => {
                prop_assert!(defined(&clauses, found), "{}", found);
                prop_assert_eq!(found.chars().count(), brute.chars().count());
            }
            (Some(found), None) => {
                prop_assert!(defined(&clauses, found) && found.chars().count() > 6);
            }
            (None, brute) => prop_assert_eq!(brute, &None),
        }
    }
}

#[test]
fn a_pattern_less_a_pattern_that_covers_it_is_empty() {
    let inside = [
        Clause::any_of([like("repo:acme/*:ref:refs/heads/main")]),
        Clause::none_of([like("repo:acme/*")]),
    ];
    assert_eq!(shortest(&inside), None);
    let outside = [
        Clause::any_of([like("repo:acme*")]),
        Clause::none_of([like("repo:acme/*"), like("repo:acme")]),
    ];
    assert_eq!(shortest(&outside), Some("repo:acmex".to_owned()));
}

#[test]
fn letter_case_is_ignored_as_the_evaluation_ignores_it() {
    let pattern = Pattern::ignoring_case("OK").unwrap();
    let clause = Clause::any_of([pattern]);
    assert!(clause.contains("ok").unwrap() && clause.contains("o\u{212a}").unwrap());
    let rest = [
        clause,
        Clause::none_of(["OK", "Ok", "oK", "ok"].map(Pattern::literal)),
    ];
    assert!(shortest(&rest).unwrap().ends_with('\u{212a}'));
    assert_eq!(Pattern::ignoring_case("straße"), None);
}

#[test]
fn texts_that_are_written_together_are_decided_together() {
    let variable = |writes| Step::Variable {
        alphabet: Alphabet::Of("ab:"),
        writes,
    };
    let script = Script::new(vec![
        Step::Literal {
            text: 0,
            literal: "in:",
        },
        variable(vec![(0, Writing::ColonEscaped), (1, Writing::Plain)]),
    ]);
    let ends = Clause::any_of([like("in:*%3Aa")]);
    let starts = Clause::any_of([like("b*")]);
    let found = search(&script, &[(0, &ends), (1, &starts)], &Budget::default()).unwrap();
    assert_eq!(found, Some(vec!["b:a".to_owned()]));
    let contradicts = Clause::any_of([like("*b")]);
    let found = search(
        &script,
        &[(0, &ends), (1, &contradicts)],
        &Budget::default(),
    )
    .unwrap();
    assert_eq!(found, None);
}

#[test]
fn many_stars_and_many_values_do_not_blow_up() {
    let stars = "*a".repeat(2_000);
    assert_eq!(
        shortest(&[
            Clause::any_of([like(&stars)]),
            Clause::none_of([like(&stars)]),
            Clause::none_of([like("b")]),
        ]),
        None
    );
    let values: Vec<Pattern> = (0..1_000)
        .map(|number| Pattern::literal(&format!("repo:acme/app-{number}:ref:refs/heads/main")))
        .collect();
    assert_eq!(
        shortest(&[
            Clause::any_of(values.clone()),
            Clause::none_of(values.iter().take(999).cloned()),
        ]),
        values[999].as_literal()
    );
    // One of the last twenty characters: a million states, hence no answer.
    let wide = like(&format!("*a{}", "?".repeat(20)));
    let also = like(&format!("*a{}", "?".repeat(19)));
    let language = all_of(&[Clause::any_of([wide]), Clause::none_of([also])]);
    assert!(matches!(
        language.shortest(Alphabet::Any, &Budget::new(1_000)),
        Err(Undecided::States(1_000)) | Ok(Some(_))
    ));
}

// Trust policies.

const KEYS: &[&str] = &["sub", "aud", "environment", "iss", "repository", "actor"];
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "ArnLike",
    "ArnNotLike",
    "Bool",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "DateGreaterThan",
    "IpAddress",
    "NotIpAddress",
    "BinaryEquals",
    "Null",
];
const VALUES: &[&str] = &[
    "repo:acme/api:ref:refs/heads/main",
    "repo:acme/api:*",
    "repo:acme/*",
    "repo:acme*",
    "repo:acme@1/api@2:ref:refs/heads/main",
    "REPO:ACME/API:REF:REFS/HEADS/MAIN",
    "*",
    "",
    "?*",
    "*:pull_request",
    "repo:acme/???:environment:*",
    "repo:a:b:c:d:e:*",
    "repo:*:*:*:*:*",
    "prod",
    "p*",
    "acme/api",
    "ada",
    "sts.amazonaws.com",
    "true",
    "false",
    "5",
    "${aws:FederatedProvider}",
    "${token.actions.githubusercontent.com:actor}",
    "${token.actions.githubusercontent.com:iss, 'prod'}",
    "repo:${token.actions.githubusercontent.com:repository}:*",
    "${*}",
];
const SEEN: &[&str] = &[
    "repo:acme/api:ref:refs/heads/main",
    "repo:acme/api:pull_request",
    "repo:acme/web:environment:prod",
    "repo:acme-evil/api:ref:refs/heads/main",
    "repo:acme@1/api@2:ref:refs/heads/main",
    "repo:a:b:c:d:e:f:g",
    "prod",
    "acme/api",
    "ada",
    "sts.amazonaws.com",
    "",
    "*",
    "5",
    "true",
    "True",
    PROVIDER,
];

fn condition() -> impl Strategy<Value = (String, String, Vec<String>)> {
    let operator = (
        select(vec!["", "", "", "ForAllValues:", "ForAnyValue:"]),
        select(OPERATORS),
        select(vec!["", "", "IfExists"]),
    )
        .prop_map(|(quantifier, operator, exists)| match operator {
            "Null" => operator.to_owned(),
            _ => format!("{quantifier}{operator}{exists}"),
        });
    let key = prop_oneof![
        6 => select(KEYS).prop_map(|key| format!("{GITHUB_ISSUER}:{key}")),
        1 => Just("aws:SourceIp".to_owned()),
        1 => Just("AWS:FederatedProvider".to_owned()),
        1 => Just("other.example.com:sub".to_owned()),
    ];
    let values = prop::collection::vec(select(VALUES).prop_map(str::to_owned), 1..4);
    (operator, key, values)
}

fn statement() -> impl Strategy<Value = Value> {
    let principal = select(vec![
        json!({"Federated": PROVIDER}),
        json!({"Federated": PROVIDER}),
        json!("*"),
        json!({"Federated": "arn:aws:iam::123456789012:oidc-provider/example.com"}),
    ]);
    let action = select(vec![
        "sts:AssumeRoleWithWebIdentity",
        "sts:*",
        "sts:AssumeRole",
    ]);
    let effect = select(vec!["Allow", "Allow", "Deny"]);
    let conditions = prop::collection::vec(condition(), 0..4);
    (principal, action, effect, conditions).prop_map(|(principal, action, effect, conditions)| {
        let mut block = Map::new();
        for (operator, key, values) in conditions {
            let keys = block.entry(operator).or_insert_with(|| json!({}));
            keys[key] = json!(values);
        }
        json!({"Effect": effect, "Principal": principal, "Action": action, "Condition": block})
    })
}

#[expect(clippy::unwrap_used, reason = "generated from valid parts")]
fn document(statements: &[Value], version: &str) -> Document {
    Document::parse(&json!({"Version": version, "Statement": statements}).to_string()).unwrap()
}

fn claims() -> impl Strategy<Value = Map<String, Value>> {
    let value = || prop::option::weighted(0.8, select(SEEN));
    (value(), value(), value(), value(), value(), value()).prop_map(
        |(sub, aud, environment, iss, repository, actor)| {
            let all = [sub, aud, environment, iss, repository, actor];
            let named = KEYS.iter().zip(all);
            named
                .filter_map(|(key, value)| Some(((*key).to_owned(), json!(value?))))
                .collect()
        },
    )
}

fn role() -> FederatedRole {
    FederatedRole {
        role_arn: ROLE.to_owned(),
        provider_arn: PROVIDER.to_owned(),
    }
}

fn context(claims: &Map<String, Value>, address: Option<&str>) -> Context {
    let mut context = web_identity_context(GITHUB_ISSUER, claims);
    context.insert("aws:FederatedProvider", PROVIDER);
    if let Some(address) = address {
        context.insert("aws:SourceIp", address);
    }
    context
}

fn evaluated(document: &Document, context: &Context) -> bool {
    let request = Request {
        principal: Principal::Federated {
            provider_arn: PROVIDER.to_owned(),
        },
        action: "sts:AssumeRoleWithWebIdentity".to_owned(),
        resource: ROLE.to_owned(),
        resource_account: "123456789012".to_owned(),
        context: context.clone(),
    };
    let trust = NamedPolicy {
        name: "trust".to_owned(),
        document: document.clone(),
    };
    evaluate_trust(&request, &trust).is_allowed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn the_set_of_callers_and_the_evaluation_never_disagree(
        statements in prop::collection::vec(statement(), 1..5),
        version in select(vec!["2012-10-17", "2008-10-17"]),
        tokens in prop::collection::vec(claims(), 4),
        address in prop::option::of(select(vec!["10.1.2.3", "192.0.2.1", "true", "5", ""])),
    ) {
        let document = document(&statements, version);
        let admission = Admission::of(&document, &role()).unwrap();
        for claims in &tokens {
            let context = context(claims, address);
            prop_assert_eq!(
                admission.contains(&context).unwrap(),
                evaluated(&document, &context),
                "{:?}", claims
            );
        }
    }

    #[test]
    fn the_order_of_statements_does_not_change_who_is_admitted(
        statements in prop::collection::vec(statement(), 1..5), claims in claims(),
    ) {
        let reversed: Vec<Value> = statements.iter().rev().cloned().collect();
        let [one, other] = [statements, reversed].map(|statements| {
            let document = document(&statements, "2012-10-17");
            let admission = Admission::of(&document, &role()).unwrap();
            admission.contains(&context(&claims, None)).unwrap()
        });
        prop_assert_eq!(one, other);
    }
}

#[test]
fn fifty_denials_of_two_hundred_statements_are_subtracted() {
    let sub = |value: String| json!({"StringLike": {format!("{GITHUB_ISSUER}:sub"): value}});
    let with = |effect, value: String| {
        json!({"Effect": effect, "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": sub(value)})
    };
    let allows = (0..200).map(|number| with("Allow", format!("repo:acme/app-{number}-*:*")));
    let denies = (0..50).map(|number| with("Deny", format!("repo:acme/*-evil{number}:*")));
    let statements: Vec<Value> = allows.chain(denies).collect();
    let admission = Admission::of(&document(&statements, "2012-10-17"), &role()).unwrap();
    assert_eq!(admission.callers.len(), 200);
    let sub = |sub: &str| {
        let claims = Map::from_iter([("sub".to_owned(), json!(sub))]);
        admission.contains(&context(&claims, None)).unwrap()
    };
    assert!(sub("repo:acme/app-7-x:pull_request"));
    assert!(!sub("repo:acme/app-7-evil49:pull_request"));
}
