//! Several accounts and regions in one emulator.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::denials::{ROLE, assume, role};
use crate::served::{
    ACCOUNT, Docker, OTHER_REGION, REGION, REPOSITORY, SECOND_ACCOUNT, Served, refused,
};

async fn create(served: &Served, region: &str, name: &str) -> Value {
    let keys = &served.second_administrator;
    let body = json!({ "repositoryName": name });
    let (status, answer) = served.call_in(region, keys, "CreateRepository", body).await;
    assert_eq!(status, 200, "{answer}");
    answer["repository"].clone()
}

#[tokio::test]
async fn one_name_is_a_repository_of_its_own_in_each_account_and_region() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    served
        .administrator()
        .await
        .push(REPOSITORY, "v1", "one")
        .await;
    for region in [REGION, OTHER_REGION] {
        let made = create(&served, region, REPOSITORY).await;
        let arn = format!("arn:aws:ecr:{region}:{SECOND_ACCOUNT}:repository/{REPOSITORY}");
        assert_eq!(made["repositoryArn"], arn);
        assert_eq!(made["registryId"], SECOND_ACCOUNT);
        let base = served.registry(SECOND_ACCOUNT, region);
        let host = base.trim_start_matches("http://");
        assert_eq!(made["repositoryUri"], format!("{host}/{REPOSITORY}"));
        let body = json!({ "repositoryName": REPOSITORY });
        let keys = &served.second_administrator;
        let (_, listed) = served.call_in(region, keys, "ListImages", body).await;
        assert_eq!(listed["imageIds"], json!([]), "{region}");
    }
    let body = json!({ "repositoryName": REPOSITORY, "force": true });
    let keys = &served.second_administrator;
    let (status, _) = served.call_in(REGION, keys, "DeleteRepository", body).await;
    assert_eq!(status, 200);
    let body = json!({ "repositoryName": REPOSITORY });
    let listed = served.call("ListImages", body).await;
    assert_eq!(listed["imageIds"][0]["imageTag"], "v1");
}

#[tokio::test]
async fn a_login_opens_its_own_registry_at_the_plain_address_and_any_by_its_host() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    create(&served, REGION, "theirs").await;
    let mut docker = served.docker(&served.second_administrator).await;
    docker.push("theirs", "v1", "one").await;
    docker.base = served.registry(SECOND_ACCOUNT, REGION);
    docker.push("theirs", "v2", "two").await;
    let body = json!({ "repositoryName": "theirs" });
    let keys = &served.second_administrator;
    let (_, listed) = served.call_in(REGION, keys, "ListImages", body).await;
    assert_eq!(listed["imageIds"].as_array().unwrap().len(), 2);

    docker.base = served.registry(SECOND_ACCOUNT, OTHER_REGION);
    let elsewhere = refused(docker.get("/v2/").await).await;
    assert_eq!((elsewhere.0, elsewhere.1.as_str()), (403, "DENIED"));
}

#[tokio::test]
async fn a_token_is_given_for_each_registry_that_is_asked_for() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    create(&served, REGION, "theirs").await;
    let body = json!({ "registryIds": [ACCOUNT, SECOND_ACCOUNT] });
    let answer = served.call("GetAuthorizationToken", body).await;
    let given = &answer["authorizationData"];
    assert_eq!(given[0]["proxyEndpoint"], served.base);
    let other = served.registry(SECOND_ACCOUNT, REGION);
    assert_eq!(given[1]["proxyEndpoint"], other);
    let token = given[1]["authorizationToken"].as_str().unwrap();
    let docker = Docker {
        served: &served,
        base: served.base.clone(),
        login: format!("Basic {token}"),
    };
    // The plain address stands for the registry that the token was asked for.
    let denied = refused(docker.get("/v2/theirs/tags/list").await).await;
    let arn = format!("arn:aws:ecr:{REGION}:{SECOND_ACCOUNT}:repository/theirs");
    assert!(denied.2.contains(&arn), "{denied:?}");
}

