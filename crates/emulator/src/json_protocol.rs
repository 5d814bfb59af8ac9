//! AWS JSON 1.1: the protocol of ECR and CloudTrail.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::caller::Caller;
use crate::collect::Call;
use crate::error::AwsError;
use crate::signature::{self, Received, Scope};
use crate::state::State;
use crate::trail::Note;
use crate::{cloudtrail, ecr};

/// The header that names the operation.
pub(crate) const TARGET: &str = "x-amz-target";
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

/// A service that speaks this protocol.
struct Service {
    /// What stands before the operation in the target. Some clients put the
    /// name's package before it, some do not.
    target: &'static str,
    /// Its name in a credential scope, and before `.amazonaws.com`.
    name: &'static str,
    handle: fn(&State, &Caller, &str, Value, &Note) -> Result<Value, AwsError>,
    /// How long the body of an operation may be, in bytes.
    body_limit: fn(&str) -> usize,
}

/// The services that are here.
const SERVICES: &[Service] = &[
    Service {
        target: "AmazonEC2ContainerRegistry_V20150921",
        name: "ecr",
        handle: |state, caller, operation, body, note| {
            Ok(ecr::handle(state, caller, operation, body, note)?)
        },
        body_limit: ecr::body_limit,
    },
    Service {
        target: "CloudTrail_20131101",
        name: "cloudtrail",
        handle: cloudtrail::handle,
        body_limit: |_| BODY_LIMIT,
    },
];

/// How long a body may be where nothing else is said.
pub(crate) const BODY_LIMIT: usize = 1 << 20;

/// How long the body of a request may be.
pub(crate) fn body_limit(headers: &HeaderMap) -> usize {
    asked(headers).map_or(BODY_LIMIT, |(service, operation)| {
        (service.body_limit)(operation)
    })
}

/// The service and the operation that the target names.
fn asked(headers: &HeaderMap) -> Option<(&'static Service, &str)> {
    let target = headers.get(TARGET)?.to_str().ok()?;
    let (prefix, operation) = target.rsplit_once('.')?;
    let name = prefix.rsplit('.').next()?;
    let service = SERVICES.iter().find(|service| service.target == name)?;
    Some((service, operation))
}

/// Service and operation that a request asks for, in the words of the trail.
pub(crate) fn event(headers: &HeaderMap) -> Option<(String, String)> {
    let (service, operation) = asked(headers)?;
    Some((
        format!("{}.amazonaws.com", service.name),
        operation.to_owned(),
    ))
}

/// Authenticates a call and hands it to its service.
pub(crate) fn handle(state: &State, call: &Call, note: &Note) -> Response {
    let Some((service, operation)) = asked(&call.parts.headers) else {
        return refused(note, 400, "UnknownOperationException", "");
    };
    note.event(&format!("{}.amazonaws.com", service.name), operation);
    let received = Received {
        method: &call.parts.method,
        path: call.parts.uri.path(),
        query: call.parts.uri.query().unwrap_or_default(),
        headers: &call.parts.headers,
        body: &call.body,
    };
    let scope = Scope {
        service: service.name,
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
    match (service.handle)(state, &caller, operation, body, note) {
        Ok(answer) => {
            note.json_answer(&answer);
            ([(header::CONTENT_TYPE, CONTENT_TYPE)], answer.to_string()).into_response()
        }
        Err(error) => {
            let members = error.members;
            refused_with(note, error.status, error.code, &error.message, members)
        }
    }
}

/// As `crate::fuzzing::Callee::answers_json`.
#[cfg(fuzzing)]
pub(crate) fn answers(
    state: &State,
    caller: &Caller,
    (target, body): (&str, &[u8]),
    note: &Note,
) -> u16 {
    let target = HeaderValue::try_from(target);
    let headers: HeaderMap = target
        .into_iter()
        .map(|target| (header::HeaderName::from_static(TARGET), target))
        .collect();
    let Some((service, operation)) = asked(&headers) else {
        return 400;
    };
    note.caller(caller);
    match serde_json::from_slice::<Value>(body) {
        Ok(body @ Value::Object(_)) => {
            let answer = (service.handle)(state, caller, operation, body, note);
            answer.map_or_else(|error| error.status, |_| 200)
        }
        _ => 400,
    }
}

/// The answer of a call that failed.
pub(crate) fn refused(note: &Note, status: u16, code: &'static str, message: &str) -> Response {
    refused_with(note, status, code, message, Map::new())
}

/// A refusal that says more than its sentence.
fn refused_with(
    note: &Note,
    status: u16,
    code: &'static str,
    message: &str,
    mut body: Map<String, Value>,
) -> Response {
    note.error(code, message);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    body.insert("__type".to_owned(), json!(code));
    body.insert("message".to_owned(), json!(message));
    let body = Value::Object(body).to_string();
    let mut response = (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response();
    response
        .headers_mut()
        .insert("x-amzn-errortype", HeaderValue::from_static(code));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_names_service_and_operation() {
        let of = |target: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(TARGET, HeaderValue::from_static(target));
            let (service, operation) = asked(&headers)?;
            Some((service.name, operation.to_owned()))
        };
        assert_eq!(
            of("AmazonEC2ContainerRegistry_V20150921.PutImage"),
            Some(("ecr", "PutImage".to_owned()))
        );
        assert_eq!(
            of("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"),
            Some(("cloudtrail", "LookupEvents".to_owned()))
        );
        assert_eq!(
            of("CloudTrail_20131101.LookupEvents"),
            Some(("cloudtrail", "LookupEvents".to_owned()))
        );
        for other in ["PutImage", "AmazonSSM.GetParameter", ""] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
