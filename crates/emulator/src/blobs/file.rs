//! Files that survive a power cut once they are in place.

use std::io::{self, Write as _};
use std::path::Path;

use fs_err as fs;

/// Writes and syncs a new file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Moves a synced file to its final place, durably.
pub(super) fn install(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(directory) = to.parent() {
        let new = !directory.exists();
        fs::create_dir_all(directory)?;
        fs::rename(from, to)?;
        sync_directory(directory)?;
        if let (true, Some(above)) = (new, directory.parent()) {
            sync_directory(above)?;
        }
    }
    Ok(())
}

/// Makes the entries of a directory durable.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

/// Removes a file of which nobody was told. One that stays is removed at the
/// next start, so a failure is only logged.
pub(super) fn remove_quietly(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "an upload could not be removed");
    }
}
