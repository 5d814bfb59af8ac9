//! ECR's exceptions and their sentences.
//!
//! Names are those of the service model. A sentence is AWS's own where a
//! public report of it is known, otherwise its constructor says "inferred".

use oci::{Digest, RepositoryName};
use serde_json::{Map, Value};

use super::Call;
use crate::authorize::Denied;
use crate::blobs::BlobError;
use crate::error::AwsError;
use crate::store::StoreError;

/// Names of exceptions that the code tells apart.
pub(crate) mod code {
    pub(crate) const ACCESS_DENIED: &str = "AccessDeniedException";
    pub(crate) const IMAGE_DIGEST_DOES_NOT_MATCH: &str = "ImageDigestDoesNotMatchException";
    pub(crate) const IMAGE_TAG_ALREADY_EXISTS: &str = "ImageTagAlreadyExistsException";
    pub(crate) const IMAGE_NOT_FOUND: &str = "ImageNotFoundException";
    /// The exception is of no operation: it is a failure code of a batch.
    pub(crate) const IMAGE_REFERENCED: &str = "ImageReferencedByManifestList";
    pub(crate) const INVALID_PARAMETER: &str = "InvalidParameterException";
    pub(crate) const LAYERS_NOT_FOUND: &str = "LayersNotFoundException";
    pub(crate) const REFERENCED_IMAGES_NOT_FOUND: &str = "ReferencedImagesNotFoundException";
    pub(crate) const REPOSITORY_NOT_FOUND: &str = "RepositoryNotFoundException";
}

/// An answer that is not success: what the front writes as AWS JSON 1.1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct EcrError {
    /// HTTP status.
    pub(crate) status: u16,
    /// Name of the exception in the service model.
    pub(crate) code: &'static str,
    /// The sentence.
    pub(crate) message: String,
    /// What the exception says beside its sentence.
    pub(crate) members: Map<String, Value>,
}

impl EcrError {
    /// Any exception of the model that is the client's fault.
    pub(crate) fn client(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code,
            message: message.into(),
            members: Map::new(),
        }
    }

    /// The exception with further members, which are an object.
    pub(super) fn with(mut self, members: Value) -> Self {
        if let Value::Object(members) = members {
            self.members = members;
        }
        self
    }

    /// AWS's sentence for a parameter outside of its constraint. The quotes
    /// around `constraint` are AWS's.
    pub(crate) fn parameter(name: &str, constraint: &str) -> Self {
        Self::client(
            code::INVALID_PARAMETER,
            format!("Invalid parameter at '{name}' failed to satisfy constraint: '{constraint}'"),
        )
    }

    /// The emulator failed, not the caller.
    pub(crate) fn server(message: impl Into<String>) -> Self {
        Self {
            status: 500,
            code: "ServerException",
            message: message.into(),
            members: Map::new(),
        }
    }

    /// AWS's answer where a feature is not available; `reason` is told beside it.
    pub(super) fn disabled(call: Call<'_>, reason: &str) -> Self {
        call.note.because(reason);
        Self::client("ValidationException", "This feature is disabled")
    }

    pub(crate) fn repository_not_found(name: &RepositoryName, registry: &str) -> Self {
        Self::client(
            code::REPOSITORY_NOT_FOUND,
            format!(
                "The repository with name '{name}' does not exist in the registry with id '{registry}'"
            ),
        )
    }

    /// `image` is ECR's rendering of an image id: `{imageDigest:'null', imageTag:'v1'}`.
    pub(crate) fn image_not_found(image: &str, name: &RepositoryName, registry: &str) -> Self {
        Self::client(
            code::IMAGE_NOT_FOUND,
            format!(
                "The image with imageId {image} does not exist within the repository with name \
                 '{name}' in the registry with id '{registry}'"
            ),
        )
    }

    pub(crate) fn layer_not_found(digest: &Digest, name: &RepositoryName, registry: &str) -> Self {
        Self::client(
            code::LAYERS_NOT_FOUND,
            format!(
                "The layer with digest '{digest}' does not exist within the repository with name \
                 '{name}' in the registry with id '{registry}'"
            ),
        )
    }

    /// Inferred sentence.
    pub(crate) fn upload_not_found(upload: &str, name: &RepositoryName, registry: &str) -> Self {
        Self::client(
            "UploadNotFoundException",
            format!(
                "The upload with id '{upload}' does not exist in the repository with name \
                 '{name}' in the registry with id '{registry}'"
            ),
        )
    }
}

impl From<EcrError> for AwsError {
    fn from(error: EcrError) -> Self {
        Self {
            members: error.members,
            ..Self::new(error.status, error.code, error.message)
        }
    }
}

impl From<StoreError> for EcrError {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = ?error, "the store failed");
        let status = match error {
            // Which clients do not try again at once.
            StoreError::Full { .. } => 507,
            _ => 500,
        };
        Self {
            status,
            ..Self::server(error.to_string())
        }
    }
}

impl From<BlobError> for EcrError {
    fn from(error: BlobError) -> Self {
        Self::server(error.to_string())
    }
}

impl From<Denied> for EcrError {
    fn from(denied: Denied) -> Self {
        Self::client(code::ACCESS_DENIED, denied.sentence)
    }
}
