//! `GET /_longshore/trail`: what was asked and decided.

use axum::Json;
use axum::response::{IntoResponse as _, Response};

use super::Refusal;
use crate::collect::Call;
use crate::state::State;

/// The most records in one answer.
const LIMIT: usize = 10_000;

/// The records of `?request_id=`, or the last of all.
pub(super) fn list(state: &State, call: &Call) -> Result<Response, Refusal> {
    let query = call.parts.uri.query().unwrap_or_default();
    let id = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "request_id")
        .map(|(_, value)| value.into_owned());
    let records = state.trail.find(id.as_deref(), LIMIT);
    let records = records.map_err(|error| Refusal::failed(&error))?;
    Ok(Json(records).into_response())
}
