//! Clients that push until the emulator is gone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use oci::Digest;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::client::{Client, Gone, manifest};
use super::ledger::Ledger;
use super::setting;

const PUSHERS: usize = 8;
/// Layers that several pushers push, again and again.
const SHARED: u64 = 6;

/// xorshift64*: the same seed gives the same numbers.
#[derive(Clone)]
pub(super) struct Random(u64);

impl Random {
    /// Seeded by `LONGSHORE_SEED`, or by the time.
    pub(super) fn new() -> Self {
        let now = jiff::Timestamp::now().as_microsecond().unsigned_abs();
        let seed = setting("LONGSHORE_SEED", now | 1);
        println!("LONGSHORE_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let words = self.below(most / 8);
        (0..=words)
            .flat_map(|_| self.next().to_le_bytes())
            .collect()
    }
}

/// One client that pushes images one after another until the emulator is gone.
struct Pusher {
    number: usize,
    round: u64,
    random: Random,
    client: Client,
    ledger: Arc<Mutex<Ledger>>,
    answers: Arc<Answers>,
}

/// Counts answers, and says when there have been enough.
struct Answers {
    count: AtomicUsize,
    fatal: usize,
    reached: Notify,
}

impl Answers {
    fn one(&self) {
        if self.count.fetch_add(1, Ordering::SeqCst) + 1 == self.fatal {
            self.reached.notify_one();
        }
    }
}

impl Pusher {
    async fn run(mut self) {
        for image in 0.. {
            if self.push(image).await.is_err() {
                return;
            }
        }
    }

    async fn push(&mut self, image: usize) -> Result<(), Gone> {
        let mut blobs = Vec::new();
        for _ in 0..2 + self.random.below(3) {
            let bytes = if self.random.below(4) == 0 {
                Random(self.random.below(SHARED) + 1).bytes(200_000)
            } else {
                self.random.bytes(300_000)
            };
            let size = bytes.len();
            blobs.push((self.blob(bytes).await?, size));
        }
        let name = format!("{}-{}-{image}", self.number, self.round);
        let document = manifest(&blobs, &name);
        let digest = Digest::of(document.as_bytes());
        self.tag(&name, &document).await?;
        self.tag(&format!("moving-{}", self.number), &document)
            .await?;
        if self.random.below(4) == 0 {
            self.ledger().deleted.insert(digest, false);
            self.client.delete_manifest(&digest).await?;
            self.ledger().deleted.insert(digest, true);
            self.answers.one();
        }
        Ok(())
    }

    async fn blob(&mut self, bytes: Vec<u8>) -> Result<Digest, Gone> {
        let digest = Digest::of(&bytes);
        let is_there = self.client.holds(&digest).await?;
        self.answers.one();
        if !is_there {
            let chunked = self.random.below(2) == 0;
            self.client.upload(bytes, chunked).await?;
            self.answers.one();
        }
        self.ledger().blobs.insert(digest);
        Ok(digest)
    }

    async fn tag(&mut self, tag: &str, document: &str) -> Result<(), Gone> {
        let digest = Digest::of(document.as_bytes());
        self.ledger().moving.insert(tag.to_owned(), digest);
        self.client.put_manifest(tag, document).await?;
        let mut ledger = self.ledger();
        ledger.moving.remove(tag);
        ledger.manifests.insert(digest, document.to_owned());
        ledger.tags.insert(tag.to_owned(), digest);
        drop(ledger);
        self.answers.one();
        Ok(())
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }
}

/// Lets all pushers push until `end`, at a random moment, takes the emulator away
/// from them. `round` makes their names unlike those of other rounds.
pub(super) async fn push_until(
    (round, random): (u64, &mut Random),
    client: &Client,
    ledger: Ledger,
    end: impl FnOnce(),
) -> Ledger {
    let answers = Arc::new(Answers {
        count: AtomicUsize::new(0),
        fatal: usize::try_from(1 + random.below(120)).unwrap(),
        reached: Notify::new(),
    });
    let ledger = Arc::new(Mutex::new(ledger));
    let mut pushers = JoinSet::new();
    for number in 0..PUSHERS {
        let pusher = Pusher {
            number,
            round,
            random: Random(random.next() | 1),
            client: client.clone(),
            ledger: ledger.clone(),
            answers: answers.clone(),
        };
        pushers.spawn(pusher.run());
    }
    tokio::select! {
        () = answers.reached.notified() => {}
        Some(ended) = pushers.join_next() => panic!("a pusher ended early: {ended:?}"),
    }
    // Not for anything to happen: the moment is to be any, not that of an answer.
    tokio::time::sleep(Duration::from_micros(random.below(4_000))).await;
    end();
    while let Some(ended) = pushers.join_next().await {
        ended.unwrap();
    }
    std::mem::take(&mut *ledger.lock().unwrap())
}
