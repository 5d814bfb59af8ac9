//! A portfolio to ask: the whole router over a new database in a directory of its own.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use backend::app::{AppState, app};
use backend::config::{Build, Limits};
use backend::database;
use backend::operations::Operations;
use serde_json::Value;
use sqlx::SqlitePool;
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) struct Portfolio {
    pub(crate) database: SqlitePool,
    app: Router,
    _directory: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Portfolio {
    pub(crate) async fn open() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let database = database::open(&directory.path().join("portfolio.sqlite"))
            .await
            .expect("a new database");
        let build = Build {
            commit: Some("0123456789abcdef".to_owned()),
            built_at: None,
        };
        Self {
            app: app(
                AppState::new(database.clone(), build, Operations::new(&Limits::default())),
                &[],
            ),
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
