//! Directories that survive a power cut.

use std::io;
use std::path::Path;

/// Makes a directory and those above it, durably.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    let new: Vec<&Path> = path.ancestors().take_while(|path| !path.exists()).collect();
    fs_err::create_dir_all(&path)?;
    let mut above = new.into_iter().filter_map(Path::parent);
    above.try_for_each(sync_entries)
}

/// Makes the entries of a directory durable.
pub(crate) fn sync_entries(directory: &Path) -> io::Result<()> {
    fs_err::File::open(directory)?.sync_all()
}
