//! What one connection is doing, and until when it may go on with that.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::connections::Connections;
use crate::config::Limits;

/// Follows one connection through its requests.
#[derive(Debug)]
pub(super) struct Activity {
    limits: Arc<Limits>,
    connections: Arc<Connections>,
    /// Told when the connection should make room.
    pub(super) close: Arc<Notify>,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    doing: Doing,
    /// Since when the client has read nothing of what there is for it.
    blocked_since: Option<Instant>,
    /// The place among the connections without a request.
    place: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
enum Doing {
    /// Waits for a request.
    Waiting { since: Instant },
    /// Reads the head of a request; or it is new, and owes one.
    ReadingHead { since: Instant },
    /// Answers. The request timeout sees to the end of that.
    Answering,
}

impl Activity {
    pub(super) fn new(limits: Arc<Limits>, connections: Arc<Connections>) -> Arc<Self> {
        let close = Arc::new(Notify::new());
        let now = Now {
            doing: Doing::ReadingHead {
                since: Instant::now(),
            },
            blocked_since: None,
            place: Some(connections.begin_waiting(&close)),
        };
        Arc::new(Self {
            limits,
            connections,
            close,
            now: Mutex::new(now),
        })
    }

    pub(super) fn begin_answer(&self) {
        let mut now = self.now();
        now.doing = Doing::Answering;
        if let Some(place) = now.place.take() {
            self.connections.end_waiting(place);
        }
    }

    pub(super) fn end_answer(&self) {
        let mut now = self.now();
        now.doing = Doing::Waiting {
            since: Instant::now(),
        };
        now.place = Some(self.connections.begin_waiting(&self.close));
    }

    /// Whether somebody waits for an answer, or for the rest of one.
    pub(super) fn is_answering(&self) -> bool {
        let now = self.now();
        matches!(now.doing, Doing::Answering) || now.blocked_since.is_some()
    }

    /// When the connection is to be closed, as far as is known now.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let now = self.now();
        match (now.blocked_since, now.doing) {
            (Some(since), _) => Some(since + self.limits.write),
            (None, Doing::Waiting { since }) => Some(since + self.limits.idle),
            (None, Doing::ReadingHead { since }) => Some(since + self.limits.head),
            (None, Doing::Answering) => None,
        }
    }

    fn has_read(&self) {
        let mut now = self.now();
        if matches!(now.doing, Doing::Waiting { .. }) {
            now.doing = Doing::ReadingHead {
                since: Instant::now(),
            };
        }
    }

    fn has_written(&self, could: bool) {
        let mut now = self.now();
        if could {
            now.blocked_since = None;
        } else {
            now.blocked_since.get_or_insert_with(Instant::now);
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        if let Some(place) = self.now().place.take() {
            self.connections.end_waiting(place);
        }
    }
}

/// A connection's bytes, with an eye on them.
pub(super) struct Watched {
    pub(super) stream: TcpStream,
    pub(super) activity: Arc<Activity>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.activity.has_read();
        }
        result
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.activity.has_written(result.is_ready());
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.activity.has_written(result.is_ready());
        result
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
