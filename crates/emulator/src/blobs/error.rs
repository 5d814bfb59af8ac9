//! What can go wrong with content on disk.

use std::io;

use oci::Digest;

/// Why content could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlobError {
    /// No such upload in this repository: never begun, finished, or given up.
    #[error("the upload is not known")]
    UploadUnknown,
    /// Another request is writing to the same upload.
    #[error("another request is writing to the same upload")]
    UploadBusy,
    /// The sender went away before the end of the body.
    #[error("the body ended before its end was announced")]
    Interrupted,
    /// The body is not as long as its range.
    #[error("the range has {announced} bytes, and {actual} arrived")]
    Length {
        /// What `Content-Range` says.
        announced: u64,
        /// What arrived.
        actual: u64,
    },
    /// More bytes than a layer may have.
    #[error("the upload is larger than {limit} bytes")]
    TooLarge {
        /// The largest layer, in bytes.
        limit: u64,
    },
    /// The bytes are not those of the digest.
    #[error("the bytes have the digest {actual}, not {expected}")]
    Digest {
        /// What the client announced.
        expected: Digest,
        /// What arrived.
        actual: Digest,
    },
    /// The file of a blob is gone, or is not as long as it was.
    #[error(
        "the data directory is damaged: the file of {digest} is missing or has another size; \
         push the image again to mend it"
    )]
    Damaged {
        /// The blob.
        digest: Digest,
    },
    /// No space is left.
    #[error("nothing was stored: the disk of the emulator is full: {source}")]
    Full {
        /// The operating system's report.
        source: io::Error,
    },
    /// Any other failure of the disk.
    #[error("nothing was done: the emulator's disk failed: {source}")]
    Disk {
        /// The operating system's report.
        source: io::Error,
    },
}

impl From<io::Error> for BlobError {
    fn from(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { source },
            _ => Self::Disk { source },
        }
    }
}
