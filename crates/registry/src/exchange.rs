//! One request and its answer: with the login, within the limits.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use oci::{Digest, RepositoryName};
use tokio::time::timeout;
use url::Url;

use crate::challenge;
use crate::error::redacted;
use crate::{Refusal, Registry, RegistryError, Step};

/// The specification's limit for manifests; no other answer is larger.
pub(crate) const LARGEST_ANSWER: usize = 4 * 1024 * 1024;
const LARGEST_REFUSAL: usize = 64 * 1024;

/// What a bearer token must allow for a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    pub(crate) repository: RepositoryName,
    pub(crate) actions: &'static str,
    /// A repository that is read too.
    source: Option<RepositoryName>,
}

impl Scope {
    pub(crate) fn pull(repository: &RepositoryName) -> Self {
        Self {
            repository: repository.clone(),
            actions: "pull",
            source: None,
        }
    }

    pub(crate) fn push(repository: &RepositoryName) -> Self {
        Self {
            repository: repository.clone(),
            actions: "pull,push",
            source: None,
        }
    }

    /// That of a blob which is taken over from `source`.
    pub(crate) fn mount(repository: &RepositoryName, source: &RepositoryName) -> Self {
        Self {
            source: Some(source.clone()),
            ..Self::push(repository)
        }
    }

    /// As token services are asked for it, a text for each repository.
    pub(crate) fn texts(&self) -> Vec<String> {
        let own = format!("repository:{}:{}", self.repository, self.actions);
        let source = self.source.as_ref();
        let source = source.map(|source| format!("repository:{source}:pull"));
        std::iter::once(own).chain(source).collect()
    }
}

