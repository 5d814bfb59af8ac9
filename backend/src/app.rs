//! What is served where: the state that handlers share, and the routes.

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use axum::routing::{get, post};
use sqlx::SqlitePool;

use crate::config::Build;
use crate::operations::Operations;
use crate::protection::protect;
use crate::{contact, health, openapi, profile, projects, version};

/// What every handler may use.
#[derive(Debug, Clone)]
pub struct AppState {
    pub(crate) database: SqlitePool,
    pub(crate) build: Arc<Build>,
    pub(crate) operations: Arc<Operations>,
}

impl AppState {
    /// State over an opened and migrated database
    /// (see [`database::open`](crate::database::open)).
    pub fn new(database: SqlitePool, build: Build, operations: Arc<Operations>) -> Self {
        Self {
            database,
            build: Arc::new(build),
            operations,
        }
    }
}

/// The whole service: every route, inside everything that protects it. Scripts of
/// the sites `cors_origins` may read what it says.
pub fn app(state: AppState, cors_origins: &[HeaderValue]) -> Router {
    let operations = state.operations.clone();
    protect(routes().with_state(state), &operations, cors_origins)
}

/// Every route. A test compares them with the paths in `openapi.json`.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/version", get(version::version))
        .route("/openapi.json", get(openapi::document))
        .route("/api/v1/profile", get(profile::show))
        .route("/api/v1/projects", get(projects::list))
        .route("/api/v1/projects/{slug}", get(projects::show))
        .route("/api/v1/contact", post(contact::receive))
}
