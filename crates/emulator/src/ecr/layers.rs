//! Layers (blobs) that a repository holds.

use oci::{Digest, RepositoryName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::changes::Changes;
use super::lookup::{Lookup, Use};
use super::model::DIGEST;
use super::parameters::{RepositoryParameters, digest, parse};
use super::records::{BLOBS, REPOSITORIES, content_key, repository_key};
use super::{Call, EcrError};
use crate::blobs::{BlobError, Upload};
use crate::store::StoreError;

/// What a repository has of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// All of it: its size in bytes.
    Whole(u64),
    /// Its record, and no file of its size. Clients are told that it is not
    /// there, so that they push it again, which mends it.
    Damaged,
    Nothing,
}

impl Held {
    /// The size, where there is something to be had.
    pub(crate) fn size(self) -> Option<u64> {
        match self {
            Self::Whole(size) => Some(size),
            Self::Damaged | Self::Nothing => None,
        }
    }

    /// As `size`, for those who want the bytes.
    pub(crate) fn readable(self, digest: &Digest) -> Result<Option<u64>, BlobError> {
        match self {
            Self::Damaged => Err(BlobError::Damaged { digest: *digest }),
            Self::Whole(_) | Self::Nothing => Ok(self.size()),
        }
    }
}

/// What the repository has of a blob. Whoever is told that it is there may refer
/// to it: it is not collected for a while.
pub(crate) fn held(
    call: Call<'_>,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<Held, StoreError> {
    let store = &call.state.store;
    let key = content_key(call.registry, name, digest);
    let Some(blob) = store.read::<_, StoreError>(|reader| reader.get(&BLOBS, &key))? else {
        return Ok(Held::Nothing);
    };
    if !call.state.blobs.is_whole(digest, blob.size) {
        tracing::error!(%key, "the file of a blob is missing or has another size");
        return Ok(Held::Damaged);
    }
    let now = call.state.clock.now();
    if !blob.is_stale(now) {
        return Ok(Held::Whole(blob.size));
    }
    store.write(|writer| {
        let Some(blob) = writer.get(&BLOBS, &key)? else {
            return Ok(Held::Nothing);
        };
        Changes::new(writer, call.registry, name).put_blob(digest, blob.size, now)?;
        Ok(Held::Whole(blob.size))
    })
}

/// Smallest layer part that is not the last, in bytes (service quotas).
pub(super) const SMALLEST_PART: u64 = 5 * 1024 * 1024;

/// Ends an upload as the blob `digest` of a repository. All of its parts but
/// the last have `smallest_part` bytes at least. Returns its size.
pub(crate) fn keep(
    call: Call<'_>,
    name: &RepositoryName,
    upload: Upload<'_>,
    digest: &Digest,
    smallest_part: u64,
) -> Result<u64, KeepError> {
    let is_small = |part| part < smallest_part;
    if upload.smallest_inner_chunk().is_some_and(is_small) {
        upload.discard();
        return Err(KeepError::PartTooSmall);
    }
    let finished = upload.finish(digest)?;
    let now = call.state.clock.now();
    call.state.store.write::<_, KeepError>(|writer| {
        let repository = writer.get(&REPOSITORIES, &repository_key(call.registry, name))?;
        if repository.is_none() {
            let error = EcrError::repository_not_found(name, call.account());
            return Err(KeepError::NoRepository(error));
        }
        let changes = Changes::new(writer, call.registry, name);
        Ok(changes.put_blob(digest, finished.size(), now)?)
    })?;
    Ok(finished.size())
}

/// Why an upload did not become a blob.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    /// The bytes were refused or could not be stored.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The record could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part that is not the last was too small.
    #[error("All layer parts except the last part should be at least 5MB")]
    PartTooSmall,
    /// The repository was deleted while the bytes were on their way.
    #[error("{}", .0.message)]
    NoRepository(EcrError),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CheckParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    layer_digests: Vec<String>,
}

/// `BatchCheckLayerAvailability`.
pub(super) fn check_availability(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: CheckParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:BatchCheckLayerAvailability"], &name)?;
    let (mut layers, mut failures) = (Vec::new(), Vec::new());
    for text in parameters.layer_digests {
        match text.parse::<Digest>() {
            Ok(digest) => layers.push(match held(call, &name, &digest)?.size() {
                Some(size) => json!({
                    "layerDigest": digest,
                    "layerAvailability": match use_of(call, &name, &digest)? {
                        Use::Archived => "ARCHIVED",
                        Use::Active | Use::None => "AVAILABLE",
                    },
                    "layerSize": size,
                }),
                None => json!({ "layerDigest": digest, "layerAvailability": "UNAVAILABLE" }),
            }),
            Err(_) => failures.push(failure(&text)),
        }
    }
    Ok(json!({ "layers": layers, "failures": failures }))
}

fn failure(text: &str) -> Value {
    let (code, reason) = if text.is_empty() {
        // Inferred sentence.
        let reason = "Invalid request parameters: layer digest cannot be empty".to_owned();
        ("MissingLayerDigest", reason)
    } else {
        let reason =
            format!("Invalid request parameters: layer digest should satisfy the regex '{DIGEST}'");
        ("InvalidLayerDigest", reason)
    };
    json!({ "layerDigest": text, "failureCode": code, "failureReason": reason })
}

fn use_of(call: Call<'_>, name: &RepositoryName, layer: &Digest) -> Result<Use, EcrError> {
    let now = call.state.clock.now();
    call.state
        .store
        .read(|reader| Ok(Lookup::new(reader, call.registry, name).use_of(layer, now)?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DownloadParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    layer_digest: String,
}

/// `GetDownloadUrlForLayer`: an address that needs no login, and expires. Only
/// layers of images that can be pulled have one.
pub(super) fn download_url(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: DownloadParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:GetDownloadUrlForLayer"], &name)?;
    let digest = digest("layerDigest", &parameters.layer_digest)?;
    if held(call, &name, &digest)?.readable(&digest)?.is_none() {
        return Err(EcrError::layer_not_found(&digest, &name, call.account()));
    }
    if use_of(call, &name, &digest)? != Use::Active {
        // The sentence is the service model's.
        return Err(EcrError::client(
            "LayerInaccessibleException",
            "The specified layer is not available because it is not associated with an image. \
             Unassociated image layers may be cleaned up at any time.",
        ));
    }
    let state = call.state;
    let path = state.blobs.signer().path(&digest, state.clock.now());
    Ok(json!({
        "downloadUrl": format!("{}{path}", state.base_url),
        "layerDigest": digest,
    }))
}
