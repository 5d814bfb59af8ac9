//! Managed policies: the customer's from the store, and those few of AWS's own
//! that have to do with container registries.
//!
//! Documents: AWS Managed Policy Reference Guide.

use crate::iam::records::POLICIES;
use crate::store::{Reader, StoreError};

/// The document of `arn:aws:iam::aws:policy/AdministratorAccess`.
pub(crate) const ADMINISTRATOR_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

const REGISTRY_READ_ONLY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:GetRepositoryPolicy","ecr:DescribeRepositories","ecr:ListImages","ecr:DescribeImages","ecr:BatchGetImage","ecr:GetLifecyclePolicy","ecr:GetLifecyclePolicyPreview","ecr:ListTagsForResource","ecr:DescribeImageScanFindings"],"Resource":"*"}]}"#;

const REGISTRY_POWER_USER: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:GetRepositoryPolicy","ecr:DescribeRepositories","ecr:ListImages","ecr:DescribeImages","ecr:BatchGetImage","ecr:GetLifecyclePolicy","ecr:GetLifecyclePolicyPreview","ecr:ListTagsForResource","ecr:DescribeImageScanFindings","ecr:InitiateLayerUpload","ecr:UploadLayerPart","ecr:CompleteLayerUpload","ecr:PutImage"],"Resource":"*"}]}"#;

const REGISTRY_FULL_ACCESS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:*","cloudtrail:LookupEvents"],"Resource":"*"},{"Effect":"Allow","Action":["iam:CreateServiceLinkedRole"],"Resource":"*","Condition":{"StringEquals":{"iam:AWSServiceName":["replication.ecr.amazonaws.com"]}}}]}"#;

const REGISTRY_PULL_ONLY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchImportUpstreamImage"],"Resource":"*"}]}"#;

/// The document in force of the managed policy `arn`; `None` when there is no
/// such policy here.
pub(crate) fn document(reader: &Reader, arn: &str) -> Result<Option<String>, StoreError> {
    if let Some(document) = of_aws(arn) {
        return Ok(Some(document.to_owned()));
    }
    let policy = reader.get(&POLICIES, arn)?;
    Ok(policy.and_then(|mut policy| {
        let version = policy.versions.remove(&policy.default_version)?;
        Some(version.document)
    }))
}

/// The document of one of AWS's own policies.
pub(crate) fn of_aws(arn: &str) -> Option<&'static str> {
    match arn.strip_prefix("arn:aws:iam::aws:policy/")? {
        "AdministratorAccess" => Some(ADMINISTRATOR_ACCESS),
        "AmazonEC2ContainerRegistryReadOnly" => Some(REGISTRY_READ_ONLY),
        "AmazonEC2ContainerRegistryPowerUser" => Some(REGISTRY_POWER_USER),
        "AmazonEC2ContainerRegistryFullAccess" => Some(REGISTRY_FULL_ACCESS),
        "AmazonEC2ContainerRegistryPullOnly" => Some(REGISTRY_PULL_ONLY),
        _ => None,
    }
}
