//! Managed policies, lists by pages, and what is told about an account.

use serde_json::json;

use crate::served::{ACCOUNT, SECOND_ACCOUNT, Served};

const DOCUMENT: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ecr:*","Resource":"*"}}"#;
const PULL: &str = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly";

async fn policy(served: &Served, name: &str) -> String {
    let parameters = [("PolicyName", name), ("PolicyDocument", DOCUMENT)];
    served.iam("CreatePolicy", &parameters).await.text("Arn")
}

async fn role(served: &Served, name: &str) {
    let trust = json!({
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") },
    });
    served.role(name, trust).await;
}

#[tokio::test]
async fn lists_come_by_pages_in_order_and_whole() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    for name in ["c", "a", "d", "b"] {
        role(&served, name).await;
    }
    let (mut names, mut marker) = (Vec::new(), None::<String>);
    loop {
        let mut parameters = vec![("MaxItems", "3")];
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let answer = served.iam("ListRoles", &parameters).await;
        names.extend(answer.all("RoleName"));
        marker = answer.all("Marker").into_iter().next();
        assert_eq!(answer.text("IsTruncated"), marker.is_some().to_string());
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(names, ["a", "b", "c", "d"]);
    for (name, value) in [("MaxItems", "0"), ("MaxItems", "1001"), ("Marker", "*")] {
        let answer = served
            .call(&served.root, "iam", "ListRoles", &[(name, value)])
            .await;
        answer.is_refused(400, "ValidationError", "");
    }
}

#[tokio::test]
async fn the_policies_of_aws_can_be_read_and_attached_and_not_changed() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let own = policy(&served, "push").await;
    role(&served, "worker").await;
    for arn in [PULL, &own] {
        served
            .iam(
                "AttachRolePolicy",
                &[("RoleName", "worker"), ("PolicyArn", arn)],
            )
            .await;
    }
    let shown = served.iam("GetPolicy", &[("PolicyArn", PULL)]).await;
    assert_eq!(shown.text("AttachmentCount"), "1");
    let version = [("PolicyArn", PULL), ("VersionId", "v1")];
    let version = served.iam("GetPolicyVersion", &version).await;
    assert!(version.text("Document").contains("ecr%3ABatchGetImage"));
    let users = served
        .iam("ListEntitiesForPolicy", &[("PolicyArn", PULL)])
        .await;
    assert_eq!(users.all("RoleName"), ["worker"]);
    let local = served.iam("ListPolicies", &[("Scope", "Local")]).await;
    assert_eq!(local.text("Arn"), own);
    let attached = served
        .iam("ListPolicies", &[("OnlyAttached", "true")])
        .await;
    assert_eq!(attached.all("Arn"), [own.as_str(), PULL]);
    for action in ["DeletePolicy", "CreatePolicyVersion"] {
        let parameters = [("PolicyArn", PULL), ("PolicyDocument", DOCUMENT)];
        let answer = served.call(&served.root, "iam", action, &parameters).await;
        answer.is_refused(
            403,
            "AccessDenied",
            &format!("iam:{action} on resource: policy {PULL}"),
        );
    }
    let theirs = own.replace(ACCOUNT, SECOND_ACCOUNT);
    let answer = served
        .call(&served.root, "iam", "GetPolicy", &[("PolicyArn", &theirs)])
        .await;
    answer.is_refused(
        403,
        "AccessDenied",
        "because no resource-based policy allows the iam:GetPolicy action",
    );
    let attach = [("RoleName", "worker"), ("PolicyArn", theirs.as_str())];
    let answer = served
        .call(&served.root, "iam", "AttachRolePolicy", &attach)
        .await;
    answer.is_refused(404, "NoSuchEntity", "does not exist or is not attachable");
}

