//! Files that survive a power cut once they are in place.

use std::io;
use std::path::Path;

use fs_err as fs;

use crate::durable::sync_entries;

/// Makes the directories in which blobs are, by the first two digits of their
/// digest, durably: all at once, so that no push has to wait for one.
pub(super) fn make_shards(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut is_new = false;
    for shard in 0..=u8::MAX {
        match fs::create_dir(directory.join(format!("{shard:02x}"))) {
            Ok(()) => is_new = true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    if is_new {
        sync_entries(directory)?;
    }
    Ok(())
}

/// Moves a synced file to its final place, in a directory that is durable,
/// durably.
pub(super) fn install(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    to.parent().map_or(Ok(()), sync_entries)
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
