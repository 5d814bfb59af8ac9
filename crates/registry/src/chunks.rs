//! A large blob in chunks: what has arrived when a connection breaks is not sent
//! again.
//!
//! That needs a registry which says, in `Range`, how much of an upload it has
//! (distribution-spec, "Pushing a blob in chunks"). ECR keeps chunks but answers with
//! 201 and a `Range` that stays at the end of the first one, so that nobody can
//! know where to go on: it gets its blobs in one request. The answer to the first
//! chunk tells, and is remembered for the push.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::TryStreamExt as _;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, LOCATION, RANGE};
use http::{HeaderValue, Method, StatusCode};
use oci::{Hasher, RepositoryName};
use tokio::sync::watch;
use url::Url;

use crate::blob_body::{Progress, opened, pieces};
use crate::event::{Event, Observer};
use crate::exchange::{Answer, Call, Scope};
use crate::upload::completed;
use crate::{Blob, BlobContent, Registry, RegistryError, Step};

/// The first chunk, which may be sent in vain: little, and enough for ECR, which
/// takes no less.
const FIRST: u64 = 5 * 1024 * 1024;

/// An upload under way.
struct Upload<'a> {
    blob: &'a Blob,
    scope: Scope,
    place: Url,
    /// Bytes that the registry is known to have.
    arrived: u64,
    observer: Observer<'a>,
    seen: Arc<Mutex<Seen>>,
}

/// What has been read of a blob, in order and from its start, whatever of it is sent
/// twice.
struct Seen {
    hasher: Hasher,
    bytes: u64,
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
            seen: Arc::new(Mutex::new(Seen {
                hasher: Hasher::new(blob.descriptor.digest.algorithm()),
                bytes: 0,
            })),
        };
        let first = FIRST.min(self.options.chunk);
        let answer = self.send_chunk(&upload, first).await?.accepted()?;
        if answer.status != StatusCode::ACCEPTED || range(&answer) != Some(first) {
            self.keeps_chunks.store(false, Ordering::Relaxed);
            self.cancel(upload).await;
            return Ok(false);
        }
        upload.goes_on(&answer, first)?;
        while upload.arrived < blob.descriptor.size {
            self.next_chunk(&mut upload).await?;
        }
        if let Err(tampered) = upload.proved() {
            self.cancel(upload).await;
            return Err(tampered);
        }
        let place = completed(upload.place, blob);
        let put = Call::new(Step::UploadBlob, Method::PUT, place, upload.scope)
            .with(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let answer = self.send(&put).await?.accepted()?;
        answer.check_stated_digest(blob.descriptor.digest)?;
        Ok(true)
    }

    /// The registry may not be able to: an upload that nobody ends expires.
    async fn cancel(&self, upload: Upload<'_>) {
        let step = Step::CancelUpload;
        let call = Call::new(step, Method::DELETE, upload.place, upload.scope);
        if let Err(error) = self.send(&call).await.and_then(Answer::accepted) {
            tracing::debug!(%error, "the registry did not cancel the upload");
        }
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
            let wait = error.retry_after().unwrap_or(wait);
            tokio::time::sleep(wait.min(self.options.longest_wait)).await;
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
        self.send_bodies(&call, async || chunk(upload, length).await, report)
            .await
    }
}

impl Upload<'_> {
    /// Whether what was read of a file is its blob: before the registry is told that
    /// this is all.
    fn proved(&self) -> Result<(), RegistryError> {
        let BlobContent::File(path) = &self.blob.content else {
            return Ok(());
        };
        let expected = self.blob.descriptor.digest;
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let actual = seen.hasher.clone().finish();
        if actual == expected {
            return Ok(());
        }
        Err(RegistryError::Tampered {
            path: path.clone(),
            expected,
            problem: format!("its bytes are {actual}"),
        })
    }

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

impl Seen {
    /// Takes note of the bytes at a place, but for those that were seen before.
    fn take(&mut self, place: u64, piece: &[u8]) {
        let known = usize::try_from(self.bytes.saturating_sub(place)).unwrap_or(usize::MAX);
        if let Some(new) = piece.get(known..) {
            self.hasher.update(new);
            self.bytes += new.len() as u64;
        }
    }
}

/// The next part of a blob as a body, hashed as it is sent.
async fn chunk(
    upload: &Upload<'_>,
    length: u64,
) -> Result<(reqwest::Body, Progress), RegistryError> {
    let from = upload.arrived;
    let (handed_over, sent) = watch::channel(0);
    let progress = Progress::new(sent, Arc::default());
    let path = match &upload.blob.content {
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
    let (file, _) = opened(path, from).await.map_err(cannot_read)?;
    let seen = Arc::clone(&upload.seen);
    let pieces = pieces(file, length).inspect_ok(move |piece| {
        let place = from + *handed_over.borrow();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.take(place, piece);
        handed_over.send_modify(|sent| *sent += piece.len() as u64);
    });
    Ok((reqwest::Body::wrap_stream(pieces), progress))
}
