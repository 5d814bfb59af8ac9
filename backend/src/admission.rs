//! Which requests are worked on: a body is there before anything else is done, and
//! no more requests are worked on at once than was said. A client that sends its
//! body slowly holds nothing that another one needs.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::Limits;
use crate::problem::Problem;
use crate::protection::BODY_LIMIT;

/// How many bodies are read at once. With their longest length this bounds the
/// memory they take: 64 MiB.
const BODIES: usize = 1024;

/// The limits of a service, and what of them is in use.
#[derive(Debug)]
pub(crate) struct Admission {
    time: Duration,
    limit: usize,
    requests: Semaphore,
    bodies: Semaphore,
}

impl Admission {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            time: limits.request,
            limit: limits.requests,
            requests: Semaphore::new(limits.requests),
            bodies: Semaphore::new(BODIES),
        })
    }

    /// How many requests are worked on.
    pub(crate) fn in_flight(&self) -> usize {
        self.limit - self.requests.available_permits()
    }
}

/// Reads the body, and answers if there is room.
pub(crate) async fn admit(
    State(admission): State<Arc<Admission>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let has_body = !body.is_end_stream();
    // Held until the end of the answer: so long the body takes memory.
    let room_for_body = has_body.then(|| admission.bodies.try_acquire());
    let Ok(_room_for_body) = room_for_body.transpose() else {
        return Problem::overloaded().into_response();
    };
    let body = if has_body {
        match timeout(admission.time, read(&parts.headers, body)).await {
            Ok(Ok(bytes)) => Body::from(bytes),
            Ok(Err(problem)) => return problem.into_response(),
            Err(_) => return Problem::timeout(admission.time).into_response(),
        }
    } else {
        body
    };
    // Whether it lives is asked most urgently when it is busy.
    let is_probe = matches!(parts.uri.path(), "/healthz" | "/readyz");
    let room = (!is_probe).then(|| admission.requests.try_acquire());
    let Ok(_room) = room.transpose() else {
        return Problem::overloaded().into_response();
    };
    let answer = next.run(Request::from_parts(parts, body));
    timeout(admission.time, answer).await.unwrap_or_else(|_| {
        tracing::error!("a request was given up: it took too long");
        Problem::overloaded().into_response()
    })
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > BODY_LIMIT) {
        return Err(Problem::body_too_large(BODY_LIMIT));
    }
    to_bytes(body, BODY_LIMIT).await.map_err(|error| {
        let is_too_long = error
            .source()
            .is_some_and(<dyn Error>::is::<LengthLimitError>);
        if is_too_long {
            Problem::body_too_large(BODY_LIMIT)
        } else {
            Problem::bad_request("the body ended too early or is not what HTTP has")
        }
    })
}
