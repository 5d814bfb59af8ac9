//! Reading what was published: blobs, and what refers to a manifest.

use std::path::Path;

use http::header::LOCATION;
use http::{Method, StatusCode};
use oci::{Descriptor, Digest, Hasher, Index, RepositoryName};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use crate::challenge;
use crate::error::redacted;
use crate::exchange::{Answer, Call, Scope, broken};
use crate::{Registry, RegistryError, Step};

/// Registries send a client on to their storage once; more is going in circles.
const MOST_REDIRECTS: usize = 3;

impl Registry {
    /// The bytes of a blob of at most 4 MiB: a configuration, a document. They are
    /// verified.
    pub async fn blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<Vec<u8>, RegistryError> {
        let url = self.url(repository, &format!("blobs/{}", blob.digest));
        let call = Call::new(Step::GetBlob, Method::GET, url, Scope::pull(repository));
        self.retry(Step::GetBlob, None, async |_| {
            let mut answer = self.send(&call).await?;
            for _ in 0..MOST_REDIRECTS {
                if !answer.status.is_redirection() {
                    break;
                }
                answer = self.followed(&call, &answer).await?;
            }
            let answer = answer.accepted()?;
            let digest = Digest::with(blob.digest.algorithm(), &answer.body);
            answer.same_digest(blob.digest, digest)?;
            Ok(answer.body)
        })
        .await
    }

    /// Writes a blob of any size to a file, piece by piece; its bytes are verified.
    /// The file is not to be used where this fails.
    pub async fn download(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
        file: &Path,
    ) -> Result<(), RegistryError> {
        self.retry(Step::GetBlob, None, async |_| {
            let (call, response) = self.open_blob(repository, blob).await?;
            self.save(&call, response, blob, file).await
        })
        .await
    }

    /// The answer that carries the bytes of a blob, and the call that it answers:
    /// of the registry itself, or of its storage, where it sends us on.
    pub(crate) async fn open_blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<(Call, reqwest::Response), RegistryError> {
        let url = self.url(repository, &format!("blobs/{}", blob.digest));
        let mut call = Call::new(Step::GetBlob, Method::GET, url, Scope::pull(repository));
        let mut response = self.begin(&call, self.prepare(&call)).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(challenge) = challenge::bearer(response.headers())
        {
            let refused = self.read(&call, response).await?;
            self.renew_token(&refused, &challenge, &call.scope).await?;
            response = self.begin(&call, self.prepare(&call)).await?;
        }
        for _ in 0..MOST_REDIRECTS {
            if !response.status().is_redirection() {
                break;
            }
            let answer = self.read(&call, response).await?;
            call = redirected(&call, &answer)?;
            let request = reqwest::Request::new(call.method.clone(), call.url.clone());
            response = self.begin(&call, request).await?;
        }
        if response.status().is_success() {
            return Ok((call, response));
        }
        Err(self.read(&call, response).await?.refusal())
    }

    async fn save(
        &self,
        call: &Call,
        mut response: reqwest::Response,
        blob: &Descriptor,
        path: &Path,
    ) -> Result<(), RegistryError> {
        let cannot_write = |source| RegistryError::File {
            path: path.to_owned(),
            source,
        };
        let mut file = File::create(path).await.map_err(cannot_write)?;
        let mut hasher = Hasher::new(blob.digest.algorithm());
        let mut size = 0;
        while let Some(piece) = timeout(self.options.silence, response.chunk())
            .await
            .map_err(|_| self.stalled(call))?
            .map_err(|source| broken(call, source))?
        {
            size += piece.len() as u64;
            hasher.update(&piece);
            if size > blob.size {
                break;
            }
            file.write_all(&piece).await.map_err(cannot_write)?;
        }
        file.flush().await.map_err(cannot_write)?;
        let actual = hasher.finish();
        if actual == blob.digest && size == blob.size {
            return Ok(());
        }
        Err(RegistryError::DigestMismatch {
            step: call.step,
            url: redacted(&call.url),
            expected: blob.digest,
            actual,
        })
    }

    /// The answer at the place that `answer` sends to. The login stays here: the
    /// address carries whatever it needs.
    async fn followed(&self, call: &Call, answer: &Answer) -> Result<Answer, RegistryError> {
        let call = redirected(call, answer)?;
        let request = reqwest::Request::new(call.method.clone(), call.url.clone());
        self.transmit(&call, request).await
    }

    /// What refers to the manifest `subject` and has that type of artifact, as the
    /// first page lists it, or the tag where clients keep the list.
    pub async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_type: &str,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let mut url = self.url(repository, &format!("referrers/{subject}"));
        url.query_pairs_mut()
            .append_pair("artifactType", artifact_type);
        let step = Step::ListReferrers;
        let call = Call::new(step, Method::GET, url, Scope::pull(repository));
        let answer = self
            .retry(step, None, async |_| {
                let answer = self.send(&call).await?;
                match answer.status {
                    StatusCode::NOT_FOUND => Ok(None),
                    _ => answer.accepted().map(Some),
                }
            })
            .await?;
        let listed = match answer {
            None => self.listed_by_tag(repository, subject).await?,
            Some(answer) => {
                let index: Index = serde_json::from_slice(&answer.body).map_err(|error| {
                    answer.protocol(format!("sends no list of referrers: {error}"))
                })?;
                index.manifests
            }
        };
        // A registry may leave the choice to the client.
        let of_type = |found: &Descriptor| found.artifact_type.as_deref() == Some(artifact_type);
        Ok(listed.into_iter().filter(of_type).collect())
    }
}

/// The call that an answer sends to.
fn redirected(call: &Call, answer: &Answer) -> Result<Call, RegistryError> {
    let location = answer
        .header(LOCATION)
        .ok_or_else(|| answer.protocol("redirects to nowhere"))?;
    let url = answer.linked(location)?;
    Ok(Call::new(call.step, Method::GET, url, call.scope.clone()))
}
