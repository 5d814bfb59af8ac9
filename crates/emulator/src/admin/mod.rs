//! The emulator's own controls: runs, tokens, the clock, the trail.
//!
//! They are not part of AWS and stay on a path of their own. They are off unless
//! the emulator was started with them; who may use them is decided in `access`.

mod access;
mod activity;
mod clock;
mod faults;
mod garbage;
mod health;
mod issuers;
mod lifecycle;
mod runs;
mod secret;
mod snapshots;
mod tokens;
mod trail;

use std::net::SocketAddr;

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::collect::Call;
use crate::state::State;
pub(crate) use secret::FILE as SECRET_FILE;
pub use secret::{BadControlsSecret, ControlsSecret};

/// Under which path the controls are.
pub(crate) const PREFIX: &str = "/_longshore";

/// The one path that answers everybody, with the controls on or off.
const HEALTH: &str = "/health";

/// Answers one request of one control.
type Handler = fn(&State, &Call) -> Result<Response, Refusal>;

/// Every control: method, path below [`PREFIX`], handler. A path that ends in
/// `*` has a name in its place.
const CONTROLS: &[(Method, &str, Handler)] = &[
    (Method::GET, HEALTH, health::tell),
    (Method::POST, "/issuers", issuers::register),
    (Method::POST, "/runs", runs::register),
    (Method::POST, "/tokens", tokens::mint),
    (Method::GET, "/clock", clock::read),
    (Method::POST, "/clock", clock::change),
    (Method::POST, "/garbage", garbage::run),
    (Method::POST, "/lifecycle", lifecycle::run),
    (Method::GET, "/trail", trail::list),
    (Method::GET, "/activity", activity::tell),
    (Method::GET, "/faults", faults::list),
    (Method::POST, "/faults", faults::set),
    (Method::DELETE, "/faults", faults::clear),
    (Method::DELETE, "/faults/*", faults::remove),
    (Method::GET, "/snapshots", snapshots::list),
    (Method::POST, "/snapshots", snapshots::create),
    (Method::DELETE, "/snapshots/*", snapshots::remove),
    (Method::POST, "/restore", snapshots::restore),
    (Method::POST, "/reset", snapshots::reset),
];

/// Answers a request under [`PREFIX`].
pub(crate) fn handle(state: &State, call: &Call, peer: SocketAddr) -> Response {
    answer(state, call, peer).unwrap_or_else(IntoResponse::into_response)
}

fn answer(state: &State, call: &Call, peer: SocketAddr) -> Result<Response, Refusal> {
    let path = call.parts.uri.path();
    let path = path.strip_prefix(PREFIX).unwrap_or_default();
    if path != HEALTH {
        access::check(state.controls.as_ref(), peer.ip(), &call.parts.headers)?;
    }
    find(&call.parts.method, path)?(state, call)
}

fn find(method: &Method, path: &str) -> Result<Handler, Refusal> {
    let mut of_path = CONTROLS
        .iter()
        .filter(|control| is_path_of(control.1, path))
        .peekable();
    if of_path.peek().is_none() {
        return Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "there is no such control",
        ));
    }
    let (_, _, handler) = of_path.find(|control| control.0 == method).ok_or_else(|| {
        Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "the method is not one of this control",
        )
    })?;
    Ok(*handler)
}

fn is_path_of(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(directory) => path
            .strip_prefix(directory)
            .is_some_and(|name| !name.is_empty() && !name.contains('/')),
        None => pattern == path,
    }
}

/// The name in the place of a path's `*`, as it was sent.
fn name_of(call: &Call) -> &str {
    let path = call.parts.uri.path();
    path.rsplit('/').next().unwrap_or_default()
}

/// The body of a control's request.
fn body<T: DeserializeOwned>(call: &Call) -> Result<T, Refusal> {
    serde_json::from_slice(&call.body)
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string()))
}

/// Why a control did nothing: a status and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, message }
    }

    /// The emulator itself failed.
    fn failed(error: &dyn std::error::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(json!({ "message": self.message }));
        let mut response = (self.status, body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_control_and_a_wrong_method_are_told_apart() {
        assert!(find(&Method::POST, "/clock").is_ok());
        let status = |method: &Method, path| find(method, path).unwrap_err().status;
        assert_eq!(status(&Method::DELETE, "/clock"), 405);
        assert_eq!(status(&Method::GET, "/clocks"), 404);
        assert!(find(&Method::DELETE, "/faults/rule-1").is_ok());
        assert_eq!(status(&Method::GET, "/faults/rule-1"), 405);
        assert_eq!(status(&Method::DELETE, "/faults/"), 404);
        assert_eq!(status(&Method::DELETE, "/faults/a/b"), 404);
    }
}
