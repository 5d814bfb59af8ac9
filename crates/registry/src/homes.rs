//! In which repositories of a registry blobs are known to be.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use oci::{Digest, RepositoryName};

/// A repository for each blob that was seen. What has gone since is no harm: a registry
/// that cannot mount a blob has it uploaded.
#[derive(Default)]
pub(crate) struct Homes(Mutex<HashMap<Digest, RepositoryName>>);

impl Homes {
    /// The repository that was seen to have the blob first.
    pub(crate) fn of(&self, blob: &Digest) -> Option<RepositoryName> {
        let homes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        homes.get(blob).cloned()
    }

    /// Remembers that the repository has the blob.
    pub(crate) fn note(&self, blob: Digest, repository: &RepositoryName) {
        let mut homes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        homes.entry(blob).or_insert_with(|| repository.clone());
    }
}
