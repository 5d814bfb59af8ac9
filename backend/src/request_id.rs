//! A name for each request, so that a client, a proxy and our log can speak of
//! the same one.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;

use crate::identifier::unique;
use crate::trace_context;
use tracing::{Instrument, Span, error_span};

/// The header that brings the id in and takes it out again.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is accepted from outside, in characters.
const LONGEST: usize = 64;

/// Names the request, runs the rest of it in a span of that name, and tells the
/// client the name.
pub(crate) async fn identify(
    request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let (id, span) = named(request.headers());
    let mut response = answer(request).instrument(span).await;
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}

/// The request's id, and the span that the log and the traces know it by.
fn named(headers: &HeaderMap) -> (String, Span) {
    let own = generated();
    let caller = trace_context::received(headers);
    let parent_id = caller.as_ref().map(|caller| caller.parent_id.as_str());
    let sampled = caller.as_ref().map(|caller| caller.is_sampled);
    // An id that was made here is as good a name for the trace.
    let trace_id = caller.as_ref().map_or(&own, |caller| &caller.trace_id);
    let id = accepted(headers.get(X_REQUEST_ID)).unwrap_or_else(|| own.clone());
    // Of the level error, so that the ids are there whatever level is logged.
    let span = error_span!("request", request_id = id, trace_id, parent_id, sampled);
    (id, span)
}

/// The client's id, if it is one that may stand in a log as it is.
fn accepted(value: Option<&HeaderValue>) -> Option<String> {
    let id = value?.to_str().ok()?;
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    ((1..=LONGEST).contains(&id.len()) && id.chars().all(is_plain)).then(|| id.to_owned())
}

/// A new id of 32 hexadecimal digits. Unique, not secret.
pub(crate) fn generated() -> String {
    format!("{:016x}{:016x}", unique(), unique())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(id: &str) -> bool {
        let value = HeaderValue::from_str(id).expect("a header value");
        accepted(Some(&value)).is_some()
    }

    #[test]
    fn a_plain_id_is_accepted_and_anything_else_is_not() {
        assert!(accepts("6c1e-ab.CD_9"));
        assert!(accepts(&"a".repeat(LONGEST)));
        for refused in [
            "",
            "a b",
            "a\tb",
            "{\"a\":1}",
            "é",
            &"a".repeat(LONGEST + 1),
        ] {
            assert!(!accepts(refused), "{refused} was accepted");
        }
    }

    #[test]
    fn generated_ids_differ_and_would_be_accepted() {
        let (one, other) = (generated(), generated());
        assert_ne!(one, other);
        assert_eq!(one.len(), 32);
        assert!(accepts(&one));
    }
}
