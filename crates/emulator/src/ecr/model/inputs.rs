//! The input of every operation, in the order of the service model.

use super::shape::{Member, Shape, any_text, list, optional, required, text};
use super::shapes::{
    CACHE_PREFIX, CREDENTIAL, ENCRYPTION, EXCLUSIONS, IMAGE_ID, IMAGE_IDS, IMAGES_FILTER,
    LAYER_DIGEST, LAYER_DIGEST_TEXT, LIFECYCLE_TEXT, MAX_RESULTS, MUTABILITY, NAME, NEXT_TOKEN,
    PLAIN_REGISTRY_ID, POLICY_TEXT, PULL_TIME, REGISTRY, REPLICATION_RULES, REPOSITORY, ROLE,
    SCANNING_CONFIGURATION, SCANNING_RULES, SCENARIOS, SIGNING_RULES, STATUSES, TAG_NAME,
    TAG_STATUS, TAGS, TEMPLATE_ENCRYPTION, TEMPLATE_PREFIX, UPLOAD, max_results,
};

type Input = &'static [Member];

/// Most bytes of a layer part.
const MAXIMUM_PART: usize = 20_971_520;

pub(in crate::ecr) const NOTHING: Input = &[];
pub(in crate::ecr) const ONE_REPOSITORY: Input = &[REGISTRY, REPOSITORY];
pub(in crate::ecr) const BATCH_CHECK_LAYER_AVAILABILITY: Input = &[
    REGISTRY,
    REPOSITORY,
    required("layerDigests", list(1, 100, &LAYER_DIGEST_TEXT)),
];
pub(in crate::ecr) const BATCH_DELETE_IMAGE: Input =
    &[REGISTRY, REPOSITORY, required("imageIds", IMAGE_IDS)];
pub(in crate::ecr) const BATCH_GET_IMAGE: Input = &[
    REGISTRY,
    REPOSITORY,
    required("imageIds", IMAGE_IDS),
    optional("acceptedMediaTypes", list(1, 100, &any_text())),
];
pub(in crate::ecr) const BATCH_GET_REPOSITORY_SCANNING_CONFIGURATION: Input =
    &[required("repositoryNames", list(1, 25, &NAME))];
pub(in crate::ecr) const COMPLETE_LAYER_UPLOAD: Input = &[
    REGISTRY,
    REPOSITORY,
    UPLOAD,
    required("layerDigests", list(1, 100, &LAYER_DIGEST)),
];
pub(in crate::ecr) const CREATE_PULL_THROUGH_CACHE_RULE: Input = &[
    required("ecrRepositoryPrefix", CACHE_PREFIX),
    required("upstreamRegistryUrl", any_text()),
    REGISTRY,
    optional(
        "upstreamRegistry",
        Shape::Choice(&[
            "ecr",
            "ecr-public",
            "quay",
            "k8s",
            "docker-hub",
            "github-container-registry",
            "azure-container-registry",
            "gitlab-container-registry",
            "chainguard",
        ]),
    ),
    CREDENTIAL,
    ROLE,
    optional("upstreamRepositoryPrefix", CACHE_PREFIX),
];
pub(in crate::ecr) const CREATE_REPOSITORY: Input = &[
    REGISTRY,
    REPOSITORY,
    optional("tags", TAGS),
    optional("imageTagMutability", MUTABILITY),
    EXCLUSIONS,
    optional("imageScanningConfiguration", SCANNING_CONFIGURATION),
    optional("encryptionConfiguration", ENCRYPTION),
];
pub(in crate::ecr) const CREATE_TEMPLATE: Input = &[
    required("prefix", TEMPLATE_PREFIX),
    optional("description", text(0, 256)),
    optional("encryptionConfiguration", TEMPLATE_ENCRYPTION),
    optional("resourceTags", TAGS),
    optional("imageTagMutability", MUTABILITY),
    EXCLUSIONS,
    optional("repositoryPolicy", POLICY_TEXT),
    optional("lifecyclePolicy", text(0, 30_720)),
    required("appliedFor", SCENARIOS),
    ROLE,
];
pub(in crate::ecr) const UPDATE_TEMPLATE: Input = &[
    required("prefix", TEMPLATE_PREFIX),
    optional("description", text(0, 256)),
    optional("encryptionConfiguration", TEMPLATE_ENCRYPTION),
    optional("resourceTags", TAGS),
    optional("imageTagMutability", MUTABILITY),
    EXCLUSIONS,
    optional("repositoryPolicy", POLICY_TEXT),
    optional("lifecyclePolicy", text(0, 30_720)),
    optional("appliedFor", SCENARIOS),
    ROLE,
];
pub(in crate::ecr) const DELETE_TEMPLATE: Input = &[required("prefix", TEMPLATE_PREFIX)];
pub(in crate::ecr) const DESCRIBE_TEMPLATES: Input = &[
    optional("prefixes", list(0, usize::MAX, &TEMPLATE_PREFIX)),
    NEXT_TOKEN,
    MAX_RESULTS,
];
pub(in crate::ecr) const ONE_CACHE_RULE: Input =
    &[required("ecrRepositoryPrefix", CACHE_PREFIX), REGISTRY];