/// A request whose body, if any, is small.
pub(crate) struct Call {
    pub(crate) step: Step,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) scope: Scope,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn new(step: Step, method: Method, url: Url, scope: Scope) -> Self {
        Self {
            step,
            method,
            url,
            scope,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// An answer that is not an error of the transport; its status may still refuse.
pub(crate) struct Answer {
    step: Step,
    method: Method,
    url: Url,
    anonymous: bool,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The answer itself if its status is a success.
    pub(crate) fn accepted(self) -> Result<Self, RegistryError> {
        if self.status.is_success() {
            Ok(self)
        } else {
            Err(self.refusal())
        }
    }

    /// The refusal that this answer is.
    pub(crate) fn refusal(self) -> RegistryError {
        let seconds = self.header(RETRY_AFTER).and_then(|text| text.parse().ok());
        let mut refusal = Refusal {
            step: self.step,
            method: self.method,
            url: redacted(&self.url),
            anonymous: self.anonymous,
            status: self.status.as_u16(),
            errors: Vec::new(),
            body: String::new(),
            retry_after: seconds.map(Duration::from_secs),
        };
        refusal.read_body(&self.body);
        refusal.into_error()
    }

    pub(crate) fn protocol(&self, problem: impl Into<String>) -> RegistryError {
        RegistryError::Protocol {
            step: self.step,
            url: redacted(&self.url),
            problem: problem.into(),
        }
    }

    /// Compares a digest that the registry states, or that its bytes have, with
    /// the one that was meant.
    pub(crate) fn same_digest(
        &self,
        expected: Digest,
        actual: Digest,
    ) -> Result<(), RegistryError> {
        if expected == actual {
            return Ok(());
        }
        Err(RegistryError::DigestMismatch {
            step: self.step,
            url: redacted(&self.url),
            expected,
            actual,
        })
    }

    /// What `Docker-Content-Digest` says, where it is sent.
    pub(crate) fn stated_digest(&self) -> Result<Option<Digest>, RegistryError> {
        match self.headers.get("docker-content-digest") {
            None => Ok(None),
            Some(value) => value
                .to_str()
                .ok()
                .and_then(|text| text.parse().ok())
                .map(Some)
                .ok_or_else(|| self.protocol("sends a `Docker-Content-Digest` that is no digest")),
        }
    }

    /// Checks `Docker-Content-Digest`, where it is sent, against `expected`.
    pub(crate) fn check_stated_digest(&self, expected: Digest) -> Result<(), RegistryError> {
        match self.stated_digest()? {
            Some(stated) => self.same_digest(expected, stated),
            None => Ok(()),
        }
    }

    /// A URL that a header of this answer gives, which may be relative. It may be
    /// on another host, but never over a connection less protected than this one.
    pub(crate) fn linked(&self, reference: &str) -> Result<Url, RegistryError> {
        let linked = self
            .url
            .join(reference)
            .map_err(|_| self.protocol("sends a `Location` or `Link` that is no URL"))?;
        let protected = linked.scheme() == "https"
            || (self.url.scheme() == "http" && crate::transport::is_private(&linked));
        if protected {
            Ok(linked)
        } else {
            Err(self.protocol("points to an unprotected connection"))
        }
    }
}

impl Registry {
    /// Sends `call` with the login; where the registry asks for a bearer token,
    /// gets one and sends once more, and never a third time.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, RegistryError> {
        let answer = self.send_once(call).await?;
        if self.has_token_after(call, &answer).await? {
            return self.send_once(call).await;
        }
        Ok(answer)
    }

    /// Whether `answer` asks for a bearer token, which there is now: one has expired,
    /// or there was none.
    pub(crate) async fn has_token_after(
        &self,
        call: &Call,
        answer: &Answer,
    ) -> Result<bool, RegistryError> {
        if answer.status != StatusCode::UNAUTHORIZED || !self.is_own(&call.url) {
            return Ok(false);
        }
        let Some(challenge) = challenge::bearer(&answer.headers) else {
            return Ok(false);
        };
        self.renew_token(answer, &challenge, &call.scope).await?;
        Ok(true)
    }

    async fn send_once(&self, call: &Call) -> Result<Answer, RegistryError> {
        let mut request = self.prepare(call);
        *request.body_mut() = Some(call.body.clone().into());
        self.transmit(call, request).await
    }

    /// Sends `request`, which is what became of `call`, and reads the answer.
    pub(crate) async fn transmit(
        &self,
        call: &Call,
        request: reqwest::Request,
    ) -> Result<Answer, RegistryError> {
        let response = self.begin(call, request).await?;
        self.read(call, response).await
    }

    /// Sends `request`, which is what became of `call`, and reads the answer's head.
    pub(crate) async fn begin(
        &self,
        call: &Call,
        request: reqwest::Request,
    ) -> Result<reqwest::Response, RegistryError> {
        let client = self.transport.client_for(&call.url)?;
        timeout(self.options.silence, client.execute(request))
            .await
            .map_err(|_| self.stalled(call))?
            .map_err(|source| broken(call, source))
    }

    /// The request without its body. The login goes to the registry's own host
    /// and port and nowhere else, wherever an upload may be redirected to.
    pub(crate) fn prepare(&self, call: &Call) -> reqwest::Request {
        let mut request = reqwest::Request::new(call.method.clone(), call.url.clone());
        request.headers_mut().extend(call.headers.iter().cloned());
        if self.is_own(&call.url)
            && let Some(login) = self.authorization(&call.scope)
        {
            request.headers_mut().insert(AUTHORIZATION, login);
        }
        request
    }

    /// Reads the whole answer; what a refusal says beyond its limit is dropped.
    pub(crate) async fn read(
        &self,
        call: &Call,
        mut response: reqwest::Response,
    ) -> Result<Answer, RegistryError> {
        self.answered.store(true, Ordering::Relaxed);
        let mut answer = Answer {
            step: call.step,
            method: call.method.clone(),
            url: call.url.clone(),
            anonymous: self.credentials().is_none(),
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: Vec::new(),
        };
        let refused = !answer.status.is_success();
        while let Some(chunk) = timeout(self.options.silence, response.chunk())
            .await
            .map_err(|_| self.stalled(call))?
            .map_err(|source| broken(call, source))?
        {
            answer.body.extend_from_slice(&chunk);
            if refused && answer.body.len() > LARGEST_REFUSAL {
                answer.body.truncate(LARGEST_REFUSAL);
                break;
            }
            if answer.body.len() > LARGEST_ANSWER {
                return Err(answer.protocol("sends more than 4 MiB"));
            }
        }
        Ok(answer)
    }

    pub(crate) fn stalled(&self, call: &Call) -> RegistryError {
        RegistryError::Stalled {
            step: call.step,
            url: redacted(&call.url),
            silence: self.options.silence,
        }
    }

    pub(crate) fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.endpoint.origin()
    }
}

pub(crate) fn broken(call: &Call, source: reqwest::Error) -> RegistryError {
    RegistryError::Transport {
        step: call.step,
        url: redacted(&call.url),
        source: source.without_url(),
    }
}
