//! Why a caller is refused: every kind of near miss, and the change it leads to.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use audit::OwnRepository;
use audit::explain::{
    Answer, Evidence, MissKind, ProviderFacts, Providers, Question, Source, Trust, explain,
};
use receipts::{CheckResult, Explanation};
use serde_json::{Map, Value, json};

const HOST: &str = "token.actions.githubusercontent.com";
const ROLE: &str = "arn:aws:iam::123456789012:role/publisher";
const PROVIDER: &str =
    "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
const IMMUTABLE: &str = "repo:acme@11/api@22:ref:refs/heads/main";
const BY_NAME: &str = "repo:acme/api:ref:refs/heads/main";

/// The claims of a push to main, with others in their place.
fn claims(changes: Value) -> Map<String, Value> {
    let mut claims = json!({
        "iss": format!("https://{HOST}"), "aud": "sts.amazonaws.com", "sub": IMMUTABLE,
        "repository": "acme/api", "repository_id": "22", "repository_owner": "acme",
        "repository_owner_id": "11", "ref": "refs/heads/main", "event_name": "push",
        "actor": "ada", "workflow": "publish", "iat": 1000, "nbf": 400, "exp": 1300,
        "job_workflow_ref": "acme/api/.github/workflows/publish.yml@refs/heads/main",
    });
    let all = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    all.clone()
}

fn subject(sub: &str) -> Map<String, Value> {
    claims(json!({ "sub": sub }))
}

/// A policy whose one statement has this condition; `:x` stands for the key of
/// GitHub's issuer.
fn policy(condition: Value) -> String {
    let statement = json!({
        "Sid": "GitHub", "Effect": "Allow", "Principal": { "Federated": PROVIDER },
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition,
    });
    whole(vec![statement])
}

fn whole(statements: Vec<Value>) -> String {
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    let text = serde_json::to_string_pretty(&document).unwrap();
    text.replace("\":", "\u{0}")
        .replace("\u{0}", "\":")
        .replace("\"~:", &format!("\"{HOST}:"))
}

fn equals(sub: &[&str]) -> String {
    policy(json!({ "StringEquals": { "~:aud": "sts.amazonaws.com", "~:sub": sub } }))
}

fn question(claims: Map<String, Value>, policy: String) -> Question<'static> {
    Question {
        caller: "a push to main".to_owned(),
        claims,
        evidence: Evidence::Described,
        role: ROLE.to_owned(),
        trust: Trust::Policy {
            text: policy,
            source: Source::File {
                path: "trust.json".to_owned(),
            },
        },
        providers: Some(Providers {
            known_from: "the account".to_owned(),
            list: vec![ProviderFacts {
                arn: PROVIDER.to_owned(),
                url: HOST.to_owned(),
                client_ids: vec!["sts.amazonaws.com".to_owned()],
            }],
            complete: true,
        }),
        answer: None,
        session_name: None,
        repository: None,
    }
}

fn ask(claims: Map<String, Value>, policy: String) -> Explanation {
    explain(&question(claims, policy))
}

/// Refused with that kind; gives the sentence, the fix in words and its diff.
#[track_caller]
fn refused(explanation: &Explanation, kind: MissKind) -> (String, String, String) {
    assert!(!explanation.admitted, "{explanation:#?}");
    let miss = explanation.nearest_miss.as_ref().unwrap();
    assert_eq!(miss.kind, kind.id(), "{explanation:#?}");
    let fix = explanation.fix.clone().unwrap();
    (
        miss.sentence.clone(),
        fix.summary,
        fix.diff.unwrap_or_default(),
    )
}

fn result(explanation: &Explanation, check: &str) -> CheckResult {
    let found = explanation.checks.iter().find(|found| found.name == check);
    found.unwrap().result
}

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

#[test]
fn an_immutable_subject_against_a_name_only_policy_adds_the_immutable_form() {
    let explanation = ask(claims(json!({})), equals(&[BY_NAME]));
    let (sentence, _, diff) = refused(&explanation, MissKind::NameAgainstImmutable);
    assert!(sentence.contains("ids 11 (owner) and 22"), "{sentence}");
    assert!(
        diff.contains(&format!("+            \"{IMMUTABLE}\"")),
        "{diff}"
    );
    assert!(diff.contains(&format!("             \"{BY_NAME}\"")) || diff.contains(BY_NAME));
}

