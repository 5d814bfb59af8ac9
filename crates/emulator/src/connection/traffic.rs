//! What happens on one connection at the moment, as seen by those who must
//! decide about it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// In place of the number of requests: nothing more is answered.
const CLOSED: usize = usize::MAX;

/// The requests that are being answered on a connection, and the bytes that
/// move on it.
#[derive(Debug)]
pub(super) struct Traffic {
    answering: AtomicUsize,
    /// Bodies that wait for the client.
    waiting: AtomicUsize,
    /// Bytes in both directions since `since`.
    moved: AtomicU64,
    /// When the connection last changed between idle and answering.
    since: Mutex<Instant>,
    /// Counts those changes, and each request.
    changes: AtomicU64,
    cut: CancellationToken,
    half_closed: AtomicBool,
}

impl Traffic {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            answering: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            moved: AtomicU64::new(0),
            since: Mutex::new(Instant::now()),
            changes: AtomicU64::new(0),
            cut: CancellationToken::new(),
            half_closed: AtomicBool::new(false),
        })
    }

    /// A request's head has arrived. It is being answered until the returned
    /// value is dropped. `None` when the connection was cut just before.
    pub(super) fn answer(self: &Arc<Self>) -> Option<Answering> {
        let one_more = |count: usize| (count != CLOSED).then(|| count + 1);
        self.answering
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .ok()?;
        self.change();
        Some(Answering(Arc::clone(self)))
    }

    /// Whether a request is being answered.
    pub(super) fn is_answering(&self) -> bool {
        !matches!(self.answering.load(Ordering::Acquire), 0 | CLOSED)
    }

    /// A body waits for the client until the returned value is dropped.
    pub(super) fn wait(self: &Arc<Self>) -> Waiting {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        Waiting(Arc::clone(self))
    }

    /// Whether it is up to the client to go on.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    /// For how long the connection has been idle, or has been answering.
    pub(super) fn lasting(&self) -> Duration {
        self.lock().elapsed()
    }

    /// A number that differs after each beginning or end of a request.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Counts bytes that were read or written.
    pub(super) fn moved(&self, bytes: usize) {
        self.moved.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes per second since the present request began.
    pub(super) fn rate(&self) -> u64 {
        let moved = self.moved.load(Ordering::Relaxed);
        moved / self.lasting().as_secs().max(1)
    }

    /// Ends the connection if no request is being answered on it, and says
    /// whether it did.
    pub(super) fn cut_if_idle(&self) -> bool {
        let closed =
            self.answering
                .compare_exchange(0, CLOSED, Ordering::AcqRel, Ordering::Acquire);
        if closed.is_ok() {
            self.cut.cancel();
        }
        closed.is_ok()
    }

    /// Ends the connection, whatever is going on.
    pub(super) fn cut(&self) {
        self.cut.cancel();
    }

    /// Nothing more is sent on the connection: the client sees its end.
    pub(super) fn half_close(&self) {
        self.half_closed.store(true, Ordering::Release);
    }

    /// Whether nothing more is to be sent.
    pub(super) fn is_half_closed(&self) -> bool {
        self.half_closed.load(Ordering::Acquire)
    }

    /// Resolves when the connection is to end at once.
    pub(super) async fn is_cut(&self) {
        self.cut.cancelled().await;
    }

    fn change(&self) {
        *self.lock() = Instant::now();
        self.moved.store(0, Ordering::Relaxed);
        self.changes.fetch_add(1, Ordering::Release);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered, body included.
#[derive(Debug)]
pub(super) struct Answering(Arc<Traffic>);

impl Drop for Answering {
    fn drop(&mut self) {
        let one_less = |count: usize| (count != CLOSED).then(|| count - 1);
        let _always_open =
            self.0
                .answering
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less);
        self.0.change();
    }
}

/// A body that waits for the client.
#[derive(Debug)]
pub(super) struct Waiting(Arc<Traffic>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_cut_and_one_that_answers_is_not() {
        let traffic = Traffic::new();
        let first = traffic.answer().unwrap();
        let second = traffic.answer().unwrap();
        drop(first);
        assert!(!traffic.cut_if_idle() && !traffic.cut.is_cancelled());
        drop(second);
        assert!(traffic.cut_if_idle() && traffic.cut.is_cancelled());
        assert!(traffic.answer().is_none(), "nothing is answered afterwards");
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_that_of_the_present_request() {
        let traffic = Traffic::new();
        traffic.moved(1 << 30);
        let _request = traffic.answer().unwrap();
        traffic.moved(5_000);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(traffic.rate(), 500);
    }
}
