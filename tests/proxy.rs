//! A proxy between a publish and the emulator, which sees each request, can
//! answer in the registry's place, and can ask for the publish to be killed.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt as _;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::harness::Emulator;

/// When the kill comes, as seen from the chosen request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// The emulator never hears of the request.
    Before,
    /// The emulator has answered; the publish never hears of it.
    After,
}

/// What goes wrong with a request. Places are in thousandths of the body.
#[derive(Clone, Debug)]
pub(crate) enum Mischief {
    /// The registry never hears of it; this is the answer, with a header and a body.
    Answer(StatusCode, Option<(&'static str, &'static str)>, String),
    /// The connection breaks here.
    Cut(usize),
    /// The publish is killed here.
    Kill(usize),
    /// The answer speaks of other bytes.
    OtherDigest,
}

/// What goes wrong, by method, path and query.
type Answers = Box<dyn Fn(&str) -> Option<Mischief> + Send + Sync>;

pub(crate) struct Proxy {
    pub(crate) own: String,
    pub(crate) kill: Notify,
    emulator: String,
    client: reqwest::Client,
    lines: Mutex<Vec<String>>,
    fatal: Option<(usize, Moment)>,
    answers: Answers,
    /// Digests of the uploads that the registry completed.
    completed: Mutex<Vec<String>>,
    /// Whether the registry behind it keeps lists of referrers.
    lists_referrers: bool,
}

impl Proxy {
    /// Passes everything on.
    pub(crate) async fn start(emulator: &Emulator) -> Arc<Self> {
        Self::launch(emulator, None, Box::new(|_| None), true).await
    }

    /// Makes a registry of before OCI 1.1 of it: it keeps no lists of referrers, and
    /// does not say that it does.
    pub(crate) async fn without_referrers(emulator: &Emulator) -> Arc<Self> {
        let missing = |line: &str| {
            let missing = Mischief::Answer(StatusCode::NOT_FOUND, None, String::new());
            line.contains("/referrers/").then_some(missing)
        };
        Self::launch(emulator, None, Box::new(missing), false).await
    }

    /// Asks for a kill at the request of that number, from 1.
    pub(crate) async fn killing(emulator: &Emulator, number: usize, moment: Moment) -> Arc<Self> {
        Self::launch(emulator, Some((number, moment)), Box::new(|_| None), true).await
    }

    /// Answers in the emulator's place where `answers` has a status for
    /// `METHOD /path`.
    pub(crate) async fn answering(
        emulator: &Emulator,
        answers: impl Fn(&str) -> Option<StatusCode> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let answer = move |line: &str| {
            let (path, _) = line.split_once('?')?;
            let status = answers(path)?;
            Some(Mischief::Answer(status, None, String::new()))
        };
        Self::launch(emulator, None, Box::new(answer), true).await
    }

    /// Does to each request `METHOD /path?query` what `mischief` says.
    pub(crate) async fn doing(
        emulator: &Emulator,
        mischief: impl Fn(&str) -> Option<Mischief> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::launch(emulator, None, Box::new(mischief), true).await
    }

    /// The digests of the uploads that the registry completed, one for each time.
    pub(crate) fn completed(&self) -> Vec<String> {
        self.completed.lock().unwrap().clone()
    }

    async fn launch(
        emulator: &Emulator,
        fatal: Option<(usize, Moment)>,
        answers: Answers,
        lists_referrers: bool,
    ) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Arc::new(Self {
            own: format!("http://{}", listener.local_addr().unwrap()),
            emulator: emulator.url.clone(),
            client: reqwest::Client::new(),
            lines: Mutex::default(),
            fatal,
            kill: Notify::new(),
            answers,
            completed: Mutex::default(),
            lists_referrers,
        });
        let router = axum::Router::new()
            .fallback(forward)
            .with_state(Arc::clone(&proxy));
        tokio::spawn(async move { axum::serve(listener, router).await });
        proxy
    }

    /// The environment of the job that may publish, through this proxy. GitHub's
    /// side is not the proxy's business.
    pub(crate) async fn publisher(&self, emulator: &Emulator) -> Vec<(String, String)> {
        let mut job = emulator.publisher().await;
        job[0].1.clone_from(&self.own);
        job
    }

    /// `METHOD /path` of the registry's requests since this was asked last.
    pub(crate) fn registry_requests(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.lines.lock().unwrap());
        lines
            .into_iter()
            .filter(|line| line.contains(" /v2/"))
            .collect()
    }

    /// Answers that name the emulator must name the proxy instead.
    fn renamed(&self, text: &str) -> String {
        text.replace(&self.emulator, &self.own)
    }

    fn is_fatal(&self, number: usize, passed_on: bool) -> bool {
        self.fatal.is_some_and(|(fatal, moment)| {
            number >= fatal && passed_on == matches!(moment, Moment::After)
        })
    }
}

