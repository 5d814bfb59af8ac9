//! What the commands about snapshots of an emulator answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The snapshots that an emulator has: what `longshore emulator snapshots`
/// answers, and what is left after one was deleted or the emulator was reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshots {
    /// By name.
    pub snapshots: Vec<Snapshot>,
}

/// A snapshot of an emulator, that was made or restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// When it was made, by the machine's clock, in UTC.
    pub created: String,
    /// By how many seconds the emulator's clock was ahead of the machine's.
    pub offset_seconds: i64,
    /// Repositories in all registries.
    pub repositories: u64,
    /// Images in all of them.
    pub images: u64,
    /// Layers and configurations that it keeps, each once.
    pub blobs: u64,
    /// Their size in bytes.
    pub bytes: u64,
}
