//! Settings of a registry as a whole, and what is not emulated.

use oci::Digest;
use serde_json::{Value, json};

use crate::denials::{ROLE, assume, role};
use crate::served::{ACCOUNT, OTHER, REGION, REPOSITORY, SECOND_ACCOUNT, Served};

#[tokio::test]
async fn a_registry_policy_is_kept_and_opens_the_registry_to_another_account() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let (code, message) = served.refusal("GetRegistryPolicy", json!({})).await;
    assert_eq!(code, "RegistryPolicyNotFoundException");
    assert_eq!(
        message,
        format!("Registry policy does not exist in the registry with id '{ACCOUNT}'")
    );
    let images = json!({ "registryId": ACCOUNT, "repositoryName": OTHER });
    let list = || served.call_as(&served.second_administrator, "ListImages", images.clone());
    assert_eq!(list().await.0, 400);
    let policy = |effect: &str| {
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "others", "Effect": effect, "Action": "ecr:ListImages",
                "Principal": { "AWS": format!("arn:aws:iam::{SECOND_ACCOUNT}:root") },
                "Resource": format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*"),
            }]
        })
        .to_string()
    };
    let allow = json!({ "policyText": policy("Allow") });
    served.call("PutRegistryPolicy", allow.clone()).await;
    assert_eq!(list().await.0, 200);
    let given = served.call("GetRegistryPolicy", json!({})).await;
    assert_eq!(given["policyText"], allow["policyText"]);
    served
        .call("PutRegistryPolicy", json!({ "policyText": policy("Deny") }))
        .await;
    assert_eq!(list().await.0, 400);
    served.call("DeleteRegistryPolicy", json!({})).await;
    let (code, _) = served.refusal("DeleteRegistryPolicy", json!({})).await;
    assert_eq!(code, "RegistryPolicyNotFoundException");
    let without_resource = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Principal":"*","Action":"ecr:*"}]}"#;
    for text in ["", "{}", without_resource] {
        let body = json!({ "policyText": text });
        let (code, message) = served.refusal("PutRegistryPolicy", body).await;
        assert_eq!(code, "InvalidParameterException");
        assert!(
            message.ends_with("'Invalid registry policy provided'"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn account_settings_have_defaults_and_keep_what_is_put() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    for (name, value) in [
        ("BASIC_SCAN_TYPE_VERSION", "AWS_NATIVE"),
        ("REGISTRY_POLICY_SCOPE", "V2"),
        ("BLOB_MOUNTING", "DISABLED"),
    ] {
        let got = served
            .call("GetAccountSetting", json!({ "name": name }))
            .await;
        assert_eq!(got, json!({ "name": name, "value": value }));
    }
    let put = json!({ "name": "BLOB_MOUNTING", "value": "ENABLED" });
    assert_eq!(served.call("PutAccountSetting", put.clone()).await, put);
    let got = served
        .call("GetAccountSetting", json!({ "name": "BLOB_MOUNTING" }))
        .await;
    assert_eq!(got["value"], "ENABLED");
    for wrong in [
        json!({ "name": "BLOB_MOUNTING", "value": "MAYBE" }),
        json!({ "name": "COLOUR", "value": "RED" }),
    ] {
        let (code, _) = served.refusal("PutAccountSetting", wrong).await;
        assert_eq!(code, "InvalidParameterException");
    }
}

#[tokio::test]
async fn pulls_of_excluded_principals_are_not_recorded() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let arn = |name: &str| format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let one = json!({ "principalArn": arn("scanner") });
    let registered = served
        .call("RegisterPullTimeUpdateExclusion", one.clone())
        .await;
    assert!(registered["createdAt"].is_number());
    let (code, _) = served
        .refusal("RegisterPullTimeUpdateExclusion", one.clone())
        .await;
    assert_eq!(code, "ExclusionAlreadyExistsException");
    let another = json!({ "principalArn": arn("another") });
    served
        .call("RegisterPullTimeUpdateExclusion", another)
        .await;
    let listed = served
        .call("ListPullTimeUpdateExclusions", json!({ "maxResults": 1 }))
        .await;
    assert_eq!(listed["pullTimeUpdateExclusions"], json!([arn("another")]));
    assert!(listed["nextToken"].is_string());
    served
        .call("DeregisterPullTimeUpdateExclusion", one.clone())
        .await;
    let (code, _) = served
        .refusal("DeregisterPullTimeUpdateExclusion", one)
        .await;
    assert_eq!(code, "ExclusionNotFoundException");
    let user = json!({ "principalArn": "arn:aws:iam::123456789012:root" });
    let (code, _) = served
        .refusal("RegisterPullTimeUpdateExclusion", user)
        .await;
    assert_eq!(code, "InvalidParameterException");
}

#[tokio::test]
async fn scanning_is_configured_by_filters_and_never_takes_place() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    docker.push(REPOSITORY, "v1", "one").await;
    let got = served
        .call("GetRegistryScanningConfiguration", json!({}))
        .await;
    assert_eq!(
        got["scanningConfiguration"],
        json!({ "scanType": "BASIC", "rules": [] })
    );
    let filter = json!({ "filter": "other*", "filterType": "WILDCARD" });
    let configuration = json!({ "scanType": "ENHANCED", "rules": [
        { "scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [filter] } ] });
    served
        .call("PutRegistryScanningConfiguration", configuration.clone())
        .await;
    let got = served
        .call("GetRegistryScanningConfiguration", json!({}))
        .await;
    assert_eq!(got["scanningConfiguration"], configuration);
    let names = json!({ "repositoryNames": [OTHER, REPOSITORY, "none"] });
    let got = served
        .call("BatchGetRepositoryScanningConfiguration", names)
        .await;
    let found = &got["scanningConfigurations"];
    assert_eq!(found[0]["scanFrequency"], "CONTINUOUS_SCAN");
    assert_eq!(found[0]["appliedScanFilters"], json!([filter]));
    assert_eq!(found[1]["scanFrequency"], "SCAN_ON_PUSH");
    assert_eq!(got["failures"][0]["failureCode"], "REPOSITORY_NOT_FOUND");

    let image = json!({ "repositoryName": REPOSITORY, "imageId": { "imageTag": "v1" } });
    let (code, message) = served.refusal("StartImageScan", image.clone()).await;
    assert_eq!(code, "UnsupportedImageTypeException");
    assert!(
        message.starts_with("An artifact with media type '"),
        "{message}"
    );
    let (code, message) = served.refusal("DescribeImageScanFindings", image).await;
    assert_eq!(code, "ScanNotFoundException");
    assert_eq!(
        message,
        "Image scan does not exist for the image with '{imageDigest:'null', imageTag:'v1'}' in the \
         repository with name 'portfolio/backend' in the registry with id '123456789012'"
    );
}

#[tokio::test]
async fn what_is_not_emulated_is_refused_and_never_pretended() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let none = json!({ "replicationConfiguration": { "rules": [] } });
    assert_eq!(
        served
            .call("PutReplicationConfiguration", none.clone())
            .await,
        none
    );
    let registry = served.call("DescribeRegistry", json!({})).await;
    assert_eq!(registry["replicationConfiguration"], json!({ "rules": [] }));
    let profile = "arn:aws:signer:eu-central-1:123456789012:/signing-profiles/main";
    let prefix = json!({ "ecrRepositoryPrefix": "hub" });
    for (operation, body, code) in [
        (
            "PutReplicationConfiguration",
            json!({ "replicationConfiguration": { "rules": [{ "destinations": [
                { "region": "eu-west-1", "registryId": ACCOUNT } ] }] } }),
            "ValidationException",
        ),
        (
            "PutSigningConfiguration",
            json!({ "signingConfiguration": { "rules": [{ "signingProfileArn": profile }] } }),
            "ValidationException",
        ),
        (
            "GetSigningConfiguration",
            json!({}),
            "SigningConfigurationNotFoundException",
        ),
        (
            "CreatePullThroughCacheRule",
            json!({ "ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "registry-1.docker.io" }),
            "UnsupportedUpstreamRegistryException",
        ),
        (
            "DeletePullThroughCacheRule",
            prefix.clone(),
            "PullThroughCacheRuleNotFoundException",
        ),
        (
            "UpdatePullThroughCacheRule",
            prefix.clone(),
            "PullThroughCacheRuleNotFoundException",
        ),
        (
            "ValidatePullThroughCacheRule",
            prefix,
            "PullThroughCacheRuleNotFoundException",
        ),
    ] {
        assert_eq!(served.refusal(operation, body).await.0, code, "{operation}");
    }
}

#[tokio::test]
async fn what_never_happens_here_is_described_as_such() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let manifest = docker.push(OTHER, "v1", "one").await;
    let digest = Digest::of(manifest.as_bytes());
    let rules = served
        .call("DescribePullThroughCacheRules", json!({}))
        .await;
    assert_eq!(rules, json!({ "pullThroughCacheRules": [] }));
    let image = json!({ "repositoryName": OTHER, "imageId": { "imageTag": "v1" } });
    for (operation, member) in [
        ("DescribeImageReplicationStatus", "replicationStatuses"),
        ("DescribeImageSigningStatus", "signingStatuses"),
    ] {
        let status: Value = served.call(operation, image.clone()).await;
        assert_eq!(status[member], json!([]));
        assert_eq!(status["imageId"]["imageDigest"], json!(digest));
    }
}

#[tokio::test]
async fn the_pull_of_an_excluded_role_leaves_the_pull_time_alone() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![role(&["ecr:BatchGetImage"])]).await;
    let docker = served.administrator().await;
    docker.push(REPOSITORY, "v1", "one").await;
    let keys = assume(&served, ROLE).await;
    let ids = json!({ "repositoryName": REPOSITORY, "imageIds": [{ "imageTag": "v1" }] });
    let pulled = async || {
        let (status, _) = served.call_as(&keys, "BatchGetImage", ids.clone()).await;
        assert_eq!(status, 200);
        served.call("DescribeImages", ids.clone()).await["imageDetails"][0]["lastRecordedPullTime"]
            .clone()
    };
    let arn = json!({ "principalArn": format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}") });
    served
        .call("RegisterPullTimeUpdateExclusion", arn.clone())
        .await;
    assert_eq!(pulled().await, Value::Null);
    served.call("DeregisterPullTimeUpdateExclusion", arn).await;
    assert!(pulled().await.is_number());
}
