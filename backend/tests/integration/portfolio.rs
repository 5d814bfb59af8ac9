//! A portfolio to ask: the whole router over a new database of its own.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use backend::app::{AppState, Site, app};
use backend::config::{Build, Limits};
use backend::contact::delivery::Delivery;
use backend::contact::outbox;
use backend::database::{Database, Location, Start};
use backend::operations::Operations;
use backend::timestamp::system_clock;
use backend::tokens::{self, Scope};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::postgres;

pub(crate) struct Portfolio {
    pub(crate) database: Database,
    app: Router,
    state: AppState,
    _directory: Option<TempDir>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Runs a test on SQLite and, where it is installed, on PostgreSQL.
pub(crate) async fn on_each_database(test: impl AsyncFn(Portfolio)) {
    test(Portfolio::open().await).await;
    if let Some(location) = postgres::new_database() {
        test(Portfolio::at(&location, None).await).await;
    }
}

impl Portfolio {
    /// One on SQLite, for what has nothing to do with the database.
    pub(crate) async fn open() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let location = Location::File(directory.path().join("portfolio.sqlite"));
        Self::at(&location, Some(directory)).await
    }

    async fn at(location: &Location, directory: Option<TempDir>) -> Self {
        let database = Database::open(location, Start::Example)
            .await
            .expect("a new database");
        let build = Build {
            commit: Some("0123456789abcdef".to_owned()),
            built_at: None,
        };
        let site = Site {
            url: "https://portfolio.example".to_owned(),
            client_address_header: Some(HeaderName::from_static("x-forwarded-for")),
            ..Site::default()
        };
        let operations = Operations::new(&Limits::default());
        let state = AppState::new(database.clone(), build, site, operations, system_clock);
        Self {
            app: app(state.clone(), &[]),
            state,
            database,
            _directory: directory,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.expect("a response");
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, 1_000_000).await.expect("a body").into(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        self.send(request).await
    }

    /// Sends `body`, declared as JSON, to the contact form.
    pub(crate) async fn write(&self, body: impl Into<Body>) -> Answer {
        let request = Request::post("/api/v1/contact")
            .header("content-type", "application/json")
            .body(body.into())
            .expect("a request");
        self.send(request).await
    }

    /// Delivers contact messages.
    pub(crate) fn deliver(
        &self,
        delivery: Delivery,
    ) -> impl Future<Output = ()> + Send + 'static + use<> {
        outbox::deliver(self.state.clone(), delivery)
    }

    /// Has the outbox looked at now.
    pub(crate) fn hurry(&self) {
        self.state.hurry();
    }

    /// A token with these scopes that does not end.
    pub(crate) async fn token(&self, scopes: &[Scope]) -> String {
        let secret = tokens::create(&self.database, "Ada", scopes, None, system_clock())
            .await
            .expect("a token");
        secret.reveal().to_owned()
    }

    /// Asks as an editor.
    #[expect(clippy::too_many_arguments, reason = "a request has as many parts")]
    pub(crate) async fn edit(
        &self,
        token: &str,
        method: Method,
        path: &str,
        condition: (&'static str, &str),
        body: Value,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/editor/{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json");
        if !condition.0.is_empty() {
            request = request.header(condition.0, condition.1);
        }
        self.send(
            request
                .body(Body::from(body.to_string()))
                .expect("a request"),
        )
        .await
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).expect("the header");
        value.to_str().expect("a plain header")
    }

    /// Checks that this is the problem document of `status`, and returns it.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], "about:blank");
        for member in ["title", "code", "detail"] {
            assert!(problem[member].is_string(), "no {member} in {problem}");
        }
        problem
    }
}
