//! The trail of what clients do, read from its files.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::denials::{ROLE, assume, exchange, github_token, role};
use crate::served::{ACCOUNT, Docker, OTHER, REGION, REPOSITORY, Served};

const PUSH: [&str; 6] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
];

/// The trail's text. The emulator has ended: until then the last lines may be on
/// their way.
fn text(data: &Path) -> String {
    let directory = data.join("state/trail").join(ACCOUNT);
    let mut files: Vec<_> = fs_err::read_dir(directory)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| fs_err::read_to_string(file).unwrap())
        .collect()
}

fn records(data: &Path) -> Vec<Value> {
    text(data)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The last record of that name.
fn last(data: &Path, name: &str) -> Value {
    let found = records(data).into_iter().rev();
    let mut found = found.filter(|record| record["eventName"] == name);
    found.next().unwrap_or_else(|| panic!("no {name}"))
}

/// A session pushes an image and pulls it: the manifest.
async fn push_and_pull(data: &Path) -> String {
    let actions: Vec<&str> = PUSH
        .into_iter()
        .chain(["ecr:GetDownloadUrlForLayer"])
        .collect();
    let served = Served::start(data, vec![role(&actions)]).await;
    let session = assume(&served, ROLE).await;
    let docker = Docker {
        served: &served,
        base: served.base.clone(),
        login: served.log_in(&session).await,
    };
    let manifest = docker.push(REPOSITORY, "v1", "layer").await;
    let pulled = docker
        .request(Method::GET, &format!("/v2/{REPOSITORY}/manifests/v1"))
        .header(
            "accept",
            "application/vnd.oci.image.manifest.v1+json, application/json;q=0.5",
        );
    assert_eq!(pulled.send().await.unwrap().status(), StatusCode::OK);
    let layer = oci::Digest::of(b"layer");
    docker.get(&format!("/v2/{REPOSITORY}/blobs/{layer}")).await;
    drop(docker);
    served.kill().await;
    manifest
}

#[tokio::test]
async fn a_push_and_a_pull_have_the_names_that_ecr_gives_them() {
    let data = tempfile::tempdir().unwrap();
    push_and_pull(data.path()).await;
    let recorded = recorded(data.path(), 0);
    let upload = [
        "InitiateLayerUpload",
        "UploadLayerPart",
        "CompleteLayerUpload",
    ];
    let expected: Vec<&str> = ["AssumeRoleWithWebIdentity", "GetAuthorizationToken"]
        .into_iter()
        .chain(upload)
        .chain(upload)
        .chain(["PutImage", "BatchGetImage", "GetDownloadUrlForLayer"])
        .collect();
    assert_eq!(recorded, expected);
}

#[tokio::test]
async fn a_push_and_a_pull_have_the_parameters_of_the_api() {
    let data = tempfile::tempdir().unwrap();
    let manifest = push_and_pull(data.path()).await;
    let put = last(data.path(), "PutImage");
    assert_eq!(
        put["requestParameters"],
        json!({
            "repositoryName": REPOSITORY, "imageTag": "v1", "imageManifest": manifest,
            "imageManifestMediaType": "application/vnd.oci.image.manifest.v1+json",
            "registryId": ACCOUNT,
        })
    );
    assert_eq!(
        put["responseElements"]["image"]["imageId"]["imageTag"],
        "v1"
    );
    assert_eq!(put["readOnly"], false);
    let pull = last(data.path(), "BatchGetImage");
    assert_eq!(
        pull["requestParameters"],
        json!({
            "repositoryName": REPOSITORY,
            "imageIds": [{ "imageTag": "v1" }],
            "acceptedMediaTypes": ["application/vnd.oci.image.manifest.v1+json", "application/json"],
            "registryId": ACCOUNT,
        })
    );
    assert_eq!(pull["responseElements"], Value::Null);
    let context = &pull["userIdentity"]["sessionContext"];
    assert_eq!(context["sessionIssuer"]["userName"], ROLE);
    assert!(context["attributes"]["creationDate"].is_string());
    let arn = format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{REPOSITORY}");
    assert_eq!(
        pull["resources"],
        json!([{ "accountId": ACCOUNT, "ARN": arn }])
    );
}

/// The names of what CloudTrail would record, after the first `skipped`.
fn recorded(data: &Path, skipped: usize) -> Vec<String> {
    let records = records(data).into_iter();
    let recorded = records.filter(|record| record["longshore"]["recorded"] == true);
    recorded
        .skip(skipped)
        .map(|record| record["eventName"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_blob_in_one_request_and_a_mounted_blob_have_their_own_names() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let setting = json!({ "name": "BLOB_MOUNTING", "value": "ENABLED" });
    served.call("PutAccountSetting", setting).await;
    let docker = served.administrator().await;
    docker.push(REPOSITORY, "v1", "layer").await;
    served.flush_trail().await;
    let before = recorded(data.path(), 0).len();

    let whole = oci::Digest::of(b"whole");
    let layer = oci::Digest::of(b"layer");
    let start = format!("/v2/{OTHER}/blobs/uploads/");
    let post = docker.request(Method::POST, &format!("{start}?digest={whole}"));
    let post = post.body("whole").send().await.unwrap();
    assert_eq!(post.status(), StatusCode::CREATED);
    let mount = format!("{start}?mount={layer}&from={REPOSITORY}");
    let mounted = docker.request(Method::POST, &mount).send().await.unwrap();
    assert_eq!(mounted.status(), StatusCode::CREATED);

    served.flush_trail().await;
    assert_eq!(
        recorded(data.path(), before),
        [
            "InitiateLayerUpload",
            "UploadLayerPart",
            "CompleteLayerUpload",
            "MountLayer"
        ]
    );
    let record = last(data.path(), "MountLayer");
    assert_eq!(
        record["requestParameters"]["sourceRepositoryName"],
        REPOSITORY
    );
}

#[tokio::test]
async fn an_assumed_role_shows_who_came_and_what_was_given_but_no_secret() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![role(&PUSH)]).await;
    let session = assume(&served, ROLE).await;
    served.kill().await;
    let record = last(data.path(), "AssumeRoleWithWebIdentity");
    let provider =
        format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
    let subject = "repo:acme/api:ref:refs/heads/main";
    assert_eq!(
        record["userIdentity"],
        json!({
            "type": "WebIdentityUser",
            "principalId": format!("{provider}:sts.amazonaws.com:{subject}"),
            "userName": subject,
            "identityProvider": provider,
        })
    );
    assert_eq!(
        record["requestParameters"],
        json!({
            "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}"),
            "roleSessionName": "GitHubActions",
        })
    );
    let answer = &record["responseElements"];
    assert_eq!(answer["credentials"]["accessKeyId"], session.id);
    assert_eq!(
        answer["credentials"]["sessionToken"],
        "HIDDEN_DUE_TO_SECURITY_REASONS"
    );
    assert!(answer["credentials"].get("secretAccessKey").is_none());
    assert_eq!(answer["subjectFromWebIdentityToken"], subject);
    assert_eq!(answer["provider"], provider);
    assert_eq!(record["resources"][0]["type"], "AWS::IAM::Role");
}

