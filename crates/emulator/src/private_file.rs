//! Small files that only their owner may read: keys and secrets.

use std::io::Write as _;
use std::path::Path;

use fs_err::os::unix::fs::OpenOptionsExt as _;

use crate::durable::sync_entries;

/// Writes the file so that a kill leaves either what was there or all of
/// `bytes`; when this returns they are on disk.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".new");
    let mut file = fs_err::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs_err::rename(partial, path)?;
    path.parent().map_or(Ok(()), sync_entries)
}
