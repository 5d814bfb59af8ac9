//! Sends messages to one address, and tells the log once when they are not taken, and
//! once when they are again.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use axum::http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::authorities::Authorities;
use super::connection::connect;
use crate::config::Destination;

/// Where the messages of one signal go.
pub(super) struct Exporter {
    /// What is sent: traces or metrics.
    signal: &'static str,
    destination: Destination,
    authorities: Arc<Authorities>,
    timeout: Duration,
    is_taken: bool,
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("it cannot be reached: {0}")]
    Unreachable(#[from] io::Error),
    #[error("it does not answer in HTTP: {}", innermost(.0))]
    Protocol(#[from] hyper::Error),
    #[error("it has not answered in time")]
    Timeout,
    #[error("it answered {status}")]
    Status {
        status: StatusCode,
        /// How long it wants to be left alone.
        pause: Option<Duration>,
    },
    #[error("its address cannot be asked for: {0}")]
    Request(#[from] axum::http::Error),
}

/// hyper's own sentences say little.
fn innermost(error: &hyper::Error) -> String {
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

impl Refusal {
    /// Whether the same message may be taken later. Which answers mean that is in
    /// <https://opentelemetry.io/docs/specs/otlp/#failures-1>.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status.as_u16(), 429 | 502 | 503 | 504),
            Self::Unreachable(_) | Self::Protocol(_) | Self::Timeout => true,
            Self::Request(_) => false,
        }
    }

    /// How long the collector wants to be left alone, if it said so.
    pub(super) fn pause(&self) -> Option<Duration> {
        match self {
            Self::Status { pause, .. } => *pause,
            _ => None,
        }
    }
}

impl Exporter {
    pub(super) fn new(
        signal: &'static str,
        destination: Destination,
        authorities: Arc<Authorities>,
        timeout: Duration,
    ) -> Self {
        Self {
            signal,
            destination,
            authorities,
            timeout,
            is_taken: true,
        }
    }

    /// Sends one message. `lost` is asked how much was lost when it is taken after others
    /// were not.
    pub(super) async fn send(
        &mut self,
        message: Bytes,
        lost: impl FnOnce() -> usize,
    ) -> Result<(), Refusal> {
        let sent = timeout(self.timeout, self.post(message)).await;
        let sent = sent.unwrap_or(Err(Refusal::Timeout));
        let (signal, was_taken) = (self.signal, self.is_taken);
        self.is_taken = sent.is_ok();
        match &sent {
            Ok(()) if !was_taken => {
                tracing::info!(signal, lost = lost(), "the collector takes telemetry again");
            }
            Err(reason) if was_taken => tracing::warn!(
                signal,
                endpoint = %self.destination.endpoint,
                %reason,
                "the collector does not take telemetry; the log says when it does again"
            ),
            _ => {}
        }
        sent
    }

    async fn post(&self, message: Bytes) -> Result<(), Refusal> {
        let uri = self.destination.endpoint.uri();
        let stream = connect(uri, &self.authorities).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with this function.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let host = uri.authority().map_or("", |authority| authority.as_str());
        let mut request = Request::post(uri.path())
            .header(HOST, host)
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(USER_AGENT, concat!("backend/", env!("CARGO_PKG_VERSION")))
            .body(Full::new(message))?;
        request
            .headers_mut()
            .extend(self.destination.headers.0.clone());
        let response = sender.send_request(request).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let pause = response.headers().get(RETRY_AFTER).and_then(seconds);
        Err(Refusal::Status { status, pause })
    }
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    let seconds = value.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
