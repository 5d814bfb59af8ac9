//! A client with a short breath, and servers that answer from a script and count.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};

use crate::transport::Patience;
use crate::{Client, Settings, SettingsError};

pub(crate) fn settings(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    Settings::from_environment(&|name| variables.get(name).map(ToString::to_string))
}

/// A client that waits a millisecond where the real one waits seconds.
pub(crate) fn client(variables: &[(&str, &str)]) -> Client {
    let clock = || "2026-01-02T03:04:05Z".parse().unwrap();
    let mut client = Client::new(settings(variables).unwrap(), clock).unwrap();
    client.patience = Patience {
        request: Duration::from_secs(5),
        first_wait: Duration::from_millis(1),
        budget: Duration::from_secs(5),
    };
    client
}

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

type Script = Box<dyn Fn(usize, &Seen) -> (u16, String) + Send + Sync>;

struct Stage {
    script: Script,
    seen: Mutex<Vec<Seen>>,
}

/// A server on a free port of this machine.
pub(crate) struct Server {
    pub(crate) url: String,
    stage: Arc<Stage>,
}

impl Server {
    /// Answers the n-th request (from 0) with the status and body of the script.
    pub(crate) async fn start(
        script: impl Fn(usize, &Seen) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let stage = Arc::new(Stage {
            script: Box::new(script),
            seen: Mutex::default(),
        });
        let router = Router::new().fallback(play).with_state(stage.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, stage }
    }

    /// Answers every request alike.
    pub(crate) async fn always(status: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self::start(move |_, _| (status, body.clone())).await
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.stage.seen.lock().unwrap().clone()
    }
}

async fn play(
    State(stage): State<Arc<Stage>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let seen = Seen {
        method,
        uri,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let turn = {
        let mut all = stage.seen.lock().unwrap();
        all.push(seen.clone());
        all.len() - 1
    };
    let (status, body) = (stage.script)(turn, &seen);
    Response::builder()
        .status(status)
        .header("x-amzn-requestid", "request-1")
        .header("location", "/elsewhere")
        .body(Body::from(body))
        .unwrap()
}
