//! What all answers of the registry have in common.

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderName, HeaderValue, StatusCode, header};
use oci::Digest;

const VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// Adds the header that every answer has.
pub(super) fn finish(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(VERSION, HeaderValue::from_static("registry/2.0"));
    response
}

/// The answer to `/v2/`: the protocol is spoken, and the login is good.
pub(super) fn version() -> Response {
    json("{}".into())
}

/// A JSON document. What is asked for with `HEAD` has the same headers.
pub(super) fn json(body: Vec<u8>) -> Response {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    response
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Sets a header whose value is text of ours, such as a digest or a path.
pub(super) fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Names the content of an answer.
pub(super) fn set_digest(response: &mut Response, digest: &Digest) {
    set(response, CONTENT_DIGEST, &digest.to_string());
}

/// ECR's locations are absolute; scheme and host are those that the client knows.
pub(super) fn absolute(parts: &Parts, path: &str) -> String {
    let scheme = parts.extensions.get().unwrap_or(&Scheme::HTTP);
    match parts
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
    {
        Some(host) => format!("{scheme}://{host}{path}"),
        None => path.to_owned(),
    }
}