#[test]
fn a_name_subject_against_an_immutable_only_policy_adds_the_name_form() {
    let explanation = ask(subject(BY_NAME), equals(&[IMMUTABLE]));
    let (_, _, diff) = refused(&explanation, MissKind::NameAgainstImmutable);
    assert!(diff.contains(&format!("\"{BY_NAME}\"")), "{diff}");
}

#[test]
fn a_single_value_becomes_a_list_with_both_forms() {
    let text = policy(json!({ "StringEquals": { "~:sub": "repo:acme/api:environment:old" } }));
    let explanation = ask(subject("repo:acme/api:environment:new"), text);
    let (_, _, diff) = refused(&explanation, MissKind::OtherEnvironment);
    for form in [
        "repo:acme/api:environment:new",
        "repo:acme@11/api@22:environment:new",
    ] {
        assert!(diff.contains(&format!("+            \"{form}\"")), "{diff}");
    }
}

#[test]
fn other_ids_under_the_same_name_are_a_recycled_name_and_stay_out() {
    let stolen = subject("repo:acme@666/api@777:ref:refs/heads/main");
    for listed in [&[BY_NAME, IMMUTABLE][..], &[IMMUTABLE]] {
        let (_, fix, diff) = refused(&ask(stolen.clone(), equals(listed)), MissKind::RecycledName);
        assert!(fix.starts_with("keep it refused") && diff.is_empty());
    }
    let mut question = question(stolen, equals(&[BY_NAME]));
    question.repository = Some(OwnRepository {
        owner: "acme".to_owned(),
        name: "api".to_owned(),
        owner_id: Some("11".to_owned()),
        id: Some("22".to_owned()),
    });
    refused(&explain(&question), MissKind::RecycledName);
}

#[test]
fn an_environment_takes_the_place_of_the_branch() {
    let gained = subject("repo:acme@11/api@22:environment:production");
    let explanation = ask(gained, equals(&[BY_NAME, IMMUTABLE]));
    let (sentence, fix, diff) = refused(&explanation, MissKind::RefAgainstEnvironment);
    assert!(
        sentence.contains("has the environment `production`"),
        "{sentence}"
    );
    assert!(fix.contains("deployment rules"), "{fix}");
    assert!(diff.contains("+") && diff.contains("api:environment:production"));
    let lost = ask(
        claims(json!({})),
        equals(&["repo:acme@11/api@22:environment:production"]),
    );
    let (sentence, fix, _) = refused(&lost, MissKind::RefAgainstEnvironment);
    assert!(sentence.contains("no environment"), "{sentence}");
    assert!(fix.contains("`environment: production`"), "{fix}");
}

#[test]
fn a_pull_request_is_to_stay_refused() {
    let run = subject("repo:acme@11/api@22:pull_request");
    let (_, fix, diff) = refused(
        &ask(run, equals(&[BY_NAME, IMMUTABLE])),
        MissKind::PullRequest,
    );
    assert!(
        fix.contains("on `push` instead") && diff.is_empty(),
        "{fix}"
    );
    let by_ref = policy(json!({ "StringEquals": { "~:ref": "refs/heads/main" } }));
    let run = claims(json!({ "ref": "refs/pull/7/merge" }));
    refused(&ask(run, by_ref), MissKind::PullRequest);
}

#[test]
fn other_refs_are_named_with_what_they_are() {
    for (context, kind, words) in [
        (
            "ref:refs/heads/fix",
            MissKind::OtherBranch,
            "the branch `fix`",
        ),
        ("ref:refs/tags/v1", MissKind::Tag, "the tag `v1`"),
    ] {
        let run = subject(&format!("repo:acme@11/api@22:{context}"));
        let (sentence, _, diff) = refused(&ask(run, equals(&[BY_NAME, IMMUTABLE])), kind);
        assert!(sentence.contains(words), "{sentence}");
        assert!(
            diff.contains(&format!("+            \"repo:acme@11/api@22:{context}\"")),
            "{diff}"
        );
        assert!(!diff.contains('*'));
    }
}

