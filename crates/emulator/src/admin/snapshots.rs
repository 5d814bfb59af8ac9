//! `/_longshore/snapshots`, `/_longshore/restore` and `/_longshore/reset`: the
//! whole state, kept and brought back.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::{Refusal, body, name_of};
use crate::collect::Call;
use crate::snapshots::{self, Reset, SnapshotError, SnapshotName};
use crate::state::State;

/// `{"name": "before"}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

/// `POST /_longshore/snapshots`.
pub(super) fn create(state: &State, call: &Call) -> Result<Response, Refusal> {
    let Named { name } = body(call)?;
    Ok(Json(snapshots::create(state, &parse(name)?)?).into_response())
}

/// `GET /_longshore/snapshots`: all of them, by name.
pub(super) fn list(state: &State, _: &Call) -> Result<Response, Refusal> {
    Ok(Json(state.snapshots.list()?).into_response())
}

/// `DELETE /_longshore/snapshots/NAME`.
pub(super) fn remove(state: &State, call: &Call) -> Result<Response, Refusal> {
    state.snapshots.remove(&parse(name_of(call).to_owned())?)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /_longshore/restore`: the snapshot that is restored.
pub(super) fn restore(state: &State, call: &Call) -> Result<Response, Refusal> {
    let Named { name } = body(call)?;
    Ok(Json(snapshots::restore(state, &parse(name)?)?).into_response())
}

/// `POST /_longshore/reset`, with `{"snapshots": true}` or without a body.
pub(super) fn reset(state: &State, call: &Call) -> Result<Response, Refusal> {
    let wanted: Reset = if call.body.is_empty() {
        Reset::default()
    } else {
        body(call)?
    };
    snapshots::reset(state, wanted)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn parse(name: String) -> Result<SnapshotName, Refusal> {
    let name = SnapshotName::try_from(name);
    name.map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string()))
}

impl From<SnapshotError> for Refusal {
    fn from(error: SnapshotError) -> Self {
        let status = match error {
            SnapshotError::Unknown(_) => StatusCode::NOT_FOUND,
            SnapshotError::Taken(_) | SnapshotError::BlobMissing(_) => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}