pub(in crate::ecr) const UPDATE_PULL_THROUGH_CACHE_RULE: Input = &[
    REGISTRY,
    required("ecrRepositoryPrefix", CACHE_PREFIX),
    CREDENTIAL,
    ROLE,
];
pub(in crate::ecr) const DESCRIBE_PULL_THROUGH_CACHE_RULES: Input = &[
    REGISTRY,
    optional("ecrRepositoryPrefixes", list(1, 100, &CACHE_PREFIX)),
    NEXT_TOKEN,
    MAX_RESULTS,
];
pub(in crate::ecr) const DELETE_REPOSITORY: Input =
    &[REGISTRY, REPOSITORY, optional("force", Shape::Flag)];
pub(in crate::ecr) const ONE_PULL_TIME_EXCLUSION: Input = &[PULL_TIME];
pub(in crate::ecr) const ONE_IMAGE: Input = &[REPOSITORY, required("imageId", IMAGE_ID), REGISTRY];
pub(in crate::ecr) const DESCRIBE_IMAGE_SCAN_FINDINGS: Input = &[
    REGISTRY,
    REPOSITORY,
    required("imageId", IMAGE_ID),
    NEXT_TOKEN,
    MAX_RESULTS,
];
pub(in crate::ecr) const DESCRIBE_IMAGES: Input = &[
    REGISTRY,
    REPOSITORY,
    optional("imageIds", IMAGE_IDS),
    NEXT_TOKEN,
    MAX_RESULTS,
    optional("filter", IMAGES_FILTER),
];
pub(in crate::ecr) const DESCRIBE_REPOSITORIES: Input = &[
    REGISTRY,
    optional("repositoryNames", list(1, 100, &NAME)),
    NEXT_TOKEN,
    MAX_RESULTS,
];
pub(in crate::ecr) const GET_ACCOUNT_SETTING: Input = &[required("name", text(1, 64))];
pub(in crate::ecr) const PUT_ACCOUNT_SETTING: Input =
    &[required("name", text(1, 64)), required("value", any_text())];
pub(in crate::ecr) const GET_AUTHORIZATION_TOKEN: Input =
    &[optional("registryIds", list(1, 10, &PLAIN_REGISTRY_ID))];
pub(in crate::ecr) const GET_DOWNLOAD_URL_FOR_LAYER: Input =
    &[REGISTRY, REPOSITORY, required("layerDigest", LAYER_DIGEST)];
