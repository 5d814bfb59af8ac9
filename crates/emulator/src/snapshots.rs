//! Snapshots: what the whole state was, to go back to.
//!
//! `<data>/snapshots/<name>/` holds a copy of the records (`state.redb`), links to
//! the files of the trail (`trail/`), and the rest (`snapshot.json`). Blobs are
//! not copied: the collector of garbage spares what the records of a snapshot
//! name. A snapshot is made under a hidden name and renamed when it is whole, and
//! renamed to one before it is removed, so a kill leaves only hidden directories,
//! which go at the next start.

mod kept;
mod name;
mod restore;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fs_err as fs;
use oci::Digest;

use crate::clock::machine_time;
use crate::durable::sync_entries;
use crate::ecr;
use crate::emulator::EmulatorError;
use crate::state::State;
use crate::store::{Store, StoreError};
use kept::Kept;
pub(crate) use kept::Snapshot;
pub use name::{BadSnapshotName, SnapshotName};
pub(crate) use restore::{Reset, reset, restore, settle};

/// Where a snapshot is while it is made.
const DRAFT: &str = ".draft";
/// Where a snapshot is while it is removed.
const REMOVED: &str = ".removed";
const RECORDS: &str = "state.redb";
const TRAIL: &str = "trail";
const REST: &str = "snapshot.json";

/// The snapshots of a data directory.
#[derive(Debug)]
pub(crate) struct Snapshots {
    directory: PathBuf,
    /// Held by whoever makes, removes or restores one.
    changing: Mutex<()>,
}

/// Why nothing was done about a snapshot.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    /// There is none.
    #[error("there is no snapshot `{0}`")]
    Unknown(SnapshotName),
    /// There is one already.
    #[error("there is a snapshot `{0}` already: delete it first, or choose another name")]
    Taken(SnapshotName),
    /// The file of a blob was removed or cut by hand.
    #[error(
        "nothing was changed: the snapshot needs the blob {0}, and its file is not there, or damaged"
    )]
    BlobMissing(Digest),
    /// Records cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Files cannot be read or written.
    #[error("the snapshots cannot be used: {0}")]
    Disk(#[from] io::Error),
    /// The records are of another format, or the Terraform root has what AWS
    /// would refuse.
    #[error("nothing was changed: {0}")]
    State(#[from] EmulatorError),
    /// The records are those of the snapshot, and the trail is not yet.
    #[error(
        "the records were restored, and the trail was not: {0}; \
         the next start of the emulator restores it"
    )]
    Trail(io::Error),
}

impl Snapshots {
    /// Opens the snapshots below `data`, and removes what a kill left.
    pub(crate) fn open(data: &Path) -> io::Result<Self> {
        let directory = data.join("snapshots");
        fs::create_dir_all(&directory)?;
        for leftover in [DRAFT, REMOVED] {
            remove_all(&directory.join(leftover))?;
        }
        Ok(Self {
            directory,
            changing: Mutex::new(()),
        })
    }

    /// All snapshots, by name.
    pub(crate) fn list(&self) -> Result<Vec<Snapshot>, SnapshotError> {
        let _nothing_changes = self.lock();
        let names = self.names()?.into_iter();
        names.map(|name| Ok(self.read(&name)?.snapshot)).collect()
    }

    /// Removes a snapshot. What only it needed is garbage then.
    pub(crate) fn remove(&self, name: &SnapshotName) -> Result<(), SnapshotError> {
        let _one_at_a_time = self.lock();
        self.take_away(name)
    }

    /// The records of all snapshots. None may be made, restored or opened in the
    /// same way meanwhile.
    pub(crate) fn records(&self) -> Result<Vec<Store>, SnapshotError> {
        let names = self.names()?.into_iter();
        names.map(|name| self.open_records(&name)).collect()
    }

    fn open_records(&self, name: &SnapshotName) -> Result<Store, SnapshotError> {
        let path = self.place(name).join(RECORDS);
        // One that is missing would be made, and empty.
        fs::metadata(&path)?;
        Ok(Store::open(&path)?)
    }

    fn take_away(&self, name: &SnapshotName) -> Result<(), SnapshotError> {
        let removed = self.directory.join(REMOVED);
        remove_all(&removed)?;
        match fs::rename(self.place(name), &removed) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SnapshotError::Unknown(name.clone()));
            }
            renamed => renamed?,
        }
        sync_entries(&self.directory)?;
        Ok(remove_all(&removed)?)
    }

    fn names(&self) -> io::Result<Vec<SnapshotName>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            names.extend(SnapshotName::try_from(name));
        }
        names.sort();
        Ok(names)
    }

    fn place(&self, name: &SnapshotName) -> PathBuf {
        self.directory.join(name.to_string())
    }

    fn read(&self, name: &SnapshotName) -> Result<Kept, SnapshotError> {
        match fs::read(self.place(name).join(REST)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).map_err(io::Error::from)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(SnapshotError::Unknown(name.clone()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a snapshot of the state, while requests go on. Blocks.
pub(crate) fn create(state: &State, name: &SnapshotName) -> Result<Snapshot, SnapshotError> {
    let snapshots = &state.snapshots;
    let _one_at_a_time = snapshots.lock();
    if snapshots.place(name).exists() {
        return Err(SnapshotError::Taken(name.clone()));
    }
    // Until the snapshot is there, nothing says that its blobs are needed.
    let _nothing_is_removed = state.collector.hold();
    let draft = snapshots.directory.join(DRAFT);
    remove_all(&draft)?;
    fs::create_dir(&draft)?;
    let made = fill(state, name, &draft).and_then(|snapshot| {
        fs::rename(&draft, snapshots.place(name))?;
        sync_entries(&snapshots.directory)?;
        Ok(snapshot)
    });
    if made.is_err() {
        // What stays goes at the next start.
        let _ = remove_all(&draft);
    }
    made
}

/// Writes all of a snapshot into `draft`, durably.
fn fill(state: &State, name: &SnapshotName, draft: &Path) -> Result<Snapshot, SnapshotError> {
    let (clock_offset, faults) = (state.clock.offset(), state.faults.saved());
    let records = state.store.copy_to(&draft.join(RECORDS))?;
    let trail = state.trail.keep_in(draft.join(TRAIL))?;
    let tally = ecr::tally(&records)?;
    let kept = Kept {
        snapshot: Snapshot {
            name: name.clone(),
            created: machine_time(),
            offset_seconds: clock_offset,
            repositories: tally.repositories,
            images: tally.images,
            blobs: tally.blobs.len() as u64,
            bytes: tally.blobs.values().sum(),
        },
        faults,
        trail,
    };
    let mut file = fs::File::create_new(draft.join(REST))?;
    serde_json::to_writer_pretty(&mut file, &kept).map_err(io::Error::from)?;
    file.sync_all()?;
    sync_entries(draft)?;
    Ok(kept.snapshot)
}

/// Removes a directory with all that is in it; there need not be one.
fn remove_all(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
