//! The shapes that several requests share.

use super::pattern::{
    DIGEST, EXCLUSION, IMAGE_TAG, PREFIX, PRINCIPAL, REGION, REGISTRY_ID, REPLICATION,
    REPOSITORY_NAME, SCANNING, SECRET, SIGNING, SIGNING_PROFILE, TEMPLATE_KEY, UPLOAD_ID,
};
use super::shape::{Member, Shape, Text, Voice, any_text, list, optional, pattern, required, text};

/// A parameter that the service checks itself, under its own name.
const fn service(name: &'static str, least: usize, most: usize, pattern: &'static str) -> Shape {
    Shape::Text(Text {
        least,
        most,
        pattern: Some(pattern),
        voice: Voice::Service(name),
    })
}

pub(super) const NAME: Shape = service("repositoryName", 2, 256, REPOSITORY_NAME);
pub(super) const REGISTRY: Member = optional(
    "registryId",
    service("registryId", 0, usize::MAX, REGISTRY_ID),
);
pub(super) const REPOSITORY: Member = required("repositoryName", NAME);
pub(super) const PLAIN_REGISTRY_ID: Shape = pattern(0, usize::MAX, REGISTRY_ID);
pub(super) const UPLOAD: Member = required("uploadId", pattern(0, usize::MAX, UPLOAD_ID));
pub(super) const LAYER_DIGEST: Shape = service("layerDigest", 0, usize::MAX, DIGEST);
pub(super) const LAYER_DIGEST_TEXT: Shape = text(0, 1000);
pub(super) const TAG_NAME: Shape = service("imageTag", 1, 300, IMAGE_TAG);

pub(super) const NEXT_TOKEN: Member = optional("nextToken", any_text());
pub(super) const MAX_RESULTS: Member = max_results(1000);

pub(super) const fn max_results(most: i64) -> Member {
    optional("maxResults", Shape::Number { least: 1, most })
}

/// An image id is checked by each operation: `BatchGetImage` answers a bad one
/// as a failure among others.
pub(super) const IMAGE_ID: Shape = Shape::Structure(&[
    optional("imageDigest", any_text()),
    optional("imageTag", text(1, 300)),
]);
pub(super) const IMAGE_IDS: Shape = list(1, 100, &IMAGE_ID);

pub(super) const TAG: Shape =
    Shape::Structure(&[required("Key", any_text()), required("Value", any_text())]);
pub(super) const TAGS: Shape = list(0, usize::MAX, &TAG);

pub(super) const TAG_STATUS: Member =
    optional("tagStatus", Shape::Choice(&["TAGGED", "UNTAGGED", "ANY"]));
pub(super) const STATUSES: Shape = Shape::Choice(&["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"]);
pub(super) const IMAGES_FILTER: Shape =
    Shape::Structure(&[TAG_STATUS, optional("imageStatus", STATUSES)]);

/// The order in which AWS's sentence lists the values.
pub(super) const MUTABILITY: Shape = Shape::Choice(&[
    "IMMUTABLE",
    "MUTABLE",
    "MUTABLE_WITH_EXCLUSION",
    "IMMUTABLE_WITH_EXCLUSION",
]);
pub(super) const EXCLUSIONS: Member = optional(
    "imageTagMutabilityExclusionFilters",
    list(
        1,
        5,
        &Shape::Structure(&[
            required("filterType", Shape::Choice(&["WILDCARD"])),
            required("filter", pattern(1, 128, EXCLUSION)),
        ]),
    ),
);
pub(super) const SCANNING_CONFIGURATION: Shape =
    Shape::Structure(&[optional("scanOnPush", Shape::Flag)]);
const ENCRYPTION_TYPE: Member = required(
    "encryptionType",
    Shape::Choice(&["AES256", "KMS", "KMS_DSSE"]),
);
pub(super) const ENCRYPTION: Shape =
    Shape::Structure(&[ENCRYPTION_TYPE, optional("kmsKey", text(1, 2048))]);
pub(super) const TEMPLATE_ENCRYPTION: Shape = Shape::Structure(&[
    ENCRYPTION_TYPE,
    optional("kmsKey", pattern(0, 2048, TEMPLATE_KEY)),
]);

pub(super) const LIFECYCLE_TEXT: Shape = text(100, 30_720);
pub(super) const POLICY_TEXT: Shape = text(0, 10_240);

pub(super) const TEMPLATE_PREFIX: Shape = pattern(1, 256, PREFIX);
pub(super) const CACHE_PREFIX: Shape = pattern(2, 30, PREFIX);
pub(super) const CREDENTIAL: Member = optional("credentialArn", pattern(50, 612, SECRET));
pub(super) const ROLE: Member = optional("customRoleArn", text(0, 2048));
pub(super) const SCENARIOS: Shape = list(
    0,
    usize::MAX,
    &Shape::Choice(&["REPLICATION", "PULL_THROUGH_CACHE", "CREATE_ON_PUSH"]),
);

pub(super) const PULL_TIME: Member = required("principalArn", pattern(0, 200, PRINCIPAL));

pub(super) const SCANNING_RULES: Shape = list(
    0,
    2,
    &Shape::Structure(&[
        required(
            "scanFrequency",
            Shape::Choice(&["SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL"]),
        ),
        required(
            "repositoryFilters",
            list(
                0,
                100,
                &Shape::Structure(&[
                    required("filter", pattern(1, 255, SCANNING)),
                    required("filterType", Shape::Choice(&["WILDCARD"])),
                ]),
            ),
        ),
    ]),
);

pub(super) const REPLICATION_RULES: Shape = list(
    0,
    10,
    &Shape::Structure(&[
        required(
            "destinations",
            list(
                0,
                100,
                &Shape::Structure(&[
                    required("region", pattern(2, 25, REGION)),
                    required("registryId", PLAIN_REGISTRY_ID),
                ]),
            ),
        ),
        optional(
            "repositoryFilters",
            list(
                1,
                100,
                &Shape::Structure(&[
                    required("filter", pattern(2, 256, REPLICATION)),
                    required("filterType", Shape::Choice(&["PREFIX_MATCH"])),
                ]),
            ),
        ),
    ]),
);

pub(super) const SIGNING_RULES: Shape = list(
    0,
    10,
    &Shape::Structure(&[
        required("signingProfileArn", pattern(0, 200, SIGNING_PROFILE)),
        optional(
            "repositoryFilters",
            list(
                1,
                100,
                &Shape::Structure(&[
                    required("filter", pattern(1, 256, SIGNING)),
                    required("filterType", Shape::Choice(&["WILDCARD_MATCH"])),
                ]),
            ),
        ),
    ]),
);
