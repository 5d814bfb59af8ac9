//! Connections: how many at once, and how long one may stay silent.
//!
//! It must not look into what is said on them.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// Connections at one time; more wait in the system's queue.
const MOST: usize = 256;
/// From the last answer to the end of the next request's head.
const HEAD_LIMIT: Duration = Duration::from_mins(1);
/// Without a byte in either direction while a request is answered.
const SILENCE_LIMIT: Duration = Duration::from_mins(5);

/// A listener that gives out a bounded number of connections.
#[derive(Debug)]
pub(crate) struct Connections {
    listener: TcpListener,
    slots: Arc<Semaphore>,
}

impl Connections {
    pub(crate) fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            slots: Arc::new(Semaphore::new(MOST)),
        }
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let slot = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // The last bytes of an answer are not held back for more; on a
        // connection that is gone already it does not matter.
        let _ = stream.set_nodelay(true);
        (Connection::new(stream, slot), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Who is at the other end, and whether a request of theirs is being answered.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    phase: Arc<Phase>,
}

impl Peer {
    /// Says that a request's head has arrived. The request is being answered
    /// until the returned value is dropped.
    pub(crate) fn answering(&self) -> Answering {
        self.phase.next();
        Answering(Arc::clone(&self.phase))
    }
}

impl Connected<IncomingStream<'_, Connections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        Self {
            address: *stream.remote_addr(),
            phase: Arc::clone(&stream.io().phase),
        }
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Answering(Arc<Phase>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.next();
    }
}

/// Counts the changes between "waiting for a head", even, and "answering", odd.
#[derive(Debug, Default)]
struct Phase(AtomicU64);

impl Phase {
    fn next(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn current(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One connection, which fails with `TimedOut` when a limit is reached.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    phase: Arc<Phase>,
    seen: u64,
    deadline: Pin<Box<Sleep>>,
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, slot: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            phase: Arc::default(),
            seen: 0,
            deadline: Box::pin(tokio::time::sleep(HEAD_LIMIT)),
            _slot: slot,
        }
    }

    /// Begins the time anew, by the limit of the present phase.
    fn restart(&mut self) {
        let limit = if self.is_answering() {
            SILENCE_LIMIT
        } else {
            HEAD_LIMIT
        };
        self.deadline.as_mut().reset(Instant::now() + limit);
    }

    fn is_answering(&self) -> bool {
        !self.seen.is_multiple_of(2)
    }

    /// Whether the time is up; when not, the task is woken as soon as it is.
    fn poll_limit(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let current = self.phase.current();
        if current != self.seen {
            self.seen = current;
            self.restart();
        }
        ready!(self.deadline.as_mut().poll(context));
        Poll::Ready(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client was silent for too long",
        ))
    }

    fn or_limit<T>(
        &mut self,
        result: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        match result {
            Poll::Pending => self.poll_limit(context).map(Err),
            Poll::Ready(result) => Poll::Ready(result),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        // A head that drips in byte by byte does not buy time.
        if result.is_ready() && self.is_answering() {
            self.restart();
        }
        self.or_limit(result, context)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        if result.is_ready() {
            self.restart();
        }
        self.or_limit(result, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        if result.is_ready() {
            self.restart();
        }
        self.or_limit(result, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
