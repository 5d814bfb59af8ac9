//! Layer uploads through the JSON API, which Docker does not use.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci::RepositoryName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::layers::{KeepError, SMALLEST_PART, blob_size, keep};
use super::parameters::{RepositoryParameters, count, digest, parse, required};
use super::records::repository_key;
use super::{Call, EcrError};
use crate::blobs::{BlobError, Upload};

/// Largest part in bytes (service model), and the size that clients are told.
pub(crate) const PART_SIZE: u64 = 20_971_520;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    upload_id: Option<String>,
    part_first_byte: Option<u64>,
    part_last_byte: Option<u64>,
    layer_part_blob: Option<String>,
    layer_digests: Option<Vec<String>>,
}

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

/// `UploadLayerPart`. Parts come in order: there is one upload, not a set.
pub(super) fn part(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:UploadLayerPart"], &name)?;
    let (id, mut upload) = open(call, &name, parameters.upload_id)?;
    let first = required("partFirstByte", parameters.part_first_byte)?;
    let last = required("partLastByte", parameters.part_last_byte)?;
    let bytes = STANDARD
        .decode(required("layerPartBlob", parameters.layer_part_blob)?)
        .map_err(|error| EcrError::client("SerializationException", error.to_string()))?;
    let length = bytes.len() as u64;
    if length > PART_SIZE {
        return Err(EcrError::parameter(
            "layerPartBlob",
            "must have length less than or equal to 20971520",
        ));
    }
    if first != upload.received() || last.checked_sub(first) != length.checked_sub(1) {
        // Inferred sentence.
        return Err(EcrError::client(
            "InvalidLayerPartException",
            format!(
                "The layer part {first}-{last} of {length} bytes does not follow the {} bytes \
                 received for the upload '{id}'",
                upload.received()
            ),
        ));
    }
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

/// `CompleteLayerUpload`.
pub(super) fn complete(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:CompleteLayerUpload"], &name)?;
    let digests = required("layerDigests", parameters.layer_digests)?;
    count("layerDigests", &digests, 100)?;
    let digest = digest("layerDigests", &digests[0])?;
    let (id, upload) = open(call, &name, parameters.upload_id)?;
    if upload.received() == 0 {
        // Inferred sentence.
        return Err(EcrError::client(
            "EmptyUploadException",
            format!("The upload '{id}' does not contain any layer parts"),
        ));
    }
    if blob_size(call, &name, &digest)?.is_some() {
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
        // Inferred sentence.
        Err(KeepError::Blob(error @ BlobError::Digest { .. })) => Err(EcrError::client(
            "InvalidLayerException",
            format!("The upload '{id}' is not the layer: {error}"),
        )),
        Err(error @ KeepError::PartTooSmall) => Err(EcrError::client(
            "LayerPartTooSmallException",
            error.to_string(),
        )),
        Err(KeepError::Blob(error)) => Err(error.into()),
        Err(KeepError::Store(error)) => Err(error.into()),
    }
}

fn open<'a>(
    call: Call<'a>,
    name: &RepositoryName,
    id: Option<String>,
) -> Result<(String, Upload<'a>), EcrError> {
    let id = required("uploadId", id)?;
    let state = call.state;
    match state
        .blobs
        .upload(&repository_key(call.registry, name), &id, state.clock.now())
    {
        Ok(upload) => Ok((id, upload)),
        Err(BlobError::UploadUnknown) => Err(EcrError::upload_not_found(&id, name, call.account())),
        Err(error) => Err(error.into()),
    }
}
