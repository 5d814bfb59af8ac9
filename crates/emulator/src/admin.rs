//! The emulator's own controls: runs, tokens, the clock, the trail.
//!
//! They are not part of AWS and stay on a path of their own. Only programs on
//! this machine may use them: the peer must be loopback, the request must not
//! come from a web page, and its host must be this machine's.

use std::net::{IpAddr, SocketAddr};

use axum::Json;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use github::{Run, SubjectForm};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::front::Call;
use crate::issuer;
use crate::state::State;

/// Under which path the controls are.
pub(crate) const PREFIX: &str = "/_longshore";

/// The most records of the trail in one answer.
const TRAIL_LIMIT: usize = 10_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Registering {
    run: Run,
    form: SubjectForm,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Minting {
    claims: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advancing {
    advance_seconds: i64,
}

/// Answers a request under [`PREFIX`].
pub(crate) fn handle(state: &State, call: &Call, peer: SocketAddr) -> Response {
    if !is_local(peer.ip(), &call.parts.headers) {
        return refused(
            StatusCode::FORBIDDEN,
            "the controls are for this machine only",
        );
    }
    let path = call.parts.uri.path();
    let control = path.strip_prefix(PREFIX).unwrap_or_default();
    match (&call.parts.method, control) {
        (&Method::GET, "/health") => health(state),
        (&Method::GET, "/trail") => trail(state, call),
        (&Method::POST, "/runs") => register(state, call),
        (&Method::POST, "/tokens") => mint(state, call),
        (&Method::POST, "/clock") => advance(state, call),
        (_, "/health" | "/trail" | "/runs" | "/tokens" | "/clock") => refused(
            StatusCode::METHOD_NOT_ALLOWED,
            "the method is not one of this control",
        ),
        _ => refused(StatusCode::NOT_FOUND, "there is no such control"),
    }
}

/// A page in a browser on this machine is loopback too: it sends `Origin`, or
/// comes under a name that was made to point here.
fn is_local(peer: IpAddr, headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(|host| host.parse::<Authority>().ok());
    let is_own_host = host.is_some_and(|host| {
        let name = host.host().trim_matches(['[', ']']);
        name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    });
    peer.to_canonical().is_loopback() && is_own_host && !headers.contains_key(header::ORIGIN)
}

fn health(state: &State) -> Response {
    Json(json!({
        "status": "ok",
        "account": state.settings.account,
        "region": state.settings.region,
        "time": state.clock.now(),
    }))
    .into_response()
}

/// A run that GitHub gives no token (the pull request of a fork) gets none here.
fn register(state: &State, call: &Call) -> Response {
    let registering: Registering = match serde_json::from_slice(&call.body) {
        Ok(registering) => registering,
        Err(error) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    if !registering.run.gets_token() {
        return Json(json!({ "request_url": null, "request_token": null })).into_response();
    }
    let now = state.clock.now();
    match issuer::register(&state.store, registering.run, registering.form, now) {
        Ok(registration) => Json(json!({
            "request_url": issuer::request_url(state, &registration),
            "request_token": registration.token,
        }))
        .into_response(),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// Signs a token with exactly these claims: what no run of GitHub would carry
/// can be tried too. What is absent and every token has is filled in.
fn mint(state: &State, call: &Call) -> Response {
    match serde_json::from_slice::<Minting>(&call.body) {
        Ok(Minting { claims }) => match issuer::sign(state, claims) {
            Ok(token) => Json(json!({ "value": token })).into_response(),
            Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        },
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

fn trail(state: &State, call: &Call) -> Response {
    let query = call.parts.uri.query().unwrap_or_default();
    let id = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "request_id")
        .map(|(_, value)| value.into_owned());
    match state.trail.find(id.as_deref(), TRAIL_LIMIT) {
        Ok(records) => Json(records).into_response(),
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn advance(state: &State, call: &Call) -> Response {
    match serde_json::from_slice::<Advancing>(&call.body) {
        Ok(advancing) => {
            let offset = state.clock.advance(advancing.advance_seconds);
            Json(json!({ "now": state.clock.now(), "offset_seconds": offset })).into_response()
        }
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

fn refused(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_of_this_machine_are_local() {
        let headers = |host: &'static str, origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            headers
        };
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        let remote: IpAddr = "192.0.2.7".parse().unwrap();
        for host in ["127.0.0.1:4566", "localhost:4566", "[::1]:4566"] {
            assert!(is_local(loopback, &headers(host, None)), "{host}");
        }
        assert!(is_local(mapped, &headers("localhost", None)));
        assert!(!is_local(remote, &headers("localhost", None)));
        assert!(!is_local(loopback, &headers("rebound.example:4566", None)));
        assert!(!is_local(
            loopback,
            &headers("localhost", Some("http://evil.example"))
        ));
        assert!(!is_local(loopback, &HeaderMap::new()));
    }
}
