//! Blobs: asked for, and given.

use std::io::{Seek as _, SeekFrom};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use oci::{Digest, ErrorCode, RepositoryName};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use super::Visit;
use super::conditional::{not_modified, range, set_tag};
use super::error::RegistryError;
use super::range::{Wanted, wanted};
use super::response::{empty, set, set_digest};
use super::route::parse_digest;
use crate::ecr::{self, Call};
use crate::state::State;
use crate::trail::Note;

/// Bytes that are read from the disk at a time.
const BUFFER: usize = 64 * 1024;

/// `HEAD /v2/NAME/blobs/DIGEST`.
pub(super) async fn head(
    visit: &Visit,
    name: RepositoryName,
    digest: Digest,
    parts: &Parts,
) -> Result<Response, RegistryError> {
    visit
        .note
        .event("ecr.amazonaws.com", "BatchCheckLayerAvailability");
    let size = visit
        .blocking(move |call| {
            call.repository(&["ecr:BatchCheckLayerAvailability"], &name)?;
            held(call, &name, &digest)
        })
        .await?;
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
    let path = visit
        .blocking(move |call| {
            call.repository(&["ecr:GetDownloadUrlForLayer"], &name)?;
            held(call, &name, &digest)?;
            let state = call.state;
            Ok(state.blobs.signer().path(&digest, state.clock.now()))
        })
        .await?;
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

fn held(call: Call<'_>, name: &RepositoryName, digest: &Digest) -> Result<u64, RegistryError> {
    ecr::blob_size(call, name, digest)?.ok_or_else(|| unknown(name, digest))
}

fn unknown(name: &RepositoryName, digest: &Digest) -> RegistryError {
    let message = format!("the repository '{name}' has no blob {digest}");
    RegistryError::new(404, ErrorCode::BlobUnknown, message)
}

fn describe(response: &mut Response, digest: &Digest, size: u64) {
    set_digest(response, digest);
    set_tag(response, digest);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
}

/// Answers a request below `/layers/`: the addresses that `get` and
/// `GetDownloadUrlForLayer` give out. What they admit to was decided then, so
/// there is no login here; a wrong or expired signature is refused.
pub(crate) async fn download(state: Arc<State>, request: Request, note: Note) -> Response {
    // The bucket is AWS's own: what is read from it is in nobody's trail.
    note.unrecorded("s3.amazonaws.com", "GetObject");
    let (parts, _) = request.into_parts();
    let behaviour = state.behaviour;
    let answer = match admitted(&state, &parts) {
        Ok(digest) => send(state, digest, &parts).await,
        Err(error) => Err(error),
    };
    answer.unwrap_or_else(|error| error.respond(&parts, &note, behaviour))
}

fn admitted(state: &State, parts: &Parts) -> Result<Digest, RegistryError> {
    let path = parts.uri.path().trim_start_matches("/layers/");
    let digest = parse_digest(&path.replace("%3A", ":"), state.behaviour.algorithms)?;
    let query = parts.uri.query().unwrap_or_default();
    let parameter = |wanted: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let expires = parameter("Expires").and_then(|text| text.parse().ok());
    let signature = parameter("Signature");
    match (expires, signature) {
        (Some(expires), Some(signature))
            if state
                .blobs
                .signer()
                .admits(&digest, expires, &signature, state.clock.now()) =>
        {
            Ok(digest)
        }
        _ => Err(RegistryError::new(
            403,
            ErrorCode::Denied,
            "the address is not signed by this emulator, or has expired".to_owned(),
        )),
    }
}

async fn send(state: Arc<State>, digest: Digest, parts: &Parts) -> Result<Response, RegistryError> {
    if let Some(response) = not_modified(parts, &digest) {
        return Ok(response);
    }
    let opened = tokio::task::spawn_blocking(move || {
        let file = state.blobs.open_blob(&digest)?;
        let size = file.metadata()?.len();
        Ok::<_, crate::blobs::BlobError>((file, size))
    });
    let (mut file, size) = opened.await.map_err(|_| RegistryError::crashed())??;
    let (first, length, status) = match wanted(range(parts, &digest), size) {
        Wanted::Whole => (0, size, StatusCode::OK),
        Wanted::Part { first, length } => (first, length, StatusCode::PARTIAL_CONTENT),
        Wanted::Unsatisfiable => {
            let mut response = empty(StatusCode::RANGE_NOT_SATISFIABLE);
            set(
                &mut response,
                header::CONTENT_RANGE,
                &format!("bytes */{size}"),
            );
            return Ok(response);
        }
    };
    file.seek(SeekFrom::Start(first))
        .map_err(crate::blobs::BlobError::from)?;
    let body = if parts.method == Method::HEAD {
        Body::empty()
    } else {
        let (file, _path) = file.into_parts();
        let part = tokio::fs::File::from_std(file).take(length);
        Body::from_stream(ReaderStream::with_capacity(part, BUFFER))
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    describe(&mut response, &digest, length);
    if status == StatusCode::PARTIAL_CONTENT {
        let last = first + length - 1;
        let range = format!("bytes {first}-{last}/{size}");
        set(&mut response, header::CONTENT_RANGE, &range);
    }
    Ok(response)
}
