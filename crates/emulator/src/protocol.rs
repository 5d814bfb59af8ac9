//! Which protocol a request speaks, and how each says that a request was not
//! even looked at.

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::error::AwsError;
use crate::state::State;
use crate::trail::Note;
use crate::{admin, issuer, json_protocol, query_protocol, registry};

/// Which protocol a request speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
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
    /// The protocol of `request`, by path and target.
    pub(crate) fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let is_under = |prefix: &str| {
            path.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if is_under(admin::PREFIX) {
            Self::Admin
        } else if is_under(issuer::PREFIX) || issuer::is_at(request.headers()) {
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

    /// The longest body that is read whole, in bytes; the registry reads its own.
    pub(crate) fn body_limit(self, headers: &HeaderMap) -> usize {
        match self {
            Self::Json => json_protocol::body_limit(headers),
            _ => 1 << 20,
        }
    }

    /// The answer to a request that meets `obstacle`, in the shape of this
    /// protocol.
    pub(crate) fn refuse(
        self,
        obstacle: Obstacle,
        state: &State,
        parts: &Parts,
        note: &Note,
    ) -> Response {
        let told = obstacle.told(self);
        let (status, code, message) = told;
        match self {
            Self::Json => json_protocol::refused(note, status, code, message),
            Self::Query => query_protocol::unread(note, &AwsError::new(status, code, message)),
            Self::Registry | Self::Layers => registry::refuse(told, state.behaviour, parts, note),
            Self::Admin | Self::Issuer | Self::Unknown => {
                note.error(code, message);
                let status = StatusCode::from_u16(status);
                let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let content = HeaderValue::from_static("text/plain; charset=utf-8");
                (status, [(header::CONTENT_TYPE, content)], message).into_response()
            }
        }
    }
}

/// What keeps a request from being handled, whatever it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// There were too many requests.
    Throttled,
    /// The service failed.
    InternalError,
    /// The service does not answer for the moment.
    Unavailable,
    /// The state was restored or reset while the body was on its way.
    Replaced,
    /// The body is longer than any that the operation takes.
    TooLarge,
    /// The body did not arrive in time.
    TooSlow,
    /// The body ended before its end was announced.
    BrokenOff,
}

impl Obstacle {
    /// Status, code and sentence. Sources: "Common Errors" of the API references
    /// of ECR, IAM and STS for what throttling, failure and unavailability look
    /// like; ECR's "Troubleshooting Amazon ECR error messages" for the registry's `Rate
    /// exceeded`; the distribution specification for its codes. Those of bodies
    /// that do not arrive are inferred.
    fn told(self, protocol: Protocol) -> (u16, &'static str, &'static str) {
        let is_json = protocol == Protocol::Json;
        let is_registry = matches!(protocol, Protocol::Registry | Protocol::Layers);
        match self {
            Self::Throttled if is_json => (400, "ThrottlingException", "Rate exceeded"),
            Self::Throttled if protocol == Protocol::Query => (400, "Throttling", "Rate exceeded"),
            Self::Throttled => (429, "TOOMANYREQUESTS", "Rate exceeded"),
            Self::InternalError if is_json => (
                500,
                "ServerException",
                "These errors are usually caused by a server-side issue.",
            ),
            Self::InternalError if is_registry => (500, "UNKNOWN", "Internal error"),
            Self::InternalError => (
                500,
                "InternalFailure",
                "The request processing has failed because of an unknown error, exception or failure.",
            ),
            Self::Unavailable if is_registry => (503, "UNAVAILABLE", "Service unavailable"),
            Self::Unavailable => (
                503,
                "ServiceUnavailable",
                "The request has failed due to a temporary failure of the server.",
            ),
            Self::Replaced => (
                503,
                "UNAVAILABLE",
                "The emulator's state was restored or reset while the request was under way; nothing of it was kept",
            ),
            Self::TooLarge if is_registry => (413, "SIZE_INVALID", "The body is too large"),
            Self::TooLarge => (413, "RequestEntityTooLarge", "The body is too large"),
            Self::TooSlow => (408, "RequestTimeout", "The body did not arrive in time"),
            Self::BrokenOff => (400, "IncompleteBody", "The body ended before its end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn the_protocol_is_told_by_path_and_target() {
        let at_github = Request::get("/.well-known/jwks").header("host", github::ISSUER_HOST);
        let at_github = at_github.body(Body::empty()).unwrap();
        assert_eq!(Protocol::of(&at_github), Protocol::Issuer);
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
