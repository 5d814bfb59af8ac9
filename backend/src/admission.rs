//! Which requests are worked on: a body is there before anything else is done, and
//! no more requests are worked on at once than was said. A client that sends its
//! body slowly holds nothing that another one needs.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::app::EDITOR_BODY_LIMIT;
use crate::config::Limits;
use crate::problem::Problem;
use crate::protection::BODY_LIMIT;

/// How many bytes the bodies of all open requests may take. They count as they come:
/// a body that comes slowly takes little.
const BODIES: usize = 64 * 1024 * 1024;

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

    /// The whole body, and its bytes' part of the room for bodies.
    async fn read(
        &self,
        headers: &HeaderMap,
        limit: usize,
        body: Body,
    ) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), Problem> {
        let declared = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if declared.is_some_and(|length| length > limit) {
            return Err(Problem::body_too_large(limit));
        }
        let mut bytes = Vec::new();
        let mut room: Option<SemaphorePermit<'_>> = None;
        let mut body = Limited::new(body, limit);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame
                .map_err(|error| unreadable(&*error, limit))?
                .into_data()
            else {
                continue;
            };
            let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let more = self.bodies.try_acquire_many(length);
            let more = more.map_err(|_| Problem::overloaded())?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
            bytes.extend_from_slice(&data);
        }
        Ok((bytes, room))
    }
}

/// How long the body of a request may be. Only who says to be an editor may send much.
fn limit(parts: &Parts) -> usize {
    let is_editing = parts.uri.path().starts_with("/api/v1/editor/");
    if is_editing && parts.headers.contains_key(AUTHORIZATION) {
        EDITOR_BODY_LIMIT
    } else {
        BODY_LIMIT
    }
}

fn unreadable(error: &(dyn Error + Send + Sync + 'static), limit: usize) -> Problem {
    if error.is::<LengthLimitError>() {
        Problem::body_too_large(limit)
    } else {
        Problem::bad_request("the body ended too early or is not what HTTP has")
    }
}

/// Reads the body, and answers if there is room.
pub(crate) async fn admit(admission: &Admission, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // Held until the end of the answer: so long the body takes memory.
    let (body, _room_for_body) = if body.is_end_stream() {
        (body, None)
    } else {
        let read = admission.read(&parts.headers, limit(&parts), body);
        match timeout(admission.time, read).await {
            Ok(Ok((bytes, room))) => (Body::from(bytes), room),
            Ok(Err(problem)) => return problem.into_response(),
            Err(_) => return Problem::timeout(admission.time).into_response(),
        }
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
