//! Killed at any moment of a push: no tag points to an image that is not
//! complete, and the next publish finishes the work.
//!
//! A proxy stands between the publish and the emulator. At a chosen request it
//! kills the publish, before the request is passed on or after it was answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::Notify;

use crate::harness::{Emulator, Project, succeed};

/// When the kill comes, as seen from the chosen request.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// The emulator never hears of the request.
    Before,
    /// The emulator has answered; the publish never hears of it.
    After,
}

struct Proxy {
    own: String,
    emulator: String,
    client: reqwest::Client,
    seen: AtomicUsize,
    fatal: usize,
    moment: Moment,
    kill: Notify,
}

impl Proxy {
    async fn start(emulator: &Emulator, fatal: usize, moment: Moment) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let client = reqwest::Client::new();
        let (seen, kill, emulator) = (AtomicUsize::new(0), Notify::new(), emulator.url.clone());
        let proxy = Arc::new(Self {
            own,
            emulator,
            client,
            seen,
            fatal,
            moment,
            kill,
        });
        let router = axum::Router::new()
            .fallback(forward)
            .with_state(Arc::clone(&proxy));
        tokio::spawn(async move { axum::serve(listener, router).await });
        proxy
    }

    /// Requests whose answers name the emulator must name the proxy instead.
    fn renamed(&self, text: &str) -> String {
        text.replace(&self.emulator, &self.own)
    }
}

async fn forward(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let number = proxy.seen.fetch_add(1, Ordering::SeqCst) + 1;
    if number >= proxy.fatal && matches!(proxy.moment, Moment::Before) {
        return die(&proxy).await;
    }
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let url = format!("{}{}", proxy.emulator, parts.uri);
    let answer = proxy
        .client
        .request(parts.method, url)
        .headers(parts.headers)
        .body(body);
    let answer = answer.send().await.unwrap();
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    let bytes = answer.bytes().await.unwrap();
    if number >= proxy.fatal {
        return die(&proxy).await;
    }
    headers.remove(header::CONTENT_LENGTH);
    if let Some(location) = headers.get(header::LOCATION) {
        let renamed = proxy.renamed(location.to_str().unwrap());
        headers.insert(header::LOCATION, renamed.parse().unwrap());
    }
    let body = match std::str::from_utf8(&bytes) {
        Ok(text) => Bytes::from(proxy.renamed(text)),
        Err(_) => bytes,
    };
    let mut response = Response::new(Body::from(body));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}

/// Asks for the kill and never answers: the caller will not be there.
async fn die(proxy: &Proxy) -> Response {
    proxy.kill.notify_one();
    std::future::pending::<()>().await;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::IM_A_TEAPOT;
    response
}

/// Publishes through a proxy; returns whether the publish was killed.
async fn publish_until(
    emulator: &Emulator,
    project: &Project,
    digest: &str,
    at: (usize, Moment),
) -> bool {
    let proxy = Proxy::start(emulator, at.0, at.1).await;
    let mut job = emulator.publisher().await;
    // GitHub's side is not the proxy's business.
    job[0].1.clone_from(&proxy.own);
    let mut child = Command::from(project.publish(digest, &job))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    tokio::select! {
        status = child.wait() => {
            assert!(status.unwrap().success());
            false
        }
        () = proxy.kill.notified() => {
            child.kill().await.unwrap();
            true
        }
    }
}

async fn killed_at_every_request(moment: Moment) {
    let (project, digest) = Project::built();
    let mut killed = 0;
    for number in 1.. {
        let emulator = Emulator::start(project.path());
        if !publish_until(&emulator, &project, &digest, (number, moment)).await {
            break;
        }
        killed += 1;
        // Whatever tag there is points to an image whose every blob is there.
        let registry = emulator.registry_reader().await;
        registry.complete_image("latest").await;
        succeed(&mut project.publish(&digest, &emulator.publisher().await));
        assert!(
            registry.complete_image("latest").await.is_some(),
            "{moment:?} request {number}"
        );
    }
    // Identity and login, two tags, three blobs, the manifest and its two tags.
    assert!(killed >= 12, "only {killed} requests were seen");
}

#[tokio::test]
async fn killed_before_any_request_no_tag_is_wrong_and_the_next_publish_finishes() {
    killed_at_every_request(Moment::Before).await;
}

#[tokio::test]
async fn killed_after_any_request_no_tag_is_wrong_and_the_next_publish_finishes() {
    killed_at_every_request(Moment::After).await;
}
