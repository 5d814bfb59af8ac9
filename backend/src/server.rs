//! Serving until told to stop, and then stopping: no new connections, the requests
//! that are open answered, and a deadline for that.

use std::future::{Future, IntoFuture};
use std::io;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// How serving came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Every request that was open was answered.
    Drained,
    /// Some request was still open when the deadline had passed.
    DeadlinePassed,
}

/// Serves `app` until `stop` resolves, and then for at most `deadline` longer.
///
/// # Errors
/// If the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    stop: impl Future<Output = ()> + Send + 'static,
    deadline: Duration,
) -> io::Result<Stopped> {
    let (stopping, stopped) = oneshot::channel();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        stop.await;
        tracing::info!("stopping");
        // Nobody listens only if the server has stopped already.
        let _ = stopping.send(());
    });
    let deadline_passes = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(deadline).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        result = server.into_future() => result.map(|()| Stopped::Drained),
        () = deadline_passes => Ok(Stopped::DeadlinePassed),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::routing::get;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpStream;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_that_never_ends_is_given_up_at_the_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
        let address = listener.local_addr().expect("an address");
        let begun = Arc::new(Notify::new());
        let handler_begun = begun.clone();
        let never_ends = async move || {
            handler_begun.notify_one();
            std::future::pending::<()>().await;
        };
        let app = Router::new().route("/", get(never_ends));
        let mut client = TcpStream::connect(address).await.expect("a connection");
        client
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .expect("a request");
        let stop = async move { begun.notified().await };
        let stopped = serve(listener, app, stop, Duration::from_secs(8)).await;
        assert_eq!(stopped.expect("an end"), Stopped::DeadlinePassed);
    }
}
