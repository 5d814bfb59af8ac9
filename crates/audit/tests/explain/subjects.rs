//! The subject is not one of those wanted.

use super::*;

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
    assert!(diff.contains("api:environment:production"), "{diff}");
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
