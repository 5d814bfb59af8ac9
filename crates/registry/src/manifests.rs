//! Manifests: asking for them, reading them, writing them.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use oci::{Descriptor, Digest, ErrorCode, ManifestReference, RepositoryName, media_type};

use crate::exchange::{Answer, Call, Scope};
use crate::{Registry, RegistryError, Step};

/// A manifest that a registry has stored.
pub(crate) struct Put {
    digest: Digest,
    /// Whether the registry said that it lists the manifest with its subject.
    pub(crate) listed: bool,
}

impl Registry {
    /// What `reference` names, or `None` where it names nothing (a repository
    /// that does not exist looks the same: a HEAD carries no reason).
    ///
    /// Where the registry does not state the digest, the manifest itself is read.
    pub async fn resolve(
        &self,
        repository: &RepositoryName,
        reference: &ManifestReference,
    ) -> Result<Option<Descriptor>, RegistryError> {
        let step = Step::ResolveManifest;
        let call = manifest_call(self, step, Method::HEAD, repository, reference);
        let answer = self
            .retry(step, None, async |_| found(self.send(&call).await?))
            .await?;
        let Some(answer) = answer else {
            return Ok(None);
        };
        let size = answer
            .header(CONTENT_LENGTH)
            .and_then(|text| text.parse().ok());
        let media_type = media_type_of(&answer)?;
        let (Some(digest), Some(size)) = (answer.stated_digest()?, size) else {
            let manifest = self.manifest(repository, reference).await?;
            return Ok(manifest.map(|(descriptor, _)| descriptor));
        };
        if let ManifestReference::Digest(expected) = reference {
            answer.same_digest(*expected, digest)?;
        }
        Ok(Some(Descriptor::new(media_type, digest, size)))
    }

    /// The manifest that `reference` names and its bytes, or `None` where it names
    /// nothing. The digest is computed from the bytes and compared with the one
    /// asked for and the one stated.
    pub async fn manifest(
        &self,
        repository: &RepositoryName,
        reference: &ManifestReference,
    ) -> Result<Option<(Descriptor, Bytes)>, RegistryError> {
        let step = Step::GetManifest;
        let call = manifest_call(self, step, Method::GET, repository, reference);
        let answer = self
            .retry(step, None, async |_| found(self.send(&call).await?))
            .await?;
        let Some(mut answer) = answer else {
            return Ok(None);
        };
        let bytes = Bytes::from(std::mem::take(&mut answer.body));
        let media_type = media_type_of(&answer)?;
        let mut digest = Digest::of(&bytes);
        if let Some(stated) = answer.stated_digest()? {
            answer.same_digest(stated, Digest::with(stated.algorithm(), &bytes))?;
        }
        if let ManifestReference::Digest(expected) = reference {
            digest = Digest::with(expected.algorithm(), &bytes);
            answer.same_digest(*expected, digest)?;
        }
        let descriptor = Descriptor::new(media_type, digest, bytes.len() as u64);
        Ok(Some((descriptor, bytes)))
    }

    /// Writes a manifest under a tag or under its own digest, and has the registry
    /// say that it stored these bytes. Everything that the manifest names must be
    /// in the repository.
    pub async fn push_manifest(
        &self,
        repository: &RepositoryName,
        reference: &ManifestReference,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<Digest, RegistryError> {
        let put = self.put_manifest(repository, reference, media_type, bytes);
        Ok(put.await?.digest)
    }

    pub(crate) async fn put_manifest(
        &self,
        repository: &RepositoryName,
        reference: &ManifestReference,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<Put, RegistryError> {
        let mut actual = Digest::of(&bytes);
        if let ManifestReference::Digest(expected) = reference {
            actual = Digest::with(expected.algorithm(), &bytes);
            if *expected != actual {
                return Err(RegistryError::WrongReference {
                    expected: *expected,
                    actual,
                });
            }
        }
        let url = self.url(repository, &format!("manifests/{reference}"));
        let scope = Scope::push(repository);
        let mut call = Call::new(Step::PutManifest, Method::PUT, url, scope);
        if let Ok(value) = HeaderValue::from_str(media_type) {
            call = call.with(CONTENT_TYPE, value);
        }
        call.body = bytes;
        let listed = self
            .retry(Step::PutManifest, None, async |attempt| {
                match self.send(&call).await?.accepted() {
                    Ok(answer) => {
                        answer.check_stated_digest(actual)?;
                        Ok(answer.header("oci-subject").is_some())
                    }
                    Err(error) if attempt > 1 && error.has_code(&ErrorCode::TagInvalid) => {
                        self.is_already_written(repository, reference, actual, error)
                            .await?;
                        Ok(false)
                    }
                    Err(error) => Err(error),
                }
            })
            .await?;
        Ok(Put {
            digest: actual,
            listed,
        })
    }

    /// After a retry, an immutable tag may be taken by our own first try, whose
    /// answer was lost: then the refusal is no error.
    async fn is_already_written(
        &self,
        repository: &RepositoryName,
        reference: &ManifestReference,
        meant: Digest,
        refusal: RegistryError,
    ) -> Result<(), RegistryError> {
        match self.resolve(repository, reference).await? {
            Some(descriptor) if descriptor.digest == meant => Ok(()),
            _ => Err(refusal),
        }
    }
}

fn manifest_call(
    registry: &Registry,
    step: Step,
    method: Method,
    repository: &RepositoryName,
    reference: &ManifestReference,
) -> Call {
    let url = registry.url(repository, &format!("manifests/{reference}"));
    let mut call = Call::new(step, method, url, Scope::pull(repository));
    for accepted in media_type::MANIFESTS {
        call = call.with(ACCEPT, HeaderValue::from_static(accepted));
    }
    call
}

/// Tells "there is no such manifest" from every other refusal.
fn found(answer: Answer) -> Result<Option<Answer>, RegistryError> {
    if answer.status == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    answer.accepted().map(Some)
}

fn media_type_of(answer: &Answer) -> Result<&str, RegistryError> {
    let header = answer
        .header(CONTENT_TYPE)
        .ok_or_else(|| answer.protocol("does not say what kind of manifest it has"))?;
    let media_type = header.split(';').next().unwrap_or(header).trim();
    // Manifests have many types, but a page for browsers is none: whoever serves it is
    // no registry, or there is none below this path.
    if !media_type.starts_with("application/") {
        let problem =
            format!("answers with `{media_type}`, which is no manifest: is it a registry?");
        return Err(answer.protocol(problem));
    }
    Ok(media_type)
}
