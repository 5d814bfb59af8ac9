//! What STS checks around the trust policy, and in which order.

use super::*;

#[test]
fn the_listed_caller_is_admitted_and_every_check_passed() {
    let explanation = ask(claims(json!({})), equals(&[BY_NAME, IMMUTABLE]));
    assert!(explanation.admitted, "{explanation:#?}");
    assert_eq!(
        (&explanation.nearest_miss, &explanation.fix),
        (&None, &None)
    );
    let names: Vec<_> = explanation
        .checks
        .iter()
        .map(|check| check.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "provider",
            "audience",
            "signature",
            "time",
            "role",
            "trust policy"
        ]
    );
    let passed = |check: &receipts::Check| check.result == CheckResult::Passed;
    assert!(explanation.checks.iter().all(passed));
    assert!(explanation.statements[0].applies);
}

/// A question that only one check can refuse.
#[track_caller]
fn refused_by(check: &str, kind: MissKind, change: impl FnOnce(&mut Question<'static>)) {
    let mut question = question(claims(json!({})), equals(&[BY_NAME, IMMUTABLE]));
    change(&mut question);
    let explanation = explain(&question);
    refused(&explanation, kind);
    assert_eq!(result(&explanation, check), CheckResult::Failed);
}

#[test]
fn provider_and_audience_come_before_the_trust_policy() {
    refused_by("token", MissKind::NoToken, |question| {
        question.evidence = Evidence::NoToken;
    });
    refused_by("provider", MissKind::WrongProvider, |question| {
        question.providers = Some(Providers {
            complete: true,
            ..Providers::default()
        });
    });
    refused_by("provider", MissKind::WrongProvider, |question| {
        question.claims.insert("iss".into(), json!("http://x"));
    });
    refused_by("provider", MissKind::WrongAccount, |question| {
        question.role = ROLE.replace("123456789012", "123456789013");
    });
    for audience in [json!("https://github.com/acme"), json!(["a", "b"])] {
        refused_by("audience", MissKind::Audience, |question| {
            question.claims.insert("aud".into(), audience);
        });
    }
}

#[test]
fn time_and_role_are_judged_too() {
    let at = |second| Evidence::Token(jiff::Timestamp::from_second(second).unwrap());
    refused_by("time", MissKind::Expired, |question| {
        question.evidence = at(1_300);
    });
    for number in [json!(1.5), json!(-99_999_999_999_999_i64), json!("soon")] {
        refused_by("time", MissKind::Expired, |question| {
            question.evidence = at(1_000);
            question.claims.insert("exp".into(), number);
        });
    }
    refused_by("time", MissKind::NotYetValid, |question| {
        question.evidence = at(999);
    });
    refused_by("role", MissKind::RoleMissing, |question| {
        question.trust = Trust::NoRole {
            looked_in: "the root".to_owned(),
        };
    });
    let unreadable = ask(claims(json!({})), "{".to_owned());
    refused(&unreadable, MissKind::PolicyUnreadable);
}

#[test]
fn the_trust_policy_is_explained_although_the_token_is_old_by_now() {
    let mut question = question(claims(json!({})), equals(&[BY_NAME]));
    question.evidence = Evidence::Token(jiff::Timestamp::from_second(9_000).unwrap());
    let explanation = explain(&question);
    refused(&explanation, MissKind::NameAgainstImmutable);
    assert_eq!(result(&explanation, "time"), CheckResult::Failed);
    assert_eq!(result(&explanation, "signature"), CheckResult::Unknown);
}

#[test]
fn what_aws_answered_outranks_what_is_concluded() {
    let denied = Answer::of_error("AccessDenied", "Not authorized to perform ..");
    let mut question = question(claims(json!({})), equals(&[BY_NAME, IMMUTABLE]));
    question.providers = None;
    question.evidence = Evidence::Token(jiff::Timestamp::from_second(1_100).unwrap());
    question.answer = Some(denied);
    let explanation = explain(&question);
    refused(&explanation, MissKind::NotAsApplied);
    for check in ["provider", "audience", "signature", "time"] {
        assert_eq!(result(&explanation, check), CheckResult::Passed, "{check}");
    }
    for (code, message, kind) in [
        (
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account for x",
            MissKind::WrongAccount,
        ),
        (
            "InvalidIdentityToken",
            "Incorrect token audience",
            MissKind::Audience,
        ),
        (
            "InvalidIdentityToken",
            "Couldn't retrieve verification key from",
            MissKind::Signature,
        ),
        (
            "ExpiredTokenException",
            "Token expired: ..",
            MissKind::Expired,
        ),
    ] {
        question.answer = Some(Answer::of_error(code, message));
        refused(&explain(&question), kind);
    }
}

#[test]
fn every_kind_has_an_id_of_its_own() {
    let mut ids: Vec<_> = MissKind::ALL.iter().map(|kind| kind.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), MissKind::ALL.len());
    assert!(
        MissKind::ALL
            .iter()
            .all(|kind| kind.meaning().ends_with('.'))
    );
}

#[test]
fn hostile_policies_and_claims_are_explained_without_harm() {
    let stars = "*a".repeat(5_000);
    let long = "a".repeat(50_000);
    let text = policy(
        json!({ "StringLike": { "~:sub": [stars, long] }, "StringEquals": { "~:ref": "*" } }),
    );
    let hostile = claims(json!({
        "sub": "a".repeat(50_000), "repository": "é:@/".repeat(5_000), "aud": "\u{0}",
    }));
    let explanation = ask(hostile, text);
    assert!(!explanation.admitted);
    let empty = ask(Map::new(), "null".to_owned());
    assert!(!empty.admitted);
}
