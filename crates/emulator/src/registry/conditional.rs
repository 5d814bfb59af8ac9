//! Conditions on content that never changes under its digest (RFC 9110,
//! sections 8.8.3 and 13). The entity tag of content is its digest.

use axum::response::Response;
use http::request::Parts;
use http::{HeaderName, StatusCode, header};
use oci::Digest;

use super::response::{empty, set, set_digest};

/// The answer that spares the client the content, if it has it already.
pub(super) fn not_modified(parts: &Parts, digest: &Digest) -> Option<Response> {
    if !names(parts, &header::IF_NONE_MATCH, digest) {
        return None;
    }
    let mut response = empty(StatusCode::NOT_MODIFIED);
    set_digest(&mut response, digest);
    set_tag(&mut response, digest);
    Some(response)
}

/// The `Range` header, unless `If-Range` says that the client holds a part of
/// something else.
pub(super) fn range<'a>(parts: &'a Parts, digest: &Digest) -> Option<&'a str> {
    let of_this =
        !parts.headers.contains_key(header::IF_RANGE) || names(parts, &header::IF_RANGE, digest);
    let range = parts.headers.get(header::RANGE).filter(|_| of_this)?;
    range.to_str().ok()
}

/// Sets the entity tag.
pub(super) fn set_tag(response: &mut Response, digest: &Digest) {
    set(response, header::ETAG, &format!("\"{digest}\""));
}

fn names(parts: &Parts, header: &HeaderName, digest: &Digest) -> bool {
    let tag = format!("\"{digest}\"");
    let values = parts.headers.get_all(header);
    values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|value| value.trim().trim_start_matches("W/"))
        .any(|value| value == "*" || value == tag)
}
