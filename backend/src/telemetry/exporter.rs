//! Sends messages to one address, and tells the log once when they are not taken, and
//! once when they are again.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use axum::http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::answer::{explanation, partial_success, pause};
use super::authorities::Authorities;
use super::connection::connect;
use crate::config::Destination;

/// How much of an answer is looked at, and how long it is waited for.
const BODY: usize = 4096;
const BODY_TIMEOUT: Duration = Duration::from_secs(1);

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
    #[error("it answered {status}{}", after_colon(.explanation.as_ref()))]
    Status {
        status: StatusCode,
        explanation: Option<String>,
        /// How long it wants to be left alone.
        pause: Option<Duration>,
    },
    #[error("it refused {count} of what it was sent{}", after_colon(.explanation.as_ref()))]
    Part {
        count: usize,
        explanation: Option<String>,
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

fn after_colon(explanation: Option<&String>) -> String {
    explanation.map_or_else(String::new, |text| format!(": {text}"))
}

impl Refusal {
    /// Whether the same message may be taken later. Which answers mean that is in
    /// <https://opentelemetry.io/docs/specs/otlp/#failures-1>.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status.as_u16(), 429 | 502 | 503 | 504),
            Self::Unreachable(_) | Self::Protocol(_) | Self::Timeout => true,
            Self::Request(_) | Self::Part { .. } => false,
        }
    }

    /// How many were lost of a message of `count` that is not sent again.
    pub(super) fn lost(&self, count: usize) -> usize {
        match self {
            Self::Part { count: part, .. } => count.min(*part),
            _ => count,
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
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = beginning(body).await;
        let sent = &self.destination.headers.0;
        let status = head.status;
        if !status.is_success() {
            return Err(Refusal::Status {
                status,
                explanation: explanation(&body, sent),
                pause: pause(&head.headers),
            });
        }
        // One that says nothing that can be read has taken it all.
        let Some((count, message)) = partial_success(&body) else {
            return Ok(());
        };
        Err(Refusal::Part {
            count,
            explanation: explanation(message.as_bytes(), sent),
        })
    }
}

/// What comes of a body soon. The status has been told: the rest is not worth a wait.
async fn beginning(mut body: Incoming) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = async {
        while bytes.len() < BODY
            && let Some(Ok(frame)) = body.frame().await
        {
            bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..]));
        }
    };
    // What has come by then counts.
    let _ = timeout(BODY_TIMEOUT, read).await;
    bytes.truncate(BODY);
    bytes
}
