//! Files that survive a power cut once they are in place.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fs_err as fs;

use crate::durable::sync_entries;

/// The directories in which blobs are, by the first two digits of their digest.
/// Each is made when the first blob comes: to make all of them would be most of a
/// start.
#[derive(Debug, Default)]
pub(super) struct Shards {
    /// Those that this process has put on disk.
    durable: Mutex<HashSet<PathBuf>>,
}

impl Shards {
    /// Moves a synced file to its final place, durably.
    pub(super) fn install(&self, from: &Path, to: &Path) -> io::Result<()> {
        let shard = to.parent().ok_or(io::ErrorKind::InvalidInput)?;
        if !self.lock().contains(shard) {
            fs::create_dir_all(shard)?;
            shard.parent().map_or(Ok(()), sync_entries)?;
            self.lock().insert(shard.to_owned());
        }
        fs::rename(from, to)?;
        sync_entries(shard)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes a file of which nobody was told. One that stays is garbage, so a
/// failure is only logged.
pub(super) fn remove_quietly(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "an upload could not be removed");
    }
}
