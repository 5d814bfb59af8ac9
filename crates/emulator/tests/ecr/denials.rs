//! What a role without the right may not do, in AWS's words.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use roxmltree::Document;
use serde_json::{Value, json};
use terraform::Role;

use crate::served::{ACCOUNT, OTHER, REGION, REPOSITORY, Served, header, refused};
use crate::signing::Keys;

pub(crate) const ROLE: &str = "publisher";

pub(crate) fn role(actions: &[&str]) -> Role {
    let provider =
        format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated": provider },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": "repo:acme/api:ref:refs/heads/main",
            }}
        }]
    });
    let permissions = json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*" },
            {
                "Effect": "Allow",
                "Action": actions,
                "Resource": format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{REPOSITORY}"),
                "Condition": { "StringEquals": { "aws:ResourceTag/team": "web" } },
            }
        ]
    });
    Role {
        arn: format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}"),
        name: ROLE.to_owned(),
        path: "/".to_owned(),
        trust_policy: trust.to_string(),
        max_session_duration: 3_600,
        inline_policies: BTreeMap::from([("push".to_owned(), permissions.to_string())]),
        ..Role::default()
    }
}

/// A session of the role, as a job on GitHub gets one.
pub(crate) async fn assume(served: &Served, role: &str) -> Keys {
    let token = github_token(served).await;
    exchange(served, role, &token).await
}

/// The token of a job on GitHub.
pub(crate) async fn github_token(served: &Served) -> String {
    let repository = json!({
        "owner": "acme", "owner_id": "1", "name": "api", "id": "2", "visibility": "private",
    });
    let run = json!({
        "repository": repository, "event": "push", "git_ref": "refs/heads/main",
        "workflow": "publish", "workflow_path": ".github/workflows/publish.yml",
        "actor": "octocat", "actor_id": "3", "sha": "0".repeat(40),
        "run_id": 1, "run_number": 1, "run_attempt": 1,
    });
    let runs = format!("{}/_longshore/runs", served.base);
    let body = json!({ "run": run, "form": "name" });
    let registered = served.client.post(runs).json(&body).send().await.unwrap();
    let registered: Value = registered.json().await.unwrap();
    assert!(registered["request_url"].is_string(), "{registered}");
    let url = format!(
        "{}&audience=sts.amazonaws.com",
        registered["request_url"].as_str().unwrap()
    );
    let asked = served
        .client
        .get(url)
        .bearer_auth(registered["request_token"].as_str().unwrap());
    let token: Value = asked.send().await.unwrap().json().await.unwrap();
    token["value"].as_str().unwrap().to_owned()
}

/// The session that STS gives for a token.
pub(crate) async fn exchange(served: &Served, role: &str, token: &str) -> Keys {
    let form = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", &format!("arn:aws:iam::{ACCOUNT}:role/{role}")),
        ("RoleSessionName", "GitHubActions"),
        ("WebIdentityToken", token),
    ];
    let answer = served
        .client
        .post(&served.base)
        .form(&form)
        .send()
        .await
        .unwrap();
    let xml = answer.text().await.unwrap();
    let document = Document::parse(&xml).unwrap();
    let text = |name: &str| {
        let node = document
            .descendants()
            .find(|node| node.tag_name().name() == name);
        node.and_then(|node| node.text())
            .unwrap_or_else(|| panic!("{name}: {xml}"))
            .to_owned()
    };
    Keys {
        id: text("AccessKeyId"),
        secret: text("SecretAccessKey"),
        session_token: Some(text("SessionToken")),
    }
}

fn sentence(action: &str, repository: &str) -> String {
    format!(
        "User: arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/GitHubActions is not authorized to \
         perform: {action} on resource: arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{repository} \
         because no identity-based policy allows the {action} action"
    )
}

