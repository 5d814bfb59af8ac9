//! The database file: opened once, and anew after the disk has failed.
//!
//! redb refuses everything after an I/O error until it is closed and opened
//! again, because it cannot know what reached the disk. So a failure is
//! remembered, and whoever comes next opens the file again: the emulator goes on
//! as soon as the disk does. Readers that are under way at that moment fail.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use redb::{ReadTransaction, ReadableDatabase as _, WriteTransaction};

use super::StoreError;

/// Up to this size, in bytes, the whole file is checked when it is opened, which
/// takes some ten milliseconds at most. A larger one is trusted after an orderly end
/// (after any other, it is checked whatever its size).
const CHECKED: u64 = 16 << 20;
/// Bytes of the file that are kept in memory.
const CACHE: usize = 32 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    /// `None` while it cannot be opened.
    open: RwLock<Option<redb::Database>>,
    failed: AtomicBool,
}

impl Database {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Self {
            path: path.to_owned(),
            open: RwLock::new(None),
            failed: AtomicBool::new(true),
        };
        database.reopen()?;
        Ok(database)
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        self.begin(|open| open.begin_read().map_err(redb::Error::from))
    }

    pub(super) fn begin_write(&self) -> Result<WriteTransaction, StoreError> {
        let mut transaction = self.begin(|open| open.begin_write().map_err(redb::Error::from))?;
        // A start after a kill then takes no longer than any other.
        transaction.set_quick_repair(true);
        Ok(transaction)
    }

    /// The lock is held for the beginning of a transaction only: transactions
    /// keep the database open by themselves.
    fn begin<T>(
        &self,
        begin: impl Fn(&redb::Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        if self.failed.load(Ordering::Acquire) {
            self.reopen()?;
        }
        match &*self.open.read().unwrap_or_else(PoisonError::into_inner) {
            Some(open) => begin(open).map_err(|error| self.error(error)),
            None => Err(self.error(redb::Error::DatabaseClosed)),
        }
    }

    /// Closes what is open and opens the file, which repairs it where the last
    /// commit was not finished.
    fn reopen(&self) -> Result<(), StoreError> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if !self.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        if let Some(failed) = open.take() {
            tracing::warn!(path = %self.path.display(), "the state is opened again");
            // What could not be written before cannot be written now either.
            let _ = failed.close();
        }
        let size = fs_err::metadata(&self.path).map_or(0, |metadata| metadata.len());
        let opened = redb::Database::builder()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open((1..=CHECKED).contains(&size))
            .create(&self.path);
        *open = Some(opened.map_err(|error| self.error(error))?);
        self.failed.store(false, Ordering::Release);
        Ok(())
    }

    /// Puts a failure into words, and remembers it when it is one of the disk.
    pub(super) fn error(&self, error: impl Into<redb::Error>) -> StoreError {
        let path = self.path.clone();
        let error = error.into();
        if matches!(
            error,
            redb::Error::Io(_) | redb::Error::PreviousIo | redb::Error::DatabaseClosed
        ) {
            self.failed.store(true, Ordering::Release);
        }
        match error {
            redb::Error::DatabaseAlreadyOpen => StoreError::Locked { path },
            redb::Error::Corrupted(reason) => StoreError::Damaged { path, reason },
            redb::Error::Io(source) => match source.kind() {
                // Not its own format, or shorter than it says.
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => StoreError::Damaged {
                    path,
                    reason: source.to_string(),
                },
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    StoreError::Full { path }
                }
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                    let source = Arc::new(source);
                    StoreError::ReadOnly { path, source }
                }
                _ => StoreError::Database {
                    path,
                    source: Arc::new(redb::Error::Io(source)),
                },
            },
            error => StoreError::Database {
                path,
                source: Arc::new(error),
            },
        }
    }
}
