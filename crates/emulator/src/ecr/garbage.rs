//! Blobs that no image of their repository has (see `crate::garbage`).

use jiff::Timestamp;
use oci::Digest;

use super::records::{
    BLOBS, Blob, HOLDERS, REFERENCES, blob_of, holder_key, holders_prefix, uses_prefix,
};
use crate::garbage::GRACE;
use crate::store::{Store, StoreError, View};

/// Records that are looked at together.
const BATCH: usize = 1_000;

/// Forgets the blobs that nobody refers to and of which nobody was told for the
/// time of grace. Returns how many.
pub(crate) fn forget_blobs(store: &Store, now: Timestamp) -> Result<u64, StoreError> {
    let (mut forgotten, mut after) = (0, String::new());
    loop {
        let blobs = store.read::<_, StoreError>(|reader| reader.page(&BLOBS, "", &after, BATCH))?;
        let Some((last, _)) = blobs.last() else {
            return Ok(forgotten);
        };
        after.clone_from(last);
        let old = blobs.iter().filter(|(_, blob)| is_over(blob, now));
        let mut garbage = Vec::new();
        for (key, _) in old {
            if store.read::<_, StoreError>(|reader| is_unused(reader, key))? {
                garbage.push(key);
            }
        }
        if !garbage.is_empty() {
            forgotten += forget(store, &garbage, now)?;
        }
    }
}

/// Forgets those of `keys` that still are garbage.
fn forget(store: &Store, keys: &[&String], now: Timestamp) -> Result<u64, StoreError> {
    store.write(|writer| {
        let mut forgotten = 0;
        for key in keys {
            let blob = writer.get(&BLOBS, key)?;
            if blob.is_some_and(|blob| is_over(&blob, now)) && is_unused(writer, key)? {
                if let Some((repository, digest)) = blob_of(key) {
                    writer.remove(&HOLDERS, &holder_key(digest, repository))?;
                }
                writer.remove(&BLOBS, key)?;
                forgotten += 1;
            }
        }
        Ok(forgotten)
    })
}

fn is_over(blob: &Blob, now: Timestamp) -> bool {
    now.duration_since(blob.promised) > GRACE
}

fn is_unused(view: &impl View, blob: &str) -> Result<bool, StoreError> {
    let uses = view.page(&REFERENCES, &uses_prefix(blob), "", 1)?;
    Ok(uses.is_empty())
}

/// Whether any repository holds the blob.
pub(crate) fn is_held(store: &Store, digest: &Digest) -> Result<bool, StoreError> {
    store.read(|reader| {
        let holders = reader.page(&HOLDERS, &holders_prefix(digest), "", 1)?;
        Ok(!holders.is_empty())
    })
}
