//! Which permission each operation takes, and on what.

use std::collections::{BTreeMap, BTreeSet};

use emulator::UNSUPPORTED;
use serde_json::{Value, json};
use terraform::Role;

use crate::denials::{ROLE, assume, role};
use crate::fidelity::calls;
use crate::served::{ACCOUNT, OTHER, REGION, REPOSITORY, SECOND_ACCOUNT, Served};

/// What an operation is asked to act on.
#[derive(Clone, Copy)]
enum On {
    /// Nothing in particular: `*`.
    Registry,
    /// [`REPOSITORY`].
    Repository,
    /// All repositories.
    Repositories,
}

impl On {
    fn arn(self) -> String {
        let name = match self {
            Self::Registry => return "*".to_owned(),
            Self::Repository => REPOSITORY,
            Self::Repositories => "*",
        };
        format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}")
    }
}

/// Operations on [`REPOSITORY`], with what they need beside its name.
fn of_a_repository() -> Vec<(&'static str, Value)> {
    let digest = "sha256:".to_owned() + &"0".repeat(64);
    let upload = "00000000-0000-0000-0000-000000000000";
    let image = json!({ "imageId": { "imageTag": "v1" } });
    let images = json!({ "imageIds": [{ "imageTag": "v1" }] });
    let policy = "x".repeat(100);
    vec![
        (
            "BatchCheckLayerAvailability",
            json!({ "layerDigests": [digest] }),
        ),
        ("BatchDeleteImage", images.clone()),
        ("BatchGetImage", images),
        (
            "CompleteLayerUpload",
            json!({ "uploadId": upload, "layerDigests": [digest] }),
        ),
        ("CreateRepository", json!({})),
        ("DeleteLifecyclePolicy", json!({})),
        ("DeleteRepository", json!({})),
        ("DeleteRepositoryPolicy", json!({})),
        ("DescribeImageReplicationStatus", image.clone()),
        ("DescribeImageScanFindings", image.clone()),
        ("DescribeImageSigningStatus", image.clone()),
        ("DescribeImages", json!({})),
        ("GetDownloadUrlForLayer", json!({ "layerDigest": digest })),
        ("GetLifecyclePolicy", json!({})),
        ("GetLifecyclePolicyPreview", json!({})),
        ("GetRepositoryPolicy", json!({})),
        ("InitiateLayerUpload", json!({})),
        (
            "ListImageReferrers",
            json!({ "subjectId": { "imageDigest": digest } }),
        ),
        ("ListImages", json!({})),
        ("PutImage", json!({ "imageManifest": "{}" })),
        (
            "PutImageScanningConfiguration",
            json!({ "imageScanningConfiguration": {} }),
        ),
        (
            "PutImageTagMutability",
            json!({ "imageTagMutability": "MUTABLE" }),
        ),
        (
            "PutLifecyclePolicy",
            json!({ "lifecyclePolicyText": policy }),
        ),
        ("SetRepositoryPolicy", json!({ "policyText": "{}" })),
        ("StartImageScan", image),
        ("StartLifecyclePolicyPreview", json!({})),
        (
            "UpdateImageStorageClass",
            json!({ "imageId": { "imageTag": "v1" }, "targetStorageClass": "ARCHIVE" }),
        ),
        (
            "UploadLayerPart",
            json!({ "uploadId": upload, "partFirstByte": 0, "partLastByte": 0,
                    "layerPartBlob": "eA==" }),
        ),
    ]
}

/// Operations that name a repository in another way, or several.
fn of_named_resources() -> Vec<(&'static str, Value, On)> {
    let arn = On::Repository.arn();
    vec![
        (
            "BatchGetRepositoryScanningConfiguration",
            json!({ "repositoryNames": [REPOSITORY] }),
            On::Repository,
        ),
        ("DescribeRepositories", json!({}), On::Repositories),
        (
            "ListTagsForResource",
            json!({ "resourceArn": arn }),
            On::Repository,
        ),
        (
            "TagResource",
            json!({ "resourceArn": arn, "tags": [] }),
            On::Repository,
        ),
        (
            "UntagResource",
            json!({ "resourceArn": arn, "tagKeys": ["team"] }),
            On::Repository,
        ),
    ]
}

