//! Bodies that say what their connection is busy with.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};

use super::traffic::{Answering, Traffic, Waiting};

/// A response's body. The request counts as being answered until all of it is
/// sent, and how long that takes is up to the client.
#[derive(Debug)]
pub(super) struct Sending {
    body: Body,
    _waiting: Waiting,
    _answering: Answering,
}

impl Sending {
    pub(super) fn new(body: Body, answering: Answering, traffic: &Arc<Traffic>) -> Self {
        Self {
            body,
            _waiting: traffic.wait(),
            _answering: answering,
        }
    }
}

impl hyper::body::Body for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A request's body. Its connection waits for the client while somebody wants a
/// piece of it that has not come.
#[derive(Debug)]
pub(super) struct Receiving {
    body: Incoming,
    traffic: Arc<Traffic>,
    waiting: Option<Waiting>,
}

impl Receiving {
    pub(super) fn new(body: Incoming, traffic: &Arc<Traffic>) -> Self {
        Self {
            body,
            traffic: Arc::clone(traffic),
            waiting: None,
        }
    }
}

impl hyper::body::Body for Receiving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.waiting = polled.is_pending().then(|| self.traffic.wait());
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
