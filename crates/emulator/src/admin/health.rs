//! `GET /_longshore/health`: whether the emulator answers, to everybody, with
//! the controls on or off.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::Refusal;
use crate::collect::Call;
use crate::state::State;

pub(super) fn tell(state: &State, _: &Call) -> Result<Response, Refusal> {
    let health = json!({
        "status": "ok",
        "account": state.settings.account,
        "region": state.settings.region,
        "time": state.clock.now(),
    });
    Ok(Json(health).into_response())
}
