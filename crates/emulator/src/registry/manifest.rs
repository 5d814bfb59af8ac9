//! Manifests: asked for, and stored.

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use oci::{ErrorCode, ManifestReference, RepositoryName};
use serde_json::json;

use super::Visit;
use super::body;
use super::conditional::{not_modified, set_tag};
use super::error::RegistryError;
use super::response::{absolute, empty, set, set_digest};
use crate::ecr::{self, MAXIMUM_MANIFEST, Put};

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// `GET` and `HEAD /v2/NAME/manifests/REFERENCE`. Manifests are given as they
/// were pushed; ECR converts between Docker's and OCI's formats when asked by
/// tag, which is not done here.
pub(super) async fn get(
    visit: &Visit,
    name: RepositoryName,
    reference: ManifestReference,
    parts: &Parts,
) -> Result<Response, RegistryError> {
    visit.note.event("ecr.amazonaws.com", "BatchGetImage");
    let head = parts.method == Method::HEAD;
    let (image, document) = visit
        .blocking(move |call| {
            call.repository(&["ecr:BatchGetImage"], &name)?;
            let found = ecr::find(call, &name, &reference, !head)?;
            let (image, document) = found.ok_or_else(|| {
                let message = "Requested image not found".to_owned();
                RegistryError::new(404, ErrorCode::ManifestUnknown, message)
            })?;
            if document.is_some() {
                ecr::note_pull(call, &name, &image)?;
            }
            Ok((image, document))
        })
        .await?;
    let digest = &image.descriptor.digest;
    if let Some(response) = not_modified(parts, digest) {
        return Ok(response);
    }
    let mut response = Response::new(document.map_or_else(Body::empty, Body::from));
    if head || visit.behaviour().digest_of_manifest {
        set_digest(&mut response, digest);
    }
    set_tag(&mut response, digest);
    set(
        &mut response,
        header::CONTENT_TYPE,
        &image.descriptor.media_type,
    );
    let length = HeaderValue::from(image.descriptor.size);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length);
    Ok(response)
}

/// `PUT /v2/NAME/manifests/REFERENCE`.
pub(super) async fn put(
    visit: &Visit,
    name: RepositoryName,
    reference: ManifestReference,
    parts: &Parts,
    body: Body,
) -> Result<Response, RegistryError> {
    visit.note.event("ecr.amazonaws.com", "PutImage");
    let media_type = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_owned());
    let bytes = body::read(body, MAXIMUM_MANIFEST).await?;
    let repository = name.clone();
    let behaviour = visit.behaviour();
    let image = visit
        .blocking(move |call| {
            let manifest = String::from_utf8_lossy(&bytes);
            call.note.parameter("imageManifest", manifest.as_ref());
            if let Some(media_type) = &media_type {
                call.note
                    .parameter("imageManifestMediaType", media_type.as_str());
            }
            ecr::create_on_push(call, &name)?;
            call.repository(&["ecr:PutImage"], &name)?;
            let (tag, digest) = match reference {
                ManifestReference::Tag(tag) => (Some(tag), None),
                ManifestReference::Digest(digest) => (None, Some(digest)),
            };
            let put = Put {
                bytes: &bytes,
                media_type: media_type.as_deref(),
                tag,
                digest,
                refuse_unchanged: false,
                tags_lock: behaviour.tags_lock,
                media_type_parameters: behaviour.media_type_parameters,
            };
            let image = ecr::put(call, &name, &put)?;
            let tag = put.tag.as_ref().map(oci::Tag::as_str);
            let stored = ecr::image_json(call, &name, (&image, &manifest), tag);
            call.note.answer(json!({ "image": stored }));
            Ok(image)
        })
        .await?;
    let mut response = empty(StatusCode::CREATED);
    let digest = image.descriptor.digest;
    if behaviour.manifest_location {
        let location = format!("/v2/{repository}/manifests/{digest}");
        set(&mut response, header::LOCATION, &absolute(parts, &location));
    }
    set_digest(&mut response, &digest);
    if let Some(subject) = image.subject {
        set(&mut response, SUBJECT, &subject.to_string());
    }
    Ok(response)
}

/// `DELETE /v2/NAME/manifests/REFERENCE`. That ECR asks for
/// `ecr:BatchDeleteImage` is inferred.
pub(super) async fn delete(
    visit: &Visit,
    name: RepositoryName,
    reference: ManifestReference,
) -> Result<Response, RegistryError> {
    visit.note.event("ecr.amazonaws.com", "BatchDeleteImage");
    let deletion = visit.behaviour().deletion;
    visit
        .blocking(move |call| {
            call.repository(&["ecr:BatchDeleteImage"], &name)?;
            ecr::delete(call, &name, &reference, deletion)?;
            Ok(empty(StatusCode::ACCEPTED))
        })
        .await
}
