//! What is served where: the state that handlers share, and the routes.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use sqlx::SqlitePool;

use crate::config::Build;
use crate::protection::{self, REQUEST_TIMEOUT};
use crate::{contact, health, openapi, profile, projects, version};

/// What every handler may use.
#[derive(Debug, Clone)]
pub struct AppState {
    pub(crate) database: SqlitePool,
    pub(crate) build: Arc<Build>,
}

impl AppState {
    /// State over an opened and migrated database
    /// (see [`database::open`](crate::database::open)).
    pub fn new(database: SqlitePool, build: Build) -> Self {
        Self {
            database,
            build: Arc::new(build),
        }
    }
}

/// The whole service: every route, inside everything that protects it.
pub fn app(state: AppState) -> Router {
    protection::protect(routes().with_state(state), REQUEST_TIMEOUT)
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
