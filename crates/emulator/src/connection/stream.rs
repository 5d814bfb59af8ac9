//! One connection's bytes, with limits on how long it may stay silent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::traffic::Traffic;

/// From the last answer to the end of the next request's head.
const HEAD_LIMIT: Duration = Duration::from_mins(1);
/// Without a byte in either direction while a request is answered.
const SILENCE_LIMIT: Duration = Duration::from_mins(5);

/// One connection, which fails with `TimedOut` when a limit is reached.
#[derive(Debug)]
pub(super) struct Limited<S> {
    stream: S,
    traffic: Arc<Traffic>,
    /// The changes of `traffic` that `deadline` knows of.
    seen: u64,
    deadline: Pin<Box<Sleep>>,
}

impl<S> Limited<S> {
    pub(super) fn new(stream: S, traffic: Arc<Traffic>) -> Self {
        Self {
            stream,
            seen: traffic.changes(),
            traffic,
            deadline: Box::pin(tokio::time::sleep(HEAD_LIMIT)),
        }
    }

    /// Notes that `bytes` were read or written. While a request is answered
    /// that begins the time anew; a head that drips in byte by byte, or an end
    /// that drips out, does not buy time.
    fn moved(&mut self, bytes: usize) {
        self.traffic.moved(bytes);
        if bytes > 0 && self.traffic.is_answering() {
            self.restart();
        }
    }

    /// Begins the time anew, by the limit of the present phase.
    fn restart(&mut self) {
        let limit = if self.traffic.is_answering() {
            SILENCE_LIMIT
        } else {
            HEAD_LIMIT
        };
        self.deadline.as_mut().reset(Instant::now() + limit);
    }

    /// Whether the time is up; when not, the task is woken as soon as it is.
    fn poll_limit(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let current = self.traffic.changes();
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

impl<S: AsyncRead + Unpin> AsyncRead for Limited<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.moved(buffer.filled().len() - before);
        self.or_limit(result, context)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Limited<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.traffic.is_half_closed() {
            return self.swallow(context, bytes.len());
        }
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.moved(written(&result));
        self.or_limit(result, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.traffic.is_half_closed() {
            let bytes = slices.iter().map(|slice| slice.len()).sum();
            return self.swallow(context, bytes);
        }
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.moved(written(&result));
        self.or_limit(result, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.or_limit(result, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(context);
        self.or_limit(result, context)
    }
}

impl<S: AsyncWrite + Unpin> Limited<S> {
    /// Sends the end of the stream in place of so many bytes.
    fn swallow(&mut self, context: &mut Context<'_>, bytes: usize) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        Poll::Ready(Ok(bytes))
    }
}

fn written(result: &Poll<io::Result<usize>>) -> usize {
    match result {
        Poll::Ready(Ok(bytes)) => *bytes,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_head_that_drips_in_is_given_up_after_a_minute() {
        let (mut client, server) = duplex(64);
        let mut server = Limited::new(server, Traffic::new());
        let dripping = tokio::spawn(async move {
            while client.write_all(b"G").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        });
        let began = Instant::now();
        let error = server.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), HEAD_LIMIT);
        drop(server);
        dripping.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_take_its_time_but_not_fall_silent() {
        let (mut client, server) = duplex(64);
        let traffic = Traffic::new();
        let mut server = Limited::new(server, Arc::clone(&traffic));
        let _request = traffic.answer().unwrap();
        let sending = tokio::spawn(async move {
            for _ in 0..10 {
                client.write_all(b"body").await.unwrap();
                tokio::time::sleep(Duration::from_mins(4)).await;
            }
            client
        });
        let mut body = Vec::new();
        let began = Instant::now();
        let error = server.read_to_end(&mut body).await.unwrap_err();
        assert_eq!((error.kind(), body.len()), (io::ErrorKind::TimedOut, 40));
        assert_eq!(began.elapsed(), 9 * Duration::from_mins(4) + SILENCE_LIMIT);
        drop(sending);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_stops_is_given_up() {
        let (client, server) = duplex(64);
        let traffic = Traffic::new();
        let mut server = Limited::new(server, Arc::clone(&traffic));
        let _request = traffic.answer().unwrap();
        let began = Instant::now();
        let error = server.write_all(&[0; 1_000]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed(), SILENCE_LIMIT);
        drop(client);
    }
}
