//! Layer uploads through the JSON API, which Docker does not use.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci::RepositoryName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::layers::{KeepError, SMALLEST_PART, held, keep};
use super::parameters::{RepositoryParameters, digest, parse};
use super::records::repository_key;
use super::{Call, EcrError, limits};
use crate::blobs::{BlobError, Upload};

/// The size of parts in bytes that clients are told (AWS CLI examples). The
/// model lets parts be twice as large.
pub(crate) const PART_SIZE: u64 = 10 * 1024 * 1024;

/// `InitiateLayerUpload`.
pub(super) fn initiate(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: RepositoryParameters = parse(body)?;
    let name = parameters.name()?;
    call.repository(&["ecr:InitiateLayerUpload"], &name)?;
    let id = call.state.blobs.begin(
        &repository_key(call.registry, &name),
        call.state.clock.now(),
    )?;
    Ok(json!({ "uploadId": id, "partSize": PART_SIZE }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    upload_id: String,
    part_first_byte: u64,
    part_last_byte: u64,
    layer_part_blob: String,
}

/// `UploadLayerPart`. Parts come in order: each begins where the last ended.
pub(super) fn part(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: PartParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:UploadLayerPart"], &name)?;
    let id = &parameters.upload_id;
    let mut upload = open(call, &name, id)?;
    let bytes = STANDARD
        .decode(&parameters.layer_part_blob)
        .map_err(|error| EcrError::client("SerializationException", error.to_string()))?;
    let (first, last) = (parameters.part_first_byte, parameters.part_last_byte);
    let is_consecutive = first == upload.received();
    let is_whole = last.checked_sub(first) == (bytes.len() as u64).checked_sub(1);
    if !is_consecutive || !is_whole {
        return Err(invalid_part(call, &name, id, upload.received()));
    }
    limits::LAYER_PARTS.allow_one_more(upload.chunk_count())?;
    let mut chunk = upload.chunk();
    chunk.append(&bytes.into())?;
    chunk.end()?;
    Ok(json!({
        "registryId": call.account(),
        "repositoryName": name,
        "uploadId": id,
        "lastByteReceived": last,
    }))
}

/// The sentence is the service model's.
fn invalid_part(call: Call<'_>, name: &RepositoryName, id: &str, received: u64) -> EcrError {
    let message = "The layer part size is not valid, or the first byte specified is not \
                   consecutive to the last byte of a previous layer part upload.";
    EcrError::client("InvalidLayerPartException", message).with(json!({
        "registryId": call.account(),
        "repositoryName": name,
        "uploadId": id,
        "lastValidByteReceived": received.saturating_sub(1),
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CompleteParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    upload_id: String,
    layer_digests: Vec<String>,
}

/// `CompleteLayerUpload`.
pub(super) fn complete(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: CompleteParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:CompleteLayerUpload"], &name)?;
    let digests = &parameters.layer_digests;
    let digest = digest("layerDigest", &digests[0])?;
    let id = &parameters.upload_id;
    let upload = open(call, &name, id)?;
    if upload.chunk_count() == 0 {
        // The sentence is the service model's.
        return Err(EcrError::client(
            "EmptyUploadException",
            "The specified layer upload does not contain any layer parts.",
        ));
    }
    if digests.iter().any(|other| other != &digests[0]) {
        return Err(invalid_layer());
    }
    if held(call, &name, &digest)?.size().is_some() {
        upload.discard();
        // Inferred sentence.
        return Err(EcrError::client(
            "LayerAlreadyExistsException",
            format!(
                "Layer with digest '{digest}' already exists in the repository with name '{name}' \
                 in registry with id '{}'",
                call.account()
            ),
        ));
    }
    match keep(call, &name, upload, &digest, SMALLEST_PART) {
        Ok(_) => Ok(json!({
            "registryId": call.account(),
            "repositoryName": name,
            "uploadId": id,
            "layerDigest": digest,
        })),
        Err(error @ KeepError::PartTooSmall) => Err(EcrError::client(
            "LayerPartTooSmallException",
            error.to_string(),
        )),
        Err(KeepError::Blob(BlobError::Digest { .. })) => Err(invalid_layer()),
        Err(KeepError::Blob(error)) => Err(error.into()),
        Err(KeepError::Store(error)) => Err(error.into()),
        Err(KeepError::NoRepository(error)) => Err(error),
    }
}

/// The sentence is the service model's.
fn invalid_layer() -> EcrError {
    EcrError::client(
        "InvalidLayerException",
        "The layer digest calculation performed by Amazon ECR upon receipt of the image layer does \
         not match the digest specified.",
    )
}

fn open<'a>(call: Call<'a>, name: &RepositoryName, id: &str) -> Result<Upload<'a>, EcrError> {
    let state = call.state;
    let key = repository_key(call.registry, name);
    match state.blobs.upload(&key, id, state.clock.now()) {
        Ok(upload) => Ok(upload),
        Err(BlobError::UploadUnknown) => Err(EcrError::upload_not_found(id, name, call.account())),
        Err(error) => Err(error.into()),
    }
}
