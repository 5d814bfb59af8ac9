//! Requests and changes of the whole state, kept apart.
//!
//! A request is in the gate from before its handler begins until its note is in
//! the trail. Whoever closes the gate waits until nobody is in it; who comes
//! meanwhile waits until it is open again. Bodies that are still on their way
//! fail when the gate closes, so that a slow upload holds nobody up.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, watch};

/// What every request passes.
#[derive(Debug)]
pub(crate) struct Gate {
    requests: RwLock<()>,
    is_closing: watch::Sender<bool>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            requests: RwLock::default(),
            is_closing: watch::Sender::new(false),
        }
    }
}

impl Gate {
    /// Goes in, as soon as the gate is open.
    pub(crate) async fn enter(&self) -> Passage<'_> {
        let mut is_closing = self.is_closing.subscribe();
        loop {
            // The sender lives as long as `self`.
            let _ = is_closing.wait_for(|is_closing| !is_closing).await;
            let request = self.requests.read().await;
            if !*is_closing.borrow_and_update() {
                return Passage {
                    _request: request,
                    is_closing,
                    cut: Arc::default(),
                };
            }
        }
    }

    /// Closes the gate until the returned value is dropped. Blocks until nobody
    /// is in it.
    pub(crate) fn close(&self) -> Closed<'_> {
        self.is_closing.send_replace(true);
        Closed {
            _nobody: self.requests.blocking_write(),
            opening: Opening(&self.is_closing),
        }
    }

    /// Goes in for work that is not a request's. Blocks until the gate is open.
    pub(crate) fn enter_blocking(&self) -> RwLockReadGuard<'_, ()> {
        self.requests.blocking_read()
    }
}

/// A gate that is closed.
#[derive(Debug)]
pub(crate) struct Closed<'a> {
    _nobody: RwLockWriteGuard<'a, ()>,
    #[expect(dead_code, reason = "opens the gate when it is dropped")]
    opening: Opening<'a>,
}

#[derive(Debug)]
struct Opening<'a>(&'a watch::Sender<bool>);

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

/// A request in the gate.
#[derive(Debug)]
pub(crate) struct Passage<'a> {
    _request: RwLockReadGuard<'a, ()>,
    is_closing: watch::Receiver<bool>,
    cut: Arc<AtomicBool>,
}

impl Passage<'_> {
    /// The body of the request, which fails when the gate closes.
    pub(crate) fn bound(&self, body: Body) -> Body {
        if body.is_end_stream() {
            return body;
        }
        let mut is_closing = self.is_closing.clone();
        Body::new(Bound {
            body,
            closing: Box::pin(async move {
                let _ = is_closing.wait_for(|is_closing| *is_closing).await;
            }),
            is_closing: self.is_closing.clone(),
            cut: Arc::clone(&self.cut),
        })
    }

    /// Whether the body has failed because the gate closes.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }
}

struct Bound {
    body: Body,
    is_closing: watch::Receiver<bool>,
    closing: Pin<Box<dyn Future<Output = ()> + Send>>,
    cut: Arc<AtomicBool>,
}

impl hyper::body::Body for Bound {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        // Looked at first: a body that never pauses ends too.
        let is_closing = this.is_closing.has_changed().unwrap_or(true);
        if !is_closing {
            let frame = Pin::new(&mut this.body).poll_frame(context);
            if frame.is_ready() || this.closing.as_mut().poll(context).is_pending() {
                return frame;
            }
        }
        this.cut.store(true, Ordering::Release);
        let error = io::Error::new(io::ErrorKind::ConnectionAborted, "the state is replaced");
        Poll::Ready(Some(Err(axum::Error::new(error))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_closes_waits_for_who_is_in_and_bodies_on_their_way_fail() {
        let gate = Arc::new(Gate::default());
        let passage = gate.enter().await;
        let first = futures_util::stream::iter([Ok::<_, io::Error>("first")]);
        let body = Body::from_stream(first.chain(futures_util::stream::pending()));
        let mut frames = passage.bound(body).into_data_stream();
        assert_eq!(frames.next().await.unwrap().unwrap(), "first");
        assert!(!passage.is_cut());

        let closer = Arc::clone(&gate);
        let (closed, is_closed) = std::sync::mpsc::channel();
        let (open, may_open) = std::sync::mpsc::channel::<()>();
        let closing = tokio::task::spawn_blocking(move || {
            let _closed = closer.close();
            closed.send(()).unwrap();
            may_open.recv().unwrap();
        });
        assert!(frames.next().await.unwrap().is_err(), "the gate closes");
        assert!(passage.is_cut());
        assert!(is_closed.try_recv().is_err(), "somebody is in it");
        drop(passage);
        let (is_closed, entering) = (
            tokio::task::spawn_blocking(move || is_closed.recv()),
            async {
                let passage = gate.enter().await;
                let mut whole = passage.bound(Body::from("whole")).into_data_stream();
                assert_eq!(whole.next().await.unwrap().unwrap(), "whole");
            },
        );
        is_closed.await.unwrap().unwrap();
        open.send(()).unwrap();
        entering.await;
        closing.await.unwrap();
    }
}
