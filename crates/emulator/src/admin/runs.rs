//! `POST /_longshore/runs`: a run of a GitHub workflow, for which the issuer
//! then mints tokens.

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use github::{Run, SubjectForm};
use serde::Deserialize;
use serde_json::json;

use super::{Refusal, body};
use crate::collect::Call;
use crate::issuer;
use crate::state::State;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Registering {
    run: Run,
    form: SubjectForm,
}

/// Answers with what GitHub puts into the environment of a job. A run that
/// GitHub gives no token (the pull request of a fork) gets none here.
pub(super) fn register(state: &State, call: &Call) -> Result<Response, Refusal> {
    let Registering { run, form } = body(call)?;
    if !run.gets_token() {
        return Ok(Json(json!({ "request_url": null, "request_token": null })).into_response());
    }
    let registration = issuer::register(&state.store, run, form, state.clock.now())
        .map_err(|error| Refusal::failed(&error))?;
    // Under the name by which the client knows the emulator.
    let host = call.parts.headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let base = match (state.is_secure(), host) {
        (true, Some(host)) => format!("https://{host}"),
        (false, Some(host)) => format!("http://{host}"),
        (_, None) => state.base_url.clone(),
    };
    let environment = json!({
        "request_url": issuer::request_url(&base, &registration),
        "request_token": registration.token,
    });
    Ok(Json(environment).into_response())
}
