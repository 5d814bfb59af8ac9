//! Users, their keys, and their groups.

use serde_json::{Value, json};

use crate::served::{ACCOUNT, Served};
use crate::signer::Keys;

const LIST_ROLES: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}}"#;
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// A user with a key.
async fn ada(served: &Served) -> Keys {
    served.iam("CreateUser", &[("UserName", "ada")]).await;
    served
        .iam("CreateAccessKey", &[("UserName", "ada")])
        .await
        .keys()
}

#[tokio::test]
async fn a_user_has_what_its_policies_and_its_groups_give() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let keys = ada(&served).await;
    let who = served
        .call(&keys, "sts", "GetCallerIdentity", &[])
        .await
        .good();
    assert_eq!(who.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/ada"));
    assert!(who.text("UserId").starts_with("AIDA"));
    let answer = served.call(&keys, "iam", "ListRoles", &[]).await;
    answer.is_refused(
        403,
        "AccessDenied",
        &format!("User: arn:aws:iam::{ACCOUNT}:user/ada is not authorized to perform: iam:ListRoles on resource: arn:aws:iam::{ACCOUNT}:role/ because no identity-based policy allows the iam:ListRoles action"),
    );
    let inline = [
        ("UserName", "ada"),
        ("PolicyName", "list"),
        ("PolicyDocument", LIST_ROLES),
    ];
    served.iam("PutUserPolicy", &inline).await;
    served.call(&keys, "iam", "ListRoles", &[]).await.good();
    served.iam("DeleteUserPolicy", &inline[..2]).await;
    served.iam("CreateGroup", &[("GroupName", "admins")]).await;
    served
        .iam(
            "AttachGroupPolicy",
            &[("GroupName", "admins"), ("PolicyArn", ADMINISTRATOR)],
        )
        .await;
    served
        .iam(
            "AddUserToGroup",
            &[("GroupName", "admins"), ("UserName", "ada")],
        )
        .await;
    served.call(&keys, "iam", "ListRoles", &[]).await.good();
    let own = served.call(&keys, "iam", "GetUser", &[]).await.good();
    assert_eq!(own.text("UserName"), "ada");

    let boundary = [("PolicyName", "boundary"), ("PolicyDocument", LIST_ROLES)];
    let boundary = served.iam("CreatePolicy", &boundary).await.text("Arn");
    let bound = [
        ("UserName", "ada"),
        ("PermissionsBoundary", boundary.as_str()),
    ];
    served.iam("PutUserPermissionsBoundary", &bound).await;
    served.call(&keys, "iam", "ListRoles", &[]).await.good();
    let answer = served.call(&keys, "iam", "ListUsers", &[]).await;
    answer.is_refused(
        403,
        "AccessDenied",
        "because no permissions boundary allows the iam:ListUsers action",
    );
}

#[tokio::test]
async fn keys_are_two_at_most_and_can_be_switched_off() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let first = ada(&served).await;
    let user = [("UserName", "ada")];
    let second = served.iam("CreateAccessKey", &user).await.keys();
    let third = served
        .call(&served.root, "iam", "CreateAccessKey", &user)
        .await;
    third.is_refused(
        409,
        "LimitExceeded",
        "Cannot exceed quota for AccessKeysPerUser: 2",
    );
    let listed = served.iam("ListAccessKeys", &user).await;
    let mut ids = vec![first.id.clone(), second.id.clone()];
    ids.sort();
    assert_eq!(listed.all("AccessKeyId"), ids);
    assert!(!listed.xml.contains(&first.secret));

    let off = [
        ("UserName", "ada"),
        ("AccessKeyId", first.id.as_str()),
        ("Status", "Inactive"),
    ];
    served.iam("UpdateAccessKey", &off).await;
    let answer = served.call(&first, "sts", "GetCallerIdentity", &[]).await;
    answer.is_refused(
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
    );
    served
        .call(&second, "sts", "GetCallerIdentity", &[])
        .await
        .good();
    let refused = served.call(&served.root, "iam", "DeleteUser", &user).await;
    refused.is_refused(
        409,
        "DeleteConflict",
        "Cannot delete entity, must delete access keys first.",
    );
    for key in [&first, &second] {
        served
            .iam(
                "DeleteAccessKey",
                &[("UserName", "ada"), ("AccessKeyId", &key.id)],
            )
            .await;
    }
    served.iam("DeleteUser", &user).await;
    let answer = served.call(&second, "sts", "GetCallerIdentity", &[]).await;
    answer.is_refused(403, "InvalidClientTokenId", "");
    let gone = served.call(&served.root, "iam", "GetUser", &user).await;
    gone.is_refused(
        404,
        "NoSuchEntity",
        "The user with name ada cannot be found.",
    );
}

