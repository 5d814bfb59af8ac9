//! The rest of a trust policy: keys, operators, principals, denials.

use super::*;

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
