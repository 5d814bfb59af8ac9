//! Whether the service lives (`/healthz`) and whether it can work (`/readyz`).

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::app::AppState;
use crate::problem::Problem;

/// How long the database may take to answer a probe.
const PROBE_LIMIT: Duration = Duration::from_secs(2);

/// What a probe found.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Health {
    /// `ok` or `ready`.
    status: &'static str,
}

/// The process runs and answers. Says nothing about the database: restarting the
/// process would not mend it.
#[cfg_attr(test, utoipa::path(get, path = "/healthz", tag = "service",
    responses((status = 200, description = "The process answers", body = Health))))]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// The database answers and the service is not about to stop, so requests can be
/// sent here. A full disk stops nobody who reads: this says nothing of it.
#[cfg_attr(test, utoipa::path(get, path = "/readyz", tag = "service",
    responses(
        (status = 200, description = "Requests can be sent here", body = Health),
        (status = 503, description = "The database does not answer, or the service stops"),
    )))]
pub(crate) async fn readyz(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    if state.operations.is_stopping() {
        return Err(Problem::unavailable());
    }
    let answer = tokio::time::timeout(PROBE_LIMIT, state.database.answers()).await;
    match answer {
        Ok(Ok(())) => Ok(Json(Health { status: "ready" })),
        Ok(Err(error)) => {
            tracing::error!(%error, "the database failed");
            Err(Problem::unavailable())
        }
        Err(_) => {
            tracing::error!("the database did not answer in time");
            Err(Problem::unavailable())
        }
    }
}
