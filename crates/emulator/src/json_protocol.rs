//! AWS JSON 1.1: the protocol of ECR.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::ecr;
use crate::front::Call;
use crate::signature::{self, Received, Scope};
use crate::state::State;
use crate::trail::Note;

/// The header that names the operation.
pub(crate) const TARGET: &str = "x-amz-target";
const PREFIX: &str = "AmazonEC2ContainerRegistry_V20150921.";
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

/// How long a body may be: only a layer's part (20 MiB in base 64) is large.
pub(crate) fn body_limit(headers: &HeaderMap) -> usize {
    match operation(headers) {
        Some("UploadLayerPart") => 28 << 20,
        // A manifest has at most 4 MiB, and JSON escapes its quotes.
        Some("PutImage") => 8 << 20,
        _ => 1 << 20,
    }
}

fn operation(headers: &HeaderMap) -> Option<&str> {
    headers.get(TARGET)?.to_str().ok()?.strip_prefix(PREFIX)
}

/// Authenticates a call and hands it to its service.
pub(crate) fn handle(state: &State, call: &Call, note: &Note) -> Response {
    let Some(operation) = operation(&call.parts.headers) else {
        return refused(note, 400, "UnknownOperationException", "");
    };
    note.event("ecr.amazonaws.com", operation);
    let received = Received {
        method: &call.parts.method,
        path: call.parts.uri.path(),
        query: call.parts.uri.query().unwrap_or_default(),
        headers: &call.parts.headers,
        body: &call.body,
    };
    let scope = Scope {
        service: "ecr",
        home: None,
    };
    let caller = match signature::verify(state, &received, scope, note) {
        Ok(caller) => caller,
        Err(error) => {
            let error = error.in_json();
            return refused(note, error.status, error.code, &error.message);
        }
    };
    note.caller(&caller);
    let Ok(body @ Value::Object(_)) = serde_json::from_slice::<Value>(&call.body) else {
        let message = "The body is not a JSON object";
        return refused(note, 400, "SerializationException", message);
    };
    match ecr::handle(state, &caller, operation, body, note) {
        Ok(answer) => {
            note.json_answer(&answer);
            ([(header::CONTENT_TYPE, CONTENT_TYPE)], answer.to_string()).into_response()
        }
        Err(error) => refused(note, error.status, error.code, &error.message),
    }
}

fn refused(note: &Note, status: u16, code: &'static str, message: &str) -> Response {
    note.error(code, message);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({ "__type": code, "message": message }).to_string();
    let mut response = (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response();
    response
        .headers_mut()
        .insert("x-amzn-errortype", HeaderValue::from_static(code));
    response
}
