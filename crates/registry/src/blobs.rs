//! Pushing blobs: ask which are missing, upload those, several at a time.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use http::header::CONTENT_LENGTH;
use http::{Method, StatusCode};
use oci::{Descriptor, Digest, RepositoryName};
use tokio::sync::Semaphore;

use crate::event::{Event, Observer};
use crate::exchange::{Call, Scope};
use crate::upload::Mount;
use crate::{Registry, RegistryError, Step};

/// A blob on this machine.
#[derive(Debug, Clone)]
pub struct Blob {
    /// What the bytes must be; verified while they are uploaded.
    pub descriptor: Descriptor,
    /// Where they are.
    pub content: BlobContent,
}

/// Where the bytes of a blob are.
#[derive(Debug, Clone)]
pub enum BlobContent {
    /// In this file.
    File(PathBuf),
    /// Here, for there are few.
    Bytes(Bytes),
    /// In a repository, from which they are mounted, or read while they are sent.
    Published(Publication),
}

/// A repository that has a blob.
#[derive(Clone)]
pub struct Publication {
    /// Its registry.
    pub registry: Arc<Registry>,
    /// The repository.
    pub repository: RepositoryName,
}

impl fmt::Debug for Publication {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = &self.registry.endpoint;
        write!(formatter, "{endpoint}{}", self.repository)
    }
}

impl Blob {
    /// A blob in a file.
    pub fn of_file(descriptor: Descriptor, path: PathBuf) -> Self {
        let content = BlobContent::File(path);
        Self {
            descriptor,
            content,
        }
    }

    /// A blob in memory.
    pub fn of_bytes(descriptor: Descriptor, bytes: Bytes) -> Self {
        let content = BlobContent::Bytes(bytes);
        Self {
            descriptor,
            content,
        }
    }
}

/// What a push of blobs did. Every blob that was asked for is in one of the lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Blobs that the registry lacked, sorted.
    pub uploaded: Vec<Digest>,
    /// Blobs that it had, in this repository or another one, sorted.
    pub existing: Vec<Digest>,
    /// Bytes of the uploaded blobs.
    pub bytes: u64,
}

impl Pushed {
    /// Whether the registry has this blob now.
    pub fn has(&self, digest: &Digest) -> bool {
        self.uploaded.contains(digest) || self.existing.contains(digest)
    }

    /// Adds what another push did. A blob that it had to upload was not there.
    pub fn add(&mut self, other: Self) {
        self.existing.retain(|blob| !other.uploaded.contains(blob));
        self.existing.extend(other.existing);
        self.uploaded.extend(other.uploaded);
        self.bytes += other.bytes;
        self.uploaded.sort_unstable();
        self.existing.sort_unstable();
    }
}

