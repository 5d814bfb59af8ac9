//! `POST /_longshore/issuers`: the keys of an issuer that is not GitHub's.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refusal, body};
use crate::collect::Call;
use crate::state::State;
use crate::sts::{KeySet, register_keys};

/// An issuer and the key set that it publishes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Registering {
    /// As tokens name it, with `https://`.
    issuer: String,
    jwks: Value,
}

pub(super) fn register(state: &State, call: &Call) -> Result<Response, Refusal> {
    let Registering { issuer, jwks } = body(call)?;
    if !issuer.starts_with("https://") {
        let message = "an issuer begins with https://";
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, message));
    }
    let keys = KeySet::read(&jwks)
        .map_err(|error| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
    register_keys(&state.store, &issuer, &keys).map_err(|error| Refusal::failed(&error))?;
    Ok(Json(json!({ "issuer": issuer })).into_response())
}