/// Requests with the action that each of them takes.
fn requests() -> Vec<(Method, String, &'static str)> {
    let digest = oci::Digest::of(b"x");
    let upload = format!("/v2/{REPOSITORY}/blobs/uploads/0");
    vec![
        (
            Method::GET,
            format!("/v2/{REPOSITORY}/blobs/{digest}"),
            "GetDownloadUrlForLayer",
        ),
        (
            Method::POST,
            format!("/v2/{REPOSITORY}/blobs/uploads/"),
            "InitiateLayerUpload",
        ),
        (Method::PATCH, upload.clone(), "UploadLayerPart"),
        (
            Method::PUT,
            format!("{upload}?digest={digest}"),
            "CompleteLayerUpload",
        ),
        (
            Method::PUT,
            format!("/v2/{REPOSITORY}/manifests/v1"),
            "PutImage",
        ),
        (
            Method::GET,
            format!("/v2/{REPOSITORY}/manifests/v1"),
            "BatchGetImage",
        ),
        (
            Method::GET,
            format!("/v2/{REPOSITORY}/referrers/{digest}"),
            "BatchGetImage",
        ),
        (
            Method::GET,
            format!("/v2/{REPOSITORY}/tags/list"),
            "ListImages",
        ),
    ]
}

#[tokio::test]
async fn every_request_to_the_registry_is_denied_under_its_own_action() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![role(&["ecr:StartImageScan"])]).await;
    let keys = assume(&served, ROLE).await;
    let docker = served.docker(&keys).await;
    assert_eq!(docker.get("/v2/").await.status(), StatusCode::OK);
    for (method, path, action) in requests() {
        let answer = docker.request(method, &path).send().await.unwrap();
        assert!(!header(&answer, "x-longshore-reason").is_empty(), "{path}");
        let expected = sentence(&format!("ecr:{action}"), REPOSITORY);
        assert_eq!(
            refused(answer).await,
            (403, "DENIED".to_owned(), expected),
            "{path}"
        );
    }
    let blob = format!("/v2/{REPOSITORY}/blobs/{}", oci::Digest::of(b"x"));
    let head = docker.request(Method::HEAD, &blob).send().await.unwrap();
    assert_eq!(head.status(), StatusCode::FORBIDDEN);
    let catalog = refused(docker.get("/v2/_catalog").await).await;
    assert_eq!(catalog.2, sentence("ecr:DescribeRepositories", "*"));
}

#[tokio::test]
async fn the_push_policy_pushes_to_its_repository_and_to_no_other() {
    let data = tempfile::tempdir().unwrap();
    let push = [
        "ecr:CompleteLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:InitiateLayerUpload",
        "ecr:BatchCheckLayerAvailability",
        "ecr:PutImage",
        "ecr:BatchGetImage",
    ];
    let served = Served::start(data.path(), vec![role(&push)]).await;
    let keys = assume(&served, ROLE).await;
    let docker = served.docker(&keys).await;
    docker.push(REPOSITORY, "v1", "one").await;
    for repository in [OTHER, "does/not/exist"] {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let answer = docker.request(Method::POST, &path).send().await.unwrap();
        let expected = sentence("ecr:InitiateLayerUpload", repository);
        assert_eq!(refused(answer).await, (403, "DENIED".to_owned(), expected));
    }
    let body = json!({ "repositoryName": REPOSITORY });
    let (status, denied) = served.call_as(&keys, "DeleteRepository", body).await;
    assert_eq!(
        (status, &denied["__type"]),
        (400, &json!("AccessDeniedException"))
    );
    assert_eq!(
        denied["message"],
        sentence("ecr:DeleteRepository", REPOSITORY)
    );
}

#[tokio::test]
async fn a_repository_policy_opens_and_closes_a_repository() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![role(&["ecr:ListImages"])]).await;
    let keys = assume(&served, ROLE).await;
    let body = json!({ "repositoryName": REPOSITORY });
    assert_eq!(
        served.call_as(&keys, "ListImages", body.clone()).await.0,
        200
    );
    assert_eq!(
        served
            .call_as(&keys, "DescribeImages", body.clone())
            .await
            .0,
        400
    );
    let statement = |effect: &str, action: &str| {
        json!({
            "Effect": effect, "Action": action,
            "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:role/{ROLE}") },
        })
    };
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [
            statement("Allow", "ecr:DescribeImages"),
            statement("Deny", "ecr:ListImages"),
        ],
    });
    let set = json!({ "repositoryName": REPOSITORY, "policyText": policy.to_string() });
    served.call("SetRepositoryPolicy", set).await;
    assert_eq!(
        served
            .call_as(&keys, "DescribeImages", body.clone())
            .await
            .0,
        200
    );
    let (_, denied) = served.call_as(&keys, "ListImages", body).await;
    let message = denied["message"].as_str().unwrap();
    assert!(
        message.ends_with("with an explicit deny in a resource-based policy"),
        "{message}"
    );
}
