//! `GET /_longshore/activity`: what roles did and may do.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use jiff::Timestamp;

use super::Refusal;
use crate::activity::Activity;
use crate::collect::Call;
use crate::state::State;

/// The calls from `?since=` on, a time, or all of them.
pub(super) fn tell(state: &State, call: &Call) -> Result<Response, Refusal> {
    let query = call.parts.uri.query().unwrap_or_default();
    let since = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "since")
        .map(|(_, value)| value.parse::<Timestamp>())
        .transpose()
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    let flushed = state.trail.flush();
    let activity = flushed.and_then(|()| Activity::read(&state.settings.data, since));
    let activity = activity.map_err(|error| Refusal::failed(&error))?;
    Ok(Json(activity).into_response())
}