#[test]
fn other_repositories_stay_out() {
    for sub in [
        "repo:acme@11/web@23:ref:refs/heads/main",
        "repo:evil@6/api@7:ref:refs/heads/main",
    ] {
        let (_, fix, diff) = refused(
            &ask(subject(sub), equals(&[BY_NAME, IMMUTABLE])),
            MissKind::OtherRepository,
        );
        assert!(fix.contains("keep it refused") && diff.is_empty());
    }
    let by_id = policy(json!({ "StringEquals": { "~:repository_id": "99" } }));
    refused(&ask(claims(json!({})), by_id), MissKind::OtherRepository);
}

#[test]
fn letter_case_a_host_and_a_short_ref_are_corrected() {
    for (listed, kind) in [
        ("repo:Acme/api:ref:refs/heads/main", MissKind::LetterCase),
        (
            "repo:github.com/acme/api:ref:refs/heads/main",
            MissKind::HostInSubject,
        ),
        (
            "repo:https://github.com/acme/api:ref:refs/heads/main",
            MissKind::HostInSubject,
        ),
        ("repo:acme/api:ref:main", MissKind::RefWithoutPrefix),
        ("repo:acme/api:ref:heads/main", MissKind::RefWithoutPrefix),
    ] {
        let (_, _, diff) = refused(&ask(subject(BY_NAME), equals(&[listed])), kind);
        assert!(
            diff.contains(&format!("-            \"{listed}\"")),
            "{diff}"
        );
        assert!(
            diff.contains(&format!("+            \"{BY_NAME}\"")),
            "{diff}"
        );
    }
    let text = policy(json!({ "StringEquals": { "~:ref": "main" } }));
    let (_, _, diff) = refused(&ask(claims(json!({})), text), MissKind::RefWithoutPrefix);
    assert!(diff.contains(":ref\": \"refs/heads/main\""), "{diff}");
}

#[test]
fn a_star_in_string_equals_is_replaced_by_exact_values() {
    let explanation = ask(subject(BY_NAME), equals(&["repo:acme/*"]));
    let (sentence, _, diff) = refused(&explanation, MissKind::StarInStringEquals);
    assert!(
        sentence.contains("only `StringLike` knows wildcards"),
        "{sentence}"
    );
    let added: Vec<_> = diff.lines().filter(|line| line.starts_with("+ ")).collect();
    assert_eq!(added.len(), 2, "{diff}");
    assert!(!added.concat().contains('*'), "{diff}");
}

#[test]
fn two_operators_on_one_key_are_joined_by_and() {
    let text = policy(json!({
        "StringEquals": { "~:sub": "repo:acme/web:ref:refs/heads/main" },
        "StringLike": { "~:sub": "repo:acme/api:*" },
    }));
    let explanation = ask(subject(BY_NAME), text);
    let (sentence, _, diff) = refused(&explanation, MissKind::OperatorsAreAnded);
    assert!(sentence.contains("joined by AND"), "{sentence}");
    assert!(
        diff.contains(&format!("+            \"{BY_NAME}\"")),
        "{diff}"
    );
}

#[test]
fn a_key_that_aws_never_fills_is_named_with_the_one_that_was_meant() {
    for (key, meant) in [
        ("~:subject", None),
        ("~:repositroy", Some("repository")),
        ("~:enviroment", Some("environment")),
        (
            "https://token.actions.githubusercontent.com:sub",
            Some("sub"),
        ),
        ("token.actions.githubusercontent.com/acme:sub", Some("sub")),
        ("token.action.githubusercontent.com:sub", Some("sub")),
    ] {
        let text = policy(json!({ "StringEquals": { key: BY_NAME } }));
        let (_, fix, diff) = refused(&ask(subject(BY_NAME), text), MissKind::KeyNeverFilled);
        let Some(meant) = meant else { continue };
        assert!(fix.contains(&format!("{HOST}:{meant}")), "{key}: {fix}");
        assert!(
            diff.contains(&format!("+          \"{HOST}:{meant}\"")),
            "{key}: {diff}"
        );
    }
}