#[tokio::test]
async fn versions_are_five_and_one_of_them_is_in_force() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let arn = policy(&served, "push").await;
    let version = [("PolicyArn", arn.as_str()), ("PolicyDocument", DOCUMENT)];
    for _ in 2..=5 {
        served.iam("CreatePolicyVersion", &version).await;
    }
    let sixth = served
        .call(&served.root, "iam", "CreatePolicyVersion", &version)
        .await;
    sixth.is_refused(
        409,
        "LimitExceeded",
        "A managed policy can have up to 5 versions.",
    );
    served
        .iam(
            "SetDefaultPolicyVersion",
            &[("PolicyArn", &arn), ("VersionId", "v3")],
        )
        .await;
    let listed = served
        .iam("ListPolicyVersions", &[("PolicyArn", &arn)])
        .await;
    assert_eq!(listed.all("VersionId"), ["v5", "v4", "v3", "v2", "v1"]);
    assert_eq!(
        listed.all("IsDefaultVersion"),
        ["false", "false", "true", "false", "false"]
    );
    let in_force = [("PolicyArn", arn.as_str()), ("VersionId", "v3")];
    let answer = served
        .call(&served.root, "iam", "DeletePolicyVersion", &in_force)
        .await;
    answer.is_refused(
        409,
        "DeleteConflict",
        "Cannot delete the default version of a policy.",
    );
    let gone = [("PolicyArn", arn.as_str()), ("VersionId", "v9")];
    let answer = served
        .call(&served.root, "iam", "SetDefaultPolicyVersion", &gone)
        .await;
    answer.is_refused(404, "NoSuchEntity", "version v9 does not exist");
}

#[tokio::test]
async fn documents_are_judged_when_they_are_written() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    role(&served, "worker").await;
    let long = DOCUMENT.replace("ecr:*", &format!("ecr:{}", "x".repeat(10_240)));
    let put = |document| {
        vec![
            ("RoleName", "worker"),
            ("PolicyName", "p"),
            ("PolicyDocument", document),
        ]
    };
    let create = |document| vec![("PolicyName", "p"), ("PolicyDocument", document)];
    let principal = DOCUMENT.replace("\"Action\"", "\"Principal\":\"*\",\"Action\"");
    for (action, parameters, status, code, sentence) in [
        (
            "PutRolePolicy",
            put("{}"),
            400,
            "MalformedPolicyDocument",
            "",
        ),
        (
            "PutRolePolicy",
            put(&principal),
            400,
            "MalformedPolicyDocument",
            "",
        ),
        (
            "PutRolePolicy",
            put(&long),
            409,
            "LimitExceeded",
            "Maximum policy size of 10240 bytes exceeded",
        ),
        (
            "CreatePolicy",
            create(&long),
            409,
            "LimitExceeded",
            "Cannot exceed quota for PolicySize: 6144",
        ),
        (
            "CreatePolicy",
            create(""),
            400,
            "ValidationError",
            "'policyDocument' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
    ] {
        let answer = served.call(&served.root, "iam", action, &parameters).await;
        answer.is_refused(status, code, sentence);
    }
}

#[tokio::test]
async fn a_document_has_the_characters_that_iam_takes() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let beyond = DOCUMENT.replace("ecr:*", "ecr:\u{2192}");
    let parameters = [("PolicyName", "p"), ("PolicyDocument", beyond.as_str())];
    let answer = served
        .call(&served.root, "iam", "CreatePolicy", &parameters)
        .await;
    answer.is_refused(400, "MalformedPolicyDocument", "U+0020 to U+00FF");
}

#[tokio::test]
async fn the_account_is_told_in_full() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path()).await;
    let arn = policy(&served, "push").await;
    role(&served, "worker").await;
    served
        .iam(
            "AttachRolePolicy",
            &[("RoleName", "worker"), ("PolicyArn", PULL)],
        )
        .await;
    let summary = served.iam("GetAccountSummary", &[]).await;
    assert!(summary.xml.contains("<key>Roles</key><value>1</value>"));
    let details = served.iam("GetAccountAuthorizationDetails", &[]).await;
    assert_eq!(details.all("RoleName"), ["worker"]);
    assert_eq!(details.all("Arn").len(), 3);
    let filter = [("Filter.member.1", "LocalManagedPolicy")];
    let local = served.iam("GetAccountAuthorizationDetails", &filter).await;
    assert_eq!(local.all("Arn"), [arn]);
    served
        .iam(
            "TagPolicy",
            &[
                ("PolicyArn", &local.text("Arn")),
                ("Tags.member.1.Key", "a"),
                ("Tags.member.1.Value", "b"),
            ],
        )
        .await;
    let tags = served
        .iam("ListPolicyTags", &[("PolicyArn", &local.text("Arn"))])
        .await;
    assert_eq!(
        (tags.text("Key"), tags.text("Value")),
        ("a".to_owned(), "b".to_owned())
    );
    let unknown = served
        .call(&served.root, "iam", "CreateSAMLProvider", &[])
        .await;
    unknown.is_refused(
        400,
        "InvalidAction",
        "Could not find operation CreateSAMLProvider for version 2010-05-08",
    );
}
