//! Uploads: begun, continued, ended, given up.

use axum::body::{Body, HttpBody as _};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderName, StatusCode, header};
use oci::{Digest, ErrorCode, RepositoryName};
use serde_json::{Value, json};

use super::Visit;
use super::behaviour::Behaviour;
use super::body::{Pieces, pipe};
use super::error::RegistryError;
use super::range::{ChunkRange, chunk_range};
use super::response::{absolute, empty, set, set_digest};
use super::route::{UploadAddress, parse_digest, repository};
use crate::blobs::{BlobError, Progress, Upload};
use crate::ecr::{self, Call, repository_key};

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// `POST /v2/NAME/blobs/uploads/`. With `digest` the body is the whole blob. With
/// `mount` and perhaps `from` the blob is taken over from another repository; where
/// that cannot be, an upload begins.
pub(super) async fn start(
    visit: &Visit,
    name: RepositoryName,
    parts: &Parts,
    body: Body,
) -> Result<Response, RegistryError> {
    visit.note.event("ecr.amazonaws.com", "InitiateLayerUpload");
    let digest = digest_parameter(visit, parts, "digest")?;
    let wanted = digest_parameter(visit, parts, "mount")?;
    let from = parameter(parts, "from")
        .map(|text| repository(&text))
        .transpose()?;
    let mounts = visit.behaviour().mounts;
    let begun = visit
        .blocking(move |call| {
            ecr::create_on_push(call, &name)?;
            // Decided about first, so that the decision that is noted in the end
            // is the one about the push.
            let source = match &wanted {
                Some(wanted) => ecr::mount_source(call, from, wanted, mounts)?,
                None => None,
            };
            let target = call.repository(&["ecr:InitiateLayerUpload"], &name)?;
            if let (Some(wanted), Some(source)) = (wanted, source)
                && ecr::mount(call, &source, &target, &wanted, mounts)?
            {
                note_mount(call, &source.name, &name, &wanted);
                return Ok(Begun::Mounted(name, wanted));
            }
            let id = call.state.blobs.begin(
                &repository_key(call.registry, &name),
                call.state.clock.now(),
            )?;
            call.note
                .answer(json!({ "uploadId": id, "partSize": ecr::PART_SIZE }));
            Ok(Begun::Upload(UploadAddress { name, id }))
        })
        .await?;
    match (begun, digest) {
        (Begun::Mounted(name, mounted), _) => Ok(stored(parts, &name, &mounted)),
        (Begun::Upload(address), Some(digest)) => {
            visit.note.preceded_by(
                "InitiateLayerUpload",
                json!({ "repositoryName": address.name }),
                json!({ "uploadId": address.id, "partSize": ecr::PART_SIZE }),
            );
            complete(visit, address, digest, parts, body).await
        }
        (Begun::Upload(address), None) => Ok(progress(StatusCode::ACCEPTED, parts, &address, 0)),
    }
}

/// A mount shows as `MountLayer`, whose parameters are inferred: the operation is
/// not part of the API.
fn note_mount(call: Call<'_>, source: &RepositoryName, name: &RepositoryName, digest: &Digest) {
    call.note.event("ecr.amazonaws.com", "MountLayer");
    call.note.parameters(json!({
        "repositoryName": name, "sourceRepositoryName": source, "layerDigest": digest,
    }));
    call.note.answer(json!({
        "registryId": call.account(), "repositoryName": name, "layerDigest": digest,
    }));
}

/// What came of a `POST`.
enum Begun {
    Upload(UploadAddress),
    Mounted(RepositoryName, Digest),
}

/// The answer that names a blob's place.
fn stored(parts: &Parts, name: &RepositoryName, digest: &Digest) -> Response {
    let mut response = empty(StatusCode::CREATED);
    let path = format!("/v2/{name}/blobs/{digest}");
    set(&mut response, header::LOCATION, &absolute(parts, &path));
    set_digest(&mut response, digest);
    response
}