#[test]
fn a_claim_that_aws_does_not_export_is_shown_with_its_value_and_what_to_use() {
    for (claim, instead) in [
        ("event_name", ":sub"),
        (
            "repository_owner",
            ":repository_owner_id` instead (here `11`)",
        ),
        ("iss", "take the condition out"),
    ] {
        let key = format!("~:{claim}");
        let text = policy(json!({ "StringEquals": { key: "x" } }));
        let (sentence, fix, _) = refused(&ask(claims(json!({})), text), MissKind::KeyNeverFilled);
        assert!(sentence.contains("the token says"), "{sentence}");
        assert!(fix.contains(instead), "{fix}");
    }
    let text = policy(json!({ "StringEquals": { "~:actor_id": "1" } }));
    refused(&ask(claims(json!({})), text), MissKind::ClaimAbsent);
    let text = policy(json!({ "StringEquals": { "aws:PrincipalTag/team": "a" } }));
    refused(&ask(claims(json!({})), text), MissKind::KeyNeverFilled);
}

#[test]
fn the_principal_and_the_action_must_fit() {
    let other = PROVIDER.replace("123456789012", "999999999999");
    let enterprise = format!("{PROVIDER}/acme");
    for (principal, kind) in [
        (json!({ "Federated": other }), MissKind::WrongAccount),
        (json!({ "Federated": enterprise }), MissKind::WrongProvider),
        (
            json!({ "Service": "ec2.amazonaws.com" }),
            MissKind::WrongProvider,
        ),
    ] {
        let statement = json!({
            "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity",
        });
        let (_, _, diff) = refused(&ask(claims(json!({})), whole(vec![statement])), kind);
        assert!(
            diff.is_empty() || diff.contains(&format!("\"{PROVIDER}\"")),
            "{diff}"
        );
    }
    let statement = json!({
        "Effect": "Allow", "Principal": { "Federated": PROVIDER }, "Action": "sts:AssumeRole",
    });
    let (_, _, diff) = refused(
        &ask(claims(json!({})), whole(vec![statement])),
        MissKind::WrongAction,
    );
    assert!(
        diff.contains("+      \"Action\": \"sts:AssumeRoleWithWebIdentity\""),
        "{diff}"
    );
}

#[test]
fn an_explicit_deny_names_its_statement_and_why_it_applies() {
    let allow = json!({
        "Effect": "Allow", "Principal": { "Federated": PROVIDER },
        "Action": "sts:AssumeRoleWithWebIdentity",
    });
    let deny = json!({
        "Sid": "NoMain", "Effect": "Deny", "Principal": "*", "Action": "sts:*",
        "Condition": { "StringLike": { "~:ref": "refs/heads/m*" } },
    });
    let explanation = ask(claims(json!({})), whole(vec![allow, deny]));
    let (sentence, ..) = refused(&explanation, MissKind::ExplicitDeny);
    assert!(
        sentence.contains("`NoMain`") && sentence.contains("refs/heads/m*"),
        "{sentence}"
    );
    assert!(explanation.statements[1].applies);
}

#[test]
fn what_only_the_request_shows_stays_unknown() {
    let network = json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } });
    let explanation = ask(claims(json!({})), policy(network.clone()));
    refused(&explanation, MissKind::DependsOnRequest);
    assert_eq!(result(&explanation, "trust policy"), CheckResult::Unknown);
    // A `Deny` for other networks is not taken to apply either.
    let allow = json!({
        "Effect": "Allow", "Principal": { "Federated": PROVIDER },
        "Action": "sts:AssumeRoleWithWebIdentity",
    });
    let deny = json!({
        "Effect": "Deny", "Principal": "*", "Action": "*",
        "Condition": { "NotIpAddress": { "aws:SourceIp": "10.0.0.0/8" } },
    });
    refused(
        &ask(claims(json!({})), whole(vec![allow, deny])),
        MissKind::DependsOnRequest,
    );
}