#[tokio::test]
async fn no_token_password_or_secret_reaches_the_trail() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![role(&PUSH)]).await;
    let token = github_token(&served).await;
    let session = exchange(&served, ROLE, &token).await;
    let login = served.log_in(&session).await;
    let docker = Docker {
        served: &served,
        base: served.base.clone(),
        login: login.clone(),
    };
    docker.push(REPOSITORY, "v1", "layer").await;
    // A part of a layer, and what is refused: they are told, too.
    let part = STANDARD.encode("secret bytes of a layer");
    let start = json!({ "repositoryName": REPOSITORY });
    let upload = served.call("InitiateLayerUpload", start).await;
    let part_of_layer = json!({
        "repositoryName": REPOSITORY, "uploadId": upload["uploadId"], "partFirstByte": 0,
        "partLastByte": 22, "layerPartBlob": part, "password": "let-me-in",
    });
    served.call("UploadLayerPart", part_of_layer).await;
    let mut forged = session.clone();
    forged.session_token = Some("forged-session-token".to_owned());
    served
        .call_as(&forged, "GetAuthorizationToken", json!({}))
        .await;
    let wrong = Docker {
        served: &served,
        base: served.base.clone(),
        login: format!("Basic {}", STANDARD.encode("AWS:wrong-password")),
    };
    assert_eq!(wrong.get("/v2/").await.status(), StatusCode::UNAUTHORIZED);
    refuse_tampered(&served, &token).await;

    let administrator = served.administrator.secret.clone();
    served.kill().await;
    let text = text(data.path());
    assert!(text.contains("UploadLayerPart") && text.contains("InvalidIdentityToken"));
    let basic = login.strip_prefix("Basic ").unwrap();
    let plain = String::from_utf8(STANDARD.decode(basic).unwrap()).unwrap();
    let password = plain.strip_prefix("AWS:").unwrap();
    let signature = token.rsplit('.').next().unwrap();
    for (what, secret) in [
        ("the token of GitHub", token.as_str()),
        ("its signature", signature),
        ("the registry's password", password),
        ("the registry's login", basic),
        ("a wrong password", "wrong-password"),
        ("a password in a body", "let-me-in"),
        ("the session's secret", &session.secret),
        (
            "the session's token",
            session.session_token.as_deref().unwrap(),
        ),
        ("a forged token", "forged-session-token"),
        ("the administrator's secret", &administrator),
        ("the bytes of a layer", &part),
    ] {
        assert!(!text.contains(secret), "{what} is in the trail");
    }
}

async fn refuse_tampered(served: &Served, token: &str) {
    let form = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", &format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}")),
        ("RoleSessionName", "GitHubActions"),
        ("WebIdentityToken", &format!("{token}x")),
    ];
    let refused = served.client.post(&served.base).form(&form).send();
    assert_eq!(refused.await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn nor_does_what_a_user_of_sts_is_given() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let version = ("Version", "2011-06-15");
    let xml = served
        .query("sts", &[("Action", "GetSessionToken"), version])
        .await;
    let given = roxmltree::Document::parse(&xml).unwrap();
    let given = |name: &str| {
        let mut nodes = given.descendants();
        let node = nodes.find(|node| node.tag_name().name() == name).unwrap();
        node.text().unwrap().to_owned()
    };
    served.flush_trail().await;
    let text = text(data.path());
    let record = last(data.path(), "GetSessionToken");
    let credentials = &record["responseElements"]["credentials"];
    assert_eq!(credentials["accessKeyId"], given("AccessKeyId"));
    assert!(!text.contains(&given("SecretAccessKey")) && !text.contains(&given("SessionToken")));
}
