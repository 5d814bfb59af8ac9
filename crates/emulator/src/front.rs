//! The way of every request: id, limits, protocol, then the service that
//! parses, authenticates, authorizes and handles it; serialise, trail.
//!
//! It must not know what any operation means.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::connection::Peer;
use crate::trail::{Note, Origin};
use crate::{admin, issuer, json_protocol, query_protocol, registry, state};

/// How long the body of a call may take to arrive; the registry's uploads are
/// its own business.
const BODY_TIME: Duration = Duration::from_mins(1);
/// The longest reason that is put into a header, in bytes.
const REASON_LIMIT: usize = 2_000;
const REASON: HeaderName = HeaderName::from_static("x-longshore-reason");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// Percent itself, and what a header cannot hold.
const HEADER_TEXT: &AsciiSet = &CONTROLS.add(b'%');

/// Which protocol a request speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// The emulator's own controls.
    Admin,
    /// GitHub's token issuer.
    Issuer,
    /// The OCI distribution protocol.
    Registry,
    /// Layers by an address that was handed out.
    Layers,
    /// AWS JSON 1.1.
    Json,
    /// AWS Query.
    Query,
    /// None that is here.
    Unknown,
}

impl Protocol {
    fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let is_under = |prefix: &str| {
            path.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if is_under(admin::PREFIX) {
            Self::Admin
        } else if is_under(issuer::PREFIX) {
            Self::Issuer
        } else if is_under("/v2") {
            Self::Registry
        } else if is_under("/layers") {
            Self::Layers
        } else if path != "/" {
            Self::Unknown
        } else if request.headers().contains_key(json_protocol::TARGET) {
            Self::Json
        } else {
            Self::Query
        }
    }
}

/// Answers one request.
pub(crate) async fn answer(
    State(state): State<Arc<state::State>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response {
    let _answering = peer.answering();
    let note = Note::new(origin(&peer, request.headers()));
    let protocol = Protocol::of(&request);
    let mut response = match protocol {
        Protocol::Registry => registry::handle(state.clone(), request, note.clone()).await,
        Protocol::Layers => registry::download(state.clone(), request, note.clone()).await,
        Protocol::Unknown => StatusCode::NOT_FOUND.into_response(),
        _ => match collect(request, protocol).await {
            Ok(call) => on_its_own_thread(state.clone(), call, protocol, peer, note.clone()).await,
            Err(status) => status.into_response(),
        },
    };
    describe(&mut response, &note);
    if protocol != Protocol::Admin {
        write_trail(&state, &note);
    }
    response
}

/// A request whose body has arrived.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
}

async fn collect(request: Request, protocol: Protocol) -> Result<Call, StatusCode> {
    let (parts, body) = request.into_parts();
    let limit = match protocol {
        Protocol::Json => json_protocol::body_limit(&parts.headers),
        _ => 1 << 20,
    };
    let reading = axum::body::to_bytes(body, limit);
    match tokio::time::timeout(BODY_TIME, reading).await {
        Ok(Ok(body)) => Ok(Call { parts, body }),
        Ok(Err(_too_long_or_broken_off)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_too_slow) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// Handlers wait for the disk, so they run where waiting is allowed.
async fn on_its_own_thread(
    state: Arc<state::State>,
    call: Call,
    protocol: Protocol,
    peer: Peer,
    note: Note,
) -> Response {
    let work = move || match protocol {
        Protocol::Admin => admin::handle(&state, &call, peer.address),
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

fn write_trail(state: &state::State, note: &Note) {
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

    #[test]
    fn the_protocol_is_told_by_path_and_target() {
        let of = |uri: &str, target: bool| {
            let mut request = Request::builder().uri(uri);
            if target {
                request = request.header(json_protocol::TARGET, "A.B");
            }
            Protocol::of(&request.body(Body::empty()).unwrap())
        };
        assert_eq!(of("/", true), Protocol::Json);
        assert_eq!(of("/?Action=GetCallerIdentity", false), Protocol::Query);
        assert_eq!(of("/v2/", false), Protocol::Registry);
        assert_eq!(of("/v2", false), Protocol::Registry);
        assert_eq!(of("/layers/x", false), Protocol::Layers);
        assert_eq!(of("/v2x", false), Protocol::Unknown);
        assert_eq!(of("/github/.well-known/jwks", false), Protocol::Issuer);
        assert_eq!(of("/_longshore/health", true), Protocol::Admin);
    }
}