#[test]
fn other_values_are_compared_too() {
    let text = policy(json!({ "StringNotLike": { "~:sub": "*:ref:*" } }));
    refused(&ask(claims(json!({})), text), MissKind::ExcludedValue);
    let text = policy(json!({ "StringEquals": { "~:actor": "grace" } }));
    let explanation = ask(claims(json!({})), text);
    refused(&explanation, MissKind::ValueDiffers);
    let miss = explanation.nearest_miss.unwrap();
    assert_eq!(
        (miss.seen.as_deref(), miss.wanted.as_deref()),
        (Some("ada"), Some("grace"))
    );
    let location = miss.location.unwrap();
    assert_eq!(
        (location.file.as_str(), location.line > 1),
        ("trust.json", true)
    );
    let text = policy(json!({ "StringEquals": { "~:aud": "https://github.com/acme" } }));
    refused(&ask(claims(json!({})), text), MissKind::Audience);
}

#[test]
fn provider_audience_and_time_come_before_the_trust_policy() {
    let refused_before = |change: fn(&mut Question<'static>), kind: MissKind, check: &str| {
        let mut question = question(claims(json!({})), equals(&[BY_NAME, IMMUTABLE]));
        change(&mut question);
        let explanation = explain(&question);
        refused(&explanation, kind);
        assert_eq!(result(&explanation, check), CheckResult::Failed);
    };
    let providers = |question: &mut Question<'static>| question.providers.take().unwrap();
    refused_before(
        |question| question.evidence = Evidence::NoToken,
        MissKind::NoToken,
        "token",
    );
    refused_before(
        |question| {
            question.providers = Some(Providers {
                complete: true,
                ..Providers::default()
            })
        },
        MissKind::WrongProvider,
        "provider",
    );
    refused_before(
        |question| {
            question.role = ROLE.replace("123456789012", "123456789013");
        },
        MissKind::WrongAccount,
        "provider",
    );
    refused_before(
        |question| {
            question
                .claims
                .insert("aud".into(), json!("https://github.com/acme"));
        },
        MissKind::Audience,
        "audience",
    );
    refused_before(
        |question| {
            question.claims.insert("aud".into(), json!(["a", "b"]));
        },
        MissKind::Audience,
        "audience",
    );
    refused_before(
        |question| {
            question.evidence = Evidence::Token(jiff::Timestamp::from_second(1_300).unwrap());
        },
        MissKind::Expired,
        "time",
    );
    refused_before(
        |question| {
            question.evidence = Evidence::Token(jiff::Timestamp::from_second(999).unwrap());
        },
        MissKind::NotYetValid,
        "time",
    );
    refused_before(
        |question| {
            question.trust = Trust::NoRole {
                looked_in: "the root".to_owned(),
            };
        },
        MissKind::RoleMissing,
        "role",
    );
    let mut question = question(claims(json!({})), "{".to_owned());
    let _ = providers(&mut question);
    refused(&explain(&question), MissKind::PolicyUnreadable);
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
fn the_statement_that_needs_the_fewest_changes_is_the_nearest() {
    let far = json!({
        "Sid": "Far", "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" },
        "Action": "sts:AssumeRole",
    });
    let middle = json!({
        "Sid": "Middle", "Effect": "Allow", "Principal": { "Federated": PROVIDER },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringEquals": { "~:sub": "repo:acme/web:pull_request", "~:actor": "x" } },
    });
    let near = json!({
        "Sid": "Near", "Effect": "Allow", "Principal": { "Federated": PROVIDER },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringEquals": { "~:sub": BY_NAME } },
    });
    let explanation = ask(claims(json!({})), whole(vec![far, middle, near]));
    refused(&explanation, MissKind::NameAgainstImmutable);
    assert_eq!(explanation.nearest_miss.unwrap().statement, "Near");
}

