//! A request body as JSON, with a problem document for each way it can be wrong.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// How much of the parser's complaint is passed on, in characters: it can quote
/// the request, and the request can be long.
const LONGEST_COMPLAINT: usize = 300;

/// A body that was JSON of the shape `T`; its values are still to be judged.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(value) = Json::from_request(request, state)
            .await
            .map_err(|rejection| problem(&rejection))?;
        Ok(Self(value))
    }
}

fn problem(rejection: &JsonRejection) -> Problem {
    let complaint = || -> String {
        rejection
            .body_text()
            .chars()
            .take(LONGEST_COMPLAINT)
            .collect()
    };
    match rejection {
        JsonRejection::MissingJsonContentType(_) => Problem::unsupported_media_type(),
        JsonRejection::JsonDataError(_) => Problem::unexpected_shape(complaint()),
        _ => Problem::bad_request(complaint()),
    }
}
