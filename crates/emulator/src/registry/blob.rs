//! Blobs: asked for, and given.

use axum::response::Response;
use http::request::Parts;
use http::{StatusCode, header};
use oci::{Digest, ErrorCode, RepositoryName};

use super::Visit;
use super::conditional::not_modified;
use super::download::{describe, send};
use super::error::RegistryError;
use super::response::{empty, set, set_digest};
use crate::ecr;

/// `HEAD /v2/NAME/blobs/DIGEST`.
pub(super) fn head(
    visit: &Visit,
    name: RepositoryName,
    digest: Digest,
    parts: &Parts,
) -> Result<Response, RegistryError> {
    visit
        .note
        .event("ecr.amazonaws.com", "BatchCheckLayerAvailability");
    let size = visit.reading(|call| {
        call.repository(&["ecr:BatchCheckLayerAvailability"], &name)?;
        let held = ecr::held(call, &name, &digest)?;
        held.size().ok_or_else(|| unknown(&name, &digest))
    })?;
    if let Some(response) = not_modified(parts, &digest) {
        return Ok(response);
    }
    let mut response = empty(StatusCode::OK);
    describe(&mut response, &digest, size);
    Ok(response)
}

/// `GET /v2/NAME/blobs/DIGEST`: the bytes, or as in ECR an address that needs no
/// login. It is relative, so it holds under whatever name the client knows the
/// emulator.
pub(super) async fn get(
    visit: &Visit,
    name: RepositoryName,
    digest: Digest,
    parts: &Parts,
) -> Result<Response, RegistryError> {
    visit
        .note
        .event("ecr.amazonaws.com", "GetDownloadUrlForLayer");
    let path = visit.reading(|call| {
        call.repository(&["ecr:GetDownloadUrlForLayer"], &name)?;
        let held = ecr::held(call, &name, &digest)?;
        let size = held.readable(&digest)?;
        size.ok_or_else(|| unknown(&name, &digest))?;
        let state = call.state;
        Ok(state.blobs.signer().path(&digest, state.clock.now()))
    })?;
    if !visit.behaviour().blobs_elsewhere {
        return send(visit.state.clone(), digest, parts).await;
    }
    let mut response = empty(StatusCode::TEMPORARY_REDIRECT);
    set(&mut response, header::LOCATION, &path);
    set_digest(&mut response, &digest);
    Ok(response)
}

/// `DELETE /v2/NAME/blobs/DIGEST`, which no action of ECR is for; that of images
/// is asked for.
pub(super) async fn delete(
    visit: &Visit,
    name: RepositoryName,
    digest: Digest,
) -> Result<Response, RegistryError> {
    visit.note.event("ecr.amazonaws.com", "BatchDeleteImage");
    visit
        .blocking(move |call| {
            call.repository(&["ecr:BatchDeleteImage"], &name)?;
            if ecr::remove_blob(call, &name, &digest)? {
                Ok(empty(StatusCode::ACCEPTED))
            } else {
                Err(unknown(&name, &digest))
            }
        })
        .await
}

fn unknown(name: &RepositoryName, digest: &Digest) -> RegistryError {
    let message = format!("the repository '{name}' has no blob {digest}");
    RegistryError::new(404, ErrorCode::BlobUnknown, message)
}
