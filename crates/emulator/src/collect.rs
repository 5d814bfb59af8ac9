//! Bodies of calls, read whole: bounded one by one and all together.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::request::Parts;
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::protocol::Obstacle;

/// How long a body may take to arrive.
const TIME: Duration = Duration::from_mins(1);
/// How long a large body may wait for room.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bodies up to so many bytes are always let in: the number of connections
/// bounds them.
const SMALL: u64 = 64 * 1024;
/// Bytes of all larger bodies at one time.
const ROOM: u64 = 256 * 1024 * 1024;
/// Bytes that one permit of the semaphore stands for.
const UNIT: u64 = 1024;

/// A request whose body has arrived.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    /// Held for as long as the body is.
    _room: Option<OwnedSemaphorePermit>,
}

/// The room for bodies in memory.
#[derive(Debug)]
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(permits(ROOM) as usize)))
    }
}

impl Room {
    /// Reads the body of `request`, at most `limit` bytes.
    pub(crate) async fn collect(
        &self,
        request: Request,
        limit: usize,
    ) -> Result<Call, (Parts, Obstacle)> {
        let (parts, body) = request.into_parts();
        match self.read(body, limit).await {
            Ok((body, room)) => Ok(Call {
                parts,
                body,
                _room: room,
            }),
            Err(obstacle) => Err((parts, obstacle)),
        }
    }

    async fn read(
        &self,
        body: Body,
        limit: usize,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Obstacle> {
        let announced = body.size_hint();
        if announced.lower() > limit as u64 {
            return Err(Obstacle::TooLarge);
        }
        let room = self.make(announced.exact().unwrap_or(limit as u64)).await?;
        match tokio::time::timeout(TIME, axum::body::to_bytes(body, limit)).await {
            Ok(Ok(bytes)) => Ok((bytes, room)),
            Ok(Err(error)) if is_length(&error) => Err(Obstacle::TooLarge),
            Ok(Err(_)) => Err(Obstacle::BrokenOff),
            Err(_) => Err(Obstacle::TooSlow),
        }
    }

    async fn make(&self, bytes: u64) -> Result<Option<OwnedSemaphorePermit>, Obstacle> {
        if bytes <= SMALL {
            return Ok(None);
        }
        let waiting = Arc::clone(&self.0).acquire_many_owned(permits(bytes));
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(Ok(permit)) => Ok(Some(permit)),
            _ => Err(Obstacle::Unavailable),
        }
    }
}

fn permits(bytes: u64) -> u32 {
    u32::try_from(bytes.min(ROOM).div_ceil(UNIT)).unwrap_or(u32::MAX)
}

fn is_length(error: &axum::Error) -> bool {
    std::error::Error::source(error)
        .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = 28 << 20;

    /// A body of a known length that never comes.
    fn stuck(length: usize) -> Request {
        struct Stuck(u64);
        impl hyper::body::Body for Stuck {
            type Data = Bytes;
            type Error = std::io::Error;

            fn poll_frame(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, std::io::Error>>>
            {
                std::task::Poll::Pending
            }

            fn size_hint(&self) -> hyper::body::SizeHint {
                hyper::body::SizeHint::with_exact(self.0)
            }
        }
        Request::new(Body::new(Stuck(length as u64)))
    }

    #[tokio::test(start_paused = true)]
    async fn large_bodies_are_refused_where_there_is_no_room_and_small_ones_are_not() {
        let room = Arc::new(Room::default());
        let holders: Vec<_> = (0..9)
            .map(|_| {
                let room = Arc::clone(&room);
                tokio::spawn(async move { room.collect(stuck(MANY), MANY).await })
            })
            .collect();
        tokio::task::yield_now().await;
        let large = Request::new(Body::from(vec![0; 8 << 20]));
        let refused = room.collect(large, MANY).await.unwrap_err();
        assert_eq!(refused.1, Obstacle::Unavailable);
        let small = Request::new(Body::from("small"));
        assert_eq!(room.collect(small, 1 << 20).await.unwrap().body, "small");
        for holder in holders {
            let refused = holder.await.unwrap().unwrap_err();
            assert_eq!(refused.1, Obstacle::TooSlow);
        }
        let large = Request::new(Body::from(vec![0; 8 << 20]));
        assert!(
            room.collect(large, MANY).await.is_ok(),
            "room is given back"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_beyond_the_limit_is_refused_announced_or_not() {
        let room = Room::default();
        let announced = room.collect(stuck(11), 10).await.unwrap_err();
        assert_eq!(announced.1, Obstacle::TooLarge);
        let chunks = ["chunk"; 3].map(Ok::<_, std::io::Error>);
        let streamed = futures_util::stream::iter(chunks);
        let streamed = Request::new(Body::from_stream(streamed));
        let refused = room.collect(streamed, 10).await.unwrap_err();
        assert_eq!(refused.1, Obstacle::TooLarge);
    }
}
