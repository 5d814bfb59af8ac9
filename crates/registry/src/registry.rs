//! The client itself: where the registry is, who we are there, and the loop that
//! tries again.

use std::collections::HashMap;
use std::sync::Mutex;

use http::HeaderValue;
use oci::RepositoryName;
use url::Url;

use crate::event::{Event, Observer};
use crate::exchange::Scope;
use crate::transport::{Transport, is_private};
use crate::{Credentials, Options, RegistryError, Step};

/// A registry, and a login to it.
pub struct Registry {
    pub(crate) endpoint: Url,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) options: Options,
    pub(crate) transport: Transport,
    /// Bearer tokens by what they allow; empty for a registry that takes `Basic`.
    pub(crate) tokens: Mutex<HashMap<Scope, HeaderValue>>,
}

impl Registry {
    /// A client of the registry at `endpoint` (scheme, host and port; the path is
    /// ignored). Sends nothing yet. Refuses an endpoint over which the password
    /// would travel unprotected: plain `http` is for this machine only.
    pub fn new(
        endpoint: Url,
        credentials: Option<Credentials>,
        options: Options,
    ) -> Result<Self, RegistryError> {
        if !is_private(&endpoint) {
            return Err(RegistryError::Endpoint {
                endpoint: crate::error::redacted(&endpoint),
                reason: "it must start with `https://`, or `http://` with this machine as host",
            });
        }
        Ok(Self {
            endpoint,
            credentials,
            options,
            transport: Transport::new()?,
            tokens: Mutex::default(),
        })
    }

    /// `/v2/<repository>/<path>`. A repository's name, a digest and a tag are all
    /// made of characters that a path may hold as they are.
    pub(crate) fn url(&self, repository: &RepositoryName, path: &str) -> Url {
        let mut url = self.endpoint.clone();
        url.set_path(&format!("/v2/{repository}/{path}"));
        url.set_query(None);
        url
    }

    /// Runs `operation` (given the number of the try, from 1) until it succeeds,
    /// fails for good, or has been retried often enough.
    pub(crate) async fn retry<T, Pending>(
        &self,
        step: Step,
        observer: Option<Observer<'_>>,
        operation: impl Fn(u32) -> Pending,
    ) -> Result<T, RegistryError>
    where
        Pending: Future<Output = Result<T, RegistryError>>,
    {
        let mut waits = self.options.waits();
        let mut attempt = 1;
        loop {
            let error = match operation(attempt).await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let Some(wait) = waits.next().filter(|_| error.is_retryable()) else {
                return Err(error);
            };
            let asked = error.retry_after();
            let wait = asked.map_or(wait, |asked| asked.min(self.options.longest_wait));
            tracing::warn!(%error, attempt, ?wait, "trying again");
            if let Some(observer) = observer {
                observer(Event::Retrying {
                    what: step.to_string(),
                    attempt,
                    why: error.to_string(),
                });
            }
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }
}
