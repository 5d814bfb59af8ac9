//! Uploading one blob, and a probe of the permission to.
//!
//! One POST for a place, then one PUT with all the bytes: the only form that
//! every registry stores whole. Two others save time where the registry takes them,
//! and the first upload of a push finds out: a small blob in the POST itself, and
//! a large one in chunks ([`crate::chunks`]).

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Method, StatusCode};
use oci::{ErrorCode, RepositoryName};
use tokio::time::timeout;
use url::Url;

use crate::blob_body::{self, Progress};
use crate::event::{Event, Observer};
use crate::exchange::{Answer, Call, Scope, broken};
use crate::{Blob, BlobContent, Registry, RegistryError, Step};

/// Where uploads begin.
const UPLOADS: &str = "blobs/uploads/";

impl Registry {
    /// Starts an upload and cancels it again: whether this login may push, found
    /// out without leaving anything behind.
    ///
    /// A registry that cannot cancel (the specification lets it) is forgiven: an
    /// upload without bytes expires by itself.
    pub async fn start_and_cancel_upload(
        &self,
        repository: &RepositoryName,
    ) -> Result<(), RegistryError> {
        let place = self
            .retry(Step::StartUpload, None, async |_| {
                self.start_upload(repository).await
            })
            .await?;
        let scope = Scope::push(repository);
        let call = Call::new(Step::CancelUpload, Method::DELETE, place, scope);
        if let Err(error) = self.send(&call).await.and_then(Answer::accepted) {
            tracing::debug!(%error, "the registry did not cancel the upload");
        }
        Ok(())
    }

    /// Sends the blob once, from the start, and has the registry confirm it.
    pub(crate) async fn upload(
        &self,
        repository: &RepositoryName,
        blob: &Blob,
        observer: Observer<'_>,
    ) -> Result<(), RegistryError> {
        // What comes in one piece goes in one.
        if matches!(blob.content, BlobContent::Published(_)) {
            return self.upload_in_two(repository, blob, observer).await;
        }
        if self.goes_whole(blob) {
            match self.post_whole(repository, blob, observer).await? {
                Whole::Taken => return Ok(()),
                Whole::Offered(place) => {
                    return self.put_blob(repository, blob, (place, observer)).await;
                }
                Whole::Refused => {}
            }
        }
        self.upload_in_two(repository, blob, observer).await
    }

    /// Has the registry take a blob over from another of its repositories, where it is
    /// known to be in one (distribution-spec, "Mounting a blob from another repository").
    /// Whatever is in the way of that is none of uploading it.
    pub(crate) async fn mount(&self, repository: &RepositoryName, blob: &Blob) -> Mount {
        let Some(source) = self.source(repository, blob) else {
            return Mount::Refused;
        };
        let asked = self.ask_to_mount(repository, blob, &source).await;
        asked.unwrap_or_else(|error| {
            tracing::debug!(%error, %source, "a blob was not mounted");
            Mount::Refused
        })
    }

