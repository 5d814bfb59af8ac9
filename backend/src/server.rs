//! Serving until told to stop, and then stopping: no new connections, the requests
//! that are open answered, and a deadline for that. axum's own `serve` has no
//! limits, so hyper is driven directly.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub use connections::Connections;
pub use descriptors::make_room;

use crate::config::Limits;
use activity::Activity;

mod activity;
mod connection;
mod connections;
mod descriptors;

/// How long to wait where the system has no room for a connection.
const RECOVERY: Duration = Duration::from_millis(100);

/// How serving came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Every request that was open was answered.
    Drained,
    /// Some request was still open when the deadline had passed.
    DeadlinePassed,
}

/// Serves `app` until `stop` resolves, and then for at most `limits.stop` longer.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    connections: Arc<Connections>,
    stop: impl Future<Output = ()>,
) -> Stopped {
    let limits = Arc::new(limits);
    let (stopping, stopped) = watch::channel(false);
    let mut stop = pin!(stop);
    loop {
        let admitted = async {
            let stream = accept(&listener, &connections).await;
            (stream, connections.admit().await)
        };
        let (stream, room) = tokio::select! {
            admitted = admitted => admitted,
            () = &mut stop => break,
        };
        let activity = Activity::new(limits.clone(), connections.clone());
        let app = app.clone();
        let stopped = stopped.clone();
        tokio::spawn(async move {
            connection::serve(stream, app, activity, stopped).await;
            drop(room);
        });
    }
    tracing::info!("stopping");
    drop(listener);
    stopping.send_replace(true);
    match tokio::time::timeout(limits.stop, connections.all_closed()).await {
        Ok(()) => Stopped::Drained,
        Err(_) => Stopped::DeadlinePassed,
    }
}

/// The next connection, however often the system has none to give.
async fn accept(listener: &TcpListener, connections: &Connections) -> TcpStream {
    loop {
        let error = match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are written at once: nothing is gained by waiting for more.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) => error,
        };
        let is_of_the_client = matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::Interrupted
        );
        if !is_of_the_client {
            tracing::error!(%error, "the system has no room for a connection");
            connections.close_longest_idle();
            tokio::time::sleep(RECOVERY).await;
        }
    }
}

#[cfg(test)]
mod tests;
