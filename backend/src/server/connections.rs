//! Which connections are open, and which of them wait for a request: when there is
//! no room for another one, the one that has waited longest is closed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How often room is made again while none has become free.
const PATIENCE: Duration = Duration::from_millis(50);

/// All connections of a listener.
#[derive(Debug)]
pub struct Connections {
    limit: u32,
    room: Arc<Semaphore>,
    waiting: Mutex<Queue>,
}

/// Those without a request, in the order in which they began to wait.
#[derive(Debug, Default)]
struct Queue {
    next: u64,
    by_place: BTreeMap<u64, Arc<Notify>>,
}

impl Connections {
    /// Room for `limit` connections.
    pub fn new(limit: usize) -> Arc<Self> {
        let limit = u32::try_from(limit.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Arc::new(Self {
            limit,
            room: Arc::new(Semaphore::new(limit as usize)),
            waiting: Mutex::default(),
        })
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.limit as usize - self.room.available_permits()
    }

    /// How many of them wait for a request.
    pub fn idle(&self) -> usize {
        self.queue().by_place.len()
    }

    /// Waits for room for another one, and makes it where connections are idle.
    pub(super) async fn admit(&self) -> OwnedSemaphorePermit {
        loop {
            if self.room.available_permits() == 0 {
                self.close_longest_idle();
            }
            let room = self.room.clone().acquire_owned();
            if let Ok(Ok(permit)) = tokio::time::timeout(PATIENCE, room).await {
                return permit;
            }
        }
    }

    /// Waits until all are closed.
    pub(super) async fn all_closed(&self) {
        // The semaphore is never closed.
        let _ = self.room.acquire_many(self.limit).await;
    }

    pub(super) fn close_longest_idle(&self) {
        if let Some((_, close)) = self.queue().by_place.pop_first() {
            close.notify_one();
        }
    }

    /// Takes a connection into the queue, at whose end it may be told to close.
    pub(super) fn begin_waiting(&self, close: &Arc<Notify>) -> u64 {
        let mut queue = self.queue();
        let place = queue.next;
        queue.next += 1;
        queue.by_place.insert(place, close.clone());
        place
    }

    pub(super) fn end_waiting(&self, place: u64) {
        self.queue().by_place.remove(&place);
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        // Every change of the queue is one call: none is left half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
