//! A large blob in chunks: what has arrived when a connection breaks is not sent
//! again.
//!
//! That needs a registry which says, in `Range`, how much of an upload it has
//! (distribution-spec, "Pushing a blob in chunks"). ECR keeps chunks but answers with
//! 201 and a `Range` that stays at the end of the first one, so that nobody can
//! know where to go on: it gets its blobs in one request. The answer to the first
//! chunk tells, and is remembered for the push.

use std::io::SeekFrom;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::StreamExt as _;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, LOCATION, RANGE};
use http::{HeaderValue, Method, StatusCode};
use oci::RepositoryName;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::sync::watch;
use tokio_util::io::ReaderStream;
use url::Url;

use crate::blob_body::Progress;
use crate::event::{Event, Observer};
use crate::exchange::{Answer, Call, Scope};
use crate::upload::completed;
use crate::{Blob, BlobContent, Registry, RegistryError, Step};

/// The first chunk, which may be sent in vain: little, and enough for ECR, which
/// takes no less.
const FIRST: u64 = 5 * 1024 * 1024;
const PIECE: usize = 256 * 1024;

/// An upload under way.
struct Upload<'a> {
    blob: &'a Blob,
    scope: Scope,
    place: Url,
    /// Bytes that the registry is known to have.
    arrived: u64,
    observer: Observer<'a>,
}

impl Registry {
    /// Sends the blob in chunks; whether the registry keeps them. Breaks are
    /// retried from where the registry is, as often in a row as the options say.
    pub(crate) async fn upload_in_chunks(
        &self,
        repository: &RepositoryName,
        blob: &Blob,
        observer: Observer<'_>,
    ) -> Result<bool, RegistryError> {
        let mut upload = Upload {
            blob,
            scope: Scope::push(repository),
            place: self.start_upload(repository).await?,
            arrived: 0,
            observer,
        };
        let first = FIRST.min(self.options.chunk);
        let answer = self.send_chunk(&upload, first).await?.accepted()?;
        if answer.status != StatusCode::ACCEPTED || range(&answer) != Some(first) {
            self.keeps_chunks.store(false, Ordering::Relaxed);
            let call = Call::new(
                Step::CancelUpload,
                Method::DELETE,
                upload.place,
                upload.scope,
            );
            if let Err(error) = self.send(&call).await.and_then(Answer::accepted) {
                tracing::debug!(%error, "the registry did not cancel the upload");
            }
            return Ok(false);
        }
        upload.goes_on(&answer, first)?;
        while upload.arrived < blob.descriptor.size {
            self.next_chunk(&mut upload).await?;
        }
        let place = completed(upload.place, blob);
        let put = Call::new(Step::UploadBlob, Method::PUT, place, upload.scope)
            .with(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let answer = self.send(&put).await?.accepted()?;
        answer.check_stated_digest(blob.descriptor.digest)?;
        Ok(true)
    }

    /// Sends the next chunk, asking where the registry is after each break.
    async fn next_chunk(&self, upload: &mut Upload<'_>) -> Result<(), RegistryError> {
        let mut waits = self.options.waits();
        loop {
            let left = upload.blob.descriptor.size - upload.arrived;
            let length = left.min(self.options.chunk);
            let sent = self.send_chunk(upload, length).await;
            let error = match sent.and_then(Answer::accepted) {
                Ok(answer) => return upload.goes_on(&answer, upload.arrived + length),
                Err(error) => error,
            };
            let Some(wait) = waits.next().filter(|_| error.is_retryable()) else {
                return Err(error);
            };
            (upload.observer)(Event::Retrying {
                what: Step::UploadBlob.to_string(),
                attempt: 1,
                why: error.to_string(),
            });
            tokio::time::sleep(error.retry_after().unwrap_or(wait)).await;
            let get = Call::new(
                Step::UploadBlob,
                Method::GET,
                upload.place.clone(),
                upload.scope.clone(),
            );
            match self.send(&get).await.and_then(Answer::accepted) {
                Ok(answer) => {
                    let arrived = range(&answer).unwrap_or_default();
                    upload.goes_on(&answer, arrived)?;
                    return Ok(());
                }
                Err(error) if error.is_retryable() => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn send_chunk(&self, upload: &Upload<'_>, length: u64) -> Result<Answer, RegistryError> {
        let from = upload.arrived;
        let (body, progress) = chunk(upload.blob, from, length).await?;
        let text = format!("{from}-{}", from + length - 1);
        let mut call = Call::new(
            Step::UploadBlob,
            Method::PATCH,
            upload.place.clone(),
            upload.scope.clone(),
        )
        .with(CONTENT_LENGTH, HeaderValue::from(length));
        if let Ok(value) = HeaderValue::from_str(&text) {
            call = call.with(CONTENT_RANGE, value);
        }
        let digest = upload.blob.descriptor.digest;
        let report = |bytes| {
            (upload.observer)(Event::Sent {
                digest,
                bytes: from + bytes,
            });
        };
        self.send_body(call, body, progress, report).await
    }
}

impl Upload<'_> {
    /// Takes note of an answer after which the registry has `arrived` bytes.
    fn goes_on(&mut self, answer: &Answer, arrived: u64) -> Result<(), RegistryError> {
        if let Some(location) = answer.header(LOCATION) {
            self.place = answer.linked(location)?;
        }
        if arrived > self.blob.descriptor.size {
            return Err(answer.protocol("says that more has arrived than was sent"));
        }
        self.arrived = arrived;
        Ok(())
    }
}

/// How many bytes an answer says have arrived: `Range: 0-LAST`. One byte is said as
/// nothing is by some, so nothing is only what has no such header.
fn range(answer: &Answer) -> Option<u64> {
    let text = answer.header(RANGE)?;
    let text = text.strip_prefix("bytes=").unwrap_or(text);
    let last: u64 = text.strip_prefix("0-")?.parse().ok()?;
    Some(last + 1)
}

/// A part of a blob as a body. It is not hashed: the registry verifies the whole.
async fn chunk(
    blob: &Blob,
    from: u64,
    length: u64,
) -> Result<(reqwest::Body, Progress), RegistryError> {
    let (handed_over, sent) = watch::channel(0);
    let progress = Progress::new(sent, Arc::default());
    let path = match &blob.content {
        BlobContent::File(path) => path,
        BlobContent::Bytes(bytes) => {
            let whole = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
            let part = bytes.slice(whole(from)..whole(from + length));
            return Ok((reqwest::Body::from(part), progress));
        }
        // Never asked for: a stream cannot be read from its middle.
        BlobContent::Published(place) => {
            return Err(RegistryError::File {
                path: place.repository.as_str().into(),
                source: std::io::ErrorKind::NotSeekable.into(),
            });
        }
    };
    let cannot_read = |source| RegistryError::File {
        path: path.clone(),
        source,
    };
    let mut file = File::open(path).await.map_err(cannot_read)?;
    file.seek(SeekFrom::Start(from))
        .await
        .map_err(cannot_read)?;
    let pieces = ReaderStream::with_capacity(file.take(length), PIECE);
    let pieces = pieces.inspect(move |piece| {
        let count = piece.as_ref().map_or(0, bytes::Bytes::len);
        handed_over.send_modify(|sent| *sent += count as u64);
    });
    Ok((reqwest::Body::wrap_stream(pieces), progress))
}
