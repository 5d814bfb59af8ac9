//! Layers that were packed before, by what they were made of.
//!
//! `blobs/` holds compressed layers by digest, `records/` what each was made
//! from. A layer whose files have not changed is not read; one whose files have
//! only moved or been checked out anew is read and hashed, and not compressed;
//! every other one is packed in one pass. Blobs and records get their names when
//! they are complete: a kill leaves a nameless file at most, and two processes
//! that pack the same layer write the same bytes. No lock is needed. What the
//! store holds can always be made again, so nothing is written through to disk.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fs_err as fs;
use oci::{Descriptor, Digest};
use tempfile::NamedTempFile;

use crate::blocks::Blocks;
use crate::compatibility::COMPATIBILITY;
use crate::compression::Compression;
use crate::entry::Entry;
use crate::error::ImageError;
use crate::layout::{hash_file, place_blob};
use crate::tarball;
use crate::workers::Workers;

mod fingerprint;
mod prune;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use fingerprint::Fingerprint;
use record::{Record, Seal};

/// What a store may hold before the layers unused for longest are removed.
const LIMIT: u64 = 4 << 30;
/// How a file that is being written is called until it is complete.
pub(crate) const UNFINISHED: &str = ".unfinished-";

/// A directory of packed layers.
#[derive(Debug)]
pub struct LayerStore {
    directory: PathBuf,
    limit: u64,
    /// Which boot of the machine this is, where it says so.
    boot: Option<String>,
    records: Mutex<Vec<Record>>,
    /// Whether a layer came into the store since it was opened.
    grown: AtomicBool,
}

/// A layer in the store.
#[derive(Debug, Clone)]
pub struct StoredLayer {
    /// The compressed layer.
    pub descriptor: Descriptor,
    /// The digest of the tar, as the image configuration lists it.
    pub diff_id: Digest,
    /// Bytes of the tar.
    pub unpacked: u64,
    /// The compressed layer's file.
    pub blob: PathBuf,
    /// Whether it was there already, and was not compressed again.
    pub reused: bool,
}

/// How a layer is packed, and where its blob goes besides the store.
pub(crate) struct Packing<'a> {
    pub(crate) compression: Compression,
    pub(crate) workers: &'a Workers,
    /// The directory of a layout's blobs.
    pub(crate) place: &'a Path,
}

impl LayerStore {
    /// The store at `directory`, which is created where it is missing. It holds
    /// up to 4 GiB.
    pub fn open(directory: &Path) -> Result<Self, ImageError> {
        fs::create_dir_all(directory.join("blobs"))?;
        fs::create_dir_all(directory.join("records"))?;
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let store = Self {
            directory: directory.to_owned(),
            limit: LIMIT,
            boot: boot.map(|boot| boot.trim().to_owned()),
            records: Mutex::default(),
            grown: AtomicBool::new(false),
        };
        *store.records() = store.read_records()?;
        Ok(store)
    }

    /// The same store with another bound, in bytes.
    #[must_use]
    pub fn with_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// The digest of the tar of `entries`, which are in order: from memory, or by
    /// reading them.
    pub(crate) fn diff_id(&self, entries: &[Entry]) -> Result<Digest, ImageError> {
        let fingerprint = Fingerprint::of(entries)?;
        match self.find(|record| record.seen.contains(&fingerprint.seen)) {
            Some(record) => Ok(record.diff_id),
            None => hash_only(entries, &fingerprint),
        }
    }

    /// The layer of `entries`, which are in order, from the store or packed; its
    /// blob is also put to `place` under its digest.
    pub(crate) fn layer(
        &self,
        entries: &[Entry],
        fingerprint: &Fingerprint,
        packing: &Packing<'_>,
    ) -> Result<StoredLayer, ImageError> {
        let fits = |record: &Record| record.compression == packing.compression;
        let seen = self.find(|record| fits(record) && record.seen.contains(&fingerprint.seen));
        if let Some(record) = seen
            && let Some(layer) = self.reuse(record, fingerprint, packing.place)?
        {
            return Ok(layer);
        }
        let alike = self.find(|record| fits(record) && record.shape == fingerprint.shape);
        if alike.is_some() {
            let diff_id = hash_only(entries, fingerprint)?;
            let same = self.find(|record| fits(record) && record.diff_id == diff_id);
            if let Some(record) = same
                && let Some(layer) = self.reuse(record, fingerprint, packing.place)?
            {
                return Ok(layer);
            }
        }
        self.pack(entries, fingerprint, packing)
    }

