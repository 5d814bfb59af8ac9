//! What is written down of a snapshot, beside its records.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::SnapshotName;
use crate::faults::Rules;
use crate::trail::Lengths;

/// A snapshot, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) name: SnapshotName,
    /// By the machine's clock.
    pub(crate) created: Timestamp,
    /// By how many seconds the emulator's clock was ahead of the machine's.
    pub(crate) offset_seconds: i64,
    pub(crate) repositories: u64,
    pub(crate) images: u64,
    /// Layers and configurations that it keeps, each once.
    pub(crate) blobs: u64,
    /// Their size.
    pub(crate) bytes: u64,
}

/// The content of `snapshot.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) snapshot: Snapshot,
    pub(super) faults: Rules,
    pub(super) trail: Lengths,
}
