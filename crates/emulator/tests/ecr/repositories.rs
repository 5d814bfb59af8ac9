//! Repositories and their settings, in the order in which Terraform's provider
//! asks.

use serde_json::{Value, json};

use crate::served::{ACCOUNT, REGION, REPOSITORY, Served};

fn lifecycle() -> String {
    json!({ "rules": [{
        "rulePriority": 1,
        "selection": {
            "tagStatus": "untagged", "countType": "sinceImagePushed",
            "countUnit": "days", "countNumber": 14
        },
        "action": { "type": "expire" }
    }]})
    .to_string()
}

#[tokio::test]
async fn a_repository_lives_through_create_describe_tag_and_delete() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let created = served
        .call(
            "CreateRepository",
            json!({
                "repositoryName": "team/app",
                "imageTagMutability": "IMMUTABLE",
                "imageScanningConfiguration": { "scanOnPush": true },
                "encryptionConfiguration": { "encryptionType": "KMS" },
                "tags": [{ "Key": "team", "Value": "web" }],
            }),
        )
        .await;
    let repository = &created["repository"];
    let arn = format!("arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/app");
    assert_eq!(repository["repositoryArn"], arn.as_str());
    assert_eq!(
        repository["repositoryUri"],
        format!("{}/team/app", served.host())
    );
    assert_eq!(repository["imageTagMutability"], "IMMUTABLE");
    assert!(repository["createdAt"].is_f64());

    let body = json!({ "repositoryNames": ["team/app"] });
    let described = served.call("DescribeRepositories", body.clone()).await;
    assert_eq!(&described["repositories"][0], repository);
    let arn = json!({ "resourceArn": arn });
    let mut tagging = arn.clone();
    tagging["tags"] = json!([{ "Key": "stage", "Value": "test" }]);
    served.call("TagResource", tagging).await;
    let mut untagging = arn.clone();
    untagging["tagKeys"] = json!(["team"]);
    served.call("UntagResource", untagging).await;
    let tags = served.call("ListTagsForResource", arn).await;
    assert_eq!(
        tags,
        json!({ "tags": [{ "Key": "stage", "Value": "test" }] })
    );

    served
        .call("DeleteRepository", json!({ "repositoryName": "team/app" }))
        .await;
    let gone = served.refusal("DescribeRepositories", body).await;
    let sentence = format!(
        "The repository with name 'team/app' does not exist in the registry with id '{ACCOUNT}'"
    );
    assert_eq!(gone, ("RepositoryNotFoundException".to_owned(), sentence));
}

#[tokio::test]
async fn refusals_carry_the_names_and_sentences_of_aws() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    for (operation, body, code, sentence) in [
        (
            "CreateRepository",
            json!({ "repositoryName": REPOSITORY }),
            "RepositoryAlreadyExistsException",
            "The repository with name 'portfolio/backend' already exists in the registry with id \
             '123456789012'",
        ),
        (
            "CreateRepository",
            json!({ "repositoryName": "../Up" }),
            "InvalidParameterException",
            "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy \
             regular expression '",
        ),
        (
            "GetRepositoryPolicy",
            json!({ "repositoryName": REPOSITORY }),
            "RepositoryPolicyNotFoundException",
            "Repository policy does not exist for the repository with name 'portfolio/backend' in \
             the registry with id '123456789012'",
        ),
        (
            "SetRepositoryPolicy",
            json!({ "repositoryName": REPOSITORY, "policyText": "{}" }),
            "InvalidParameterException",
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository \
             policy provided'",
        ),
        (
            "DescribeImages",
            json!({ "repositoryName": REPOSITORY, "imageIds": [{ "imageTag": "v9" }] }),
            "ImageNotFoundException",
            "The image with imageId {imageDigest:'null', imageTag:'v9'} does not exist within the \
             repository with name 'portfolio/backend' in the registry with id '123456789012'",
        ),
        ("PutImageOnFire", json!({}), "UnknownOperationException", ""),
        (
            "CreateRepository",
            json!({ "repositoryName": 7 }),
            "SerializationException",
            "",
        ),
    ] {
        let (actual, message) = served.refusal(operation, body).await;
        assert_eq!(actual, code, "{message}");
        assert!(message.starts_with(sentence), "{message}");
    }
}

#[tokio::test]
async fn policies_are_given_back_as_they_were_sent() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::999999999999:root" },
            "Action": "ecr:BatchGetImage"
        }]
    })
    .to_string();
    let name = json!({ "repositoryName": REPOSITORY });
    for (what, parameter, text) in [
        ("RepositoryPolicy", "policyText", policy),
        ("LifecyclePolicy", "lifecyclePolicyText", lifecycle()),
    ] {
        let put = if what == "RepositoryPolicy" {
            "Set"
        } else {
            "Put"
        };
        let mut body = name.clone();
        body[parameter] = json!(text);
        served.call(&format!("{put}{what}"), body).await;
        let given = served.call(&format!("Get{what}"), name.clone()).await;
        assert_eq!(given[parameter], text.as_str());
        served.call(&format!("Delete{what}"), name.clone()).await;
        let (code, _) = served.refusal(&format!("Get{what}"), name.clone()).await;
        assert_eq!(code, format!("{what}NotFoundException"));
    }
}

#[tokio::test]
async fn mutability_and_scanning_are_changed_in_place() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let filters = json!([{ "filterType": "WILDCARD", "filter": "dev-*" }]);
    let body = json!({
        "repositoryName": REPOSITORY, "registryId": ACCOUNT,
        "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": filters,
    });
    served.call("PutImageTagMutability", body).await;
    let body = json!({
        "repositoryName": REPOSITORY,
        "imageScanningConfiguration": { "scanOnPush": false },
    });
    served.call("PutImageScanningConfiguration", body).await;
    let all = served
        .call("DescribeRepositories", json!({ "maxResults": 1 }))
        .await;
    let next = json!({ "maxResults": 1, "nextToken": all["nextToken"] });
    let second = served.call("DescribeRepositories", next).await;
    let repository = &second["repositories"][0];
    assert_eq!(repository["repositoryName"], REPOSITORY);
    assert_eq!(repository["imageTagMutabilityExclusionFilters"], filters);
    assert_eq!(
        repository["imageScanningConfiguration"]["scanOnPush"],
        false
    );
    assert_eq!(second["nextToken"], Value::Null);
}