pub(in crate::ecr) const GET_LIFECYCLE_POLICY_PREVIEW: Input = &[
    REGISTRY,
    REPOSITORY,
    optional("imageIds", IMAGE_IDS),
    NEXT_TOKEN,
    max_results(100),
    optional("filter", Shape::Structure(&[TAG_STATUS])),
];
pub(in crate::ecr) const LIST_IMAGE_REFERRERS: Input = &[
    REGISTRY,
    REPOSITORY,
    required(
        "subjectId",
        Shape::Structure(&[required("imageDigest", any_text())]),
    ),
    optional(
        "filter",
        Shape::Structure(&[
            optional("artifactTypes", list(0, 5, &text(1, 255))),
            optional("artifactStatus", STATUSES),
        ]),
    ),
    NEXT_TOKEN,
    max_results(50),
];
pub(in crate::ecr) const LIST_IMAGES: Input = &[
    REGISTRY,
    REPOSITORY,
    NEXT_TOKEN,
    MAX_RESULTS,
    optional("filter", IMAGES_FILTER),
];
pub(in crate::ecr) const PAGE: Input = &[MAX_RESULTS, NEXT_TOKEN];
pub(in crate::ecr) const ONE_RESOURCE: Input = &[required("resourceArn", any_text())];
pub(in crate::ecr) const TAG_RESOURCE: Input =
    &[required("resourceArn", any_text()), required("tags", TAGS)];
pub(in crate::ecr) const UNTAG_RESOURCE: Input = &[
    required("resourceArn", any_text()),
    required("tagKeys", list(0, usize::MAX, &any_text())),
];
pub(in crate::ecr) const PUT_IMAGE: Input = &[
    REGISTRY,
    REPOSITORY,
    required("imageManifest", text(1, 4_194_304)),
    optional("imageManifestMediaType", any_text()),
    optional("imageTag", TAG_NAME),
    optional("imageDigest", any_text()),
];
pub(in crate::ecr) const PUT_IMAGE_SCANNING_CONFIGURATION: Input = &[
    REGISTRY,
    REPOSITORY,
    required("imageScanningConfiguration", SCANNING_CONFIGURATION),
];
pub(in crate::ecr) const PUT_IMAGE_TAG_MUTABILITY: Input = &[
    REGISTRY,
    REPOSITORY,
    required("imageTagMutability", MUTABILITY),
    EXCLUSIONS,
];
pub(in crate::ecr) const PUT_LIFECYCLE_POLICY: Input = &[
    REGISTRY,
    REPOSITORY,
    required("lifecyclePolicyText", LIFECYCLE_TEXT),
];
pub(in crate::ecr) const START_LIFECYCLE_POLICY_PREVIEW: Input = &[
    REGISTRY,
    REPOSITORY,
    optional("lifecyclePolicyText", LIFECYCLE_TEXT),
];
pub(in crate::ecr) const PUT_REGISTRY_POLICY: Input = &[required("policyText", POLICY_TEXT)];
pub(in crate::ecr) const PUT_REGISTRY_SCANNING_CONFIGURATION: Input = &[
    optional("scanType", Shape::Choice(&["BASIC", "ENHANCED"])),
    optional("rules", SCANNING_RULES),
];
pub(in crate::ecr) const PUT_REPLICATION_CONFIGURATION: Input = &[required(
    "replicationConfiguration",
    Shape::Structure(&[required("rules", REPLICATION_RULES)]),
)];
pub(in crate::ecr) const PUT_SIGNING_CONFIGURATION: Input = &[required(
    "signingConfiguration",
    Shape::Structure(&[required("rules", SIGNING_RULES)]),
)];
pub(in crate::ecr) const SET_REPOSITORY_POLICY: Input = &[
    REGISTRY,
    REPOSITORY,
    required("policyText", POLICY_TEXT),
    optional("force", Shape::Flag),
];
pub(in crate::ecr) const UPDATE_IMAGE_STORAGE_CLASS: Input = &[
    REGISTRY,
    REPOSITORY,
    required("imageId", IMAGE_ID),
    required(
        "targetStorageClass",
        Shape::Choice(&["STANDARD", "ARCHIVE"]),
    ),
];
pub(in crate::ecr) const UPLOAD_LAYER_PART: Input = &[
    REGISTRY,
    REPOSITORY,
    UPLOAD,
    required("partFirstByte", POSITION),
    required("partLastByte", POSITION),
    required("layerPartBlob", Shape::Bytes(MAXIMUM_PART)),
];
const POSITION: Shape = Shape::Number {
    least: 0,
    most: i64::MAX,
};
