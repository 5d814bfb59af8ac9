//! The bytes of a blob on their way out.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures_util::stream::unfold;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use oci::{Digest, ErrorCode};
use tokio::sync::mpsc;

use super::conditional::{not_modified, range, set_tag};
use super::error::RegistryError;
use super::range::{Wanted, wanted};
use super::response::{empty, set, set_digest};
use super::route::parse_digest;
use crate::blobs::BlobError;
use crate::state::State;
use crate::trail::Note;

/// Bytes that are read from the disk at a time. A body that is no longer is
/// sent from memory.
const PIECE: u64 = 256 * 1024;
/// Pieces that are read before the network takes them.
const AHEAD: usize = 2;

/// Says what the blob is and how long the body.
pub(super) fn describe(response: &mut Response, digest: &Digest, size: u64) {
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

/// Sends a blob, or the part of it that is asked for.
pub(super) async fn send(
    state: Arc<State>,
    digest: Digest,
    parts: &Parts,
) -> Result<Response, RegistryError> {
    if let Some(response) = not_modified(parts, &digest) {
        return Ok(response);
    }
    let range = range(parts, &digest).map(str::to_owned);
    let is_head = parts.method == Method::HEAD;
    let opening = tokio::task::spawn_blocking(move || {
        let file = state.blobs.open_blob(&digest)?.into_parts().0;
        respond(file, &digest, range.as_deref(), is_head).map_err(BlobError::from)
    });
    Ok(opening.await.map_err(|_| RegistryError::crashed())??)
}

fn respond(
    file: File,
    digest: &Digest,
    range: Option<&str>,
    is_head: bool,
) -> io::Result<Response> {
    let size = file.metadata()?.len();
    let (first, length, status) = match wanted(range, size) {
        Wanted::Whole => (0, size, StatusCode::OK),
        Wanted::Part { first, length } => (first, length, StatusCode::PARTIAL_CONTENT),
        Wanted::Unsatisfiable => {
            let mut response = empty(StatusCode::RANGE_NOT_SATISFIABLE);
            let range = format!("bytes */{size}");
            set(&mut response, header::CONTENT_RANGE, &range);
            return Ok(response);
        }
    };
    let mut response = empty(status);
    if !is_head {
        *response.body_mut() = body(file, first, length)?;
    }
    describe(&mut response, digest, length);
    if status == StatusCode::PARTIAL_CONTENT {
        let last = first + length - 1;
        let range = format!("bytes {first}-{last}/{size}");
        set(&mut response, header::CONTENT_RANGE, &range);
    }
    Ok(response)
}

/// `length` bytes of `file` from `first` on. A thread reads ahead of the network,
/// and ends when nobody takes what it reads.
fn body(mut file: File, first: u64, length: u64) -> io::Result<Body> {
    if first > 0 {
        file.seek(SeekFrom::Start(first))?;
    }
    if length <= PIECE {
        return Ok(Body::from(piece(&mut file, BytesMut::new(), length)?));
    }
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut left = length;
        let mut sent = VecDeque::new();
        while left > 0 {
            let read = piece(&mut file, buffer(&mut sent), left.min(PIECE));
            left -= left.min(PIECE);
            sent.extend(read.as_ref().ok().cloned());
            let is_over = read.is_err();
            if sender.blocking_send(read).is_err() || is_over {
                return;
            }
        }
    });
    let pieces = unfold(receiver, async |mut receiver| {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    });
    Ok(Body::from_stream(pieces))
}

/// The memory of a piece that the network has taken, which the processor has at
/// hand, or new memory.
fn buffer(sent: &mut VecDeque<Bytes>) -> BytesMut {
    if sent.len() <= AHEAD + 1 {
        return BytesMut::new();
    }
    let oldest = sent.pop_front().map(Bytes::try_into_mut);
    oldest.and_then(Result::ok).unwrap_or_default()
}

/// The next `length` bytes, in `buffer`. A file that has fewer is damaged.
fn piece(file: &mut File, mut buffer: BytesMut, length: u64) -> io::Result<Bytes> {
    buffer.resize(usize::try_from(length).unwrap_or_default(), 0);
    file.read_exact(&mut buffer)?;
    Ok(buffer.freeze())
}
