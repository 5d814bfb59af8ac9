//! What a push tells whoever watches.

use oci::Digest;

/// Called while a push goes on, from whatever thread it runs on; must not block.
pub type Observer<'a> = &'a (dyn Fn(Event) + Send + Sync);

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The registry is asked which of so many different blobs it has.
    Checking {
        /// How many.
        blobs: usize,
    },
    /// The registry has this blob already.
    Existing {
        /// Which.
        digest: Digest,
        /// Its length in bytes.
        size: u64,
    },
    /// The upload of a blob begins.
    Started {
        /// Which.
        digest: Digest,
        /// Its length in bytes.
        size: u64,
    },
    /// So much of the blob was handed to the connection, counted from the start
    /// of the blob; a retry starts from zero.
    Sent {
        /// Which.
        digest: Digest,
        /// Bytes so far.
        bytes: u64,
    },
    /// The registry confirmed the blob.
    Finished {
        /// Which.
        digest: Digest,
        /// Its length in bytes.
        size: u64,
    },
    /// A step failed for a reason that may pass, and is tried again.
    Retrying {
        /// The step, in words.
        what: String,
        /// The number of the try that failed, from 1.
        attempt: u32,
        /// Why it failed.
        why: String,
    },
}
