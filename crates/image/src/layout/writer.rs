//! A layout written beside its place, and moved there when it is complete.
//!
//! A layout is a cache: its source is there to make it again, and who publishes
//! it hashes every byte first. So nothing is written through to the disk, and
//! what must survive a kill is only that a layout is there whole or not at all.
//! Blobs are links to the layer store's: a layout of a gigabyte costs a few
//! directory entries.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err as fs;
use oci::{Descriptor, Digest, Index, annotation, media_type};
use serde::Serialize;
use tempfile::TempDir;

use super::{INDEX, Layout, MARKER, MARKER_CONTENT, UNSEEN};
use crate::error::ImageError;

/// How a layout is called until it is complete.
const UNFINISHED: &str = ".layout-";
/// Who has not finished a layout after a day was killed.
const UNFINISHED_FOR: Duration = Duration::from_hours(24);

/// How often a place is taken from others who write there at the same time.
const TRIES: usize = 16;

pub(crate) struct LayoutWriter {
    target: PathBuf,
    parent: PathBuf,
    working: TempDir,
    absent: BTreeSet<Digest>,
}

impl LayoutWriter {
    /// Refuses a place that holds anything but a layout or nothing.
    pub(crate) fn create(target: &Path) -> Result<Self, ImageError> {
        let occupied = target.is_file()
            || (target.is_dir()
                && !target.join(MARKER).is_file()
                && fs::read_dir(target)?.next().is_some());
        if occupied {
            return Err(ImageError::NotALayout(target.to_owned()));
        }
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent)?;
        let working = unfinished(parent)?;
        remove_abandoned(parent, working.path())?;
        let writer = Self {
            target: target.to_owned(),
            parent: parent.to_owned(),
            working,
            absent: BTreeSet::new(),
        };
        fs::create_dir_all(writer.blobs())?;
        Ok(writer)
    }

    /// The directory of the blobs.
    pub(crate) fn blobs(&self) -> PathBuf {
        self.working.path().join("blobs/sha256")
    }

    /// Adds a blob that is a file elsewhere, or marks it as left out where it is
    /// not.
    pub(crate) fn add_blob(
        &mut self,
        digest: &Digest,
        file: Option<&Path>,
    ) -> Result<(), ImageError> {
        let place = self.blobs().join(digest.hex());
        match file.filter(|file| file.is_file()) {
            Some(file) => place_blob(file, &place)?,
            None if place.is_file() => {}
            None => {
                self.absent.insert(*digest);
            }
        }
        Ok(())
    }

    /// Adds a JSON document.
    pub(crate) fn add_document(
        &self,
        media_type: &str,
        document: &impl Serialize,
    ) -> Result<Descriptor, ImageError> {
        let bytes = serde_json::to_vec(document).map_err(io::Error::other)?;
        self.add_bytes(&bytes)?;
        Ok(Descriptor::of(media_type, &bytes))
    }

    /// Adds a blob that is in memory.
    pub(crate) fn add_bytes(&self, bytes: &[u8]) -> Result<Digest, ImageError> {
        let digest = Digest::of(bytes);
        fs::write(self.blobs().join(digest.hex()), bytes)?;
        Ok(digest)
    }

    /// Lists the image in the index and puts the layout in its place.
    pub(crate) fn finish(self, descriptor: Descriptor) -> Result<Layout, ImageError> {
        let index = index_of(descriptor, &self.absent);
        let index = serde_json::to_vec(&index).map_err(io::Error::other)?;
        fs::write(self.working.path().join(INDEX), index)?;
        fs::write(self.working.path().join(MARKER), MARKER_CONTENT)?;
        // A layout in a checkout is no change of the source.
        fs::write(self.working.path().join(UNSEEN.0), UNSEEN.1)?;
        // An earlier layout steps aside first: for a moment there is none, and
        // never half of one.
        let mut tries = 0;
        loop {
            let former = unfinished(&self.parent)?;
            match fs::rename(&self.target, former.path().join("layout")) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
            tries += 1;
            match fs::rename(self.working.path(), &self.target) {
                Ok(()) => break,
                // Somebody else was faster between the two.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty && tries < TRIES => {
                }
                Err(error) => return Err(error.into()),
            }
        }
        // The directory has moved away; there is nothing left to remove.
        let _ = self.working.keep();
        Layout::open(&self.target)
    }
}

/// The `index.json` of a layout of one image that leaves out `absent`.
pub(crate) fn index_of(descriptor: Descriptor, absent: &BTreeSet<Digest>) -> Index {
    let absent: Vec<_> = absent.iter().map(Digest::to_string).collect();
    let mut annotations = BTreeMap::new();
    if !absent.is_empty() {
        annotations.insert(annotation::ABSENT.to_owned(), absent.join(" "));
    }
    Index {
        schema_version: 2,
        media_type: Some(media_type::INDEX.to_owned()),
        manifests: vec![descriptor],
        subject: None,
        annotations,
    }
}

fn unfinished(parent: &Path) -> Result<TempDir, ImageError> {
    Ok(tempfile::Builder::new()
        .prefix(UNFINISHED)
        .permissions(std::fs::Permissions::from_mode(0o755))
        .tempdir_in(parent)?)
}

/// Removes what killed processes have left, by the time of `now`, which is new.
fn remove_abandoned(parent: &Path, now: &Path) -> Result<(), ImageError> {
    let now = fs::metadata(now)?.modified()?;
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let ours = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        let age = |metadata: std::fs::Metadata| {
            let modified = metadata.modified().unwrap_or(now);
            now.duration_since(modified).unwrap_or_default()
        };
        if ours
            && entry
                .metadata()
                .is_ok_and(|metadata| age(metadata) > UNFINISHED_FOR)
        {
            // Somebody else may be removing it too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// Makes `place` the same file as `blob`: a link, or a copy where the two are on
/// different file systems or links are not allowed. A blob that is there already
/// has the same name, and so the same bytes.
pub(crate) fn place_blob(blob: &Path, place: &Path) -> Result<(), ImageError> {
    match fs::hard_link(blob, place) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error.into()),
        Err(_) => {
            fs::copy(blob, place)?;
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
