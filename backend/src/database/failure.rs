//! What the failure of a statement means for whoever asked for it.

use sqlx::error::DatabaseError;

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is no room left on the disk. Nothing was written; reading goes on.
    Full,
    /// The database cannot be reached.
    Gone,
    /// Somebody else had it for longer than we wait; soon they may not.
    Busy,
    /// It should not happen.
    Other,
}

impl Failure {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => Self::Gone,
            sqlx::Error::Database(error) => Self::of_database(&**error),
            _ => Self::Other,
        }
    }

    /// The result codes of SQLite (<https://www.sqlite.org/rescode.html>) are numbers, and
    /// those of PostgreSQL (<https://www.postgresql.org/docs/current/errcodes-appendix.html>)
    /// have five characters.
    fn of_database(error: &dyn DatabaseError) -> Self {
        let Some(code) = error.code() else {
            return Self::Other;
        };
        match &*code {
            // SQLITE_FULL, disk_full
            "13" | "53100" => Self::Full,
            // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_BUSY_SNAPSHOT; lock_not_available,
            // query_canceled (after its time), deadlock_detected
            "5" | "6" | "517" | "55P03" | "57014" | "40P01" => Self::Busy,
            // too_many_connections, and a server that stops or starts
            "53300" | "57P01" | "57P02" | "57P03" => Self::Gone,
            _ => Self::Other,
        }
    }
}
