//! AWS Query: the protocol of STS and IAM.

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

#[cfg(fuzzing)]
use crate::caller::Caller;
use crate::collect::Call;
use crate::error::AwsError;
use crate::query::Parameters;
use crate::signature::{self, Received, Scope};
use crate::state::State;
use crate::trail::Note;
use crate::xml::Xml;
use crate::{iam, sts, xml};

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("text/xml");
/// Where IAM is, which has no other region.
const GLOBAL_REGION: &str = "us-east-1";

/// What a request asks for, by its `Action` and `Version`.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Sts(sts::Operation),
    Iam(iam::Operation),
}

impl Operation {
    fn of(parameters: &Parameters) -> Result<Self, AwsError> {
        let Some(action) = parameters.get("Action") else {
            return Err(AwsError::invalid(
                "MissingAction",
                "The request is missing an action or a required parameter.",
            ));
        };
        let version = parameters.get("Version");
        let found = match version {
            Some(sts::VERSION) => sts::Operation::named(action).map(Self::Sts),
            Some(iam::VERSION) => iam::Operation::named(action).map(Self::Iam),
            _ => None,
        };
        found.ok_or_else(|| AwsError::no_operation(action, version))
    }

    /// The service in the words of a credential scope.
    fn service(self) -> &'static str {
        match self {
            Self::Sts(_) => "sts",
            Self::Iam(_) => "iam",
        }
    }

    /// The only region that the service is in.
    fn home(self) -> Option<&'static str> {
        match self {
            Self::Sts(_) => None,
            Self::Iam(_) => Some(GLOBAL_REGION),
        }
    }

    fn is_signed(self) -> bool {
        match self {
            Self::Sts(operation) => operation.is_signed(),
            Self::Iam(_) => true,
        }
    }
}

/// Service and operation that a request asks for, in the words of the trail.
pub(crate) fn event(parts: &Parts, body: &[u8]) -> Option<(String, String)> {
    let parameters = parameters(parts, body).ok()?;
    let operation = Operation::of(&parameters).ok()?;
    let action = parameters.get("Action")?.to_owned();
    Some((format!("{}.amazonaws.com", operation.service()), action))
}

/// They are in the body, or else in the query.
fn parameters(parts: &Parts, body: &[u8]) -> Result<Parameters, AwsError> {
    if body.is_empty() {
        Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes())
    } else {
        Parameters::parse(body)
    }
}

/// Parses, authenticates and handles a call.
pub(crate) fn handle(state: &State, call: &Call, note: &Note) -> Response {
    let parameters = match parameters(&call.parts, &call.body) {
        Ok(parameters) => parameters,
        Err(error) => return refused(note, sts::NAMESPACE, &error),
    };
    let namespace = match parameters.get("Version") {
        Some(iam::VERSION) => iam::NAMESPACE,
        _ => sts::NAMESPACE,
    };
    let action = parameters.get("Action").unwrap_or_default();
    let result = Operation::of(&parameters).and_then(|operation| {
        note.event(&format!("{}.amazonaws.com", operation.service()), action);
        if let Operation::Iam(_) = operation {
            note.region(GLOBAL_REGION);
        }
        perform(state, call, operation, &parameters, note)
    });
    match result {
        Ok(result) => {
            let body = xml::response(namespace, action, result.as_ref(), &note.request_id());
            ([(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response()
        }
        Err(error) => refused(note, namespace, &error),
    }
}

fn perform(
    state: &State,
    call: &Call,
    operation: Operation,
    parameters: &Parameters,
    note: &Note,
) -> Result<Option<Xml>, AwsError> {
    if !operation.is_signed() {
        return sts::handle_unsigned(state, parameters, note).map(Some);
    }
    let received = Received {
        method: &call.parts.method,
        path: call.parts.uri.path(),
        query: call.parts.uri.query().unwrap_or_default(),
        headers: &call.parts.headers,
        body: &call.body,
    };
    // Clients that are given an endpoint of their own sign for the region that
    // they are configured with, even to IAM.
    let scope = Scope {
        service: operation.service(),
        home: operation.home(),
    };
    let caller =
        signature::verify(state, &received, scope, note).map_err(|error| error.in_query())?;
    note.caller(&caller);
    match operation {
        Operation::Sts(operation) => {
            sts::handle(state, &caller, operation, parameters, note).map(Some)
        }
        Operation::Iam(operation) => iam::handle(state, &caller, operation, parameters, note),
    }
}

/// As `crate::fuzzing::Callee::answers_form`.
#[cfg(fuzzing)]
pub(crate) fn answers(state: &State, caller: &Caller, text: &[u8], note: &Note) -> u16 {
    let answer = Parameters::parse(text).and_then(|parameters| {
        note.caller(caller);
        let answer = match Operation::of(&parameters)? {
            Operation::Sts(operation) if operation.is_signed() => {
                sts::handle(state, caller, operation, &parameters, note).map(Some)
            }
            Operation::Sts(_) => sts::handle_unsigned(state, &parameters, note).map(Some),
            Operation::Iam(operation) => iam::handle(state, caller, operation, &parameters, note),
        }?;
        let id = note.request_id();
        Ok(xml::response(sts::NAMESPACE, "", answer.as_ref(), &id))
    });
    answer.map_or_else(|error| error.status, |_| 200)
}

/// The answer to a call of which it is not known for which service it is.
pub(crate) fn unread(note: &Note, error: &AwsError) -> Response {
    refused(note, sts::NAMESPACE, error)
}

fn refused(note: &Note, namespace: &str, error: &AwsError) -> Response {
    note.error(error.code, &error.message);
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = xml::error(
        namespace,
        error.code,
        &error.message,
        status.is_server_error(),
        &note.request_id(),
    );
    (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response()
}