/// Operations of the registry.
fn of_the_registry() -> Vec<(&'static str, Value)> {
    let cache = json!({ "ecrRepositoryPrefix": "hub" });
    let hub = json!({ "ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "quay.io" });
    let principal = json!({ "principalArn": format!("arn:aws:iam::{ACCOUNT}:role/scanner") });
    let prefix = json!({ "prefix": "prod" });
    let template = json!({ "prefix": "prod", "appliedFor": [] });
    let setting = json!({ "name": "BLOB_MOUNTING" });
    let set = json!({ "name": "BLOB_MOUNTING", "value": "ENABLED" });
    let policy = json!({ "policyText": "{}" });
    let replication = json!({ "replicationConfiguration": { "rules": [] } });
    let signing = json!({ "signingConfiguration": { "rules": [] } });
    let none = || json!({});
    vec![
        ("CreatePullThroughCacheRule", hub),
        ("CreateRepositoryCreationTemplate", template),
        ("DeletePullThroughCacheRule", cache.clone()),
        ("DeleteRegistryPolicy", none()),
        ("DeleteRepositoryCreationTemplate", prefix.clone()),
        ("DeleteSigningConfiguration", none()),
        ("DeregisterPullTimeUpdateExclusion", principal.clone()),
        ("DescribePullThroughCacheRules", none()),
        ("DescribeRegistry", none()),
        ("DescribeRepositoryCreationTemplates", none()),
        ("GetAccountSetting", setting),
        ("GetRegistryPolicy", none()),
        ("GetRegistryScanningConfiguration", none()),
        ("GetSigningConfiguration", none()),
        ("ListPullTimeUpdateExclusions", none()),
        ("PutAccountSetting", set),
        ("PutRegistryPolicy", policy),
        ("PutRegistryScanningConfiguration", none()),
        ("PutReplicationConfiguration", replication),
        ("PutSigningConfiguration", signing),
        ("RegisterPullTimeUpdateExclusion", principal),
        ("UpdatePullThroughCacheRule", cache.clone()),
        ("UpdateRepositoryCreationTemplate", prefix),
        ("ValidatePullThroughCacheRule", cache),
    ]
}

#[tokio::test]
async fn every_operation_is_denied_under_its_own_action_and_resource() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![role(&["ecr:Nothing"])]).await;
    let keys = assume(&served, ROLE).await;
    let mut all = of_named_resources();
    for (operation, body) in of_the_registry() {
        all.push((operation, body, On::Registry));
    }
    for (operation, mut body) in of_a_repository() {
        body["repositoryName"] = json!(REPOSITORY);
        all.push((operation, body, On::Repository));
    }
    // This role may have a token, and nothing else.
    let mut seen = BTreeSet::from(["GetAuthorizationToken"]);
    for (operation, body, on) in all {
        seen.insert(operation);
        let (status, answer) = served.call_as(&keys, operation, body).await;
        assert_eq!(status, 400, "{operation}: {answer}");
        assert_eq!(
            answer["__type"], "AccessDeniedException",
            "{operation}: {answer}"
        );
        let action = match operation {
            "ListImageReferrers" => "BatchGetImage",
            other => other,
        };
        let expected = format!(
            "is not authorized to perform: ecr:{action} on resource: {} because",
            on.arn()
        );
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(&expected), "{message}");
    }
    let calls = calls("Amazon ECR").into_iter();
    let here = calls.filter(|(_, fidelity)| *fidelity != UNSUPPORTED);
    let names: BTreeSet<&str> = here.map(|(name, _)| name).collect();
    assert_eq!(seen, names);
}

/// The role with these permissions only.
fn with(statement: Value) -> Role {
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
    Role {
        inline_policies: BTreeMap::from([("only".to_owned(), policy.to_string())]),
        ..role(&[])
    }
}

#[tokio::test]
async fn tags_of_the_request_are_conditions_of_creation() {
    let data = tempfile::tempdir().unwrap();
    let role = with(json!({
        "Effect": "Allow", "Resource": "*", "Action": ["ecr:CreateRepository", "ecr:TagResource"],
        "Condition": {
            "StringEquals": { "aws:RequestTag/team": "web" },
            "ForAllValues:StringEquals": { "aws:TagKeys": ["team", "cost"] },
        },
    }));
    let served = Served::start(data.path(), vec![role]).await;
    let keys = assume(&served, ROLE).await;
    let create = |name: &str, tags: &[(&str, &str)]| {
        let tag = |(key, value): &(&str, &str)| json!({ "Key": key, "Value": value });
        let tags: Vec<Value> = tags.iter().map(tag).collect();
        let body = json!({ "repositoryName": name, "tags": tags });
        served.call_as(&keys, "CreateRepository", body)
    };
    assert_eq!(create("a1", &[("team", "web")]).await.0, 200);
    assert_eq!(create("a2", &[("team", "web"), ("cost", "1")]).await.0, 200);
    for tags in [
        vec![],
        vec![("team", "other")],
        vec![("team", "web"), ("colour", "red")],
    ] {
        let (status, answer) = create("a3", &tags).await;
        assert_eq!(
            (status, &answer["__type"]),
            (400, &json!("AccessDeniedException"))
        );
    }
}

