//! The way of every request: id, limits, protocol, then the service that
//! parses, authenticates, authorizes and handles it; serialise, trail.
//!
//! It must not know what any operation means.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::collect::Call;
use crate::connection::Peer;
use crate::faults::Plan;
use crate::gate::Passage;
use crate::protocol::{Obstacle, Protocol};
use crate::state::State;
use crate::trail::{Note, Origin};
use crate::{admin, issuer, json_protocol, query_protocol, registry};

/// The longest reason that is put into a header, in bytes.
const REASON_LIMIT: usize = 2_000;
const REASON: HeaderName = HeaderName::from_static("x-longshore-reason");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// Percent itself, and what a header cannot hold.
const HEADER_TEXT: &AsciiSet = &CONTROLS.add(b'%');

/// Answers one request.
pub(crate) async fn answer(state: Arc<State>, peer: Peer, request: Request) -> Response {
    // RFC 9112, section 3.2. What is signed, and which registry is meant, would
    // depend on which of them is read.
    if request
        .headers()
        .get_all(header::HOST)
        .iter()
        .nth(1)
        .is_some()
    {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let note = Note::new(origin(&peer, request.headers()));
    let protocol = Protocol::of(&request);
    let (mut response, plan, passage) = match arrive(&state, protocol, request).await {
        Ok(arrived) => attempt(&state, &peer, protocol, arrived, &note).await,
        Err((parts, obstacle)) => {
            let refusal = protocol.refuse(obstacle, &state, &parts, &note);
            (refusal, Plan::default(), None)
        }
    };
    describe(&mut response, &note);
    if protocol != Protocol::Admin {
        write_trail(&state, &note);
    }
    drop(passage);
    plan.impair_response(response, &peer).await
}

/// A request, as its handler takes it.
enum Arrived {
    /// Body and all.
    Whole(Call),
    /// The body is on its way.
    Streamed(Parts, Body),
}

async fn arrive(
    state: &State,
    protocol: Protocol,
    request: Request,
) -> Result<Arrived, (Parts, Obstacle)> {
    if matches!(
        protocol,
        Protocol::Registry | Protocol::Layers | Protocol::Unknown
    ) {
        let (parts, body) = request.into_parts();
        return Ok(Arrived::Streamed(parts, body));
    }
    let limit = protocol.body_limit(request.headers());
    state.room.collect(request, limit).await.map(Arrived::Whole)
}

/// Hands a request to its service, through the faults that strike it and through
/// the gate, in which it is still when this returns.
async fn attempt<'a>(
    state: &'a Arc<State>,
    peer: &Peer,
    protocol: Protocol,
    arrived: Arrived,
    note: &Note,
) -> (Response, Plan, Option<Passage<'a>>) {
    let (parts, body) = match &arrived {
        Arrived::Whole(call) => (&call.parts, &call.body[..]),
        Arrived::Streamed(parts, _) => (parts, &[][..]),
    };
    let mut plan = state.faults.strike(state, protocol, (parts, body), note);
    plan.delay(state, parts).await;
    if let Some(response) = plan.prevents(protocol, state, parts, note) {
        return (response, plan, None);
    }
    match arrived {
        Arrived::Streamed(parts, body) => {
            let passage = state.gate.enter().await;
            let body = passage.bound(plan.impair_request(body));
            let request = Request::from_parts(parts.clone(), body);
            let mut response = match protocol {
                Protocol::Registry => registry::handle(state.clone(), request, note.clone()).await,
                Protocol::Layers => registry::download(state.clone(), request, note.clone()).await,
                _ => StatusCode::NOT_FOUND.into_response(),
            };
            if passage.is_cut() {
                response = protocol.refuse(Obstacle::Replaced, state, &parts, note);
            }
            (response, plan, Some(passage))
        }
        Arrived::Whole(call) => match plan.impair_call(call).await {
            Ok(call) => {
                // The controls are what closes the gate.
                let passage = match protocol {
                    Protocol::Admin => None,
                    _ => Some(state.gate.enter().await),
                };
                let response = on_its_own_thread(state, call, protocol, peer, note).await;
                (response, plan, passage)
            }
            Err((parts, obstacle)) => (protocol.refuse(obstacle, state, &parts, note), plan, None),
        },
    }
}

/// Handlers wait for the disk, so they run where waiting is allowed.
async fn on_its_own_thread(
    state: &Arc<State>,
    call: Call,
    protocol: Protocol,
    peer: &Peer,
    note: &Note,
) -> Response {
    let (state, peer, note) = (state.clone(), peer.address, note.clone());
    let work = move || match protocol {
        Protocol::Admin => admin::handle(&state, &call, peer),
        Protocol::Issuer => issuer::handle(&state, &call, &note),
        Protocol::Json => json_protocol::handle(&state, &call, &note),
        _ => query_protocol::handle(&state, &call, &note),
    };
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|failed| {
            tracing::error!(%failed, "a request was not answered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        })
}

fn write_trail(state: &State, note: &Note) {
    if let Err(error) = state.trail.append(note, state.clock.now()) {
        tracing::error!(%error, "the trail was not written");
    }
}

fn origin(peer: &Peer, headers: &HeaderMap) -> Origin {
    let user_agent = headers
        .get(header::USER_AGENT)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    Origin {
        address: peer.address.ip().to_canonical().to_string(),
        user_agent: user_agent.unwrap_or_default(),
    }
}

/// Adds the request's id and, to a refusal, the reason.
fn describe(response: &mut Response<Body>, note: &Note) {
    let refused = !response.status().is_success();
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(note.request_id()) {
        headers.insert(REQUEST_ID, id);
    }
    let reason = note.reason().filter(|_| refused);
    if let Some(reason) = reason.and_then(|reason| header_text(&reason)) {
        headers.insert(REASON, reason);
    }
}

/// The text with line breaks, control characters and non-ASCII percent-encoded,
/// cut where it grows too long.
fn header_text(text: &str) -> Option<HeaderValue> {
    let mut encoded = String::new();
    for piece in utf8_percent_encode(text, HEADER_TEXT) {
        if encoded.len() + piece.len() > REASON_LIMIT {
            encoded.push_str("..");
            break;
        }
        encoded.push_str(piece);
    }
    HeaderValue::try_from(encoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_reason_fits_a_header(text in any::<String>()) {
            let value = header_text(&text).unwrap();
            prop_assert!(value.to_str().unwrap().len() <= REASON_LIMIT + 2);
        }
    }
}
