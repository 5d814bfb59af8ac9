//! Finding projects and posts by their words (`/api/v1/search`).

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};

use crate::app::AppState;
use crate::problem::{FieldError, Problem};
use crate::search::{self, Hit};

const LONGEST_QUERY: usize = 200;
const MOST_HITS: i64 = 50;

/// What is looked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub(crate) struct Search {
    /// Words; what is found has each of them, or a word that begins with it.
    #[cfg_attr(test, param(max_length = 200))]
    q: String,
}

/// What was found, the best first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Found {
    /// At most 50.
    hits: Vec<Hit>,
}

/// Finds projects and posts by their words.
#[cfg_attr(test, utoipa::path(get, operation_id = "search", path = "/api/v1/search", tag = "portfolio",
    params(Search),
    responses(
        (status = 200, description = "What was found", body = Found),
        (status = 422, description = "The query is too long"),
    )))]
pub(crate) async fn find(
    State(state): State<AppState>,
    Query(Search { q }): Query<Search>,
) -> Result<Json<Found>, Problem> {
    if q.chars().count() > LONGEST_QUERY {
        let message = format!("must have at most {LONGEST_QUERY} characters");
        return Err(Problem::invalid(vec![FieldError {
            field: "q",
            message,
        }]));
    }
    let (pool, now) = (state.database.pool(), state.now());
    let hits = search::find(pool, state.database.product, &q, &now, MOST_HITS).await?;
    Ok(Json(Found { hits }))
}