#[tokio::test]
async fn creation_with_tags_takes_the_permission_to_tag() {
    let data = tempfile::tempdir().unwrap();
    let role = with(json!({
        "Effect": "Allow", "Resource": "*", "Action": "ecr:CreateRepository",
    }));
    let served = Served::start(data.path(), vec![role]).await;
    let keys = assume(&served, ROLE).await;
    let plain = json!({ "repositoryName": "plain" });
    assert_eq!(
        served.call_as(&keys, "CreateRepository", plain).await.0,
        200
    );
    let tagged = json!({ "repositoryName": "tagged", "tags": [{ "Key": "a", "Value": "b" }] });
    let (_, answer) = served.call_as(&keys, "CreateRepository", tagged).await;
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.contains("ecr:TagResource on resource: arn:aws:ecr:"),
        "{message}"
    );
}

#[tokio::test]
async fn tags_of_the_repository_are_conditions_under_both_names() {
    for key in ["aws:ResourceTag/team", "ecr:ResourceTag/team"] {
        let data = tempfile::tempdir().unwrap();
        let role = with(json!({
            "Effect": "Allow", "Resource": "*",
            "Action": ["ecr:DescribeImages", "ecr:UntagResource"],
            "Condition": { "StringEquals": { key: "web" } },
        }));
        let served = Served::start(data.path(), vec![role]).await;
        let keys = assume(&served, ROLE).await;
        let images = json!({ "repositoryName": OTHER });
        let (status, _) = served
            .call_as(&keys, "DescribeImages", images.clone())
            .await;
        assert_eq!(status, 200, "{key}");
        let arn = format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{OTHER}");
        let untag = json!({ "resourceArn": arn, "tagKeys": ["team"] });
        assert_eq!(
            served.call_as(&keys, "UntagResource", untag).await.0,
            200,
            "{key}"
        );
        let (status, _) = served.call_as(&keys, "DescribeImages", images).await;
        assert_eq!(status, 400, "{key}");
    }
}

#[tokio::test]
async fn a_template_with_a_role_takes_the_permission_to_pass_it() {
    let data = tempfile::tempdir().unwrap();
    let creator = format!("arn:aws:iam::{ACCOUNT}:role/creator");
    let role = with(json!({
        "Effect": "Allow", "Resource": ["*"], "Action": ["ecr:*"],
    }));
    let served = Served::start(data.path(), vec![role]).await;
    let keys = assume(&served, ROLE).await;
    let body = json!({ "prefix": "prod", "appliedFor": [], "customRoleArn": creator });
    let (_, answer) = served
        .call_as(&keys, "CreateRepositoryCreationTemplate", body)
        .await;
    let message = answer["message"].as_str().unwrap();
    let expected = format!("is not authorized to perform: iam:PassRole on resource: {creator}");
    assert!(message.contains(&expected), "{message}");
}

#[tokio::test]
async fn who_would_lock_himself_out_must_say_so() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let lock = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Deny", "Principal": "*", "Action": "ecr:SetRepositoryPolicy" }],
    })
    .to_string();
    let mut body = json!({ "repositoryName": OTHER, "policyText": lock });
    let (code, _) = served.refusal("SetRepositoryPolicy", body.clone()).await;
    assert_eq!(code, "InvalidParameterException");
    body["force"] = json!(true);
    served.call("SetRepositoryPolicy", body.clone()).await;
    let (code, _) = served.refusal("SetRepositoryPolicy", body).await;
    assert_eq!(code, "AccessDeniedException");
}

#[tokio::test]
async fn the_settings_of_a_registry_are_those_of_the_callers_own() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let setting = json!({ "name": "BLOB_MOUNTING", "value": "ENABLED" });
    served.call("PutAccountSetting", setting).await;
    // The operation does not know the parameter, so it is passed over.
    let get = json!({ "name": "BLOB_MOUNTING", "registryId": ACCOUNT });
    let (status, got) = served
        .call_as(&served.second_administrator, "GetAccountSetting", get)
        .await;
    assert_eq!((status, &got["value"]), (200, &json!("DISABLED")));
    let registry = served
        .call_as(&served.second_administrator, "DescribeRegistry", json!({}))
        .await;
    assert_eq!(registry.1["registryId"], SECOND_ACCOUNT);
}
