//! A large blob in chunks: what has arrived when a connection breaks is not sent
//! again.
//!
//! That needs a registry which says, in `Range`, how much of an upload it has
//! (distribution-spec, "Pushing a blob in chunks"). ECR keeps chunks but answers with
//! 201 and a `Range` that stays at the end of the first one, so that nobody can
//! know where to go on: it gets its blobs in one request. The answer to the first
//! chunk tells, and is remembered for the push.

use std::sync::atomic::Ordering;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, LOCATION, RANGE};
use http::{HeaderValue, Method, StatusCode};
use oci::RepositoryName;
use tokio::sync::Mutex;
use url::Url;

use crate::blob_body;
use crate::event::{Event, Observer};
use crate::exchange::{Answer, Call, Scope};
use crate::upload::{completed, confirmed};
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
}

impl Registry {
    /// Whether chunks of this blob are worth a try.
    pub(crate) fn may_keep_chunks_of(&self, blob: &Blob) -> bool {
        // What comes in one piece goes in one.
        let one_piece = matches!(blob.content, BlobContent::Published(_));
        let large = blob.descriptor.size >= self.options.resumable;
        !one_piece && large && self.keeps_chunks.load(Ordering::Relaxed)
    }

    /// Sends the blob in chunks; whether the registry keeps them. Each request is
    /// tried again by itself, a chunk from where the registry is.
    pub(crate) async fn upload_in_chunks(
        &self,
        repository: &RepositoryName,
        blob: &Blob,
        observer: Observer<'_>,
    ) -> Result<bool, RegistryError> {
        let (step, size) = (Step::UploadBlob, blob.descriptor.size);
        let first = FIRST.min(self.options.chunk);
        let begun = self.retry(step, Some(observer), async |_| {
            let upload = Upload {
                blob,
                scope: Scope::push(repository),
                place: self.start_upload(repository).await?,
                arrived: 0,
                observer,
            };
            let answer = self.send_chunk(&upload, first).await?.accepted()?;
            Ok((upload, answer))
        });
        let (mut upload, answer) = begun.await?;
        if answer.status != StatusCode::ACCEPTED || range(&answer) != Some(first) {
            self.keeps_chunks.store(false, Ordering::Relaxed);
            self.cancel(upload).await;
            return Ok(false);
        }
        upload.goes_on(&answer, first)?;
        let upload = Mutex::new(upload);
        let mut furthest = first;
        while furthest < size {
            let next = self.retry(step, Some(observer), async |attempt| {
                let mut upload = upload.lock().await;
                if attempt > 1 {
                    self.ask_how_far(&mut upload).await?;
                }
                // What got further, if only a little, has not failed. What the registry lost
                // again is part of the same try, or the tries would never end.
                while upload.arrived <= furthest {
                    self.next_chunk(&mut upload).await?;
                }
                Ok(upload.arrived)
            });
            furthest = next.await?;
        }
        let upload = upload.into_inner();
        let put = Call::new(
            step,
            Method::PUT,
            completed(upload.place, blob),
            upload.scope,
        )
        .with(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let end = self.retry(step, Some(observer), async |attempt| {
            // It may have succeeded and only its answer been lost.
            if attempt > 1 && self.has_blob(repository, &blob.descriptor).await? {
                return Ok(());
            }
            confirmed(self.send(&put).await?, blob).await
        });
        end.await.map(|()| true)
    }

    /// The registry may not be able to: an upload that nobody ends expires.
    async fn cancel(&self, upload: Upload<'_>) {
        let step = Step::CancelUpload;
        let call = Call::new(step, Method::DELETE, upload.place, upload.scope);
        if let Err(error) = self.send(&call).await.and_then(Answer::accepted) {
            tracing::debug!(%error, "the registry did not cancel the upload");
        }
    }

    /// Asks how much has arrived.
    async fn ask_how_far(&self, upload: &mut Upload<'_>) -> Result<(), RegistryError> {
        let (place, scope) = (upload.place.clone(), upload.scope.clone());
        let get = Call::new(Step::UploadBlob, Method::GET, place, scope);
        let answer = self.send(&get).await?.accepted()?;
        upload.goes_on(&answer, range(&answer).unwrap_or_default())
    }

    async fn next_chunk(&self, upload: &mut Upload<'_>) -> Result<(), RegistryError> {
        let left = upload.blob.descriptor.size - upload.arrived;
        let length = left.min(self.options.chunk);
        let answer = self.send_chunk(upload, length).await?.accepted()?;
        upload.goes_on(&answer, upload.arrived + length)
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
        let (blob, digest) = (upload.blob, upload.blob.descriptor.digest);
        let report = |bytes| {
            (upload.observer)(Event::Sent {
                digest,
                bytes: from + bytes,
            });
        };
        let part = async || blob_body::part(blob, from, length).await;
        self.send_bodies(&call, part, report).await
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

/// How many bytes an answer says have arrived: `Range: 0-LAST`. Some say `0-0` of nothing
/// too, and no chunk is one byte.
fn range(answer: &Answer) -> Option<u64> {
    let text = answer.header(RANGE)?;
    let text = text.strip_prefix("bytes=").unwrap_or(text);
    let last: u64 = text.strip_prefix("0-")?.parse().ok()?;
    Some(if last == 0 { 0 } else { last + 1 })
}
