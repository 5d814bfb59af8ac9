//! Errors as clients see them: RFC 9457 problem documents. A problem says what the
//! client can do about it, and never what went wrong inside.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::database::Failure;
use crate::tokens::Scope;

/// The media type of a problem document (RFC 9457, section 3).
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// When a client that was turned away may come again, in seconds.
const PAUSE: u64 = 1;
/// The same where there is no room left on the disk.
const PAUSE_FOR_ROOM: u64 = 60;

/// An error on its way to the client.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    header: Option<(HeaderName, HeaderValue)>,
}

/// One field of the request that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct FieldError {
    /// The name of the field.
    pub(crate) field: &'static str,
    /// What the field must be.
    pub(crate) message: String,
}

/// An error (RFC 9457).
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = Problem))]
pub(crate) struct ProblemDocument {
    /// Always `about:blank`: the status says what kind of problem it is, and
    /// `code` which one.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The name of the status.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// A stable word for programs, such as `not_found`.
    code: &'static str,
    /// A sentence for people about this occurrence.
    detail: String,
    /// The fields that were not accepted, if the problem is with fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schema(required = false))]
    errors: Vec<FieldError>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            header: None,
        }
    }

    /// What kind of error it is.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// A sentence for people.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The fields that were not accepted.
    pub(crate) fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// The header that belongs to it, if there is one.
    pub(crate) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        self.header.clone()
    }

    /// 400: the request cannot be read at all.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// 401: there is no token, or none that is good. Which of the two is not said.
    pub(crate) fn unauthorized() -> Self {
        let header = (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        Self {
            header: Some(header),
            ..Self::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "this needs the header authorization: Bearer, with a token that is good",
            )
        }
    }

    /// 403: the token has not this scope.
    pub(crate) fn forbidden(scope: Scope) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            format!("this needs a token with the scope {scope}"),
        )
    }

    /// 404.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 405. The `Allow` header, which says what is allowed, is the router's to add.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this method is not allowed here",
        )
    }

    /// 408: the request's body was not there within `limit`.
    pub(crate) fn timeout(limit: Duration) -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "timeout",
            format!("the body took longer than {} s", limit.as_secs()),
        )
    }

    /// 412: something else is there than the request expects.
    pub(crate) fn precondition_failed() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition_failed",
            "something else is there than the request expects: read it again",
        )
    }

    /// 428: the request does not say what it expects to be there.
    pub(crate) fn precondition_required() -> Self {
        Self::new(
            StatusCode::PRECONDITION_REQUIRED,
            "precondition_required",
            "this needs if-match with the ETag that was read, or if-none-match: * to make something new",
        )
    }

    /// 413: the body is longer than `limit` bytes.
    pub(crate) fn body_too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body is longer than {limit} bytes"),
        )
    }

    /// 415: the body is not declared as JSON.
    pub(crate) fn unsupported_media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "the body must be JSON, with the header content-type: application/json",
        )
    }

    /// 422: JSON, but not of the expected shape.
    pub(crate) fn unexpected_shape(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unexpected_shape", detail)
    }

    /// 422: the right shape, with values that are not accepted.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "validation_failed",
                "some fields were not accepted",
            )
        }
    }

    /// 429: this has come too often; it may come again after so many seconds.
    pub(crate) fn too_many_requests(seconds: u64) -> Self {
        Self {
            header: Some((RETRY_AFTER, HeaderValue::from(seconds))),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                "too many messages came; try again later",
            )
        }
    }

    /// 500: our fault, and the log knows more.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong on our side",
        )
    }

    /// 503: the database does not answer.
    pub(crate) fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the service cannot answer at the moment",
        )
    }

    /// 503: there is no room to keep anything; somebody has to make some.
    pub(crate) fn storage_full() -> Self {
        Self {
            header: Some((RETRY_AFTER, HeaderValue::from(PAUSE_FOR_ROOM))),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "storage_full",
                "the service has no room to keep anything at the moment",
            )
        }
    }

    /// 503: there is more to do than the service takes on; soon there may be less.
    pub(crate) fn overloaded() -> Self {
        Self {
            header: Some((RETRY_AFTER, HeaderValue::from(PAUSE))),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "the service has too much to do at the moment",
            )
        }
    }

    /// Any other error status, of which nothing is known but its name.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let code = if status.is_client_error() {
            "bad_request"
        } else {
            "internal"
        };
        let detail = status.canonical_reason().unwrap_or("error").to_lowercase();
        Self::new(status, code, detail)
    }
}

impl From<sqlx::Error> for Problem {
    /// The log gets the error, the client learns only whose fault it is.
    fn from(error: sqlx::Error) -> Self {
        let failure = Failure::of(&error);
        if failure == Failure::Full {
            tracing::error!(
                %error,
                "the database has no room left: nothing is written until it has, and reading goes on"
            );
        } else {
            tracing::error!(%error, "the database failed");
        }
        match failure {
            Failure::Full => Self::storage_full(),
            Failure::Gone => Self::unavailable(),
            Failure::Busy => Self::overloaded(),
            Failure::Other => Self::internal(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = ProblemDocument {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail,
            errors: self.errors,
        };
        let mut response =
            (self.status, [(CONTENT_TYPE, PROBLEM_JSON)], Json(document)).into_response();
        response.headers_mut().extend(self.header);
        response
    }
}
