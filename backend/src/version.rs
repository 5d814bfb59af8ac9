//! Which version of the service this is (`/version`).

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::app::AppState;

/// What is running.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Program {
    /// The version of the program.
    version: &'static str,
    /// The commit that it was built from, if it was told.
    commit: Option<String>,
    /// When it was built (RFC 3339), if it was told.
    built_at: Option<String>,
}

/// What is running.
#[cfg_attr(test, utoipa::path(get, path = "/version", tag = "service",
    responses((status = 200, description = "What is running", body = Program))))]
pub(crate) async fn version(State(state): State<AppState>) -> Json<Program> {
    Json(Program {
        version: env!("CARGO_PKG_VERSION"),
        commit: state.build.commit.clone(),
        built_at: state.build.built_at.clone(),
    })
}
