//! In which repositories of a registry blobs are known to be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oci::{Digest, RepositoryName};
use tokio::sync::OwnedMutexGuard;

/// A repository for each blob that was seen. What has gone since is no harm: a registry
/// that cannot mount a blob has it uploaded.
#[derive(Default)]
pub(crate) struct Homes {
    seen: Mutex<HashMap<Digest, RepositoryName>>,
    turns: Mutex<HashMap<Digest, Arc<tokio::sync::Mutex<()>>>>,
}

/// Of all that push a blob to a registry which lacks it, the one that uploads it.
pub(crate) type Turn = OwnedMutexGuard<()>;

impl Homes {
    /// The repository that was seen to have the blob first.
    pub(crate) fn of(&self, blob: &Digest) -> Option<RepositoryName> {
        locked(&self.seen).get(blob).cloned()
    }

    /// Remembers that the repository has the blob.
    pub(crate) fn note(&self, blob: Digest, repository: &RepositoryName) {
        let mut seen = locked(&self.seen);
        seen.entry(blob).or_insert_with(|| repository.clone());
    }

    /// Waits until the blob is in a repository, which is no turn, or nobody is uploading it.
    pub(crate) async fn turn(&self, blob: Digest) -> Option<Turn> {
        let turn = Arc::clone(locked(&self.turns).entry(blob).or_default());
        let turn = turn.lock_owned().await;
        self.of(&blob).is_none().then_some(turn)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
