//! Garbage: what nothing refers to any more is collected while pushes go on.
//!
//! The protocol, by which nothing goes that a push is about to refer to:
//!
//! 1. Whoever is told that a repository holds a blob (its upload has ended, or
//!    it was found by `HEAD` or `BatchCheckLayerAvailability`) may refer to it for
//!    [`GRACE`], less an hour, by the emulator's clock: the promise is written
//!    with the blob's record before the answer.
//! 2. A record of a blob goes in a change that sees that no image of its
//!    repository refers to it and that the promise is over. Changes run one after
//!    another, and a manifest is accepted by a change that sees the records of all
//!    its blobs: either the manifest comes first, and the record stays, or the
//!    record goes first, and the manifest is refused.
//! 3. A file goes when no record of any repository names it, in the state and in
//!    every snapshot: none is made or restored meanwhile. It is looked at and
//!    removed while nobody can pin its digest; who puts a file in its place pins
//!    the digest before and lets go after the record is on disk (`blobs::pins`).
//!
//! A kill at any point leaves at worst a file without a record, or an upload
//! without a session. Nobody was told of either, so both go at the next
//! collection. Manifests need none of this: they are written and removed with
//! the records of their images.
//!
//! That ECR removes layers which no image has is documented ("Unassociated image
//! layers may be cleaned up at any time", `LayerInaccessibleException`); when it
//! does is inferred.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use serde::Serialize;

use crate::blobs::BlobError;
use crate::ecr;
use crate::snapshots::SnapshotError;
use crate::state::State;
use crate::store::StoreError;

/// How long a blob is kept for those who were told that it is there.
pub(crate) const GRACE: SignedDuration = SignedDuration::from_hours(24);
/// How often garbage is collected, by the machine's clock.
const INTERVAL: Duration = Duration::from_hours(1);

/// What a collection has removed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Collected {
    /// Blobs that a repository held and no image of it had.
    pub(crate) blobs: u64,
    /// Files of blobs that no repository holds.
    pub(crate) files: u64,
    /// The size of these files.
    pub(crate) bytes: u64,
    /// Uploads that were given up, and what a kill left of others.
    pub(crate) uploads: u64,
}

/// Why a collection did not come to its end. What it has removed is gone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CollectionError {
    #[error("garbage was not collected: {0}")]
    Store(#[from] StoreError),
    #[error("garbage was not collected: {0}")]
    Blobs(#[from] BlobError),
    #[error("garbage was not collected: {0}")]
    Snapshots(#[from] SnapshotError),
}

/// Lets one collection run at a time.
#[derive(Debug, Default)]
pub(crate) struct Collector(Mutex<()>);

impl Collector {
    /// Holds collections up until the returned value is dropped. Blocks until
    /// none is under way.
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects garbage now. Blocks.
pub(crate) fn collect(state: &State) -> Result<Collected, CollectionError> {
    let _one_at_a_time = state.collector.hold();
    let snapshots = state.snapshots.records()?;
    let now = state.clock.now();
    let uploads = state.blobs.give_up(now)?;
    let blobs = ecr::forget_blobs(&state.store, now)?;
    let mut collected = Collected {
        blobs,
        uploads,
        ..Collected::default()
    };
    state.blobs.each_blob(|digest| {
        let removed = state.blobs.remove_unless(&digest, || {
            for store in std::iter::once(&state.store).chain(&snapshots) {
                if ecr::is_held(store, &digest)? {
                    return Ok(true);
                }
            }
            Ok::<_, CollectionError>(false)
        })?;
        if let Some(size) = removed {
            collected.files += 1;
            collected.bytes += size;
        }
        Ok::<_, CollectionError>(())
    })?;
    Ok(collected)
}

/// Collects garbage at the start and then from time to time, until it is
/// dropped.
pub(crate) async fn collect_forever(state: Arc<State>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        ticks.tick().await;
        let state = Arc::clone(&state);
        match tokio::task::spawn_blocking(move || collect(&state)).await {
            Ok(Ok(collected)) if collected == Collected::default() => {}
            Ok(Ok(collected)) => tracing::info!(?collected, "garbage was collected"),
            Ok(Err(error)) => tracing::error!(%error, "garbage stays"),
            Err(error) => tracing::error!(%error, "garbage stays"),
        }
    }
}
