//! Sessions made from keys: of roles, across accounts, and of root users.

use serde_json::{Value, json};

use crate::served::{ACCOUNT, SECOND_ACCOUNT, Served};
use crate::signer::Keys;

/// A session of a role of the token issuer, from which roles can be assumed.
async fn first_session(served: &Served) -> Keys {
    let issuer = "token.actions.githubusercontent.com";
    served
        .provider(&format!("https://{issuer}"), "sts.amazonaws.com")
        .await;
    let trust = json!({
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": { "Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}") },
        "Condition": { "StringEquals": { (format!("{issuer}:sub")): "repo:acme/api:pull_request" } },
    });
    let role = served.role("first", trust).await;
    let token = served
        .token(json!({ "sub": "repo:acme/api:pull_request" }))
        .await;
    served.exchange(&role, &token, &[]).await.good().keys()
}

fn trusting(principal: &str, actions: Value) -> Value {
    json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": actions })
}

#[tokio::test]
async fn a_role_that_trusts_the_account_needs_the_callers_own_policy_too() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let keys = first_session(&served).await;
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    let direct = format!("arn:aws:iam::{ACCOUNT}:role/first");
    let second = served
        .role("second", trusting(&root, json!("sts:AssumeRole")))
        .await;
    let named = served
        .role("named", trusting(&direct, json!("sts:AssumeRole")))
        .await;
    let answer = served.assume(&keys, &second, &[]).await;
    answer.is_refused(
        403,
        "AccessDenied",
        &format!("User: arn:aws:sts::{ACCOUNT}:assumed-role/first/GitHubActions is not authorized to perform: sts:AssumeRole on resource: {second} because no identity-based policy allows the sts:AssumeRole action"),
    );
    served.assume(&keys, &named, &[]).await.good();
    served.allow("first", "sts:AssumeRole", &second).await;
    served.assume(&keys, &second, &[]).await.good();
    let gone = format!("arn:aws:iam::{ACCOUNT}:role/gone");
    let answer = served.assume(&keys, &gone, &[]).await;
    answer.is_refused(
        403,
        "AccessDenied",
        &format!("is not authorized to perform: sts:AssumeRole on resource: {gone}"),
    );
}

#[tokio::test]
async fn across_accounts_both_sides_must_allow() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let keys = first_session(&served).await;
    let trust = trusting(
        &format!("arn:aws:iam::{ACCOUNT}:role/first"),
        json!("sts:AssumeRole"),
    );
    let policy = json!({ "Version": "2012-10-17", "Statement": [trust] }).to_string();
    let parameters = [
        ("RoleName", "theirs"),
        ("AssumeRolePolicyDocument", policy.as_str()),
    ];
    let made = served
        .call(&served.second_root, "iam", "CreateRole", &parameters)
        .await;
    let theirs = made.good().text("Arn");
    assert_eq!(theirs, format!("arn:aws:iam::{SECOND_ACCOUNT}:role/theirs"));
    let answer = served.assume(&keys, &theirs, &[]).await;
    answer.is_refused(
        403,
        "AccessDenied",
        "because no identity-based policy allows the sts:AssumeRole action",
    );
    served.allow("first", "sts:AssumeRole", &theirs).await;
    let there = served.assume(&keys, &theirs, &[]).await.good().keys();
    let who = served
        .call(&there, "sts", "GetCallerIdentity", &[])
        .await
        .good();
    assert_eq!(who.text("Account"), SECOND_ACCOUNT);
    let answer = served
        .call(&there, "iam", "GetRole", &[("RoleName", "first")])
        .await;
    answer.is_refused(
        403,
        "AccessDenied",
        &format!("arn:aws:iam::{SECOND_ACCOUNT}:role/first"),
    );
}

#[tokio::test]
async fn durations_end_with_the_roles_limit_and_an_hour_in_a_chain() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let keys = first_session(&served).await;
    let direct = format!("arn:aws:iam::{ACCOUNT}:role/first");
    let role = served
        .role("named", trusting(&direct, json!("sts:AssumeRole")))
        .await;
    let answer = served
        .assume(&keys, &role, &[("DurationSeconds", "3601")])
        .await;
    let sentence =
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    answer.is_refused(400, "ValidationError", sentence);
    let longer = [("RoleName", "named"), ("MaxSessionDuration", "7200")];
    served.iam("UpdateRole", &longer).await;
    let answer = served
        .assume(&keys, &role, &[("DurationSeconds", "7200")])
        .await;
    let sentence = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
    answer.is_refused(400, "ValidationError", sentence);
    let short = served
        .assume(&keys, &role, &[("DurationSeconds", "900")])
        .await
        .good()
        .keys();
    served.advance(901).await;
    let answer = served.call(&short, "sts", "GetCallerIdentity", &[]).await;
    answer.is_refused(
        403,
        "ExpiredToken",
        "The security token included in the request is expired",
    );
}

