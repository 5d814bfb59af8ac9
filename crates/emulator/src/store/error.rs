//! What can go wrong with the records.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Why the state cannot be read or written. After any of these the change that
/// was asked for has not been made.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StoreError {
    /// Another process has it open.
    #[error("{} is in use by another process", path.display())]
    Locked {
        /// The database file.
        path: PathBuf,
    },
    /// The file is not what was written to it.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What the database found.
        reason: String,
    },
    /// No space is left.
    #[error("no change was made: the disk of {} is full", path.display())]
    Full {
        /// The database file.
        path: PathBuf,
    },
    /// The file or its file system may not be written to.
    #[error("no change was made: {} cannot be written to: {source}", path.display())]
    ReadOnly {
        /// The database file.
        path: PathBuf,
        /// The operating system's report.
        #[source]
        source: Arc<io::Error>,
    },
    /// A change shared the transaction of a replacement that failed.
    #[error("no change was made: all of {} was being replaced, and that failed", path.display())]
    NotReplaced {
        /// The database file.
        path: PathBuf,
    },
    /// Any other failure of the disk or the database.
    #[error("the state in {} cannot be read or written: {source}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// The database's report.
        #[source]
        source: Arc<redb::Error>,
    },
    /// A record is not what this version of the emulator writes.
    #[error("the record {key:?} of table {table:?} is not readable: {source}")]
    Record {
        /// The table.
        table: &'static str,
        /// The record's key.
        key: String,
        /// What serde found.
        #[source]
        source: Arc<serde_json::Error>,
    },
}
