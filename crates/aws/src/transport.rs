//! Sends one request and reads one bounded answer; repeats what may be repeated.
//!
//! It must never follow a redirect: the request carries credentials.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable as _};
use http::{HeaderMap, StatusCode};
use reqwest::redirect;
use url::{Host, Url};

use crate::{AwsError, ServiceError};

/// No answer of the calls in this crate comes near this size.
const LARGEST_ANSWER: usize = 1024 * 1024;
/// Messages are for people: what is longer is cut.
const LONGEST_MESSAGE: usize = 2000;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Names a call in errors and logs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
}

impl Operation {
    pub(crate) fn malformed(self, reason: impl Into<String>) -> AwsError {
        AwsError::Malformed {
            service: self.service,
            operation: self.name,
            reason: reason.into(),
        }
    }

    fn transport(self, source: reqwest::Error) -> AwsError {
        AwsError::Transport {
            service: self.service,
            operation: self.name,
            source: source.without_url(),
        }
    }
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The error that this answer is, with what its format says of it.
    pub(crate) fn into_error(
        self,
        operation: Operation,
        code: Option<String>,
        message: Option<String>,
        request_id: Option<String>,
    ) -> AwsError {
        let message =
            message.unwrap_or_else(|| String::from_utf8_lossy(&self.body).trim().to_owned());
        AwsError::Service(Box::new(ServiceError {
            service: operation.service,
            operation: operation.name,
            status: self.status.as_u16(),
            code,
            message: message.chars().take(LONGEST_MESSAGE).collect(),
            request_id: request_id.or_else(|| self.header("x-amzn-requestid")),
        }))
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        Some(self.headers.get(name)?.to_str().ok()?.to_owned())
    }
}

/// How long to try, and how long to wait between tries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Time-out of one whole request.
    pub(crate) request: Duration,
    /// The first wait; each further one doubles, plus jitter.
    pub(crate) first_wait: Duration,
    /// No try starts after this.
    pub(crate) budget: Duration,
}

impl Patience {
    /// Together under about thirty seconds: a workflow that waits longer looks hung.
    pub(crate) const USUAL: Self = Self {
        request: Duration::from_secs(10),
        first_wait: Duration::from_millis(250),
        budget: Duration::from_secs(15),
    };

    /// Repeats `attempt` while its error is retryable and the budget lasts.
    pub(crate) async fn retry<T, Attempt, Pending>(&self, attempt: Attempt) -> Result<T, AwsError>
    where
        Attempt: FnMut() -> Pending,
        Pending: Future<Output = Result<T, AwsError>>,
    {
        let started = Instant::now();
        attempt
            .retry(
                ExponentialBuilder::new()
                    .with_min_delay(self.first_wait)
                    .with_max_delay(Duration::from_secs(4))
                    .with_max_times(5)
                    .with_jitter(),
            )
            .when(|error: &AwsError| error.is_retryable() && started.elapsed() < self.budget)
            .notify(|error, wait| tracing::warn!(%error, ?wait, "trying again"))
            .await
    }
}

/// The HTTP clients: one for this machine and its metadata services, one for
/// everywhere else.
pub(crate) struct Transport {
    /// Never through a proxy, and needs no CA certificates to exist.
    near: reqwest::Client,
    /// Made when first needed: it loads the system's certificates, which a small
    /// container may lack and a run against this machine does not need.
    far: OnceLock<reqwest::Client>,
}

impl Transport {
    pub(crate) fn new() -> Result<Self, AwsError> {
        let near = builder()
            .no_proxy()
            .tls_certs_only([])
            .build()
            .map_err(|source| AwsError::NoHttpClient { source })?;
        Ok(Self {
            near,
            far: OnceLock::new(),
        })
    }

    /// Sends `request` once and reads the whole answer, whatever its status.
    pub(crate) async fn send(
        &self,
        operation: Operation,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<Answer, AwsError> {
        let mut request =
            reqwest::Request::try_from(request).map_err(|source| operation.transport(source))?;
        *request.timeout_mut() = Some(timeout);
        let client = self.client_for(request.url())?;
        let mut response = client
            .execute(request)
            .await
            .map_err(|source| operation.transport(source))?;
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|source| operation.transport(source))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_ANSWER {
                return Err(operation.malformed("the answer is larger than 1 MiB"));
            }
        }
        Ok(Answer {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body,
        })
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, AwsError> {
        if url.scheme() == "http" && is_near(url) {
            return Ok(&self.near);
        }
        if let Some(client) = self.far.get() {
            return Ok(client);
        }
        let client = builder()
            .build()
            .map_err(|source| AwsError::NoHttpClient { source })?;
        Ok(self.far.get_or_init(|| client))
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("longshore/", env!("CARGO_PKG_VERSION")))
}

/// Whether the URL names this very machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether the URL names an address where AWS puts the metadata and credential
/// services of an instance or a container.
pub(crate) fn is_metadata_service(url: &Url) -> bool {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        _ => return false,
    };
    [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::23",
        "fd00:ec2::254",
    ]
    .iter()
    .any(|known| known.parse() == Ok(address))
}

fn is_near(url: &Url) -> bool {
    is_loopback(url) || is_metadata_service(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_the_metadata_services_are_near() {
        for near in [
            "http://127.0.0.1:1",
            "http://localhost",
            "http://[::1]:80",
            "http://169.254.169.254",
            "http://[fd00:ec2::23]/",
        ] {
            assert!(is_near(&near.parse().unwrap()), "{near}");
        }
        for far in [
            "http://localhost.example",
            "http://10.0.0.1",
            "http://127.0.0.1.example",
            "http://169.254.1.1",
            "file:///etc",
        ] {
            assert!(!is_near(&far.parse().unwrap()), "{far}");
        }
    }
}
