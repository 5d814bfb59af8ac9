//! A body to which something happens on its way.

use std::io;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// How long a piece of a slow body takes.
const BEAT: Duration = Duration::from_millis(100);

/// What happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Impairment {
    /// Bytes per second.
    pub(super) rate: Option<NonZeroU32>,
    /// The body fails after so many bytes.
    pub(super) end: Option<u64>,
    /// One bit of this byte is flipped.
    pub(super) corrupt: Option<u64>,
}

impl Impairment {
    /// `body`, impaired; and whether it has failed as it was told to.
    pub(super) fn impair(self, body: Body) -> (Body, Ended) {
        let ended = Ended::default();
        if self == Self::default() {
            return (body, ended);
        }
        let corrupt = match (self.corrupt, body.size_hint().exact()) {
            (Some(at), Some(length)) if length > 0 => Some(at % length),
            (at, _) => at,
        };
        let body = Body::new(Impaired {
            rate: self.rate,
            end: self.end,
            corrupt,
            body,
            rest: Bytes::new(),
            position: 0,
            pause: None,
            is_flushed: false,
            ended: ended.clone(),
        });
        (body, ended)
    }
}

/// Whether a body has failed as it was told to.
#[derive(Debug, Clone, Default)]
pub(super) struct Ended(Arc<AtomicBool>);

impl Ended {
    pub(super) fn is_so(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Debug)]
struct Impaired {
    rate: Option<NonZeroU32>,
    end: Option<u64>,
    corrupt: Option<u64>,
    body: Body,
    /// What came from `body` and has not been passed on.
    rest: Bytes,
    /// Bytes that have been passed on.
    position: u64,
    /// Until the next piece of a slow body.
    pause: Option<Pin<Box<Sleep>>>,
    /// Whether what was passed on has had its chance to be sent.
    is_flushed: bool,
    ended: Ended,
}

impl Impaired {
    /// Cuts the next piece from what has come.
    fn piece(&mut self) -> Bytes {
        let mut most = self.rest.len() as u64;
        if let Some(end) = self.end {
            most = most.min(end - self.position);
        }
        if let Some(rate) = self.rate {
            let beats = u64::try_from(Duration::from_secs(1).as_millis() / BEAT.as_millis());
            most = most.min((u64::from(rate.get()) / beats.unwrap_or(1)).max(1));
            self.pause = Some(Box::pin(sleep(BEAT)));
        }
        let mut piece = self
            .rest
            .split_to(usize::try_from(most).unwrap_or(usize::MAX));
        let corrupt = self.corrupt.and_then(|at| at.checked_sub(self.position));
        if let Some(at) = corrupt.and_then(|at| usize::try_from(at).ok())
            && at < piece.len()
        {
            let mut altered = piece.to_vec();
            altered[at] ^= 1;
            piece = altered.into();
        }
        self.position += piece.len() as u64;
        piece
    }

    /// Fails, once what was passed on has had its chance to be sent.
    fn fail(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !std::mem::replace(&mut self.is_flushed, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.ended.0.store(true, Ordering::Release);
        let error = io::Error::new(io::ErrorKind::UnexpectedEof, "a fault ended the body");
        Poll::Ready(Some(Err(axum::Error::new(error))))
    }
}

impl hyper::body::Body for Impaired {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if let Some(pause) = &mut this.pause {
            ready!(pause.as_mut().poll(context));
            this.pause = None;
        }
        if this.end == Some(this.position) {
            return this.fail(context);
        }
        while this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        Poll::Ready(Some(Ok(Frame::data(this.piece()))))
    }

    fn size_hint(&self) -> SizeHint {
        // What was announced before: that a body falls short is the point.
        let inner = self.body.size_hint();
        let rest = self.rest.len() as u64;
        inner
            .exact()
            .map_or_else(SizeHint::new, |exact| SizeHint::with_exact(exact + rest))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use tokio::time::Instant;

    use super::*;

    const TEXT: &str = "0123456789";

    /// What arrives, and whether it ended well.
    async fn arrives(impairment: Impairment, body: Body) -> (String, bool) {
        let (body, ended) = impairment.impair(body);
        let mut frames = body.into_data_stream();
        let mut arrived = Vec::new();
        while let Some(frame) = frames.next().await {
            let Ok(bytes) = frame else {
                assert!(ended.is_so());
                return (String::from_utf8(arrived).unwrap(), false);
            };
            arrived.extend_from_slice(&bytes);
        }
        (String::from_utf8(arrived).unwrap(), true)
    }

    fn chunks() -> Body {
        let chunks = ["012", "345", "6789"].map(Ok::<_, io::Error>);
        Body::from_stream(futures_util::stream::iter(chunks))
    }

    #[tokio::test]
    async fn a_body_ends_after_exactly_so_many_bytes_and_announces_all() {
        for end in 0..=12 {
            let impairment = Impairment {
                end: Some(end),
                ..Impairment::default()
            };
            let (body, _) = impairment.impair(Body::from(TEXT));
            assert_eq!(body.size_hint().exact(), Some(10));
            for body in [body, chunks()] {
                let (arrived, is_whole) = arrives(impairment, body).await;
                let expected = usize::try_from(end.min(10)).unwrap();
                assert_eq!(arrived, TEXT[..expected]);
                assert_eq!(is_whole, end > 10, "{end}");
            }
        }
    }

    #[tokio::test]
    async fn exactly_one_bit_of_the_byte_is_flipped() {
        let at = |byte| Impairment {
            corrupt: Some(byte),
            ..Impairment::default()
        };
        let whole = |text: &str| (text.to_owned(), true);
        assert_eq!(arrives(at(4), Body::from(TEXT)).await, whole("0123556789"));
        assert_eq!(arrives(at(4), chunks()).await, whole("0123556789"));
        assert_eq!(arrives(at(14), Body::from(TEXT)).await, whole("0123556789"));
        assert_eq!(arrives(at(0), Body::empty()).await, whole(""));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_takes_its_time() {
        let impairment = Impairment {
            rate: NonZeroU32::new(1_000),
            ..Impairment::default()
        };
        let began = Instant::now();
        let body = Body::from("x".repeat(5_000));
        let (arrived, _) = arrives(impairment, body).await;
        assert_eq!(arrived.len(), 5_000);
        let took = began.elapsed().as_millis();
        assert!((4_900..=5_200).contains(&took), "{took}");
    }
}
