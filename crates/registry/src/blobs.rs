//! Pushing blobs: ask which are missing, upload those, several at a time.

use std::collections::HashSet;
use std::path::PathBuf;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::header::CONTENT_LENGTH;
use http::{Method, StatusCode};
use oci::{Descriptor, Digest, RepositoryName};

use crate::event::{Event, Observer};
use crate::exchange::{Call, Scope};
use crate::{Registry, RegistryError, Step};

/// A blob that lies on disk.
#[derive(Debug, Clone)]
pub struct Blob {
    /// What the file must be; verified while it is uploaded.
    pub descriptor: Descriptor,
    /// The file.
    pub path: PathBuf,
}

/// What a push of blobs did. Every blob that was asked for is in one of the lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Blobs that the registry lacked, sorted.
    pub uploaded: Vec<Digest>,
    /// Blobs that it had, sorted.
    pub existing: Vec<Digest>,
    /// Bytes of the uploaded blobs.
    pub bytes: u64,
}

impl Registry {
    /// Makes sure that the repository has all of `blobs`: uploads what it lacks,
    /// in parallel, each digest once. On an error some blobs may have arrived;
    /// no manifest names them yet, and the next push finds them.
    pub async fn push_blobs(
        &self,
        repository: &RepositoryName,
        blobs: &[Blob],
        observer: Observer<'_>,
    ) -> Result<Pushed, RegistryError> {
        let mut seen = HashSet::new();
        let arrivals: Vec<_> = blobs
            .iter()
            .filter(|blob| seen.insert(blob.descriptor.digest))
            .map(|blob| self.push_blob(repository, blob, observer))
            .collect();
        observer(Event::Checking {
            blobs: arrivals.len(),
        });
        let mut arrivals = stream::iter(arrivals).buffer_unordered(self.options.parallel.max(1));
        let mut pushed = Pushed::default();
        while let Some((descriptor, was_there)) = arrivals.try_next().await? {
            if was_there {
                pushed.existing.push(descriptor.digest);
            } else {
                pushed.uploaded.push(descriptor.digest);
                pushed.bytes += descriptor.size;
            }
        }
        pushed.uploaded.sort_unstable();
        pushed.existing.sort_unstable();
        Ok(pushed)
    }

    /// Whether the blob was there before; it is there afterwards.
    async fn push_blob<'b>(
        &self,
        repository: &RepositoryName,
        blob: &'b Blob,
        observer: Observer<'_>,
    ) -> Result<(&'b Descriptor, bool), RegistryError> {
        let descriptor = &blob.descriptor;
        let (digest, size) = (descriptor.digest, descriptor.size);
        let was_there = self
            .retry(Step::CheckBlob, Some(observer), async |_| {
                self.has_blob(repository, descriptor).await
            })
            .await?;
        if was_there {
            observer(Event::Existing { digest, size });
            return Ok((descriptor, true));
        }
        observer(Event::Started { digest, size });
        self.retry(Step::UploadBlob, Some(observer), async |attempt| {
            // The upload may have succeeded and only its answer been lost.
            if attempt > 1 && self.has_blob(repository, descriptor).await? {
                return Ok(());
            }
            self.upload(repository, blob, observer).await
        })
        .await?;
        observer(Event::Finished { digest, size });
        Ok((descriptor, false))
    }

    /// A redirect counts as "there": registries redirect to the storage of blobs
    /// that they have, and the manifest is refused later if they do not.
    async fn has_blob(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
    ) -> Result<bool, RegistryError> {
        let url = self.url(repository, &format!("blobs/{}", descriptor.digest));
        let call = Call::new(Step::CheckBlob, Method::HEAD, url, Scope::push(repository));
        let answer = self.send(&call).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        if answer.status.is_redirection() {
            return Ok(true);
        }
        let answer = answer.accepted()?;
        answer.check_stated_digest(descriptor.digest)?;
        match answer.header(CONTENT_LENGTH) {
            Some(length) if length != descriptor.size.to_string() => Err(answer.protocol(format!(
                "says that {} has {length} bytes, not {}",
                descriptor.digest, descriptor.size
            ))),
            _ => Ok(true),
        }
    }
}
