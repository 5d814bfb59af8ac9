//! Repository creation templates, and pushes that create a repository.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::served::{SECOND_ACCOUNT, Served, refused};

fn template(prefix: &str, scenario: &str) -> Value {
    json!({ "prefix": prefix, "appliedFor": [scenario] })
}

#[tokio::test]
async fn templates_are_created_changed_described_and_deleted() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let mut body = template("prod", "CREATE_ON_PUSH");
    body["description"] = json!("all of production");
    body["imageTagMutability"] = json!("IMMUTABLE_WITH_EXCLUSION");
    body["imageTagMutabilityExclusionFilters"] =
        json!([{ "filterType": "WILDCARD", "filter": "latest" }]);
    body["resourceTags"] = json!([{ "Key": "team", "Value": "web" }]);
    body["customRoleArn"] = json!("arn:aws:iam::123456789012:role/creator");
    let created = served
        .call("CreateRepositoryCreationTemplate", body.clone())
        .await;
    let made = &created["repositoryCreationTemplate"];
    for (member, value) in body.as_object().unwrap() {
        assert_eq!(&made[member], value, "{member}");
    }
    assert_eq!(
        made["encryptionConfiguration"],
        json!({ "encryptionType": "AES256" })
    );
    let (code, _) = served
        .refusal("CreateRepositoryCreationTemplate", body)
        .await;
    assert_eq!(code, "TemplateAlreadyExistsException");
    let change = json!({ "prefix": "prod", "description": "changed" });
    let changed = served
        .call("UpdateRepositoryCreationTemplate", change)
        .await;
    let changed = &changed["repositoryCreationTemplate"];
    assert_eq!(changed["description"], "changed");
    assert_eq!(changed["imageTagMutability"], "IMMUTABLE_WITH_EXCLUSION");
}

#[tokio::test]
async fn templates_are_described_by_name_or_page_and_deleted() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    for prefix in ["prod", "ROOT"] {
        let body = template(prefix, "REPLICATION");
        served.call("CreateRepositoryCreationTemplate", body).await;
    }
    let page = json!({ "maxResults": 1 });
    let page = served
        .call("DescribeRepositoryCreationTemplates", page)
        .await;
    assert_eq!(
        page["repositoryCreationTemplates"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert!(page["nextToken"].is_string());
    let named = json!({ "prefixes": ["ROOT", "none"] });
    let named = served
        .call("DescribeRepositoryCreationTemplates", named)
        .await;
    assert_eq!(named["repositoryCreationTemplates"][0]["prefix"], "ROOT");
    let delete = json!({ "prefix": "prod" });
    served
        .call("DeleteRepositoryCreationTemplate", delete.clone())
        .await;
    for operation in [
        "DeleteRepositoryCreationTemplate",
        "UpdateRepositoryCreationTemplate",
    ] {
        let (code, _) = served.refusal(operation, delete.clone()).await;
        assert_eq!(code, "TemplateNotFoundException");
    }
}

#[tokio::test]
async fn a_push_creates_the_repository_that_a_template_describes() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let start = |name: &str| docker.request(Method::POST, &format!("/v2/{name}/blobs/uploads/"));
    let answer = start("prod/api").send().await.unwrap();
    assert_eq!(refused(answer).await.1, "NAME_UNKNOWN");
    served
        .call(
            "CreateRepositoryCreationTemplate",
            template("prod", "REPLICATION"),
        )
        .await;
    let answer = start("prod/api").send().await.unwrap();
    assert_eq!(refused(answer).await.1, "NAME_UNKNOWN");
    let update = json!({ "prefix": "prod", "appliedFor": ["CREATE_ON_PUSH"],
                         "imageTagMutability": "IMMUTABLE" });
    served
        .call("UpdateRepositoryCreationTemplate", update)
        .await;
    docker.push("prod/api", "v1", "one").await;
    let names = json!({ "repositoryNames": ["prod/api"] });
    let described = served.call("DescribeRepositories", names).await;
    assert_eq!(
        described["repositories"][0]["imageTagMutability"],
        "IMMUTABLE"
    );
    let answer = start("production").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);

    // Tags are set by a role, and the template names none.
    let mut tagged = template("tagged", "CREATE_ON_PUSH");
    tagged["resourceTags"] = json!([{ "Key": "team", "Value": "web" }]);
    served
        .call("CreateRepositoryCreationTemplate", tagged)
        .await;
    let answer = start("tagged/api").send().await.unwrap();
    assert_eq!(refused(answer).await.1, "NAME_UNKNOWN");
}

#[tokio::test]
async fn a_push_that_would_be_denied_creates_nothing() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let mut body = template("prod", "CREATE_ON_PUSH");
    body["repositoryPolicy"] = json!(json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Deny", "Principal": "*", "Action": "ecr:InitiateLayerUpload" }],
    })
    .to_string());
    served.call("CreateRepositoryCreationTemplate", body).await;
    let docker = served.administrator().await;
    let start = docker.request(Method::POST, "/v2/prod/api/blobs/uploads/");
    let answer = refused(start.send().await.unwrap()).await;
    assert_eq!((answer.0, answer.1.as_str()), (403, "DENIED"));
    let names = json!({ "repositoryNames": ["prod/api"] });
    let (code, _) = served.refusal("DescribeRepositories", names).await;
    assert_eq!(code, "RepositoryNotFoundException");
    let foreign = json!({ "prefix": "x", "appliedFor": ["CREATE_ON_PUSH"],
        "customRoleArn": format!("arn:aws:iam::{SECOND_ACCOUNT}:role/creator") });
    let (code, _) = served
        .refusal("CreateRepositoryCreationTemplate", foreign)
        .await;
    assert_eq!(code, "InvalidParameterException");
}