/// `GET`: how far the upload has come, as ECR tells it.
pub(super) async fn status(
    visit: &Visit,
    address: UploadAddress,
    parts: &Parts,
) -> Result<Response, RegistryError> {
    visit
        .note
        .unrecorded("ecr.amazonaws.com", "GetUploadStatus");
    let behaviour = visit.behaviour();
    let (address, shown) = visit
        .blocking(move |call| {
            // Which action ECR asks for here is inferred.
            call.repository(&["ecr:UploadLayerPart"], &address.name)?;
            let (state, key) = (call.state, repository_key(call.registry, &address.name));
            let now = state.clock.now();
            let progress = state.blobs.progress(&key, &address.id, now)?;
            Ok((address, shown(behaviour, progress)))
        })
        .await?;
    Ok(progress(StatusCode::NO_CONTENT, parts, &address, shown))
}

/// `PATCH`: one chunk.
pub(super) async fn patch(
    visit: &Visit,
    address: UploadAddress,
    parts: &Parts,
    body: Body,
) -> Result<Response, RegistryError> {
    visit.note.event("ecr.amazonaws.com", "UploadLayerPart");
    let range = content_range(parts)?;
    let behaviour = visit.behaviour();
    let pieces = pipe(body);
    let (address, shown) = visit
        .blocking(move |call| {
            call.repository(&["ecr:UploadLayerPart"], &address.name)?;
            let mut upload = open(call, &address)?;
            let before = upload.received();
            append(behaviour, &mut upload, pieces, range)?;
            let part = Part::new(&address, before, upload.received());
            call.note.parameters(part.parameters);
            call.note.answer(part.answer);
            let shown = shown(behaviour, upload.progress());
            drop(upload);
            Ok((address, shown))
        })
        .await?;
    Ok(progress(behaviour.chunk_status, parts, &address, shown))
}

/// `PUT ?digest=`: the end, with the last chunk or all of it in the body.
pub(super) async fn finish(
    visit: &Visit,
    address: UploadAddress,
    parts: &Parts,
    body: Body,
) -> Result<Response, RegistryError> {
    let digest = digest_parameter(visit, parts, "digest")?.ok_or_else(|| {
        let message = "the parameter digest is missing".to_owned();
        RegistryError::new(400, ErrorCode::DigestInvalid, message)
    })?;
    complete(visit, address, digest, parts, body).await
}

/// `DELETE`: what arrived is thrown away.
pub(super) async fn cancel(
    visit: &Visit,
    address: UploadAddress,
) -> Result<Response, RegistryError> {
    visit.note.unrecorded("ecr.amazonaws.com", "CancelUpload");
    visit
        .blocking(move |call| {
            // Which action ECR asks for here is inferred.
            call.repository(&["ecr:UploadLayerPart"], &address.name)?;
            open(call, &address)?.discard();
            Ok(empty(StatusCode::NO_CONTENT))
        })
        .await
}

/// Takes the rest of the bytes and makes the upload a blob. Bytes in the body
/// take `ecr:UploadLayerPart` too (inferred).
async fn complete(
    visit: &Visit,
    address: UploadAddress,
    digest: Digest,
    parts: &Parts,
    body: Body,
) -> Result<Response, RegistryError> {
    visit.note.event("ecr.amazonaws.com", "CompleteLayerUpload");
    visit.note.parameters(json!({
        "repositoryName": address.name, "uploadId": address.id, "layerDigests": [digest],
    }));
    let range = content_range(parts)?;
    let behaviour = visit.behaviour();
    let mut actions = vec!["ecr:CompleteLayerUpload"];
    if !body.is_end_stream() {
        actions.insert(0, "ecr:UploadLayerPart");
    }
    let pieces = pipe(body);
    let name = address.name.clone();
    visit
        .blocking(move |call| {
            call.repository(&actions, &address.name)?;
            let mut upload = open(call, &address)?;
            let before = upload.received();
            append(behaviour, &mut upload, pieces, range)?;
            if upload.received() > before {
                let part = Part::new(&address, before, upload.received());
                call.note
                    .preceded_by("UploadLayerPart", part.parameters, part.answer);
            }
            let smallest = behaviour.smallest_chunk;
            ecr::keep(call, &address.name, upload, &digest, smallest)?;
            call.note.answer(json!({
                "registryId": call.account(), "repositoryName": address.name,
                "uploadId": address.id, "layerDigest": digest,
            }));
            Ok(())
        })
        .await?;
    Ok(stored(parts, &name, &digest))
}