/// Whether a registry is asked for a blob before it is uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    First,
    Never,
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
        let blobs = blobs.to_vec();
        self.push_all(repository, blobs, observer, Asked::First)
            .await
    }

    /// The same without asking what the repository has: for a registry that was
    /// found to have lost what it said that it had.
    pub async fn upload_blobs(
        &self,
        repository: &RepositoryName,
        blobs: &[Blob],
        observer: Observer<'_>,
    ) -> Result<Pushed, RegistryError> {
        let blobs = blobs.to_vec();
        self.push_all(repository, blobs, observer, Asked::Never)
            .await
    }

    async fn push_all(
        &self,
        repository: &RepositoryName,
        blobs: Vec<Blob>,
        observer: Observer<'_>,
        asked: Asked,
    ) -> Result<Pushed, RegistryError> {
        let mut seen = HashSet::new();
        let different = blobs.iter().map(|blob| blob.descriptor.digest);
        observer(Event::Checking {
            blobs: different.filter(|digest| seen.insert(*digest)).count(),
        });
        self.push_each(repository, stream::iter(blobs), observer, asked)
            .await
    }

    /// The same as [`Self::push_blobs`] for blobs that come one after the other,
    /// while they are made: each is asked about and sent as soon as it is there.
    pub async fn push_stream(
        &self,
        repository: &RepositoryName,
        blobs: impl Stream<Item = Blob> + Send,
        observer: Observer<'_>,
    ) -> Result<Pushed, RegistryError> {
        self.push_each(repository, blobs, observer, Asked::First)
            .await
    }

    async fn push_each(
        &self,
        repository: &RepositoryName,
        blobs: impl Stream<Item = Blob> + Send,
        observer: Observer<'_>,
        asked: Asked,
    ) -> Result<Pushed, RegistryError> {
        let mut seen = HashSet::new();
        let lanes = Semaphore::new(self.options.parallel.max(1));
        let arrivals = blobs
            .filter(move |blob| std::future::ready(seen.insert(blob.descriptor.digest)))
            .map(|blob| self.push_blob(repository, blob, observer, (asked, &lanes)));
        let at_a_time = self.options.asked.max(self.options.parallel).max(1);
        let arrivals = arrivals.buffer_unordered(at_a_time);
        let mut arrivals = std::pin::pin!(arrivals);
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

    /// Whether the registry had the blob before; the repository has it afterwards.
    /// A large blob that it lacks waits for one of the lanes.
    async fn push_blob(
        &self,
        repository: &RepositoryName,
        blob: Blob,
        observer: Observer<'_>,
        (asked, lanes): (Asked, &Semaphore),
    ) -> Result<(Descriptor, bool), RegistryError> {
        let descriptor = &blob.descriptor;
        let (digest, size) = (descriptor.digest, descriptor.size);
        // What is said about an image is new whenever the image is.
        let in_memory = matches!(blob.content, BlobContent::Bytes(_));
        let was_there = match asked {
            Asked::Never => false,
            Asked::First if in_memory && size <= self.options.whole => false,
            Asked::First => {
                self.retry(Step::CheckBlob, Some(observer), async |_| {
                    self.has_blob(repository, descriptor).await
                })
                .await?
            }
        };
        // A sibling repository may be given the blob at this moment, to take it over from.
        let _turn = match asked {
            Asked::First if !was_there && self.may_come_from_a_sibling(&blob) => {
                self.homes.turn(digest).await
            }
            _ => None,
        };
        let mount = match asked {
            _ if was_there => Mount::Taken,
            // What was lost here may be lost there.
            Asked::Never if matches!(blob.content, BlobContent::File(_)) => Mount::Refused,
            _ => self.mount(repository, &blob).await,
        };
        if matches!(mount, Mount::Taken) {
            self.homes.note(digest, repository);
            observer(Event::Existing { digest, size });
            return Ok((blob.descriptor, true));
        }
        let _lane = if size > self.options.whole {
            lanes.acquire().await.ok()
        } else {
            None
        };
        observer(Event::Started { digest, size });
        self.deliver(repository, &blob, (mount, observer)).await?;
        self.homes.note(digest, repository);
        observer(Event::Finished { digest, size });
        Ok((blob.descriptor, false))
    }

    /// Uploads a blob, at the place that a registry offered which did not mount it.
    async fn deliver(
        &self,
        repository: &RepositoryName,
        blob: &Blob,
        (mount, observer): (Mount, Observer<'_>),
    ) -> Result<(), RegistryError> {
        if self.may_keep_chunks_of(blob) {
            match self.upload_in_chunks(repository, blob, observer).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // All of it is lost: in one request there is no upload to forget.
                Err(error) if error.is_about_the_place() => {
                    tracing::warn!(%error, "the registry has forgotten an upload");
                }
                Err(error) => return Err(error),
            }
        }
        let offered = match mount {
            Mount::Offered(place) => Some(place),
            Mount::Taken | Mount::Refused => None,
        };
        self.retry(Step::UploadBlob, Some(observer), async |attempt| {
            match &offered {
                Some(place) if attempt == 1 => {
                    let place = (place.clone(), observer);
                    match self.put_blob(repository, blob, place).await {
                        Err(error) if error.is_about_the_place() => {
                            tracing::debug!(%error, "the place that was offered is none");
                        }
                        outcome => return outcome,
                    }
                }
                _ => {}
            }
            // The upload may have succeeded and only its answer been lost.
            if attempt > 1 && self.has_blob(repository, &blob.descriptor).await? {
                return Ok(());
            }
            self.upload(repository, blob, observer).await
        })
        .await
    }

    /// A redirect counts as "there": registries redirect to the storage of blobs
    /// that they have, and the manifest is refused later if they do not.
    pub(crate) async fn has_blob(
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