async fn forward(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let line = format!("{} {}", parts.method, parts.uri.path());
    let number = {
        let mut lines = proxy.lines.lock().unwrap();
        lines.push(line.clone());
        lines.len()
    };
    if proxy.is_fatal(number, false) {
        return die(&proxy).await;
    }
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let mischief = (proxy.answers)(&format!("{line}?{query}"));
    let length = parts.headers.get(header::CONTENT_LENGTH);
    let length = length.map_or("0", |length| length.to_str().unwrap());
    let length: usize = length.parse().unwrap();
    let place = |thousandths| length * thousandths / 1000;
    match mischief {
        Some(Mischief::Answer(status, header, body)) => return answer(status, header, body),
        Some(Mischief::Cut(thousandths)) => {
            pass_on_until(&proxy, (parts, body), place(thousandths)).await;
            return broken();
        }
        Some(Mischief::Kill(thousandths)) => {
            pass_on_until(&proxy, (parts, body), place(thousandths)).await;
            return die(&proxy).await;
        }
        Some(Mischief::OtherDigest) | None => {}
    }
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
    if let Some((_, digest)) = query.split_once("digest=")
        && status == StatusCode::CREATED
    {
        proxy.completed.lock().unwrap().push(digest.to_owned());
    }
    if matches!(mischief, Some(Mischief::OtherDigest)) {
        let other = format!("sha256:{}", "0".repeat(64));
        headers.insert("docker-content-digest", other.parse().unwrap());
    }
    if proxy.is_fatal(number, true) {
        return die(&proxy).await;
    }
    if !proxy.lists_referrers {
        headers.remove("oci-subject");
    }
    renamed(&proxy, status, headers, bytes)
}

/// The registry's answer, with the proxy's name in the place of the emulator's.
fn renamed(proxy: &Proxy, status: StatusCode, mut headers: HeaderMap, bytes: Bytes) -> Response {
    if let Some(location) = headers.get(header::LOCATION) {
        let renamed = proxy.renamed(location.to_str().unwrap());
        headers.insert(header::LOCATION, renamed.parse().unwrap());
    }
    let body = match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains(&proxy.emulator) => {
            headers.remove(header::CONTENT_LENGTH);
            Bytes::from(proxy.renamed(text))
        }
        _ => bytes,
    };
    let mut response = Response::new(Body::from(body));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}

fn answer(
    status: StatusCode,
    header: Option<(&'static str, &'static str)>,
    body: String,
) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if let Some((name, value)) = header {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// Passes on the first bytes of a request, and breaks that connection too.
async fn pass_on_until(proxy: &Proxy, (parts, body): (Parts, Body), bytes: usize) {
    let mut first = Vec::new();
    let mut frames = body.into_data_stream();
    while first.len() < bytes {
        let Some(frame) = frames.next().await else {
            break;
        };
        first.extend_from_slice(&frame.unwrap());
    }
    first.truncate(bytes);
    let ends = [Ok(Bytes::from(first)), Err(std::io::Error::other("cut"))];
    let request = proxy
        .client
        .request(parts.method, format!("{}{}", proxy.emulator, parts.uri))
        .headers(parts.headers)
        .body(reqwest::Body::wrap_stream(futures_util::stream::iter(ends)));
    request.send().await.unwrap_err();
}

/// A connection that breaks: the answer ends before it is whole.
fn broken() -> Response {
    let cut = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
    Response::new(Body::from_stream(cut))
}

/// Asks for the kill and never answers: the caller will not be there.
async fn die(proxy: &Proxy) -> Response {
    proxy.kill.notify_one();
    std::future::pending::<()>().await;
    Response::default()
}