/// A part of a layer as the trail shows it.
struct Part {
    parameters: Value,
    answer: Value,
}

impl Part {
    /// The bytes from `first` up to `end`.
    fn new(address: &UploadAddress, first: u64, end: u64) -> Self {
        let UploadAddress { name, id } = address;
        let last = end.saturating_sub(1);
        Self {
            parameters: json!({
                "repositoryName": name, "uploadId": id,
                "partFirstByte": first, "partLastByte": last,
            }),
            answer: json!({
                "repositoryName": name, "uploadId": id, "lastByteReceived": last,
            }),
        }
    }
}

fn open<'a>(call: Call<'a>, address: &UploadAddress) -> Result<Upload<'a>, BlobError> {
    let state = call.state;
    let repository = repository_key(call.registry, &address.name);
    state
        .blobs
        .upload(&repository, &address.id, state.clock.now())
}

/// Takes a body as one chunk, if it is where and as long as it says.
fn append(
    behaviour: &Behaviour,
    upload: &mut Upload<'_>,
    pieces: Pieces,
    range: Option<ChunkRange>,
) -> Result<(), RegistryError> {
    let place = upload.received();
    if let Some(range) = range
        && range.first != place
    {
        return Err(RegistryError::out_of_place(
            format!(
                "the chunk begins at byte {}, and {place} bytes were received",
                range.first
            ),
            range_header(shown(behaviour, upload.progress())),
        ));
    }
    pieces.append_to(upload, range.map(|range| range.length))?;
    Ok(())
}

/// How many bytes `Range` shows of an upload.
fn shown(behaviour: &Behaviour, progress: Progress) -> u64 {
    if behaviour.range_sticks {
        progress.first_chunk
    } else {
        progress.received
    }
}

fn range_header(bytes: u64) -> String {
    format!("0-{}", bytes.saturating_sub(1))
}

/// Where the upload stands.
fn progress(status: StatusCode, parts: &Parts, address: &UploadAddress, shown: u64) -> Response {
    let mut response = empty(status);
    let path = format!("/v2/{}/blobs/uploads/{}", address.name, address.id);
    set(&mut response, header::LOCATION, &absolute(parts, &path));
    set(&mut response, header::RANGE, &range_header(shown));
    set(&mut response, UPLOAD_ID, &address.id);
    response
}

fn content_range(parts: &Parts) -> Result<Option<ChunkRange>, RegistryError> {
    let Some(header) = parts.headers.get(header::CONTENT_RANGE) else {
        return Ok(None);
    };
    header
        .to_str()
        .ok()
        .and_then(chunk_range)
        .map(Some)
        .ok_or_else(|| {
            let message = "the header Content-Range is not FIRST-LAST".to_owned();
            RegistryError::new(400, ErrorCode::BlobUploadInvalid, message)
        })
}

fn digest_parameter(
    visit: &Visit,
    parts: &Parts,
    name: &str,
) -> Result<Option<Digest>, RegistryError> {
    parameter(parts, name)
        .map(|text| parse_digest(&text, visit.behaviour().algorithms))
        .transpose()
}

fn parameter(parts: &Parts, name: &str) -> Option<String> {
    let query = parts.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}
