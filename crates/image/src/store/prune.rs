//! The bound of a store.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fs_err as fs;

use super::record::Record;
use super::{LayerStore, UNFINISHED};
use crate::error::ImageError;

/// Who has not finished a file after a day was killed.
const UNFINISHED_FOR: Duration = Duration::from_hours(24);

impl LayerStore {
    /// Removes the layers that were unused for longest until the others fit the
    /// bound, and what killed processes have left behind. A layer that another
    /// process is about to use goes too: that process finds it missing, and packs
    /// it again.
    pub(super) fn prune(&self) -> Result<(), ImageError> {
        let mut used = self.files("records")?;
        // Newest first. What was written last tells the time.
        used.sort_by_key(|(_, modified, _)| std::cmp::Reverse(*modified));
        let Some((_, now, _)) = used.first().cloned() else {
            return Ok(());
        };
        let abandoned =
            |modified| now.duration_since(modified).unwrap_or_default() > UNFINISHED_FOR;
        let mut kept = BTreeSet::new();
        let mut dropped = BTreeSet::new();
        let mut bytes = 0;
        for (path, modified, name) in used {
            // Another process is writing it, or was killed when it did.
            if name.starts_with(UNFINISHED) {
                if abandoned(modified) {
                    remove(&path)?;
                }
                continue;
            }
            let record = read(&path);
            let fits = record.as_ref().is_some_and(|record| {
                bytes += record.blob.size;
                bytes <= self.limit
            });
            if !fits {
                remove(&path)?;
            }
            if let Some(record) = record {
                let blobs = if fits { &mut kept } else { &mut dropped };
                blobs.insert(record.blob.digest.hex());
            }
        }
        for (path, modified, name) in self.files("blobs")? {
            // A blob without a record may be new: its record comes next.
            if !kept.contains(&name) && (dropped.contains(&name) || abandoned(modified)) {
                remove(&path)?;
            }
        }
        Ok(())
    }

    fn files(&self, folder: &str) -> Result<Vec<(PathBuf, SystemTime, String)>, ImageError> {
        let mut files = Vec::new();
        for file in fs::read_dir(self.directory.join(folder))? {
            let file = file?;
            // Another process may have removed it meanwhile.
            if let Ok(modified) = file.metadata().and_then(|metadata| metadata.modified()) {
                let name = file.file_name().to_string_lossy().into_owned();
                files.push((file.path(), modified, name));
            }
        }
        Ok(files)
    }
}

fn remove(path: &Path) -> Result<(), ImageError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn read(path: &Path) -> Option<Record> {
    let bytes = fs::read(path).ok()?;
    serde_json::from_slice(&bytes).ok()
}
