//! From a listener to requests, and from answers to bytes.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::{Authority, Scheme};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::bodies::{Receiving, Sending};
use super::handshake::handshake;
use super::open_files;
use super::pool::{Place, Pool};
use super::stream::Limited;
use super::traffic::Traffic;

/// Bytes that wait on a connection, in each direction. A head is no longer.
const BUFFER: usize = 128 * 1024;
/// Headers in one request.
const HEADERS: usize = 100;
/// Requests at a time on one connection of HTTP/2.
const STREAMS: u32 = 16;
/// How long to wait when the system is out of what connections need.
const OUT_OF_FILES: Duration = Duration::from_millis(100);

/// Who is at the other end.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    traffic: Arc<Traffic>,
}

impl Peer {
    /// Ends the connection in the middle of the request; never resolves.
    pub(crate) async fn cut(&self) -> Response {
        self.traffic.cut();
        std::future::pending().await
    }

    /// Sends the client nothing more than the end of the connection.
    pub(crate) fn half_close(&self) {
        self.traffic.half_close();
    }
}

/// Serves `listener`, with TLS if there is `tls`, until `shutdown` resolves; then ends what is idle, and
/// waits a while for what is being answered.
pub(crate) async fn serve<A, F>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    answer: A,
    shutdown: impl Future<Output = ()>,
) where
    A: Fn(Peer, Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let pool = Pool::new(open_files::connections());
    let mut shutdown = pin!(shutdown);
    let accepting = async {
        loop {
            let (stream, address) = accept(&listener).await;
            let place = pool.place().await;
            let traffic = Arc::clone(&place.traffic);
            let peer = Peer { address, traffic };
            tokio::spawn(attend(stream, tls.clone(), peer, place, answer.clone()));
        }
    };
    tokio::select! {
        () = &mut shutdown => {}
        () = accepting => {}
    }
    drop(listener);
    pool.close().await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(OUT_OF_FILES).await;
            }
        }
    }
}

/// Whether only the connection failed that would have been accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// Answers the requests of one connection.
async fn attend<A, F>(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    peer: Peer,
    place: Place,
    answer: A,
) where
    A: Fn(Peer, Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    // Small answers are not to wait for the acknowledgement of what is before
    // them. A connection on which this fails is closed already.
    let _ = stream.set_nodelay(true);
    let traffic = Arc::clone(&place.traffic);
    let conversation = async {
        match tls {
            None => {
                let stream = Limited::new(stream, Arc::clone(&traffic));
                converse(stream, Scheme::HTTP, &peer, &place, answer).await;
            }
            Some(tls) => {
                if let Some(stream) = handshake(&tls, stream, &traffic).await {
                    converse(stream, Scheme::HTTPS, &peer, &place, answer).await;
                }
            }
        }
    };
    tokio::select! {
        () = traffic.is_cut() => {}
        () = conversation => {}
    }
}

/// Speaks HTTP until the connection ends, or the pool closes.
async fn converse<S, A, F>(stream: S, scheme: Scheme, peer: &Peer, place: &Place, answer: A)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: Fn(Peer, Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let (traffic, peer, answer) = (Arc::clone(&place.traffic), peer.clone(), answer.clone());
        let request = as_http1(request, &scheme);
        async move {
            let answering = move |request| answer(peer, request);
            Ok::<_, Infallible>(counted(&traffic, request, answering).await)
        }
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // What fails here is the client's, or the network's.
        _ = connection.as_mut() => return,
        () = place.pool().is_closing() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// The same request in the terms of HTTP/1.1, where the host is a header; the
/// scheme is an extension.
fn as_http1(mut request: hyper::Request<Incoming>, scheme: &Scheme) -> hyper::Request<Incoming> {
    request.extensions_mut().insert(scheme.clone());
    let authority = request.uri().authority().map(Authority::as_str);
    if let Some(Ok(host)) = authority.map(HeaderValue::from_str)
        && !request.headers().contains_key(header::HOST)
    {
        request.headers_mut().insert(header::HOST, host);
    }
    request
}

/// Answers a request that counts as such until its body is sent.
async fn counted<F: Future<Output = Response>>(
    traffic: &Arc<Traffic>,
    request: hyper::Request<Incoming>,
    answer: impl FnOnce(Request) -> F,
) -> hyper::Response<Sending> {
    match traffic.answer() {
        Some(answering) => {
            let request = request.map(|body| Body::new(Receiving::new(body, traffic)));
            let response = answer(request).await;
            response.map(|body| Sending::new(body, answering, traffic))
        }
        // The connection was cut between this request and the one before.
        None => std::future::pending().await,
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(BUFFER).max_headers(HEADERS);
    let window = u32::try_from(BUFFER).unwrap_or(u32::MAX);
    builder
        .http2()
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(window)
        .initial_connection_window_size(2 * window)
        .max_send_buf_size(BUFFER / 2)
        .max_header_list_size(window);
    builder
}