#[tokio::test]
async fn names_are_taken_whatever_their_case_and_groups_with_users_stay() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    ada(&served).await;
    served.iam("CreateGroup", &[("GroupName", "admins")]).await;
    served
        .iam(
            "AddUserToGroup",
            &[("GroupName", "admins"), ("UserName", "ada")],
        )
        .await;
    for (action, parameters, status, code, sentence) in [
        (
            "CreateUser",
            vec![("UserName", "ADA")],
            409,
            "EntityAlreadyExists",
            "User with name ADA already exists.",
        ),
        (
            "CreateUser",
            vec![("UserName", "a b")],
            400,
            "ValidationError",
            r"Value 'a b' at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+",
        ),
        (
            "DeleteGroup",
            vec![("GroupName", "admins")],
            409,
            "DeleteConflict",
            "must remove users from group first",
        ),
        (
            "AddUserToGroup",
            vec![("GroupName", "none"), ("UserName", "ada")],
            404,
            "NoSuchEntity",
            "The group with name none cannot be found.",
        ),
        (
            "GetUserPolicy",
            vec![("UserName", "ada"), ("PolicyName", "x")],
            404,
            "NoSuchEntity",
            "The user policy with name x cannot be found.",
        ),
        (
            "GetLoginProfile",
            vec![("UserName", "ada")],
            404,
            "NoSuchEntity",
            "Login Profile for User ada cannot be found.",
        ),
    ] {
        let answer = served.call(&served.root, "iam", action, &parameters).await;
        answer.is_refused(status, code, sentence);
    }
}

#[tokio::test]
async fn a_group_tells_its_users_and_a_user_its_groups() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    ada(&served).await;
    served.iam("CreateGroup", &[("GroupName", "admins")]).await;
    let both = [("GroupName", "admins"), ("UserName", "ada")];
    served.iam("AddUserToGroup", &both).await;
    let members = served.iam("GetGroup", &[("GroupName", "admins")]).await;
    assert_eq!(members.all("UserName"), ["ada"]);
    let groups = served
        .iam("ListGroupsForUser", &[("UserName", "ada")])
        .await;
    assert_eq!(groups.all("GroupName"), ["admins"]);
    served.iam("RemoveUserFromGroup", &both).await;
    let members = served.iam("GetGroup", &both[..1]).await;
    assert!(members.all("UserName").is_empty());
    served.iam("DeleteGroup", &both[..1]).await;
}

/// Who assumes roles, and not by a chain.
#[tokio::test]
async fn a_user_assumes_a_role_for_longer_than_a_chain_and_has_sessions_of_its_own() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let keys = ada(&served).await;
    let trust = json!({
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:user/ada") },
    });
    let role = served.role("worker", trust).await;
    let longer = [("RoleName", "worker"), ("MaxSessionDuration", "43200")];
    served.iam("UpdateRole", &longer).await;
    served
        .assume(&keys, &role, &[("DurationSeconds", "43200")])
        .await
        .good();
    let session = served
        .call(&keys, "sts", "GetSessionToken", &[])
        .await
        .good()
        .keys();
    let who = served
        .call(&session, "sts", "GetCallerIdentity", &[])
        .await
        .good();
    assert_eq!(who.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:user/ada"));
    served.assume(&session, &role, &[]).await.good();
    let answer = served.call(&session, "iam", "GetUser", &[]).await;
    answer.is_refused(403, "InvalidClientTokenId", "");
}

fn principal_in(trust: &str) -> Value {
    let decoded = percent_encoding::percent_decode_str(trust)
        .decode_utf8()
        .unwrap();
    let document: Value = serde_json::from_str(&decoded).unwrap();
    document["Statement"][0]["Principal"]["AWS"].clone()
}

#[tokio::test]
async fn a_user_that_is_made_anew_is_not_the_one_that_was_trusted() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let keys = ada(&served).await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/ada");
    let trust =
        json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": arn } });
    let role = served.role("worker", trust.clone()).await;
    served.assume(&keys, &role, &[]).await.good();
    let session = served
        .call(&keys, "sts", "GetSessionToken", &[])
        .await
        .good()
        .keys();
    let id = served
        .iam("GetUser", &[("UserName", "ada")])
        .await
        .text("UserId");
    served
        .iam(
            "DeleteAccessKey",
            &[("UserName", "ada"), ("AccessKeyId", &keys.id)],
        )
        .await;
    served.iam("DeleteUser", &[("UserName", "ada")]).await;
    let shown = served.iam("GetRole", &[("RoleName", "worker")]).await;
    assert_eq!(
        principal_in(&shown.text("AssumeRolePolicyDocument")),
        json!(id)
    );

    let again = ada(&served).await;
    let answer = served.assume(&again, &role, &[]).await;
    answer.is_refused(
        403,
        "AccessDenied",
        "is not authorized to perform: sts:AssumeRole",
    );
    let policy = json!({ "Version": "2012-10-17", "Statement": [trust] }).to_string();
    let update = [("RoleName", "worker"), ("PolicyDocument", policy.as_str())];
    served.iam("UpdateAssumeRolePolicy", &update).await;
    served.assume(&again, &role, &[]).await.good();
    let answer = served.assume(&session, &role, &[]).await;
    answer.is_refused(403, "AccessDenied", "");

    let stranger = policy.replace("user/ada", "user/eve");
    let update = [
        ("RoleName", "worker"),
        ("PolicyDocument", stranger.as_str()),
    ];
    let answer = served
        .call(&served.root, "iam", "UpdateAssumeRolePolicy", &update)
        .await;
    answer.is_refused(
        400,
        "MalformedPolicyDocument",
        &format!("Invalid principal in policy: \"AWS\":\"arn:aws:iam::{ACCOUNT}:user/eve\""),
    );
}
