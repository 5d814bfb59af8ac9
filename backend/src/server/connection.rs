//! One connection, from its first byte to its end.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};
use tower::Service;

use crate::client_address::Peer;

use super::activity::{Activity, Watched};

/// The longest head of a request, in bytes; hyper answers a longer one 431.
const LONGEST_HEAD: usize = 16 * 1024;

/// Answers the requests of a connection until its client, a limit or `stop` ends it.
pub(super) async fn serve(
    stream: TcpStream,
    app: Router,
    activity: Arc<Activity>,
    mut stop: watch::Receiver<bool>,
) {
    let peer = stream.peer_addr().ok().map(|address| Peer(address.ip()));
    let service = service_fn(|mut request: Request<Incoming>| {
        activity.begin_answer();
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        let answer = app.clone().call(request);
        let activity = activity.clone();
        async move {
            let answer = answer.await;
            activity.end_answer();
            answer
        }
    });
    let watched = Watched {
        stream,
        activity: activity.clone(),
    };
    let mut connection = pin!(
        http1::Builder::new()
            // Our own deadlines take its place: they tell idle from slow.
            .header_read_timeout(None)
            .max_buf_size(LONGEST_HEAD)
            .serve_connection(TokioIo::new(watched), service)
    );
    let mut told_to_close = pin!(async {
        tokio::select! {
            () = activity.close.notified() => {}
            // That the server is gone means the same.
            _ = stop.wait_for(|stopping| *stopping) => {}
        }
    });
    let mut timer = pin!(sleep_until(Instant::now()));
    let mut is_closing = false;
    poll_fn(|context| {
        if connection.as_mut().poll(context).is_ready() {
            // Errors too: whom they concern has seen them.
            return Poll::Ready(());
        }
        if !is_closing && told_to_close.as_mut().poll(context).is_ready() {
            is_closing = true;
            if !activity.is_answering() {
                return Poll::Ready(());
            }
            connection.as_mut().graceful_shutdown();
            if connection.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
        }
        poll_deadline(activity.deadline(), timer.as_mut(), context)
    })
    .await;
}

/// Ready once `deadline` has passed. The timer is set anew only where it must be:
/// not with every request.
fn poll_deadline(
    deadline: Option<Instant>,
    mut timer: std::pin::Pin<&mut Sleep>,
    context: &mut Context<'_>,
) -> Poll<()> {
    let Some(deadline) = deadline else {
        return Poll::Pending;
    };
    if deadline < timer.deadline() {
        timer.as_mut().reset(deadline);
    }
    while timer.as_mut().poll(context).is_ready() {
        if Instant::now() >= deadline {
            return Poll::Ready(());
        }
        timer.as_mut().reset(deadline);
    }
    Poll::Pending
}
