//! What the store knows of one layer: a small file of JSON beside the blobs.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use fs_err as fs;
use oci::{Descriptor, Digest};
use serde::{Deserialize, Serialize};

use crate::compression::Compression;
use crate::error::ImageError;

/// Fingerprints that are remembered for a layer: two checkouts that share a
/// store each have their own.
const FINGERPRINTS: usize = 4;
/// Seconds that a file must have rested before its fingerprint is believed.
const RESTED_SECONDS: i64 = 2;

/// A layer that was packed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) compatibility: u32,
    pub(crate) compression: Compression,
    pub(crate) diff_id: Digest,
    /// Bytes of the tar.
    pub(crate) unpacked: u64,
    pub(crate) blob: Descriptor,
    pub(crate) shape: Digest,
    pub(crate) seen: Vec<Digest>,
    pub(crate) seal: Option<Seal>,
}

/// The blob's file as it was when its bytes were hashed.
///
/// Nothing is written through to the disk, for the store can be made again. What
/// a crash of the machine can leave is a file of the right length with wrong
/// bytes: a seal of an earlier boot proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seal {
    boot: String,
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Seal {
    /// None where the machine does not say which boot this is.
    pub(crate) fn of(blob: &Path, boot: Option<&str>) -> Result<Option<Self>, ImageError> {
        let metadata = fs::metadata(blob)?;
        Ok(boot.map(|boot| Self {
            boot: boot.to_owned(),
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }))
    }
}

impl Record {
    /// The name of its file: what was packed, and how.
    pub(crate) fn name(&self) -> String {
        let Self {
            compatibility,
            compression,
            diff_id,
            ..
        } = self;
        format!("{}-{compatibility}-{compression}.json", diff_id.hex())
    }

    /// Remembers a fingerprint whose files have rested at the time `now`.
    pub(crate) fn remember(&mut self, seen: Digest, newest: i64, now: i64) {
        if now - newest < RESTED_SECONDS || self.seen.contains(&seen) {
            return;
        }
        self.seen.insert(0, seen);
        self.seen.truncate(FINGERPRINTS);
    }
}