/// Both sides must allow, and each that does not is named.
#[tokio::test]
async fn a_repository_policy_lets_another_account_in_if_both_sides_allow() {
    let data = tempfile::tempdir().unwrap();
    let mut publisher = role(&["ecr:PutImage"]);
    let actions = "BatchGetImage GetDownloadUrlForLayer InitiateLayerUpload UploadLayerPart \
                   CompleteLayerUpload PutImage BatchCheckLayerAvailability";
    let actions: Vec<String> = actions
        .split_whitespace()
        .map(|action| format!("ecr:{action}"))
        .collect();
    let statement = json!({
        "Effect": "Allow", "Action": actions,
        "Resource": format!("arn:aws:ecr:*:{SECOND_ACCOUNT}:repository/*"),
    });
    let allowed = json!({ "Version": "2012-10-17", "Statement": [statement] });
    publisher
        .inline_policies
        .insert("theirs".to_owned(), allowed.to_string());
    let served = Served::start(data.path(), vec![publisher]).await;
    create(&served, REGION, "theirs").await;
    let keys = assume(&served, ROLE).await;
    let docker = Docker {
        base: served.registry(SECOND_ACCOUNT, REGION),
        ..served.docker(&keys).await
    };
    let start = "/v2/theirs/blobs/uploads/";
    let sentence = |action: &str, because: &str| {
        format!(
            "User: arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/GitHubActions is not authorized to \
             perform: {action} on resource: arn:aws:ecr:{REGION}:{SECOND_ACCOUNT}:repository/theirs \
             because no {because} policy allows the {action} action"
        )
    };
    let denied = docker.request(Method::POST, start).send().await.unwrap();
    let expected = sentence("ecr:InitiateLayerUpload", "resource-based");
    assert_eq!(refused(denied).await.2, expected);

    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "ecr:*",
        "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") },
    }]});
    let body = json!({ "repositoryName": "theirs", "policyText": policy.to_string() });
    let owner = &served.second_administrator;
    let (status, answer) = served.call_as(owner, "SetRepositoryPolicy", body).await;
    assert_eq!(status, 200, "{answer}");
    let manifest = docker.push("theirs", "v1", "one").await;
    let pulled = docker.get("/v2/theirs/manifests/v1").await;
    assert_eq!(pulled.text().await.unwrap(), manifest);
    let denied = refused(docker.get("/v2/theirs/tags/list").await).await;
    assert_eq!(denied.2, sentence("ecr:ListImages", "identity-based"));

    let body = json!({ "registryId": SECOND_ACCOUNT, "repositoryName": "theirs",
                       "imageIds": [{ "imageTag": "v1" }] });
    let (status, got) = served.call_as(&keys, "BatchGetImage", body).await;
    assert_eq!(
        (status, &got["images"][0]["registryId"]),
        (200, &json!(SECOND_ACCOUNT))
    );
}

#[tokio::test]
async fn the_root_of_one_account_is_nobody_in_another() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let keys = &served.second_administrator;
    for (operation, body) in [
        ("CreateRepository", json!({ "repositoryName": "mine" })),
        ("DescribeRepositories", json!({})),
        ("DeleteRepository", json!({ "repositoryName": REPOSITORY })),
        (
            "PutImage",
            json!({ "repositoryName": REPOSITORY, "imageManifest": "{}" }),
        ),
    ] {
        let mut body = body;
        body["registryId"] = json!(ACCOUNT);
        let (status, answer) = served.call_as(keys, operation, body).await;
        assert_eq!(status, 400, "{operation}");
        assert_eq!(answer["__type"], "AccessDeniedException", "{operation}");
        let message = answer["message"].as_str().unwrap();
        let reason = format!("because no resource-based policy allows the ecr:{operation} action");
        assert!(message.ends_with(&reason), "{message}");
    }
    let body = json!({ "registryId": "1", "repositoryName": "app" });
    let (_, answer) = served.call_as(keys, "ListImages", body).await;
    assert_eq!(answer["__type"], "InvalidParameterException");
}

#[tokio::test]
async fn an_upload_of_one_registry_is_unknown_in_another() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    create(&served, REGION, REPOSITORY).await;
    let docker = served.administrator().await;
    let start = format!("/v2/{REPOSITORY}/blobs/uploads/");
    let started = docker.request(Method::POST, &start).send().await.unwrap();
    assert_eq!(started.status(), StatusCode::ACCEPTED);
    let place = started.headers()["location"].to_str().unwrap();
    let other = served.docker(&served.second_administrator).await;
    let stolen = other.request(Method::PATCH, place).body("x");
    let stolen = refused(stolen.send().await.unwrap()).await;
    assert_eq!(stolen.1, "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn the_credentials_file_is_its_owners_alone_and_has_a_profile_for_each_account() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let metadata = fs_err::metadata(&served.credentials_file).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    let text = fs_err::read_to_string(&served.credentials_file).unwrap();
    for (account, keys) in [
        (ACCOUNT, &served.administrator),
        (SECOND_ACCOUNT, &served.second_administrator),
    ] {
        let profile = format!(
            "[{account}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            keys.id, keys.secret
        );
        assert!(text.contains(&profile), "{account}");
    }
}
