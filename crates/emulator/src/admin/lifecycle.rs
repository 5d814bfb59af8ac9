//! `POST /_longshore/lifecycle`: all lifecycle policies are evaluated now, as
//! they are at every midnight of the clock.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::Refusal;
use crate::collect::Call;
use crate::ecr::run_lifecycle;
use crate::state::State;

pub(super) fn run(state: &State, _: &Call) -> Result<Response, Refusal> {
    let _nobody_replaces_the_state = state.gate.enter_blocking();
    let done = run_lifecycle(state).map_err(|error| Refusal::failed(&error))?;
    let done: Vec<Value> = done
        .iter()
        .map(|done| {
            json!({
                "account": done.registry.account,
                "region": done.registry.region,
                "repository": done.repository,
                "digest": done.digest,
                "action": if done.archived { "archived" } else { "expired" },
            })
        })
        .collect();
    Ok(Json(json!({ "images": done })).into_response())
}
