//! The database: SQLite or PostgreSQL, opened and brought to the newest schema.
//!
//! One text of SQL serves both: placeholders are `$1`, whole numbers are `BIGINT`,
//! times and JSON are text. Where they differ there is a `match` on the product.

mod failure;
mod location;
mod open_error;
mod schema;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor, Transaction};

pub(crate) use failure::Failure;
pub use location::{Location, ServerUrl};
pub use open_error::OpenError;
pub(crate) use schema::NEWEST as NEWEST_SCHEMA;
#[cfg(fuzzing)]
pub(crate) use schema::migrate;

use crate::{search, seed};

/// SQLite writes one at a time; more connections only help readers.
const CONNECTIONS: u32 = 8;
/// How long a request waits for one of them.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(3);

/// What every connection is told first. Synchronous: what was acknowledged survives
/// a power cut. In a container nothing but the data may be written to, so SQLite keeps
/// what is temporary in memory. The limits end a statement before the request's own limit does.
const SQLITE_SESSION: &str = "PRAGMA busy_timeout = 3000; PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;";
const POSTGRES_SESSION: &str = "SET lock_timeout = '3s'; SET statement_timeout = '8s';
    SET idle_in_transaction_session_timeout = '30s';";

/// What reads everything takes as long as that takes.
const POSTGRES_AT_LEISURE: &str =
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;";

/// The advisory lock of whoever changes the schema, drawn at random once.
const POSTGRES_LOCK: &str = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0;
    SELECT pg_advisory_xact_lock(7217349805193604213);";

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    /// <https://www.sqlite.org>
    Sqlite,
    /// <https://www.postgresql.org>
    Postgres,
}

/// What a database without tables starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// A portfolio to look at, not a blank page.
    Example,
    /// Nothing.
    Empty,
    /// It must be there, of the newest schema: it is only read.
    Existing,
}

/// An opened database of the newest schema.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
    pub(crate) product: Product,
}

impl Database {
    /// Opens the database, making it and its directory if it is a file that is not
    /// there, and migrates it. Whoever comes at the same time waits.
    ///
    /// # Errors
    /// If any of that fails; whatever was not finished is not half done.
    pub async fn open(location: &Location, start: Start) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let (product, name, session) = match location {
            Location::File(_) => (Product::Sqlite, "SQLite", SQLITE_SESSION),
            Location::Server(_) => (Product::Postgres, "PostgreSQL", POSTGRES_SESSION),
        };
        let options = match location {
            Location::File(path) => file_options(path, start).await?,
            Location::Server(url) => {
                url.warn_unless_verified();
                url.options().map_err(OpenError::refused(name))?
            }
        };
        // The pool would try again what cannot succeed.
        let mut first = AnyConnection::connect_with(&options)
            .await
            .map_err(OpenError::refused(name))?;
        first
            .execute(sqlx::raw_sql(session))
            .await
            .map_err(OpenError::refused(name))?;
        first.close().await.map_err(OpenError::refused(name))?;
        let pool = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(ACQUIRE_LIMIT)
            // Where the disk is full SQLite ends a transaction by itself, and sqlx takes
            // the connection to be in it for ever.
            .before_acquire(|connection, _| {
                let is_usable = !connection.is_in_transaction();
                Box::pin(async move { Ok(is_usable) })
            })
            .after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(sqlx::raw_sql(session)).await.map(drop) })
            })
            .connect_with(options)
            .await
            .map_err(OpenError::refused(name))?;
        let database = Self { pool, product };
        database.prepare(start, name).await?;
        Ok(database)
    }

    /// Migrates, and writes what is made from documents anew where those were.
    async fn prepare(&self, start: Start, name: &'static str) -> Result<(), OpenError> {
        let refused = OpenError::refused(name);
        let mut transaction = self.exclusive().await.map_err(&refused)?;
        let found = schema::migrate(self.product, &mut transaction).await?;
        // What was migrated is not kept: the transaction is not committed.
        match (start, found) {
            (Start::Existing, schema::Found::Nothing) => return Err(OpenError::Missing),
            (Start::Existing, schema::Found::Older) => return Err(OpenError::Older),
            _ => {}
        }
        if found == schema::Found::Nothing && start == Start::Example {
            seed::write(&mut transaction).await.map_err(&refused)?;
            tracing::info!("seeded an empty database");
        }
        if found != schema::Found::Newest {
            search::rebuild(&mut transaction).await.map_err(&refused)?;
        }
        transaction.commit().await.map_err(&refused)
    }

    /// For single statements.
    pub(crate) fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// A transaction that writes.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.pool
            .begin_with(match self.product {
                // Without it SQLite takes the lock at the first write, and fails
                // if somebody else has written since the first read.
                Product::Sqlite => "BEGIN IMMEDIATE",
                Product::Postgres => "BEGIN",
            })
            .await
    }

    /// A transaction that is alone with the database: for its schema and for all of
    /// its content.
    pub(crate) async fn exclusive(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        let mut transaction = self.write().await?;
        if self.product == Product::Postgres {
            sqlx::raw_sql(POSTGRES_LOCK)
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction)
    }

    /// A transaction that reads the database as it is at one moment.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        let begin = match self.product {
            Product::Sqlite => "BEGIN",
            Product::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let mut transaction = self.pool.begin_with(begin).await?;
        if self.product == Product::Postgres {
            sqlx::raw_sql(POSTGRES_AT_LEISURE)
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction)
    }

    /// Reads a page of the file: a statement without a table would not touch it.
    pub(crate) async fn answers(&self) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT 1 FROM documents LIMIT 1")
            .fetch_optional(&self.pool)
            .await
            .map(drop)
    }

    /// Waits for its connections and closes them.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Runs any SQL, for tests that break what the program would not.
    ///
    /// # Errors
    /// What the database says.
    #[doc(hidden)]
    pub async fn tamper(&self, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(sql).execute(&self.pool).await.map(drop)
    }
}

/// The number of rows of a table of ours.
pub(crate) async fn count(connection: &mut AnyConnection, table: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
        .fetch_one(connection)
        .await
}

async fn file_options(path: &Path, start: Start) -> Result<AnyConnectOptions, OpenError> {
    // An absolute path is never taken for one of SQLite's special names, such as
    // `:memory:` or `file:...`.
    let path = std::path::absolute(path).map_err(|source| OpenError::Directory {
        directory: path.to_owned(),
        source,
    })?;
    let text = path.to_str().ok_or(OpenError::PathNotText)?;
    if start == Start::Existing && !path.exists() {
        return Err(OpenError::Missing);
    }
    if let Some(directory) = path.parent() {
        tokio::fs::create_dir_all(directory)
            .await
            .map_err(|source| OpenError::Directory {
                directory: directory.to_owned(),
                source,
            })?;
    }
    let mut options =
        AnyConnectOptions::from_str("sqlite:///?mode=rwc").map_err(OpenError::refused("SQLite"))?;
    options.database_url.set_path(&text.replace('%', "%25"));
    Ok(options)
}
