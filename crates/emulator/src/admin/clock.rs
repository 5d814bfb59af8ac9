//! `GET` and `POST /_longshore/clock`: the time by which everything expires.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{Refusal, body};
use crate::collect::Call;
use crate::state::State;

/// `{"advance_seconds": 3600}` or `{"set": "2026-11-24T04:00:00Z"}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    AdvanceSeconds(i64),
    Set(Timestamp),
}

pub(super) fn read(state: &State, _: &Call) -> Result<Response, Refusal> {
    Ok(tell(state))
}

pub(super) fn change(state: &State, call: &Call) -> Result<Response, Refusal> {
    match body(call)? {
        Change::AdvanceSeconds(seconds) => state.clock.advance(seconds),
        Change::Set(time) => state.clock.set(time),
    }
    Ok(tell(state))
}

fn tell(state: &State) -> Response {
    let (now, offset) = (state.clock.now(), state.clock.offset());
    Json(json!({ "now": now, "offset_seconds": offset })).into_response()
}
