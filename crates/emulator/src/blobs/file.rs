//! Files that survive a power cut once they are in place.

use std::io;
use std::path::Path;

use fs_err as fs;

/// Moves a synced file to its final place, durably.
pub(super) fn install(from: &Path, to: &Path) -> io::Result<()> {
    let Some(directory) = to.parent() else {
        return fs::rename(from, to);
    };
    if let Err(error) = fs::rename(from, to) {
        if error.kind() != io::ErrorKind::NotFound {
            return Err(error);
        }
        // The first blob that begins with these digits.
        fs::create_dir_all(directory)?;
        if let Some(above) = directory.parent() {
            sync_directory(above)?;
        }
        fs::rename(from, to)?;
    }
    sync_directory(directory)
}

/// Makes the entries of a directory durable.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
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
