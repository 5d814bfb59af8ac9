//! What is served where: the state that handlers share, and the routes.

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue};
use axum::routing::{get, post};
use jiff::Timestamp;

use crate::cache::Cache;
use crate::config::Build;
use crate::contact::{self, Contact};
use crate::database::Database;
use crate::editor::{audit, documents, messages};
use crate::operations::Operations;
use crate::protection::protect;
use crate::public::{feed, portfolio, posts, search};
use crate::timestamp::{self, Clock};
use crate::{health, openapi, pages, version};

/// The longest body of an editor, and so of all, in bytes: the longest post fits even if each of
/// its characters is written as two JSON escapes.
pub(crate) const EDITOR_BODY_LIMIT: usize = 1024 * 1024;

/// What every handler may use. One pointer: every request copies it several times.
#[derive(Debug, Clone)]
pub struct AppState(Arc<Shared>);

/// What an [`AppState`] points to.
#[derive(Debug)]
pub struct Shared {
    pub(crate) database: Database,
    pub(crate) build: Build,
    pub(crate) operations: Arc<Operations>,
    pub(crate) site: Site,
    pub(crate) cache: Cache,
    pub(crate) contact: Contact,
    pub(crate) clock: Clock,
    pub(crate) started_at: Timestamp,
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What the service must know of the world around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Where people find it, without a slash at the end.
    pub url: String,
    /// The header in which a proxy that is trusted says whom it speaks for.
    pub client_address_header: Option<HeaderName>,
    /// How many contact messages are taken in an hour from one address.
    pub contact_per_address: u32,
    /// How many are taken in an hour from all together.
    pub contact_per_hour: u32,
}

impl Site {
    /// The scheme that people use.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.url.starts_with("https:") {
            "https"
        } else {
            "http"
        }
    }
}

impl Default for Site {
    fn default() -> Self {
        Self {
            url: "http://localhost:8080".to_owned(),
            client_address_header: None,
            contact_per_address: 10,
            contact_per_hour: 300,
        }
    }
}

impl AppState {
    /// State over an opened database.
    pub fn new(
        database: Database,
        build: Build,
        site: Site,
        operations: Arc<Operations>,
        clock: Clock,
    ) -> Self {
        Self(Arc::new(Shared {
            database,
            build,
            operations,
            contact: Contact::new(&site),
            site,
            cache: Cache::default(),
            clock,
            started_at: clock(),
        }))
    }

    /// Has the outbox looked at now, for tests that do not wait.
    #[doc(hidden)]
    pub fn hurry(&self) {
        self.contact.hurry();
    }

    /// The time as the database keeps times.
    pub(crate) fn now(&self) -> String {
        timestamp::text((self.clock)())
    }
}

/// The whole service: every route, inside everything that protects it. Scripts of
/// the sites `cors_origins` may read what it says.
pub fn app(state: AppState, cors_origins: &[HeaderValue]) -> Router {
    let operations = state.operations.clone();
    let routes = routes().merge(pages::routes());
    protect(routes.with_state(state), &operations, cors_origins)
}

/// Every route of the API. A test compares them with the paths in `openapi.json`.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/version", get(version::version))
        .route("/openapi.json", get(openapi::document))
        .route("/feed.atom", get(feed::show))
        .route("/api/v1/profile", get(portfolio::profile))
        .route("/api/v1/projects", get(portfolio::projects))
        .route("/api/v1/projects/{slug}", get(portfolio::project))
        .route("/api/v1/posts", get(posts::list))
        .route("/api/v1/posts/{slug}", get(posts::show))
        .route("/api/v1/search", get(search::find))
        .route("/api/v1/contact", post(contact::receive))
        .merge(editor_routes())
}

fn editor_routes() -> Router<AppState> {
    Router::new()
        .route(
            "/api/v1/editor/profile",
            get(documents::read_profile).put(documents::put_profile),
        )
        .route(
            "/api/v1/editor/projects/{slug}",
            get(documents::read_project)
                .put(documents::put_project)
                .delete(documents::delete_project),
        )
        .route("/api/v1/editor/posts", get(documents::list_posts))
        .route(
            "/api/v1/editor/posts/{slug}",
            get(documents::read_post)
                .put(documents::put_post)
                .delete(documents::delete_post),
        )
        .route("/api/v1/editor/messages", get(messages::list))
        .route(
            "/api/v1/editor/messages/{id}",
            get(messages::read).delete(messages::delete),
        )
        .route("/api/v1/editor/audit", get(audit::list))
}
