//! `/_longshore/faults`: rules that inject faults.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::{Refusal, body, name_of};
use crate::collect::Call;
use crate::faults::Rule;
use crate::state::State;

/// `POST`: one more rule, or another one in place of that with its name.
pub(super) fn set(state: &State, call: &Call) -> Result<Response, Refusal> {
    let rule: Rule = body(call)?;
    let kept = state.faults.set(rule);
    let kept = kept.map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    Ok(Json(kept).into_response())
}

/// `GET`: the rules, with how many requests each was about and struck.
pub(super) fn list(state: &State, _: &Call) -> Result<Response, Refusal> {
    Ok(Json(state.faults.list()).into_response())
}

/// `DELETE /_longshore/faults/NAME`.
pub(super) fn remove(state: &State, call: &Call) -> Result<Response, Refusal> {
    if state.faults.remove(name_of(call)) {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "there is no rule of this name",
        ))
    }
}

/// `DELETE`: no more faults.
pub(super) fn clear(state: &State, _: &Call) -> Result<Response, Refusal> {
    state.faults.clear();
    Ok(StatusCode::NO_CONTENT.into_response())
}
