//! Answers that are remembered below the checkout, with what they depend on.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use fs_err as fs;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::BuildError;

/// What tells a file from what it was before, without reading it; links are
/// followed. A file that is not there has one too.
pub(crate) fn signature(path: &Path) -> String {
    match fs::metadata(path) {
        Ok(metadata) => format!(
            "{}:{}:{}:{}.{}",
            metadata.dev(),
            metadata.ino(),
            metadata.len(),
            metadata.mtime(),
            metadata.mtime_nsec()
        ),
        Err(_) => "absent".to_owned(),
    }
}

/// What was remembered in `file`; nothing where that is gone, damaged or of
/// another version.
pub(crate) fn recall<T: DeserializeOwned>(file: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

/// Remembers `value` in `file`: all of it or nothing, whenever the process ends.
pub(crate) fn remember(file: &Path, value: &impl Serialize) -> Result<(), BuildError> {
    let directory = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let written = tempfile::NamedTempFile::new_in(directory)?;
    serde_json::to_writer(written.as_file(), value).map_err(std::io::Error::other)?;
    written.persist(file).map_err(|error| error.error)?;
    Ok(())
}
