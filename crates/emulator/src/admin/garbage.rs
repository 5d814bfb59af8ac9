//! `POST /_longshore/garbage`: garbage is collected now, as it is at the start
//! and every hour. The answer says how much there was.

use axum::Json;
use axum::response::{IntoResponse as _, Response};

use super::Refusal;
use crate::collect::Call;
use crate::garbage::collect;
use crate::state::State;

pub(super) fn run(state: &State, _: &Call) -> Result<Response, Refusal> {
    let collected = collect(state).map_err(|error| Refusal::failed(&error))?;
    Ok(Json(collected).into_response())
}