    async fn ask_to_mount(
        &self,
        repository: &RepositoryName,
        blob: &Blob,
        source: &RepositoryName,
    ) -> Result<Mount, RegistryError> {
        let mut url = self.url(repository, UPLOADS);
        url.query_pairs_mut()
            .append_pair("mount", &blob.descriptor.digest.to_string())
            .append_pair("from", source.as_str());
        let scope = Scope::mount(repository, source);
        let call = Call::new(Step::StartUpload, Method::POST, url, scope)
            .with(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let answer = self.send(&call).await?;
        if answer.status == StatusCode::CREATED {
            answer.check_stated_digest(blob.descriptor.digest)?;
            return Ok(Mount::Taken);
        }
        self.may_mount.store(false, Ordering::Relaxed);
        match answer.header(LOCATION) {
            Some(location) if answer.status == StatusCode::ACCEPTED => {
                answer.linked(location).map(Mount::Offered)
            }
            _ => Ok(Mount::Refused),
        }
    }

    /// Another repository of the registry that has the blob. What is smaller than the
    /// question is not asked about.
    fn source(&self, repository: &RepositoryName, blob: &Blob) -> Option<RepositoryName> {
        let source = match &blob.content {
            BlobContent::Published(place) if self.is_own(&place.registry.endpoint) => {
                Some(place.repository.clone())
            }
            _ if self.goes_whole(blob) => None,
            _ => self.homes.of(&blob.descriptor.digest),
        };
        source.filter(|source| source != repository)
    }

    /// Whether a blob that the repository lacks may be mounted from one that is being
    /// given it.
    pub(crate) fn may_come_from_a_sibling(&self, blob: &Blob) -> bool {
        let known = match &blob.content {
            BlobContent::Published(place) => self.is_own(&place.registry.endpoint),
            BlobContent::File(_) | BlobContent::Bytes(_) => self.goes_whole(blob),
        };
        !known && self.may_mount.load(Ordering::Relaxed)
    }

    /// Whether the blob is so small that it is sent in one request.
    fn goes_whole(&self, blob: &Blob) -> bool {
        blob.descriptor.size <= self.options.whole && self.takes_whole.load(Ordering::Relaxed)
    }

    /// Sends a small blob in the POST (distribution-spec, "Single POST"). A registry
    /// that does not take it may answer with a place, as to any POST.
    async fn post_whole(
        &self,
        repository: &RepositoryName,
        blob: &Blob,
        observer: Observer<'_>,
    ) -> Result<Whole, RegistryError> {
        let url = completed(self.url(repository, UPLOADS), blob);
        let scope = Scope::push(repository);
        let post = Call::new(Step::StartUpload, Method::POST, url, scope);
        let answer = self.send_blob(post, blob, observer).await?;
        if answer.status == StatusCode::CREATED {
            return confirmed(answer, blob).await.map(|()| Whole::Taken);
        }
        // What else it may have against the blob is told by the other form.
        let whole = match answer.accepted() {
            Err(refusal) if !may_want_another_form(&refusal) => return Err(refusal),
            Err(_) => Whole::Refused,
            Ok(answer) => match answer.header(LOCATION) {
                Some(location) => Whole::Offered(answer.linked(location)?),
                None => Whole::Refused,
            },
        };
        self.takes_whole.store(false, Ordering::Relaxed);
        Ok(whole)
    }

    async fn upload_in_two(
        &self,
        repository: &RepositoryName,
        blob: &Blob,
        observer: Observer<'_>,
    ) -> Result<(), RegistryError> {
        let place = self.start_upload(repository).await?;
        self.put_blob(repository, blob, (place, observer)).await
    }

    pub(crate) async fn put_blob(
        &self,
        repository: &RepositoryName,
        blob: &Blob,
        (place, observer): (Url, Observer<'_>),
    ) -> Result<(), RegistryError> {
        let scope = Scope::push(repository);
        let put = Call::new(
            Step::UploadBlob,
            Method::PUT,
            completed(place, blob),
            scope.clone(),
        );
        let answer = self.send_blob(put, blob, observer).await?;
        match confirmed(answer, blob).await {
            Err(refusal) if wants_patch(&refusal) => {}
            outcome => return outcome,
        }
        let place = self.start_upload(repository).await?;
        let patch = Call::new(
            Step::UploadBlob,
            Method::PATCH,
            place.clone(),
            scope.clone(),
        );
        // The specification says 202; ECR says 201. `Range` is not looked at.
        let answer = self.send_blob(patch, blob, observer).await?.accepted()?;
        let place = match answer.header(LOCATION) {
            Some(location) => answer.linked(location)?,
            None => place,
        };
        let put = Call::new(Step::UploadBlob, Method::PUT, completed(place, blob), scope);
        confirmed(self.send(&put).await?, blob).await
    }

    pub(crate) async fn start_upload(
        &self,
        repository: &RepositoryName,
    ) -> Result<Url, RegistryError> {
        let url = self.url(repository, UPLOADS);
        let call = Call::new(
            Step::StartUpload,
            Method::POST,
            url,
            Scope::push(repository),
        )
        .with(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let answer = self.send(&call).await?.accepted()?;
        let location = answer
            .header(LOCATION)
            .ok_or_else(|| answer.protocol("gives no `Location` to upload to"))?;
        answer.linked(location)
    }

    async fn send_blob(
        &self,
        call: Call,
        blob: &Blob,
        observer: Observer<'_>,
    ) -> Result<Answer, RegistryError> {
        let call = call.with(CONTENT_LENGTH, HeaderValue::from(blob.descriptor.size));
        let report = |bytes| {
            observer(Event::Sent {
                digest: blob.descriptor.digest,
                bytes,
            });
        };
        self.send_bodies(&call, async || blob_body::open(blob).await, report)
            .await
    }

    /// Sends `call` with a body, and once more with another one where a bearer token
    /// has expired since the upload began.
    pub(crate) async fn send_bodies<Opening>(
        &self,
        call: &Call,
        open: impl Fn() -> Opening,
        report: impl Fn(u64),
    ) -> Result<Answer, RegistryError>
    where
        Opening: Future<Output = Result<(reqwest::Body, Progress), RegistryError>>,
    {
        let answer = self.send_body(call, open().await?, &report).await?;
        if self.has_token_after(call, &answer).await? {
            return self.send_body(call, open().await?, &report).await;
        }
        Ok(answer)
    }

    /// Sends `call` with a body that is watched.
    async fn send_body(
        &self,
        call: &Call,
        (body, progress): (reqwest::Body, Progress),
        report: impl Fn(u64),
    ) -> Result<Answer, RegistryError> {
        let mut request = self.prepare(call);
        request.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        );
        *request.body_mut() = Some(body);
        let sending = self.transport.client_for(&call.url)?.execute(request);
        let outcome = watched(sending, &progress, self.options.silence, report).await;
        // What broke the body off explains more than the broken connection does.
        if let Some(fault) = progress.take_fault() {
            return Err(fault);
        }
        match outcome {
            None => Err(self.stalled(call)),
            Some(Err(source)) => Err(broken(call, source)),
            Some(Ok(response)) => self.read(call, response).await,
        }
    }
}

/// What a registry made of the wish to take a blob over.
pub(crate) enum Mount {
    /// The repository has the blob.
    Taken,
    /// It gives a place to upload to.
    Offered(Url),
    /// It says no, or was not asked.
    Refused,
}

/// What a registry made of a blob in the POST.
enum Whole {
    /// It has the blob.
    Taken,
    /// It gives a place to upload to.
    Offered(Url),
    /// It says no, or nothing.
    Refused,
}

/// The place of an upload, with the digest that completes it.
pub(crate) fn completed(mut place: Url, blob: &Blob) -> Url {
    place
        .query_pairs_mut()
        .append_pair("digest", &blob.descriptor.digest.to_string());
    place
}

/// What a registry says to the end of an upload. One that states our digest has hashed
/// what it got. Where it does not, or refuses, the file is hashed here too, so that
/// whoever is at fault is named.
pub(crate) async fn confirmed(answer: Answer, blob: &Blob) -> Result<(), RegistryError> {
    let digest = blob.descriptor.digest;
    let said = match answer.accepted() {
        Ok(answer) => match answer.stated_digest()? {
            Some(stated) if stated == digest => return Ok(()),
            Some(stated) => answer.same_digest(digest, stated),
            None => Ok(()),
        },
        Err(refusal) if refusal.is_about_the_caller() => return Err(refusal),
        Err(refusal) => Err(refusal),
    };
    blob_body::verify(blob).await?;
    said
}

/// Whether a registry that refused the PUT of a whole blob may take a PATCH.
fn wants_patch(error: &RegistryError) -> bool {
    match error {
        RegistryError::Refused(refusal) => {
            !error.is_denial()
                && (matches!(refusal.status, 405 | 411 | 415)
                    || error.has_code(&ErrorCode::Unsupported))
        }
        _ => false,
    }
}

/// Whether a registry that refused a blob in the POST may take it in two requests:
/// not where it refuses the caller, does not know the repository, or is busy.
fn may_want_another_form(error: &RegistryError) -> bool {
    match error {
        RegistryError::Refused(refusal) => {
            !error.is_denial() && !error.is_retryable() && refusal.status != 404
        }
        _ => false,
    }
}

/// Waits for `sending`, reports what it sends, and gives up (`None`) when neither
/// a byte nor an answer has moved for `silence`.
async fn watched<T>(
    sending: impl Future<Output = T>,
    progress: &Progress,
    silence: Duration,
    report: impl Fn(u64),
) -> Option<T> {
    let mut sent = progress.sent.clone();
    let mut sending = std::pin::pin!(sending);
    loop {
        let moved = tokio::select! {
            outcome = &mut sending => return Some(outcome),
            moved = timeout(silence, sent.changed()) => moved.ok()?,
        };
        if moved.is_err() {
            // The body is gone: all of it was sent, and only the answer is missing.
            return timeout(silence, sending).await.ok();
        }
        report(*sent.borrow_and_update());
    }
}
