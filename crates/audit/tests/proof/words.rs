//! Who is admitted, in words; and what no proof may take.

use std::time::{Duration, Instant};

use audit::{Trust, prove_trust};
use policy::Document;
use serde_json::Value;

use super::{Conditions, IMMUTABLE_FORM, NAME_FORM, ROLE, policy, statement};

#[expect(clippy::unwrap_used, reason = "a test says how it failed")]
fn admitted(statements: &[Value]) -> Vec<String> {
    let document = Document::parse(&policy(statements).to_string()).unwrap();
    let trust = Trust::of(ROLE, document, &[]).unwrap().unwrap();
    prove_trust(&trust).unwrap()
}

fn by_subject(operator: &str, subjects: &[&str]) -> Vec<String> {
    admitted(&[statement("Allow", &[(operator, "sub", subjects)])])
}

#[test]
fn both_forms_of_one_subject_are_two_sentences_and_nothing_else() {
    assert_eq!(
        by_subject("StringEquals", &[NAME_FORM, IMMUTABLE_FORM]),
        [
            "pushes to main of acme/portfolio, in the immutable form as acme@1234567/portfolio@7654321",
            "pushes to main of acme/portfolio, in the name form",
        ]
    );
}

#[test]
fn any_is_said_only_where_nobody_is_left_out() {
    for (subject, said) in [
        (
            "repo:acme/portfolio:*",
            "any run of acme/portfolio, in the name form",
        ),
        (
            "repo:acme/*",
            "any run of any repository of acme, in the name form",
        ),
        (
            "repo:acme/*:ref:refs/heads/main",
            "pushes to main of any repository of acme, in the name form",
        ),
        (
            "repo:acme/portfolio:ref:refs/heads/release/*",
            "pushes to branches of acme/portfolio whose subject matches `repo:acme/portfolio:ref:refs/heads/release/*`, such as `repo:acme/portfolio:ref:refs/heads/release/x`, in the name form",
        ),
        (
            "repo:acme/portfolio:environment:Prod%3AV1",
            "runs of acme/portfolio in the environment Prod:V1, in the name form",
        ),
        (
            "repository_owner:acme",
            "runs whose subject their repository has customised, such as `repository_owner:acme`",
        ),
    ] {
        assert!(
            by_subject("StringLike", &[subject]).contains(&said.to_owned()),
            "{subject}: {:?}",
            by_subject("StringLike", &[subject])
        );
    }
    assert_eq!(
        by_subject("StringLike", &["repo:*"]),
        [
            "any run of any repository on GitHub, in the immutable form",
            "any run of any repository on GitHub, in the name form",
        ]
    );
}

#[test]
fn the_owner_without_a_slash_admits_owners_that_begin_so() {
    let words = by_subject("StringLike", &["repo:acme*"]).join("\n");
    assert!(words.contains("repositories on GitHub"), "{words}");
}

#[test]
fn a_star_in_string_equals_admits_nobody() {
    assert!(by_subject("StringEquals", &["repo:acme/portfolio:*"]).is_empty());
}

#[test]
fn keys_that_are_tied_to_each_other_are_decided_together() {
    let contradiction = statement(
        "Allow",
        &[
            ("StringLike", "sub", &["repo:acme/portfolio:*"]),
            ("StringEquals", "repository", &["acme/other"]),
        ],
    );
    assert!(admitted(&[contradiction]).is_empty());
    let narrowed = statement(
        "Allow",
        &[
            ("StringLike", "sub", &["repo:acme/*"]),
            ("StringEquals", "repository", &["acme/portfolio"]),
            ("StringEquals", "ref", &["refs/heads/main"]),
            ("Null", "environment", &["true"]),
        ],
    );
    let words = admitted(&[narrowed]);
    assert_eq!(
        words[0],
        "pushes to main of acme/portfolio, in the name form"
    );
    assert!(words[1..].iter().all(|words| words.contains("customised")));
}

#[test]
fn denials_are_subtracted_and_other_conditions_are_said() {
    let words = admitted(&[
        statement(
            "Allow",
            &[
                (
                    "StringEquals",
                    "sub",
                    &[NAME_FORM, "repo:acme/portfolio:pull_request"],
                ),
                ("IpAddress", "aws:SourceIp", &["10.0.0.0/8"]),
            ],
        ),
        statement("Deny", &[("StringLike", "sub", &["*:pull_request"])]),
        statement("Deny", &[("StringNotEquals", "actor", &["ada"])]),
    ]);
    assert_eq!(
        words,
        [
            "pushes to main of acme/portfolio, in the name form, where `IpAddress` on `aws:SourceIp` holds for `10.0.0.0/8` and `actor` is `ada`"
        ]
    );
}

#[test]
fn a_thousand_subjects_are_decided() {
    let subjects: Vec<String> = (0..1_000)
        .map(|number| format!("repo:acme/app-{number}:ref:refs/heads/main"))
        .collect();
    let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
    let words = by_subject("StringEquals", &subjects);
    assert_eq!(words.len(), 1, "{words:?}");
    assert!(words[0].starts_with("pushes to main of repositories of acme whose subject"));
}

#[test]
fn two_hundred_statements_and_fifty_denials_are_decided() {
    let allows = (0..200).map(|number| {
        let subject = format!("repo:acme/app-{number}:*");
        statement("Allow", &[("StringLike", "sub", &[&subject])])
    });
    let denials = (0..50).map(|number| {
        let subject = format!("*:environment:secret-{number}");
        statement("Deny", &[("StringLike", "sub", &[&subject])])
    });
    let words = admitted(&allows.chain(denials).collect::<Vec<_>>());
    assert_eq!(words.len(), 1_000);
}

#[test]
fn hostile_patterns_are_decided_or_given_up_in_time() {
    let stars = format!("repo:{}", "*a".repeat(500));
    let marks = format!("*{}", "?".repeat(300));
    let wide = "*a????????????????????";
    for pattern in [stars.as_str(), &marks, wide] {
        let start = Instant::now();
        let conditions: Conditions = &[
            ("StringLike", "sub", &[pattern]),
            ("StringNotLike", "sub", &["*b????????????????????"]),
        ];
        let document = Document::parse(&policy(&[statement("Allow", conditions)]).to_string());
        let trust = Trust::of(ROLE, document.unwrap(), &[]).unwrap().unwrap();
        if let Err(undecided) = prove_trust(&trust) {
            assert!(undecided.to_string().contains("more than"), "{undecided}");
        }
        assert!(
            start.elapsed() < Duration::from_mins(2),
            "{:?}",
            start.elapsed()
        );
    }
}
