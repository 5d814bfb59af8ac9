//! The layers around every route: whatever a handler does or a client sends,
//! it is answered in time, the answer carries its request id and the security headers,
//! and an error is a problem document.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, REFERRER_POLICY,
    RETRY_AFTER, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tower_http::cors::CorsLayer;

use crate::admission::{Admission, admit};
use crate::metrics::Metrics;
use crate::operations::Operations;
use crate::pages::HTML;
use crate::problem::{PROBLEM_JSON, Problem};
use crate::request_id;
use crate::request_id::X_REQUEST_ID;
use crate::request_log::record;

/// The longest request body, in bytes. The longest valid contact message fits
/// even if each of its characters is written as two JSON escapes (12 bytes).
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

/// What every response carries unless its handler said otherwise. The API serves
/// data for programs: a browser must neither guess at it, frame it nor keep it.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Puts the layers around `router`. The last in the list is the outermost.
pub(crate) fn protect(
    router: Router,
    operations: &Operations,
    cors_origins: &[HeaderValue],
) -> Router {
    let router = router
        .fallback(no_such_resource)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(operations.admission.clone(), guard));
    let router = if cors_origins.is_empty() {
        router
    } else {
        router.layer(cors(cors_origins))
    };
    router.layer(from_fn_with_state(operations.metrics.clone(), report))
}

// Two layers only: each copies all that is inside of it for every request.

/// What keeps the service from harm: whatever happens inside is an answer.
async fn guard(
    State(admission): State<Arc<Admission>>,
    mut request: Request,
    next: Next,
) -> Response {
    // `admit` reads the body, up to its own limit.
    DefaultBodyLimit::disable().apply(&mut request);
    describe_error(catch_panic(admit(&admission, request, next)).await)
}

/// What tells of each request: the log, the counts, and the client's headers.
async fn report(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    request_id::identify(request, async |request| {
        add_headers(record(&metrics, request, next).await)
    })
    .await
}

async fn no_such_resource() -> Problem {
    Problem::not_found("there is nothing at this path")
}

async fn method_not_allowed() -> Problem {
    Problem::method_not_allowed()
}

/// What scripts of other sites may do: read, and send a message. Editing is not for
/// them: `authorization` is no header that they may send.
fn cors(origins: &[HeaderValue]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers([CONTENT_TYPE])
        .expose_headers([ETAG, RETRY_AFTER, X_REQUEST_ID])
        .max_age(Duration::from_hours(1))
}

/// The last net. Nothing is meant to panic; if something does, its client gets
/// an answer, the panic hook has logged where, and other requests go on.
async fn catch_panic(answer: impl Future<Output = Response>) -> Response {
    // Nothing that a handler could leave half-changed outlives the request: the
    // state is immutable, and a transaction cut short is rolled back.
    AssertUnwindSafe(answer)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Problem::internal().into_response())
}

/// Gives an error that is not a problem document yet (one that axum made, such as
/// for a path that is not UTF-8) the document that its status implies.
fn describe_error(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    // A page for people is a description too.
    let is_described = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value == PROBLEM_JSON || value == HTML);
    if !is_error || is_described {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let (described, body) = Problem::of_status(status).into_response().into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.extend(described.headers);
    Response::from_parts(parts, body)
}

fn add_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

#[cfg(test)]
mod tests;
