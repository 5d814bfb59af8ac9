//! One line in the log for each request, and one more in the counts: what was asked
//! and what came of it. Never a query string, a header or a body: they can hold what
//! is nobody's business.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

use crate::metrics::{Metrics, NO_ROUTE};

/// What these lines are told from others by.
pub(crate) const TARGET: &str = "backend::request";

/// How much of a method and of a path is logged, in bytes: ours are short, a
/// scanner's are not.
const LONGEST: usize = 200;

/// Runs the request, counts it and logs it: at `debug` a probe that found all well, which
/// comes every few seconds and says nothing; at `error` what is our fault.
pub(crate) async fn record(metrics: &Metrics, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = shortened(request.method().as_str()).to_owned();
    let path = shortened(request.uri().path()).to_owned();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let status = response.status();
    let duration = started.elapsed();
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    metrics.count(&method, route, status.as_u16(), duration);
    // Whole microseconds: less is no digit of a clock.
    let milliseconds = (duration.as_secs_f64() * 1e6).round() / 1e3;
    let is_probe = matches!(path.as_str(), "/healthz" | "/readyz");
    macro_rules! log {
        ($level:ident) => {
            tracing::$level!(
                target: TARGET,
                method,
                path,
                route,
                status = status.as_u16(),
                milliseconds,
                "answered"
            )
        };
    }
    if status.is_server_error() {
        log!(error);
    } else if is_probe && status.is_success() {
        log!(debug);
    } else {
        log!(info);
    }
    response
}

fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}
