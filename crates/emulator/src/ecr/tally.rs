//! How much there is in all registries.

use std::collections::BTreeMap;

use oci::Digest;

use super::records::{BLOBS, IMAGE_COUNTS, REPOSITORIES, blob_of};
use crate::store::{Store, StoreError, View as _};

/// Records that are looked at together.
const BATCH: usize = 1_000;

/// What all registries hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) repositories: u64,
    pub(crate) images: u64,
    /// Layers and configurations, each once, with their sizes in bytes.
    pub(crate) blobs: BTreeMap<Digest, u64>,
}

/// Counts what `store` holds.
pub(crate) fn tally(store: &Store) -> Result<Tally, StoreError> {
    store.read(|reader| {
        let mut tally = Tally::default();
        let mut after = String::new();
        loop {
            let blobs = reader.page(&BLOBS, "", &after, BATCH)?;
            let Some((last, _)) = blobs.last() else { break };
            after.clone_from(last);
            for (key, blob) in &blobs {
                if let Some(digest) = blob_of(key).and_then(|(_, digest)| digest.parse().ok()) {
                    tally.blobs.insert(digest, blob.size);
                }
            }
        }
        tally.repositories = reader.list(&REPOSITORIES, "")?.len() as u64;
        let counts = reader.list(&IMAGE_COUNTS, "")?;
        tally.images = counts.iter().map(|(_, count)| count).sum();
        Ok(tally)
    })
}
