//! The connections that are open, and who gives way to a new one.
//!
//! When all places are taken, the connection that has been idle for longest
//! ends: its client opens another, as HTTP clients do. Where none is idle, one
//! ends whose client hardly moves. Otherwise the new one waits.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::traffic::Traffic;

/// Connections at one time; more wait in the system's queue.
pub(super) const MOST: usize = 1_024;
/// How long a request may be slow before it can be made to give way.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes per second, below which a request is slow that waits for its client.
const SLOW: u64 = 1_024;
/// How often those are looked at again that did not give way.
const AGAIN: Duration = Duration::from_secs(1);
/// How long requests may take to end when the emulator stops.
const ENDING: Duration = Duration::from_secs(30);

/// All connections of a listener. Clones are handles to the same pool.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    places: Arc<Semaphore>,
    size: u32,
    open: Arc<Mutex<Open>>,
    closing: CancellationToken,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    connections: HashMap<u64, Arc<Traffic>>,
}

impl Pool {
    /// A pool with `size` places, at most [`MOST`] and at least one.
    pub(super) fn new(size: usize) -> Self {
        let size = u32::try_from(size.clamp(1, MOST)).unwrap_or(1);
        Self {
            places: Arc::new(Semaphore::new(size as usize)),
            size,
            open: Arc::default(),
            closing: CancellationToken::new(),
        }
    }

    /// A place for a new connection, at the cost of another if need be.
    pub(super) async fn place(&self) -> Place {
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
                break permit;
            }
            self.make_room();
            let waiting = Arc::clone(&self.places).acquire_owned();
            if let Ok(permit) = tokio::time::timeout(AGAIN, waiting).await {
                break permit.expect("the semaphore is never closed");
            }
        };
        let traffic = Traffic::new();
        let mut open = self.lock();
        let id = open.next;
        open.next += 1;
        open.connections.insert(id, Arc::clone(&traffic));
        drop(open);
        Place {
            id,
            pool: self.clone(),
            traffic,
            _permit: permit,
        }
    }

    fn make_room(&self) {
        let open = self.lock();
        let (busy, mut idle): (Vec<_>, Vec<_>) = open
            .connections
            .values()
            .partition(|traffic| traffic.is_answering());
        idle.sort_by_cached_key(|traffic| Reverse(traffic.lasting()));
        if idle.into_iter().any(|traffic| traffic.cut_if_idle()) {
            return;
        }
        let slowest = busy
            .into_iter()
            .filter(|traffic| traffic.is_waiting() && traffic.lasting() >= PATIENCE)
            .min_by_key(|traffic| traffic.rate());
        if let Some(slowest) = slowest.filter(|traffic| traffic.rate() < SLOW) {
            slowest.cut();
        }
    }

    /// Resolves when connections are to end after their present request.
    pub(super) async fn is_closing(&self) {
        self.closing.cancelled().await;
    }

    /// Ends what is idle, and waits for what is being answered.
    pub(super) async fn close(self) {
        self.closing.cancel();
        for traffic in self.lock().connections.values() {
            traffic.cut_if_idle();
        }
        let all = self.places.acquire_many(self.size);
        if tokio::time::timeout(ENDING, all).await.is_err() {
            tracing::warn!("requests that took too long were broken off");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    id: u64,
    pool: Pool,
    pub(super) traffic: Arc<Traffic>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pool.lock().connections.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection that ends when it is told to; resolves then.
    fn open(place: Place) -> tokio::task::JoinHandle<()> {
        tokio::spawn(async move { place.traffic.is_cut().await })
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_connection_gives_way_to_a_new_one() {
        let pool = Pool::new(2);
        let first = open(pool.place().await);
        tokio::time::advance(Duration::from_secs(1)).await;
        let second = open(pool.place().await);
        let began = tokio::time::Instant::now();
        let _third = pool.place().await;
        assert_eq!(began.elapsed(), Duration::ZERO, "nobody waited");
        first.await.unwrap();
        assert!(!second.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn busy_connections_stay_unless_their_client_hardly_moves() {
        let pool = Pool::new(3);
        let (slow, quick) = (pool.place().await, pool.place().await);
        let ours = pool.place().await;
        let _requests = [&slow, &quick, &ours].map(|place| place.traffic.answer().unwrap());
        let _waiting = [&slow, &quick].map(|place| place.traffic.wait());
        slow.traffic.moved(100);
        quick.traffic.moved(1 << 20);
        let [slow, quick, ours] = [slow, quick, ours].map(open);
        let began = tokio::time::Instant::now();
        let _fourth = pool.place().await;
        assert_eq!(began.elapsed(), PATIENCE, "a slow request has its time");
        slow.await.unwrap();
        assert!(!quick.is_finished());
        assert!(!ours.is_finished(), "what waits for us is not slow");
    }

    #[tokio::test(start_paused = true)]
    async fn closing_ends_idle_connections_and_waits_for_requests() {
        let pool = Pool::new(2);
        let idle = open(pool.place().await);
        let busy = pool.place().await;
        let request = busy.traffic.answer().unwrap();
        let closing = tokio::spawn(pool.close());
        idle.await.unwrap();
        assert!(!closing.is_finished());
        drop((request, busy));
        closing.await.unwrap();
    }
}
