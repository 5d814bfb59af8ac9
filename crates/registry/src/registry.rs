//! The client itself: where the registry is, who we are there, and the loop that
//! tries again.

use std::collections::HashMap;
use std::error::Error;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderValue;
use oci::RepositoryName;
use tokio::time::Instant;
use url::Url;

use crate::event::{Event, Observer};
use crate::exchange::Scope;
use crate::homes::Homes;
use crate::throttle::Throttle;
use crate::transport::{Transport, is_private};
use crate::{Credentials, Options, RegistryError, Step};

/// Gets another login, when the registry says that the present one has expired.
pub type Renew = Box<dyn Fn() -> Renewing + Send + Sync>;

/// A login that is on its way.
pub type Renewing =
    Pin<Box<dyn Future<Output = Result<Credentials, Box<dyn Error + Send + Sync>>> + Send>>;

/// How often a connection is tried to a registry that has not answered yet.
const FIRST_TRIES: u32 = 3;

/// A login, and how many there were before it.
struct Login {
    credentials: Option<Credentials>,
    number: u64,
}

/// A registry, and a login to it.
pub struct Registry {
    pub(crate) endpoint: Url,
    login: Mutex<Login>,
    renew: Option<Renew>,
    /// Held while a login is renewed: the others wait for it.
    renewing: tokio::sync::Mutex<()>,
    /// Whether the registry may take a blob in one request; until it is seen not to.
    pub(crate) takes_whole: AtomicBool,
    /// Whether the registry may keep chunks; until it is seen not to.
    pub(crate) keeps_chunks: AtomicBool,
    /// Whether the registry may take blobs over from a repository to another; until it is
    /// seen not to.
    pub(crate) may_mount: AtomicBool,
    /// Whether the registry may list referrers; until it is seen not to.
    pub(crate) may_list_referrers: AtomicBool,
    /// Whether the registry has ever answered.
    pub(crate) answered: AtomicBool,
    throttle: Throttle,
    /// Where blobs were seen, by this client.
    pub(crate) homes: Homes,
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
            login: Mutex::new(Login {
                credentials,
                number: 0,
            }),
            renew: None,
            renewing: tokio::sync::Mutex::default(),
            takes_whole: AtomicBool::new(true),
            keeps_chunks: AtomicBool::new(true),
            may_mount: AtomicBool::new(true),
            may_list_referrers: AtomicBool::new(true),
            answered: AtomicBool::new(false),
            throttle: Throttle::default(),
            homes: Homes::default(),
            options,
            transport: Transport::new()?,
            tokens: Mutex::default(),
        })
    }

    /// The same client, which gets another login from `renew` when this one has
    /// expired: once for each step, whatever is being sent at the same time.
    #[must_use]
    pub fn renewed_by(mut self, renew: Renew) -> Self {
        self.renew = Some(renew);
        self
    }

    /// The login, if there is one.
    pub(crate) fn credentials(&self) -> Option<Credentials> {
        self.login().credentials.clone()
    }

    fn login(&self) -> MutexGuard<'_, Login> {
        // A login is replaced in one assignment, so a poisoned one is still good.
        self.login.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the login with that number, unless another task just did.
    async fn renew(&self, renew: &Renew, expired: u64) -> Result<(), RegistryError> {
        let _renewing = self.renewing.lock().await;
        if self.login().number != expired {
            return Ok(());
        }
        let credentials = renew()
            .await
            .map_err(|source| RegistryError::NotRenewed { source })?;
        *self.login() = Login {
            credentials: Some(credentials),
            number: expired + 1,
        };
        self.tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        Ok(())
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
    /// fails for good, or has been retried often enough. A login that has expired
    /// is renewed first, once, without a wait. While the registry throttles anybody,
    /// nobody asks; that counts as no try, as long as patience lasts.
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
        let mut renew = self.renew.as_ref();
        let mut throttled = self.options.waits();
        let mut patience = None;
        loop {
            self.throttle.passed().await;
            let login = self.login().number;
            let error = match operation(attempt).await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if error.may_be_expired_login()
                && let Some(renew) = renew.take()
            {
                tracing::info!(%error, "getting another login");
                self.renew(renew, login).await?;
                attempt += 1;
                continue;
            }
            let patient = *patience.get_or_insert_with(|| Instant::now() + self.options.patience);
            let is_throttled = error.is_throttled() && Instant::now() < patient;
            let wait = if is_throttled {
                Some(throttled.next().unwrap_or(self.options.longest_wait))
            } else {
                waits.next()
            };
            let may_help = error.is_retryable() && !self.is_elsewhere(&error, attempt);
            let Some(wait) = wait.filter(|_| may_help) else {
                return Err(error);
            };
            let asked = error.retry_after();
            let wait = asked.map_or(wait, |asked| asked.min(self.options.longest_wait));
            if is_throttled {
                self.throttle.pause(wait);
            }
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

    /// Whether the registry has never answered and is still not to be found: one that is
    /// named wrong is not waited for as one that was there.
    fn is_elsewhere(&self, error: &RegistryError, attempt: u32) -> bool {
        let answered = self.answered.load(Ordering::Relaxed);
        !answered && attempt >= FIRST_TRIES && error.unreachable().is_some()
    }
}
