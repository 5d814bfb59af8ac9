//! The SQLite database: opened, brought to the newest schema, and given something
//! to show if it is empty. One process at a time owns a database.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr, SqlitePool};

/// Every migration ever released, by number; none may change once it is released.
const MIGRATIONS: [(i64, &str, &str); 2] = [
    (
        1,
        "portfolio",
        include_str!("../migrations/0001_portfolio.sql"),
    ),
    (
        2,
        "contact messages",
        include_str!("../migrations/0002_contact_messages.sql"),
    ),
];

const SEED: &str = include_str!("../seed.sql");

/// SQLite writes one at a time; more connections only help readers.
const CONNECTIONS: u32 = 4;
/// How long a request waits for one of them.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(3);
/// How long a statement waits for another's lock.
const LOCK_LIMIT: Duration = Duration::from_secs(3);
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
    /// SQLite could not open it, or not ask it anything.
    #[error("SQLite refused it")]
    Refused(#[source] sqlx::Error),
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

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(DatabaseError::code);
        if code.as_deref() == Some(NOT_A_DATABASE) {
            Self::NotADatabase
        } else {
            Self::Refused(error)
        }
    }
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(applied) => Self::Foreign {
                applied,
                newest: MIGRATIONS
                    .map(|(version, ..)| version)
                    .into_iter()
                    .max()
                    .unwrap_or(0),
            },
            MigrateError::VersionMismatch(migration) => Self::Changed(migration),
            error => Self::Migration(error),
        }
    }
}

/// Opens the database at `path`, making it and its directory if they are not there,
/// migrates it, and seeds it if it is empty.
///
/// # Errors
/// If any of that fails; whatever was not finished is not half done.
pub async fn open(path: &Path) -> Result<SqlitePool, OpenError> {
    // An absolute path is never taken for one of SQLite's special names, such as
    // `:memory:` or `file:...`.
    let path = std::path::absolute(path).map_err(|source| OpenError::Directory {
        directory: path.to_owned(),
        source,
    })?;
    if path.to_str().is_none() {
        return Err(OpenError::PathNotText);
    }
    if let Some(directory) = path.parent() {
        tokio::fs::create_dir_all(directory)
            .await
            .map_err(|source| OpenError::Directory {
                directory: directory.to_owned(),
                source,
            })?;
    }
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // Full: a message that was answered 202 survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(LOCK_LIMIT);
    let database = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE_LIMIT)
        .connect_with(options)
        .await?;
    migrator().run(&database).await?;
    seed(&database).await?;
    Ok(database)
}

/// Reads a page of the file: a statement without a table would not touch it.
pub(crate) async fn answers(database: &SqlitePool) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT 1 FROM profile LIMIT 1")
        .fetch_optional(database)
        .await
        .map(|_| ())
}

/// The migrator that `sqlx::migrate!` would write. The macro would have the build
/// compile SQLite a second time, for itself.
fn migrator() -> Migrator {
    let migrations = MIGRATIONS.map(|(version, description, sql)| {
        Migration::new(
            version,
            description.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.into())
}

async fn seed(database: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut transaction = database.begin_with("BEGIN IMMEDIATE").await?;
    let is_empty: bool = sqlx::query_scalar(
        "SELECT NOT EXISTS (SELECT 1 FROM profile) AND NOT EXISTS (SELECT 1 FROM projects)",
    )
    .fetch_one(&mut *transaction)
    .await?;
    if is_empty {
        sqlx::raw_sql(SEED).execute(&mut *transaction).await?;
        tracing::info!("seeded an empty database");
    }
    transaction.commit().await
}

#[cfg(test)]
mod tests;