    fn pack(
        &self,
        entries: &[Entry],
        fingerprint: &Fingerprint,
        packing: &Packing<'_>,
    ) -> Result<StoredLayer, ImageError> {
        let output = self.unfinished("blobs")?;
        let mut stream = packing.workers.stream(packing.compression, output);
        let mut take = |block| stream.take(block);
        let mut blocks = Blocks::new(&mut take);
        tarball::write(entries, &mut blocks)?;
        let (diff_id, unpacked) = blocks.finish()?;
        let (digest, size, output) = stream.finish()?;
        fingerprint.still_holds()?;

        // First to its place, then into the store: there it may be removed by
        // another process, whose bound is smaller, before we look again.
        let placed = packing.place.join(digest.hex());
        place_blob(output.path(), &placed)?;
        let now = output.as_file().metadata()?.mtime();
        output
            .persist(self.blob(&digest))
            .map_err(|error| error.error)?;
        let media_type = packing.compression.media_type();
        let mut record = Record {
            compatibility: COMPATIBILITY,
            compression: packing.compression,
            diff_id,
            unpacked,
            blob: Descriptor::new(media_type, digest, size),
            shape: fingerprint.shape,
            seen: Vec::new(),
            seal: Seal::of(&placed, self.boot.as_deref())?,
        };
        record.remember(fingerprint.seen, fingerprint.newest, now);
        self.write(&record)?;
        self.grown.store(true, Ordering::Relaxed);
        Ok(self.stored(&record, false))
    }

    /// The layer of a record, once its blob is known to be whole and lies at
    /// `place` too. A blob that is gone or damaged is none.
    fn reuse(
        &self,
        mut record: Record,
        fingerprint: &Fingerprint,
        place: &Path,
    ) -> Result<Option<StoredLayer>, ImageError> {
        let Descriptor { digest, size, .. } = record.blob;
        let placed = place.join(digest.hex());
        match place_blob(&self.blob(&digest), &placed) {
            Err(ImageError::Io(error)) if error.kind() == ErrorKind::NotFound => return Ok(None),
            done => done?,
        }
        let seal = Seal::of(&placed, self.boot.as_deref())?;
        if (seal.is_none() || seal != record.seal) && hash_file(&placed)? != (digest, size) {
            fs::remove_file(&placed)?;
            return Ok(None);
        }
        record.seal = seal;
        let file = self.unfinished("records")?;
        record.remember(
            fingerprint.seen,
            fingerprint.newest,
            file.as_file().metadata()?.mtime(),
        );
        // Written each time: its own time tells when the layer was used last.
        self.write_to(file, &record)?;
        Ok(Some(self.stored(&record, true)))
    }

    /// Keeps the bound, where something has been added.
    pub(crate) fn tidy(&self) -> Result<(), ImageError> {
        if self.grown.swap(false, Ordering::Relaxed) {
            self.prune()?;
        }
        Ok(())
    }

    fn stored(&self, record: &Record, reused: bool) -> StoredLayer {
        StoredLayer {
            descriptor: record.blob.clone(),
            diff_id: record.diff_id,
            unpacked: record.unpacked,
            blob: self.blob(&record.blob.digest),
            reused,
        }
    }

    fn find(&self, wanted: impl Fn(&Record) -> bool) -> Option<Record> {
        self.records().iter().find(|record| wanted(record)).cloned()
    }

    fn records(&self) -> MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records of this compatibility that can be read; a crash of the machine
    /// can leave others.
    fn read_records(&self) -> Result<Vec<Record>, ImageError> {
        let mut records = Vec::new();
        for file in fs::read_dir(self.directory.join("records"))? {
            let Ok(bytes) = fs::read(file?.path()) else {
                continue;
            };
            match serde_json::from_slice::<Record>(&bytes) {
                Ok(record) if record.compatibility == COMPATIBILITY => records.push(record),
                _ => {}
            }
        }
        Ok(records)
    }

    fn write(&self, record: &Record) -> Result<(), ImageError> {
        self.write_to(self.unfinished("records")?, record)
    }

    fn write_to(&self, mut file: NamedTempFile, record: &Record) -> Result<(), ImageError> {
        let json = serde_json::to_vec(record).map_err(std::io::Error::other)?;
        file.write_all(&json)?;
        let name = record.name();
        let path = self.directory.join("records").join(&name);
        file.persist(path).map_err(|error| error.error)?;
        let mut records = self.records();
        records.retain(|other| other.name() != name);
        records.push(record.clone());
        Ok(())
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        self.directory.join("blobs").join(digest.hex())
    }

    /// A file that goes away unless it gets a name. Read-only for everybody once
    /// it is written: layouts are links to it.
    fn unfinished(&self, folder: &str) -> Result<NamedTempFile, ImageError> {
        Ok(tempfile::Builder::new()
            .prefix(UNFINISHED)
            .permissions(std::fs::Permissions::from_mode(0o444))
            .tempfile_in(self.directory.join(folder))?)
    }
}

/// Reads everything and compresses nothing.
fn hash_only(entries: &[Entry], fingerprint: &Fingerprint) -> Result<Digest, ImageError> {
    let mut take = Ok;
    let mut blocks = Blocks::new(&mut take);
    tarball::write(entries, &mut blocks)?;
    fingerprint.still_holds()?;
    Ok(blocks.finish()?.0)
}
