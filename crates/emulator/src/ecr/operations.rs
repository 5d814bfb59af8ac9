//! The operations of ECR that are here: what each takes, who answers it, and
//! where its behaviour is from.

use serde_json::Value;

use super::model::{self, Member};
use super::{
    Call, EcrError, account_settings, creation_templates, image_batch, image_queries, layer_upload,
    layers, lifecycle, pull_through_cache, pull_time_exclusions, referrers, registry_policy,
    replication, repository, repository_policies, repository_settings, resource_tags, scanning,
    signing, storage_class, token,
};
use crate::fidelity::Fidelity::{self, Documented, Inferred, Refused};

type Handler = fn(Call<'_>, Value) -> Result<Value, EcrError>;

/// An operation.
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) input: &'static [Member],
    pub(super) perform: Handler,
    pub(super) fidelity: Fidelity,
}

impl Operation {
    /// The operation of this name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.name == name)
    }

    /// Whether the request may name another registry than the caller's own.
    pub(super) fn names_registry(&self) -> bool {
        self.input.iter().any(|member| member.name == "registryId")
    }
}

/// How near an operation is to AWS's; `None` for those that are not here.
pub(super) fn fidelity(name: &str) -> Option<Fidelity> {
    Operation::find(name).map(|operation| operation.fidelity)
}

const fn operation(
    name: &'static str,
    input: &'static [Member],
    perform: Handler,
    fidelity: Fidelity,
) -> Operation {
    Operation {
        name,
        input,
        perform,
        fidelity,
    }
}

const MODEL: Fidelity = Documented("service model");