#[test]
fn no_change_lists_a_pull_request_or_somebody_else() {
    let anded = policy(json!({
        "StringEquals": { "~:sub": "repo:acme/api:x" }, "StringLike": { "~:sub": "repo:*" },
    }));
    let by_actor = policy(json!({ "StringEquals": { "~:actor": "grace" } }));
    let own = OwnRepository {
        owner: "acme".to_owned(),
        name: "api".to_owned(),
        owner_id: Some("11".to_owned()),
        id: Some("22".to_owned()),
    };
    for text in [
        equals(&["repo:*"]),
        equals(&["repo:ACME/api:*"]),
        anded,
        by_actor,
    ] {
        for sub in [
            "repo:acme/api:pull_request",
            "repo:acme@11/api@22:pull_request",
            "repo:evil@6/x@7:ref:refs/heads/main",
            "repo:acme@6/api@7:ref:refs/heads/main",
        ] {
            let mut question = question(subject(sub), text.clone());
            question.repository = Some(own.clone());
            let explanation = explain(&question);
            let fix = explanation.fix.unwrap();
            assert!(fix.summary.starts_with("keep it refused"), "{sub}: {fix:?}");
            assert_eq!(fix.diff, None, "{sub}");
        }
    }
    let unknown_owner = ask(
        subject("repo:evil@6/x@7:ref:refs/heads/main"),
        equals(&["repo:*"]),
    );
    assert_eq!(unknown_owner.fix.unwrap().diff, None);
}

/// The text after its one-hunk diff.
fn patched(text: &str, diff: &str) -> String {
    let mut old = text.lines();
    let mut new = Vec::new();
    let mut lines = diff.lines().skip(2);
    let header = lines.next().unwrap();
    let start = header
        .strip_prefix("@@ -")
        .unwrap()
        .split(',')
        .next()
        .unwrap();
    for _ in 1..start.parse::<usize>().unwrap() {
        new.push(old.next().unwrap());
    }
    for line in lines {
        match line.split_at(1) {
            (" ", same) => {
                assert_eq!(old.next(), Some(same));
                new.push(same);
            }
            ("-", gone) => assert_eq!(old.next(), Some(gone)),
            ("+", added) => new.push(added),
            _ => {}
        }
    }
    new.extend(old);
    new.join("\n")
}

#[test]
fn every_change_that_is_proposed_admits_the_caller_and_nobody_listed_before_is_lost() {
    let star =
        policy(json!({ "StringEquals": { "~:sub": ["repo:acme/old:ref:x", "repo:acme/*"] } }));
    let anded = policy(json!({
        "StringEquals": { "~:sub": "repo:acme/web:ref:refs/heads/main" },
        "StringLike": { "~:sub": "repo:acme*" },
    }));
    let one_line = equals(&[BY_NAME])
        .replace("[\n            ", "[")
        .replace("\n          ]", "]");
    let wrong_action = json!({
        "Effect": "Allow", "Principal": { "Federated": [PROVIDER] },
        "Action": ["sts:TagSession", "sts:AssumeRole"],
    });
    let wrong_principal = json!({
        "Effect": "Allow", "Principal": { "Federated": [format!("{PROVIDER}/acme")] },
        "Action": "sts:AssumeRoleWithWebIdentity",
    });
    for text in [
        equals(&[BY_NAME]),
        one_line,
        equals(&[
            "repo:acme@11/api@22:ref:refs/heads/old",
            "repo:acme@11/api@22:ref:refs/tags/v1",
        ]),
        equals(&[
            "repo:acme/api:environment:prod",
            "repo:acme@11/api@22:ref:main",
        ]),
        equals(&["repo:Acme@11/api@22:ref:refs/heads/main"]),
        equals(&["repo:github.com/acme/api:ref:refs/heads/main"]),
        policy(json!({ "StringLike": { "~:sub": "repo:acme/api:*" } })),
        policy(json!({ "StringEquals": { "~:repositroy": "acme/api" } })),
        policy(json!({ "StringEquals": { "github.com:sub": IMMUTABLE } })),
        policy(json!({ "StringEquals": { "~:actor": ["grace"], "~:ref": "refs/heads/main" } })),
        star,
        anded,
        whole(vec![wrong_action]),
        whole(vec![wrong_principal]),
    ] {
        let first = ask(claims(json!({})), text.clone());
        assert!(!first.admitted, "{text}");
        let kind = first.nearest_miss.unwrap().kind;
        let fix = first.fix.unwrap();
        // `environment` for a push stays in words: the workflow must change.
        let Some(diff) = fix.diff else {
            assert_eq!(kind, "ref-against-environment", "{fix:?}");
            continue;
        };
        let fixed = patched(&text, &diff);
        let second = ask(claims(json!({})), fixed.clone());
        assert!(second.admitted, "{kind}\n{diff}\n{second:#?}");
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
