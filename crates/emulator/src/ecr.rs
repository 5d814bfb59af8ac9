//! ECR's control plane: the operations of its JSON API, and the records that
//! the registry shares with it.
//!
//! Shapes are those of the service model `ecr-2015-09-21`. Each operation is
//! decided by the policy engine before it reads or writes a record. It must
//! not know HTTP; the front speaks AWS JSON 1.1 for it.

mod call;
mod contents;
mod deletion;
mod error;
mod image;
mod image_batch;
mod image_queries;
mod layer_upload;
mod layers;
mod lifecycle;
mod manifest;
mod mutability;
mod parameters;
mod records;
mod referrers;
mod registry;
mod repository;
mod repository_policies;
mod repository_settings;
mod resource_tags;
mod seed;
mod token;

use serde_json::Value;

pub(crate) use call::Call;
pub(crate) use contents::tag_names;
pub(crate) use deletion::{Deletion, delete, remove_blob};
pub(crate) use error::{EcrError, code};
pub(crate) use image::{Put, find, note_pull, put};
pub(crate) use image_batch::image_json;
pub(crate) use layer_upload::PART_SIZE;
pub(crate) use layers::{KeepError, blob_size, keep};
pub(crate) use manifest::MAXIMUM_MANIFEST;
pub(crate) use records::repository_key;
pub(crate) use referrers::referrers;
pub(crate) use registry::{Registry, is_account, is_region};
pub(crate) use repository::all as all_repositories;
pub(crate) use seed::seed;

use crate::caller::Caller;
use crate::json_protocol::BODY_LIMIT;
use crate::state::State;
use crate::trail::{Note, of_json};

/// How long the body of an operation may be, in bytes: a part of a layer (20 MiB
/// in base 64) and a manifest (4 MiB, with its quotes escaped) are large.
pub(crate) fn body_limit(operation: &str) -> usize {
    match operation {
        "UploadLayerPart" => 28 << 20,
        "PutImage" => 8 << 20,
        _ => BODY_LIMIT,
    }
}

/// Performs `operation`, such as `CreateRepository`, for a verified caller.
/// Blocks on the disk: the front runs it where that is allowed.
pub(crate) fn handle(
    state: &State,
    caller: &Caller,
    operation: &str,
    body: Value,
    note: &Note,
) -> Result<Value, EcrError> {
    note.parameters(of_json(&body, PARAMETERS));
    let registry = parameters::registry(&body, caller)?;
    let call = Call {
        state,
        caller,
        registry: &registry,
        note,
    };
    match operation {
        "GetAuthorizationToken" => token::get_authorization_token(call, body),
        "DescribeRegistry" => repository::describe_registry(call),
        "CreateRepository" => repository::create(call, body),
        "DescribeRepositories" => repository::describe(call, body),
        "DeleteRepository" => repository::delete(call, body),
        "ListTagsForResource" => resource_tags::list(call, body),
        "TagResource" => resource_tags::tag(call, body),
        "UntagResource" => resource_tags::untag(call, body),
        "PutImageTagMutability" => repository_settings::put_tag_mutability(call, body),
        "PutImageScanningConfiguration" => repository_settings::put_scanning(call, body),
        "SetRepositoryPolicy" => repository_policies::set_policy(call, body),
        "GetRepositoryPolicy" => repository_policies::get_policy(call, body),
        "DeleteRepositoryPolicy" => repository_policies::delete_policy(call, body),
        "PutLifecyclePolicy" => repository_policies::put_lifecycle(call, body),
        "GetLifecyclePolicy" => repository_policies::get_lifecycle(call, body),
        "DeleteLifecyclePolicy" => repository_policies::delete_lifecycle(call, body),
        _ => image_operation(call, operation, body),
    }
}

fn image_operation(call: Call<'_>, operation: &str, body: Value) -> Result<Value, EcrError> {
    match operation {
        "DescribeImages" => image_queries::describe(call, body),
        "ListImages" => image_queries::list(call, body),
        "ListImageReferrers" => referrers::list(call, body),
        "BatchGetImage" => image_batch::get(call, body),
        "BatchDeleteImage" => image_batch::delete(call, body),
        "PutImage" => image_batch::put(call, body),
        "BatchCheckLayerAvailability" => layers::check_availability(call, body),
        "GetDownloadUrlForLayer" => layers::download_url(call, body),
        "InitiateLayerUpload" => layer_upload::initiate(call, body),
        "UploadLayerPart" => layer_upload::part(call, body),
        "CompleteLayerUpload" => layer_upload::complete(call, body),
        _ => Err(EcrError::client(
            "UnknownOperationException",
            format!("The emulator does not perform the operation {operation}."),
        )),
    }
}

/// Parameters of the service model that the trail keeps: all but the bytes of
/// a layer.
const PARAMETERS: &[&str] = &[
    "acceptedMediaTypes",
    "appliedFor",
    "credentialArn",
    "customRoleArn",
    "description",
    "ecrRepositoryPrefix",
    "ecrRepositoryPrefixes",
    "encryptionConfiguration",
    "filter",
    "force",
    "imageDigest",
    "imageId",
    "imageIds",
    "imageManifest",
    "imageManifestMediaType",
    "imageScanningConfiguration",
    "imageTag",
    "imageTagMutability",
    "imageTagMutabilityExclusionFilters",
    "layerDigest",
    "layerDigests",
    "lifecyclePolicy",
    "lifecyclePolicyText",
    "maxResults",
    "name",
    "nextToken",
    "partFirstByte",
    "partLastByte",
    "policyText",
    "prefix",
    "prefixes",
    "principalArn",
    "registryId",
    "registryIds",
    "replicationConfiguration",
    "repositoryName",
    "repositoryNames",
    "repositoryPolicy",
    "resourceArn",
    "resourceTags",
    "rules",
    "scanType",
    "signingConfiguration",
    "subjectId",
    "tagKeys",
    "tags",
    "targetStorageClass",
    "uploadId",
    "upstreamRegistry",
    "upstreamRegistryUrl",
    "upstreamRepositoryPrefix",
    "value",
];
