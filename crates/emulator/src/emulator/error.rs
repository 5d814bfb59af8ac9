//! Why the emulator did not start, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::RECORDS;
use crate::blobs::BlobError;
use crate::issuer::KeyError;
use crate::store::StoreError;
use crate::tls::TlsError;

const RESTORE: &str = "restore the directory from a copy, or move it away: a new one is made";
const RESTORE_OR_CHOOSE: &str =
    "restore the directory from a copy, or choose another with `--data DIR`";
const CHOOSE_ANOTHER: &str = "choose another directory with `--data DIR`";
const MAKE_ROOM: &str = "make room on the disk, and start again: nothing is lost";
const MAKE_WRITABLE: &str =
    "let this user write to the directory, or choose another with `--data DIR`";

/// Why the emulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// The records cannot be read or written.
    #[error("{message}")]
    Records {
        /// What is wrong, with the file.
        message: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// The directory cannot be made, read or written.
    #[error("the data directory cannot be used")]
    Directory(#[from] io::Error),
    /// The directory holds something else.
    #[error("{} is not empty and was not made by an emulator; it was left untouched", .0.display())]
    Foreign(PathBuf),
    /// The directory belongs to another account.
    #[error("the data directory is of account {found}, not of {wanted}")]
    OtherAccount {
        /// The account in the directory.
        found: String,
        /// The account asked for.
        wanted: String,
    },
    /// A later version of the emulator wrote the directory.
    #[error(
        "the data directory is of format {found}, and this version reads formats up to {known}; \
         nothing was changed"
    )]
    Format {
        /// The number in the directory.
        found: String,
        /// The newest number that is known here.
        known: usize,
    },
    /// An account or a region is not written as AWS writes it.
    #[error("`{0}` is not the id of an account (twelve digits) or of a region")]
    NotAnAddress(String),
    /// The issuer's key cannot be read or made.
    #[error("the issuer's signing key cannot be used: {0}")]
    Key(String),
    /// There is no certificate for TLS.
    #[error(transparent)]
    Tls(Box<dyn std::error::Error + Send + Sync>),
    /// A resource of the Terraform root is one that AWS would refuse.
    #[error("AWS would refuse `{name}`: {reason}")]
    Resource {
        /// The resource.
        name: String,
        /// What AWS would say.
        reason: String,
    },
}

impl EmulatorError {
    /// The records of a directory that had some are gone.
    pub(crate) fn lost(data: &Path) -> Self {
        let file = data.join(RECORDS);
        Self::Records {
            message: format!("{} is damaged: it has lost its records", file.display()),
            hint: RESTORE,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Records { hint, .. } => hint,
            Self::Directory(error) => match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => MAKE_ROOM,
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                    MAKE_WRITABLE
                }
                _ => CHOOSE_ANOTHER,
            },
            Self::Key(_) | Self::Tls(_) => RESTORE_OR_CHOOSE,
            Self::Foreign(_) | Self::OtherAccount { .. } => CHOOSE_ANOTHER,
            Self::NotAnAddress(_) => "give an account as 123456789012, a region as eu-central-1",
            Self::Format { .. } => {
                "use the version that wrote it, or choose another directory with `--data DIR`"
            }
            Self::Resource { .. } => "change the resource, or start with `--empty`",
        }
    }
}

impl From<StoreError> for EmulatorError {
    fn from(error: StoreError) -> Self {
        let hint = match &error {
            StoreError::Locked { .. } => {
                "stop the emulator that runs there, or choose another directory with `--data DIR`"
            }
            StoreError::Damaged { .. } | StoreError::Record { .. } => RESTORE,
            StoreError::Full { .. } => MAKE_ROOM,
            StoreError::ReadOnly { .. } => MAKE_WRITABLE,
            StoreError::Database { .. } | StoreError::NotReplaced { .. } => CHOOSE_ANOTHER,
        };
        let message = error.to_string();
        Self::Records { message, hint }
    }
}

impl From<KeyError> for EmulatorError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::File(source) => Self::Directory(source),
            error => Self::Key(error.to_string()),
        }
    }
}

impl From<TlsError> for EmulatorError {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::File(source) => Self::Directory(source),
            error => Self::Tls(Box::new(error)),
        }
    }
}

impl From<BlobError> for EmulatorError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full { source } | BlobError::Disk { source } => Self::Directory(source),
            error => Self::Directory(io::Error::other(error)),
        }
    }
}
