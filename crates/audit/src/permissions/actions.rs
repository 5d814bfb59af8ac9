//! The actions of ECR, and what a publish needs of them.

/// What an action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// A repository, by its ARN.
    Repository,
    /// The registry: a policy can only say `*`.
    Registry,
}

/// Whether an action changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Reads,
    Changes,
}

/// An action of ECR.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EcrAction {
    /// As policies name it.
    pub(crate) name: &'static str,
    /// What it is about.
    pub(crate) level: Level,
    uses: Use,
}

const fn action(name: &'static str, level: Level, uses: Use) -> EcrAction {
    EcrAction { name, level, uses }
}

use Level::{Registry, Repository};
use Use::{Changes, Reads};

/// The login, which is for the registry as a whole.
pub(crate) const TOKEN: &str = "ecr:GetAuthorizationToken";

/// What a publish needs (Amazon ECR User Guide, "IAM permissions for pushing an
/// image to an Amazon ECR private repository").
pub(crate) const NEEDED: [&str; 7] = [
    TOKEN,
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
];

/// What a publish to one of several repositories needs: what is about none of them only
/// where it is the `first`.
pub(crate) fn needed(first: bool) -> impl Iterator<Item = &'static str> {
    let of_it = move |action: &&str| first || *action != TOKEN;
    NEEDED.into_iter().filter(of_it)
}

/// All actions (Service Authorization Reference, "Actions, resources, and
/// condition keys for Amazon Elastic Container Registry").
pub(crate) const ECR_ACTIONS: &[EcrAction] = &[
    action("ecr:BatchCheckLayerAvailability", Repository, Reads),
    action("ecr:BatchDeleteImage", Repository, Changes),
    action("ecr:BatchGetImage", Repository, Reads),
    action(
        "ecr:BatchGetRepositoryScanningConfiguration",
        Repository,
        Reads,
    ),
    action("ecr:BatchImportUpstreamImage", Repository, Changes),
    action("ecr:CompleteLayerUpload", Repository, Changes),
    action("ecr:CreatePullThroughCacheRule", Registry, Changes),
    action("ecr:CreateRepository", Repository, Changes),
    action("ecr:CreateRepositoryCreationTemplate", Registry, Changes),
    action("ecr:DeleteLifecyclePolicy", Repository, Changes),
    action("ecr:DeletePullThroughCacheRule", Registry, Changes),
    action("ecr:DeleteRegistryPolicy", Registry, Changes),
    action("ecr:DeleteRepository", Repository, Changes),
    action("ecr:DeleteRepositoryCreationTemplate", Registry, Changes),
    action("ecr:DeleteRepositoryPolicy", Repository, Changes),
    action("ecr:DeleteSigningConfiguration", Registry, Changes),
    action("ecr:DeregisterPullTimeUpdateExclusion", Registry, Changes),
    action("ecr:DescribeImageReplicationStatus", Repository, Reads),
    action("ecr:DescribeImageScanFindings", Repository, Reads),
    action("ecr:DescribeImageSigningStatus", Repository, Reads),
    action("ecr:DescribeImages", Repository, Reads),
    action("ecr:DescribePullThroughCacheRules", Registry, Reads),
    action("ecr:DescribeRegistry", Registry, Reads),
    action("ecr:DescribeRepositories", Repository, Reads),
    action("ecr:DescribeRepositoryCreationTemplates", Registry, Reads),
    action("ecr:GetAccountSetting", Registry, Reads),
    action("ecr:GetAuthorizationToken", Registry, Reads),
    action("ecr:GetDownloadUrlForLayer", Repository, Reads),
    action("ecr:GetLifecyclePolicy", Repository, Reads),
    action("ecr:GetLifecyclePolicyPreview", Repository, Reads),
    action("ecr:GetRegistryPolicy", Registry, Reads),
    action("ecr:GetRegistryScanningConfiguration", Registry, Reads),
    action("ecr:GetRepositoryPolicy", Repository, Reads),
    action("ecr:GetSigningConfiguration", Registry, Reads),
    action("ecr:InitiateLayerUpload", Repository, Changes),
    action("ecr:ListImages", Repository, Reads),
    action("ecr:ListPullTimeUpdateExclusions", Registry, Reads),
    action("ecr:ListTagsForResource", Repository, Reads),
    action("ecr:PutAccountSetting", Registry, Changes),
    action("ecr:PutImage", Repository, Changes),
    action("ecr:PutImageScanningConfiguration", Repository, Changes),
    action("ecr:PutImageTagMutability", Repository, Changes),
    action("ecr:PutLifecyclePolicy", Repository, Changes),
    action("ecr:PutRegistryPolicy", Registry, Changes),
    action("ecr:PutRegistryScanningConfiguration", Registry, Changes),
    action("ecr:PutReplicationConfiguration", Registry, Changes),
    action("ecr:PutSigningConfiguration", Registry, Changes),
    action("ecr:RegisterPullTimeUpdateExclusion", Registry, Changes),
    action("ecr:ReplicateImage", Repository, Changes),
    action("ecr:SetRepositoryPolicy", Repository, Changes),
    // A scan changes nothing but what is known of the image.
    action("ecr:StartImageScan", Repository, Reads),
    action("ecr:StartLifecyclePolicyPreview", Repository, Reads),
    action("ecr:TagResource", Repository, Changes),
    action("ecr:UntagResource", Repository, Changes),
    action("ecr:UpdateImageStorageClass", Repository, Changes),
    action("ecr:UpdatePullThroughCacheRule", Registry, Changes),
    action("ecr:UpdateRepositoryCreationTemplate", Registry, Changes),
    action("ecr:UploadLayerPart", Repository, Changes),
    action("ecr:ValidatePullThroughCacheRule", Registry, Reads),
];

/// Whether an action changes what a repository holds or who may change it; the
/// upload of a layer that no image has changes nothing that anyone pulls.
pub(crate) fn changes_images(action: &EcrAction) -> bool {
    let changes = action.level == Repository && action.uses == Changes;
    changes && (action.name == "ecr:PutImage" || !NEEDED.contains(&action.name))
}

/// Actions of other services that belong to a publish, or that show nothing:
/// a public base image wants the second and third, signed images the others.
const BESIDE: [&str; 5] = [
    "sts:getcalleridentity",
    "sts:getservicebearertoken",
    "ecr-public:getauthorizationtoken",
    "signer:signpayload",
    "signer:getsigningprofile",
];

/// Whether a publisher may have an action without anyone having to wonder: it is
/// needed, or it only reads what describes the registry.
pub(crate) fn harmless(name: &str) -> bool {
    let same = |other: &str| name.eq_ignore_ascii_case(other);
    if let Some(known) = ECR_ACTIONS.iter().find(|action| same(action.name)) {
        return known.uses == Reads || NEEDED.iter().any(|needed| same(needed));
    }
    let lower = name.to_ascii_lowercase();
    let verb = lower.split_once(':').map_or("", |(_, verb)| verb);
    verb.starts_with("describe") || verb.starts_with("list") || BESIDE.contains(&lower.as_str())
}