/// By name.
#[rustfmt::skip] // one line for each operation, to be read as a table
static OPERATIONS: [Operation; 58] = [
    operation("BatchCheckLayerAvailability", model::BATCH_CHECK_LAYER_AVAILABILITY, layers::check_availability, MODEL),
    operation("BatchDeleteImage", model::BATCH_DELETE_IMAGE, image_batch::delete, Documented("service model; User Guide, Deleting an image")),
    operation("BatchGetImage", model::BATCH_GET_IMAGE, image_batch::get, Inferred("an archived image is a failure ImageInaccessible; a manifest that cannot be translated is given as it is; the digest stays that of the stored manifest")),
    operation("BatchGetRepositoryScanningConfiguration", model::BATCH_GET_REPOSITORY_SCANNING_CONFIGURATION, scanning::of_repositories, Documented("service model; User Guide, Filters to choose which repositories are scanned")),
    operation("CompleteLayerUpload", model::COMPLETE_LAYER_UPLOAD, layer_upload::complete, MODEL),
    operation("CreatePullThroughCacheRule", model::CREATE_PULL_THROUGH_CACHE_RULE, pull_through_cache::create, Refused("an upstream registry that it does not support")),
    operation("CreateRepository", model::CREATE_REPOSITORY, repository::create, MODEL),
    operation("CreateRepositoryCreationTemplate", model::CREATE_TEMPLATE, creation_templates::create, Documented("service model; User Guide, Repository creation templates")),
    operation("DeleteLifecyclePolicy", model::ONE_REPOSITORY, repository_policies::delete_lifecycle, MODEL),
    operation("DeletePullThroughCacheRule", model::ONE_CACHE_RULE, pull_through_cache::delete, Documented("service model; there is never a rule")),
    operation("DeleteRegistryPolicy", model::NOTHING, registry_policy::delete, MODEL),
    operation("DeleteRepository", model::DELETE_REPOSITORY, repository::delete, MODEL),
    operation("DeleteRepositoryCreationTemplate", model::DELETE_TEMPLATE, creation_templates::delete, MODEL),
    operation("DeleteRepositoryPolicy", model::ONE_REPOSITORY, repository_policies::delete_policy, MODEL),
    operation("DeleteSigningConfiguration", model::NOTHING, signing::delete, MODEL),
    operation("DeregisterPullTimeUpdateExclusion", model::ONE_PULL_TIME_EXCLUSION, pull_time_exclusions::deregister, Documented("service model; User Guide, Pull-time update exclusions")),
    operation("DescribeImageReplicationStatus", model::ONE_IMAGE, replication::status, Documented("service model; no image is ever replicated")),
    operation("DescribeImageScanFindings", model::DESCRIBE_IMAGE_SCAN_FINDINGS, scanning::findings, Refused("an image that was not scanned")),
    operation("DescribeImageSigningStatus", model::ONE_IMAGE, signing::status, Documented("service model; no image is ever signed by ECR")),
    operation("DescribeImages", model::DESCRIBE_IMAGES, image_queries::describe, Inferred("images are in the order of their digests; a named image is described whatever its status")),
    operation("DescribePullThroughCacheRules", model::DESCRIBE_PULL_THROUGH_CACHE_RULES, pull_through_cache::describe, Documented("service model; there is never a rule")),
    operation("DescribeRegistry", model::NOTHING, replication::describe_registry, MODEL),
    operation("DescribeRepositories", model::DESCRIBE_REPOSITORIES, repository::describe, Inferred("listing all takes the permission on repository/*")),
    operation("DescribeRepositoryCreationTemplates", model::DESCRIBE_TEMPLATES, creation_templates::describe, Inferred("a prefix without a template is left out")),
    operation("GetAccountSetting", model::GET_ACCOUNT_SETTING, account_settings::get, MODEL),
    operation("GetAuthorizationToken", model::GET_AUTHORIZATION_TOKEN, token::get_authorization_token, Documented("service model; User Guide, Private registry authentication")),
    operation("GetDownloadUrlForLayer", model::GET_DOWNLOAD_URL_FOR_LAYER, layers::download_url, MODEL),
    operation("GetLifecyclePolicy", model::ONE_REPOSITORY, repository_policies::get_lifecycle, MODEL),
    operation("GetLifecyclePolicyPreview", model::GET_LIFECYCLE_POLICY_PREVIEW, lifecycle::get_preview, Inferred("results are the oldest first; the summary counts all of them")),
    operation("GetRegistryPolicy", model::NOTHING, registry_policy::get, MODEL),
    operation("GetRegistryScanningConfiguration", model::NOTHING, scanning::get_registry, MODEL),
    operation("GetRepositoryPolicy", model::ONE_REPOSITORY, repository_policies::get_policy, MODEL),
    operation("GetSigningConfiguration", model::NOTHING, signing::get, MODEL),
    operation("InitiateLayerUpload", model::ONE_REPOSITORY, layer_upload::initiate, Documented("service model; AWS CLI examples for the part size")),
    operation("ListImageReferrers", model::LIST_IMAGE_REFERRERS, referrers::list, MODEL),
    operation("ListImages", model::LIST_IMAGES, image_queries::list, Inferred("images are in the order of their digests and tags")),
    operation("ListPullTimeUpdateExclusions", model::PAGE, pull_time_exclusions::list, Documented("service model; User Guide, Pull-time update exclusions")),
    operation("ListTagsForResource", model::ONE_RESOURCE, resource_tags::list, MODEL),
    operation("PutAccountSetting", model::PUT_ACCOUNT_SETTING, account_settings::put, MODEL),
    operation("PutImage", model::PUT_IMAGE, image_batch::put, Documented("service model; User Guide, Preventing image tags from being overwritten")),
    operation("PutImageScanningConfiguration", model::PUT_IMAGE_SCANNING_CONFIGURATION, repository_settings::put_scanning, Documented("service model; the setting is kept, nothing is scanned")),
    operation("PutImageTagMutability", model::PUT_IMAGE_TAG_MUTABILITY, repository_settings::put_tag_mutability, MODEL),
    operation("PutLifecyclePolicy", model::PUT_LIFECYCLE_POLICY, repository_policies::put_lifecycle, Inferred("some sentences of the validation; policies are evaluated at midnight UTC")),
    operation("PutRegistryPolicy", model::PUT_REGISTRY_POLICY, registry_policy::put, Documented("service model; User Guide, Private registry permissions")),
    operation("PutRegistryScanningConfiguration", model::PUT_REGISTRY_SCANNING_CONFIGURATION, scanning::put_registry, Documented("service model; the setting is kept, nothing is scanned")),
    operation("PutReplicationConfiguration", model::PUT_REPLICATION_CONFIGURATION, replication::put, Refused("a disabled feature, when there are rules")),
    operation("PutSigningConfiguration", model::PUT_SIGNING_CONFIGURATION, signing::put, Refused("a disabled feature, when there are rules")),
    operation("RegisterPullTimeUpdateExclusion", model::ONE_PULL_TIME_EXCLUSION, pull_time_exclusions::register, Documented("service model; User Guide, Pull-time update exclusions")),
    operation("SetRepositoryPolicy", model::SET_REPOSITORY_POLICY, repository_policies::set_policy, Inferred("the sentence for a policy that locks the caller out")),
    operation("StartImageScan", model::ONE_IMAGE, scanning::start, Refused("an image of a type that cannot be scanned")),
    operation("StartLifecyclePolicyPreview", model::START_LIFECYCLE_POLICY_PREVIEW, lifecycle::start_preview, Inferred("the preview is complete at once")),
    operation("TagResource", model::TAG_RESOURCE, resource_tags::tag, MODEL),
    operation("UntagResource", model::UNTAG_RESOURCE, resource_tags::untag, MODEL),
    operation("UpdateImageStorageClass", model::UPDATE_IMAGE_STORAGE_CLASS, storage_class::update, Inferred("a restoration takes one minute; what a manifest list names is not archived before it")),
    operation("UpdatePullThroughCacheRule", model::UPDATE_PULL_THROUGH_CACHE_RULE, pull_through_cache::update, Documented("service model; there is never a rule")),
    operation("UpdateRepositoryCreationTemplate", model::UPDATE_TEMPLATE, creation_templates::update, Inferred("what is absent stays as it is")),
    operation("UploadLayerPart", model::UPLOAD_LAYER_PART, layer_upload::part, MODEL),
    operation("ValidatePullThroughCacheRule", model::ONE_CACHE_RULE, pull_through_cache::validate, Documented("service model; there is never a rule")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fidelity::model::ECR;

    #[test]
    fn every_operation_is_one_of_the_service_model() {
        let unknown = OPERATIONS.iter().find(|operation| !ECR.has(operation.name));
        assert!(unknown.is_none());
    }
}
