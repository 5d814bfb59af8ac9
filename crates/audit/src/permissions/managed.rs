//! AWS's own policies that have to do with container registries. Documents: AWS
//! Managed Policy Reference Guide.

use std::fmt::Write as _;

const READ: [&str; 12] = [
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:GetRepositoryPolicy",
    "ecr:DescribeRepositories",
    "ecr:ListImages",
    "ecr:DescribeImages",
    "ecr:BatchGetImage",
    "ecr:GetLifecyclePolicy",
    "ecr:GetLifecyclePolicyPreview",
    "ecr:ListTagsForResource",
    "ecr:DescribeImageScanFindings",
];
const WRITE: [&str; 4] = [
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
];
const PULL: [&str; 4] = [
    "ecr:GetAuthorizationToken",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchImportUpstreamImage",
];

/// The document of one of AWS's own policies, as far as it concerns ECR.
pub(super) fn document(arn: &str) -> Option<String> {
    let name = arn.rsplit_once("::aws:policy/")?.1;
    let actions: Vec<&str> = match name {
        "AdministratorAccess" => vec!["*"],
        "IAMFullAccess" => vec!["iam:*", "organizations:Describe*", "organizations:List*"],
        "PowerUserAccess" | "AmazonEC2ContainerRegistryFullAccess" => vec!["ecr:*"],
        "AmazonEC2ContainerRegistryPowerUser" => [&READ[..], &WRITE].concat(),
        "AmazonEC2ContainerRegistryReadOnly" => READ.to_vec(),
        "AmazonEC2ContainerRegistryPullOnly" => PULL.to_vec(),
        _ => return None,
    };
    Some(allowing(&actions))
}

/// A document that allows `actions` everywhere.
pub(super) fn allowing(actions: &[&str]) -> String {
    let mut list = String::new();
    for action in actions {
        let comma = if list.is_empty() { "" } else { "," };
        let _ = write!(list, "{comma}\"{action}\"");
    }
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{list}],"Resource":"*"}}]}}"#
    )
}
