//! Why a database could not be opened.

use std::io;
use std::path::PathBuf;

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;

use super::schema;

/// `SQLITE_NOTADB`, see <https://www.sqlite.org/rescode.html#notadb>.
const NOT_A_DATABASE: &str = "26";

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite takes its path as text.
    #[error("its path is not valid UTF-8")]
    PathNotText,
    /// The directory that should hold it could not be made.
    #[error("its directory {} could not be created", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// SQLite or PostgreSQL could not open it, or not ask it anything.
    #[error("{product} refused it")]
    Refused {
        /// `SQLite` or `PostgreSQL`.
        product: &'static str,
        /// What it said.
        #[source]
        source: sqlx::Error,
    },
    /// There is none, and this command makes none.
    #[error("there is none, and none was made: is the configuration that of the service?")]
    Missing,
    /// It has an older schema, and this command must not change it.
    #[error(
        "it is of an older version of this program and was not changed: use that version, or start this one's service first"
    )]
    Older,
    /// The file holds something else.
    #[error("it is not an SQLite database")]
    NotADatabase,
    /// It has a migration that this version does not know.
    #[error(
        "it was written by another version of this program (it has migration {applied}, and this version knows only those up to {newest})"
    )]
    Foreign {
        /// The unknown migration.
        applied: i64,
        /// The newest that is known.
        newest: i64,
    },
    /// One of its migrations was another when it was applied.
    #[error("its migration {0} is not the one that this version has by that number")]
    Changed(i64),
    /// A migration failed; the database is as it was before it.
    #[error("it could not be brought to the schema of this version")]
    Migration(#[source] MigrateError),
}

impl OpenError {
    pub(super) fn refused(product: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| {
            let code = source.as_database_error().and_then(DatabaseError::code);
            if code.as_deref() == Some(NOT_A_DATABASE) {
                Self::NotADatabase
            } else {
                Self::Refused { product, source }
            }
        }
    }
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(applied) => Self::Foreign {
                applied,
                newest: schema::NEWEST,
            },
            MigrateError::VersionMismatch(migration) => Self::Changed(migration),
            error => Self::Migration(error),
        }
    }
}
