//! Space on the disk that blobs leave to records: on a disk that blobs have
//! filled, images can still be deleted and garbage be collected.

use std::io;
use std::path::Path;

/// What blobs leave free, in bytes.
const RESERVE: u64 = 16 << 20;

/// Refuses to store more where only the reserve is left.
pub(super) fn check(directory: &Path) -> io::Result<()> {
    let disk = rustix::fs::statvfs(directory)?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) >= RESERVE {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::StorageFull,
        format!("{} MiB are left, which are kept for records", RESERVE >> 20),
    ))
}
