//! Managed policies: the customer's from the store, and those few of AWS's own
//! that have to do with container registries.
//!
//! Documents: AWS Managed Policy Reference Guide.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::records::{ManagedPolicy, Origin, POLICIES, PolicyVersion, Tags};
use crate::store::{StoreError, View};

/// The document of `arn:aws:iam::aws:policy/AdministratorAccess`.
pub(crate) const ADMINISTRATOR_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

const REGISTRY_READ_ONLY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:GetRepositoryPolicy","ecr:DescribeRepositories","ecr:ListImages","ecr:DescribeImages","ecr:BatchGetImage","ecr:GetLifecyclePolicy","ecr:GetLifecyclePolicyPreview","ecr:ListTagsForResource","ecr:DescribeImageScanFindings"],"Resource":"*"}]}"#;

const REGISTRY_POWER_USER: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer","ecr:GetRepositoryPolicy","ecr:DescribeRepositories","ecr:ListImages","ecr:DescribeImages","ecr:BatchGetImage","ecr:GetLifecyclePolicy","ecr:GetLifecyclePolicyPreview","ecr:ListTagsForResource","ecr:DescribeImageScanFindings","ecr:InitiateLayerUpload","ecr:UploadLayerPart","ecr:CompleteLayerUpload","ecr:PutImage"],"Resource":"*"}]}"#;

const REGISTRY_FULL_ACCESS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:*","cloudtrail:LookupEvents"],"Resource":"*"},{"Effect":"Allow","Action":["iam:CreateServiceLinkedRole"],"Resource":"*","Condition":{"StringEquals":{"iam:AWSServiceName":["replication.ecr.amazonaws.com"]}}}]}"#;

const REGISTRY_PULL_ONLY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToken","ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchImportUpstreamImage"],"Resource":"*"}]}"#;

/// AWS's own policies that are here, by name.
const OF_AWS: [(&str, &str); 5] = [
    ("AdministratorAccess", ADMINISTRATOR_ACCESS),
    ("AmazonEC2ContainerRegistryFullAccess", REGISTRY_FULL_ACCESS),
    ("AmazonEC2ContainerRegistryPowerUser", REGISTRY_POWER_USER),
    ("AmazonEC2ContainerRegistryPullOnly", REGISTRY_PULL_ONLY),
    ("AmazonEC2ContainerRegistryReadOnly", REGISTRY_READ_ONLY),
];

const PREFIX: &str = "arn:aws:iam::aws:policy/";

/// The document in force of the managed policy `arn`; `None` when there is no
/// such policy here.
pub(crate) fn document(records: &impl View, arn: &str) -> Result<Option<String>, StoreError> {
    if let Some(document) = of_aws(arn) {
        return Ok(Some(document.to_owned()));
    }
    let policy = records.get(&POLICIES, arn)?;
    Ok(policy.and_then(|mut policy| {
        let version = policy.versions.remove(&policy.default_version)?;
        Some(version.document)
    }))
}

/// The document of one of AWS's own policies.
pub(crate) fn of_aws(arn: &str) -> Option<&'static str> {
    let name = arn.strip_prefix(PREFIX)?;
    let found = OF_AWS.iter().find(|(known, _)| *known == name);
    found.map(|(_, document)| *document)
}

/// One of AWS's own policies as a record. Its id, its date and the number of its
/// version are not AWS's: these are not documented.
pub(super) fn record_of_aws(arn: &str) -> Option<ManagedPolicy> {
    let document = of_aws(arn)?;
    let name = arn.strip_prefix(PREFIX)?;
    let hash = hex::encode_upper(Sha256::digest(name));
    let version = PolicyVersion {
        document: document.to_owned(),
        created: Timestamp::UNIX_EPOCH,
    };
    Some(ManagedPolicy {
        name: name.to_owned(),
        path: "/".to_owned(),
        arn: arn.to_owned(),
        id: format!("ANPA{}", &hash[..17]),
        created: Timestamp::UNIX_EPOCH,
        updated: Timestamp::UNIX_EPOCH,
        origin: Origin::Call,
        description: None,
        versions: BTreeMap::from([(1, version)]),
        default_version: 1,
        last_version: 1,
        tags: Tags::new(),
    })
}

/// All of AWS's own policies that are here.
pub(super) fn records_of_aws() -> Vec<ManagedPolicy> {
    OF_AWS
        .iter()
        .filter_map(|(name, _)| record_of_aws(&format!("{PREFIX}{name}")))
        .collect()
}