#[tokio::test]
async fn a_session_policy_narrows_a_session_and_has_its_limits() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let keys = first_session(&served).await;
    let direct = format!("arn:aws:iam::{ACCOUNT}:role/first");
    let role = served
        .role("named", trusting(&direct, json!("sts:AssumeRole")))
        .await;
    served.allow("named", "iam:*", "*").await;
    let only_list = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}}"#;
    let answer = served
        .assume(&keys, &role, &[("Policy", only_list)])
        .await
        .good();
    assert_eq!(answer.text("PackedPolicySize"), "5");
    let narrow = answer.keys();
    served.call(&narrow, "iam", "ListRoles", &[]).await.good();
    let answer = served
        .call(&narrow, "iam", "GetRole", &[("RoleName", "named")])
        .await;
    answer.is_refused(
        403,
        "AccessDenied",
        "because no session policy allows the iam:GetRole action",
    );

    let padded = format!("{}{}", only_list, " ".repeat(2_040 - only_list.len()));
    let full = "arn:aws:iam::aws:policy/AdministratorAccess";
    let theirs = format!("arn:aws:iam::{SECOND_ACCOUNT}:policy/theirs");
    let eleven: Vec<(String, &str)> = (1..=11)
        .map(|n| (format!("PolicyArns.member.{n}.arn"), full))
        .collect();
    let eleven: Vec<(&str, &str)> = eleven
        .iter()
        .map(|(name, arn)| (name.as_str(), *arn))
        .collect();
    let first_arn = "PolicyArns.member.1.arn";
    for (parameters, code, sentence) in [
        (
            vec![("Policy", padded.as_str()), (first_arn, full)],
            "PackedPolicyTooLarge",
            "Packed policy consumes 102% of allotted space",
        ),
        (vec![("Policy", "{}")], "MalformedPolicyDocument", ""),
        (
            vec![(first_arn, theirs.as_str())],
            "MalformedPolicyDocument",
            "does not exist or is not attachable",
        ),
        (
            eleven,
            "ValidationError",
            "'policyArns' failed to satisfy constraint: Member must have length less than or equal to 10",
        ),
    ] {
        let answer = served.assume(&keys, &role, &parameters).await;
        answer.is_refused(400, code, sentence);
    }
}

#[tokio::test]
async fn session_tags_take_their_own_permission_and_pass_on() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let keys = first_session(&served).await;
    let direct = format!("arn:aws:iam::{ACCOUNT}:role/first");
    let tag = [
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "web"),
        ("TransitiveTagKeys.member.1", "team"),
    ];
    let plain = served
        .role("plain", trusting(&direct, json!("sts:AssumeRole")))
        .await;
    let answer = served.assume(&keys, &plain, &tag).await;
    answer.is_refused(
        403,
        "AccessDenied",
        &format!("is not authorized to perform: sts:TagSession on resource: {plain}"),
    );

    let both = json!(["sts:AssumeRole", "sts:TagSession"]);
    let tagged = served.role("tagged", trusting(&direct, both)).await;
    let session = served.assume(&keys, &tagged, &tag).await.good().keys();
    let last = trusting(
        &format!("arn:aws:iam::{ACCOUNT}:role/tagged"),
        json!("sts:AssumeRole"),
    );
    let last = served.role("last", last).await;
    let answer = served.assume(&session, &last, &tag).await;
    answer.is_refused(
        400,
        "InvalidParameterValue",
        "conflicts with a transitive tag key from the calling session",
    );
    let last = served.assume(&session, &last, &[]).await.good().keys();
    let statement = json!({
        "Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*",
        "Condition": { "StringEquals": { "aws:PrincipalTag/team": "web" } },
    });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let put = [
        ("RoleName", "last"),
        ("PolicyName", "p"),
        ("PolicyDocument", policy.as_str()),
    ];
    served.iam("PutRolePolicy", &put).await;
    served.call(&last, "iam", "ListRoles", &[]).await.good();
}

#[tokio::test]
async fn what_needs_long_term_keys_refuses_sessions() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let session = first_session(&served).await;
    for operation in ["GetSessionToken", "GetFederationToken"] {
        let answer = served.call(&session, "sts", operation, &[]).await;
        let sentence = format!("Cannot call {operation} with session credentials");
        answer.is_refused(403, "AccessDenied", &sentence);
    }
    let answer = served
        .call(&served.root, "sts", "GetSessionToken", &[])
        .await
        .good();
    let expires: jiff::Timestamp = answer.text("Expiration").parse().unwrap();
    assert!(expires.as_second() - served.now().await.as_second() <= 3_600);
    let root = answer.keys();
    let who = served
        .call(&root, "sts", "GetCallerIdentity", &[])
        .await
        .good();
    assert_eq!(who.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:root"));
    // Without a device such a session has nothing to do with IAM.
    let answer = served.call(&root, "iam", "ListRoles", &[]).await;
    answer.is_refused(
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid",
    );
    let info = [("AccessKeyId", session.id.as_str())];
    let info = served
        .call(&served.root, "sts", "GetAccessKeyInfo", &info)
        .await
        .good();
    assert_eq!(info.text("Account"), ACCOUNT);
    let message = [("EncodedMessage", "x")];
    let answer = served
        .call(&served.root, "sts", "DecodeAuthorizationMessage", &message)
        .await;
    answer.is_refused(
        400,
        "InvalidAuthorizationMessageException",
        "Message is not valid",
    );
}

#[tokio::test]
async fn the_credentials_of_one_session_do_not_mix_with_anothers() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let first = first_session(&served).await;
    let token = served
        .token(json!({ "sub": "repo:acme/api:pull_request" }))
        .await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/first");
    let second = served.exchange(&role, &token, &[]).await.good().keys();
    let invalid = "The security token included in the request is invalid.";
    for (mixed, code, sentence) in [
        (
            Keys {
                session_token: second.session_token.clone(),
                ..first.clone()
            },
            "InvalidClientTokenId",
            invalid,
        ),
        (
            Keys {
                session_token: None,
                ..first.clone()
            },
            "InvalidClientTokenId",
            invalid,
        ),
        (
            Keys {
                session_token: first.session_token.clone(),
                ..served.root.clone()
            },
            "InvalidClientTokenId",
            invalid,
        ),
        (
            Keys {
                secret: second.secret.clone(),
                ..first.clone()
            },
            "SignatureDoesNotMatch",
            "does not match",
        ),
    ] {
        let answer = served.call(&mixed, "sts", "GetCallerIdentity", &[]).await;
        answer.is_refused(403, code, sentence);
    }
}
