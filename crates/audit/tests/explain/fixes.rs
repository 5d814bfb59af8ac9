//! The changes that are proposed: they let the caller in, and nobody who should stay out.

use super::*;

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
fn every_change_that_is_proposed_admits_the_caller() {
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
